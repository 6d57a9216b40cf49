"""Gestures with real mouse and key events: what the canvas announces, and what it never does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from scaf_gui.core.face import Face, State
from scaf_gui.gui.canvas import Canvas
from tests.gui.canvas.stage import (
    FACE,
    LEFT,
    NONE,
    POINTS,
    SCHEME,
    Heard,
    Mouse,
    face_with,
    make_label,
    make_prediction,
    noise,
)


def escape(canvas: Canvas) -> None:
    QTest.keyClick(canvas, Qt.Key.Key_Escape)


# -- dragging


@pytest.mark.parametrize("zoom", [0.5, 1.0, 3.07, 8.0, 33.3])
@pytest.mark.parametrize("landmark", [0, 1])
def test_a_drag_ends_where_the_mouse_says(
    canvas: Canvas, mouse: Mouse, heard: Heard, zoom: float, landmark: int
) -> None:
    canvas.zoom_by(zoom / canvas.zoom, QPointF(*canvas._camera.to_screen(*POINTS[landmark])))
    start = mouse.at(*POINTS[landmark]) + QPoint(2, -1)  # not in its middle
    mouse.press(start)
    for step in (QPoint(5, 0), QPoint(30, 14), QPoint(61, -23)):
        mouse.move(start + step)
    assert heard.moved == []
    mouse.release(start + QPoint(61, -23))
    (moved,) = heard.moved
    assert moved[0] == landmark
    assert moved[1:] == pytest.approx((POINTS[landmark][0] + 61 / zoom, POINTS[landmark][1] - 23 / zoom), abs=0.01)
    assert heard.selected == [landmark]


def test_the_preview_follows_and_the_face_is_not_touched(canvas: Canvas, mouse: Mouse) -> None:
    start = mouse.at(*POINTS[2])
    mouse.press(start)
    mouse.move(start + QPoint(20, 10))
    expected = (POINTS[2][0] + 20 / canvas.zoom, POINTS[2][1] + 10 / canvas.zoom)
    assert canvas.position(2) == pytest.approx(expected)
    assert canvas.face is FACE and np.array_equal(FACE.label.points, POINTS)
    mouse.release(start + QPoint(20, 10))


def test_a_click_selects_and_moves_nothing(canvas: Canvas, mouse: Mouse, heard: Heard) -> None:
    spot = mouse.at(*POINTS[3]) + QPoint(4, 4)
    mouse.press(spot)
    mouse.move(spot + QPoint(1, 0))  # a trembling hand
    mouse.release(spot + QPoint(1, 0))
    assert heard.moved == [] and heard.selected == [3]
    assert canvas.position(3) == tuple(POINTS[3])


def test_a_click_on_nothing_selects_none(canvas: Canvas, mouse: Mouse, heard: Heard) -> None:
    canvas.select(1)
    QTest.mouseClick(canvas.viewport(), LEFT, NONE, mouse.at(190, 140))
    assert heard.selected == [1, None] and heard.moved == []


def test_there_and_back_is_no_move(canvas: Canvas, mouse: Mouse, heard: Heard) -> None:
    start = mouse.at(*POINTS[0])
    mouse.press(start)
    mouse.move(start + QPoint(40, 40))
    mouse.move(start)
    mouse.release(start)
    assert heard.moved == []


def test_a_jump_without_moves_in_between(canvas: Canvas, mouse: Mouse, heard: Heard) -> None:
    # some systems deliver press and release only; the release has a place too
    start = mouse.at(*POINTS[0])
    mouse.press(start)
    mouse.release(start + QPoint(30, 20))
    (moved,) = heard.moved
    assert moved[1:] == pytest.approx((POINTS[0][0] + 30 / canvas.zoom, POINTS[0][1] + 20 / canvas.zoom), abs=0.01)


@pytest.mark.parametrize("spot", [QPoint(-300, -200), QPoint(2000, 900), QPoint(3, 3)])
def test_a_drag_may_leave_image_and_window(canvas: Canvas, mouse: Mouse, heard: Heard, spot: QPoint) -> None:
    start = mouse.at(*POINTS[0])
    mouse.press(start)
    mouse.move(spot)
    mouse.release(spot)
    way = QPointF(spot - start) / canvas.zoom
    assert heard.moved[0][1:] == pytest.approx((POINTS[0][0] + way.x(), POINTS[0][1] + way.y()), abs=0.01)


def test_escape_takes_the_drag_back(canvas: Canvas, mouse: Mouse, heard: Heard) -> None:
    start = mouse.at(*POINTS[0])
    mouse.press(start)
    mouse.move(start + QPoint(50, 50))
    escape(canvas)
    assert canvas.position(0) == tuple(POINTS[0])
    mouse.move(start + QPoint(70, 50))
    mouse.release(start + QPoint(70, 50))
    assert heard.moved == [] and canvas.position(0) == tuple(POINTS[0])
    assert canvas.viewport().cursor().shape() != Qt.CursorShape.BlankCursor


def test_losing_the_focus_loses_nothing(canvas: Canvas, mouse: Mouse, heard: Heard) -> None:
    start = mouse.at(*POINTS[0])
    mouse.press(start)
    mouse.move(start + QPoint(50, 20))
    canvas.clearFocus()
    assert len(heard.moved) == 1
    assert heard.moved[0][1] == pytest.approx(POINTS[0][0] + 50 / canvas.zoom, abs=0.01)
    mouse.move(start + QPoint(90, 20))
    mouse.release(start + QPoint(90, 20))
    assert len(heard.moved) == 1


def test_hiding_the_canvas_loses_nothing(canvas: Canvas, mouse: Mouse, heard: Heard) -> None:
    start = mouse.at(*POINTS[0])
    mouse.press(start)
    mouse.move(start + QPoint(50, 20))
    canvas.hide()
    assert len(heard.moved) == 1


def test_a_press_whose_release_never_came(canvas: Canvas, mouse: Mouse, heard: Heard) -> None:
    start = mouse.at(*POINTS[0])
    mouse.press(start)
    mouse.move(start + QPoint(30, 0))
    other = mouse.at(*POINTS[3])
    mouse.press(other)
    assert len(heard.moved) == 1 and heard.moved[0][0] == 0
    mouse.move(other + QPoint(0, 30))
    mouse.release(other + QPoint(0, 30))
    assert [landmark for landmark, _, _ in heard.moved] == [0, 3]


def test_a_double_click_is_two_presses(canvas: Canvas, mouse: Mouse, heard: Heard) -> None:
    spot = mouse.at(*POINTS[1])
    QTest.mouseDClick(canvas.viewport(), LEFT, NONE, spot)
    assert heard.moved == [] and canvas.selected == 1
    mouse.move(spot + QPoint(40, 0))
    mouse.release(spot + QPoint(40, 0))
    assert len(heard.moved) <= 1


def test_other_buttons_do_not_disturb_a_drag(canvas: Canvas, mouse: Mouse, heard: Heard) -> None:
    start = mouse.at(*POINTS[0])
    mouse.press(start)
    mouse.move(start + QPoint(20, 0))
    mouse.press(start + QPoint(20, 0), Qt.MouseButton.RightButton)
    mouse.release(start + QPoint(20, 0), Qt.MouseButton.RightButton)
    mouse.move(start + QPoint(30, 0))
    mouse.release(start + QPoint(30, 0))
    (moved,) = heard.moved
    assert moved[1] == pytest.approx(POINTS[0][0] + 30 / canvas.zoom, abs=0.01)


def test_zooming_while_a_landmark_is_held(canvas: Canvas, mouse: Mouse, heard: Heard) -> None:
    start = mouse.at(*POINTS[1])
    mouse.press(start)
    mouse.move(start + QPoint(10, 0))
    place = canvas.position(1)
    canvas.zoom_by(2, QPointF(start + QPoint(10, 0)))
    assert canvas.position(1) == place
    mouse.release(start + QPoint(10, 0))
    assert heard.moved[0][1:] == pytest.approx(place, abs=0.6 / canvas.zoom)


def test_no_shortcut_fires_while_a_landmark_is_held(canvas: Canvas, mouse: Mouse, qtbot: QtBot) -> None:
    fired: list[str] = []
    for key in ("Return", "Space", "S", "Ctrl+Z", "Tab"):
        action = QAction(canvas)
        action.setShortcut(QKeySequence(key))
        action.triggered.connect(lambda _=False, key=key: fired.append(key))
        canvas.addAction(action)
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    assert fired == ["Return"]
    start = mouse.at(*POINTS[0])
    mouse.press(start)
    mouse.move(start + QPoint(20, 0))
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Space, Qt.Key.Key_S, Qt.Key.Key_Tab):
        QTest.keyClick(canvas, key)
    QTest.keyClick(canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert fired == ["Return"] and canvas.is_busy and canvas.hasFocus()
    mouse.release(start + QPoint(20, 0))
    QTest.keyClick(canvas, Qt.Key.Key_S)
    assert fired == ["Return", "S"]


# -- what comes while something is held


def test_a_prediction_that_arrives_during_a_drag_waits(canvas: Canvas, mouse: Mouse, heard: Heard) -> None:
    face, late = Face(7, "photo.png"), make_prediction(POINTS + 20)
    canvas.show_face(face, make_prediction(POINTS), SCHEME)
    start = mouse.at(*POINTS[0])
    mouse.press(start)
    mouse.move(start + QPoint(30, 0))
    canvas.show_face(face, late, SCHEME)
    assert canvas.position(3) == tuple(POINTS[3])
    mouse.release(start + QPoint(30, 0))
    assert len(heard.moved) == 1
    assert canvas.position(3) == tuple(POINTS[3] + 20)


def test_the_answer_to_a_drag_is_newer_than_what_waited(canvas: Canvas, mouse: Mouse) -> None:
    def answer(landmark: int, x: float, y: float) -> None:
        canvas.show_face(replace(FACE, label=FACE.label.with_point(landmark, x, y)), None, SCHEME)

    canvas.landmarkMoved.connect(answer)
    start = mouse.at(*POINTS[0])
    mouse.press(start)
    mouse.move(start + QPoint(30, 0))
    canvas.show_face(FACE, make_prediction(POINTS + 20), SCHEME)  # does not know of the drag
    mouse.release(start + QPoint(30, 0))
    assert canvas.position(0) == pytest.approx((POINTS[0][0] + 30 / canvas.zoom, POINTS[0][1]), abs=0.01)


def test_the_next_face_waits_and_the_drag_belongs_to_the_one_before(canvas: Canvas, mouse: Mouse) -> None:
    other, owners = face_with(POINTS + 5, face_id=8), []

    def answer(landmark: int, x: float, y: float) -> None:
        owners.append(canvas.face.id)
        canvas.show_face(replace(FACE, label=FACE.label.with_point(landmark, x, y)), None, SCHEME)

    canvas.landmarkMoved.connect(answer)
    start = mouse.at(*POINTS[0])
    mouse.press(start)
    mouse.move(start + QPoint(30, 0))
    canvas.show_image(noise(80, 60))
    canvas.show_face(other, None, SCHEME)
    assert canvas._image.size == (200, 150)
    mouse.release(start + QPoint(30, 0))
    assert owners == [7]
    assert canvas.face is other and canvas._image.size == (80, 60)
    assert canvas.position(0) == tuple(POINTS[0] + 5)


def test_what_waited_is_shown_after_a_cancelled_drag(canvas: Canvas, mouse: Mouse) -> None:
    start = mouse.at(*POINTS[0])
    mouse.press(start)
    mouse.move(start + QPoint(30, 0))
    canvas.show_face(face_with(POINTS + 1), None, SCHEME)
    escape(canvas)
    assert canvas.position(0) == tuple(POINTS[0] + 1)


# -- selection, keys


def test_selecting_brings_a_landmark_into_sight(canvas: Canvas, heard: Heard) -> None:
    canvas.zoom_by(20, QPointF(320, 240))
    canvas.select(4)
    assert heard.selected == [4]
    assert canvas._scene_area().contains(*POINTS[4])
    canvas.select(4)
    canvas.select(99)
    assert heard.selected == [4, None]


def test_landmarks_one_after_the_other(canvas: Canvas) -> None:
    seen = []
    for step in (1, 1, -1, -1, -1, 1):
        canvas.select_next(step)
        seen.append(canvas.selected)
    assert seen == [0, 1, 0, 4, 3, 4]


def test_another_face_starts_without_a_selection(canvas: Canvas, heard: Heard) -> None:
    canvas.select(2)
    canvas.show_face(replace(FACE, state=State.LABELLED), None, SCHEME)
    assert canvas.selected == 2
    canvas.show_face(face_with(POINTS, face_id=8), None, SCHEME)
    assert canvas.selected is None and heard.selected == [2, None]


def test_nudging(canvas: Canvas, heard: Heard, mouse: Mouse) -> None:
    canvas.nudge(1, 0)
    assert heard.moved == []  # nothing is selected
    canvas.select(1)
    for _ in range(3):  # a key that repeats
        canvas.nudge(0.1, -10)
    assert heard.moved == [
        (1, pytest.approx(80.5 + 0.1 * (i + 1)), pytest.approx(60.25 - 10 * (i + 1))) for i in range(3)
    ]
    start = mouse.at(*canvas.position(1))
    mouse.press(start)
    canvas.nudge(1, 1)
    assert len(heard.moved) == 3
    mouse.release(start)


def test_the_selected_one_of_a_heap_is_taken(canvas: Canvas, mouse: Mouse, heard: Heard) -> None:
    points = POINTS.copy()
    points[3] = points[1]
    canvas.show_face(face_with(points), None, SCHEME)
    canvas.select(3)
    start = mouse.at(*points[1])
    mouse.press(start)
    mouse.release(start + QPoint(20, 0))
    assert heard.moved[0][0] == 3


def test_a_selected_landmark_without_a_place_is_put_by_a_click(canvas: Canvas, mouse: Mouse, heard: Heard) -> None:
    points = POINTS.copy()
    points[2] = np.nan
    canvas.show_face(face_with(points), None, SCHEME)
    canvas.select(2)
    QTest.mouseClick(canvas.viewport(), LEFT, NONE, mouse.at(150, 120))
    (moved,) = heard.moved
    assert moved[0] == 2 and moved[1:] == pytest.approx((150, 120), abs=0.6 / canvas.zoom)


def test_hovering_and_the_cursors_place(canvas: Canvas, mouse: Mouse) -> None:
    places: list[tuple[float, float]] = []
    canvas.cursorMoved.connect(lambda x, y: places.append((x, y)))
    mouse.move(mouse.at(*POINTS[1]))
    assert canvas._hovered == 1
    assert places[-1] == pytest.approx(tuple(POINTS[1]), abs=0.6 / canvas.zoom)
    QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))
    assert canvas._hovered is None


# -- boxes


def test_drawing_a_box(canvas: Canvas, mouse: Mouse, heard: Heard) -> None:
    canvas.begin_box()
    first, last = mouse.at(150, 120), mouse.at(60, 20)  # from bottom right to top left, over a landmark
    mouse.press(first)
    mouse.move(mouse.at(100, 100))
    assert canvas._rubber.isVisible()
    mouse.move(last)
    mouse.release(last)
    ((x, y, width, height),) = heard.boxes
    assert (x, y) == pytest.approx(canvas._scene_point(QPointF(last)), abs=0.01)
    assert (x + width, y + height) == pytest.approx(canvas._scene_point(QPointF(first)), abs=0.01)
    assert heard.moved == [] and not canvas._rubber.isVisible()
    start = mouse.at(*POINTS[0])  # the next drag is an ordinary one
    mouse.press(start)
    mouse.release(start + QPoint(20, 0))
    assert len(heard.moved) == 1 and len(heard.boxes) == 1


@pytest.mark.parametrize("pressed", [False, True])
def test_escape_leaves_box_drawing(canvas: Canvas, mouse: Mouse, heard: Heard, pressed: bool) -> None:
    canvas.begin_box()
    assert canvas._hint.isVisible()
    if pressed:
        mouse.press(mouse.at(10, 10))
        mouse.move(mouse.at(90, 90))
    escape(canvas)
    assert not canvas._hint.isVisible() and not canvas._rubber.isVisible()
    mouse.release(mouse.at(95, 95))
    assert heard.boxes == []


def test_box_drawing_gives_the_hint_back(canvas: Canvas) -> None:
    canvas.set_hint("2 landmarks are missing")
    canvas.begin_box()
    canvas.set_hint("1 landmark is missing")
    assert canvas._hint.text().startswith("Drag a rectangle")
    escape(canvas)
    assert canvas._hint.text() == "1 landmark is missing"


def test_nothing_is_said_twice(canvas: Canvas) -> None:
    canvas.set_hint("a.jpg: is truncated")
    canvas.set_message("a.jpg: is truncated\n\nPress S to skip this face.")
    assert canvas._message.isVisible() and not canvas._hint.isVisible()
    canvas.set_hint("2 landmarks are missing")
    assert canvas._hint.isVisible()
    canvas.set_message(None)
    assert canvas._hint.isVisible() and not canvas._message.isVisible()


def test_box_drawing_ends_with_its_face(canvas: Canvas, mouse: Mouse, heard: Heard) -> None:
    canvas.begin_box()
    canvas.show_face(FACE, make_prediction(POINTS), SCHEME)  # the same face: it goes on
    assert canvas._hint.isVisible()
    canvas.show_face(face_with(POINTS, face_id=8), None, SCHEME)
    assert not canvas._hint.isVisible()
    start = mouse.at(*POINTS[0])
    mouse.press(start)
    mouse.release(start + QPoint(20, 0))
    assert heard.boxes == [] and len(heard.moved) == 1


def test_a_click_is_no_box(canvas: Canvas, mouse: Mouse, heard: Heard) -> None:
    canvas.begin_box()
    QTest.mouseClick(canvas.viewport(), LEFT, NONE, mouse.at(100, 100))
    assert heard.boxes == []


def test_a_box_is_not_lost_with_the_focus(canvas: Canvas, mouse: Mouse, heard: Heard) -> None:
    canvas.begin_box()
    mouse.press(mouse.at(10, 10))
    mouse.move(mouse.at(90, 70))
    canvas.clearFocus()
    assert len(heard.boxes) == 1


# -- fitting faces


def test_fit_to_face_waits_for_the_face(canvas: Canvas) -> None:
    face = Face(9, "b.png")
    canvas.show_face(face, None, SCHEME)
    canvas.fit_face()  # nothing is known of it yet: the whole image
    whole = canvas.zoom
    canvas.show_face(face, make_prediction(POINTS / 4 + 50), SCHEME)
    fitted = canvas.zoom
    assert fitted > whole
    canvas.show_face(face, make_prediction(POINTS / 8 + 50), SCHEME)
    assert canvas.zoom == fitted  # a newer prediction does not shake the view


def test_a_canvas_may_be_filled_before_it_is_shown(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    layout, canvas = QVBoxLayout(window), Canvas()
    layout.addWidget(QLineEdit())
    layout.addWidget(canvas)
    canvas.show_image(noise(200, 150))
    canvas.show_face(replace(FACE, label=make_label(POINTS)), None, SCHEME)
    canvas.fit_face()
    window.resize(900, 700)
    window.show()
    qtbot.waitExposed(window)
    width, height = canvas.viewport().width(), canvas.viewport().height()
    middle = (POINTS.min(axis=0) + POINTS.max(axis=0)) / 2
    assert canvas._camera.to_screen(*middle) == pytest.approx((width / 2, height / 2), abs=1)
