"""From one doubtful landmark to the next by one key, in the real window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

import scaf_gui.learning  # noqa: F401  loaded here, or the window's thread would be at it when a test ends
from scaf_gui.core.face import Prediction, State
from scaf_gui.gui.window import MainWindow
from scaf_gui.session.truth import read_truth

pytestmark = pytest.mark.usefixtures("dressed", "no_leaks")

#: expected errors of the doubtful landmarks, %; all others 1 %
DOUBT = {30: 9.0, 8: 5.0, 45: 4.0}


@pytest.fixture
def window(face_window: MainWindow, truth_folder: Path) -> MainWindow:
    """A face is open, predicted, three of its landmarks doubtful."""
    session, canvas = face_window.session, face_window.workspace.canvas
    assert session is not None and canvas.face is not None
    expected = np.array([DOUBT.get(i, 1.0) for i in range(68)])
    session.expected.across = lambda given: None if given is None else expected  # type: ignore[method-assign]
    truth = read_truth(truth_folder, session.scheme, (canvas.face.image,))[canvas.face.image][0].points
    session.document.set_predictions({canvas.face.id: Prediction(truth, np.ones(68), "m")})
    canvas.select(None)
    canvas.fit_face()
    return face_window


def press(window: MainWindow, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    window.workspace.canvas.setFocus()
    QTest.keyClick(window.workspace.canvas, key, modifier)


def bar(window: MainWindow) -> str:
    button = window.workspace.face_bar.doubt
    return button.text() if button.isVisible() else ""


def test_the_worst_first_then_return_is_offered_and_nothing_is_accepted_by_itself(window: MainWindow) -> None:
    canvas, session = window.workspace.canvas, window.session
    assert session is not None
    face_id = session.current
    assert bar(window) == "3 worth a look · Q"
    visited = []
    for left in ("2 more worth a look · Q", "1 more worth a look · Q", "None left · Return accepts"):
        press(window, Qt.Key.Key_Q)
        visited.append(canvas.selected)
        assert bar(window) == left
    assert visited == [30, 8, 45]
    press(window, Qt.Key.Key_Q)
    assert canvas.selected is None
    assert bar(window) == "All looked at · Return accepts"
    assert "Return accepts" in window.status.text()
    assert session.current == face_id
    assert session.document.face(face_id).state is State.UNLABELLED  # type: ignore[arg-type]
    assert session.document.history.to_undo is None
    press(window, Qt.Key.Key_Q)
    assert canvas.selected == 30
    press(window, Qt.Key.Key_Return)
    assert session.document.face(face_id).state is State.LABELLED  # type: ignore[arg-type]
    press(window, Qt.Key.Key_PageUp)
    assert session.current == face_id
    assert bar(window) == ""
    press(window, Qt.Key.Key_Q)
    assert canvas.selected is None
    assert "This face is accepted" in window.status.text()


def test_back_and_forth(window: MainWindow) -> None:
    canvas, shift = window.workspace.canvas, Qt.KeyboardModifier.ShiftModifier
    press(window, Qt.Key.Key_Q, shift)
    assert canvas.selected is None
    press(window, Qt.Key.Key_Q)
    press(window, Qt.Key.Key_Q)
    press(window, Qt.Key.Key_Q, shift)
    assert canvas.selected == 30
    press(window, Qt.Key.Key_Q)
    assert canvas.selected == 8


def test_what_was_looked_at_or_dragged_is_left_out(window: MainWindow) -> None:
    canvas = window.workspace.canvas
    canvas.select(30)
    assert bar(window) == "2 more worth a look · Q"
    assert window.session is not None
    window.project.editor.move(8, 50.0, 60.0)
    assert bar(window) == "1 more worth a look · Q"
    press(window, Qt.Key.Key_Q)
    assert canvas.selected == 45
    window.project.undo()  # it is doubtful again, and nobody has looked at it
    assert bar(window) == "1 more worth a look · Q"
    press(window, Qt.Key.Key_Q)
    assert canvas.selected == 8


def test_it_enlarges_where_that_is_wished_and_shows_the_face_again_after_the_last(window: MainWindow) -> None:
    canvas = window.workspace.canvas
    plain = canvas.zoom
    press(window, Qt.Key.Key_Q)
    assert canvas.zoom == plain
    window.actions_by_id["walk_zoom"].trigger()
    press(window, Qt.Key.Key_Q)
    assert canvas.zoom > 1.5 * plain
    for _ in range(2):
        press(window, Qt.Key.Key_Q)
    assert canvas.zoom == pytest.approx(plain)


def test_a_face_of_which_nothing_is_doubtful_says_so_only_when_asked(window: MainWindow) -> None:
    session = window.session
    assert session is not None and session.current is not None
    session.expected.across = lambda given: None if given is None else np.ones(68)  # type: ignore[method-assign]
    window.project.navigator.show_again()
    assert bar(window) == ""
    window.workspace.canvas.select(5)
    assert bar(window) == ""
    press(window, Qt.Key.Key_Q)
    assert "No landmark of this face is worth a look" in window.status.text()


def test_a_click_on_the_bar_goes_on_too_and_leaves_the_keys_to_the_canvas(window: MainWindow) -> None:
    QTest.mouseClick(window.workspace.face_bar.doubt, Qt.MouseButton.LeftButton)
    assert window.workspace.canvas.selected == 30
    assert window.workspace.canvas.hasFocus()


def test_another_model_is_doubted_anew_and_another_face_has_its_own_walk(window: MainWindow) -> None:
    session = window.session
    assert session is not None and session.current is not None
    face_id, first = session.current, session.document.prediction(session.current)
    assert first is not None
    press(window, Qt.Key.Key_Q)
    press(window, Qt.Key.Key_PageDown)
    assert bar(window) == ""
    press(window, Qt.Key.Key_Q)
    assert "Nothing is predicted" in window.status.text()
    press(window, Qt.Key.Key_PageUp)
    assert bar(window) == "2 more worth a look · Q"
    session.document.set_predictions({face_id: Prediction(first.points, np.ones(68), "newer")})
    assert bar(window) == "3 worth a look · Q"


def test_no_key_moves_on_while_something_is_held(window: MainWindow) -> None:
    canvas = window.workspace.canvas
    x, y = canvas._camera.to_screen(*canvas._shown.points[36])  # type: ignore[union-attr]
    spot = QPoint(round(x), round(y))
    QTest.mousePress(canvas.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot)
    QTest.mouseMove(canvas.viewport(), spot + QPoint(9, 9))
    press(window, Qt.Key.Key_Q)
    window.project.insight.doubts.forward()
    assert canvas.selected == 36
    canvas.cancel_gesture()


def test_rings_of_what_was_looked_at_are_faint(window: MainWindow) -> None:
    canvas = window.workspace.canvas
    press(window, Qt.Key.Key_Q)
    canvas.select(None)
    seen = canvas.grab().toImage()
    canvas.show_looked(frozenset())
    x, y = (round(v) for v in canvas._camera.to_screen(*canvas._shown.points[30]))  # type: ignore[union-attr]
    around = [(x + i, y + j) for i in range(-9, 10) for j in range(-9, 10)]
    again = canvas.grab().toImage()
    assert sum(seen.pixel(*at) != again.pixel(*at) for at in around) > 10


def test_a_new_calibration_is_seen_at_once_and_not_while_a_face_is_being_left(window: MainWindow) -> None:
    session, canvas = window.session, window.workspace.canvas
    assert session is not None and session.expected.on_change is not None
    assert bar(window) == "3 worth a look · Q"
    one = np.where(np.arange(68) == 30, 9.0, 1.0)
    session.expected.across = lambda given: None if given is None else one  # type: ignore[method-assign]
    with window.project.navigator.leaving():
        session.expected.on_change()
        assert bar(window) == "3 worth a look · Q"
    session.expected.on_change()
    assert bar(window) == "1 worth a look · Q"
    press(window, Qt.Key.Key_Q)
    session.expected.on_change()
    assert canvas.selected == 30 and bar(window) == "None left · Return accepts", "the walk goes on"
