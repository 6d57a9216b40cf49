from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from scaf_gui.core.edits import start_label
from scaf_gui.core.face import Face, Prediction, State
from scaf_gui.core.point_edits import blank_label, skip_landmark
from scaf_gui.core.scheme import load_scheme
from scaf_gui.gui import theme
from scaf_gui.gui.face_bar import FaceBar
from scaf_gui.gui.landmark_panel import LandmarkPanel
from scaf_gui.gui.status import Status, counted
from scaf_gui.paths import resource_folder

SCHEME = load_scheme(resource_folder() / "schemes" / "five-5.json")


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


def test_landmarks_show_names_flags_expected_errors_and_who_set_them(qtbot: QtBot, dressed: QApplication) -> None:
    panel = LandmarkPanel()
    qtbot.addWidget(panel)
    prediction = Prediction(np.arange(10.0).reshape(5, 2), np.array([4.0, 2.0, 1.0, 0.0, 4.0]), "m")
    face = Face(1, "a.jpg")
    expected = np.array([1.0, 4.26, 2.0, 2.0, 2.0])
    panel.show_face(SCHEME, face, prediction, expected)
    row = [panel.model.index(1, column).data() for column in range(4)]
    assert row == [SCHEME.names[1].replace("_", " "), "", "~4.3", "model"]
    shades = [panel.model.index(n, 2).data(Qt.ItemDataRole.ForegroundRole).name() for n in (0, 1)]
    assert shades == [theme.colour("muted").name(), theme.colour("warning").name()]
    label = start_label(face, prediction, "me")
    assert label is not None

    elides = panel.table.textElideMode() is Qt.TextElideMode.ElideMiddle and not panel.table.wordWrap()
    assert elides, "long names keep their ends"
    assert "right_mouth_corner" in str(panel.model.index(4, 0).data(Qt.ItemDataRole.ToolTipRole))

    started = replace(face, label=label.with_point(1, 3, 4), state=State.STARTED)
    panel.show_face(SCHEME, started, prediction, expected)
    assert [panel.model.index(1, column).data() for column in (1, 2, 3)] == ["visible", "", "hand"]
    assert panel.model.index(2, 2).data() == "~2.0"
    panel.show_face(SCHEME, replace(started, state=State.LABELLED), prediction, expected)
    assert panel.model.index(2, 2).data() == ""  # a person stands for it now
    assert panel.summary.text() == "1 of 5 by hand"
    assert "(3.0, 4.0)" in panel.model.index(1, 0).data(Qt.ItemDataRole.ToolTipRole)
    with qtbot.waitSignal(panel.chosen) as chosen:
        panel.table.selectRow(3)
    assert chosen.args == [3]
    panel.show_selected((2,))
    assert panel.table.selectionModel().selectedRows()[0].row() == 2
    panel.show_face(None, None, None)
    assert panel.model.rowCount() == 0 and not panel.attributes[0].isEnabled()


@pytest.mark.parametrize("width", [520, 620, 730, 1400])
def test_in_a_narrow_bar_what_looks_odd_comes_before_name_and_state(
    qtbot: QtBot, dressed: QApplication, width: int
) -> None:
    bar = FaceBar()
    qtbot.addWidget(bar)
    bar.resize(width, 44)
    bar.show()
    bar.show_face(Face(1, "a_rather_long_name_of_a_photo.jpg", state=State.STARTED), True)
    bar.show_doubt(12, begun=True)
    bar.show_findings(("Right eye 01 and left eye 02 look exchanged", "Two landmarks in one place"))
    QApplication.processEvents()
    shown = [button for button in (bar.doubt, bar.odd, bar.skip, bar.accept, bar.fine) if button.isVisible()]
    assert {bar.doubt, bar.odd, bar.skip, bar.accept} <= set(shown)
    for button in shown:
        assert button.width() >= button.minimumSizeHint().width() and button.geometry().right() < width
    if width >= 620:
        assert bar.odd.text().startswith("Right eye 0") and bar.odd.text().endswith("+1")
    assert bar.state.isVisible() == bar.name.isVisible() == (width == 1400)
    bar.show_findings(())
    assert bar.name.isVisible() or width == 520


@pytest.mark.parametrize("width", [300, 340, 430, 520])
def test_in_a_very_narrow_bar_buttons_say_less_but_nothing_is_cut(
    qtbot: QtBot, dressed: QApplication, width: int
) -> None:
    bar = FaceBar()
    qtbot.addWidget(bar)
    bar.resize(width, 44)
    bar.show()
    bar.show_face(Face(1, "a_rather_long_name_of_a_photo.jpg"), True)
    bar.show_doubt(37)
    QApplication.processEvents()
    for button in (bar.doubt, bar.skip, bar.accept):
        assert button.width() >= button.minimumSizeHint().width() and button.geometry().right() < width
    assert bar.doubt.text() == ("37 worth a look · Q" if width == 520 else "37 · Q")
    assert bar.accept.text() == ("Accept and next" if width >= 430 else "Accept")
    bar.resize(900, 44)
    QApplication.processEvents()
    assert bar.accept.text() == "Accept and next" and bar.doubt.text() == "37 worth a look · Q"


def test_the_list_shows_all_that_is_selected_and_begins_anew_with_another_face(
    qtbot: QtBot, dressed: QApplication
) -> None:
    scheme = load_scheme(resource_folder() / "schemes" / "300w-68.json")
    panel = LandmarkPanel()
    qtbot.addWidget(panel)
    panel.resize(290, 400)
    panel.show()
    chosen: list[int] = []
    panel.chosen.connect(chosen.append)
    panel.show_face(scheme, Face(1, "a.jpg"), None)
    panel.show_selected((60, 61, 62))
    rows = panel.table.selectionModel().selectedRows()
    assert sorted(index.row() for index in rows) == [60, 61, 62]
    assert panel.table.verticalScrollBar().value() > 0
    panel.show_face(scheme, Face(1, "a.jpg"), None)
    assert panel.table.verticalScrollBar().value() > 0  # the same face: the list stays
    panel.show_selected(())
    panel.show_face(scheme, Face(2, "b.jpg"), None)
    assert panel.table.verticalScrollBar().value() == 0
    assert not panel.table.selectionModel().selectedRows() and not chosen


def test_what_nobody_has_come_to_yet_is_not_called_missing(qtbot: QtBot, dressed: QApplication) -> None:
    scheme = load_scheme(resource_folder() / "schemes" / "300w-68.json")
    label = blank_label(68, "me").with_point(0, 10.0, 20.0)
    face = Face(1, "a.jpg", label=label, state=State.STARTED)
    skipped = skip_landmark(face, None, 1, scheme, "me").changes[0].after
    assert skipped is not None
    panel = LandmarkPanel()
    qtbot.addWidget(panel)

    def column(number: int) -> list[object]:
        return [panel.model.data(panel.model.index(row, number)) for row in range(3)]

    points = np.zeros((68, 2))
    panel.show_face(scheme, skipped, Prediction(points, np.ones(68), "later"))
    assert column(1) == ["visible", "missing", "to place"]
    assert column(3) == ["hand", "hand", ""], "a prediction that came later is not in the label"
    panel.show_face(scheme, replace(skipped, state=State.LABELLED), None)
    assert column(1) == ["visible", "missing", "missing"], "accepted so"
