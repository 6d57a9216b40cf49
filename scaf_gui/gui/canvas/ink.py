"""Strokes of the canvas, in screen pixels: paths from arrays of points, and a halo under each."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QPainter, QPainterPath

from scaf_gui.core.arrays import BoolArray, FloatArray
from scaf_gui.gui.canvas import style


def within(points: FloatArray, area: QRectF, pad: float) -> BoolArray:
    x, y = points.T
    return np.asarray(
        (x > area.left() - pad) & (x < area.right() + pad) & (y > area.top() - pad) & (y < area.bottom() + pad)
    )


def lines(ends: FloatArray) -> list[QLineF]:
    return [QLineF(*row) for row in ends.reshape(-1, 4).tolist()]


def circles(points: FloatArray, radius: float) -> QPainterPath:
    path = QPainterPath()
    path.setFillRule(Qt.FillRule.WindingFill)  # circles that overlap stay filled
    for x, y in points.tolist():
        path.addEllipse(QPointF(x, y), radius, radius)
    return path


def _strokes(points: FloatArray, strokes: Iterable[tuple[tuple[float, float], ...]]) -> QPainterPath:
    path = QPainterPath()
    rows = tuple(strokes)
    for x, y in points.tolist():
        for stroke in rows:
            path.moveTo(x + stroke[0][0], y + stroke[0][1])
            for dx, dy in stroke[1:]:
                path.lineTo(x + dx, y + dy)
            if stroke[0] == stroke[-1]:
                path.closeSubpath()
    return path


def diamonds(points: FloatArray, radius: float) -> QPainterPath:
    return _strokes(points, [((0, -radius), (radius, 0), (0, radius), (-radius, 0), (0, -radius))])


def crosses(points: FloatArray, radius: float) -> QPainterPath:
    return _strokes(points, [((-radius, -radius), (radius, radius)), ((radius, -radius), (-radius, radius))])


def hairs(points: FloatArray, start: float, end: float) -> QPainterPath:
    return _strokes(
        points, [((x * start, y * start), (x * end, y * end)) for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1))]
    )


def ringed(
    painter: QPainter,
    path: QPainterPath,
    colour: str,
    width: float,
    fill: QBrush | Qt.BrushStyle = Qt.BrushStyle.NoBrush,
) -> None:
    """Draw a path in a colour upon a dark halo."""
    if path.isEmpty():
        return
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(style.pen(style.HALO, width + 1.6))
    painter.drawPath(path)
    painter.setBrush(fill)
    painter.setPen(style.pen(colour, width))
    painter.drawPath(path)


def brackets(painter: QPainter, box: QRectF) -> None:
    """The corners of the bounding box."""
    arm = min(18.0, box.width() / 4, box.height() / 4)
    path = QPainterPath()
    for x, y, sx, sy in (
        (box.left(), box.top(), 1, 1),
        (box.right(), box.top(), -1, 1),
        (box.right(), box.bottom(), -1, -1),
        (box.left(), box.bottom(), 1, -1),
    ):
        path.moveTo(x + sx * arm, y)
        path.lineTo(x, y)
        path.lineTo(x, y + sy * arm)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(style.pen(style.SOFT_HALO, 3.0))
    painter.drawPath(path)
    painter.setPen(style.pen(style.BOX, 1.2))
    painter.drawPath(path)
