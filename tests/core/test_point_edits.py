"""Edits of several landmarks, of landmarks without a place, and nudges made one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scaf_gui.core import edits, point_edits
from scaf_gui.core.document import Document
from scaf_gui.core.face import Face, Flag, Prediction, State
from scaf_gui.core.scheme import Group, Scheme

SCHEME = Scheme(
    "s",
    "S",
    ("left_eye", "right_eye", "nose", "chin"),
    (Group("both_eyes", (0, 1)), Group("rest", (3, 2))),
    frozenset(),
    (),
    (1, 0, 2, 3),
    None,
    {},
)
FACE = Face(1, "a.png")
POINTS = np.array([[10.0, 10.0], [30.0, 10.0], [20.0, 20.0], [20.0, 40.0]])
PREDICTION = Prediction(POINTS, np.ones(4), "m")
ALL, NOBODY = np.ones(4, dtype=np.bool_), np.zeros(4, dtype=np.bool_)


def mask(*landmarks: int) -> np.ndarray:
    return np.isin(np.arange(4), landmarks)


def after(edit: edits.Edit | None) -> Face:
    assert edit is not None
    face = edit.changes[0].after
    assert face is not None
    return face


def test_phrases() -> None:
    assert point_edits.phrase(SCHEME, ALL) == "face"
    assert point_edits.phrase(SCHEME, mask(0, 1)) == "both eyes"
    assert point_edits.phrase(SCHEME, mask(2)) == "nose"
    assert point_edits.phrase(SCHEME, mask(0, 2)) == "2 landmarks"
    assert SCHEME.walk == (0, 1, 3, 2)


def test_only_what_moved_is_taken_and_only_what_was_placed_counts_so() -> None:
    moved = point_edits.move_points(FACE, PREDICTION, POINTS + 5, mask(0, 1), mask(0), "Move", "me")
    face = after(moved)
    assert face.state is State.STARTED
    assert face.label is not None
    np.testing.assert_array_equal(face.label.points, np.where(mask(0, 1)[:, None], POINTS + 5, POINTS))
    assert face.label.placed.tolist() == [True, False, False, False]
    assert face.label.based_on == "m"
    assert point_edits.move_points(FACE, PREDICTION, POINTS, ALL, ALL, "Move", "me") is None
    assert point_edits.move_points(FACE, None, POINTS, ALL, ALL, "Move", "me") is None
    lost = np.full((4, 2), np.nan)
    assert point_edits.move_points(FACE, PREDICTION, lost, ALL, ALL, "Move", "me") is None


def test_snap_keeps_the_flag_occluded() -> None:
    label = edits.start_label(FACE, PREDICTION, "me")
    assert label is not None
    label = label.with_point(0, 1, 1).with_point(1, 2, 2).with_flag(1, Flag.OCCLUDED).with_flag(2, Flag.MISSING)
    face = replace(FACE, label=label, state=State.STARTED)
    back = after(point_edits.snap(face, PREDICTION, mask(0, 1, 2), "Back", "me")).label
    assert back is not None
    np.testing.assert_array_equal(back.points, POINTS)
    assert not back.placed.any()
    assert back.flags.tolist() == [Flag.VISIBLE, Flag.OCCLUDED, Flag.VISIBLE, Flag.VISIBLE] or back.flags[2] == 2
    assert point_edits.snap(FACE, PREDICTION, ALL, "Back", "me") is None
    assert point_edits.snap(face, None, ALL, "Back", "me") is None


def test_placing_one_after_the_other_skipping_and_taking_back() -> None:
    assert point_edits.to_place(None, SCHEME.walk) == 0
    assert point_edits.last_placed(FACE, SCHEME.walk, None) is None
    blank = point_edits.blank_label(4, "me").with_point(0, 1.0, 2.0)
    face = after(edits.set_label(FACE, blank, "Place", "me"))
    assert point_edits.to_place(face, SCHEME.walk, 0) == 1
    skipped = after(point_edits.skip_landmark(face, None, 1, SCHEME, "me"))
    assert point_edits.to_place(skipped, SCHEME.walk, 1) == 3
    assert point_edits.to_place(skipped, SCHEME.walk) == 3  # it is not asked for again
    assert point_edits.last_placed(skipped, SCHEME.walk, 3) == 1
    back = after(point_edits.take_back(skipped, None, 1, SCHEME, "me"))
    assert point_edits.to_place(back, SCHEME.walk) == 1
    empty = after(point_edits.take_back(back, None, 0, SCHEME, "me"))
    assert empty.label is None
    assert empty.state is State.UNLABELLED
    assert point_edits.take_back(empty, None, 0, SCHEME, "me") is None
    # with a prediction below, it shows again
    begun = after(edits.move_landmark(FACE, PREDICTION, 2, 0.0, 0.0, "me"))
    label = after(point_edits.take_back(begun, PREDICTION, 2, SCHEME, "me")).label
    assert label is not None
    np.testing.assert_array_equal(label.points, POINTS)


def test_what_is_left_to_place_is_neither_placed_nor_skipped() -> None:
    assert point_edits.left_to_place(None) == point_edits.left_to_place(FACE) == 0, "nothing is begun"
    begun = after(edits.move_landmark(replace(FACE, label=point_edits.blank_label(4, "me")), None, 1, 5.0, 6.0, "me"))
    assert point_edits.left_to_place(begun) == 3
    skipped = after(point_edits.skip_landmark(begun, None, 0, SCHEME, "me"))
    assert point_edits.left_to_place(skipped) == 2
    corrected = after(edits.flag_landmark(FACE, PREDICTION, 2, Flag.MISSING, "me"))
    assert point_edits.left_to_place(corrected) == 0, "a pre-filled landmark that cannot be seen"


def test_the_last_two_edits_become_one_only_where_they_belong_together() -> None:
    document = Document(SCHEME, [FACE, replace(FACE, id=2)])
    document.history.join_last()
    document.set_predictions({1: PREDICTION, 2: PREDICTION})

    def move(face_id: int, x: float) -> None:
        edit = edits.move_landmark(document.face(face_id), PREDICTION, 0, x, 0.0, "me")
        assert edit is not None
        document.apply(edit)

    move(1, 1.0)
    move(1, 2.0)
    document.history.join_last()
    document.undo()
    assert document.face(1).label is None
    document.redo()
    label = document.face(1).label
    assert label is not None
    assert label.points[0].tolist() == [2.0, 0.0]
    move(2, 5.0)
    document.history.join_last()  # of another face
    document.undo()
    assert document.face(1).label is not None
    assert document.face(2).label is None
