from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from scaf_gui.gui.window import MainWindow
from scaf_gui.session.project import new_project
from scaf_gui.settings import Settings

pytestmark = pytest.mark.usefixtures("dressed", "no_leaks")


def test_learning_at_once_is_switched_in_the_menu_and_remembered(
    qtbot: QtBot, dressed: QApplication, faces_folder: Path, tmp_path: Path
) -> None:
    window = MainWindow(Settings())
    act = window.actions_by_id["instant"]
    assert act.isChecked() and act.isEnabled()
    session = new_project(tmp_path / "p.scaf", faces_folder, settings=window.settings, use_starter=False)
    window.show_session(session)
    assert session.instant.enabled
    act.trigger()
    assert not session.instant.enabled and not act.isChecked()
    assert Settings()["instant"] is False
    window.close()
    window.deleteLater()
    again = MainWindow(Settings())
    assert not again.actions_by_id["instant"].isChecked()
    again.close()
    again.deleteLater()
