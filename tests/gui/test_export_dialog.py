"""The dialog of an export where there is nothing to export yet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pytestqt.qtbot import QtBot

from scaf_gui.core.face import Prediction
from scaf_gui.gui.export_dialog import ExportDialog
from scaf_gui.gui.window import MainWindow


def test_no_folder_is_made_for_no_face(quiet_window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    session = quiet_window.session
    assert session is not None and session.current is not None
    dialog = ExportDialog(session, quiet_window)
    assert "accept a face first." in dialog.outcome.text()
    out = tmp_path / "out"
    dialog.out.setText(str(out))
    dialog.write()
    assert not dialog.worker.is_running and not out.exists() and dialog.outcome.property("role") == "warning"
    dialog.close()
    points = np.random.default_rng(0).uniform(50.0, 140.0, (68, 2))
    session.document.set_predictions({session.current: Prediction(points, np.ones(68), "m")})
    dialog = ExportDialog(session, quiet_window)
    assert "or choose other faces above" in dialog.outcome.text()
    dialog.include.setCurrentIndex(dialog.include.findData("all"))
    assert "README" in dialog.outcome.text()
    dialog.close()
