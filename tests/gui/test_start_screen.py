"""The start screen says what it is at."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from scaf_gui.gui.window import MainWindow
from scaf_gui.settings import Settings


def test_the_tile_of_the_sample_tells_how_far_it_is(qtbot: QtBot, dressed: QApplication, tmp_path: Path) -> None:
    window = MainWindow(Settings(tmp_path / "settings.json"))
    qtbot.addWidget(window)
    tile = window.start_screen.sample

    def texts() -> list[str]:
        return [label.text() for label in tile.findChildren(QLabel)]

    at_rest = texts()
    window.opener.busy.emit("Drawing the sample faces 5/24")
    assert "Drawing the sample faces 5/24" in texts() and window.status.text() == "Drawing the sample faces 5/24"
    window.opener.busy.emit("")
    assert texts() == at_rest
