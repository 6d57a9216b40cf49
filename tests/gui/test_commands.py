from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from scaf_gui.gui.demo import Hand
from scaf_gui.gui.window import MainWindow
from scaf_gui.session.annotator import label_from
from scaf_gui.session.project import new_project
from scaf_gui.session.session import Session
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


def test_thorough_training_begins_anew_and_takes_the_long_recipe(
    open_quietly: Callable[[Session, Settings], MainWindow],
    faces_folder: Path,
    truth_folder: Path,
    tmp_path: Path,
    qtbot: QtBot,
) -> None:
    settings = Settings()
    session = new_project(tmp_path / "p.scaf", faces_folder, boxes="whole", settings=settings, use_starter=False)
    for _ in label_from(session, truth_folder, 3):
        pass
    window = open_quietly(session, settings)
    background, hand = window.project.background, Hand(window)
    assert background is not None
    background.refresh_options = {"max_seconds": 1.0}  # what the clock allows of it
    ended: list[object] = []
    background.refresh_ended.connect(lambda outcome, kind: ended.append(outcome))
    hand.press(Qt.Key.Key_R, Qt.KeyboardModifier.ShiftModifier)
    assert "Training thoroughly" in window.status.text()
    qtbot.waitUntil(lambda: bool(ended), timeout=120_000)
    assert session.model is not None, ended
    assert (session.model.mode, session.model.preset) == ("full", "thorough")
    assert session.model.title == "3 labels, thorough"
    qtbot.waitUntil(lambda: not background.is_busy(), timeout=60_000)
