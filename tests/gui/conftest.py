"""What the tests of the window share: rendered faces, small and quick, and the dressed application."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QThreadPool
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from scaf_gui.gui import theme
from scaf_gui.samples.folder import write_sample_folder, write_truth_folder

FACES = 8
SIZE = 192


@pytest.fixture(scope="session")
def faces_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rendered faces; only to be read."""
    folder = tmp_path_factory.mktemp("rendered") / "faces"
    write_sample_folder(folder, FACES, size=SIZE)
    return folder


@pytest.fixture(scope="session")
def truth_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The true 68 landmarks of the rendered faces."""
    folder = tmp_path_factory.mktemp("truth") / "faces"
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
