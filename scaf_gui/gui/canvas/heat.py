"""Heatmaps upon the photo: one translucent layer, of one landmark or of all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QTransform
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from scaf_gui.core.arrays import FloatArray
from scaf_gui.gui.canvas.scales import finer, heat_pixels

_EVERYWHERE = QRectF(-1e7, -1e7, 2e7, 2e7)
#: the map is made so many times finer, by cubic convolution: what Qt then enlarges linearly shows no corners
TIMES = 4


class HeatItem(QGraphicsItem):
    """Paints one map; holds no truth.

    The layer is made once for each position of the view, so that a landmark that is dragged over it only copies it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setZValue(0.2)  # upon the photo, below everything else
        self._image: QImage | None = None
        self._pixels: npt.NDArray[np.uint32] | None = None  # the image's memory
        self._side = 0
        self._to_image = QTransform()
        self._layer: QImage | None = None
        self._key: tuple[float, ...] = ()

    def show_map(self, heights: npt.NDArray[np.float32] | None, to_image: FloatArray | None = None) -> None:
        """Show a map, or nothing.

        :param heights: (S, S) float32, 1: a perfect peak
        :param to_image: (2, 3) from its pixels to image pixels, both with pixel centres at whole numbers
        """
        if heights is None and self._image is None:
            return
        self._image = self._layer = self._pixels = None
        self._key = ()
        if heights is not None and to_image is not None:
            self._side = len(heights)
            self._pixels = np.ascontiguousarray(heat_pixels(finer(heights, TIMES)))
            rows, columns = self._pixels.shape
            self._image = QImage(
                self._pixels.data, columns, rows, 4 * columns, QImage.Format.Format_ARGB32_Premultiplied
            )
            (a, b, dx), (c, d, dy) = to_image.tolist()
            self._to_image = QTransform(a, c, b, d, dx, dy)
        self.update()

    @property
    def is_shown(self) -> bool:
        return self._image is not None

    def boundingRect(self) -> QRectF:  # noqa: N802
        return _EVERYWHERE

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if self._image is None:
            return
        area = painter.viewport() if widget is None else widget.rect()
        layer = self._rendered(painter.worldTransform(), area.width(), area.height(), painter.device())
        if layer is not None:
            painter.save()
            painter.resetTransform()
            painter.drawImage(QPointF(0, 0), layer)
            painter.restore()

    def _rendered(self, view: QTransform, width: int, height: int, device: object) -> QImage | None:
        ratio = float(device.devicePixelRatioF())  # type: ignore[attr-defined]
        key = (view.m11(), view.m12(), view.m21(), view.m22(), view.dx(), view.dy(), width, height, ratio)
        if key == self._key or self._image is None:
            return self._layer
        self._key = key
        layer = QImage(round(width * ratio), round(height * ratio), QImage.Format.Format_ARGB32_Premultiplied)
        layer.setDevicePixelRatio(ratio)
        layer.fill(Qt.GlobalColor.transparent)
        painter = QPainter(layer)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setTransform(self._to_image * view)
        painter.drawImage(QRectF(-0.5, -0.5, self._side, self._side), self._image)
        painter.end()
        self._layer = layer
        return layer
