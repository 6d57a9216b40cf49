"""What a box, a label and a prediction may hold."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from scaf_gui.core.face import Author, Box, BoxSource, Face, Flag, Label, Prediction, State
from scaf_gui.errors import EditError

ANN = Author("ann", "2024-05-01T12:00:00+00:00")


def label(points: object, **more: object) -> Label:
    return Label.from_points(np.asarray(points, dtype=np.float64), ANN, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "sides", [(0, 5), (5, 0), (-1, 5), (math.nan, 5), (5, math.inf), (5, math.nan)], ids=lambda sides: f"{sides}"
)
def test_a_box_needs_a_size(sides: tuple[float, float]) -> None:
    with pytest.raises(EditError, match="positive size"):
        Box(0, 0, *sides)


def test_a_box_needs_a_place_but_may_reach_out_of_the_image() -> None:
    with pytest.raises(EditError):
        Box(math.nan, 0, 5, 5)
    assert Box(-10, -20, 30, 50, BoxSource.DETECTOR).centre == (5, 5)


def test_rows_of_nan_become_missing_landmarks() -> None:
    given = label([[1, 2], [math.nan, math.nan], [3, 4]])
    assert given.flags.tolist() == [Flag.VISIBLE, Flag.MISSING, Flag.VISIBLE]
    assert given.num_landmarks == 3


def test_a_landmark_that_is_not_missing_needs_coordinates() -> None:
    with pytest.raises(EditError, match="finite"):
        label([[1, 2], [math.nan, 4]], flags=np.zeros(2, np.uint8))


@pytest.mark.parametrize(
    "shapes",
    [((3,), (3,), (3,)), ((3, 3), (3,), (3,)), ((3, 2), (2,), (3,)), ((3, 2), (3,), (4,))],
    ids=["points 1-d", "points 3 columns", "flags short", "placed long"],
)
def test_shapes_must_agree(shapes: tuple[tuple[int, ...], ...]) -> None:
    points, flags, placed = (np.zeros(shape) for shape in shapes)
    with pytest.raises(EditError, match="a label needs"):
        Label(points, flags.astype(np.uint8), placed.astype(bool), ANN)


def test_a_label_cannot_be_written_to() -> None:
    mine = np.array([[1.0, 2.0], [3.0, 4.0]])
    given = label(mine)
    for array in (given.points, given.flags, given.placed):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        given.points = mine  # type: ignore[misc]
    mine[0] = 99
    assert given.points[0].tolist() == [1, 2]


def test_moving_a_landmark_leaves_the_old_label_as_it_was() -> None:
    before = label([[1, 2], [math.nan, math.nan]], placed=False)
    after = before.with_point(1, 5.5, 6.25)
    assert after.points[1].tolist() == [5.5, 6.25]
    assert after.flags.tolist() == [Flag.VISIBLE, Flag.VISIBLE]
    assert after.placed.tolist() == [False, True]
    assert np.isnan(before.points[1]).all() and before.flags[1] == Flag.MISSING and not before.placed[1]


def test_moving_keeps_occluded() -> None:
    assert label([[1, 2]]).with_flag(0, Flag.OCCLUDED).with_point(0, 3, 4).flags[0] == Flag.OCCLUDED


def test_marking_missing_keeps_the_place_so_that_it_can_be_taken_back() -> None:
    back = label([[1, 2]]).with_flag(0, Flag.MISSING).with_flag(0, Flag.VISIBLE)
    assert back == label([[1, 2]])


def test_equality_is_by_value_and_nan_equals_nan() -> None:
    points = [[1, 2], [math.nan, math.nan]]
    assert label(points) == label(points)
    assert label(points) != label([[1, 2.0001], [math.nan, math.nan]])
    assert label(points) != label(points, placed=False)
    assert label(points) != label(points, based_on="m")
    assert label(points) != dataclasses.replace(label(points), author=Author("bob", ANN.when))
    assert label([[1, 2]]) != label([[1, 2]]).with_flag(0, Flag.OCCLUDED)
    assert label(points) != "a label"


def test_a_prediction_is_no_label() -> None:
    told = Prediction(np.zeros((4, 2)), np.ones(4), "m1", {"nnm": -3.0})
    assert not isinstance(told, Label)
    with pytest.raises(ValueError, match="read-only"):
        told.points[0] = 1
    with pytest.raises(EditError, match="a prediction needs"):
        Prediction(np.zeros((4, 2)), np.ones(3), "m1")


def test_a_new_face_is_unlabelled() -> None:
    face = Face(1, "a/b.jpg")
    assert face.state is State.UNLABELLED and not face.is_human
    assert dataclasses.replace(face, label=label([[1, 2]])).is_human


def test_now_is_utc_to_the_second() -> None:
    when = Author.now("ann").when
    assert when.endswith("+00:00") and len(when) == len("2024-05-01T12:00:00+00:00")
