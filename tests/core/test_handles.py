"""Taking and pulling boxes: what is held moves, what is not stays, nothing turns inside out."""

from __future__ import annotations

import numpy as np
import pytest

from scaf_gui.core.handles import (
    HANDLES,
    NAMES,
    OUTLINE,
    SMALLEST,
    WHOLE,
    handle_at,
    handle_place,
    overlaps,
    pulled,
    smallest_around,
)

BOX = (10.0, 20.0, 100.0, 60.0)


@pytest.mark.parametrize("handle", OUTLINE)
def test_a_handle_is_found_where_it_lies(handle) -> None:
    x, y = handle_place(BOX, handle)
    assert handle_at(BOX, x, y, 5) == handle
    assert handle_at(BOX, x + 4 * handle[0], y + 4 * handle[1], 5) == handle
    assert handle_at(BOX, x + 6 * handle[0], y + 6 * handle[1], 5) is None


def test_the_inside_is_the_whole_box_even_of_a_small_one() -> None:
    assert handle_at(BOX, *handle_place(BOX, WHOLE), 5) == WHOLE
    small = (0.0, 0.0, 6.0, 6.0)
    assert handle_at(small, 3, 3, 11) == WHOLE
    assert handle_at(small, -8, -8, 11) == (-1, -1)


def test_every_handle_has_a_name() -> None:
    assert set(NAMES) == set(HANDLES) and len(HANDLES) == 9


@pytest.mark.parametrize("handle", HANDLES)
def test_what_is_not_held_stays(handle) -> None:
    x, y, width, height = pulled(BOX, handle, 7, -5)
    before, after = (10, 20, 110, 80), (x, y, x + width, y + height)
    whole = handle == WHOLE
    held = (whole or handle[0] < 0, whole or handle[1] < 0, whole or handle[0] > 0, whole or handle[1] > 0)
    steps = (7, -5, 7, -5)
    assert after == tuple(b + s * h for b, s, h in zip(before, steps, held, strict=True))


@pytest.mark.parametrize("handle", OUTLINE)
def test_no_side_is_pulled_through_the_other(handle) -> None:
    _, _, width, height = pulled(BOX, handle, -1000 * handle[0], -1000 * handle[1])
    assert width == (SMALLEST if handle[0] else 100) and height == (SMALLEST if handle[1] else 60)


def test_a_box_that_is_smaller_than_the_smallest_does_not_grow_by_itself() -> None:
    assert pulled((5.0, 5.0, 2.0, 2.0), (1, 0), -9, 0) == (5, 5, 2, 2)


def test_the_centre_stays_upon_the_image() -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        box = (*rng.uniform(0, 100, 2), *rng.uniform(5, 80, 2))
        box = tuple(float(v) for v in box)
        centre = box[0] + box[2] / 2, box[1] + box[3] / 2
        handle = HANDLES[rng.integers(9)]
        x, y, width, height = pulled(box, handle, *rng.uniform(-500, 500, 2), image=(200, 150))
        assert width > 0 and height > 0
        if centre[0] < 199 and centre[1] < 149:
            assert -0.5 - SMALLEST <= x + width / 2 <= 199.5 + SMALLEST
            assert -0.5 - SMALLEST <= y + height / 2 <= 149.5 + SMALLEST


def test_a_centre_that_is_beside_the_image_is_not_pulled_in_by_force() -> None:
    far = (300.0, 10.0, 20.0, 20.0)
    assert pulled(far, WHOLE, 5, 0, (200, 150)) == far
    assert pulled(far, WHOLE, -5, 0, (200, 150)) == (295, 10, 20, 20)


def test_overlap_and_the_smallest_around() -> None:
    assert overlaps(BOX, (100, 70, 50, 50)) and not overlaps(BOX, (110, 20, 5, 5))
    boxes = [BOX, (0.0, 0.0, 300.0, 300.0), (20.0, 30.0, 10.0, 10.0)]
    assert smallest_around(boxes, 25, 35) == 2
    assert smallest_around(boxes, 50, 50) == 0
    assert smallest_around(boxes, 200, 200) == 1
    assert smallest_around(boxes, 400, 0) is None and smallest_around([], 0, 0) is None
