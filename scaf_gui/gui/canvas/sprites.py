"""Small marks, drawn once and stamped: stroking a hundred circles takes Qt longer than painting the photo.

A stamp is kept for each quarter of a pixel in both directions, so that marks sit where landmarks are.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage, QPainter

from scaf_gui.core.arrays import FloatArray
from scaf_gui.gui.canvas import ink, style

#: parts of a pixel that a mark's place is rounded to
PHASES = 4


def stamp(
    painter: QPainter, points: FloatArray, shape: str, radius: float, colour: str, width: float, *, filled: bool = False
) -> None:
    """Draw a mark upon a dark halo at each of (N, 2) screen points.

    :param shape: "circle", "diamond" or "cross"
    """
    if not len(points):
        return
    ratio = painter.device().devicePixelRatioF()
    reach = int(np.ceil(radius + width + 2))
    steps = np.rint(points * PHASES).astype(np.int64)
    radius = round(radius * 8) / 8  # so that few sizes are kept while zooming
    for (x, y), (phase_x, phase_y) in zip((steps // PHASES).tolist(), (steps % PHASES).tolist(), strict=True):
        image = _sprite(shape, radius, colour, width, filled, phase_x, phase_y, reach, ratio)
        painter.drawImage(QPointF(x - reach, y - reach), image)


@lru_cache(maxsize=2048)
def _sprite(
    shape: str,
    radius: float,
    colour: str,
    width: float,
    filled: bool,
    phase_x: int,
    phase_y: int,
    reach: int,
    ratio: float,
) -> QImage:
    side = 2 * reach + 1
    size = round(side * ratio)
    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    place = np.array([[reach + phase_x / PHASES, reach + phase_y / PHASES]])
    path = {"circle": ink.circles, "diamond": ink.diamonds, "cross": ink.crosses}[shape](place, radius)
    ink.ringed(painter, path, colour, width, style.brush(colour) if filled else Qt.BrushStyle.NoBrush)
    painter.end()
    return image
