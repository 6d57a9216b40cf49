"""Two stacks of edits, and machine finds carried into them."""

from __future__ import annotations

from dataclasses import replace

from scaf_gui.core import edits
from scaf_gui.core.edits import Change, Edit
from scaf_gui.core.face import Box, BoxSource, Face
from scaf_gui.core.history import History

OLD, NEW, DRAWN = (Box(0, 0, side, side, BoxSource.DETECTOR) for side in (10, 20, 30))
FACE, OTHER = Face(1, "a.jpg", OLD), Face(2, "b.jpg", OLD)


def boxes(edit: Edit | None) -> list[Box | None]:
    assert edit is not None
    return [face.box for change in edit.changes for face in (change.before, change.after) if face is not None]


def test_an_edit_goes_from_stack_to_stack() -> None:
    history = History()
    assert history.to_undo is None and history.to_redo is None
    first, second = edits.skip(FACE), edits.skip(OTHER)
    history.did(first)
    history.did(second)
    assert history.to_undo == second
    history.undone()
    assert (history.to_undo, history.to_redo) == (first, second)
    history.redone()
    assert (history.to_undo, history.to_redo) == (second, None)


def test_a_new_edit_forgets_what_was_undone() -> None:
    history = History()
    history.did(edits.skip(FACE))
    history.undone()
    history.did(edits.skip(OTHER))
    assert history.to_redo is None


def test_a_found_box_goes_into_done_and_undone_edits_of_that_face_only() -> None:
    history = History()
    for face in (FACE, OTHER, FACE):
        history.did(edits.skip(face))
    history.undone()
    history.rebase([Change(FACE, replace(FACE, box=NEW))])
    assert boxes(history.to_redo) == [NEW, NEW]
    assert boxes(history.to_undo) == [OLD, OLD]
    history.undone()
    assert boxes(history.to_undo) == [NEW, NEW]


def test_a_box_drawn_by_hand_stays_in_the_edits_that_drew_it() -> None:
    history = History()
    history.did(edits.set_box(FACE, DRAWN))
    history.did(edits.set_box(replace(FACE, box=DRAWN), OLD))
    history.rebase([Change(FACE, replace(FACE, box=NEW))])
    assert boxes(history.to_undo) == [DRAWN, NEW]
    history.undone()
    assert boxes(history.to_undo) == [NEW, DRAWN]
