"""Edits say exactly what a gesture changes, and how to take it back."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scaf_gui.core import edits
from scaf_gui.core.edits import Change, Edit
from scaf_gui.core.face import ATTRIBUTES, Author, Box, Face, Flag, Label, Prediction, State
from scaf_gui.errors import EditError

FACE = Face(7, "a.jpg", Box(0, 0, 10, 10))
TOLD = Prediction(np.array([[1.0, 2.0], [3.0, 4.0]]), np.ones(2), "model-1")


def only(edit: Edit | None) -> Face:
    assert edit is not None and len(edit.changes) == 1
    after = edit.changes[0].after
    assert after is not None
    return after


def test_the_first_drag_takes_the_prediction_over_and_says_so() -> None:
    edit = edits.move_landmark(FACE, TOLD, 1, 30, 40, "ann", "left_eye_00")
    face = only(edit)
    assert edit is not None and edit.title == "Move left_eye_00"
    assert face.state is State.STARTED and face.label is not None
    assert face.label.points.tolist() == [[1, 2], [30, 40]]
    assert face.label.placed.tolist() == [False, True]
    assert face.label.based_on == "model-1" and face.label.author.who == "ann"
    assert TOLD.points.tolist() == [[1, 2], [3, 4]]


def test_a_later_drag_starts_from_the_label_not_from_a_new_prediction() -> None:
    started = only(edits.move_landmark(FACE, TOLD, 1, 30, 40, "ann"))
    newer = Prediction(np.full((2, 2), 99.0), np.ones(2), "model-2")
    face = only(edits.move_landmark(started, newer, 0, 5, 6, "bob"))
    assert face.label is not None
    assert face.label.points.tolist() == [[5, 6], [30, 40]]
    assert face.label.based_on == "model-1" and face.label.author.who == "bob"


def test_without_label_or_prediction_there_is_nothing_to_move_mark_or_accept() -> None:
    assert edits.move_landmark(FACE, None, 0, 1, 1, "ann") is None
    assert edits.flag_landmark(FACE, None, 0, Flag.OCCLUDED, "ann") is None
    assert edits.accept(FACE, None, "ann") is None


def test_accepting_a_prediction_makes_it_a_label_of_the_person() -> None:
    face = only(edits.accept(FACE, TOLD, "ann"))
    assert face.state is State.LABELLED and face.label is not None
    assert face.label.points.tolist() == TOLD.points.tolist()
    assert not face.label.placed.any() and face.label.author.who == "ann"


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (State.UNLABELLED, State.STARTED),
        (State.STARTED, State.STARTED),
        (State.SKIPPED, State.STARTED),
        (State.LABELLED, State.LABELLED),
    ],
)
def test_a_drag_starts_a_face_but_does_not_open_an_accepted_one_again(state: State, after: State) -> None:
    assert only(edits.move_landmark(Face(1, "a.jpg", state=state), TOLD, 0, 1, 1, "ann")).state is after


def test_marking_missing_and_back() -> None:
    edit = edits.flag_landmark(FACE, TOLD, 0, Flag.MISSING, "ann", "chin")
    face = only(edit)
    assert edit is not None and edit.title == "Mark chin missing"
    assert face.label is not None and face.label.flags.tolist() == [Flag.MISSING, Flag.VISIBLE]


def test_a_prediction_with_holes_starts_a_label_with_missing_landmarks() -> None:
    told = Prediction(np.array([[1.0, 2.0], [math.nan, math.nan]]), np.ones(2), "m")
    label = edits.start_label(FACE, told, "ann")
    assert label is not None and label.flags.tolist() == [Flag.VISIBLE, Flag.MISSING]


def test_skipping_keeps_what_was_placed() -> None:
    started = only(edits.move_landmark(FACE, TOLD, 1, 30, 40, "ann"))
    skipped = only(edits.skip(started))
    assert skipped.state is State.SKIPPED and skipped.label == started.label


def test_reset_lets_the_prediction_show_again() -> None:
    started = only(edits.move_landmark(FACE, TOLD, 1, 30, 40, "ann"))
    edit = edits.reset_to_prediction(started)
    assert only(edit).label is None and only(edit).state is State.UNLABELLED
    assert only(edit.inverse()) == started


@pytest.mark.parametrize("which", range(len(ATTRIBUTES)))
def test_toggling_an_attribute_twice_changes_nothing(which: int) -> None:
    once = only(edits.toggle_attribute(FACE, which, ATTRIBUTES[which]))
    assert once.attributes == tuple(place == which for place in range(6))
    assert only(edits.toggle_attribute(once, which, ATTRIBUTES[which])) == FACE


def test_a_box_drawn_by_hand() -> None:
    box = Box(5, 5, 20, 25)
    assert only(edits.set_box(FACE, box)).box == box


def test_the_inverse_goes_back_in_the_opposite_order() -> None:
    other = Face(8, "b.jpg")
    edit = Edit("two", (Change(None, FACE), Change(other, None)))
    assert edit.inverse() == Edit("two", (Change(None, other), Change(FACE, None)))
    assert edit.inverse().inverse() == edit
    assert edit.face_ids == (7, 8)


def test_a_change_is_of_one_face() -> None:
    with pytest.raises(EditError, match="needs a face"):
        Change(None, None)
    with pytest.raises(EditError, match="cannot make face 7 into face 8"):
        Change(FACE, Face(8, "a.jpg"))


def test_labels_know_who_wrote_them_last() -> None:
    label = Label.from_points(TOLD.points, Author("importer", "2020-01-01T00:00:00+00:00"))
    face = only(edits.set_label(FACE, label, "Correct", "ann"))
    assert face.label is not None and face.label.author.who == "ann"
