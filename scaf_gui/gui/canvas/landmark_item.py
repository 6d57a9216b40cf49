"""All landmarks of a face, their skeleton, box and names: one graphics item."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPainterPath
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from scaf_gui.core.arrays import BoolArray, FloatArray
from scaf_gui.core.face import Flag
from scaf_gui.gui.canvas import style
from scaf_gui.gui.canvas.hit import spacing
from scaf_gui.gui.canvas.shown import Shown

_EVERYWHERE = QRectF(-1e7, -1e7, 2e7, 2e7)


class LandmarkItem(QGraphicsItem):
    """Draws one :class:`Shown`; holds no truth.

    The item claims the whole plane and asks only for those parts to be painted again that change, which
    keeps moving one landmark independent of how many there are. Everything is drawn in screen pixels.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self.setZValue(1)
        self._shown: Shown | None = None
        self._edges = np.empty((0, 2), dtype=np.intp)
        self._zoom = 1.0
        self._dot = style.LARGEST_DOT
        self._selected: int | None = None
        self._hovered: int | None = None
        self._dragged = False
        self._layers = {"skeleton": True, "labels": False, "ghost": False}

    # -- what is shown

    def set_shown(self, shown: Shown | None) -> None:
        """Show other landmarks."""
        self._shown = shown
        self._edges = np.asarray(shown.edges if shown else (), dtype=np.intp).reshape(-1, 2)
        self._measure()
        self.update()

    def set_zoom(self, zoom: float) -> None:
        """Tell how many screen pixels an image pixel has."""
        self._zoom = zoom
        self._measure()

    def _measure(self) -> None:
        gap = spacing(self._shown.points, self._shown.edges) * self._zoom if self._shown else np.inf
        self._dot = float(np.clip(style.DOT_SHARE * gap, style.SMALLEST_DOT, style.LARGEST_DOT))

    def preview(self, landmark: int, x: float, y: float) -> None:
        """Draw one landmark at (x, y) image pixels until other landmarks are shown."""
        if self._shown is not None:
            self._touch(landmark)
            self._shown = self._shown.with_point(landmark, x, y)
            self._touch(landmark)

    def mark(self, *, selected: int | None, hovered: int | None, dragged: bool) -> None:
        """Tell which landmark is selected, which is under the cursor, and whether the selected one moves."""
        before = {self._selected, self._hovered}
        changed = (selected, hovered, dragged) != (self._selected, self._hovered, self._dragged)
        if changed:
            self._touch(*before)
            self._selected, self._hovered, self._dragged = selected, hovered, dragged
            self._touch(selected, hovered)

    def layer(self, name: str) -> bool:
        return self._layers[name]

    def set_layer(self, name: str, on: bool) -> None:
        """Show or hide "skeleton", "labels" or "ghost"."""
        self._layers[name] = on
        self.update()

    # -- what must be painted again

    def boundingRect(self) -> QRectF:  # noqa: N802
        return _EVERYWHERE

    def _touch(self, *landmarks: int | None) -> None:
        """Ask for the surroundings of landmarks, with their edges and name tags, to be painted again."""
        if self._shown is None:
            return
        points = self._shown.points
        for landmark in landmarks:
            if landmark is None or landmark >= len(points):
                continue
            joined = self._edges[(self._edges == landmark).any(axis=1)].ravel()
            around = points[np.append(joined, landmark)]
            if self._layers["ghost"] and self._shown.ghost is not None:
                around = np.vstack([around, self._shown.ghost[landmark]])
            around = around[np.isfinite(around).all(axis=1)]
            if not len(around):
                continue
            (left, top), (right, bottom) = around.min(axis=0), around.max(axis=0)
            pad = style.REACH / self._zoom
            area = QRectF(left - pad, top - pad, right - left + 2 * pad, bottom - top + 2 * pad)
            if np.isfinite(points[landmark]).all():
                x, y = points[landmark] * self._zoom
                for left in (False, True):
                    tag = _tag_area(self._shown.names[landmark], x, y, left)
                    area |= QRectF(tag.topLeft() / self._zoom, tag.size() / self._zoom)
            self.update(area)

    # -- painting

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        shown = self._shown
        if shown is None:
            return
        view = painter.worldTransform()
        scale, shift = np.array([view.m11(), view.m22()]), np.array([view.dx(), view.dy()])
        exposed = view.mapRect(option.exposedRect)
        painter.save()
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if shown.box is not None:
            corner = view.map(QPointF(shown.box.x, shown.box.y))
            _paint_box(painter, QRectF(corner.x(), corner.y(), shown.box.width * scale[0], shown.box.height * scale[1]))
        if self._layers["ghost"] and shown.ghost is not None:
            self._paint_ghost(painter, shown, shown.ghost * scale + shift, shown.points * scale + shift)
        points = shown.points * scale + shift
        if self._layers["skeleton"]:
            self._paint_skeleton(painter, shown, points, exposed)
        near = _within(points, exposed, style.REACH)
        if self._dragged and self._selected is not None and self._selected < len(near):
            near[self._selected] = False  # nothing may cover the place where it goes
        self._paint_dots(painter, shown, points, near)
        self._paint_marks(painter, points)
        if self._layers["labels"]:
            self._paint_names(painter, shown, points, exposed)
        named = self._hovered if self._hovered is not None else self._selected
        if named is not None and not self._dragged and named < len(points) and np.isfinite(points[named]).all():
            _paint_tag(painter, shown.names[named], *points[named].tolist())
        painter.restore()

    def _paint_skeleton(self, painter: QPainter, shown: Shown, points: FloatArray, exposed: QRectF) -> None:
        edges = self._edges
        ends = points[edges]
        low, high = ends.min(axis=1), ends.max(axis=1)
        drawn = (
            np.isfinite(ends).all(axis=(1, 2))
            & ~(shown.flags[edges] == Flag.MISSING).any(axis=1)
            & (low[:, 0] < exposed.right() + 3)
            & (low[:, 1] < exposed.bottom() + 3)
            & (high[:, 0] > exposed.left() - 3)
            & (high[:, 1] > exposed.top() - 3)
        )
        human = shown.human[edges].all(axis=1)
        solid, dashed = _lines(ends[drawn & human]), _lines(ends[drawn & ~human])
        painter.setPen(style.pen(style.SOFT_HALO, 3.2))
        painter.drawLines(solid + dashed)
        painter.setPen(style.pen(style.HUMAN, 1.3))
        painter.drawLines(solid)
        painter.setPen(style.pen(style.PREDICTED, 1.3, dashed=True))
        painter.drawLines(dashed)

    def _paint_dots(self, painter: QPainter, shown: Shown, points: FloatArray, near: BoolArray) -> None:
        radius = self._dot
        visible = near & (shown.flags == Flag.VISIBLE)
        occluded = near & (shown.flags == Flag.OCCLUDED)
        for human, colour in ((False, style.PREDICTED), (True, style.HUMAN)):
            circles = _circles(points[visible & (shown.human == human)], radius if human else radius + 0.3)
            squares = _diamonds(points[occluded & (shown.human == human)], radius + 1.2)
            painter.setBrush(style.brush(colour) if human else Qt.BrushStyle.NoBrush)
            _ringed(painter, circles, colour, 1.0 if human else 1.4)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            _ringed(painter, squares, colour, 1.5)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        _ringed(painter, _circles(points[near & shown.unsure], radius + 4.0), style.UNSURE, 1.3)
        _ringed(painter, _crosses(points[near & (shown.flags == Flag.MISSING)], 3.5), style.MISSING, 1.5)

    def _paint_marks(self, painter: QPainter, points: FloatArray) -> None:
        """The ring of the landmark under the cursor, the cross-hair of the selected one."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self._hovered is not None and self._hovered < len(points) and self._hovered != self._selected:
            _ringed(painter, _circles(points[self._hovered][None], self._dot + 3.5), style.SELECTED, 1.4)
        if self._selected is None or self._selected >= len(points):
            return
        here = points[self._selected][None]
        if not np.isfinite(here).all():
            return
        _ringed(painter, _circles(here, self._dot + 3.0), style.SELECTED, 1.1 if self._dragged else 1.6)
        _ringed(painter, _hairs(here, self._dot + 4.5, style.REACH - 4), style.SELECTED, 1.2)

    def _paint_ghost(self, painter: QPainter, shown: Shown, ghost: FloatArray, points: FloatArray) -> None:
        """The prediction behind the label, and how far each landmark was moved from it."""
        ends = ghost[self._edges]
        painter.setPen(style.pen("#90ffc247", 1.0, dashed=True))
        painter.drawLines(_lines(ends[np.isfinite(ends).all(axis=(1, 2))]))
        moves = np.stack([ghost, points], axis=1)
        moves = moves[np.isfinite(moves).all(axis=(1, 2)) & (np.abs(ghost - points).max(axis=1) > 1.0)]
        painter.setPen(style.pen("#a0ffffff", 1.0))
        painter.drawLines(_lines(moves))
        painter.setPen(style.pen("#c0ffc247", 1.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(_circles(moves[:, 0], 2.0))

    def _paint_names(self, painter: QPainter, shown: Shown, points: FloatArray, exposed: QRectF) -> None:
        """Names beside their landmarks; one that would cover another is left out until there is room."""
        face = style.font(7.5)
        metrics = QFontMetricsF(face)
        painter.setFont(face)
        taken: list[QRectF] = []
        for (x, y), name in zip(points.tolist(), shown.names, strict=True):
            if not np.isfinite(x + y):
                continue
            area = QRectF(
                x + self._dot + 4, y - metrics.height() / 2, metrics.horizontalAdvance(name) + 4, metrics.height()
            )
            if any(area.intersects(other) for other in taken):
                continue
            taken.append(area)
            if area.intersects(exposed):
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(style.brush("#90101418"))
                painter.drawRoundedRect(area, 3, 3)
                painter.setPen(style.pen(style.TAG_TEXT, 1.0))
                painter.drawText(area, Qt.AlignmentFlag.AlignCenter, name)


# -- shapes, all in screen pixels


def _within(points: FloatArray, area: QRectF, pad: float) -> BoolArray:
    x, y = points.T
    return np.asarray(
        (x > area.left() - pad) & (x < area.right() + pad) & (y > area.top() - pad) & (y < area.bottom() + pad)
    )


def _lines(ends: FloatArray) -> list[QLineF]:
    return [QLineF(*row) for row in ends.reshape(-1, 4).tolist()]


def _circles(points: FloatArray, radius: float) -> QPainterPath:
    path = QPainterPath()
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
    return path


def _diamonds(points: FloatArray, radius: float) -> QPainterPath:
    return _strokes(points, [((0, -radius), (radius, 0), (0, radius), (-radius, 0), (0, -radius))])


def _crosses(points: FloatArray, radius: float) -> QPainterPath:
    return _strokes(points, [((-radius, -radius), (radius, radius)), ((radius, -radius), (-radius, radius))])


def _hairs(points: FloatArray, start: float, end: float) -> QPainterPath:
    return _strokes(
        points, [((x * start, y * start), (x * end, y * end)) for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1))]
    )


def _ringed(painter: QPainter, path: QPainterPath, colour: str, width: float) -> None:
    """Draw a path in a colour upon a dark halo."""
    if path.isEmpty():
        return
    inside = painter.brush()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(style.pen(style.HALO, width + 2.0))
    painter.drawPath(path)
    painter.setBrush(inside)
    painter.setPen(style.pen(colour, width))
    painter.drawPath(path)


def _paint_box(painter: QPainter, box: QRectF) -> None:
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


def _tag_area(text: str, x: float, y: float, left: bool) -> QRectF:
    metrics = QFontMetricsF(style.font(9.0))
    width, height = metrics.horizontalAdvance(text) + 14, metrics.height() + 6
    return QRectF(x - 12 - width if left else x + 12, y - 14 - height, width, height)


def _paint_tag(painter: QPainter, text: str, x: float, y: float) -> None:
    """A name beside its landmark, on the side where there is room."""
    area = _tag_area(text, x, y, left=False)
    if area.right() > painter.viewport().right():
        area = _tag_area(text, x, y, left=True)
    if area.top() < 0:
        area.moveTop(y + 14)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(style.brush(style.TAG))
    painter.drawRoundedRect(area, 4, 4)
    painter.setPen(style.pen(style.TAG_TEXT, 1.0))
    painter.setFont(style.font(9.0))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)
