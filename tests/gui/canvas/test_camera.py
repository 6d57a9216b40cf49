"""Screen and scene, and where the view may go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaf_gui.gui.canvas.camera import LARGEST, SMALLEST_SIDE, Camera, fitted

scales = st.floats(0.02, LARGEST)
shifts = st.integers(-5000, 5000)


@given(scales, shifts, shifts, st.floats(-100, 4000), st.floats(-100, 4000))
def test_screen_to_scene_and_back(scale: float, left: int, top: int, x: float, y: float) -> None:
    camera = Camera(scale, left, top)
    assert camera.to_screen(*camera.to_scene(x, y)) == pytest.approx((x, y), abs=1e-6)


@given(scales, shifts, shifts, scales, st.floats(0, 1000), st.floats(0, 1000))
def test_zooming_keeps_what_is_under_the_cursor(
    scale: float, left: int, top: int, other: float, x: float, y: float
) -> None:
    camera = Camera(scale, left, top)
    zoomed = camera.zoomed(other, x, y)
    assert zoomed.scale == other
    assert zoomed.to_screen(*camera.to_scene(x, y)) == pytest.approx((x, y), abs=0.51)  # shifts are whole pixels


@given(st.floats(1e-9, 1e9), st.integers(-(10**7), 10**7), st.integers(-(10**7), 10**7))
def test_the_image_cannot_get_lost(scale: float, left: int, top: int) -> None:
    image, view = (20_000, 100), (800, 600)
    held = Camera(scale, left, top).held(image, view)
    assert SMALLEST_SIDE / 20_000 <= held.scale <= LARGEST
    x, y = held.to_scene(400, 300)
    slack = 0.51 / held.scale
    assert -0.5 - slack <= x <= 19_999.5 + slack
    assert -0.5 - slack <= y <= 99.5 + slack


def test_a_camera_within_its_limits_is_left_alone() -> None:
    camera = Camera(2.0, 30, 40)
    assert camera.held((400, 400), (200, 200)) == camera


def test_fitting_centres_the_rectangle() -> None:
    camera = fitted(100, 50, 200, 50, (800, 600), fill=0.5)
    assert camera.scale == pytest.approx(2.0)
    assert camera.to_screen(200, 75) == pytest.approx((400, 300), abs=0.51)
    assert fitted(0, 0, 1, 1, (800, 600), largest=3).scale == 3
    assert fitted(0, 0, 0, 0, (0, 0)).scale > 0
