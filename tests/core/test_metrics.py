"""Figures against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaf_gui.core import metrics
from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.scheme import parse_scheme

#: a flat open curve of five landmarks, of which the middle one is a corner, and two single points 100 px apart
SCHEME = parse_scheme(
    {
        "id": "test",
        "landmarks": ["a", "b", "c", "d", "e", "left", "right"],
        "groups": [
            {"name": "line", "landmarks": [0, 1, 2, 3, 4]},
            {"name": "left", "landmarks": [5], "curve": False},
            {"name": "right", "landmarks": [6], "curve": False},
        ],
        "corners": [2],
        "normaliser": [5, 6],
    }
)
TRUTH = np.array([[0.0, 0.0], [10.0, 0.0], [20.0, 0.0], [30.0, 0.0], [40.0, 0.0], [0.0, 50.0], [100.0, 50.0]])


def moved(*moves: tuple[int, float, float]) -> FloatArray:
    points = TRUTH.copy()
    for landmark, dx, dy in moves:
        points[landmark] += dx, dy
    return points


def test_nme_by_hand() -> None:
    # 3-4-5 triangle: 5 px of 100 px is 5 %, over 7 landmarks
    points = moved((0, 3, 4))
    assert metrics.landmark_errors(points, TRUTH, SCHEME).tolist() == [5, 0, 0, 0, 0, 0, 0]
    assert metrics.nme(points, TRUTH, SCHEME) == pytest.approx(5 / 7)


@given(st.floats(0.1, 50), st.floats(-math.pi, math.pi), st.floats(-500, 500), st.floats(-500, 500))
def test_no_figure_depends_on_place_size_or_turn(scale: float, angle: float, dx: float, dy: float) -> None:
    points = moved((1, 2, 5), (3, -7, 1), (6, 1, 1))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])

    def seen(values: FloatArray) -> FloatArray:
        return values @ turn.T + (dx, dy)

    assert metrics.nme(seen(points), seen(TRUTH), SCHEME) == pytest.approx(metrics.nme(points, TRUTH, SCHEME))
    np.testing.assert_allclose(
        metrics.across_errors(seen(points), seen(TRUTH), SCHEME),
        metrics.across_errors(points, TRUTH, SCHEME),
        atol=1e-9,
    )


def test_without_a_pair_the_box_of_the_landmarks_normalises() -> None:
    bare = parse_scheme({"id": "bare", "landmarks": ["a", "b", "c"]})
    truth = np.array([[0.0, 0.0], [40.0, 0.0], [20.0, 90.0]])
    assert metrics.normaliser(truth, bare) == pytest.approx(math.sqrt(40 * 90))


@pytest.mark.parametrize("missing", [5, 6])
def test_a_missing_corner_falls_back_to_the_box(missing: int) -> None:
    truth = TRUTH.copy()
    truth[missing] = np.nan
    known = truth[np.isfinite(truth[:, 0])]
    expected = math.sqrt(np.ptp(known[:, 0]) * np.ptp(known[:, 1]))
    assert metrics.normaliser(truth, SCHEME) == pytest.approx(expected)


def test_landmarks_that_the_truth_lacks_do_not_count() -> None:
    truth = TRUTH.copy()
    truth[0] = np.nan
    points = moved((0, 500, 500), (1, 0, 6))
    assert np.isnan(metrics.landmark_errors(points, truth, SCHEME)[0])
    assert metrics.nme(points, truth, SCHEME) == pytest.approx(1.0)
    assert metrics.needs_drag(points, truth, SCHEME).tolist() == [False, True, False, False, False, False, False]


def test_truth_without_any_landmark_has_no_error() -> None:
    assert math.isnan(metrics.nme(TRUTH, np.full_like(TRUTH, np.nan), SCHEME))


# --- drags -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("landmark", "dx", "dy", "across"),
    [
        (1, 8, 0, 0),  # inside the curve, along it: right where it is
        (1, 8, 3.5, 3.5),  # inside, only the part across counts
        (1, 0, -4, 4),  # inside, across
        (2, 8, 0, 8),  # a corner: along counts too
        (0, 8, 0, 8),  # an end
        (4, 0, 8, 8),
        (5, 3, 4, 5),  # a single point: plain distance
    ],
)
def test_errors_across_the_curve(landmark: int, dx: float, dy: float, across: float) -> None:
    errors = metrics.across_errors(moved((landmark, dx, dy)), TRUTH, SCHEME)
    assert errors[landmark] == pytest.approx(across)
    assert np.delete(errors, landmark).tolist() == pytest.approx([0] * 6)


def test_the_direction_of_a_curve_is_that_of_its_neighbours() -> None:
    """On a bend, across means perpendicular to the line from the landmark before to the one after."""
    truth = TRUTH.copy()
    truth[1] = 10, 10
    truth[2] = 20, 20  # neighbours of landmark 1: (0, 0) and (20, 20), a diagonal
    points = truth.copy()
    points[1] += 6, 0
    assert metrics.across_errors(points, truth, SCHEME)[1] == pytest.approx(6 / math.sqrt(2))


def test_with_a_neighbour_missing_the_plain_distance_counts() -> None:
    truth = TRUTH.copy()
    truth[0] = np.nan
    assert metrics.across_errors(moved((1, 8, 0)), truth, SCHEME)[1] == pytest.approx(8)


def test_neighbours_in_one_place_give_no_direction() -> None:
    truth = TRUTH.copy()
    truth[2] = truth[0]
    points = truth.copy()
    points[1] += 3, 4
    assert metrics.across_errors(points, truth, SCHEME)[1] == pytest.approx(5)


def test_a_landmark_needs_a_drag_above_three_percent_not_at_it() -> None:
    points = moved((0, 3, 0), (2, 3.01, 0), (1, 50, 2.9), (3, 0, 3.1))
    assert np.flatnonzero(metrics.needs_drag(points, TRUTH, SCHEME)).tolist() == [2, 3]
    assert not metrics.needs_drag(points, TRUTH, SCHEME, 5.0).any()


def test_a_landmark_that_was_not_found_needs_a_drag() -> None:
    points = TRUTH.copy()
    points[1] = np.nan
    assert np.flatnonzero(metrics.needs_drag(points, TRUTH, SCHEME)).tolist() == [1]


def test_the_callers_arrays_are_left_alone() -> None:
    points, truth = moved((1, 9, 9)), TRUTH.copy()
    metrics.across_errors(points, truth, SCHEME)
    metrics.needs_drag(points, truth, SCHEME)
    assert np.array_equal(points, moved((1, 9, 9))) and np.array_equal(truth, TRUTH)


# --- over a set ------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 30), min_size=1, max_size=40), st.floats(0.5, 20))
def test_auc_is_the_area_under_the_cumulative_curve(errors: list[float], limit: float) -> None:
    steps = 20_000
    at = (np.arange(steps) + 0.5) * limit / steps
    curve = np.searchsorted(np.sort(errors), at, side="right") / len(errors)
    assert metrics.auc(errors, limit) == pytest.approx(float(curve.mean()), abs=1.5 / steps)


def test_auc_by_hand() -> None:
    assert metrics.auc([0, 0], 8) == 1
    assert metrics.auc([8, 9, 100], 8) == 0
    assert metrics.auc([2, 6], 8) == pytest.approx((0.75 + 0.25) / 2)
    assert math.isnan(metrics.auc([], 8))


def test_an_evaluation_by_hand() -> None:
    faces = [
        (moved((0, 0, 7 * 9)), TRUTH),  # NME 9, one drag
        (moved((0, 0, 7 * 11), (1, 0, 4)), TRUTH),  # NME 11 + 4 / 7, two drags at 3 %, one at 5 %
        (TRUTH, TRUTH),
    ]
    found = metrics.Evaluation.of(faces, SCHEME)
    assert found.faces == 3
    assert found.nme == pytest.approx((9 + 11 + 4 / 7) / 3)
    assert found.failure_8 == pytest.approx(200 / 3) and found.failure_10 == pytest.approx(100 / 3)
    assert found.auc_8 == pytest.approx(1 / 3) and found.auc_10 == pytest.approx((1 + 0.1) / 3)
    assert found.drags_3 == pytest.approx(3 / 3) and found.drags_5 == pytest.approx(2 / 3)


def test_a_failure_is_above_the_limit_not_at_it() -> None:
    at_limit = [(moved((0, 0, 7 * 8)), TRUTH)]
    assert metrics.Evaluation.of(at_limit, SCHEME).failure_8 == 0


def test_faces_without_truth_are_left_out() -> None:
    unknown = np.full_like(TRUTH, np.nan)
    found = metrics.Evaluation.of([(TRUTH, unknown), (moved((0, 0, 7)), TRUTH), (TRUTH, unknown)], SCHEME)
    assert found.faces == 1 and found.nme == pytest.approx(1)


def test_no_face_gives_no_figures() -> None:
    found = metrics.Evaluation.of([], SCHEME)
    assert found.faces == 0
    assert all(math.isnan(getattr(found, name)) for name in ("nme", "failure_8", "auc_10", "drags_3"))
