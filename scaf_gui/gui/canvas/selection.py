"""The box around selected landmarks: its handles, what of it is under the cursor, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QTransform

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.transforms import extent
from scaf_gui.gui.canvas import style
from scaf_gui.gui.canvas.shown import Shown
from scaf_gui.gui.canvas.sprites import stamp

#: room between the landmarks and the box, the stalk of the handle that turns, and how near a press takes a handle
PAD, STALK, GRAB = 14.0, 26.0, 9.0
#: half the side of a handle, screen pixels
_HALF = 4.0


def upright(points: FloatArray, turn: float) -> FloatArray:
    """(..., 2) image pixels, turned about the origin as the view turns the image, so that boxes are upright there."""
    if not turn:
        return points
    cos, sin = np.cos(turn), np.sin(turn)
    made: FloatArray = points @ np.array([[cos, sin], [-sin, cos]])
    return made


def frame(
    points: FloatArray, chosen: frozenset[int], zoom: float, turn: float = 0.0
) -> tuple[float, float, float, float] | None:
    """(left, top, right, bottom) of the box around at least two chosen landmarks, image pixels.

    :param turn: of the view, radians; the box is upright on the screen, its sides as of :func:`upright`
    """
    rows = upright(points[sorted(chosen)] if chosen else points[:0], turn)
    if np.isfinite(rows).all(axis=1).sum() < 2:
        return None
    around = extent(rows)
    assert around is not None
    x, y, width, height = around
    pad = PAD / zoom
    return x - pad, y - pad, x + width + pad, y + height + pad


def handles(box: tuple[float, float, float, float], zoom: float) -> tuple[tuple[str, tuple[float, float]], ...]:
    """Name and place of the handles, image pixels: "rotate" upon its stalk, four corners to scale."""
    left, top, right, bottom = box
    return (
        ("rotate", ((left + right) / 2, top - STALK / zoom)),
        ("scale", (left, top)),
        ("scale", (right, top)),
        ("scale", (right, bottom)),
        ("scale", (left, bottom)),
    )


def part_at(
    box: tuple[float, float, float, float], zoom: float, x: float, y: float, turn: float = 0.0
) -> tuple[str, tuple[float, float]] | None:
    """What of the box is at (x, y), image pixels: "rotate", "scale" or "move", and what stays in place meanwhile.

    :param turn: as of :func:`frame`
    """
    left, top, right, bottom = box
    x, y = upright(np.array([x, y]), turn).tolist()
    middle = ((left + right) / 2, (top + bottom) / 2)
    found: tuple[str, tuple[float, float]] | None = (
        ("move", middle) if left <= x <= right and top <= y <= bottom else None
    )
    for kind, at in handles(box, zoom):
        if max(abs(x - at[0]), abs(y - at[1])) * zoom <= GRAB:
            across = (left + right - at[0], top + bottom - at[1])
            found = kind, middle if kind == "rotate" else across
            break
    if found is None or not turn:
        return found
    stays = upright(np.array(found[1]), -turn).tolist()
    return found[0], (stays[0], stays[1])


def paint(
    painter: QPainter,
    view: QTransform,
    shown: Shown,
    chosen: frozenset[int],
    zoom: float,
    *,
    active: str = "",
    before: FloatArray | None = None,
    carried: Callable[[FloatArray], FloatArray] = lambda marks: marks,
) -> None:
    """Draw rings around the chosen landmarks and, around two or more, the box with its handles.

    :param active: the kind of handle that is held, or under the cursor
    :param before: (num_landmarks, 2) where they were when a handle was taken: the box is theirs, ``carried`` along
    """
    points = shown.points[sorted(chosen)]
    points = points[np.isfinite(points).all(axis=1)]
    painter.save()
    painter.resetTransform()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    places = np.array([view.map(QPointF(x, y)).toTuple() for x, y in points.tolist()]).reshape(-1, 2)
    stamp(painter, places, "circle", 5.0, style.SELECTED, 1.0)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    turn = float(np.arctan2(view.m12(), view.m11())) if view.m12() else 0.0
    box = frame(shown.points if before is None else before, chosen, zoom, turn)
    if box is not None:
        left, top, right, bottom = box
        (_, at), *_rest = handles(box, zoom)
        marks = np.array([(left, top), (right, top), (right, bottom), (left, bottom), at, (at[0], top)])
        *corners, knob, foot = (view.map(QPointF(x, y)) for x, y in carried(upright(marks, -turn)).tolist())
        for colour, width in ((style.SOFT_HALO, 3.0), (style.SELECTED, 1.2)):
            painter.setPen(style.pen(colour, width, dashed=colour == style.SELECTED))
            painter.drawPolygon(corners)
            painter.setPen(style.pen(colour, width))
            painter.drawLine(foot, knob)
        painter.setPen(style.pen(style.HALO, 1.4))
        painter.setBrush(style.brush(style.HUMAN if active == "rotate" else style.SELECTED))
        painter.drawEllipse(knob, _HALF + 1.5, _HALF + 1.5)
        painter.setBrush(style.brush(style.HUMAN if active == "scale" else style.SELECTED))
        for corner in corners:
            painter.drawRect(QRectF(corner.x() - _HALF, corner.y() - _HALF, 2 * _HALF, 2 * _HALF))
    painter.restore()


def paint_reach(painter: QPainter, view: QTransform, points: FloatArray, weights: FloatArray) -> None:
    """Draw how much each landmark takes part in a drag: the larger its ring, the more."""
    painter.save()
    painter.resetTransform()
    part = (weights > 0) & (weights < 1) & np.isfinite(points).all(axis=1)
    for (x, y), weight in zip(points[part].tolist(), weights[part].tolist(), strict=True):
        at = view.map(QPointF(x, y)).toTuple()
        stamp(painter, np.array([at]), "circle", 3.0 + round(12 * weight) / 2, style.SELECTED, 1.0)
    painter.restore()
