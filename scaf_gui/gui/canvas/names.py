"""Names of landmarks: a tag for one, or small names for all that have room."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPixmap

from scaf_gui.core.arrays import BoolArray, FloatArray
from scaf_gui.gui.canvas import style

_TAG_GAP = 15.0


def tag_areas(text: str, x: float, y: float) -> tuple[QRectF, QRectF]:
    """Where the tag of a landmark at (x, y) may lie: up and to the left, up and to the right."""
    metrics = QFontMetricsF(style.font(9.0))
    size = QSizeF(metrics.horizontalAdvance(text) + 14, metrics.height() + 6)
    top = y - _TAG_GAP - size.height()
    return QRectF(QPointF(x - _TAG_GAP - size.width(), top), size), QRectF(QPointF(x + _TAG_GAP, top), size)


def paint_tag(painter: QPainter, text: str, x: float, y: float, *, outward_left: bool, width: float) -> None:
    """Write a landmark's name beside it, away from the middle of the face where there is room.

    :param width: of the canvas; what a painter calls its viewport may be the whole window
    """
    left, right = tag_areas(text, x, y)
    area = left if (outward_left and left.left() >= 0) or right.right() > width else right
    if area.top() < 0:  # below instead; the area that is painted again reaches that far
        area.moveTop(y + _TAG_GAP)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(style.brush(style.TAG))
    painter.drawRoundedRect(area, 4, 4)
    painter.setPen(style.pen(style.TAG_TEXT, 1.0))
    painter.setFont(style.font(9.0))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)


#: of a landmark its name's (x, y, width, height), screen pixels
Plates = dict[int, tuple[float, float, float, float]]


def plates(names: Sequence[str], points: FloatArray, dot: float) -> Plates:
    """Where names of landmarks, (num_landmarks, 2) screen pixels, are written; those without room have no place.

    As names make room for each other, moving one landmark may move several.
    """
    return dict(place(points, _sizes(tuple(names)), dot))


def paint_names(painter: QPainter, names: Sequence[str], where: Plates, shift: tuple[float, float]) -> None:
    """Write names where :func:`plates` says, moved by so many screen pixels."""
    ratio = painter.device().devicePixelRatioF()
    for landmark, (x, y, _, _) in where.items():
        crisp = QPointF(round((x + shift[0]) * ratio) / ratio, round((y + shift[1]) * ratio) / ratio)
        painter.drawPixmap(crisp, _plate(names[landmark], ratio))


@lru_cache(maxsize=4)
def _sizes(names: tuple[str, ...]) -> FloatArray:
    """(N, 2) width and height of small names, window pixels."""
    metrics = QFontMetricsF(style.font(7.5))
    return np.array([[metrics.horizontalAdvance(name) + 5, metrics.height()] for name in names])


@lru_cache(maxsize=2048)
def _plate(name: str, ratio: float) -> QPixmap:
    """A small name upon its ground, written once: laying text out takes longer than all the rest of it."""
    width, height = _sizes((name,))[0].tolist()
    made = QPixmap(math.ceil(width * ratio), math.ceil(height * ratio))
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(style.brush(style.NAME))
    area = QRectF(0.0, 0.0, width, height)
    painter.drawRoundedRect(area, 3, 3)
    painter.setFont(style.font(7.5))
    painter.setPen(style.pen(style.TAG_TEXT, 1.0))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, name)
    painter.end()
    return made


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
    (x, y), (width, height), gap = points[here].T, sizes[here].T, dot + 4
    right, left = (x + gap, y - height / 2), (x - gap - width, y - height / 2)
    above, below = (x - width / 2, y - gap - height), (x - width / 2, y + gap)
    outward = x < middle
    first, second = np.where(outward, left, right), np.where(outward, right, left)
    corners = np.stack([first, second, above, below]).transpose(2, 0, 1)  # (N, 4, 2)
    areas = np.concatenate([corners, corners + sizes[here][:, None]], axis=2)  # (N, 4 sides, left top right bottom)
    rows, sides = np.nonzero(~_overlap(areas, dots))
    free = areas[rows, sides]
    meet = _meet(free[:, None], free)
    blocked, placed, last = np.zeros(len(free), dtype=np.bool_), [], -1
    for number, row in enumerate(rows.tolist()):  # sides of a landmark follow each other, the best one first
        if row != last and not blocked[number]:
            x0, y0 = free[number, :2].tolist()
            blocked |= meet[number]
            placed.append((int(here[row]), (x0, y0, float(width[row]), float(height[row]))))
            last = row
    return placed


def _overlap(areas: FloatArray, others: FloatArray) -> BoolArray:
    """Which rectangles (..., 4), (left, top, right, bottom), meet any of (N, 4); (...) bool."""
    return np.asarray(_meet(areas[..., None, :], others).any(axis=-1))


def _meet(one: FloatArray, other: FloatArray) -> BoolArray:
    """Whether rectangles (..., 4) meet others (..., 4)."""
    left, top, right, bottom = np.moveaxis(other, -1, 0)
    return np.asarray((one[..., 0] < right) & (one[..., 2] > left) & (one[..., 1] < bottom) & (one[..., 3] > top))
