"""A project whose images are somewhere else now."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from scaf_gui.errors import FolderError
from scaf_gui.gui.messages import MessageStrip
from scaf_gui.gui.missing_folder import MissingFolder
from scaf_gui.session.project import new_project, open_project


def test_it_says_so_once_refuses_a_wrong_folder_and_takes_the_right_one(
    qtbot: QtBot, faces_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, moved, empty = tmp_path / "images", tmp_path / "moved", tmp_path / "empty"
    images.mkdir()
    empty.mkdir()
    for path in sorted(faces_folder.iterdir())[:2]:
        (images / path.name).write_bytes(path.read_bytes())
    new_project(tmp_path / "p.scaf", images).close()
    images.rename(moved)
    window, found = QWidget(), []
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    messages = MessageStrip(window)
    layout.addWidget(messages)
    missing = MissingFolder(messages, lambda: found.append(True), QObject(window), window)
    session = open_project(tmp_path / "p.scaf")
    try:
        missing.open(session)
        for _ in range(3):
            missing.tell(FolderError("the image folder is gone", images))
        assert [message.text for message in messages.messages()] == [f"{images}: the image folder is gone"]
        missing.relocate(empty)
        assert not found and session.folder == images and len(messages.messages()) == 2
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
        missing._locate()
        assert not found
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(moved))
        missing._locate()
        assert found == [True] and session.folder == moved
        missing.open(None)
        missing.relocate(empty)  # of no project: nothing to move
        assert session.folder == moved
    finally:
        session.close()
