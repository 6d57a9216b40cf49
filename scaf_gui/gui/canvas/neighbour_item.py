"""The other faces of the photo, drawn lightly behind the one that is worked on: one graphics item."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import State
from scaf_gui.gui.canvas import ink, style
from scaf_gui.gui.canvas.neighbours import Neighbour

_EVERYWHERE = QRectF(-1e7, -1e7, 2e7, 2e7)
#: how far a number tag and a halo reach beyond the face, screen pixels
_REACH = 26.0
_SAID = {
    State.UNLABELLED: "",
    State.STARTED: "started",
    State.LABELLED: "labelled",
    State.SKIPPED: "skipped",
}


class NeighbourItem(QGraphicsItem):
    """Draws the neighbours' boxes, skeletons and numbers in screen pixels; holds no truth."""

    def __init__(self) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self.setZValue(0.5)  # upon the photo, under the landmarks
        self._others: tuple[Neighbour, ...] = ()
        self._hovered: int | None = None
        self._skeleton = True

    def set_others(self, others: tuple[Neighbour, ...]) -> None:
        """Show other neighbours."""
        if others or self._others:
            self._others, self._hovered = others, None
            self.update()

    def set_hovered(self, face_id: int | None) -> None:
        """Tell which face is under the cursor."""
        if face_id != self._hovered:
            self._hovered = face_id
            self.update()

    def set_skeleton(self, on: bool) -> None:
        self._skeleton = on
        self.update()

    def boundingRect(self) -> QRectF:  # noqa: N802
        return _EVERYWHERE

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if not self._others:
            return
        view = painter.worldTransform()
        exposed = view.mapRect(option.exposedRect)
        painter.save()
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for other in self._others:
            bounds = other.bounds()
            if bounds is None:
                continue
            area = view.mapRect(QRectF(*bounds))
            # landmarks reach out of a detector's box, by less than its half
            pad = _REACH + max(area.width(), area.height()) / 2
            if not area.adjusted(-pad, -pad, pad, pad).intersects(exposed):
                continue
            hovered = other.face_id == self._hovered
            painter.setOpacity(1.0 if hovered else 0.6)
            ink.brackets(painter, ink.corners(*bounds, view))
            if self._skeleton and other.points is not None:
                self._paint_curves(painter, other, ink.mapped(other.points, view), hovered)
            painter.setOpacity(1.0 if hovered else 0.85)
            _paint_number(painter, other, area, hovered)
        painter.restore()

    def _paint_curves(self, painter: QPainter, other: Neighbour, points: FloatArray, hovered: bool) -> None:
        ends = points[np.asarray(other.edges, dtype=np.intp).reshape(-1, 2)]
        lines = ink.lines(ends[np.isfinite(ends).all(axis=(1, 2))])
        painter.setPen(style.pen(style.FAINT_HALO, 2.4))
        painter.drawLines(lines)
        painter.setPen(style.pen(style.HUMAN if other.human else style.PREDICTED, 1.2 if hovered else 0.9))
        painter.drawLines(lines)


def _paint_number(painter: QPainter, other: Neighbour, area: QRectF, hovered: bool) -> None:
    """The face's number above its box; the one under the cursor says more."""
    said = _SAID[other.state]
    text = f"{other.number}{f'  {said}' if said and (hovered or area.width() > 90) else ''}"
    if hovered:
        text = f"Face {text}"
    font = style.font(9.0 if hovered else 8.0)
    metrics = QFontMetricsF(font)
    tag = QRectF(0, 0, metrics.horizontalAdvance(text) + 10, metrics.height() + 3)
    tag.moveBottomLeft(QPointF(area.left(), area.top() - 3))
    if tag.top() < 0:
        tag.moveTop(max(area.top(), 0.0) + 3)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(style.brush(style.TAG))
    painter.drawRoundedRect(tag, 4, 4)
    painter.setPen(style.pen(style.TAG_TEXT, 1.0))
    painter.setFont(font)
    painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, text)
