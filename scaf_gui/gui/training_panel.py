"""The training panel: one click refreshes the model; it says why it cannot, how it goes and how it ended."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from scaf_gui.gui import theme
from scaf_gui.gui.key_names import as_here
from scaf_gui.gui.loss_plot import LossPlot
from scaf_gui.gui.model_history import ModelHistory
from scaf_gui.session.curves import learning_curve
from scaf_gui.session.events import ModelInfo, RefreshResult

if TYPE_CHECKING:  # its module loads torch
    from scaf_gui.learning.training import Progress

#: fewer labelled faces than this cannot be trained on
LEAST = 2


class TrainingPanel(QWidget):
    """Shows training; the work itself is asked for by signals.

    What can be clicked does not change places under the mouse: where "Cancel" was there is only text once a run has
    ended, and the curve of a run that came to nothing goes when the mouse has left.
    """

    refresh_asked = Signal()
    cancel_asked = Signal()

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self._labelled, self._new, self._running, self._open = 0, 0, False, False
        self._idle_curve = False  # one that led to no model
        self._make()
        theme.news().changed.connect(self._dress)
        self._dress()
        self.show_model(None)
        self._show_button()

    def _make(self) -> None:
        def label(role: str, wrap: bool = False) -> QLabel:
            made = QLabel(self)
            made.setWordWrap(wrap)
            made.setTextFormat(Qt.TextFormat.PlainText)
            theme.set_role(made, role)
            return made

        self.title = label("heading")
        self.title.setText("Model")
        self.model_line = label("muted")
        self.history_button = QPushButton("History", self)
        self.history_button.setCheckable(True)
        self.history_button.setToolTip("All models of this project, with their errors")
        theme.set_role(self.history_button, "quiet")
        self.button = QPushButton("Refresh model", self)
        self.button.setIconSize(QSize(18, 18))
        self.button.setMinimumHeight(38)
        theme.set_role(self.button, "primary")
        self.reason = label("muted", wrap=True)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        self.stage = label("text", wrap=True)
        self.stage.setMinimumHeight(2 * self.stage.fontMetrics().lineSpacing())  # or all above moves with its text
        self.cancel = QPushButton("Cancel", self)
        self.cancel.setToolTip(as_here("Stop training; the model you have stays (Ctrl+.)"))
        policy = self.cancel.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.cancel.setSizePolicy(policy)
        self.figures = label("muted")
        self.note = label("warning", wrap=True)
        self.plot = LossPlot(self)
        self.plot.setFixedHeight(124)
        self.plot_title = label("muted")
        self.outcome = label("text", wrap=True)
        self.history = ModelHistory(self)
        self.history.hide()
        self._lay_out()
        self.button.clicked.connect(self.refresh_asked)
        self.cancel.clicked.connect(self._cancel)
        self.history_button.toggled.connect(self.history.setVisible)
        self.history.chosen.connect(self.show_curve)
        for button in (self.button, self.cancel, self.history_button):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys to the canvas
        for widget in (self.figures, self.note, self.plot, self.outcome, self.plot_title):
            widget.hide()

    def _lay_out(self) -> None:
        head, run, last = QHBoxLayout(), QVBoxLayout(), QHBoxLayout()
        head.addWidget(self.title)
        head.addStretch(1)
        head.addWidget(self.history_button)
        last.setSpacing(10)
        last.addWidget(self.bar, 1)
        last.addWidget(self.cancel)
        run.addWidget(self.stage)
        run.addStretch(1)
        run.addLayout(last)
        rest = QVBoxLayout()
        rest.addWidget(self.button)
        rest.addWidget(self.reason)
        rest.addStretch(1)
        # one above the other, so that both are as high: "Cancel" lies where the text below the button is
        self.states = QStackedWidget(self)
        for rows in (rest, run):
            rows.setContentsMargins(0, 0, 0, 0)
            rows.setSpacing(6)
            page = QWidget(self.states)
            page.setLayout(rows)
            self.states.addWidget(page)
        box = QVBoxLayout(self)
        box.setContentsMargins(14, 8, 12, 12)
        box.setSpacing(6)
        box.addLayout(head)
        box.addWidget(self.model_line)
        box.addWidget(self.history)
        box.addWidget(self.states)
        box.addWidget(self.figures)
        box.addWidget(self.outcome)
        box.addWidget(self.note)
        box.addWidget(self.plot_title)
        box.addWidget(self.plot)

    # -- what there is ---------------------------------------------------------------------------

    def show_model(self, model: ModelInfo | None) -> None:
        """The model that pre-fills now."""
        if model is None:
            text = "No model yet"
        else:
            text = model.title or model.id
            if model.error is not None:
                text += f" · NME {model.error:.1f} %"
        self.model_line.setText(text)
        self.model_line.setToolTip(
            "" if model is None else f"{model.id}\nTrained in this project" if model.own else f"{model.id}\nShipped"
        )

    def show_history(self, models: Sequence[ModelInfo], current: str) -> None:
        self.history.show_models(models, current)
        self.history_button.setVisible(bool(models))
        if not models:
            self.history_button.setChecked(False)

    def show_labels(self, labelled: int, new: int, is_open: bool = True) -> None:
        """How many faces are labelled, and how many of them the model has not been trained on."""
        if (labelled, new, is_open) != (self._labelled, self._new, self._open):
            self._labelled, self._new, self._open = labelled, new, is_open
            self._show_button()
            if not self._running and self.outcome.property("role") == "muted":
                self.outcome.hide()  # the work has gone on since: nobody asks any more

    def show_curve(self, model: ModelInfo) -> None:
        """How a model of the history learnt; while a run is on, its own curve stays."""
        if self._running:
            return
        self._idle_curve = False
        curve = learning_curve(Path(model.path))
        self.plot_title.setText(
            f"How it learnt: {model.title or model.id}" if curve else "No learning curve is kept with this model"
        )
        self.plot_title.show()
        self.plot.setVisible(curve is not None)
        if curve is not None:
            self.plot.show_curve(curve)

    # -- a run -----------------------------------------------------------------------------------

    def begin(self) -> None:
        """A refresh has started."""
        self._running = True
        self.history.clearSelection()
        self.plot_title.hide()
        self.plot.clear_curve()
        self._idle_curve = False
        for widget in (self.cancel, self.figures, self.plot):
            widget.show()
        for widget in (self.outcome, self.note):
            widget.hide()
        self.cancel.setEnabled(True)
        self.stage.setText("Preparing…")
        self.figures.setText("")
        self.bar.setRange(0, 0)
        self._show_button()

    def show_progress(self, progress: Progress) -> None:
        """A step of training."""
        self.stage.setText(told(progress))
        if progress.steps:
            self.bar.setRange(0, 1000)
            self.bar.setValue(int(1000 * progress.step / progress.steps))
        figures = []
        if math.isfinite(progress.loss):
            figures.append(f"loss {progress.loss:.3g}")
            self.plot.add_loss(float(progress.step), progress.loss, progress.rate)
        if progress.validation_nme is not None:
            self.plot.add_error(float(progress.step), progress.validation_nme)
        if errors := self.plot.errors():
            figures.append(f"NME {errors[-1][1]:.2f} % on held-out faces")
        self.figures.setText(" · ".join(figures))
        if progress.note:
            self.note.setText(progress.note)
            self.note.show()

    def show_stage(self, text: str) -> None:
        """Another part of the refresh: judging, scoring the pool."""
        self.stage.setText(text)
        self.bar.setRange(0, 0)

    def show_judged(self, result: RefreshResult) -> None:
        """The models have been compared; the pool is being scored."""
        self.show_stage("Scoring the queue…")
        self.cancel.hide()
        self.figures.setText(result.message)

    def _cancel(self) -> None:
        self.cancel.setEnabled(False)  # said once
        self.cancel_asked.emit()

    def end(self, outcome: RefreshResult | str, kind: str = "muted") -> None:
        """The refresh is over: how it ended, in one sentence."""
        self._running = False
        self.figures.hide()
        self._idle_curve = isinstance(outcome, str) or len(self.plot.points()) < 2
        if self._idle_curve and not self.underMouse():
            self._fold()
        text = outcome if isinstance(outcome, str) else outcome.message
        if isinstance(outcome, RefreshResult):
            kind = "good" if outcome.kept_new else "warning"
        theme.set_role(self.outcome, kind)
        self.outcome.setText(text)
        self.outcome.setVisible(bool(text))
        self._show_button()

    def reset(self) -> None:
        """No project any more."""
        self.end("")
        self.plot.clear_curve()
        self.plot.hide()
        self.plot_title.hide()
        self.show_model(None)
        self.show_history((), "")
        self.show_labels(0, 0, False)

    # -- looks -----------------------------------------------------------------------------------

    def why_not(self) -> str:
        """Why the model cannot be refreshed now; "" where it can."""
        if not self._open:
            return "Open a folder of faces first."
        if self._labelled < LEAST:
            return f"Label {LEAST} faces first: {self._labelled} of {LEAST}"
        return "The model is being trained already; wait for that to end, or cancel it" if self._running else ""

    def _show_button(self) -> None:
        reason = self.why_not()
        self.states.setCurrentIndex(int(self._running))
        self.button.setEnabled(not reason)
        self.button.setToolTip(
            reason
            or "Train on your labels in the background, then reorder the queue (R)\n"
            "Shift+R trains thoroughly: many times as long, for a break"
        )
        if not reason:
            faces = f"{self._labelled:,} labelled face{'s' if self._labelled != 1 else ''}"
            reason = f"Learns from {faces}, {self._new:,} new. You can go on meanwhile."
        self.reason.setText(reason)

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        super().leaveEvent(event)
        if self._idle_curve and not self._running:
            self._fold()

    def _fold(self) -> None:
        """A curve that led to no model makes room."""
        self._idle_curve = False
        self.plot.hide()

    def _dress(self) -> None:
        self.button.setIcon(theme.icon("refresh", "on_accent"))


def told(progress: Progress) -> str:
    """ "Learning: 11 of 100 steps, about 40 s left"."""
    if progress.stage == "settling":
        return "Learning: the last touch"
    text = f"Learning: {progress.step:,} of {progress.steps:,} steps" if progress.steps else "Learning…"
    left = time_left(progress.seconds_left)
    return f"{text}, about {left}" if left else text


def time_left(seconds: float | None) -> str:
    """Rounded, in words, as a person would say it."""
    if seconds is None or not math.isfinite(seconds):
        return ""
    if seconds < 90:
        return f"{max(1, round(seconds))} s left"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min left"
    hours, minutes = divmod(10 * round(minutes / 10), 60)  # nobody plans hours by the minute
    return f"{hours} h {minutes} min left" if minutes else f"{hours} h left"
