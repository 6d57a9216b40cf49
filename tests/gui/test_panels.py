from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from scaf_gui.core.edits import start_label
from scaf_gui.core.face import Face, Prediction
from scaf_gui.core.scheme import load_scheme
from scaf_gui.gui.landmark_panel import LandmarkPanel, confidence
from scaf_gui.gui.loss_plot import MOST_POINTS, LossPlot
from scaf_gui.gui.status import Status, counted
from scaf_gui.gui.training_panel import TrainingPanel, time_left
from scaf_gui.paths import resource_folder
from scaf_gui.session.events import ModelInfo, RefreshResult

SCHEME = load_scheme(resource_folder() / "schemes" / "five-5.json")
STARTER = ModelInfo("starter:x", "x", False, "Starter")
OWN = ModelInfo("m1", "y", True, "8 labels, quick", "2025-03-01T10:00:00+00:00", trained_on=(1, 2, 3), error=4.21)


def progress(step: int, loss: float, **more: object) -> SimpleNamespace:
    """As ``learning.training.Progress``, whose module loads torch."""
    values = {"stage": "training", "epoch": 1, "epochs": 3, "steps": 50, "seconds_left": 12.0}
    values |= {"validation_nme": None, "note": ""}
    return SimpleNamespace(**(values | {"step": step, "loss": loss} | more))


@pytest.fixture
def panel(qtbot: QtBot, dressed: QApplication) -> TrainingPanel:
    made = TrainingPanel()
    qtbot.addWidget(made)
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
    panel.show_progress(progress(1, 0.5))  # type: ignore[arg-type]
    panel.show_progress(progress(25, 0.25, validation_nme=5.3, note="Batch halved: out of memory"))  # type: ignore[arg-type]
    assert panel.bar.value() == 500 and panel.left.text() == "12 s left"
    assert panel.figures.text() == "Epoch 1 of 3 · loss 0.25 · NME 5.30 %"
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


def test_the_curve_stays_small_and_leaves_out_what_is_no_number(qtbot: QtBot, dressed: QApplication) -> None:
    plot = LossPlot()
    qtbot.addWidget(plot)
    plot.add_loss(0, float("nan"))
    for step in range(5 * MOST_POINTS):
        plot.add_loss(step, 1.0 / (step + 1))
    points = plot.points()
    assert MOST_POINTS / 3 < len(points) <= MOST_POINTS
    assert points[-1][0] > 4.9 * MOST_POINTS and np.isfinite(points).all()
    plot.clear_curve()
    assert plot.points() == []


def test_time_left_reads_as_a_person_would_say_it() -> None:
    assert [time_left(s) for s in (None, float("inf"), 0.2, 59.6, 150)] == [
        "",
        "",
        "1 s left",
        "60 s left",
        "2 min left",
    ]


def test_status_tells_everything_that_runs(qtbot: QtBot, dressed: QApplication) -> None:
    status = Status()
    qtbot.addWidget(status)
    status.show()
    assert status.text() == "Ready" and not status.spinner.isVisible()
    status.show_work("boxes", counted("Finding faces", 12, 94))
    status.show_work("prefill", "Pre-filling…")
    assert status.text() == "Finding faces 12/94 · Pre-filling…" and status.spinner.isVisible()
    status.say("No face found in a.jpg")
    assert status.text().startswith("No face found in a.jpg · Finding")
    status.show_work("boxes", "")
    status.show_work("prefill", "")
    status.say("")
    assert status.text() == "Ready"
    status.show_device("CPU, bfloat16: no CUDA device")
    assert status.device.text() == "CPU, bfloat16" and "no CUDA" in status.device.toolTip()
    assert counted("Pre-filling", 1200, 10000, 30) == "Pre-filling 1,200/10,000, 30 s left"


def test_landmarks_show_names_flags_certainty_and_who_set_them(qtbot: QtBot, dressed: QApplication) -> None:
    panel = LandmarkPanel()
    qtbot.addWidget(panel)
    prediction = Prediction(np.arange(10.0).reshape(5, 2), np.array([4.0, 2.0, 1.0, 0.0, 4.0]), "m")
    face = Face(1, "a.jpg")
    panel.show_face(SCHEME, face, prediction)
    row = [panel.model.index(1, column).data() for column in range(4)]
    assert row == [SCHEME.names[1].replace("_", " "), "", "50%", "model"]
    label = start_label(face, prediction, "me")
    assert label is not None
    from dataclasses import replace

    panel.show_face(SCHEME, replace(face, label=label.with_point(1, 3, 4)), prediction)
    assert [panel.model.index(1, column).data() for column in (1, 3)] == ["visible", "hand"]
    assert panel.summary.text() == "1 of 5 by hand"
    assert "(3.0, 4.0)" in panel.model.index(1, 0).data(Qt.ItemDataRole.ToolTipRole)
    with qtbot.waitSignal(panel.chosen) as chosen:
        panel.table.selectRow(3)
    assert chosen.args == [3]
    panel.show_selected((2,))
    assert panel.table.selectionModel().selectedRows()[0].row() == 2
    panel.show_face(None, None, None)
    assert panel.model.rowCount() == 0 and not panel.attributes[0].isEnabled()


def test_certainty_is_relative_to_the_best_landmark() -> None:
    assert confidence(np.array([2.0, 1.0, -1.0])).tolist() == [1.0, 0.5, 0.0]
    assert confidence(np.zeros(3)).tolist() == [0.0, 0.0, 0.0]
