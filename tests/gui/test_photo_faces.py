"""Several faces of a photo in the real window: boxes by mouse and keys, each one undoable edit; no label is lost."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from scaf_gui.core.edits import add_face, set_box
from scaf_gui.core.face import Author, Box, Label, State
from scaf_gui.gui.queue_model import Role
from scaf_gui.gui.window import MainWindow
from scaf_gui.io.folder import scan_images
from scaf_gui.session.project import new_project
from scaf_gui.session.session import Session
from scaf_gui.settings import Settings

pytestmark = pytest.mark.usefixtures("dressed", "no_leaks")
LEFT, NONE, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(qtbot: QtBot, dressed: QApplication, faces_folder: Path, tmp_path: Path) -> Iterator[MainWindow]:
    """Three photos without a model; the first two are twins, the first has three faces with boxes."""
    folder = tmp_path / "images"
    folder.mkdir()
    first, second, *_ = (faces_folder / name for name in scan_images(faces_folder))
    shutil.copy(first, folder / "a.png")
    shutil.copy(first, folder / "b.png")
    shutil.copy(second, folder / "c.png")
    session = new_project(tmp_path / "p.scaf", folder, boxes="whole", settings=Settings(), use_starter=False)
    for event in session.find_boxes():
        session.take(event)
    made = MainWindow(Settings())
    made.show()
    document = session.document
    (face,) = document.beside("a.png")
    document.take_in(set_box(face, Box(10, 20, 60, 60)))
    for x in (80, 130):
        document.take_in(add_face(document.next_id(), "a.png", Box(x, 20, 40, 60)))
    session.current = face.id
    made.show_session(session)
    qtbot.waitUntil(lambda: made.workspace.canvas._image.size is not None, timeout=20_000)
    qtbot.waitUntil(
        lambda: not made.project.background.is_busy() and not made.project._later.isActive(), timeout=20_000
    )
    made.activateWindow()
    made.workspace.canvas.setFocus()
    made.workspace.canvas.fit_image()
    yield made
    made.close()
    made.deleteLater()


@pytest.fixture
def session(window: MainWindow) -> Session:
    assert window.session is not None
    return window.session


def press(window: MainWindow, key: Qt.Key, modifier: Qt.KeyboardModifier = NONE) -> None:
    window.workspace.canvas.setFocus()
    QTest.keyClick(window.workspace.canvas, key, modifier)


def spot(window: MainWindow, x: float, y: float) -> QPoint:
    screen_x, screen_y = window.workspace.canvas._camera.to_screen(x, y)
    return QPoint(round(screen_x), round(screen_y))


def drag(window: MainWindow, start: tuple[float, float], end: tuple[float, float]) -> None:
    port = window.workspace.canvas.viewport()
    QTest.mousePress(port, LEFT, NONE, spot(window, *start))
    QTest.mouseMove(port, spot(window, *end))
    QTest.mouseRelease(port, LEFT, NONE, spot(window, *end))


def titles(session: Session) -> list[str]:
    return [title for title, *_ in session.store.edit_log()]


def give_label(window: MainWindow, session: Session) -> Label:
    from dataclasses import replace

    from scaf_gui.core.edits import change_face

    face = session.document.face(session.current)
    points = np.linspace(20, 60, 2 * session.scheme.num_landmarks).reshape(-1, 2)
    label = Label.from_points(points, Author.now("ann"))
    session.edit(change_face("Label", face, replace(face, label=label, state=State.LABELLED)))
    return label


def test_going_from_face_to_face(window: MainWindow, session: Session) -> None:
    ids = [face.id for face in session.document.beside("a.png")]
    assert len(ids) == 3 and session.current == ids[0]
    assert window.workspace.face_bar.name.text().endswith("face 1 of 3")
    camera = window.workspace.canvas._camera
    press(window, Qt.Key.Key_D, SHIFT)
    assert session.current == ids[1] and window.workspace.face_bar.name.text().endswith("face 2 of 3")
    press(window, Qt.Key.Key_A, SHIFT)
    press(window, Qt.Key.Key_A, SHIFT)
    assert session.current == ids[2]
    window.workspace.canvas.select(None)  # without a model a click places the selected landmark
    QTest.mouseClick(window.workspace.canvas.viewport(), LEFT, NONE, spot(window, 100, 50))
    assert session.current == ids[1]
    assert window.workspace.canvas._camera == camera, "the whole photo stays in sight"
    assert [other.number for other in window.workspace.canvas._others] == [1, 3]
    rows = window.workspace.queue.model
    assert rows.index(rows.row_of(ids[1])).data(Role.PLACE) == (2, 3)
    (single,) = session.document.beside("c.png")
    assert rows.index(rows.row_of(single.id)).data(Role.PLACE) is None


def test_a_box_of_a_labelled_face_is_changed_by_mouse_and_keys(window: MainWindow, session: Session) -> None:
    label, before = give_label(window, session), session.document.face(session.current).box
    window.workspace.canvas.fit_image()
    press(window, Qt.Key.Key_E)
    drag(window, (66, 76), (71, 73))
    face = session.document.face(session.current)
    assert face.box is not None and face.box.x > 10 and face.box.width == pytest.approx(60)
    assert face.label == label and face.state is State.LABELLED
    press(window, Qt.Key.Key_Tab)
    press(window, Qt.Key.Key_Right, SHIFT)
    assert titles(session)[-2:] == ["Move box", "Resize box"]
    assert session.document.face(session.current).box.width == pytest.approx(50)
    press(window, Qt.Key.Key_Z, CONTROL)
    press(window, Qt.Key.Key_Z, CONTROL)
    assert session.document.face(session.current).box == before
    assert session.document.face(session.current).label == label


def test_a_face_is_added_and_deleted(window: MainWindow, session: Session) -> None:
    press(window, Qt.Key.Key_B, SHIFT)
    drag(window, (40, 100), (90, 150))
    faces = session.document.beside("a.png")
    assert len(faces) == 4 and session.current == faces[-1].id and titles(session)[-1] == "Add face"
    assert faces[-1].box.width == pytest.approx(50, abs=1)
    press(window, Qt.Key.Key_Delete)
    assert len(session.document.beside("a.png")) == 3 and session.current == faces[2].id
    press(window, Qt.Key.Key_Z, CONTROL)
    assert session.document.beside("a.png") == faces and session.current == faces[-1].id


def test_deleting_a_label_says_so_and_can_be_undone(window: MainWindow, session: Session) -> None:
    label = give_label(window, session)
    face_id = session.current
    press(window, Qt.Key.Key_N)  # a face with a label is a face
    assert face_id in session.document and session.current == face_id
    press(window, Qt.Key.Key_Delete)
    assert face_id not in session.document and titles(session)[-1] == "Delete face and its label"
    assert window.messages.isVisible()
    window.project.undo()
    assert session.document.face(face_id).label == label and session.current == face_id
    assert not window.messages.isVisible(), "its button would now take back something else"
    press(window, Qt.Key.Key_Delete)
    assert window.messages.isVisible() and session.current is not None
    press(window, Qt.Key.Key_6, Qt.KeyboardModifier.AltModifier)
    assert session.document.face(session.current).attributes is not None and not window.messages.isVisible()


def test_a_false_detection_is_thrown_out(window: MainWindow, session: Session) -> None:
    first, second, third = session.document.beside("a.png")
    press(window, Qt.Key.Key_N)
    assert session.document.beside("a.png") == (second, third) and session.current != first.id
    (only,) = session.document.beside("c.png")
    window.project.navigator.go_to(only.id)
    press(window, Qt.Key.Key_N)
    after = session.document.face(only.id)
    assert after.box is None and after.state is State.SKIPPED, "the photo is skipped, not lost"
    assert session.work.why_no_box("c.png") == "taken out", "the detector is not asked again"
    window.project.undo()
    assert session.document.face(only.id) == only
    window.project.undo()
    assert session.document.beside("a.png") == (first, second, third)


def test_the_only_face_loses_its_box_and_gets_another(window: MainWindow, session: Session, qtbot: QtBot) -> None:
    (only,) = session.document.beside("c.png")
    window.project.navigator.go_to(only.id)
    qtbot.waitUntil(lambda: window.workspace.canvas._image.size is not None)
    press(window, Qt.Key.Key_Delete)
    assert session.document.face(only.id).box is None
    press(window, Qt.Key.Key_E)  # no box to change: one is drawn, here by the keyboard alone
    press(window, Qt.Key.Key_Return)
    assert session.document.face(only.id).box is not None and session.current == only.id
    press(window, Qt.Key.Key_Left)
    assert titles(session)[-3:] == ["Delete face", "Draw box", "Move box"]


def test_near_identical_photos_are_marked_and_skipped(window: MainWindow, session: Session, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: bool(session.similar.groups), timeout=8_000)
    assert session.similar.groups == (("a.png", "b.png"),)
    rows = window.workspace.queue.model
    index = rows.index(rows.row_of(session.current))
    assert index.data(Role.ALIKE) == 1 and "1 near-identical photo" in index.data(Qt.ItemDataRole.ToolTipRole)
    press(window, Qt.Key.Key_S, SHIFT)
    (twin,) = session.document.beside("b.png")
    assert twin.state is State.SKIPPED and titles(session)[-1] == "Skip 1 near-identical photo"
    assert all(face.state is State.UNLABELLED for face in session.document.beside("a.png"))
    press(window, Qt.Key.Key_S, SHIFT)  # there is nothing more to skip
    assert titles(session).count("Skip 1 near-identical photo") == 1
    window.project.undo()
    assert session.document.face(twin.id).state is State.UNLABELLED
