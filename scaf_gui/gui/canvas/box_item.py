"""The outline and the handles of the face's box while it can be changed: one graphics item."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from scaf_gui.core.handles import OUTLINE, WHOLE, Handle, Rectangle, handle_place
from scaf_gui.gui.canvas import ink, style

_EVERYWHERE = QRectF(-1e7, -1e7, 2e7, 2e7)
#: half the side of a handle, screen pixels
_HALF = 4.0
#: a face that fills the view is told from others without an outline: only smaller boxes always have one, screen pixels
_SMALL = 160.0


class BoxItem(QGraphicsItem):
    """Draws in screen pixels; holds no truth."""

    def __init__(self) -> None:
        super().__init__()
        self.setZValue(1.5)  # upon the landmarks
        self._box: Rectangle | None = None
        self._handles = self._near = False
        self._active: Handle | None = None

    def show_box(self, box: Rectangle | None, *, handles: bool, near: bool, active: Handle | None) -> None:
        """
        :param box: image pixels; ``None`` shows nothing
        :param handles: whether the box is selected
        :param near: whether a press would take its outline; else only a small box has one
        :param active: the handle that is held, or that the arrow keys move
        """
        if (box, handles, near, active) != (self._box, self._handles, self._near, self._active):
            self._box, self._handles, self._near, self._active = box, handles, near, active
            self.update()

    def boundingRect(self) -> QRectF:  # noqa: N802
        return _EVERYWHERE

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if self._box is None:
            return
        view = painter.worldTransform()
        x, y, width, height = self._box
        zoom = float(np.hypot(view.m11(), view.m12()))
        if not (self._handles or self._near) and max(width, height) * zoom > _SMALL:
            return
        outline = ink.polygon(ink.corners(x, y, width, height, view))
        painter.save()
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, bool(view.m12()))  # upright lines are sharper without
        painter.setBrush(Qt.BrushStyle.NoBrush)
        whole = self._handles and self._active == WHOLE
        for colour, pen_width in ((style.HALO, 3.4), (style.SELECTED, 1.8 if whole else 1.2)):
            painter.setPen(style.pen(colour, pen_width))
            painter.drawPolygon(outline)
        if self._handles:
            for handle in OUTLINE:
                self._paint_handle(painter, view.map(QPointF(*handle_place(self._box, handle))), handle)
        painter.restore()

    def _paint_handle(self, painter: QPainter, centre: QPointF, handle: Handle) -> None:
        active = handle == self._active
        half = _HALF + 1.5 if active else _HALF
        painter.setPen(style.pen(style.HALO, 1.4))
        painter.setBrush(style.brush(style.HUMAN if active else style.SELECTED))
        painter.drawRect(QRectF(centre.x() - half, centre.y() - half, 2 * half, 2 * half))
