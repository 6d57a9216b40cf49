"""The window comes back where it was, and fits upon the screen it first comes to."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from scaf_gui.gui import window_place
from scaf_gui.gui.window import MainWindow
from scaf_gui.settings import Settings


def test_the_window_comes_back_as_large_as_it_was(qtbot: QtBot, dressed: QApplication, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    first, again = (MainWindow(Settings(path)) for _ in range(2))
    for window in (first, again):
        qtbot.addWidget(window)
    first._stack.setCurrentWidget(first.workspace)
    first.resize(840, 610)  # as wide as the screen of the tests allows
    first.show()
    first.workspace.splitter.setSizes([240, 290, 308])
    widths = first.workspace.splitter.sizes()
    first.close()
    window_place.restore(again, again.workspace.splitter, Settings(path))
    again._stack.setCurrentWidget(again.workspace)
    again.show()
    assert again.size() == QSize(840, 610) and again.workspace.splitter.sizes() == widths
    again.close()


def test_a_place_that_cannot_be_read_is_no_trouble(qtbot: QtBot, dressed: QApplication, tmp_path: Path) -> None:
    settings = Settings(tmp_path / "settings.json")
    settings["window"] = {"place": "no hex", "columns": 3}
    window = MainWindow(settings)
    qtbot.addWidget(window)
    window_place.restore(window, window.workspace.splitter, settings)
    assert window.height() == 720


def test_a_first_window_fits_the_screen_and_uses_a_large_one() -> None:
    usual = QSize(1280, 720)
    assert window_place.first_size(usual, QSize(1280, 690)) == QSize(1280, 690)
    assert window_place.first_size(usual, QSize(853, 480)) == QSize(853, 480)
    assert window_place.first_size(usual, QSize(1920, 1040)) == QSize(1632, 884)
