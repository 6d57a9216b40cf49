from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication
from pytestqt.qtbot import QtBot

from scaf_gui.gui.loss_plot import MOST_POINTS, LossPlot
from scaf_gui.gui.training_panel import TrainingPanel, time_left
from scaf_gui.gui.workspace import Workspace
from scaf_gui.session.events import ModelInfo, RefreshResult

STARTER = ModelInfo("starter:x", "x", False, "Starter")
OWN = ModelInfo("m1", "y", True, "8 labels, quick", "2025-03-01T10:00:00+00:00", trained_on=(1, 2, 3), error=4.21)


def progress(step: int, loss: float, **more: object) -> SimpleNamespace:
    """As ``learning.training.Progress``, whose module loads torch."""
    values = {"stage": "training", "epoch": 1, "epochs": 3, "steps": 50, "seconds_left": 12.0}
    values |= {"validation_nme": None, "note": "", "rate": 1e-3}
    return SimpleNamespace(**(values | {"step": step, "loss": loss} | more))


@pytest.fixture
def panel(qtbot: QtBot, dressed: QApplication) -> TrainingPanel:
    made = TrainingPanel()
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def workspace(qtbot: QtBot, dressed: QApplication) -> Workspace:
    made = Workspace()
    qtbot.addWidget(made)
    made.resize(1280, 660)
    made.show()
    return made


def test_the_button_says_why_it_is_off(panel: TrainingPanel, qtbot: QtBot) -> None:
    assert "Open a folder" in panel.reason.text() and not panel.button.isEnabled()
    panel.show_labels(1, 1)
    assert panel.reason.text() == "Label 2 faces first: 1 of 2" and not panel.button.isEnabled()
    panel.show_labels(2, 2)
    assert panel.button.isEnabled() and "2 labelled faces, 2 new" in panel.reason.text()
    with qtbot.waitSignal(panel.refresh_asked):
        qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)


def test_a_run_is_told_step_by_step_and_ends_with_both_numbers(panel: TrainingPanel) -> None:
    panel.show_labels(5, 5)
    panel.begin()
    assert panel.cancel.isVisible() and not panel.button.isVisible()
    assert "already" in panel.why_not()  # which keys tell
    panel.show_progress(progress(1, 0.5))  # type: ignore[arg-type]
    panel.show_progress(progress(25, 0.25, validation_nme=5.3, note="Batch halved: out of memory"))  # type: ignore[arg-type]
    assert panel.bar.value() == 500 and panel.stage.text() == "Learning: 25 of 50 steps, about 12 s left"
    assert panel.figures.text() == "loss 0.25 · NME 5.30 % on held-out faces"
    assert panel.plot.errors() == [(25.0, 5.3)] and panel.plot.getPlotItem().getAxis("right").isVisible()
    assert panel.note.isVisible() and "halved" in panel.note.text()
    assert panel.plot.points() == [(1.0, 0.5), (25.0, 0.25)]
    result = RefreshResult(False, STARTER, "Kept the old model: 4.1 % against 4.6 % for the new one", 4.1, 4.6)
    panel.show_judged(result)
    panel.end(result)
    assert panel.button.isVisible() and not panel.cancel.isVisible()
    assert panel.outcome.text() == result.message and panel.outcome.property("role") == "warning"


def test_models_and_their_history(panel: TrainingPanel) -> None:
    panel.show_model(None)
    assert panel.model_line.text() == "No model yet"
    panel.show_history((), "")
    assert not panel.history_button.isVisible()
    panel.show_model(OWN)
    assert panel.model_line.text() == "8 labels, quick · NME 4.2 %"
    newer = ModelInfo("m2", "z", True, "9 labels", "2025-03-02T10:00:00+00:00", trained_on=(1,))
    panel.show_history((OWN, newer), "m1")
    panel.history_button.setChecked(True)
    assert panel.history.isVisible() and panel.history.rowCount() == 2
    texts = [[panel.history.item(row, column).text() for column in (1, 2, 3)] for row in (0, 1)]  # type: ignore[union-attr]
    assert texts == [["1", "", ""], ["3", "4.2 %", "in use"]]


def test_a_model_of_the_history_shows_how_it_learnt(panel: TrainingPanel, tmp_path: Path) -> None:
    """The curve comes from the header of the model's file; a file that is gone says so."""
    curve = {"steps": [10, 20], "loss": [0.5, 0.25], "rate": [1e-3, 5e-4], "validation": [[20, 4.5]]}
    header = json.dumps({"__metadata__": {"scaf_gui": json.dumps({"figures": {"curve": curve}})}}).encode()
    path = tmp_path / "m1.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    gone = replace(OWN, id="m0", path=str(tmp_path / "m0.safetensors"), created="2025-02-01T10:00:00+00:00")
    panel.show_history((replace(OWN, path=str(path)), gone), "m1")
    panel.history_button.setChecked(True)
    assert not panel.plot.isVisible()
    panel.history.selectRow(0)
    assert panel.plot.isVisible() and panel.plot.points() == [(10.0, 0.5), (20.0, 0.25)]
    assert panel.plot.errors() == [(20.0, 4.5)] and panel.plot_title.text() == "How it learnt: 8 labels, quick"
    panel.history.selectRow(1)
    assert not panel.plot.isVisible() and "No learning curve" in panel.plot_title.text()
    panel.show_labels(3, 3)
    panel.begin()
    panel.history.selectRow(0)
    assert panel.plot.points() == [], "while a run is on, its own curve stays"


def test_the_curve_stays_small_and_leaves_out_what_is_no_number(qtbot: QtBot, dressed: QApplication) -> None:
    plot = LossPlot()
    qtbot.addWidget(plot)
    plot.add_loss(0, float("nan"))
    axis = plot.getPlotItem().getAxis("left")
    assert not axis.style["showValues"], "figures of an empty plot would mean nothing"
    for step in range(5 * MOST_POINTS):
        plot.add_loss(step, 1.0 / (step + 1))
    assert axis.style["showValues"]
    points = plot.points()
    assert MOST_POINTS / 3 < len(points) <= MOST_POINTS
    assert points[-1][0] > 4.9 * MOST_POINTS and np.isfinite(points).all()
    plot.clear_curve()
    assert plot.points() == []


def test_time_left_reads_as_a_person_would_say_it() -> None:
    assert [time_left(s) for s in (None, float("inf"), 0.2, 59.6, 150, 5370, 7190, 24960)] == [
        "",
        "",
        "1 s left",
        "60 s left",
        "2 min left",
        "1 h 30 min left",
        "2 h left",
        "7 h left",
    ]


def test_nothing_that_can_be_clicked_comes_to_where_cancel_was(workspace: Workspace, qtbot: QtBot) -> None:
    panel = workspace.training
    panel.show_labels(5, 5)
    buttons = [*workspace.landmarks.attributes, workspace.shape_bar.check, workspace.shape_bar.slider]
    places = [button.mapTo(workspace, QPoint(0, 0)) for button in buttons]
    panel.begin()
    panel.show_progress(progress(1, 0.5))  # type: ignore[arg-type]
    panel.show_progress(progress(2, 0.4))  # type: ignore[arg-type]
    QApplication.processEvents()
    spot = panel.cancel.mapTo(workspace, panel.cancel.rect().center())
    top = panel.states.height()
    with qtbot.waitSignal(panel.cancel_asked):
        qtbot.mouseClick(panel.cancel, Qt.MouseButton.LeftButton)
    assert not panel.cancel.isEnabled()
    for outcome in ("Cancelled. The model you had stays.", RefreshResult(True, OWN, "Took the new model", 4.1, 3.6)):
        panel.end(outcome)
        QApplication.processEvents()
        assert [button.mapTo(workspace, QPoint(0, 0)) for button in buttons] == places
        assert panel.states.height() == top and not isinstance(workspace.childAt(spot), QAbstractButton)


def test_the_curve_of_a_cancelled_run_goes_when_the_mouse_has_left(
    panel: TrainingPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel.show_labels(5, 5)
    panel.begin()
    panel.show_progress(progress(1, 0.5))  # type: ignore[arg-type]
    panel.show_progress(progress(2, 0.4))  # type: ignore[arg-type]
    monkeypatch.setattr(panel, "underMouse", lambda: True)
    panel.end("Cancelled. The model you had stays.")
    assert panel.plot.isVisible() and panel.outcome.isVisible()
    QApplication.sendEvent(panel, QEvent(QEvent.Type.Leave))
    assert not panel.plot.isVisible() and panel.outcome.isVisible()
    panel.show_labels(6, 6)  # the work goes on: nobody asks how that run ended any more
    assert not panel.outcome.isVisible()
