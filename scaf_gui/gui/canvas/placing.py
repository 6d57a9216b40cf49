"""Placing landmarks by clicks: a small picture that shows where the next one goes."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QPainter

from scaf_gui.core.arrays import BoolArray, FloatArray
from scaf_gui.core.scheme import Scheme
from scaf_gui.core.transforms import extent
from scaf_gui.gui.canvas import ink, style
from scaf_gui.gui.canvas.shown import Shown

#: least size of the picture, its distance from the edge of the canvas, that of text from its own edge, screen pixels
WIDTH, HEIGHT, MARGIN, PAD = 188, 232, 12, 14
_TEXT = 62.0  # of the height, for two lines of names and one of keys


class Picture:
    """The mean shape of a scheme with the next landmark upon it, and its name.

    :param shape: (num_landmarks, 2) any frame, y down; ``None``: no shape is known, only names are shown
    """

    def __init__(self, scheme: Scheme, shape: FloatArray | None):
        self._scheme = scheme
        self.width = max(WIDTH, math.ceil(QFontMetricsF(style.font(_SMALL)).horizontalAdvance(_KEYS)) + 2 * PAD)
        self._shape = None if shape is None else _fitted(shape, self.width)
        self._order = scheme.walk
        self._made: tuple[object, QImage] | None = None
        self._right = False

    @property
    def height(self) -> int:
        return HEIGHT if self._shape is not None else int(_TEXT) + 12

    def area(self, view: tuple[int, int]) -> QRectF:
        """Where it lies on the screen: bottom left, or bottom right once the cursor came there."""
        left = view[0] - MARGIN - self.width if self._right else MARGIN
        return QRectF(left, view[1] - MARGIN - self.height, self.width, self.height)

    def dodge(self, cursor: QPointF, view: tuple[int, int]) -> bool:
        """Go to the other side when the cursor comes near; whether it does."""
        if not self.area(view).adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN).contains(cursor):
            return False
        self._right = not self._right
        return True

    def paint(self, painter: QPainter, shown: Shown, selected: int | None, view: tuple[int, int]) -> None:
        """Draw it in screen pixels. :param selected: the landmark that the next click places"""
        ratio = painter.device().devicePixelRatioF()
        key = (selected, shown.human.tobytes(), ratio)
        if self._made is None or self._made[0] != key:
            self._made = key, self._draw(shown.human, selected, ratio)
        painter.save()
        painter.resetTransform()
        painter.drawImage(self.area(view).topLeft(), self._made[1])
        painter.restore()

    def _draw(self, done: BoolArray, selected: int | None, ratio: float) -> QImage:
        image = QImage(round(self.width * ratio), round(self.height * ratio), QImage.Format.Format_ARGB32_Premultiplied)
        image.setDevicePixelRatio(ratio)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(style.pen("#38ffffff", 1.0))
        painter.setBrush(style.brush("#e8101418"))
        painter.drawRoundedRect(QRectF(0.5, 0.5, self.width - 1, self.height - 1), 8, 8)
        if self._shape is not None:
            self._draw_shape(painter, self._shape, done, selected)
        self._draw_text(painter, done, selected)
        painter.end()
        return image

    def _draw_shape(self, painter: QPainter, shape: FloatArray, done: BoolArray, selected: int | None) -> None:
        edges = np.asarray(self._scheme.edges, dtype=np.intp).reshape(-1, 2)
        painter.setPen(style.pen("#60ffffff", 1.0))
        painter.drawLines(ink.lines(shape[edges]))
        painter.setPen(Qt.PenStyle.NoPen)
        for mask, colour, radius in ((~done, "#90ffffff", 1.5), (done, style.HUMAN, 2.0)):
            painter.setBrush(style.brush(colour))
            painter.drawPath(ink.circles(shape[mask], radius))
        if selected is not None:
            here = shape[selected][None]
            ink.ringed(painter, ink.circles(here, 4.5), style.PREDICTED, 1.5, style.brush(style.PREDICTED))
            ink.ringed(painter, ink.circles(here, 9.0), style.PREDICTED, 1.4)

    def _draw_text(self, painter: QPainter, done: BoolArray, selected: int | None) -> None:
        top = self.height - _TEXT
        name = "All placed" if selected is None else self._scheme.names[selected].replace("_", " ")
        place = "" if selected is None else f"{self._order.index(selected) + 1} of {len(done)}, {int(done.sum())} done"
        rows = (
            (name, 10.5, style.PREDICTED, 20.0),
            (place, 8.5, style.TAG_TEXT, 15.0),
            (_KEYS, _SMALL, "#b0f2f5f8", 15.0),
        )
        for text, size, colour, height in rows:
            painter.setPen(style.pen(colour, 1.0))
            painter.setFont(style.font(size))
            room = QRectF(PAD, top, self.width - 2 * PAD, height)
            text = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, round(room.width()))
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, text)
            top += height


_SMALL = 7.5  # points
_KEYS = "X missing · ⌫ take back · Esc ends"


def _fitted(shape: FloatArray, wide: int) -> FloatArray:
    """A shape in the middle of the picture's upper part, as large as it goes."""
    room = np.array([wide - 44.0, HEIGHT - _TEXT - 34.0])
    x, y, width, height = extent(shape) or (0.0, 0.0, 1.0, 1.0)
    scale = float((room / np.maximum([width, height], 1e-9)).min())
    middle = np.array([wide / 2, (HEIGHT - _TEXT) / 2 + 4])
    fitted: FloatArray = (shape - [x + width / 2, y + height / 2]) * scale + middle
    return fitted
