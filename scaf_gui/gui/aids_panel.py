"""The sliders by which a photo is shown brighter, harder, more even or gray: a small panel upon the canvas."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QCheckBox, QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QSlider, QWidget

from scaf_gui.gui import theme
from scaf_gui.gui.canvas.look import RANGES, Look
from scaf_gui.gui.key_names import as_here

#: title and tip by field of Look, from top to bottom
_ROWS = {
    "brightness": ("Brightness", "Lighter or darker, by the same amount everywhere"),
    "contrast": ("Contrast", "Harder or softer around the middle gray"),
    "gamma": ("Gamma", "Lift or sink the shadows; black and white stay"),
    "local": ("Local contrast", "Bring out detail in shadows and in glare (adaptive histogram equalisation)"),
}
_STEPS = 40
#: from the edges of the canvas, and what makes it lie elsewhere
MARGIN = 12
MOVES = (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show)


def corner(canvas: QWidget, host: QWidget, width: int) -> QPoint:
    """Where something so wide lies in the upper right corner of the canvas."""
    return canvas.mapTo(host, QPoint(canvas.width() - width - MARGIN, MARGIN))


def to_step(name: str, value: float) -> int:
    """The slider's place of a value; gamma goes by powers, so that 1 lies in the middle."""
    low, high, _ = RANGES[name]
    if name == "gamma":
        return round(_STEPS * (1 + _log2(value) / 2) / 2)
    return round(_STEPS * (value - low) / (high - low))


def of_step(name: str, step: int) -> float:
    """The value at a slider's place."""
    low, high, _ = RANGES[name]
    if name == "gamma":
        return float(round(2.0 ** (4 * step / _STEPS - 2), 3))
    return round(low + (high - low) * step / _STEPS, 3)


def _log2(value: float) -> float:
    from math import log2

    return log2(value)


class AidsPanel(QFrame):
    """``changed(Look)``: the person has moved something; ``closed()``: it was put away.

    It lies upon the canvas but is no child of it: else the canvas's keys (arrows, Space) would not reach the sliders.
    It can be dragged out of the way; when the canvas changes its size it goes back into its corner.
    """

    changed = Signal(object)
    closed = Signal()

    def __init__(self, canvas: QWidget, host: QWidget):
        super().__init__(host)
        self._canvas, self._host = canvas, host
        self.setObjectName("imageAids")
        self.setAccessibleName("Image aids")
        self._look = Look()
        self._taken: QPoint | None = None  # where it was taken by the mouse, from its own corner
        self._sliders: dict[str, QSlider] = {}
        self._values: dict[str, QLabel] = {}
        title = QLabel("Image aids", self)
        theme.set_role(title, "heading")
        title.setToolTip(
            "Only what you see changes: the file, the model and your labels do not.\nDrag it out of the way."
        )
        self.close_button = QPushButton(self)
        self.close_button.setToolTip("Put the sliders away; the photo stays as it is shown (I)")
        self.close_button.setAccessibleName("Put the sliders away")
        self.close_button.setIconSize(QSize(12, 12))
        theme.set_role(self.close_button, "quiet")
        grid = QGridLayout(self)
        grid.setContentsMargins(14, 8, 10, 10)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(6)
        grid.addWidget(title, 0, 0, 1, 2)
        grid.addWidget(self.close_button, 0, 2, Qt.AlignmentFlag.AlignRight)
        for row, (name, (text, tip)) in enumerate(_ROWS.items(), start=1):
            self._add_row(grid, row, name, text, tip)
        self.gray = QCheckBox("Gray", self)
        self.gray.setToolTip("Show the photo without colours")
        self.original = QLabel("Hold Y: original", self)
        theme.set_role(self.original, "muted")
        self.reset = QPushButton("Reset", self)
        self.reset.setToolTip(as_here("Show the photo as it is in the file (Shift+I)"))
        last = QHBoxLayout()
        last.addWidget(self.gray)
        last.addStretch(1)
        last.addWidget(self.original)
        last.addSpacing(10)
        last.addWidget(self.reset)
        grid.addLayout(last, len(_ROWS) + 1, 0, 1, 3)
        for widget in (self.close_button, self.gray, self.reset, *self._sliders.values()):
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys to the canvas
        self.gray.toggled.connect(lambda on: self._take(gray=on))
        self.reset.clicked.connect(lambda: self._put(Look()))
        self.close_button.clicked.connect(self.closed)
        canvas.installEventFilter(self)
        theme.news().changed.connect(self._dress)
        self._dress()
        self.show_look(Look())
        self.hide()

    def _add_row(self, grid: QGridLayout, row: int, name: str, text: str, tip: str) -> None:
        label, value, slider = QLabel(text, self), QLabel(self), QSlider(Qt.Orientation.Horizontal, self)
        slider.setRange(0, _STEPS)
        slider.setPageStep(4)
        slider.setMinimumWidth(150)
        slider.setAccessibleName(text)
        theme.set_role(value, "muted")
        value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        value.setMinimumWidth(value.fontMetrics().horizontalAdvance("+100 %"))
        label.setToolTip(tip)
        slider.setToolTip(tip)
        slider.valueChanged.connect(lambda step: self._take(**{name: of_step(name, step)}))
        grid.addWidget(label, row, 0)
        grid.addWidget(slider, row, 1)
        grid.addWidget(value, row, 2)
        self._sliders[name], self._values[name] = slider, value

    @property
    def look(self) -> Look:
        return self._look

    def slider(self, name: str) -> QSlider:
        """By field of :class:`Look`."""
        return self._sliders[name]

    def show_look(self, look: Look) -> None:
        """Put the sliders where they belong; nothing is announced."""
        self._look = look
        for name, slider in self._sliders.items():
            with QSignalBlocker(slider):
                slider.setValue(to_step(name, getattr(look, name)))
            number = getattr(look, name)
            signed = "+" if number > 0 and name != "local" else ""
            self._values[name].setText(f"{number:.2f}" if name == "gamma" else f"{100 * number:{signed}.0f} %")
        with QSignalBlocker(self.gray):
            self.gray.setChecked(look.gray)
        self.reset.setEnabled(not look.is_neutral)

    def _take(self, **given: float | bool) -> None:
        self._put(replace(self._look, **given))  # type: ignore[arg-type]

    def _put(self, look: Look) -> None:
        self.show_look(look)
        self.changed.emit(look)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if event.button() == Qt.MouseButton.LeftButton:
            self._taken = event.position().toPoint()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if self._taken is None:
            return
        at = self.mapTo(self._host, event.position().toPoint()) - self._taken
        low = self._canvas.mapTo(self._host, QPoint(0, 0))
        high = low + QPoint(self._canvas.width() - self.width(), self._canvas.height() - self.height())
        self.move(max(low.x(), min(at.x(), high.x())), max(low.y(), min(at.y(), high.y())))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self._taken = None
        self.unsetCursor()

    def showEvent(self, event: object) -> None:  # noqa: N802
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if event.type() in MOVES:
            self._place()
        return False

    def _place(self) -> None:
        """In the upper right corner of the canvas."""
        size = self.sizeHint()
        width = min(size.width(), max(self._canvas.width() - 2 * MARGIN, 80))
        self.setGeometry(QRect(corner(self._canvas, self._host, width), QSize(width, size.height())))

    def _dress(self) -> None:
        self.close_button.setIcon(theme.icon("close", "muted"))
