"""What the marks of landmarks look like on the canvas, and the key of each: one line below the list."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from scaf_gui.gui import theme
from scaf_gui.gui.canvas import style
from scaf_gui.gui.canvas.sprites import stamp

#: shape as on the canvas, its colour, whether it is filled, name and key
_MARKS = (
    ("circle", style.HUMAN, True, "visible", "V"),
    ("diamond", style.HUMAN, False, "occluded", "O"),
    ("cross", style.MISSING, False, "missing", "X"),
)
_HEIGHT, _GAP = 20, 13


class FlagLegend(QWidget):
    """Shapes tell the flags apart, whatever colours one sees; the chips are dark, as photos often are."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            "Marks of landmarks: select one or several, then press the key; the same key again takes the mark back"
        )
        self.setAccessibleName("Marks: visible V, occluded O, missing X")
        theme.news().changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(220, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        x, middle = 14.0, _HEIGHT / 2
        side = 16.0
        words = "".join(name + key for *_, name, key in _MARKS)
        taken = 2 * x + painter.fontMetrics().horizontalAdvance(words) + len(_MARKS) * (side + 13)
        gap = min(_GAP, (self.width() - taken) / (len(_MARKS) - 1))  # closer together in a narrow window
        for shape, colour, filled, name, key in _MARKS:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("muted") if theme.palette()["title"] == "Light" else theme.colour("raised"))
            painter.drawRoundedRect(int(x), int(middle - side / 2), int(side), int(side), 4, 4)
            stamp(painter, np.array([[x + side / 2, middle]]), shape, 4.0, colour, 1.5, filled=filled)
            x += side + 5
            for text, role in ((name, "text"), (key, "muted")):
                painter.setPen(theme.colour(role))
                wide = painter.fontMetrics().horizontalAdvance(text)
                painter.drawText(int(x), 0, wide + 2, _HEIGHT, Qt.AlignmentFlag.AlignVCenter, text)
                x += wide + 4
            x += gap - 4
        painter.end()
