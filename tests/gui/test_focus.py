"""A click beside the canvas does not take the keys away from it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from scaf_gui.gui.window import MainWindow


def test_clicks_in_the_side_panel_leave_the_keys_to_the_canvas(quiet_window: MainWindow, qtbot: QtBot) -> None:
    place, canvas = quiet_window.workspace, quiet_window.workspace.canvas
    table = place.landmarks.table
    QTest.mouseClick(
        table.viewport(), Qt.MouseButton.LeftButton, pos=table.visualRect(place.landmarks.model.index(3, 0)).center()
    )
    assert canvas.selected == 3 and canvas.hasFocus()
    for button in (place.landmarks.attributes[0], place.shape_bar.check, place.training.history_button):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert canvas.hasFocus()


def test_the_search_takes_the_keys_and_gives_them_back(quiet_window: MainWindow, qtbot: QtBot) -> None:
    place, session = quiet_window.workspace, quiet_window.session
    assert session is not None
    quiet_window.actions_by_id["find"].trigger()
    assert place.queue.search.hasFocus()
    wanted = session.queue.order[4]
    qtbot.keyClicks(place.queue.search, session.document.face(wanted).image)
    qtbot.keyClick(place.queue.search, Qt.Key.Key_Return)
    assert session.current == wanted and place.canvas.hasFocus()
    quiet_window.actions_by_id["find"].trigger()
    qtbot.keyClick(place.queue.search, Qt.Key.Key_Escape)
    assert place.queue.search.text() == "" and place.canvas.hasFocus()
