"""What the colours on the canvas mean: a small note in a corner where it hides no landmark."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.doubt import WORTH_A_LOOK
from scaf_gui.gui.canvas import ink, style
from scaf_gui.gui.canvas.scales import ERRORS, heat_colours

_MARGIN, _PAD, _BAR, _GAP = 12, 9, 8.0, 4.0
_LEAST_WIDTH = 176
#: (whether on the right, whether at the bottom), the first is taken where all are free
_CORNERS = ((False, True), (True, True), (True, False), (False, False))


@dataclass(frozen=True)
class Row:
    """One scale: what it is of, its colours from left to right, texts at shares of its width; or a title alone."""

    title: str
    colours: tuple[tuple[int, int, int, int], ...] = ()
    marks: tuple[tuple[float, str], ...] = ()
    stepped: bool = False


def error_row() -> Row:
    """Of the landmarks' colours."""
    colours = tuple((*_rgb(colour), 255) for _, colour in ERRORS)
    count = len(ERRORS)
    marks = tuple(((i + 0.5) / count, f"{percent:.0f}") for i, (percent, _) in enumerate(ERRORS))
    return Row(f"Expected error in % (ringed above {WORTH_A_LOOK:.0f})", colours, marks, stepped=True)


def heat_row(title: str) -> Row:
    """Of the heatmaps' colours."""
    rgba = heat_colours()[:: 255 // 5]
    colours = tuple((int(r), int(g), int(b), round(255 * max(a, 0.12))) for r, g, b, a in rgba)
    return Row(title, colours, ((0.0, "nothing"), (1.0, "sure")))


def _rgb(colour: str) -> tuple[int, int, int]:
    made = QColor(colour)
    return made.red(), made.green(), made.blue()


class Legend(QWidget):
    """Lies upon the canvas and takes no clicks; hidden while there is nothing to explain."""

    def __init__(self, parent: QWidget):
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("What the colours mean")
        self._rows: tuple[Row, ...] = ()
        self._corner = _CORNERS[0]
        self._avoided = np.empty((0, 2))
        parent.installEventFilter(self)
        self.hide()

    @property
    def rows(self) -> tuple[Row, ...]:
        return self._rows

    def show_rows(self, rows: tuple[Row, ...]) -> None:
        """Explain these scales, from top to bottom."""
        if rows != self._rows:
            self._rows = rows
            self.setVisible(bool(rows))
            self._place()
            self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def sizeHint(self) -> QSize:  # noqa: N802
        metrics = QFontMetricsF(style.font(8.5))
        wide = max([_LEAST_WIDTH, *(round(metrics.horizontalAdvance(row.title)) + 1 for row in self._rows)])
        return QSize(wide + 2 * _PAD, round(sum(self._height(row) for row in self._rows)) + 2 * _PAD - 2)

    def _height(self, row: Row) -> float:
        line = QFontMetricsF(style.font(8.5)).height()
        small = QFontMetricsF(style.font(7.5)).height()
        return line + (_GAP + _BAR + 2 + small if row.colours else 0.0) + (_GAP if row is not self._rows[-1] else 0.0)

    def avoid(self, points: FloatArray) -> None:
        """Go to the corner where the fewest of these points (N, 2), the parent's pixels, are hidden."""
        self._avoided = points
        self._place()

    def _place(self) -> None:
        if self._rows:
            hidden = [int(ink.within(self._avoided, QRectF(self._at(corner)), 6.0).sum()) for corner in _CORNERS]
            if hidden[_CORNERS.index(self._corner)] > min(hidden):  # else it stays where it is
                self._corner = _CORNERS[hidden.index(min(hidden))]
            self.setGeometry(self._at(self._corner))

    def _at(self, corner: tuple[bool, bool]) -> QRect:
        size, parent = self.sizeHint(), self.parentWidget()
        room = parent.size() if parent is not None else size
        left = room.width() - size.width() - _MARGIN if corner[0] else _MARGIN
        top = room.height() - size.height() - _MARGIN if corner[1] else _MARGIN
        return QRect(left, top, size.width(), size.height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(style.brush(style.TAG))
        painter.drawRoundedRect(QRectF(self.rect()), 7, 7)
        top = float(_PAD) - 1
        for row in self._rows:
            self._paint_row(painter, row, QRectF(_PAD, top, self.width() - 2 * _PAD, self._height(row)))
            top += self._height(row)
        painter.end()

    def _paint_row(self, painter: QPainter, row: Row, area: QRectF) -> None:
        font, small = style.font(8.5), style.font(7.5)
        line = QFontMetricsF(font).height()
        painter.setFont(font)
        painter.setPen(style.pen(style.TAG_TEXT, 1.0))
        painter.drawText(QRectF(area.left(), area.top(), area.width(), line), Qt.AlignmentFlag.AlignLeft, row.title)
        if not row.colours:
            return
        bar = QRectF(area.left(), area.top() + line + _GAP, area.width(), _BAR)
        painter.setPen(Qt.PenStyle.NoPen)
        if row.stepped:
            step = bar.width() / len(row.colours)
            for place, colour in enumerate(row.colours):
                painter.setBrush(QColor(*colour))
                painter.drawEllipse(QPointF(bar.left() + (place + 0.5) * step, bar.center().y()), 4.5, 4.5)
        else:
            gradient = QLinearGradient(bar.topLeft(), bar.topRight())
            for share, colour in zip(np.linspace(0.0, 1.0, len(row.colours)), row.colours, strict=True):
                gradient.setColorAt(float(share), QColor(*colour))
            painter.setBrush(gradient)
            painter.drawRoundedRect(bar, 3, 3)
        metrics = QFontMetricsF(small)
        painter.setFont(small)
        painter.setPen(style.pen(style.TAG_TEXT, 1.0))
        for share, text in row.marks:
            wide = metrics.horizontalAdvance(text)
            left = min(max(bar.left() + share * bar.width() - wide / 2, bar.left()), bar.right() - wide)
            painter.drawText(QPointF(left, bar.bottom() + 2 + metrics.ascent()), text)
