"""Menus: their keys are theirs while they are open, and the keyboard gets to each."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from scaf_gui.gui.menu import with_mnemonic
from scaf_gui.gui.window import MainWindow


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)  # of the offscreen platform
@pytest.mark.parametrize("key", [Qt.Key.Key_Right, Qt.Key.Key_Delete, Qt.Key.Key_Tab])
def test_a_key_in_an_open_menu_changes_nothing_behind_it(quiet_window: MainWindow, qtbot: QtBot, key: Qt.Key) -> None:
    session = quiet_window.session
    assert session is not None and session.current is not None
    before = session.document.face(session.current)
    quiet_window.workspace.canvas.select(0)
    menus = [action.menu() for action in quiet_window.menuBar().actions()]
    face = next(menu for menu in menus if menu.title().replace("&", "") == "Face")  # type: ignore[attr-defined]
    face.popup(quiet_window.mapToGlobal(quiet_window.rect().topLeft()))  # type: ignore[attr-defined]
    qtbot.waitUntil(face.isVisible)  # type: ignore[attr-defined]
    QTest.keyClick(face, key)  # type: ignore[call-overload]
    handed_on = QKeyEvent(QEvent.Type.ShortcutOverride, key, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(quiet_window.menuBar(), handed_on)  # as X11's focus does with Left and Right
    assert handed_on.isAccepted(), "else it would be an act"
    opened = QApplication.activePopupWidget()
    if opened is not None:
        opened.close()
    assert session.document.face(session.current) is before and quiet_window.status.remark == ""


def test_each_menu_has_a_letter_of_its_own(quiet_window: MainWindow) -> None:
    titles = [action.text() for action in quiet_window.menuBar().actions()]
    letters = [title[title.index("&") + 1].lower() for title in titles]
    assert len(set(letters)) == len(titles) == 8
    assert with_mnemonic("Face", {"f"}) == "F&ace" and with_mnemonic("ff", {"f"}) == "ff"
