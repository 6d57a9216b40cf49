"""The image on the screen: where its pixels fall, how it is zoomed, moved and fitted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from scaf_gui.gui.canvas import Canvas
from tests.gui.canvas.stage import FACE, POINTS, SCHEME, Heard, Mouse, noise


def grabbed(canvas: Canvas) -> QImage:
    QApplication.processEvents()
    return canvas.viewport().grab().toImage()


def turn(canvas: Canvas, spot: QPointF, notches: float) -> None:
    """Turn the mouse wheel over a spot of the viewport."""
    viewport = canvas.viewport()
    event = QWheelEvent(
        spot,
        viewport.mapToGlobal(spot),
        QPoint(),
        QPoint(0, round(120 * notches)),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(viewport, event)


@pytest.mark.parametrize("zoom", [0.37, 1.0, 2.0, 3.3, 4.0, 9.5, 64.0])
def test_qt_and_the_camera_agree(canvas: Canvas, zoom: float) -> None:
    canvas.zoom_by(zoom / canvas.zoom, QPointF(123, 217))
    for x, y in ((0.0, 0.0), (3.5, 7.25), (199.0, 149.0)):
        seen = canvas.viewportTransform().map(QPointF(x, y))
        assert (seen.x(), seen.y()) == pytest.approx(canvas._camera.to_screen(x, y), abs=1e-6)


@pytest.mark.parametrize("zoom", [6.0, 17.0, 40.0])
def test_a_pixel_is_where_its_coordinates_say(canvas: Canvas, zoom: float) -> None:
    image = np.full((6, 8, 3), 40, dtype=np.uint8)
    image[2, 3] = (250, 10, 120)
    canvas.show_face(None, None, SCHEME)
    canvas.show_image(image)
    canvas.zoom_by(zoom / canvas.zoom, QPointF(300, 200))
    canvas._move_by(*(QPointF(320, 240) - QPointF(*canvas._camera.to_screen(3, 2))).toTuple())
    picture = grabbed(canvas)
    red = QColor(250, 10, 120)
    found = [
        (x, y)
        for x in range(picture.width())
        for y in range(picture.height())
        if picture.pixelColor(x, y).rgb() == red.rgb()
    ]
    xs, ys = {x for x, _ in found}, {y for _, y in found}
    assert len(found) == len(xs) * len(ys) and abs(len(xs) - zoom) <= 1 and abs(len(ys) - zoom) <= 1
    # the centre of the drawn square is pixel (3, 2), its corners are half a pixel away
    centre = canvas._scene_point(QPointF((min(xs) + max(xs) + 1) / 2, (min(ys) + max(ys) + 1) / 2))
    assert centre == pytest.approx((3.0, 2.0), abs=0.51 / zoom)
    corner = canvas._scene_point(QPointF(min(xs), min(ys)))
    assert corner == pytest.approx((2.5, 1.5), abs=1.01 / zoom)


def test_a_landmark_on_a_pixel_is_drawn_on_that_pixel(canvas: Canvas) -> None:
    image = np.zeros((100, 100, 3), dtype=np.uint8)
    image[:, :] = (40, 40, 40)
    canvas.show_image(image)
    canvas.show_face(FACE, None, SCHEME)
    canvas.skeleton = False
    canvas.zoom_by(20 / canvas.zoom, QPointF(0, 0))
    canvas.select(0)
    canvas.select(None)
    canvas._move_by(*(QPointF(320, 240) - QPointF(*canvas._camera.to_screen(40, 30))).toTuple())
    x, y = canvas._camera.to_screen(40.0, 30.0)
    picture = grabbed(canvas)
    blue = [
        (i, j)
        for i in range(round(x) - 12, round(x) + 13)
        for j in range(round(y) - 12, round(y) + 13)
        if picture.pixelColor(i, j).blue() > 200
    ]
    assert np.mean(blue, axis=0) + 0.5 == pytest.approx((x, y), abs=0.3)


def test_wheel_zooms_about_the_cursor(canvas: Canvas, qtbot: QtBot) -> None:
    heard: list[float] = []
    canvas.zoomChanged.connect(heard.append)
    spot = QPointF(250, 180)
    before, zoom = canvas._scene_point(spot), canvas.zoom
    turn(canvas, spot, 3)
    assert canvas.zoom == pytest.approx(zoom * 1.2**3)
    assert canvas._scene_point(spot) == pytest.approx(before, abs=0.75 / zoom)
    turn(canvas, spot, -3)
    assert canvas.zoom == pytest.approx(zoom)
    assert heard == pytest.approx([zoom * 1.2**3, zoom])


def test_zoom_has_limits(canvas: Canvas) -> None:
    for _ in range(60):
        canvas.zoom_by(1.5, QPointF(300, 200))
    assert canvas.zoom == 64.0
    for _ in range(90):
        canvas.zoom_by(1 / 1.5, QPointF(300, 200))
    assert canvas.zoom == pytest.approx(48 / 200)


@pytest.mark.parametrize("button", [Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton, Qt.MouseButton.LeftButton])
def test_dragging_moves_the_image(canvas: Canvas, mouse: Mouse, heard: Heard, button: Qt.MouseButton) -> None:
    canvas.zoom_by(2, QPointF(320, 240))
    start = mouse.at(130, 120)
    grip = canvas._scene_point(QPointF(start))
    mouse.press(start, button)
    for step in range(1, 6):
        mouse.move(start + QPoint(-9 * step, 7 * step))
    mouse.release(start + QPoint(-45, 35), button)
    assert canvas._scene_point(QPointF(start + QPoint(-45, 35))) == pytest.approx(grip, abs=0.01)
    assert heard.moved == [] and heard.selected == []
    mouse.move(start)
    assert canvas._scene_point(QPointF(start + QPoint(-45, 35))) == pytest.approx(grip, abs=0.01)


def test_fitting(canvas: Canvas) -> None:
    canvas.fit_image()
    left, top = canvas._camera.to_screen(-0.5, -0.5)
    right, bottom = canvas._camera.to_screen(199.5, 149.5)
    assert left >= 0 and top >= 0 and right <= 640 and bottom <= 480 and right - left > 600
    canvas.fit_face()
    middle = (POINTS.min(axis=0) + POINTS.max(axis=0)) / 2
    assert canvas._camera.to_screen(*middle) == pytest.approx((320, 240), abs=1)
    screen = np.array([canvas._camera.to_screen(*point) for point in POINTS])
    assert (screen > 0).all() and (screen < (640, 480)).all()


def test_what_was_fitted_stays_fitted_and_what_was_not_stays_in_the_middle(canvas: Canvas) -> None:
    canvas.fit_face()
    zoom = canvas.zoom
    canvas.resize(1000, 800)
    QApplication.processEvents()
    assert canvas.zoom > zoom
    canvas.zoom_by(1.5, QPointF(500, 400))
    zoom, middle = canvas.zoom, canvas._scene_point(QPointF(500, 400))
    canvas.resize(700, 500)
    QApplication.processEvents()
    assert canvas.zoom == zoom
    assert canvas._scene_point(QPointF(350, 250)) == pytest.approx(middle, abs=1 / zoom)


def test_keeping_the_view(canvas: Canvas) -> None:
    canvas.zoom_by(3, QPointF(100, 100))
    camera = canvas._camera
    canvas.show_image(noise(200, 150), keep_view=True)
    assert canvas._camera == camera
    canvas.show_image(noise(200, 150))
    assert canvas._camera != camera


@pytest.mark.parametrize("size", [(20_000, 100), (100, 20_000), (40_000, 2), (1, 1)])
def test_unusual_images_are_painted(make_canvas: Callable[[], Canvas], size: tuple[int, int]) -> None:
    canvas = make_canvas()
    canvas.set_background("#ff00ff")
    canvas.show_image(np.full((size[1], size[0], 3), (10, 200, 30), dtype=np.uint8))
    for zoom in (None, 1.0, 30.0):
        if zoom is not None:
            canvas.zoom_by(zoom / canvas.zoom, QPointF(320, 240))
        colour = grabbed(canvas).pixelColor(320, 240)
        assert (colour.red(), colour.green(), colour.blue()) == (10, 200, 30)


def test_every_part_of_a_wide_image_shows_its_own_pixels(make_canvas: Callable[[], Canvas]) -> None:
    canvas = make_canvas()
    image = np.zeros((100, 20_000, 3), dtype=np.uint8)
    image[..., 0] = np.arange(20_000) // 100
    canvas.show_image(image)
    canvas.zoom_by(8 / canvas.zoom, QPointF(320, 240))
    for column in (50, 9_950, 19_950):
        x, y = canvas._camera.to_screen(column, 50)
        canvas._move_by(320 - x, 240 - y)
        assert grabbed(canvas).pixelColor(320, 240).red() == column // 100


def test_messages(canvas: Canvas) -> None:
    assert not canvas._message.isVisible()
    canvas.set_message("This image cannot be read: photo.jpg ends too early. " * 4)
    assert canvas._message.isVisible()
    box = canvas._message.geometry()
    assert canvas.viewport().rect().contains(box)
    assert abs(box.center().x() - 320) <= 1 and abs(box.center().y() - 240) <= 1
    canvas.resize(300, 400)
    QApplication.processEvents()
    assert canvas.viewport().rect().contains(canvas._message.geometry())
    canvas.set_message(None)
    assert not canvas._message.isVisible()


def test_a_message_does_not_stand_in_the_mouses_way(canvas: Canvas, mouse: Mouse, heard: Heard) -> None:
    canvas.set_message("hello " * 40)
    spot = mouse.at(*POINTS[2])
    assert canvas.viewport().childAt(spot) in (None, canvas._message)
    QTest.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot)
    assert canvas.selected == 2


def test_no_image_and_back(canvas: Canvas) -> None:
    canvas.show_image(None)
    canvas.show_face(None, None, SCHEME)
    canvas.fit_image()
    canvas.fit_face()
    turn(canvas, QPointF(100, 100), 2)
    canvas.begin_box()
    grabbed(canvas)
    canvas.show_image(noise(30, 20))
    assert grabbed(canvas).pixelColor(320, 240) != canvas.backgroundBrush().color()
