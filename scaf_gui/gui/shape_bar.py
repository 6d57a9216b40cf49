"""Whether the other landmarks follow a drag, and how far: one line beside the canvas, remembered."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSlider, QWidget

from scaf_gui.core.face import Prediction
from scaf_gui.errors import ScafError
from scaf_gui.gui import theme
from scaf_gui.gui.canvas.shaping import Shaping
from scaf_gui.session.shape import Shapes
from scaf_gui.settings import Settings

#: statistics are brought up to date so long after a label has changed: the next face is on the screen by then
REFRESH_MS = 250
#: strengths in %
_LEAST, _MOST, _STEP = 10, 150, 10


class ShapeBar(QWidget):
    """Keeps a canvas's :class:`Shaping` as the person wants it. ``toggled(on)``: it was switched, whoever did it."""

    toggled = Signal(bool)

    def __init__(self, shaping: Shaping, parent: QWidget | None = None):
        super().__init__(parent)
        self._shaping = shaping
        self._settings: Settings | None = None
        self._shapes: Shapes | None = None
        self.check = QCheckBox("Shape follows", self)
        self.check.setToolTip(
            "Drag one landmark, and those that you have not placed move to the most plausible shape (W).\n"
            "Hold Alt while you press for one drag the other way round."
        )
        self.check.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys to the canvas
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(_LEAST // _STEP, _MOST // _STEP)
        self.slider.setPageStep(1)  # a click beside the handle
        self.slider.setAccessibleName("How far the shape follows")
        self.slider.setToolTip("How far the others follow; 100 % is the most plausible shape")
        self.slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.value = QLabel(self)
        theme.set_role(self.value, "muted")
        self.value.setFixedWidth(self.value.fontMetrics().horizontalAdvance("150 %") + 4)
        self.value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 2, 12, 8)
        row.setSpacing(8)
        row.addWidget(self.check)
        row.addWidget(self.slider, 1)
        row.addWidget(self.value)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(REFRESH_MS)
        self._later.timeout.connect(self._refresh)
        self._show(shaping.enabled, shaping.strength)
        self.check.clicked.connect(self.switch)
        self.slider.valueChanged.connect(lambda step: self.set_strength(step * _STEP / 100))

    def use(self, settings: Settings) -> None:
        """Take what was remembered, and remember from now on."""
        self._settings = None  # nothing is written while it is read
        self.switch(bool(settings["shape"]))
        self.set_strength(float(settings["shape_strength"]))
        self._settings = settings

    def open(self, shapes: Shapes | None, prediction: Callable[[], Prediction | None] | None = None) -> None:
        """:param prediction: gives the one that is drawn"""
        if self._shapes is not None:
            self._shapes.on_stale = None
        self._later.stop()
        self._shapes = shapes
        if shapes is None or prediction is None:
            self._shaping.source = None
            return
        self._shaping.source = lambda: (shapes.model, shapes.spread(prediction()))
        shapes.on_stale = self._later.start
        self._later.start()

    def switch(self, on: bool) -> None:
        """Let the shape follow, or not."""
        self._shaping.enabled = on
        self._show(on, self._shaping.strength)
        self._remember("shape", on)
        self.toggled.emit(on)

    def set_strength(self, strength: float) -> None:
        """:param strength: 1: as far as is most plausible"""
        self._shaping.strength = strength
        self._show(self._shaping.enabled, strength)
        self._remember("shape_strength", strength)

    def _show(self, on: bool, strength: float) -> None:
        self.check.setChecked(on)
        self.slider.blockSignals(True)
        self.slider.setValue(round(strength * 100 / _STEP))
        self.slider.blockSignals(False)
        self.slider.setEnabled(on)
        self.value.setText(f"{round(100 * strength)} %")
        self.value.setEnabled(on)

    def _remember(self, key: str, value: object) -> None:
        if self._settings is not None and self._settings[key] != value:
            try:
                self._settings[key] = value
            except ScafError:  # a disk that cannot be written to shall not stop the work
                self._settings = None

    def _refresh(self) -> None:
        if self._shapes is not None:
            self._shapes.refresh()
