"""What the tests of the window share: rendered faces, small and quick, and the dressed application."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QThreadPool
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from scaf_gui.gui import theme
from scaf_gui.gui.window import MainWindow
from scaf_gui.samples.folder import write_sample_folder, write_truth_folder
from scaf_gui.session.project import new_project
from scaf_gui.session.session import Session
from scaf_gui.settings import Settings
from tests.rendered import shared_folder

FACES = 8
SIZE = 192


@pytest.fixture(scope="session")
def faces_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rendered faces; only to be read."""
    folder = shared_folder(tmp_path_factory) / "rendered" / "faces"
    write_sample_folder(folder, FACES, size=SIZE)
    return folder


@pytest.fixture(scope="session")
def truth_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The true 68 landmarks of the rendered faces."""
    folder = shared_folder(tmp_path_factory) / "truth" / "faces"
    write_truth_folder(folder, FACES, size=SIZE)
    return folder


@pytest.fixture
def dressed(qapp: QApplication) -> Iterator[QApplication]:
    """The application in the dark theme."""
    theme.apply(qapp, "dark")
    yield qapp


@pytest.fixture(autouse=True)
def quick_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests press keys faster than a person can look; those of double presses set this back."""
    monkeypatch.setattr("scaf_gui.gui.navigator.DOUBLE_PRESS", 0.0)


@pytest.fixture
def open_quietly(
    qtbot: QtBot, dressed: QApplication, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Session, Settings], MainWindow]]:
    """Opens a window in which nothing works in the background: what is predicted, the tests say."""
    monkeypatch.setattr("scaf_gui.gui.project_view.ProjectView._begin_work", lambda self: None)
    monkeypatch.setattr("scaf_gui.gui.project_view.ProjectView._work_on", lambda self: None)
    opened: list[MainWindow] = []

    def open_window(session: Session, settings: Settings) -> MainWindow:
        made = MainWindow(settings)
        opened.append(made)
        made.show()
        made.show_session(session)
        canvas = made.workspace.canvas
        canvas.shaping.enabled = False
        qtbot.waitUntil(lambda: canvas._image.size is not None, timeout=20_000)
        made.activateWindow()
        canvas.setFocus()
        qtbot.waitUntil(canvas.hasFocus)
        return made

    yield open_window
    for made in opened:
        made.close()
        made.deleteLater()


@pytest.fixture
def quiet_window(
    open_quietly: Callable[[Session, Settings], MainWindow], faces_folder: Path, tmp_path: Path
) -> MainWindow:
    """A project of the rendered faces, without any prediction."""
    settings = Settings()
    session = new_project(tmp_path / "p.scaf", faces_folder, boxes="whole", settings=settings, use_starter=False)
    return open_quietly(session, settings)


@pytest.fixture
def face_window(qtbot: QtBot, dressed: QApplication, faces_folder: Path, tmp_path: Path) -> Iterator[MainWindow]:
    """A new project is open: its first face is on the canvas, and every face has its box, but no prediction."""
    made = MainWindow(Settings())
    made.show()
    session = new_project(tmp_path / "p.scaf", faces_folder, boxes="whole", use_starter=False, settings=made.settings)
    made.show_session(session)
    canvas = made.workspace.canvas
    qtbot.waitUntil(lambda: canvas._image.size is not None and canvas.face is not None, timeout=20_000)
    # a box that comes later would drop a prediction
    qtbot.waitUntil(lambda: all(face.box is not None for face in session.document), timeout=20_000)
    yield made
    made.close()
    made.deleteLater()


@pytest.fixture
def no_leaks(qtbot: QtBot) -> Iterator[None]:
    """Widgets and threads of a test are gone after it."""
    before = {widget for widget in QApplication.topLevelWidgets() if not widget.parent()}
    yield
    settle()
    left: list[QWidget] = [w for w in QApplication.topLevelWidgets() if not w.parent() and w not in before]
    assert not left, f"left over: {left}"
    assert QThreadPool.globalInstance().activeThreadCount() == 0
    from scaf_gui.gui import worker

    assert not worker._running


def settle() -> None:
    """Deliver what is queued, deferred deletions included."""
    for _ in range(3):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QCoreApplication.processEvents()
