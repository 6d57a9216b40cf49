"""The sheet of keys: everything on it, and found by a word."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from scaf_gui.gui.shortcut_sheet import ShortcutSheet


def test_a_word_narrows_the_keys_down(qtbot: QtBot, dressed: QApplication) -> None:
    sheet = ShortcutSheet()
    qtbot.addWidget(sheet)
    sheet.show()

    def seen() -> set[str]:
        caps = sheet.findChildren(QLabel, "keyCap")
        return {cap.text() for cap in caps if cap.isVisible()}

    everything = seen()
    assert len(everything) > 60 and not sheet.nothing.isVisible()
    qtbot.keyClicks(sheet.search, "mirror")
    assert seen() == {"Ctrl+Shift+M"}
    sheet.search.setText("wheel loupe")
    assert seen() == {"Wheel while dragging"}
    sheet.search.setText("no such act")
    assert not seen() and sheet.nothing.isVisible()
    sheet.search.clear()
    assert seen() == everything and not sheet.nothing.isVisible()
