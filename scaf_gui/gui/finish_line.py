"""How far the project is, below the training panel: a bar of good faces, and what more labels would bring."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from scaf_gui.core.finish import FinishLine
from scaf_gui.gui import theme
from scaf_gui.session.expected import Expected, spoken

#: predictions come in bursts, and working it out takes some milliseconds: not more often than this
LATER_MS = 500
_TIP = (
    "How far off the pre-filled landmarks of a face are, on average, in % of the distance between the eyes.\n"
    "Worked out from heatmaps, and calibrated on faces that chance put into the queue and you accepted: all of\n"
    "them while the order is random, then every tenth, marked with a die.\n"
    "The range is where the true share lies in 9 of 10 cases."
)


class ShareBar(QWidget):
    """A share from 0 to 1 as a bar, and the range it may lie in as a bracket over it."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self._share, self._low, self._high = 0.0, 0.0, 0.0
        self.setFixedHeight(12)

    def show_share(self, share: float, low: float, high: float) -> None:
        self._share, self._low, self._high = share, low, high
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(120, 12)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width, middle = self.width() - 2.0, self.height() / 2
        track = QRectF(1, middle - 3, width, 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("line"))
        painter.drawRoundedRect(track, 3, 3)
        painter.setBrush(theme.colour("labelled"))
        painter.drawRoundedRect(QRectF(1, middle - 3, max(6.0, width * self._share), 6), 3, 3)
        painter.setPen(QPen(theme.colour("text"), 1.2))
        left, right = 1 + width * self._low, 1 + width * self._high
        for x in (left, right):
            painter.drawLine(QPointF(x, middle - 5), QPointF(x, middle + 5))
        painter.end()


class FinishLineView(QWidget):
    """Observes the expected errors of an open project; hidden while there is nothing to say."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self._expected: Expected | None = None
        self.title = QLabel(self)
        self.title.setWordWrap(True)
        self.bar = ShareBar(self)
        self.note = QLabel(self)
        self.note.setWordWrap(True)
        theme.set_role(self.note, "muted")
        for label in (self.title, self.note):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.setToolTip(_TIP)
        box = QVBoxLayout(self)
        box.setContentsMargins(14, 2, 12, 12)
        box.setSpacing(5)
        box.addWidget(self.title)
        box.addWidget(self.bar)
        box.addWidget(self.note)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(LATER_MS)
        self._later.timeout.connect(self._show)
        theme.news().changed.connect(self.bar.update)
        self.hide()

    def open(self, expected: Expected | None) -> None:
        """Follow another project, or none."""
        if self._expected is not None:
            self._expected.later = None
        self._expected = expected
        self._later.stop()
        self.show_line(None)
        if expected is not None:
            expected.later = self.refresh
            self.refresh()

    def refresh(self) -> None:
        """Something has changed: say it anew, soon."""
        if self._expected is not None and not self._later.isActive():
            self._later.start()

    def show_line(self, line: FinishLine | None) -> None:
        """:param line: ``None`` hides all of it"""
        self.setVisible(line is not None)
        sentences = list(spoken(line))
        self.title.setText(sentences[0] if sentences else "")
        self.note.setText(" ".join(sentences[1:]))
        self.note.setVisible(len(sentences) > 1)
        known = line is not None and line.share is not None
        self.bar.setVisible(known)
        if line is not None and line.share is not None and line.low is not None and line.high is not None:
            self.bar.show_share(line.share, line.low, line.high)

    def _show(self) -> None:
        if self._expected is not None:
            self._expected.catch_up()
        self.show_line(self._expected.finish() if self._expected is not None else None)
