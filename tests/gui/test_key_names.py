"""What texts call keys, on a Mac and elsewhere; macOS is played."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from scaf_gui.gui import actions, key_names, status
from scaf_gui.gui.acts import ACTS
from scaf_gui.gui.key_names import as_here


@pytest.mark.parametrize(
    ("text", "on_a_mac"),
    [
        ("Face deleted; Ctrl+Z brings it back", "Face deleted; ⌘Z brings it back"),
        ("Ctrl+Shift+Z or Ctrl+Y", "⇧⌘Z or ⌘Y"),
        ("Shift+drag, Alt+Left", "⇧drag, ⌥Left"),
        ("the wheel sets how far. Ctrl: the reverse", "the wheel sets how far. ⌘: the reverse"),
        ("Control the shift of a Ctrlx", "Control the shift of a Ctrlx"),
    ],
)
def test_modifiers_are_written_as_the_system_writes_them(text: str, on_a_mac: str) -> None:
    assert as_here(text, "darwin") == on_a_mac
    assert as_here(text, "linux") == as_here(text, "win32") == text


def test_remarks_tips_and_gestures_say_it_so(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_names.as_here, "__defaults__", ("darwin",))
    made = status.Status()
    qtbot.addWidget(made)
    made.say("Ctrl+Z goes back")
    assert made.remark == "⌘Z goes back"
    parent = QWidget()
    qtbot.addWidget(parent)
    found: dict[str, QAction] = actions.make_actions(parent, {act.id: lambda *_: None for act in ACTS})
    # what Qt writes in brackets it writes for the system it runs on
    told = [action.statusTip() for action in found.values()] + [
        keys for menu, keys, _ in actions.shortcut_rows() if menu == "Mouse"
    ]
    assert any("⌘" in text for text in told) and not any("Ctrl" in text for text in told)
