"""Beside the canvas: the face as the model is shown it, and as its auto-encoder paints it, landmarks on both."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from scaf_gui.core.arrays import BoolArray, ByteArray, FloatArray
from scaf_gui.core.geometry import Square, crop_transform, transform
from scaf_gui.gui import theme
from scaf_gui.gui.canvas import ink, style
from scaf_gui.gui.canvas.sprites import stamp

_WIDTH = 220


class Tile(QWidget):
    """One square picture with landmarks upon it."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self._picture: QImage | None = None
        self._pixels: ByteArray | None = None  # the picture's memory
        self._points = np.empty((0, 2))
        self._human = np.empty(0, dtype=np.bool_)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        return width

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(_WIDTH - 28, _WIDTH - 28)

    @property
    def points(self) -> FloatArray:
        """(num_landmarks, 2) as drawn, pixels of the picture."""
        return self._points

    def show_picture(self, picture: ByteArray | None, points: FloatArray, human: BoolArray) -> None:
        """
        :param picture: (side, side, 3) uint8 RGB
        :param points: (num_landmarks, 2) its pixels, centres at whole numbers
        :param human: (num_landmarks,) whether a person stands for them
        """
        self._picture = self._pixels = None
        if picture is not None:
            self._pixels = np.ascontiguousarray(picture)
            rows, columns = self._pixels.shape[:2]
            self._picture = QImage(self._pixels.data, columns, rows, 3 * columns, QImage.Format.Format_RGB888)
        self._points, self._human = points, human
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        if self._picture is None:
            return
        painter = QPainter(self)
        side = float(min(self.width(), self.height()))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(0, 0, side, side), self._picture)
        at = (self._points + 0.5) * (side / self._picture.width())
        inside = ink.within(at, QRectF(0, 0, side, side), 0.0)
        for human, colour in ((False, style.PREDICTED), (True, style.HUMAN)):
            stamp(painter, at[inside & (self._human == human)], "circle", 1.4, colour, 1.0, filled=True)
        painter.end()


class ReconstructionPanel(QWidget):
    """Hidden until it is switched on."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setObjectName("sidePanel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Reconstruction")
        self.setFixedWidth(_WIDTH)
        self._title = QLabel("Reconstruction", self)
        theme.set_role(self._title, "heading")
        self._seen_title = QLabel("What the model is shown", self)
        self._painted_title = QLabel("What the auto-encoder paints", self)
        self.seen, self.painted = Tile(self), Tile(self)
        self.note = QLabel(self)
        self.note.setWordWrap(True)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        for label in (self._seen_title, self._painted_title, self.note):
            theme.set_role(label, "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 10)
        column.setSpacing(6)
        for widget in (self._title, self._seen_title, self.seen, self._painted_title, self.painted, self.note):
            column.addWidget(widget)
        column.addStretch(1)
        self.say("")
        self.hide()

    def say(self, text: str) -> None:
        """Show nothing but a line: what it waits for, or why there is no picture."""
        self._show_tiles(None, None)
        self._note(text)

    def _note(self, text: str) -> None:
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def _show_tiles(self, crop: ByteArray | None, painted: ByteArray | None) -> None:
        for title, tile, picture in (
            (self._seen_title, self.seen, crop),
            (self._painted_title, self.painted, painted),
        ):
            title.setVisible(picture is not None)
            tile.setVisible(picture is not None)

    def show_face(
        self,
        crop: ByteArray,
        painted: ByteArray | None,
        square: Square,
        points: FloatArray,
        human: BoolArray,
        note: str = "",
    ) -> None:
        """
        :param crop: (side, side, 3) uint8 RGB, of ``square`` of the image; ``painted`` alike
        :param points: (num_landmarks, 2) image pixels
        :param note: whose picture it is, why there is none, or that it is on its way
        """
        for tile, picture in ((self.seen, crop), (self.painted, painted)):
            side = len(picture) if picture is not None else 1
            tile.show_picture(picture, transform(crop_transform(square, side), points), human)
        self._show_tiles(crop, painted)
        self._note(note)
