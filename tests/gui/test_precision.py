"""Nudges, placing, groups and curves through the real window: keys and mouse in, edits in the history out."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import Face, Flag, Prediction, State
from scaf_gui.gui import precision
from scaf_gui.gui.window import MainWindow
from scaf_gui.io.store import ProjectStore
from scaf_gui.session.truth import read_truth
from scaf_gui.settings import Settings

pytestmark = pytest.mark.usefixtures("dressed", "no_leaks")
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
SHIFT, CONTROL, ALT = (
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
)
Key = Qt.Key


@pytest.fixture
def window(quiet_window: MainWindow) -> MainWindow:
    return quiet_window


@pytest.fixture
def truth(window: MainWindow, truth_folder: Path) -> FloatArray:
    """The true landmarks of the face on the canvas."""
    session, now = window.session, face(window)
    assert session is not None
    return read_truth(truth_folder, session.scheme, [now.image])[now.image][0].points


def face(window: MainWindow) -> Face:
    session = window.session
    assert session is not None
    assert session.current is not None
    return session.document.face(session.current)


def predict(window: MainWindow, points: FloatArray) -> None:
    session = window.session
    assert session is not None
    session.document.set_predictions({face(window).id: Prediction(points, np.ones(len(points)), "model")})


def key(window: MainWindow, which: Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
    QTest.keyClick(window.workspace.canvas, which, modifiers)


def title(window: MainWindow) -> str:
    session = window.session
    assert session is not None
    edit = session.document.history.to_undo
    return edit.title if edit is not None else ""


def points(window: MainWindow) -> FloatArray:
    label = face(window).label
    assert label is not None
    return label.points


def click(window: MainWindow, place: FloatArray) -> None:
    canvas = window.workspace.canvas
    x, y = canvas._camera.to_screen(*place)
    QTest.mouseClick(canvas.viewport(), LEFT, NONE, QPoint(round(x), round(y)))


def test_nudges_of_one_landmark_are_one_step_of_undo(
    window: MainWindow, truth: FloatArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict(window, truth)
    canvas = window.workspace.canvas
    canvas.select(30)
    for which, modifiers in ((Key.Key_Right, NONE), (Key.Key_Down, ALT), (Key.Key_Left, SHIFT)):
        key(window, which, modifiers)
    assert np.allclose(points(window)[30] - truth[30], [1 - 10, 0.1])
    assert canvas.loupe is not None
    assert canvas.loupe.middle is not None  # it shows where the nudges lead
    key(window, Key.Key_Z, CONTROL)
    assert face(window).label is None
    key(window, Key.Key_Z, CONTROL | SHIFT)
    assert np.allclose(points(window)[30] - truth[30], [-9, 0.1])
    # another landmark, or a pause, begins another step
    canvas.select(31)
    key(window, Key.Key_Up)
    later = time.monotonic() + precision.TOGETHER + 0.1
    monkeypatch.setattr("scaf_gui.gui.precision.time.monotonic", lambda: later)
    key(window, Key.Key_Up)
    assert np.allclose(points(window)[31] - truth[31], [0, -2])
    key(window, Key.Key_Z, CONTROL)
    assert np.allclose(points(window)[31] - truth[31], [0, -1])
    key(window, Key.Key_Z, CONTROL)
    assert np.allclose(points(window)[31], truth[31])
    assert np.allclose(points(window)[30] - truth[30], [-9, 0.1])


def test_the_menu_names_what_undo_and_redo_are_about_to_do(window: MainWindow, truth: FloatArray) -> None:
    menu = next(entry.menu() for entry in window.menuBar().actions() if entry.text().replace("&", "") == "Edit")
    undo, redo = window.actions_by_id["undo"], window.actions_by_id["redo"]
    menu.aboutToShow.emit()
    assert (undo.text(), redo.text()) == ("Undo", "Redo")
    predict(window, truth)
    window.workspace.canvas.select(30)
    key(window, Key.Key_Right)
    menu.aboutToShow.emit()
    assert (undo.text(), redo.text()) == (f"Undo: {title(window)}", "Redo")
    undo.trigger()
    menu.aboutToShow.emit()
    assert undo.text() == "Undo" and redo.text().startswith("Redo: Move ")


def test_landmarks_may_lie_outside_the_image(window: MainWindow, truth: FloatArray) -> None:
    predict(window, truth)
    window.workspace.canvas.select(0)
    for _ in range(40):
        key(window, Key.Key_Left, SHIFT)
    assert points(window)[0][0] < -200
    assert window.session is not None
    window.session.document.history.join_last()  # nothing left to join: no harm
    key(window, Key.Key_Z, CONTROL)
    assert face(window).label is None


def test_a_face_is_placed_by_clicks_alone(window: MainWindow, truth: FloatArray) -> None:
    canvas = window.workspace.canvas
    assert face(window).label is None
    key(window, Key.Key_P)
    assert window.actions_by_id["place"].isChecked()
    assert canvas.selected == 0
    canvas.fit_image()
    for landmark in range(3):
        click(window, truth[landmark])
        assert canvas.selected == landmark + 1
        assert face(window).state is State.STARTED
    assert np.abs(points(window)[:3] - truth[:3]).max() < 1 / canvas.zoom
    assert np.isnan(points(window)[3:]).all()
    assert title(window).startswith("Place ")
    key(window, Key.Key_X)  # the fourth cannot be seen
    assert title(window).startswith("Skip")
    assert canvas.selected == 4
    key(window, Key.Key_Backspace)
    assert canvas.selected == 3
    key(window, Key.Key_Backspace)
    assert canvas.selected == 2
    assert np.isnan(points(window)[2]).all()
    key(window, Key.Key_Z, CONTROL)  # taking back is an edit like any other
    assert np.isfinite(points(window)[2]).all()
    # leave and come back: it goes on with what is still to be placed
    key(window, Key.Key_Escape)
    assert not window.actions_by_id["place"].isChecked()
    key(window, Key.Key_P)
    assert canvas.selected == 3
    for landmark in range(3, len(truth)):
        click(window, truth[landmark])
    assert not window.actions_by_id["place"].isChecked()  # all are placed
    label = face(window).label
    assert label is not None
    assert label.placed.all()
    assert (label.flags == Flag.VISIBLE).all()
    assert np.abs(label.points - truth).max() < 1 / canvas.zoom
    key(window, Key.Key_Return)
    assert any(f.state is State.LABELLED for f in window.session.document)  # type: ignore[union-attr]


def test_taking_the_only_landmark_back_leaves_an_untouched_face(window: MainWindow, truth: FloatArray) -> None:
    key(window, Key.Key_P)
    click(window, truth[0])
    key(window, Key.Key_Backspace)
    assert face(window).label is None
    assert face(window).state is State.UNLABELLED
    key(window, Key.Key_Backspace)  # nothing left; no harm
    assert window.workspace.canvas.selected == 0


def test_the_picture_makes_room_for_the_cursor(window: MainWindow) -> None:
    canvas = window.workspace.canvas
    key(window, Key.Key_P)
    picture, view = canvas.picture, canvas._extent()
    assert picture is not None
    for _ in range(2):
        before = picture.area(view)
        QTest.mouseMove(canvas.viewport(), before.center().toPoint())
        QApplication.processEvents()
        assert not picture.area(view).intersects(before)
    canvas.grab()


def test_a_crowded_place_does_not_catch_the_click_while_placing(window: MainWindow, truth: FloatArray) -> None:
    key(window, Key.Key_P)
    click(window, truth[0])
    click(window, truth[0])  # a double press: the next landmark lands there, the first stays
    label = face(window).label
    assert label is not None
    assert label.placed[:2].all()
    assert np.allclose(label.points[0], label.points[1])


def test_a_group_is_moved_and_put_back(window: MainWindow, truth: FloatArray) -> None:
    predict(window, truth)
    canvas = window.workspace.canvas
    canvas.select(37)
    key(window, Key.Key_G, CONTROL)
    assert canvas.group == frozenset(range(36, 42))
    key(window, Key.Key_Right, SHIFT)
    assert title(window) == "Move left eye"
    assert np.allclose(points(window)[36:42] - truth[36:42], [10, 0])
    label = face(window).label
    assert label is not None
    assert np.flatnonzero(label.placed).tolist() == list(range(36, 42))
    key(window, Key.Key_Backspace, SHIFT)
    assert title(window) == "Put left eye back to the prediction"
    assert np.allclose(points(window), truth)
    assert not face(window).label.placed.any()  # type: ignore[union-attr]
    key(window, Key.Key_A, CONTROL)
    assert len(canvas.group) == len(truth)


def test_groups_are_listed_beside_the_landmarks(window: MainWindow, truth: FloatArray) -> None:
    predict(window, truth)
    button, canvas = window.workspace.landmarks.groups, window.workspace.canvas
    entries = {entry.text().split("\t")[0]: entry for entry in button.menu().actions()}
    assert len(entries) == 9
    entries["Left eye"].trigger()
    assert canvas.group == frozenset(range(36, 42))
    assert canvas.hasFocus()
    button.chosen.emit("right_eye", True)
    assert canvas.group == frozenset(range(36, 48))


def test_a_curve_is_spaced_evenly_between_its_corners(window: MainWindow, truth: FloatArray) -> None:
    bent = truth.copy()
    bent[3] = bent[2] + 0.2 * (bent[4] - bent[2])
    predict(window, bent)
    window.workspace.canvas.select(3)
    key(window, Key.Key_E, SHIFT)
    assert title(window) == "Space contour evenly"
    after = points(window)
    gaps = np.hypot(*np.diff(after[:17], axis=0).T)
    before = np.hypot(*np.diff(bent[:17], axis=0).T)
    assert gaps.std() < 0.3 * before.std()
    assert (after[[0, 8, 16, 17]] == bent[[0, 8, 16, 17]]).all() or (after[[0, 16]] == bent[[0, 16]]).all()
    assert (after[17:] == bent[17:]).all()


def test_one_side_is_mirrored_but_for_what_was_placed(window: MainWindow, truth: FloatArray) -> None:
    session = window.session
    assert session is not None
    flip = np.array(session.scheme.flip)
    even = truth.copy()  # a face that is its own mirror image
    even[:, 0] = (truth[:, 0] + (200 - truth[flip, 0])) / 2
    even[:, 1] = (truth[:, 1] + truth[flip, 1]) / 2
    wrong = even.copy()
    wrong[45] += (3, -4)
    wrong[16] += (2, 5)
    predict(window, wrong)
    canvas = window.workspace.canvas
    canvas.select(16)
    key(window, Key.Key_Right)  # placed by hand
    placed = points(window)[16].copy()
    canvas.select(36)
    key(window, Key.Key_M, CONTROL | SHIFT)
    assert "1 placed by hand stay" in title(window)
    assert np.allclose(points(window)[45], even[45], atol=1.0)
    assert (points(window)[16] == placed).all()
    canvas.select_group(frozenset({0}))
    canvas.select_group(frozenset({0, 1}))
    key(window, Key.Key_M, CONTROL | SHIFT)  # now it is meant
    assert np.allclose(points(window)[16], even[16], atol=1.0)


def test_what_a_key_did_to_many_landmarks_is_said_where_the_last_remark_was(
    window: MainWindow, truth: FloatArray
) -> None:
    predict(window, truth)
    window.workspace.canvas.select(45)
    key(window, Key.Key_G, CONTROL)
    assert window.status.text() == "6 landmarks selected"
    key(window, Key.Key_M, CONTROL | SHIFT)
    assert window.status.text() == "Done: Mirror right eye to the other side"
    key(window, Key.Key_Backspace, SHIFT)
    assert window.status.text().startswith("Nothing to put back")  # it is the left eye that was moved
    window.workspace.canvas.select_group(frozenset(range(36, 42)))
    key(window, Key.Key_Backspace, SHIFT)
    assert window.status.text() == "Done: Put left eye back to the prediction"


def test_what_cannot_be_done_is_said_and_changes_nothing(window: MainWindow, truth: FloatArray) -> None:
    window.workspace.canvas.select(None)
    for which, modifiers in (
        (Key.Key_E, SHIFT),
        (Key.Key_M, CONTROL | SHIFT),
        (Key.Key_Backspace, NONE),
        (Key.Key_G, CONTROL),
    ):
        key(window, which, modifiers)
    predict(window, truth)
    window.workspace.canvas.select(30)  # the tip of the nose has no partner
    key(window, Key.Key_M, CONTROL | SHIFT)
    assert title(window) == ""
    assert face(window).label is None


def test_switches_and_factors_are_remembered(window: MainWindow, truth: FloatArray) -> None:
    predict(window, truth)
    key(window, Key.Key_M)
    key(window, Key.Key_J)
    key(window, Key.Key_M, SHIFT)
    key(window, Key.Key_Period)
    window.project.precision._remember()
    again = Settings()
    assert (again["loupe"], again["fall_off"], again["loupe_corner"]) == (False, True, "top left")
    assert again["loupe_factor"] == 5.0


def test_closing_in_mid_drag_keeps_what_was_dragged(window: MainWindow, truth: FloatArray) -> None:
    predict(window, truth)
    canvas, session = window.workspace.canvas, window.session
    assert session is not None
    canvas.select_group(frozenset(range(36, 42)))
    x, y = canvas._camera.to_screen(*truth[36:42].mean(axis=0))
    spot = QPoint(round(x), round(y))
    QTest.mousePress(canvas.viewport(), LEFT, NONE, spot)
    QTest.mouseMove(canvas.viewport(), spot + QPoint(15, 0))
    path = session.path
    window.close()
    with ProjectStore.open(path) as store:
        labels = [stored for stored in store.faces() if stored.label is not None]
    assert len(labels) == 1
    assert labels[0].label is not None
    assert labels[0].label.placed.sum() == 6
