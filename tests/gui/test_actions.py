"""The table of acts: no key twice, no act without a use, and what is derived from it."""

from __future__ import annotations

from collections import Counter

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QMainWindow, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from scaf_gui.gui.act import CONTEXTS, NUDGES
from scaf_gui.gui.actions import build_menus, keys_text, make_actions, shortcut_rows
from scaf_gui.gui.acts import ACTS, BY_ID


class Bench:
    """A window with a canvas stand-in, a text field and a button; notes which acts fire."""

    def __init__(self, qtbot: QtBot):
        self.fired: list[tuple[str, tuple[object, ...]]] = []
        self.window = QMainWindow()
        qtbot.addWidget(self.window)
        middle = QWidget()
        layout = QVBoxLayout(middle)
        self.canvas, self.text, self.button = QWidget(), QLineEdit(), QPushButton("push")
        self.canvas.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for widget in (self.canvas, self.text, self.button):
            layout.addWidget(widget)
        self.window.setCentralWidget(middle)
        handlers = {act.id: self._note(act.id) for act in ACTS}
        self.actions = make_actions(self.window, handlers, self.canvas)
        self.menus = build_menus(self.window.menuBar(), self.actions)
        self.window.show()
        qtbot.waitExposed(self.window)
        self.window.activateWindow()
        qtbot.waitUntil(self.window.isActiveWindow)

    def _note(self, name: str):
        return lambda *given: self.fired.append((name, given))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.fired]


@pytest.fixture
def bench(qtbot: QtBot) -> Bench:
    return Bench(qtbot)


def test_no_key_stands_for_two_acts() -> None:
    # a canvas key and a window key would be ambiguous while the canvas has the focus, so contexts share one space
    keys = Counter(QKeySequence(key).toString() for act in ACTS for key in act.keys)
    assert "" not in keys
    assert [key for key, times in keys.items() if times > 1] == []


def test_every_row_is_complete() -> None:
    assert len(BY_ID) == len(ACTS)
    for act in ACTS:
        assert act.title and act.menu and act.tip and act.context in CONTEXTS, act.id
        assert act.checkable or not (act.checked or act.group), act.id


def test_each_act_is_an_action_in_a_menu_and_calls_its_handler(bench: Bench) -> None:
    in_menus = [action.objectName() for menu in bench.menus.values() for action in menu.actions() if not action.menu()]
    assert sorted(in_menus) == sorted(BY_ID)
    for name, action in bench.actions.items():
        action.trigger()
        assert bench.names[-1] == name
    assert Counter(bench.names) == Counter(list(BY_ID))


def test_handlers_must_match_the_table(qtbot: QtBot) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    handlers = {act.id: lambda *_: None for act in ACTS if act.id != "undo"}
    with pytest.raises(KeyError, match="undo"):
        make_actions(window, handlers)
    with pytest.raises(KeyError, match="fly"):
        make_actions(window, {act.id: lambda *_: None for act in ACTS} | {"fly": lambda: None})


@pytest.mark.parametrize("act", [act for act in ACTS if act.keys], ids=lambda act: act.id)
def test_every_key_works_on_the_canvas(bench: Bench, act) -> None:
    bench.canvas.setFocus()
    for key in act.keys:
        combination = QKeySequence(key)[0]
        QTest.keyClick(bench.canvas, combination.key(), combination.keyboardModifiers())
        assert bench.names[-1:] == [act.id], key
        bench.fired.clear()


def test_typing_is_not_a_command(bench: Bench) -> None:
    bench.text.setFocus()
    QTest.keyClicks(bench.text, "So far, x = -1 ")
    assert bench.text.text() == "So far, x = -1 "
    QTest.keyClick(bench.text, Qt.Key.Key_Left)
    assert bench.fired == []


def test_space_presses_a_focused_button(bench: Bench, qtbot: QtBot) -> None:
    bench.button.setFocus()
    with qtbot.waitSignal(bench.button.clicked):
        QTest.keyClick(bench.button, Qt.Key.Key_Space)
    assert bench.fired == []


def test_checkable_acts_tell_their_state_and_filters_exclude_each_other(bench: Bench) -> None:
    assert bench.actions["show_skeleton"].isChecked()
    bench.actions["show_skeleton"].trigger()
    assert bench.fired == [("show_skeleton", (False,))]
    bench.actions["filter_labelled"].trigger()
    assert not bench.actions["filter_all"].isChecked()


def test_tips_and_sheet_name_the_keys(bench: Bench) -> None:
    assert bench.actions["accept"].toolTip() == f"{BY_ID['accept'].tip} (Return or Enter or Space)"
    assert bench.actions["about"].toolTip() == BY_ID["about"].tip
    rows = shortcut_rows()
    for act in ACTS:
        assert ((act.menu.replace("/", " › "), keys_text(act), act.title) in rows) == bool(act.keys)
    assert any(menu == "Mouse" for menu, _, _ in rows)


def test_nudges_cover_four_sides_and_three_distances() -> None:
    assert NUDGES["nudge_left"] == (-1.0, 0.0)
    assert NUDGES["nudge_down_far"] == (0.0, 10.0)
    assert NUDGES["nudge_up_fine"] == (0.0, -0.1)
    assert len(NUDGES) == 12 and NUDGES.keys() <= BY_ID.keys()
