"""Names of landmarks: a tag for one, or small names for all that have room."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from scaf_gui.core.arrays import FloatArray
from scaf_gui.gui.canvas import style

_TAG_GAP = 15.0


def tag_areas(text: str, x: float, y: float) -> tuple[QRectF, QRectF]:
    """Where the tag of a landmark at (x, y) may lie: up and to the left, up and to the right."""
    metrics = QFontMetricsF(style.font(9.0))
    size = QSizeF(metrics.horizontalAdvance(text) + 14, metrics.height() + 6)
    top = y - _TAG_GAP - size.height()
    return QRectF(QPointF(x - _TAG_GAP - size.width(), top), size), QRectF(QPointF(x + _TAG_GAP, top), size)


def paint_tag(painter: QPainter, text: str, x: float, y: float, *, outward_left: bool) -> None:
    """Write a landmark's name beside it, away from the middle of the face where there is room."""
    left, right = tag_areas(text, x, y)
    view = painter.viewport()
    area = left if (outward_left and left.left() >= 0) or right.right() > view.right() else right
    if area.top() < 0:  # below instead; the area that is painted again reaches that far
        area.moveTop(y + _TAG_GAP)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(style.brush(style.TAG))
    painter.drawRoundedRect(area, 4, 4)
    painter.setPen(style.pen(style.TAG_TEXT, 1.0))
    painter.setFont(style.font(9.0))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)


def paint_names(painter: QPainter, names: Sequence[str], points: FloatArray, dot: float) -> None:
    """Write names beside landmarks, (num_landmarks, 2) screen pixels; those without room are left out.

    What was placed before depends on all landmarks, so all must be painted when one of them moves.
    """
    font = style.font(7.5)
    metrics = QFontMetricsF(font)
    sizes = np.array([[metrics.horizontalAdvance(name) + 5, metrics.height()] for name in names])
    painter.setFont(font)
    for landmark, (x, y, width, height) in place(points, sizes, dot):
        area = QRectF(x, y, width, height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(style.brush(style.NAME))
        painter.drawRoundedRect(area, 3, 3)
        painter.setPen(style.pen(style.TAG_TEXT, 1.0))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, names[landmark])


def place(points: FloatArray, sizes: FloatArray, dot: float) -> list[tuple[int, tuple[float, float, float, float]]]:
    """Find room for names so that none covers a landmark or another name.

    :param points: (num_landmarks, 2) float64, (x, y); rows of NaN have no name
    :param sizes: (num_landmarks, 2) float64, (width, height) of the names
    :param dot: radius of the dots that are to stay free
    :returns: for each landmark that has room, its index and its name's (x, y, width, height)
    """
    here = np.flatnonzero(np.isfinite(points).all(axis=1))
    if not len(here):
        return []
    middle = float(np.median(points[here, 0]))
    dots = np.column_stack([points[here] - dot, points[here] + dot])
    taken = np.empty((0, 4))
    placed = []
    for landmark in here.tolist():
        (x, y), (width, height), gap = points[landmark], sizes[landmark], dot + 4
        right, left = (x + gap, y - height / 2), (x - gap - width, y - height / 2)
        above, below = (x - width / 2, y - gap - height), (x - width / 2, y + gap)
        sides = (left, right, above, below) if x < middle else (right, left, above, below)
        for corner_x, corner_y in sides:
            area = np.array([corner_x, corner_y, corner_x + width, corner_y + height])
            if not (_overlap(area, taken) or _overlap(area, dots)):
                taken = np.vstack([taken, area])
                placed.append((landmark, (float(corner_x), float(corner_y), float(width), float(height))))
                break
    return placed


def _overlap(area: FloatArray, others: FloatArray) -> bool:
    """Whether a rectangle (left, top, right, bottom) meets any of (N, 4)."""
    return bool(((area[:2] < others[:, 2:]) & (area[2:] > others[:, :2])).all(axis=1).any())
