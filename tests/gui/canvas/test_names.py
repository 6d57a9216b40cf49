"""Room for names."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication

from scaf_gui.gui.canvas.names import paint_tag, place


def overlaps(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]


def test_names_cover_neither_landmarks_nor_each_other() -> None:
    points = np.random.default_rng(5).uniform(0, 400, (120, 2))
    points[7] = np.nan
    sizes = np.tile([60.0, 12.0], (120, 1))
    placed = place(points, sizes, 3.0)
    areas = [area for _, area in placed]
    assert 20 < len(placed) < 120 and 7 not in dict(placed)
    for i, area in enumerate(areas):
        assert not any(overlaps(area, other) for other in areas[:i])
        for x, y in np.delete(points, 7, axis=0):
            assert not overlaps(area, (x - 3, y - 3, 6, 6))


def test_with_room_every_name_stands_beside_its_landmark_on_the_outside() -> None:
    points = np.array([[0.0, 0.0], [300.0, 0.0], [600.0, 0.0]])
    placed = dict(place(points, np.tile([50.0, 10.0], (3, 1)), 3.0))
    assert placed[0] == (-57.0, -5.0, 50.0, 10.0)
    assert placed[2] == (607.0, -5.0, 50.0, 10.0)
    assert placed.keys() == {0, 1, 2}


def test_no_landmarks_no_names() -> None:
    assert place(np.full((4, 2), np.nan), np.ones((4, 2)), 3.0) == []


@pytest.mark.parametrize(("x", "outward_left"), [(190.0, False), (150.0, False), (10.0, True), (100.0, True)])
def test_a_tag_stays_on_the_canvas_though_the_painter_sees_the_whole_window(
    qapp: QApplication, x: float, outward_left: bool
) -> None:
    window = QImage(600, 120, QImage.Format.Format_RGB888)
    window.fill(0xFFFFFF)
    painter = QPainter(window)
    paint_tag(painter, "contour 13", x, 60.0, outward_left=outward_left, width=200.0)
    painter.end()
    drawn = np.array(window.constBits()).reshape(120, -1)[:, : 3 * 600].reshape(120, 600, 3)
    columns = np.flatnonzero((drawn != 255).any(axis=(0, 2)))
    assert len(columns) > 50 and columns[-1] < 200
