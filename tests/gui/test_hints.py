"""What the canvas says of faces without landmarks, now and after the project is opened again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from scaf_gui.core.edits import set_box
from scaf_gui.core.face import Box
from scaf_gui.gui.editor import Editor
from scaf_gui.gui.hints import hint
from scaf_gui.session.project import new_project, open_project
from scaf_gui.session.session import Session


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Session]:
    """Two photos in which nobody is, searched by the real detector."""
    (tmp_path / "photos").mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / "photos" / name), np.full((200, 200, 3), 90, np.uint8))
    session = new_project(tmp_path / "p.scaf", tmp_path / "photos", use_starter=True)
    work: Any = session.find_boxes()
    for event in work:
        session.take(event)
    yield session
    session.close()


def says(session: Session, face_id: int) -> str:
    return hint(session, session.document.face(face_id), None, False)


NOTHING = "The detector found no face here. Press B and drag a box around it, or S to skip the photo."


def test_a_photo_without_a_face_stays_one(empty: Session) -> None:
    assert says(empty, 1) == NOTHING == says(empty, 2)
    empty.close()
    again = open_project(empty.path)
    try:
        assert not again.work.to_search and says(again, 1) == NOTHING
        again.edit(set_box(again.document.face(1), Box(9, 9, 90, 90)))
        assert says(again, 1) != NOTHING and "box" not in says(again, 1)
    finally:
        again.close()


def test_a_box_that_a_person_took_out_is_not_the_detectors_failure(empty: Session) -> None:
    empty.edit(set_box(empty.document.face(2), Box(9, 9, 90, 90)))
    editor = Editor()
    editor.open(empty)
    assert editor.delete_face(2)
    assert says(empty, 2).startswith("You took the box out of this photo. Press B")
    empty.close()
    again = open_project(empty.path)
    try:
        assert not again.work.to_search
        assert says(again, 2).startswith("You took the box out") and says(again, 1) == NOTHING
    finally:
        again.close()


def test_a_landmark_placed_while_the_pre_fill_is_on_its_way_would_keep_it_away(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    cv2.imwrite(str(tmp_path / "photos" / "a.png"), np.full((200, 200, 3), 90, np.uint8))
    session = new_project(tmp_path / "p.scaf", tmp_path / "photos", boxes="whole", use_starter=True)
    try:
        editor, said = Editor(), list[object]()
        editor.refused.connect(said.append)
        editor.open(session, lambda: (session.document.face(1), None))
        assert not editor.move(0, 50.0, 60.0) and "press P" in str(said[0])
        assert session.document.face(1).label is None
        editor.by_hand = lambda: True
        assert editor.move(0, 50.0, 60.0) and session.document.face(1).label is not None
        editor.by_hand = lambda: False
        assert editor.move(1, 50.0, 70.0) and len(said) == 1, "begun by hand: goes on by hand"
    finally:
        session.close()
