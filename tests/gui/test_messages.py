from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from scaf_gui.errors import FolderError, ImageError
from scaf_gui.gui import messages
from scaf_gui.gui.messages import MOST, MessageStrip, describe


@pytest.fixture
def strip(qtbot: QtBot, dressed: QApplication) -> MessageStrip:
    parent = QWidget()
    parent.resize(900, 400)
    qtbot.addWidget(parent)
    parent.show()
    made = MessageStrip(parent)
    made.owner = parent  # type: ignore[attr-defined]
    return made


def test_nothing_is_in_the_way_until_there_is_something_to_say(strip: MessageStrip, qtbot: QtBot) -> None:
    assert not strip.isVisible()
    strip.error("a.jpg: is empty")
    assert strip.isVisible() and [m.text for m in strip.messages()] == ["a.jpg: is empty"]
    qtbot.mouseClick(strip.messages()[0].close_button, Qt.MouseButton.LeftButton)
    assert not strip.messages() and not strip.isVisible()


def test_the_same_line_is_said_once_and_old_ones_make_room(strip: MessageStrip) -> None:
    for _ in range(3):
        strip.warning("again")
    assert [m.text for m in strip.messages()] == ["again"]
    for number in range(MOST + 2):
        strip.info(f"news {number}")
    assert [m.text for m in strip.messages()] == [f"news {n}" for n in range(2, MOST + 2)]


def test_news_go_by_themselves_trouble_stays(
    strip: MessageStrip, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "NEWS_MS", 10)
    strip.error("trouble")
    strip.info("news")
    qtbot.waitUntil(lambda: [m.text for m in strip.messages()] == ["trouble"], timeout=2000)


def test_a_button_does_what_it_says_and_ends_the_message(strip: MessageStrip, qtbot: QtBot) -> None:
    done: list[str] = []
    strip.error("The folder is gone", "Locate folder…", lambda: done.append("asked"))
    qtbot.mouseClick(strip.messages()[0].findChild(QPushButton), Qt.MouseButton.LeftButton)
    assert done == ["asked"] and not strip.messages()


def test_undo_is_offered_until_the_next_edit(strip: MessageStrip) -> None:
    """Later the same button would take back something else."""
    undone: list[str] = []
    strip.can_undo("Imported 40 labels.", lambda: undone.append("undo"))
    strip.info("Other news", "Look", lambda: None)
    button = next(button for button in strip.messages()[0].findChildren(QPushButton))
    assert button.text() == "Undo"
    strip.edited()
    assert [message.text for message in strip.messages()] == ["Other news"] and not undone


def test_a_long_line_is_wrapped_inside_the_window(strip: MessageStrip) -> None:
    strip.error("x.jpg: " + "word " * 120)
    parent = strip.parentWidget()
    assert parent is not None and strip.height() > 60
    assert parent.rect().contains(strip.geometry())
    parent.resize(600, 400)
    assert parent.rect().contains(strip.geometry())


def test_several_lines_that_come_at_once_are_all_readable(strip: MessageStrip) -> None:
    strip.error("one")
    strip.warning("two", "Locate folder…", lambda: None)
    strip.info("three")
    tops = [message.geometry().top() for message in strip.messages()]
    assert tops == sorted(set(tops))
    for message in strip.messages():
        assert message.height() >= message.fontMetrics().height() + 12
        assert strip.rect().contains(message.geometry())


def test_describe_names_the_file_and_never_alarms() -> None:
    assert describe(ImageError("is empty", Path("/p/a.jpg"))) == "/p/a.jpg: is empty"
    assert describe(FolderError("the image folder is gone")).startswith("The image folder")
    text = describe(PermissionError(13, "Permission denied", "/p/b"))
    assert "/p/b" in text and "Permission denied" in text
    assert "KeyError" in describe(KeyError("k")) and "labels are saved" in describe(KeyError("k"))
