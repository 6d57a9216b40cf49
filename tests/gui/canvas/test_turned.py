"""A turned view: what is seen, and that gestures still speak of the image's own pixels."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from scaf_gui.core.face import Box, State
from scaf_gui.gui.canvas import Canvas, selection
from scaf_gui.gui.canvas.camera import Camera, fitted, fitted_points
from scaf_gui.gui.canvas.gestures import Moved
from scaf_gui.gui.canvas.pyramid import Pyramid
from tests.gui.canvas.stage import FACE, LEFT, NONE, POINTS, SCHEME, Heard, Mouse, make_prediction, noise

TURNS = [math.radians(20), math.radians(-75), math.pi / 2, math.pi]
turns = st.floats(-math.pi, math.pi)


@given(st.floats(0.05, 60), st.integers(-3000, 3000), st.integers(-3000, 3000), turns)
def test_screen_to_scene_and_back(scale: float, left: int, top: int, turn: float) -> None:
    camera = Camera(scale, left, top, turn)
    assert camera.to_screen(*camera.to_scene(31.5, -8)) == pytest.approx((31.5, -8), abs=1e-6)
    a, b = camera.to_scene(10, 20), camera.to_scene(13, 24)
    assert math.dist(a, b) == pytest.approx(5 / scale)
    assert camera.direction(3, 4) == pytest.approx((b[0] - a[0], b[1] - a[1]), abs=1e-6)


@given(st.floats(0.1, 20), turns, st.integers(-(10**5), 10**5), st.integers(-(10**5), 10**5))
def test_the_image_cannot_get_lost(scale: float, turn: float, left: int, top: int) -> None:
    held = Camera(scale, left, top, turn).held((400, 300), (800, 600))
    x, y = held.to_scene(400, 300)
    slack = 1.0 / held.scale
    assert -0.5 - slack <= x <= 399.5 + slack
    assert -0.5 - slack <= y <= 299.5 + slack
    assert held.turn == turn


@given(turns)
def test_what_is_fitted_is_in_sight(turn: float) -> None:
    camera = fitted(50, 20, 100, 40, (640, 480), fill=0.9, turn=turn)
    seen = np.array([camera.to_screen(x, y) for x in (50, 150) for y in (20, 60)])
    assert (seen >= 0).all() and (seen <= [640, 480]).all()
    assert camera.to_screen(100, 40) == pytest.approx((320, 240), abs=1)
    camera = fitted_points(POINTS, (640, 480), 0.8, 64.0, turn)
    seen = np.array([camera.to_screen(*point) for point in POINTS])
    low, high = seen.min(axis=0), seen.max(axis=0)
    assert (low + high) / 2 == pytest.approx([320, 240], abs=1)
    assert max((high - low) / [640, 480]) == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("scale", [0.21, 0.8, 2.5, 9.0])
def test_pixels_are_where_the_camera_says(turn: float, scale: float) -> None:
    ramp = np.zeros((300, 400, 3), dtype=np.uint8)
    ramp[..., 0] = np.linspace(0, 250, 400)
    ramp[..., 1] = np.linspace(0, 250, 300)[:, None]
    ramp[..., 2] = 255
    camera = fitted(120, 90, 160, 120, (320, 240), turn=turn)
    camera = camera.zoomed(scale, 160, 120)
    seen = Pyramid(ramp).view(scale, camera.left, camera.top, 320, 240, turn)
    assert seen is not None and seen[:2] == (0, 0)
    picture = seen[2]
    for row in range(3, 240, 17):
        for column in range(3, 320, 19):
            x, y = camera.to_scene(column + 0.5, row + 0.5)
            value = int(picture[row, column])
            if -0.5 < x < 399.5 and -0.5 < y < 299.5:
                if not (2 / scale < x < 399 - 2 / scale and 2 / scale < y < 299 - 2 / scale):
                    continue  # at the very edge either is right
                assert value >> 24 == 255
                assert (value >> 16 & 255) == pytest.approx(x / 399 * 250, abs=2.2)
                assert (value >> 8 & 255) == pytest.approx(y / 299 * 250, abs=2.2)
            elif not (-3 / scale < x < 400 + 3 / scale and -3 / scale < y < 300 + 3 / scale):
                assert value == 0


@pytest.mark.parametrize("turn", TURNS)
def test_qt_and_the_camera_agree(canvas: Canvas, turn: float) -> None:
    canvas.turn_to(turn)
    for zoom in (0.5, 3.0, 40.0):
        canvas.zoom_by(zoom / canvas.zoom, QPointF(100, 333))
        canvas._move_by(-13, 7)
        for x, y in ((0, 0), (199.5, 20), (77, 149)):
            seen = canvas.viewportTransform().map(QPointF(x, y))
            assert (seen.x(), seen.y()) == pytest.approx(canvas._camera.to_screen(x, y), abs=1e-5)


def test_landmarks_are_drawn_upon_their_pixels(make_canvas: Callable[[], Canvas]) -> None:
    """A white pixel under a landmark: around it the dot, in its middle white where the dot is hollow."""
    canvas = make_canvas()
    image = np.zeros((150, 200, 3), dtype=np.uint8)
    canvas.show_image(image)
    face = replace(FACE, label=None, state=State.UNLABELLED)
    canvas.show_face(face, make_prediction(POINTS), SCHEME)
    canvas.turn_to(math.radians(33))
    picture = QImage(canvas.viewport().size(), QImage.Format.Format_RGB32)
    canvas.viewport().render(picture)
    for point in POINTS:
        x, y = canvas._camera.to_screen(*point)
        around = [
            picture.pixelColor(round(x) + i, round(y) + j).lightness() for i in range(-7, 8) for j in range(-7, 8)
        ]
        assert max(around) > 100


@pytest.mark.parametrize("turn", [0.0, *TURNS])
def test_a_drag_moves_by_what_the_cursor_moved(canvas: Canvas, heard: Heard, turn: float) -> None:
    """Screen step d moves the landmark by R(-turn) d / zoom."""
    canvas.turn_to(turn)
    canvas.zoom_by(3 / canvas.zoom, QPointF(*canvas._camera.to_screen(*POINTS[1])))
    mouse = Mouse(canvas)
    start = mouse.at(*POINTS[1])
    step = QPoint(31, -18)
    mouse.press(start)
    mouse.move(start + QPoint(5, 5))
    mouse.move(start + step)
    mouse.release(start + step)
    ((landmark, x, y),) = heard.moved
    cos, sin = math.cos(-turn), math.sin(-turn)
    expected = np.array([cos * 31 + sin * 18, sin * 31 - cos * 18]) / canvas.zoom
    assert landmark == 1
    assert np.array([x, y]) - POINTS[1] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("turn", [0.0, *TURNS])
def test_nudges_go_the_way_they_are_seen(canvas: Canvas, heard: Heard, turn: float) -> None:
    canvas.turn_to(turn)
    canvas.select(2)
    before = np.array(canvas._camera.to_screen(*POINTS[2]))
    canvas.nudge_seen(1.0, 0.0)
    ((_, x, y),) = heard.moved
    assert math.dist((x, y), POINTS[2]) == pytest.approx(1.0), "one image pixel"
    assert np.array(canvas._camera.to_screen(x, y)) - before == pytest.approx([canvas.zoom, 0], abs=1e-6)


def test_a_rubber_band_is_upright_on_the_screen(canvas: Canvas) -> None:
    canvas.turn_to(math.radians(45))
    canvas.fit_face()
    seen = np.array([canvas._camera.to_screen(*point) for point in POINTS])
    inside = seen[:, 0] < np.sort(seen[:, 0])[3] - 2
    corner = QPoint(round(seen[inside][:, 0].min()) - 12, round(seen[:, 1].min()) - 12)
    across = QPoint(round(seen[inside][:, 0].max()) + 2, round(seen[:, 1].max()) + 12)
    assert canvas.viewport().rect().contains(corner) and canvas.viewport().rect().contains(across)
    QTest.mousePress(canvas.viewport(), LEFT, Qt.KeyboardModifier.ShiftModifier, corner)
    QTest.mouseMove(canvas.viewport(), corner + QPoint(9, 9))
    QTest.mouseMove(canvas.viewport(), across)
    QTest.mouseRelease(canvas.viewport(), LEFT, Qt.KeyboardModifier.ShiftModifier, across)
    assert canvas.group == frozenset(np.flatnonzero(inside).tolist())


def test_the_frame_of_a_selection_is_upright_and_its_knob_turns_it(canvas: Canvas) -> None:
    made: list[Moved] = []
    canvas.pointsMoved.connect(made.append)
    canvas.turn_to(math.radians(70))
    canvas.fit_face()
    canvas.zoom_by(0.7)
    canvas.select_group(frozenset({0, 1, 2}))
    seen = np.array([canvas._camera.to_screen(*POINTS[landmark]) for landmark in (0, 1, 2)])
    low, high = seen.min(axis=0), seen.max(axis=0)
    middle = (low + high) / 2
    knob = QPoint(round(middle[0]), round(low[1] - selection.PAD - selection.STALK))
    QTest.mousePress(canvas.viewport(), LEFT, NONE, knob)
    QTest.mouseMove(canvas.viewport(), knob + QPoint(9, 3))
    beside = QPoint(round(middle[0] + (middle[1] - knob.y())), round(middle[1]))
    QTest.mouseMove(canvas.viewport(), beside)
    QTest.mouseRelease(canvas.viewport(), LEFT, NONE, beside)
    (gesture,) = made
    assert gesture.verb == "Rotate"
    after = np.array([canvas._camera.to_screen(*gesture.points[landmark]) for landmark in (0, 1, 2)])
    quarter = (seen - middle) @ np.array([[0, 1], [-1, 0]]) + middle
    assert after == pytest.approx(quarter, abs=1.5)


def test_a_box_is_drawn_in_the_images_own_axes(canvas: Canvas, heard: Heard) -> None:
    canvas.turn_to(math.radians(30))
    canvas.begin_box()
    start, end = QPoint(250, 160), QPoint(330, 300)
    QTest.mousePress(canvas.viewport(), LEFT, NONE, start)
    QTest.mouseMove(canvas.viewport(), end)
    QTest.mouseRelease(canvas.viewport(), LEFT, NONE, end)
    ((x, y, width, height),) = heard.boxes
    corners = np.array([canvas._camera.to_scene(spot.x(), spot.y()) for spot in (start, end)])
    assert (x, y) == pytest.approx(tuple(corners.min(axis=0)))
    assert (width, height) == pytest.approx(tuple(np.ptp(corners, axis=0)))


def test_the_loupe_is_turned_too(canvas: Canvas) -> None:
    image = noise(200, 150)
    canvas.show_image(image)
    turn = math.radians(90)
    plain, turned = canvas._image.patch(100, 75, 12.0, 176, 1.0), canvas._image.patch(100, 75, 12.0, 176, 1.0, turn)
    assert plain is not None and turned is not None
    assert turned.pixelColor(88, 88 + 24) == plain.pixelColor(88 + 24, 88), "what was on the right is below"
    assert turned.pixelColor(88 - 24, 88) == plain.pixelColor(88, 88 + 24)


def test_names_and_boxes_of_a_turned_view_leave_no_traces(canvas: Canvas) -> None:
    """What is painted again bit by bit is what is painted at once."""
    canvas.show_face(replace(FACE, box=Box(20, 15, 150, 110)), make_prediction(POINTS + 3), SCHEME)
    canvas.turn_to(math.radians(25))
    canvas.ghost = True
    for landmark in (0, 3, 1):
        canvas.select(landmark)
        canvas.viewport().repaint()
    canvas._hovered = 2
    canvas._mark()
    canvas._hovered = None
    canvas._mark()
    bit_by_bit = canvas.viewport().grab().toImage()
    canvas.viewport().update()
    assert canvas.viewport().grab().toImage() == bit_by_bit


def test_turning_back_is_exactly_as_before(canvas: Canvas) -> None:
    canvas.fit_face()
    before = canvas._camera
    canvas.turn_to(0.7)
    assert canvas._camera.turn == 0.7
    canvas.turn_to(0.0)
    assert canvas._camera == before
