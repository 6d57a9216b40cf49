"""Strokes of the canvas, in screen pixels: paths from arrays of points, and a halo under each."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QPainter, QPainterPath, QPolygonF, QTransform

from scaf_gui.core.arrays import BoolArray, FloatArray
from scaf_gui.gui.canvas import style


def mapped(points: FloatArray, view: QTransform) -> FloatArray:
    """(..., 2) image pixels in screen pixels, of a view that may be turned."""
    if view.m12() == 0.0:
        made: FloatArray = points * [view.m11(), view.m22()] + [view.dx(), view.dy()]
        return made
    return np.asarray(points @ [[view.m11(), view.m12()], [view.m21(), view.m22()]] + [view.dx(), view.dy()])


def corners(x: float, y: float, width: float, height: float, view: QTransform) -> FloatArray:
    """(4, 2) corners of a rectangle of the image in screen pixels, from the top left one on, clockwise."""
    return mapped(np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]]), view)


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


def brackets(painter: QPainter, box: FloatArray) -> None:
    """The corners of a bounding box, (4, 2) as of :func:`corners`."""
    sides = np.roll(box, -1, axis=0) - box
    lengths = np.maximum(np.hypot(*sides.T), 1e-9)
    arms = sides / lengths[:, None] * min(18.0, float(lengths.min()) / 4)
    path = QPainterPath()
    for place in range(4):
        for number, at in enumerate((box[place] - arms[place - 1], box[place], box[place] + arms[place])):
            (path.lineTo if number else path.moveTo)(*at.tolist())
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(style.pen(style.SOFT_HALO, 3.0))
    painter.drawPath(path)
    painter.setPen(style.pen(style.BOX, 1.2))
    painter.drawPath(path)


def polygon(points: FloatArray) -> QPolygonF:
    return QPolygonF([QPointF(x, y) for x, y in points.tolist()])
