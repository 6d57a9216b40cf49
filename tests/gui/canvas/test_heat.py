"""The layer of heatmaps lies where its square lies, however the image is shown."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.geometry import Square, crop_transform, inverse, transform
from scaf_gui.gui.canvas import Canvas
from scaf_gui.gui.canvas.heat import HeatItem
from scaf_gui.gui.canvas.scales import heat_pixels
from tests.gui.canvas.stage import FACE, POINTS, SCHEME, make_prediction, noise


def blob(x: float, y: float, side: int = 64, sigma: float = 2.0) -> np.ndarray:
    at = np.arange(side)
    return np.exp(-((at[None] - x) ** 2 + (at[:, None] - y) ** 2) / (2 * sigma**2)).astype(np.float32)


def painted(item: HeatItem, view: QTransform, width: int = 600, height: int = 500) -> np.ndarray:
    """(H, W, 4) blue, green, red, alpha."""
    image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    painter.setTransform(view)
    item.paint(painter, QStyleOptionGraphicsItem())
    painter.end()
    return np.frombuffer(image.constBits(), np.uint8).reshape(height, width, 4).copy()


def peak(pixels: np.ndarray, view: QTransform) -> FloatArray:
    """Where the layer is brightest, image pixels: the middle of its brightest part."""
    green = pixels[..., 1].astype(int)
    rows, columns = np.nonzero(green >= green.max() - 1)
    return np.array(view.inverted()[0].map(float(columns.mean()) + 0.5, float(rows.mean()) + 0.5))


@pytest.mark.parametrize("degrees", [0.0, 24.0, -40.0])
@pytest.mark.parametrize("turn", [0.0, 15.0])
@pytest.mark.parametrize("zoom", [0.9, 2.5])
def test_the_peak_is_painted_where_the_landmark_is(qapp: object, degrees: float, turn: float, zoom: float) -> None:
    square = Square(150.3, 120.8, 160.0)
    to_image = inverse(crop_transform(square, 64, degrees))
    item = HeatItem()
    item.show_map(blob(40.25, 21.5), to_image)
    view = QTransform().translate(20, 10).rotate(turn).scale(zoom, zoom)
    pixels = painted(item, view)
    wanted = transform(to_image, np.array([40.25, 21.5]))
    heatmap_pixel = square.side / 64
    assert np.linalg.norm(peak(pixels, view) - wanted) < 0.35 * heatmap_pixel


def test_the_whole_square_is_covered_and_nothing_beyond_it(qapp: object) -> None:
    item = HeatItem()
    item.show_map(np.ones((64, 64), np.float32), inverse(crop_transform(Square(49.5, 49.5, 100.0), 64)))
    alpha = painted(item, QTransform().translate(50.5, 40.5))[..., 3]
    rows, columns = np.nonzero(alpha > 100)
    # image pixel 0, whose centre is at (50.5, 40.5), is the first of a hundred
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (50, 149, 40, 139)
    assert alpha[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].min() > 100


def test_nothing_is_painted_without_a_map(qapp: object) -> None:
    item = HeatItem()
    assert not painted(item, QTransform()).any()
    item.show_map(np.full((64, 64), np.nan, np.float32), np.eye(2, 3))
    assert item.is_shown
    assert not painted(item, QTransform()).any()
    item.show_map(None)
    assert not item.is_shown


def test_the_layer_is_made_once_for_each_view(qapp: object) -> None:
    item = HeatItem()
    item.show_map(blob(30, 30), np.eye(2, 3))
    first = painted(item, QTransform().scale(3, 3))
    layer = item._layer
    assert (painted(item, QTransform().scale(3, 3)) == first).all()
    assert item._layer is layer
    assert (painted(item, QTransform().scale(4, 4)) != first).any()


def test_landmarks_are_drawn_upon_it(make_canvas: Callable[[], Canvas]) -> None:
    canvas = make_canvas()
    canvas.show_image(noise(200, 150))
    canvas.show_face(FACE, make_prediction(POINTS + 3), SCHEME)
    before = canvas.grab().toImage()
    canvas.heat.show_map(np.ones((64, 64), np.float32), inverse(crop_transform(Square(100, 75, 150), 64)))
    after = canvas.grab().toImage()
    x, y = (round(v) for v in canvas._camera.to_screen(*POINTS[1]))
    assert before.pixel(x, y) == after.pixel(x, y)  # a dot of a person's is opaque
    assert before.pixel(x + 14, y + 9) != after.pixel(x + 14, y + 9)
    assert heat_pixels(np.ones((1, 1), np.float32))[0, 0] >> 24 > 100
