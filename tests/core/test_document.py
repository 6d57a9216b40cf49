"""The document under single edits, failures and listeners. Random edit sequences: test_document_random.py."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scaf_gui.core import edits
from scaf_gui.core.document import Changed, Document
from scaf_gui.core.edits import Change, Edit
from scaf_gui.core.face import Author, Box, BoxSource, Face, Label, Prediction, State
from scaf_gui.core.history import Step
from scaf_gui.core.scheme import parse_scheme
from scaf_gui.errors import EditError

SCHEME = parse_scheme({"id": "three", "landmarks": ["a", "b", "c"]})
FACES = [Face(i, f"{i}.jpg", Box(0, 0, 10, 10, BoxSource.DETECTOR)) for i in (1, 2, 3)]
BETTER = Box(1, 2, 30, 40, BoxSource.DETECTOR)


def told(value: float = 1.0, landmarks: int = 3) -> Prediction:
    return Prediction(np.full((landmarks, 2), value), np.ones(landmarks), "m")


def move(face: Face, x: float = 5.0) -> Edit:
    edit = edits.move_landmark(face, told(), 0, x, x, "ann")
    assert edit is not None
    return edit


@pytest.fixture
def document() -> Document:
    return Document(SCHEME, FACES)


def test_faces_keep_their_order_and_are_found_by_id(document: Document) -> None:
    assert [face.id for face in document] == [1, 2, 3] and len(document) == 3
    assert document.face(2).image == "2.jpg" and 2 in document and 9 not in document
    with pytest.raises(KeyError):
        document.face(9)


def test_faces_can_be_edited_while_they_are_walked_through(document: Document) -> None:
    for face in document:
        document.apply(Edit("Remove", (Change(face, None),)))
    assert len(document) == 0


def test_faces_by_state(document: Document) -> None:
    document.apply(edits.skip(document.face(2)))
    assert [face.id for face in document.with_state(State.SKIPPED)] == [2]
    assert [face.id for face in document.with_state(State.SKIPPED, State.UNLABELLED)] == [1, 2, 3]


def test_apply_undo_redo(document: Document) -> None:
    edit = move(document.face(1))
    document.apply(edit)
    changed = document.face(1)
    assert changed.state is State.STARTED and document.history.to_undo == edit
    assert document.undo() == edit.inverse() and document.face(1) == FACES[0]
    assert document.history.to_undo is None and document.history.to_redo == edit
    assert document.redo() == edit and document.face(1) == changed
    assert document.redo() is None


def test_nothing_to_undo(document: Document) -> None:
    assert document.undo() is None and document.redo() is None


def test_a_new_edit_drops_what_could_be_done_again(document: Document) -> None:
    document.apply(move(document.face(1)))
    document.undo()
    document.apply(move(document.face(2)))
    assert document.redo() is None


def test_an_edit_made_for_an_older_state_is_refused(document: Document) -> None:
    first, stale = move(document.face(1), 5), move(document.face(1), 6)
    document.apply(first)
    now = document.face(1)
    with pytest.raises(EditError, match="'Move landmark 0' was made for an older state of face 1"):
        document.apply(stale)
    assert document.face(1) == now and document.history.to_undo == first


def test_of_an_edit_of_two_faces_both_or_none_change(document: Document) -> None:
    document.apply(edits.skip(document.face(2)))
    both = Edit("Both", (*move(FACES[0]).changes, *move(FACES[1]).changes))
    with pytest.raises(EditError):
        document.apply(both)
    assert document.face(1) == FACES[0]


def test_a_label_of_another_scheme_is_refused(document: Document) -> None:
    label = Label.from_points(np.zeros((5, 2)), Author.now("ann"))
    with pytest.raises(EditError, match="5 landmarks does not fit three, which has 3"):
        document.apply(edits.set_label(document.face(1), label, "Import", "ann"))
    assert not document.face(1).is_human


def test_adding_a_face_that_is_there_and_removing_one_that_is_not(document: Document) -> None:
    with pytest.raises(EditError):
        document.apply(Edit("Add", (Change(None, FACES[0]),)))
    with pytest.raises(EditError):
        document.apply(Edit("Remove", (Change(Face(9, "9.jpg"), None),)))


# --- committing ------------------------------------------------------------------------------------


class Disk:
    """A store that fails when told to."""

    def __init__(self) -> None:
        self.written: list[Edit] = []
        self.steps: list[Step] = []
        self.full = False

    def __call__(self, edit: Edit, step: Step) -> None:
        if self.full:
            raise OSError("no space left on device")
        self.written.append(edit)
        self.steps.append(step)


def test_what_is_shown_was_committed_before() -> None:
    disk = Disk()
    document = Document(SCHEME, FACES, disk)
    seen: list[int] = []
    document.subscribe(lambda changed: seen.append(len(disk.written)))
    edit = move(document.face(1))
    document.apply(edit)
    document.undo()
    document.redo()
    assert disk.written == [edit, edit.inverse(), edit]
    assert disk.steps == [Step.DONE, Step.UNDONE, Step.REDONE]
    assert seen == [1, 2, 3]


@pytest.mark.parametrize("what", ["apply", "take_in", "undo", "redo"])
def test_a_commit_that_fails_leaves_everything_as_it_was(what: str) -> None:
    disk = Disk()
    document = Document(SCHEME, FACES, disk)
    done, undone = move(document.face(1)), move(document.face(2))
    document.apply(done)
    document.apply(undone)
    document.undo()
    document.set_predictions({3: told()})
    before = list(document)
    announced: list[Changed] = []
    document.subscribe(announced.append)
    third = document.face(3)
    act = {
        "apply": lambda: document.apply(move(third)),
        "take_in": lambda: document.take_in(edits.set_box(third, BETTER)),
        "undo": document.undo,
        "redo": document.redo,
    }[what]
    disk.full = True
    with pytest.raises(OSError, match="no space"):
        act()
    assert list(document) == before and announced == []
    assert document.prediction(3) is not None
    assert document.history.to_undo == done and document.history.to_redo == undone
    disk.full = False
    act()
    assert list(document) != before


# --- telling ---------------------------------------------------------------------------------------


def test_listeners_hear_what_changed_and_who_did_it(document: Document) -> None:
    heard: list[Changed] = []
    stop = document.subscribe(heard.append)
    me = object()
    document.apply(move(document.face(1)), by=me)
    document.set_predictions({2: told(), 99: told()}, by="model")
    document.undo(by=me)
    document.take_in(edits.set_box(document.face(3), BETTER))
    assert heard == [
        Changed((1,), "face", me),
        Changed((2,), "prediction", "model"),
        Changed((1,), "face", me),
        Changed((3,), "face", None),
    ]
    stop()
    stop()
    document.apply(move(document.face(1)))
    assert len(heard) == 4


def test_a_listener_finds_the_history_up_to_date(document: Document) -> None:
    seen: list[tuple[bool, bool]] = []
    history = document.history
    document.subscribe(lambda changed: seen.append((history.to_undo is not None, history.to_redo is not None)))
    document.apply(move(document.face(1)))
    document.undo()
    document.redo()
    assert seen == [(True, False), (False, True), (True, False)]


def test_a_listener_may_apply_an_edit_of_its_own(document: Document) -> None:
    def follow(changed: Changed) -> None:
        if changed.by != "follower":
            document.apply(edits.skip(document.face(2)), by="follower")

    document.subscribe(follow)
    document.apply(move(document.face(1)))
    assert document.face(2).state is State.SKIPPED
    document.undo(by="follower")
    document.undo(by="follower")
    assert list(document) == FACES


def test_a_listener_that_fails_takes_no_edit_out_of_the_history(document: Document) -> None:
    def broken(changed: Changed) -> None:
        raise RuntimeError("panel is gone")

    stop = document.subscribe(broken)
    with pytest.raises(RuntimeError):
        document.apply(move(document.face(1)))
    stop()
    document.undo()
    assert list(document) == FACES


def test_a_listener_may_leave_while_it_is_told(document: Document) -> None:
    heard: list[str] = []
    stops = {}
    for name in ("first", "second"):
        stops[name] = document.subscribe(lambda changed, name=name: (heard.append(name), stops[name]()))  # type: ignore[misc]
    document.apply(move(document.face(1)))
    document.apply(move(document.face(1), 9))
    assert heard == ["first", "second"]


# --- what machines bring ---------------------------------------------------------------------------


def test_predictions_stand_beside_labels(document: Document) -> None:
    document.apply(move(document.face(1)))
    label = document.face(1).label
    document.set_predictions({1: told(7), 2: told(8)})
    assert document.face(1).label is label and document.face(2) == FACES[1]
    shown = document.prediction(2)
    assert shown is not None and shown.points[0, 0] == 8


def test_predictions_of_another_scheme_are_refused_all_of_them(document: Document) -> None:
    with pytest.raises(EditError, match="5 landmarks for three"):
        document.set_predictions({1: told(), 2: told(landmarks=5)})
    assert document.prediction(1) is None


def test_a_new_box_drops_the_prediction_made_in_the_old_one(document: Document) -> None:
    document.set_predictions({1: told(), 2: told()})
    document.apply(edits.set_box(document.face(1), BETTER))
    assert document.prediction(1) is None and document.prediction(2) is not None


def test_a_removed_face_takes_its_prediction_along(document: Document) -> None:
    document.set_predictions({1: told()})
    document.apply(Edit("Remove", (Change(document.face(1), None),)))
    assert 1 not in document and document.prediction(1) is None


def test_boxes_from_a_detector_are_not_undone_with_the_edits_around_them(document: Document) -> None:
    document.apply(move(document.face(1)))
    document.take_in(edits.set_box(document.face(1), BETTER))
    document.undo()
    assert document.face(1) == replace(FACES[0], box=BETTER)
    document.redo()
    assert document.face(1).box == BETTER and document.face(1).is_human


def test_a_moved_image_is_followed_and_the_edits_around_it_can_still_be_undone(document: Document) -> None:
    document.apply(move(document.face(1)))
    document.apply(edits.skip(document.face(1)))
    document.undo()
    document.take_in(Edit("Follow", (Change(document.face(1), replace(document.face(1), image="new/1.jpg")),)))
    document.undo()
    assert document.face(1) == replace(FACES[0], image="new/1.jpg")
    document.redo()
    document.redo()
    assert document.face(1).state is State.SKIPPED and document.face(1).image == "new/1.jpg"


def test_a_machine_may_not_touch_what_a_person_did(document: Document) -> None:
    document.apply(move(document.face(1)))
    mine = document.face(1)
    for title, after in {
        "label": replace(mine, label=None),
        "state": replace(mine, state=State.SKIPPED),
        "attributes": replace(mine, attributes=(True,) * 6),
        "removal": None,
    }.items():
        with pytest.raises(EditError, match=f"'{title}' would change more of face 1 than its box and image"):
            document.take_in(Edit(title, (Change(mine, after),)))
    assert document.face(1) is mine and document.history.to_undo is not None


def test_an_id_is_never_given_twice(document: Document) -> None:
    """Undo may bring a removed face back; a face found meanwhile must not stand in its place."""
    assert document.next_id() == 4
    last = document.face(3)
    document.apply(Edit("Remove", (Change(last, None),)))
    assert document.next_id() == 4
    document.take_in(Edit("Found", (Change(None, Face(document.next_id(), "4.jpg")),)))
    document.undo()
    assert document.face(3) == last and document.face(4).image == "4.jpg"
    assert Document(SCHEME).next_id() == 1
