"""The tools of the canvas by mouse and wheel: loupe, selections, drags along a curve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QFocusEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from scaf_gui.core.face import State
from scaf_gui.core.scheme import Group, Scheme
from scaf_gui.gui.canvas import Canvas, selection, style
from scaf_gui.gui.canvas.gestures import Moved, Transform
from scaf_gui.gui.canvas.loupe import CLEAR, RADIUS, beside
from tests.gui.canvas.stage import FACE, Mouse, make_label, make_prediction, noise, pixels

#: a closed eye of six, a curve of three, and one point alone
EYE = [[60.0, 50.0], [70.0, 44.0], [80.0, 44.0], [90.0, 50.0], [80.0, 56.0], [70.0, 56.0]]
BROW = [[55.0, 30.0], [75.0, 22.0], [95.0, 30.0]]
POINTS = np.array([*EYE, *BROW, [140.0, 100.0]])
GROUPS = (Group("eye", tuple(range(6)), closed=True), Group("brow", (6, 7, 8)), Group("tip", (9,), curve=False))
SCHEME = Scheme(
    "parts",
    "Parts",
    tuple(f"p_{i}" for i in range(10)),
    GROUPS,
    frozenset({0, 3}),
    tuple(segment for group in GROUPS for segment in group.segments()),
    tuple(range(10)),
    None,
    {},
)
SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def face_canvas(canvas: Canvas) -> Canvas:
    """The parts as a prediction nobody has touched."""
    canvas.show_face(replace(FACE, id=8, label=None, state=State.UNLABELLED), make_prediction(POINTS), SCHEME)
    canvas.shaping.enabled = False
    return canvas


@pytest.fixture
def told(face_canvas: Canvas) -> list[Moved]:
    made: list[Moved] = []
    face_canvas.pointsMoved.connect(made.append)
    return made


def press(canvas: Canvas, spot: QPoint, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.mousePress(canvas.viewport(), LEFT, modifiers, spot)


def release(canvas: Canvas, spot: QPoint, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.mouseRelease(canvas.viewport(), LEFT, modifiers, spot)


def wheel(canvas: Canvas, spot: QPoint, notches: int) -> None:
    at = QPointF(spot)
    event = QWheelEvent(
        at,
        QPointF(canvas.viewport().mapToGlobal(spot)),
        QPoint(),
        QPoint(0, 120 * notches),
        LEFT,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas.viewport(), event)


def test_the_loupe_follows_the_drag_and_covers_nothing_near(face_canvas: Canvas) -> None:
    canvas, mouse = face_canvas, Mouse(face_canvas)
    canvas.resize(900, 700)
    canvas.fit_image()
    loupe = canvas.loupe
    assert loupe is not None
    start = mouse.at(*POINTS[9])
    press(canvas, start)
    assert loupe.middle is None  # a press alone shows nothing
    for step in range(3, 200, 7):
        spot = start + QPoint(-step, -step // 2)
        mouse.move(spot)
        assert loupe.middle is not None
        assert np.allclose(loupe.place, canvas.position(9))
        assert np.hypot(loupe.middle[0] - spot.x(), loupe.middle[1] - spot.y()) >= RADIUS + CLEAR - 2
        assert canvas.viewport().rect().contains(loupe.area().toRect().adjusted(4, 4, -4, -4))
    release(canvas, spot)
    assert loupe.middle is None


def test_the_loupe_shows_the_pixels_below_the_cross_hair(face_canvas: Canvas) -> None:
    canvas, mouse = face_canvas, Mouse(face_canvas)
    canvas.resize(900, 700)
    image = np.zeros((150, 200, 3), dtype=np.uint8)
    image[90:111, 130:151] = (200, 40, 40)
    canvas.show_image(image)
    canvas.skeleton = False
    canvas.fit_image()
    assert canvas.loupe is not None
    canvas.loupe.factor = 2.0
    press(canvas, mouse.at(*POINTS[9]))
    mouse.move(mouse.at(*POINTS[9]) + QPoint(4, 0))
    seen = canvas.grab().toImage()
    x, y = canvas.loupe.middle or (0, 0)
    assert seen.pixelColor(int(x) + 9, int(y) + 9).red() == 200
    reach = 13 * canvas.zoom * 2  # beyond the red square
    assert seen.pixelColor(int(x + min(reach, 60)), int(y + min(reach, 60))).red() in (0, 200)
    canvas.use_loupe(False)
    assert canvas.loupe.middle is None
    release(canvas, mouse.at(*POINTS[9]))


def test_the_wheel_turns_the_loupe_while_dragging_and_zooms_otherwise(face_canvas: Canvas) -> None:
    canvas, mouse = face_canvas, Mouse(face_canvas)
    canvas.resize(900, 700)
    canvas.fit_image()
    assert canvas.loupe is not None
    turned: list[float] = []
    canvas.loupeTurned.connect(turned.append)
    zoom, spot = canvas.zoom, mouse.at(*POINTS[9])
    press(canvas, spot)
    mouse.move(spot + QPoint(5, 5))
    wheel(canvas, spot, 2)
    assert canvas.zoom == zoom
    assert turned == [canvas.loupe.factor]
    assert canvas.loupe.factor > 4.0
    wheel(canvas, spot, -100)
    assert canvas.loupe.factor == 1.5
    release(canvas, spot)
    wheel(canvas, spot, 1)
    assert canvas.zoom > zoom


def test_a_pinned_loupe_stays_while_a_landmark_is_selected_and_dodges(face_canvas: Canvas) -> None:
    canvas = face_canvas
    canvas.resize(900, 700)
    canvas.fit_image()
    assert canvas.loupe is not None
    canvas.pin_loupe("top left")
    assert canvas.loupe.middle is None
    canvas.select(9)
    middle = canvas.loupe.middle
    assert middle is not None
    assert middle[0] < 200
    assert middle[1] < 200
    # the landmark goes where the loupe is
    x, y = canvas._camera.to_scene(*middle)
    canvas.nudge(x - POINTS[9][0], y - POINTS[9][1])
    assert canvas.loupe.middle != middle


def test_rubber_band_with_shift_selects_and_adds(face_canvas: Canvas, told: list[Moved]) -> None:
    canvas, mouse = face_canvas, Mouse(face_canvas)
    heard: list[frozenset[int]] = []
    canvas.groupSelected.connect(heard.append)
    press(canvas, mouse.at(50, 35), SHIFT)
    mouse.move(mouse.at(75, 70))
    release(canvas, mouse.at(75, 70), SHIFT)
    assert canvas.group == {0, 1, 5}
    press(canvas, mouse.at(120, 80), SHIFT)
    mouse.move(mouse.at(160, 120))
    release(canvas, mouse.at(160, 120), SHIFT)
    assert canvas.group == {0, 1, 5, 9}
    assert heard[-1] == canvas.group
    QTest.mouseClick(canvas.viewport(), LEFT, SHIFT, mouse.at(*POINTS[1]))
    assert canvas.group == {0, 5, 9}
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert canvas.group == frozenset()
    assert not told


def test_a_rubber_band_leaves_the_one_landmark_behind_that_was_selected_before(face_canvas: Canvas) -> None:
    canvas, mouse = face_canvas, Mouse(face_canvas)
    canvas.select(9)
    press(canvas, mouse.at(50, 35), SHIFT)
    mouse.move(mouse.at(75, 70))
    release(canvas, mouse.at(75, 70), SHIFT)
    assert canvas.group == {0, 1, 5}
    assert canvas.selected in canvas.group


def test_the_frame_goes_with_the_handle_that_is_held(face_canvas: Canvas) -> None:
    canvas, mouse = face_canvas, Mouse(face_canvas)
    canvas.select_group(frozenset({6, 7, 8}))
    box = selection.frame(POINTS, canvas.group, canvas.zoom)
    assert box is not None
    knob = np.array(dict(selection.handles(box, canvas.zoom))["rotate"])
    middle = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    press(canvas, mouse.at(*knob))
    aside = middle + np.array([np.hypot(*(knob - middle)), 0.0])
    mouse.move(mouse.at(*aside))
    held = canvas._held
    assert isinstance(held, Transform)
    assert held.carried(knob[None])[0] == pytest.approx(aside, abs=1.5 / canvas.zoom)
    seen = pixels(canvas)
    at = mouse.at(*aside)
    assert seen[at.y(), at.x()].tolist() == list(QColor(style.HUMAN).getRgb()[:3])  # the knob is below the cursor
    release(canvas, mouse.at(*aside))


def test_the_cursor_says_what_a_handle_of_the_selection_does_in_turned_views_too(face_canvas: Canvas) -> None:
    canvas, mouse, shape = face_canvas, Mouse(face_canvas), Qt.CursorShape
    for turn in (0.0, np.radians(90), np.radians(200)):
        canvas.turn_to(turn)
        canvas.select_group(frozenset({6, 7, 8}))
        box = selection.frame(POINTS, canvas.group, canvas.zoom, turn)
        assert box is not None
        left, top, right, bottom = box
        corners = selection.upright(np.array([(left, top), (right, top), (right, bottom), (left, bottom)]), -turn)
        for corner, expected in zip(corners, (shape.SizeFDiagCursor, shape.SizeBDiagCursor) * 2, strict=True):
            mouse.move(mouse.at(*corner))
            assert canvas.viewport().cursor().shape() == expected
        canvas.select_group(frozenset())
        assert canvas.viewport().cursor().shape() == shape.ArrowCursor


def test_the_loupe_goes_where_it_hides_the_fewest_landmarks() -> None:
    view = (1000.0, 800.0)
    assert beside((500, 400), view, None, np.full((3, 2), np.nan)) == beside((500, 400), view)
    first, side = beside((500, 400), view) or ((0, 0), (0, 0))
    other = beside((500, 400), view, None, np.array([first]))
    assert other is not None and other[1] != side
    assert np.hypot(other[0][0] - first[0], other[0][1] - first[1]) > RADIUS
    assert beside((500, 400), view, side, np.array([first])) == (first, side)  # while it is moved it does not jump


def test_a_double_click_selects_the_group_and_shift_adds(face_canvas: Canvas, told: list[Moved]) -> None:
    canvas, mouse = face_canvas, Mouse(face_canvas)
    spot = mouse.at(*POINTS[7])
    QTest.mouseClick(canvas.viewport(), LEFT, pos=spot)
    QTest.mouseDClick(canvas.viewport(), LEFT, pos=spot)
    release(canvas, spot)
    assert canvas.group == {6, 7, 8}
    QTest.mouseDClick(canvas.viewport(), LEFT, SHIFT, mouse.at(*POINTS[9]))
    release(canvas, mouse.at(*POINTS[9]), SHIFT)
    assert canvas.group >= {6, 7, 8}
    assert not told
    QTest.mouseClick(canvas.viewport(), LEFT, pos=mouse.at(20, 130))
    assert canvas.group == frozenset()


def test_a_second_quick_press_still_drags_one_landmark(face_canvas: Canvas) -> None:
    canvas, mouse = face_canvas, Mouse(face_canvas)
    moved: list[int] = []
    canvas.landmarkMoved.connect(lambda landmark, x, y: moved.append(landmark))
    spot = mouse.at(*POINTS[7])
    QTest.mouseClick(canvas.viewport(), LEFT, pos=spot)
    QTest.mouseDClick(canvas.viewport(), LEFT, pos=spot)  # its second press is still held
    mouse.move(spot + QPoint(9, 9))
    release(canvas, spot + QPoint(9, 9))
    assert moved == [7]
    assert canvas.group == frozenset()


def test_a_selection_is_moved_turned_and_scaled_in_one_go_each(face_canvas: Canvas, told: list[Moved]) -> None:
    canvas, mouse = face_canvas, Mouse(face_canvas)
    canvas.select_group(frozenset({6, 7, 8}))
    spot = mouse.at(75, 27)
    press(canvas, spot)
    mouse.move(spot + QPoint(20, 10))
    assert np.allclose(canvas.position(6), POINTS[6] + np.array([20, 10]) / canvas.zoom)  # seen at once
    assert not told
    release(canvas, spot + QPoint(20, 10))
    assert len(told) == 1
    assert told[0].verb == "Move"
    assert told[0].placed.tolist() == [i in (6, 7, 8) for i in range(10)]
    assert np.allclose(told[0].points[:6], POINTS[:6])
    assert np.allclose(told[0].points[6:9] - POINTS[6:9], np.array([20, 10]) / canvas.zoom)
    canvas.show_face(canvas.face, make_prediction(POINTS), SCHEME)
    assert canvas.group == {6, 7, 8}
    box = selection.frame(POINTS, canvas.group, canvas.zoom)
    assert box is not None
    knob = dict(selection.handles(box, canvas.zoom))["rotate"]
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    press(canvas, mouse.at(*knob))
    mouse.move(mouse.at(middle[0] + 40, middle[1]))
    release(canvas, mouse.at(middle[0] + 40, middle[1]))
    assert told[1].verb == "Rotate"
    turned = told[1].points[6:9] - middle
    assert np.allclose(turned, (POINTS[6:9] - middle) @ np.array([[0, 1], [-1, 0]]), atol=0.5)
    canvas.show_face(canvas.face, make_prediction(POINTS), SCHEME)
    corner, across = (box[2], box[3]), np.array([box[0], box[1]])
    press(canvas, mouse.at(*corner))
    goal = across + 1.5 * (np.array(corner) - across)
    mouse.move(mouse.at(*goal))
    release(canvas, mouse.at(*goal))
    assert told[2].verb == "Scale"
    assert np.allclose(told[2].points[6:9] - across, 1.5 * (POINTS[6:9] - across), atol=0.7)


def test_a_whole_face_is_put_roughly_right_without_placing_any(face_canvas: Canvas, told: list[Moved]) -> None:
    canvas, mouse = face_canvas, Mouse(face_canvas)
    canvas.select_group(frozenset(range(10)))
    spot = mouse.at(110, 80)
    press(canvas, spot)
    mouse.move(spot + QPoint(12, 0))
    release(canvas, spot + QPoint(12, 0))
    assert told[0].moved.all()
    assert not told[0].placed.any()


def test_control_takes_neighbours_along_and_the_wheel_sets_how_far(face_canvas: Canvas, told: list[Moved]) -> None:
    canvas, mouse = face_canvas, Mouse(face_canvas)
    canvas.reach = 0.3
    spot = mouse.at(*POINTS[7])
    press(canvas, spot, CONTROL)
    QTest.mouseMove(canvas.viewport(), spot + QPoint(0, -20))
    QApplication.processEvents()
    reached = canvas._held.weights  # type: ignore[union-attr]
    assert 0 < reached[6] < 1
    wheel(canvas, spot, -3)
    assert canvas.reach < 0.3
    shorter = canvas._held.weights.copy()  # type: ignore[union-attr]
    assert shorter[6] < reached[6]
    release(canvas, spot + QPoint(0, -20), CONTROL)
    made = told[0]
    assert made.verb == "Drag"
    assert made.placed.tolist() == [i == 7 for i in range(10)]
    assert np.allclose(made.points[7] - POINTS[7], [0, -20 / canvas.zoom])
    assert np.allclose(made.points[6] - POINTS[6], np.array([0, -20 / canvas.zoom]) * shorter[6])
    assert (made.points[:6] == POINTS[:6]).all()


def test_what_was_placed_by_hand_is_not_taken_along(canvas: Canvas) -> None:
    label = make_label(POINTS, placed=False).with_point(6, *POINTS[6])
    canvas.show_face(replace(FACE, id=9, label=label), make_prediction(POINTS), SCHEME)
    made: list[Moved] = []
    canvas.pointsMoved.connect(made.append)
    mouse = Mouse(canvas)
    canvas.along, canvas.reach = True, 1.0
    spot = mouse.at(*POINTS[7])
    press(canvas, spot)
    mouse.move(spot + QPoint(0, 15))
    release(canvas, spot + QPoint(0, 15))
    assert (made[0].points[6] == POINTS[6]).all()
    assert not made[0].moved[6]
    assert made[0].moved[8]


@pytest.mark.parametrize("how", ["escape", "focus", "hide", "new face"])
def test_a_gesture_that_is_broken_off_loses_nothing(face_canvas: Canvas, told: list[Moved], how: str) -> None:
    canvas, mouse = face_canvas, Mouse(face_canvas)
    canvas.select_group(frozenset({0, 1, 2, 3, 4, 5}))
    spot = mouse.at(75, 50)
    press(canvas, spot)
    mouse.move(spot + QPoint(25, 25))
    mouse.move(QPoint(-400, 3000))  # outside the window
    if how == "escape":
        QTest.keyClick(canvas, Qt.Key.Key_Escape)
        assert canvas.position(0) == tuple(POINTS[0])
        assert not told
    elif how == "focus":
        QApplication.sendEvent(canvas, QFocusEvent(QFocusEvent.Type.FocusOut))
        assert len(told) == 1
    elif how == "hide":
        canvas.hide()
        assert len(told) == 1
    else:  # a model's news wait until the gesture is over
        canvas.show_face(canvas.face, make_prediction(POINTS + 5), SCHEME)
        assert canvas.position(9) == tuple(POINTS[9])
        release(canvas, QPoint(-400, 3000))
        assert len(told) == 1
    assert not canvas.is_busy
    release(canvas, spot)
    assert len(told) <= 1


def test_the_walk_follows_the_groups_and_may_enlarge(canvas: Canvas) -> None:
    groups = (GROUPS[1], GROUPS[2], GROUPS[0])
    canvas.show_face(replace(FACE, id=8, label=None), make_prediction(POINTS), replace(SCHEME, groups=groups))
    seen = []
    for _ in range(5):
        canvas.select_next()
        seen.append(canvas.selected)
    assert seen == [6, 7, 8, 9, 0]
    canvas.select_next(-1)
    assert canvas.selected == 9
    zoom = canvas.zoom
    canvas.walk_zoom = True
    canvas.select_next()
    assert canvas.zoom > zoom
    x, y = canvas._camera.to_screen(*canvas.position(0))  # type: ignore[misc]
    assert abs(x - canvas.viewport().width() / 2) < 2
    assert abs(y - canvas.viewport().height() / 2) < 2


@pytest.mark.parametrize("count", [1, 500])
def test_any_number_of_landmarks_can_be_selected_and_moved(canvas: Canvas, count: int) -> None:
    from tests.gui.canvas.stage import make_scheme

    points = np.column_stack([np.linspace(20, 180, count), np.full(count, 70.0)])
    canvas.show_image(noise(200, 150))
    canvas.show_face(replace(FACE, id=12, label=None), make_prediction(points), make_scheme(count))
    made: list[Moved] = []
    canvas.pointsMoved.connect(made.append)
    canvas.select_group(frozenset(range(count)))
    canvas.select_next()
    canvas.select_group(frozenset(range(count)))
    canvas.nudge(1.0, 0.0)
    canvas.grab()
    assert len(made) == (1 if count > 1 else 0)
