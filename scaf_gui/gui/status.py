"""The status bar: what runs, with which model, on which device and why."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QLabel, QProgressBar, QStatusBar, QWidget

from scaf_gui.gui.key_names import as_here
from scaf_gui.gui.training_panel import time_left

#: how long a passing remark stays
REMARK_MS = 6000


class Status(QStatusBar):
    """Several works may run at once; each has a line of its own until it ends."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._works: dict[str, str] = {}
        self._remark = ""
        self.spinner = QProgressBar(self)
        self.spinner.setRange(0, 0)
        self.spinner.setTextVisible(False)
        self.spinner.setFixedWidth(64)
        self.spinner.hide()
        self.work = QLabel("Ready", self)
        self.work.setTextFormat(Qt.TextFormat.PlainText)
        self.work.setAccessibleName("What runs")
        self.model = QLabel(self)
        self.device = QLabel(self)
        self.addWidget(self.spinner)
        self.addWidget(self.work, 1)
        self.addPermanentWidget(self.model)
        self.addPermanentWidget(self.device)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(lambda: self.say(""))
        self.show_model("")
        self.show_device("")

    def show_work(self, name: str, text: str) -> None:
        """What a work is at; empty text: it has ended."""
        if text:
            self._works[name] = text
        else:
            self._works.pop(name, None)
        self._show()

    def say(self, remark: str) -> None:
        """A passing remark, shown in front of what runs."""
        self._remark = as_here(remark)
        if remark:
            self._timer.start(REMARK_MS)
        self._show()

    @property
    def remark(self) -> str:
        """The passing remark that is up."""
        return self._remark

    def clear(self) -> None:
        """Nothing runs."""
        self._works.clear()
        self.say("")

    def show_model(self, text: str) -> None:
        self.model.setText(text)
        self.model.setVisible(bool(text))

    def show_device(self, why: str) -> None:
        """:param why: "CPU, bfloat16: no CUDA device"; only the part before the colon is always in sight"""
        self.device.setText(why.partition(":")[0])
        self.device.setToolTip(why)
        self.device.setVisible(bool(why))

    def text(self) -> str:
        """What the bar says now."""
        return self.work.text()

    def _show(self) -> None:
        parts = ([self._remark] if self._remark else []) + list(self._works.values())
        self.work.setText(" · ".join(parts) or "Ready")
        self.spinner.setVisible(bool(self._works))


def counted(verb: str, done: int, total: int, seconds_left: float | None = None) -> str:
    """ "Finding faces 12/94"."""
    text = f"{verb} {done:,}/{total:,}" if total else f"{verb}…"
    left = time_left(seconds_left)
    return f"{text}, {left}" if left else text
