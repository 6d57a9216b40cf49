"""Moving, turning, scaling and mirroring landmarks."""

from __future__ import annotations

import numpy as np
import pytest

from scaf_gui.core.transforms import extent, mirror_axis, mirrored, shifted, side_of, similarity
from scaf_gui.errors import EditError

#: two pairs and a midline point around a slanted axis
FLIP = (1, 0, 3, 2, 4)


def slanted(degrees: float) -> np.ndarray:
    upright = np.array([[-10.0, 0.0], [10.0, 0.0], [-6.0, 20.0], [6.0, 20.0], [0.0, 9.0]])
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return upright @ turn + (50.0, 60.0)


def across(first: np.ndarray, second: np.ndarray) -> float:
    """The cross product of two vectors: 0 where they are parallel."""
    return float(first[0] * second[1] - first[1] * second[0])


def test_similarity_turns_clockwise_as_seen_and_leaves_the_rest() -> None:
    points = np.array([[10.0, 0.0], [0.0, 10.0], [np.nan, np.nan], [5.0, 5.0]])
    chosen = np.array([True, True, True, False])
    turned = similarity(points, chosen, (0.0, 0.0), degrees=90, scale=2.0)
    np.testing.assert_allclose(turned[:2], [[0, 20], [-20, 0]], atol=1e-12)  # y goes down: from right to below
    assert np.isnan(turned[2]).all()
    assert (turned[3] == points[3]).all()
    assert points[0].tolist() == [10.0, 0.0]


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan, np.inf])
def test_a_scale_that_cannot_be_is_refused(scale: float) -> None:
    with pytest.raises(EditError, match="cannot be scaled"):
        similarity(np.zeros((2, 2)), np.array([True, True]), (0.0, 0.0), scale=scale)


def test_shares_of_a_move_and_the_extent() -> None:
    points = np.array([[0.0, 0.0], [4.0, 8.0], [np.nan, np.nan]])
    np.testing.assert_allclose(shifted(points, np.array([1.0, 0.5, 0.0]), 2.0, -4.0)[:2], [[2, -4], [5, 6]])
    assert extent(points) == (0.0, 0.0, 4.0, 8.0)
    assert extent(points[2:]) is None


@pytest.mark.parametrize("degrees", [0, 20, 90, 160, 250])
def test_the_axis_of_a_symmetric_face_at_any_angle(degrees: float) -> None:
    points = slanted(degrees)
    middle, direction = mirror_axis(points, FLIP)
    down = slanted(degrees)[4] - (points[0] + points[1]) / 2
    assert abs(across(down, direction)) < 1e-9
    assert abs(across(points[4] - middle, direction)) < 1e-9
    left = side_of(points, FLIP, 0)
    assert left.tolist() == [True, False, True, False, False]
    broken = points.copy()
    broken[3] = np.nan
    after, put = mirrored(broken, FLIP, left)
    assert put.tolist() == [False, True, False, True, False]
    np.testing.assert_allclose(after, points, atol=1e-9)


def test_what_has_no_axis_or_no_side_is_said() -> None:
    with pytest.raises(EditError, match="no pair"):
        mirror_axis(np.zeros((1, 2)), (0,))
    with pytest.raises(EditError, match="fall together"):
        mirror_axis(np.full((5, 2), 3.0), FLIP)
    with pytest.raises(EditError, match="middle of the face"):
        side_of(slanted(0), FLIP, 4)
    lost = slanted(0)
    lost[[1, 3]] = np.nan
    with pytest.raises(EditError, match="no pair"):
        mirrored(lost, FLIP, np.ones(5, dtype=np.bool_))
