"""Half pixels, turns and crops, against plain arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaf_gui.core import geometry as geo
from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import Box, BoxSource
from scaf_gui.errors import EditError

place = st.floats(-3000, 3000)
side = st.floats(5, 3000)
sizes = st.integers(8, 512)
degrees = st.floats(-180, 180)
squares = st.builds(geo.Square, place, place, side)
pairs = st.lists(st.tuples(place, place), min_size=2, max_size=12).map(lambda rows: np.array(rows, dtype=np.float64))


def at(x: float, y: float) -> FloatArray:
    return np.array([x, y], dtype=np.float64)


@given(sizes, sizes)
def test_a_crop_of_a_whole_square_image_is_plain_resizing(before: int, after: int) -> None:
    """The square image with pixel centres at 0 .. n - 1 has its centre at (n - 1) / 2."""
    whole = geo.Square((before - 1) / 2, (before - 1) / 2, before)
    matrix = geo.crop_transform(whole, after)
    x = np.linspace(-20, before + 20, 7)
    scale = after / before
    expected = (x + 0.5) * scale - 0.5
    found = geo.transform(matrix, np.stack([x, x[::-1]], axis=1))
    np.testing.assert_allclose(found, np.stack([expected, expected[::-1]], axis=1), atol=1e-9)


@given(squares, sizes)
def test_edges_of_the_square_fall_on_edges_of_the_crop(square: geo.Square, size: int) -> None:
    matrix = geo.crop_transform(square, size)
    half = square.side / 2
    top_left = geo.transform(matrix, at(square.cx - half, square.cy - half))
    bottom_right = geo.transform(matrix, at(square.cx + half, square.cy + half))
    np.testing.assert_allclose(top_left, -0.5, atol=1e-6)
    np.testing.assert_allclose(bottom_right, size - 0.5, atol=1e-6)


@given(squares, sizes, degrees)
def test_turning_keeps_the_centre(square: geo.Square, size: int, turn: float) -> None:
    centre = geo.transform(geo.crop_transform(square, size, turn), at(square.cx, square.cy))
    np.testing.assert_allclose(centre, (size - 1) / 2, atol=1e-6)


def test_a_turn_is_clockwise_as_seen() -> None:
    """With y pointing down, what was right of the centre is below it after a quarter turn."""
    square = geo.Square(50, 50, 100)
    right = geo.transform(geo.crop_transform(square, 100, 90), at(60, 50))
    np.testing.assert_allclose(right, [49.5, 59.5], atol=1e-9)


@given(squares, sizes, degrees, pairs)
def test_the_inverse_takes_every_point_back(square: geo.Square, size: int, turn: float, points: FloatArray) -> None:
    matrix = geo.crop_transform(square, size, turn)
    back = geo.transform(geo.inverse(matrix), geo.transform(matrix, points))
    np.testing.assert_allclose(back, points, atol=1e-6)


@given(squares, sizes, degrees, pairs)
def test_a_crop_scales_all_distances_alike(square: geo.Square, size: int, turn: float, points: FloatArray) -> None:
    moved = geo.transform(geo.crop_transform(square, size, turn), points)
    before = np.linalg.norm(points[0] - points[1])
    assert np.linalg.norm(moved[0] - moved[1]) == pytest.approx(before * size / square.side, abs=1e-6)


def test_points_of_any_leading_shape() -> None:
    matrix = geo.crop_transform(geo.Square(3, 4, 10), 20)
    stack = np.arange(24.0).reshape(3, 4, 2)
    assert np.array_equal(geo.transform(matrix, stack)[2, 1], geo.transform(matrix, stack[2, 1]))


# --- boxes -----------------------------------------------------------------------------------------


def test_a_landmark_box_gives_the_crop_by_hand() -> None:
    points = np.array([[10.0, 20.0], [110.0, 60.0], [60.0, 100.0]])
    box = geo.landmark_box(points)
    assert (box.x, box.y, box.width, box.height, box.source) == (10, 20, 100, 80, BoxSource.LANDMARKS)
    assert geo.face_square(box) == geo.Square(60, 60, 100)
    crop = geo.crop_square(box)
    assert (crop.cx, crop.cy, crop.side) == pytest.approx((60, 60 - geo.CROP_RISE * 100, 100 * geo.CROP_MARGIN))


@given(st.floats(8, 4000), st.floats(8, 4000))
def test_the_whole_image_is_cropped_as_it_is(width: float, height: float) -> None:
    """An image that is already cropped is seen whole: its shorter side fills the crop."""
    crop = geo.crop_square(Box(-0.5, -0.5, width, height, BoxSource.WHOLE))
    assert crop.cx == pytest.approx((width - 1) / 2)
    assert crop.cy == pytest.approx((height - 1) / 2)
    assert crop.side == pytest.approx(min(width, height))


@given(st.sampled_from(list(BoxSource)), place, place, side, side, st.floats(0.1, 8), place, place)
def test_crops_follow_boxes_that_are_moved_and_scaled(
    source: BoxSource, x: float, y: float, width: float, height: float, scale: float, dx: float, dy: float
) -> None:
    first = geo.crop_square(Box(x, y, width, height, source))
    second = geo.crop_square(Box(x * scale + dx, y * scale + dy, width * scale, height * scale, source))
    assert second.side == pytest.approx(first.side * scale)
    assert second.cx == pytest.approx(first.cx * scale + dx, abs=1e-6)
    assert second.cy == pytest.approx(first.cy * scale + dy, abs=1e-6)


def test_every_source_of_boxes_has_a_rule() -> None:
    assert set(geo.BOX_RULES) == set(BoxSource)


def test_a_scheme_of_fewer_landmarks_leads_to_the_same_face_box() -> None:
    """Shift and scale are in units of the box's longer side."""
    points = np.array([[0.0, 0.0], [40.0, 20.0]])
    box = geo.landmark_box(points, (0.0, 0.1, 2.2))
    assert (box.x, box.y, box.width, box.height) == pytest.approx((20 - 44, 10 + 4 - 44, 88, 88))


@given(pairs)
def test_the_tight_box_holds_all_points_and_has_a_size(points: FloatArray) -> None:
    x, y, width, height = geo.tight_box(points)
    assert width >= 1 and height >= 1
    low, high = points.min(axis=0), points.max(axis=0)
    assert (x, y) == (low[0], low[1])
    assert x + width >= high[0] - 1e-9 and y + height >= high[1] - 1e-9


def test_missing_landmarks_do_not_count_for_the_box() -> None:
    points = np.array([[1.0, 2.0], [np.nan, np.nan], [np.nan, 900.0], [5.0, 9.0]])
    assert geo.tight_box(points) == (1, 2, 4, 7)
    with pytest.raises(EditError, match="no landmark"):
        geo.tight_box(np.full((3, 2), np.nan))


# --- fitting ---------------------------------------------------------------------------------------


@given(squares, sizes, degrees, pairs)
def test_a_similarity_is_found_again(square: geo.Square, size: int, turn: float, points: FloatArray) -> None:
    spread = float(np.ptp(points, axis=0).max())
    if spread < 1:
        return
    matrix = geo.crop_transform(square, size, turn)
    target = geo.transform(matrix, points)
    np.testing.assert_allclose(geo.transform(geo.similarity_fit(points, target), points), target, atol=1e-5)


def test_the_fit_is_the_least_squares_one() -> None:
    rng = np.random.default_rng(1)
    source, target = rng.normal(size=(9, 2)), rng.normal(size=(9, 2))
    found = geo.similarity_fit(source, target)

    def squared(a: float, b: float, dx: float, dy: float) -> float:
        return float(((geo.transform(np.array([[a, -b, dx], [b, a, dy]]), source) - target) ** 2).sum())

    best = (found[0, 0], found[1, 0], found[0, 2], found[1, 2])
    for which in range(4):
        for nudge in (-1e-3, 1e-3):
            other = list(best)
            other[which] += nudge
            assert squared(*other) > squared(*best)


def test_one_place_can_only_be_moved() -> None:
    source = np.tile(at(3, 4), (5, 1))
    np.testing.assert_allclose(geo.similarity_fit(source, source + 2), [[1, 0, 2], [0, 1, 2]])


def test_a_mirror_image_is_not_fitted_by_a_mirror() -> None:
    source = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    found = geo.similarity_fit(source, source * [-1, 1])
    assert np.linalg.det(found[:, :2]) >= 0


#: pupils, nose tip and corners of the mouth in an upright face box of side 1 around (0, 0): medians of annotated faces
FIVE = np.array([[-0.216, -0.289], [0.228, -0.294], [0.008, -0.056], [-0.186, 0.157], [0.202, 0.152]])


@given(place, place, side, degrees)
def test_five_points_lead_to_the_face_box_however_it_lies(x: float, y: float, size: float, turn: float) -> None:
    angle = np.deg2rad(turn)
    turned = FIVE @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    square = geo.five_point_square(at(x, y) + size * turned)
    assert square is not None
    assert np.hypot(square.cx - x, square.cy - y) < 0.03 * size and square.side / size == pytest.approx(1.0, abs=0.03)


def test_a_turned_head_has_its_box_behind_the_nose() -> None:
    looking_left = FIVE - [[0, 0], [0, 0], [0.1, 0], [0, 0], [0, 0]]
    straight, turned = geo.five_point_square(100 * FIVE), geo.five_point_square(100 * looking_left)
    assert straight is not None and turned is not None and turned.cx - straight.cx > 8


@pytest.mark.parametrize("points", [np.zeros((5, 2)), np.full((5, 2), np.nan), FIVE * [1.0, 0.0]])
def test_points_that_fall_together_lead_nowhere(points: FloatArray) -> None:
    assert geo.five_point_square(points) is None
