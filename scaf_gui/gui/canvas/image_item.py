"""The photo on the canvas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from scaf_gui.core.arrays import ByteArray
from scaf_gui.gui.canvas.look import Look
from scaf_gui.gui.canvas.pyramid import Pyramid

#: of a loupe's picture, beside the image
_BESIDE = np.uint32(0xFF0E1014)


class ImageItem(QGraphicsItem):
    """Paints what a view shows of one image, from a suitable level of its pyramid.

    The picture is made once for each position of the view, at the resolution of the screen; painting
    again (a landmark was moved over it) only copies it. Nothing larger than the window is ever made.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pyramid: Pyramid | None = None
        self._key: tuple[float, ...] = ()
        self._picture: QImage | None = None
        self._pixels: npt.NDArray[np.uint32] | None = None  # the picture's memory
        self._at = (0.0, 0.0)
        self._look: Look | None = None
        #: told of a level whose local contrast would be needed, so that it is worked out beside the painting
        self.lacks: Callable[[Pyramid, int], object] = lambda pyramid, level: None

    def set_image(self, image: ByteArray | Pyramid | None) -> None:
        """Show another image, (height, width, 3) uint8 RGB, or one whose levels have been made."""
        self.prepareGeometryChange()
        self._pyramid = image if image is None or isinstance(image, Pyramid) else Pyramid(image)
        self._key, self._picture, self._pixels = (), None, None
        self.update()

    def set_look(self, look: Look) -> None:
        """Change how the photo is shown; itself it stays as it is."""
        self._look = None if look.is_neutral else look
        self.look_again()

    def look_again(self) -> None:
        """Make the picture anew: it may be shown better now."""
        self._key = ()
        self.update()

    @property
    def size(self) -> tuple[int, int] | None:
        """(width, height) in pixels."""
        return None if self._pyramid is None else (self._pyramid.width, self._pyramid.height)

    def boundingRect(self) -> QRectF:  # noqa: N802
        """From the outer edge of the first pixel, half a pixel before its centre."""
        width, height = self.size or (0, 0)
        return QRectF(-0.5, -0.5, width, height)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if self._pyramid is None:
            return
        to_screen = painter.worldTransform()
        area = painter.viewport() if widget is None else widget.rect()
        ratio = painter.device().devicePixelRatioF()
        turn = float(np.arctan2(to_screen.m12(), to_screen.m11())) if to_screen.m12() else 0.0
        self._render(
            float(np.hypot(to_screen.m11(), to_screen.m12())) * ratio,
            -to_screen.dx() * ratio,
            -to_screen.dy() * ratio,
            round(area.width() * ratio),
            round(area.height() * ratio),
            ratio,
            turn,
        )
        if self._picture is not None:
            painter.save()
            painter.resetTransform()
            painter.drawImage(QPointF(*self._at), self._picture)
            painter.restore()

    def patch(self, x: float, y: float, scale: float, side: int, ratio: float, turn: float = 0.0) -> QImage | None:
        """A small picture of the surroundings of (x, y) image pixels, for a loupe.

        :param scale: window pixels per image pixel
        :param side: width and height of the picture, window pixels; dark where the image ends
        :param ratio: screen pixels per window pixel
        :param turn: by which the image is turned, radians, clockwise
        """
        if self._pyramid is None:
            return None
        across, finer = round(side * ratio), scale * ratio
        cos, sin = (float(np.cos(turn)), float(np.sin(turn))) if turn else (1.0, 0.0)
        left, top = (cos * x - sin * y) * finer - across / 2, (sin * x + cos * y) * finer - across / 2
        seen = self._pyramid.view(finer, left, top, across, across, turn, self._look)
        if seen is None:
            return None
        column, row, pixels = seen
        rows, columns = pixels.shape
        picture = QImage(across, across, QImage.Format.Format_ARGB32_Premultiplied)
        if (rows, columns) != (across, across):
            picture.fill(int(_BESIDE))
        memory = np.frombuffer(picture.bits(), np.uint32).reshape(across, picture.bytesPerLine() // 4)
        memory[row : row + rows, column : column + columns] = np.where(pixels, pixels, _BESIDE) if turn else pixels
        picture.setDevicePixelRatio(ratio)
        return picture

    def _render(
        self, scale: float, left: float, top: float, width: int, height: int, ratio: float, turn: float
    ) -> None:
        key = (scale, left, top, width, height, ratio, turn)
        if key == self._key or self._pyramid is None:
            return
        self._key, self._picture = key, None
        seen = self._pyramid.view(scale, left, top, width, height, turn, self._look)
        if self._look is not None and self._look.local > 0 and not self._pyramid.is_lit(self._pyramid.level_for(scale)):
            self.lacks(self._pyramid, self._pyramid.level_for(scale))
        if seen is None:
            return
        x, y, pixels = seen
        self._pixels = np.ascontiguousarray(pixels)
        rows, columns = self._pixels.shape
        # a turned photo may leave the view's corners free; an opaque picture is painted in half the time
        opaque = bool(self._pixels[:: max(rows - 1, 1), :: max(columns - 1, 1)].all())
        form = QImage.Format.Format_RGB32 if opaque else QImage.Format.Format_ARGB32_Premultiplied
        self._picture = QImage(self._pixels.data, columns, rows, columns * 4, form)
        self._picture.setDevicePixelRatio(ratio)
        self._at = (x / ratio, y / ratio)
