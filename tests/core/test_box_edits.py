"""Edits of boxes and faces: a label outlives every box, and what is taken out comes back by undo."""

from __future__ import annotations

import numpy as np
import pytest

from scaf_gui import paths
from scaf_gui.core import edits
from scaf_gui.core.document import Document
from scaf_gui.core.face import Author, Box, BoxSource, Face, Label, State
from scaf_gui.core.scheme import load_scheme
from scaf_gui.errors import EditError

SCHEME = load_scheme(paths.resource_folder() / "schemes" / "five-5.json")
LABEL = Label.from_points(np.arange(10.0).reshape(5, 2), Author.now("ann"))
FOUND = Box(10, 10, 50, 60, BoxSource.DETECTOR, 0.9)


@pytest.fixture
def document() -> Document:
    faces = (
        Face(1, "a.jpg", FOUND, LABEL, state=State.LABELLED),
        Face(2, "b.jpg", FOUND),
        Face(3, "a.jpg", Box(90, 10, 40, 40)),
    )
    return Document(SCHEME, faces)


def test_a_moved_box_keeps_label_state_and_rule(document: Document) -> None:
    before = document.face(1)
    edit = edits.change_box(before, 12, 13, 50, 60)
    assert edit is not None and edit.title == "Move box"
    document.apply(edit)
    face = document.face(1)
    assert face.label == LABEL and face.state is State.LABELLED
    assert face.box == Box(12, 13, 50, 60, BoxSource.DETECTOR)
    document.undo()
    assert document.face(1) == before


def test_a_resized_box_says_so_and_no_change_is_no_edit(document: Document) -> None:
    edit = edits.change_box(document.face(2), 10, 10, 55, 60)
    assert edit is not None and edit.title == "Resize box"
    assert edits.change_box(document.face(2), 10, 10, 50, 60) is None
    assert edits.change_box(Face(9, "c.jpg"), 1, 1, 5, 5) is None
    with pytest.raises(EditError):
        edits.change_box(document.face(2), 10, 10, 0, 60)


def test_drawing_upon_a_skipped_photo_makes_it_wait_again() -> None:
    bare, skipped = Face(1, "a.jpg", state=State.SKIPPED), Face(2, "a.jpg", FOUND, state=State.SKIPPED)
    assert edits.draw_box(bare, FOUND).changes[0].after.state is State.UNLABELLED
    assert edits.draw_box(skipped, Box(1, 1, 5, 5)).changes[0].after.state is State.SKIPPED


def test_faces_of_a_photo_follow_every_edit(document: Document) -> None:
    assert [face.id for face in document.beside("a.jpg")] == [1, 3]
    document.apply(edits.add_face(document.next_id(), "a.jpg", FOUND))
    assert [face.id for face in document.beside("a.jpg")] == [1, 3, 4]
    document.apply(edits.delete_face(document.face(1), last=False))
    assert [face.id for face in document.beside("a.jpg")] == [3, 4]
    document.undo()
    assert [face.id for face in document.beside("a.jpg")] == [1, 3, 4]
    assert document.beside("none.jpg") == ()


def test_a_deleted_face_comes_back_with_its_label(document: Document) -> None:
    before = document.face(1)
    edit = edits.delete_face(before, last=False)
    assert edit.title == "Delete face and its label"
    document.apply(edit)
    assert 1 not in document
    document.undo()
    assert document.face(1) == before
    document.redo()
    assert 1 not in document


def test_the_only_face_of_a_photo_stays_without_a_box(document: Document) -> None:
    edit = edits.delete_face(document.face(2), last=True)
    assert edit.title == "Delete face"
    document.apply(edit)
    assert document.face(2) == Face(2, "b.jpg")
    document.undo()
    assert document.face(2).box == FOUND


def test_not_a_face_is_never_said_of_a_label(document: Document) -> None:
    assert edits.not_a_face(document.face(1), last=False) is None
    other = edits.not_a_face(document.face(3), last=False)
    assert other is not None and other.changes[0].after is None and other.title == "Not a face"
    only = edits.not_a_face(document.face(2), last=True)
    assert only is not None and only.changes[0].after == Face(2, "b.jpg", state=State.SKIPPED)


def test_skipping_many_leaves_out_what_was_begun(document: Document) -> None:
    started = Face(7, "c.jpg", label=LABEL, state=State.STARTED)
    edit = edits.skip_all([*document, started, Face(8, "d.jpg", state=State.SKIPPED)], "Skip")
    assert edit is not None and edit.face_ids == (2, 3)
    assert edits.skip_all([started], "Skip") is None
