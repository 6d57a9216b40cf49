"""Changing boxes on the canvas and picking other faces: real mouse events, every gesture said once or not at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from scaf_gui.core.face import Box, BoxSource, State
from scaf_gui.core.handles import handle_place
from scaf_gui.gui.canvas import Canvas
from scaf_gui.gui.canvas.neighbours import Neighbour, neighbour_at, neighbours
from scaf_gui.gui.canvas.placing import Picture
from tests.gui.canvas.stage import FACE, LEFT, NONE, POINTS, SCHEME, Mouse, face_with, make_prediction

BOX = Box(50.0, 20.0, 100.0, 90.0, BoxSource.DETECTOR)
BOXED = replace(FACE, box=BOX)


class Boxes:
    """What the canvas said of boxes."""

    def __init__(self, canvas: Canvas):
        self.canvas = canvas
        self.changed: list[tuple[float, ...]] = []
        self.faces: list[tuple[float, ...]] = []
        self.picked: list[int] = []
        self.moved: list[int] = []
        canvas.boxChanged.connect(lambda *box: self.changed.append(box))
        canvas.faceDrawn.connect(lambda *box: self.faces.append(box))
        canvas.facePicked.connect(self.picked.append)
        canvas.landmarkMoved.connect(lambda landmark, x, y: self.moved.append(landmark))


@pytest.fixture
def boxes(canvas: Canvas) -> Boxes:
    canvas.show_face(BOXED, make_prediction(POINTS), SCHEME)
    return Boxes(canvas)


def rectangle(canvas: Canvas) -> tuple[float, float, float, float]:
    assert canvas._shown is not None and canvas._shown.box is not None
    box = canvas._shown.box
    return box.x, box.y, box.width, box.height


def key(canvas: Canvas, code: Qt.Key) -> None:
    QTest.keyClick(canvas, code)


def pull(canvas: Canvas, mouse: Mouse, start: QPoint, step: QPoint) -> None:
    mouse.press(start)
    mouse.move(start + step / 2)
    mouse.move(start + step)
    mouse.release(start + step)


def test_a_selected_box_is_moved_by_its_inside(canvas: Canvas, mouse: Mouse, boxes: Boxes) -> None:
    canvas.select_box()
    assert canvas.box_selected and "Drag the box" in canvas._hint.text()
    start = mouse.at(*POINTS[1])  # upon a landmark: the box is meant all the same
    pull(canvas, mouse, start, QPoint(30, 15))
    ((x, y, width, height),) = boxes.changed
    zoom = canvas.zoom
    assert (x, y) == pytest.approx((50 + 30 / zoom, 20 + 15 / zoom), abs=1e-6)
    assert (width, height) == pytest.approx((100, 90))
    assert boxes.moved == [] and canvas.box_selected


def test_a_corner_is_pulled_and_previewed(canvas: Canvas, mouse: Mouse, boxes: Boxes) -> None:
    canvas.select_box()
    start = mouse.at(150, 110)
    mouse.press(start)
    mouse.move(start + QPoint(-40, -20))
    assert rectangle(canvas) == pytest.approx((50, 20, 100 - 40 / canvas.zoom, 90 - 20 / canvas.zoom))
    assert canvas.face is BOXED and boxes.changed == [], "the face itself is not touched"
    mouse.release(start + QPoint(-40, -20))
    assert len(boxes.changed) == 1 and boxes.changed[0][:2] == pytest.approx((50, 20))


def test_the_outline_is_taken_without_selecting_first(canvas: Canvas, mouse: Mouse, boxes: Boxes) -> None:
    pull(canvas, mouse, mouse.at(100, 20), QPoint(0, -12))
    ((x, y, width, height),) = boxes.changed
    assert (x, width) == pytest.approx((50, 100)) and y < 20 and y + height == pytest.approx(110)
    assert canvas.box_selected


def test_a_landmark_upon_the_outline_comes_first(canvas: Canvas, mouse: Mouse, boxes: Boxes) -> None:
    canvas.show_face(replace(BOXED, box=Box(*POINTS[0], 90, 90)), None, SCHEME)
    pull(canvas, mouse, mouse.at(*POINTS[0]), QPoint(20, 0))
    assert boxes.moved == [0] and boxes.changed == []


def test_the_inside_of_a_box_that_is_not_selected_is_photo(canvas: Canvas, mouse: Mouse, boxes: Boxes) -> None:
    before = canvas._camera
    pull(canvas, mouse, mouse.at(100, 45), QPoint(40, 20))
    assert boxes.changed == [] and canvas._camera != before


def test_a_press_without_a_move_changes_nothing(canvas: Canvas, mouse: Mouse, boxes: Boxes) -> None:
    QTest.mouseClick(canvas.viewport(), LEFT, NONE, mouse.at(100, 20))
    QTest.mouseDClick(canvas.viewport(), LEFT, NONE, mouse.at(100, 20))
    mouse.release(mouse.at(100, 20))
    assert boxes.changed == [] and canvas.box_selected and not canvas.is_busy


def test_a_click_beside_lets_the_box_alone_again(canvas: Canvas, mouse: Mouse, boxes: Boxes) -> None:
    canvas.select_box()
    QTest.mouseClick(canvas.viewport(), LEFT, NONE, mouse.at(195, 145))
    assert not canvas.box_selected and not canvas._hint.isVisible()
    pull(canvas, mouse, mouse.at(*POINTS[0]), QPoint(20, 0))
    assert boxes.moved == [0]


def test_escape_takes_a_pull_back_then_ends(canvas: Canvas, mouse: Mouse, boxes: Boxes) -> None:
    canvas.select_box()
    mouse.press(mouse.at(150, 110))
    mouse.move(mouse.at(180, 130))
    key(canvas, Qt.Key.Key_Escape)
    assert rectangle(canvas) == (50, 20, 100, 90) and canvas.box_selected
    mouse.release(mouse.at(180, 130))
    key(canvas, Qt.Key.Key_Escape)
    assert boxes.changed == [] and not canvas.box_selected


def test_losing_the_focus_ends_a_pull_where_it_is(canvas: Canvas, mouse: Mouse, boxes: Boxes) -> None:
    canvas.select_box()
    mouse.press(mouse.at(150, 110))
    mouse.move(mouse.at(180, 130))
    canvas.clearFocus()
    mouse.move(mouse.at(20, 20))
    mouse.release(mouse.at(20, 20))
    assert len(boxes.changed) == 1 and boxes.changed[0][2] > 120


def test_leaving_the_window_goes_on_and_hiding_ends(canvas: Canvas, mouse: Mouse, boxes: Boxes) -> None:
    canvas.select_box()
    mouse.press(mouse.at(150, 110))
    QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))
    mouse.move(QPoint(5000, 4000))
    x, y, width, height = rectangle(canvas)
    assert x + width / 2 <= 199.5 + 1e-6 and y + height / 2 <= 149.5 + 1e-6, "its centre stays upon the photo"
    canvas.hide()
    assert len(boxes.changed) == 1 and not canvas.is_busy


def test_a_second_press_whose_release_never_came(canvas: Canvas, mouse: Mouse, boxes: Boxes) -> None:
    canvas.select_box()
    mouse.press(mouse.at(150, 110))
    mouse.move(mouse.at(170, 120))
    mouse.press(mouse.at(170, 120))
    mouse.release(mouse.at(170, 120))
    assert len(boxes.changed) == 1


def test_what_comes_meanwhile_waits(canvas: Canvas, mouse: Mouse, boxes: Boxes) -> None:
    canvas.select_box()
    mouse.press(mouse.at(150, 110))
    mouse.move(mouse.at(170, 120))
    canvas.show_face(face_with(POINTS, face_id=8), None, SCHEME)
    other = Neighbour(3, 1, Box(0, 0, 9, 9), None, False, State.UNLABELLED, ())
    canvas.show_others((other,))
    canvas.select(2)
    assert canvas.face is BOXED and canvas._others == ()
    mouse.release(mouse.at(170, 120))
    assert len(boxes.changed) == 1
    assert canvas.face is not None and canvas.face.id == 8 and canvas._others == (other,)
    assert not canvas.box_selected, "the handles were the face's before"


def test_arrow_keys_and_tab(canvas: Canvas, boxes: Boxes) -> None:
    canvas.select_box()
    canvas.nudge(1, 0)
    assert boxes.changed == [(51, 20, 100, 90)]
    canvas.select_next()
    assert "top left corner" in canvas._hint.text()
    canvas.nudge(0, -10)
    assert boxes.changed[-1] == (51, 10, 100, 100)
    canvas.select_next(-2)
    assert "left side" in canvas._hint.text()
    canvas.select(1)
    assert not canvas.box_selected
    canvas.nudge(1, 0)
    assert boxes.moved == [1]


def test_without_a_box_there_is_nothing_to_select(canvas: Canvas, boxes: Boxes) -> None:
    canvas.show_face(FACE, None, SCHEME)
    canvas.select_box()
    assert not canvas.box_selected
    canvas.nudge(1, 0)
    assert boxes.changed == []


def test_one_more_face_is_drawn_upon_the_photo_only(canvas: Canvas, mouse: Mouse, boxes: Boxes) -> None:
    canvas.zoom_by(0.4)
    canvas.begin_box("face")
    pull(canvas, mouse, mouse.at(230, 10), QPoint(30, 30))
    assert boxes.faces == [] and "one more face" in canvas._hint.text(), "beside the photo: try again"
    pull(canvas, mouse, mouse.at(150, 90), QPoint(20, 25))
    assert len(boxes.faces) == 1 and not canvas._hint.isVisible()


def test_a_box_by_the_keyboard_alone(canvas: Canvas, boxes: Boxes) -> None:
    heard: list[tuple[float, ...]] = []
    canvas.boxDrawn.connect(lambda *box: heard.append(box))
    canvas.boxDrawn.connect(lambda *box: canvas.show_face(replace(FACE, box=Box(*box)), None, SCHEME))
    canvas.show_face(FACE, None, SCHEME)
    canvas.fit_image()
    canvas.begin_box()
    key(canvas, Qt.Key.Key_Return)
    ((x, y, width, height),) = heard
    assert (x + width / 2, y + height / 2) == pytest.approx((99.5, 74.5), abs=2) and width == height
    assert canvas.box_selected
    canvas.nudge(5, 0)
    assert boxes.changed[0][0] == pytest.approx(x + 5)


def test_other_faces_are_picked_by_a_click_and_not_by_a_pull(canvas: Canvas, mouse: Mouse, boxes: Boxes) -> None:
    others = (Neighbour(3, 1, Box(160, 60, 30, 40), POINTS / 8 + (165, 70), False, State.UNLABELLED, SCHEME.edges),)
    canvas.show_others(others)
    mouse.move(mouse.at(175, 80))
    assert canvas._neighbour_item._hovered == 3
    QApplication.processEvents()  # painted without a word
    pull(canvas, mouse, mouse.at(175, 80), QPoint(40, 0))
    assert boxes.picked == []
    QTest.mouseClick(canvas.viewport(), LEFT, NONE, mouse.at(175, 80))
    assert boxes.picked == [3] and boxes.moved == []


def test_which_neighbour_a_click_means() -> None:
    label = face_with(POINTS, face_id=1)
    near = replace(FACE, id=2, label=None, box=Box(0, 0, 20, 20))
    bare = replace(FACE, id=4, label=None, box=None)
    found = neighbours((label, near, FACE, bare), 7, {2: make_prediction(POINTS)}.get, SCHEME.edges)
    assert [(one.face_id, one.number, one.human) for one in found] == [(1, 1, True), (2, 2, False), (4, 4, False)]
    assert found[1].points is not None and found[2].bounds() is None
    assert found[0].bounds() == (30, 30, 130, 80), "around the label, where there is no box"
    assert neighbour_at(found, 10, 10) is found[1]
    assert neighbour_at(found, 10, 10, (5, 5, 8, 8)) is None, "the current face is smaller"
    assert neighbour_at(found, 500, 10) is None


def test_a_tiny_box_is_enlarged_before_it_is_changed(canvas: Canvas, mouse: Mouse, boxes: Boxes) -> None:
    canvas.zoom_by(0.4 / canvas.zoom)
    canvas.approach_box()
    canvas.select_box()
    _, _, width, height = rectangle(canvas)
    assert max(width, height) * canvas.zoom > 90 and canvas.box_selected
    near = canvas.zoom
    canvas.zoom_by(0.9)
    canvas.approach_box()
    assert canvas.zoom == pytest.approx(0.9 * near)  # large enough: the view stays
    canvas._move_by(-300, 0)  # a side is out of sight
    canvas.approach_box()
    for corner in ((50, 20), (150, 20), (150, 110), (50, 110)):
        assert canvas.viewport().rect().contains(mouse.at(*corner))


def test_the_cursor_of_a_handle_turns_with_the_view(canvas: Canvas, mouse: Mouse, boxes: Boxes) -> None:
    shape, side = Qt.CursorShape, (1, 0)
    canvas.select_box()
    for degrees, expected in ((0, shape.SizeHorCursor), (45, shape.SizeFDiagCursor), (90, shape.SizeVerCursor)):
        canvas.turn_to(np.radians(degrees))
        mouse.move(mouse.at(*handle_place(rectangle(canvas), side)))
        assert canvas.viewport().cursor().shape() == expected


def test_while_placing_the_cursor_promises_nothing_else(canvas: Canvas, mouse: Mouse, boxes: Boxes) -> None:
    at = mouse.at(50, 70)  # upon the outline of the box
    mouse.move(at)
    assert canvas.viewport().cursor().shape() == Qt.CursorShape.SizeHorCursor
    mouse.move(mouse.at(10, 10))
    canvas.show_picture(Picture(SCHEME, None))
    mouse.move(at)
    assert canvas.viewport().cursor().shape() == Qt.CursorShape.CrossCursor
