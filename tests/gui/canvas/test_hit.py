"""The hit test: pure numpy."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scaf_gui.gui.canvas.hit import nearest, spacing

POINTS = np.array([[0.0, 0.0], [10.0, 0.0], [np.nan, np.nan], [10.0, 0.0]])


def test_the_nearest_within_the_radius() -> None:
    assert nearest(POINTS, 1, 1, 2) == 0
    assert nearest(POINTS, 5.1, 0, 6) == 1
    assert nearest(POINTS, 5, 5, 6) is None
    assert nearest(POINTS, 4, 0, 4.0) == 0  # the rim counts


def test_nothing_to_hit() -> None:
    assert nearest(np.empty((0, 2)), 0, 0, 1e9) is None
    assert nearest(np.full((3, 2), np.nan), 0, 0, 1e9) is None


def test_the_preferred_one_of_a_heap() -> None:
    assert nearest(POINTS, 10, 0, 3, prefer=3) == 3
    assert nearest(POINTS, 2, 0, 20, prefer=3, slack=2) == 0
    assert nearest(POINTS, 4, 0, 20, prefer=3, slack=2) == 3
    assert nearest(POINTS, 0, 0, 3, prefer=2, slack=99) == 0  # the preferred one has no place
    assert nearest(POINTS, 0, 0, 3, prefer=3, slack=99) == 0  # and it must be within the radius too


@given(
    st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)), min_size=1, max_size=30),
    st.floats(-1e4, 1e4),
    st.floats(-1e4, 1e4),
    st.floats(0, 1e4),
)
def test_agrees_with_the_plain_loop(points: list[tuple[float, float]], x: float, y: float, radius: float) -> None:
    distances = [float(np.hypot(a - x, b - y)) for a, b in points]
    found = nearest(np.array(points), x, y, radius)
    if min(distances) > radius:
        assert found is None
    else:
        assert found is not None and distances[found] == min(distances)


def test_arguments_are_not_written_to() -> None:
    points = POINTS.copy()
    points.setflags(write=False)
    assert nearest(points, 0, 0, 1) == 0


def test_spacing_is_the_median_edge() -> None:
    assert spacing(POINTS, ((0, 1), (1, 3), (0, 2))) == 5.0
    assert spacing(POINTS, ()) == np.inf
    assert spacing(POINTS, ((0, 2),)) == np.inf
