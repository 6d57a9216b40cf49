"""Fall-off along curves, and even spacing."""

from __future__ import annotations

import numpy as np
import pytest

from scaf_gui.core.curves import curve_of, fall_off, spread_evenly
from scaf_gui.core.scheme import Group, Scheme


def scheme_of(*groups: Group) -> Scheme:
    count = 1 + max(max(group.landmarks) for group in groups)
    names = tuple(f"p{i}" for i in range(count))
    return Scheme("s", "S", names, groups, frozenset(), (), tuple(range(count)), None, {})


LINE = scheme_of(Group("line", tuple(range(9))), Group("dot", (9,), curve=False))
POINTS = np.column_stack([np.arange(10) * 10.0, np.zeros(10)])
NONE = np.zeros(10, dtype=np.bool_)


def test_a_cosine_of_the_arc_length() -> None:
    weights = fall_off(POINTS, LINE, 4, 40.0, NONE)
    expected = 0.5 * (1 + np.cos(np.pi * np.abs(np.arange(9) - 4) / 4))
    np.testing.assert_allclose(weights[:9], expected, atol=1e-12)
    assert weights[9] == 0
    assert fall_off(POINTS, LINE, 9, 40.0, NONE).tolist() == [0.0] * 9 + [1.0]
    assert fall_off(POINTS, LINE, 4, 0.0, NONE).sum() == 1.0


def test_what_is_fixed_stays_and_ends_the_reach_smoothly() -> None:
    fixed = NONE.copy()
    fixed[6] = True
    weights = fall_off(POINTS, LINE, 4, 100.0, fixed)
    assert weights[5] == pytest.approx(0.5)  # half way to the fixed one
    assert weights[6:].sum() == 0
    assert weights[3] > 0.9


def test_a_closed_curve_is_reached_both_ways_and_a_gap_passed_over() -> None:
    angle = np.arange(8) * np.pi / 4
    ring = 10 * np.column_stack([np.cos(angle), np.sin(angle)])
    scheme = scheme_of(Group("ring", tuple(range(8)), closed=True))
    weights = fall_off(ring, scheme, 0, 20.0, np.zeros(8, dtype=np.bool_))
    np.testing.assert_allclose(weights[[1, 2]], weights[[7, 6]])
    assert 0 < weights[2] < weights[1] < 1
    holed = POINTS.copy()
    holed[5] = np.nan
    there = fall_off(holed, LINE, 4, 40.0, NONE)
    assert there[5] == 0
    assert there[6] == pytest.approx(fall_off(POINTS, LINE, 4, 40.0, NONE)[6])


def test_even_spacing_on_a_circle_keeps_to_the_circle() -> None:
    angle = np.deg2rad([180, 200, 235, 260, 300, 335, 360])
    points = 100 * np.column_stack([np.cos(angle), np.sin(angle)])
    group = Group("arc", tuple(range(7)))
    even = spread_evenly(points, group, frozenset(), np.ones(7, dtype=np.bool_))
    assert (even[[0, 6]] == points[[0, 6]]).all()
    gaps = np.hypot(*np.diff(even, axis=0).T)
    assert gaps.std() / gaps.mean() < 0.02
    assert np.abs(np.hypot(*even.T) - 100).max() < 2.0


def test_corners_and_what_is_not_chosen_stay() -> None:
    x = np.array([0.0, 1.0, 20.0, 21.0, 40.0])
    points = np.column_stack([x, np.zeros(5)])
    group, every = Group("line", (0, 1, 2, 3, 4)), np.ones(5, dtype=np.bool_)
    np.testing.assert_allclose(spread_evenly(points, group, frozenset(), every)[:, 0], [0, 10, 20, 30, 40], atol=0.2)
    kept = spread_evenly(points, group, frozenset({1}), every)
    np.testing.assert_allclose(kept[:, 0], [0, 1, 14, 27, 40], atol=0.2)
    some = every.copy()
    some[3] = False
    np.testing.assert_allclose(spread_evenly(points, group, frozenset(), some)[:, 0], [0, 7, 14, 21, 40], atol=0.2)
    lost = points.copy()
    lost[2] = np.nan
    np.testing.assert_array_equal(spread_evenly(lost, group, frozenset(), every), lost)
    same = np.zeros((5, 2))
    assert np.isfinite(spread_evenly(same, group, frozenset(), every)).all()
    np.testing.assert_array_equal(spread_evenly(points[:2], Group("two", (0, 1)), frozenset(), every), points[:2])


def test_closed_curves_start_at_what_stays() -> None:
    angle = np.deg2rad([0, 45, 120, 180, 225, 300])
    ring = np.column_stack([np.cos(angle), np.sin(angle)])
    group = Group("ring", tuple(range(6)), closed=True)
    even = spread_evenly(ring, group, frozenset({0, 3}), np.ones(6, dtype=np.bool_))
    assert (even[[0, 3]] == ring[[0, 3]]).all()
    for first, second in ((0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0)):
        assert np.hypot(*(even[first] - even[second])) == pytest.approx(1.0, abs=0.08)


def test_which_curve() -> None:
    assert curve_of(LINE, 3) is LINE.groups[0]
    assert curve_of(LINE, 9) is None
