from __future__ import annotations

import cv2
import numpy as np
import pytest

from scaf_gui.core.geometry import Square, crop_square, crop_transform, landmark_box, transform
from scaf_gui.core.scheme import Scheme
from scaf_gui.learning.crops import cut_crop, level_view


def spot(height: int, width: int, x: float, y: float, sigma: float) -> np.ndarray:
    """An image with one Gaussian spot, drawn by its formula."""
    columns, rows = np.arange(width), np.arange(height)[:, None]
    value = 250 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
    return np.repeat(value.round().astype(np.uint8)[..., None], 3, axis=2)


def centre_of_mass(image: np.ndarray) -> np.ndarray:
    weights = image[..., 0].astype(float)
    rows, columns = np.indices(weights.shape)
    return np.array([(weights * columns).sum(), (weights * rows).sum()]) / weights.sum()


@pytest.mark.parametrize("degrees", [0.0, 25.0])
@pytest.mark.parametrize("side", [50.0, 128.0, 300.0, 777.7, 1300.0, 2600.0])
def test_a_point_of_the_image_lands_where_the_transform_says(side: float, degrees: float) -> None:
    x, y = 1400.3, 1301.8
    square = Square(x + 0.13 * side, y - 0.11 * side, side)
    image = spot(2700, 2800, x, y, sigma=side / 25)
    crop = cut_crop(image, square, 128, degrees)
    expected = transform(crop_transform(square, 128, degrees), np.array([x, y]))
    assert crop.shape == (128, 128, 3)
    assert np.abs(centre_of_mass(crop) - expected).max() < 0.1


def test_the_same_image_twice_as_large_gives_the_same_crop() -> None:
    rng = np.random.default_rng(0)
    small = cv2.GaussianBlur(rng.integers(0, 256, (90, 100, 3), dtype=np.uint8), (0, 0), 3)
    large = np.repeat(np.repeat(small, 2, axis=0), 2, axis=1)
    square = Square(48.25, 44.0, 61.0)
    twice = Square((48.25 + 0.5) * 2 - 0.5, (44.0 + 0.5) * 2 - 0.5, 122.0)
    difference = cut_crop(small, square, 64).astype(int) - cut_crop(large, twice, 64).astype(int)
    assert np.abs(difference).mean() < 1.5


def test_fine_stripes_turn_gray_instead_of_moire() -> None:
    stripes = np.zeros((1024, 1024, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = cut_crop(stripes, Square(511.5, 511.5, 1000.0), 128)
    assert abs(float(crop.mean()) - 127.5) < 2
    assert float(crop.std()) < 6


def test_outside_the_image_is_black_even_far_away() -> None:
    white = np.full((40, 40, 3), 255, np.uint8)
    crop = cut_crop(white, Square(0.0, 0.0, 40.0), 32)
    assert crop[:15, :15].max() == 0 and crop[17:, 17:].min() == 255
    for square in (Square(500.0, 500.0, 30.0), Square(-900.0, 20.0, 400.0), Square(3000.0, -3000.0, 900.0)):
        assert cut_crop(white, square, 16).max() == 0


def test_one_pixel_and_very_wide_images() -> None:
    assert cut_crop(np.full((1, 1, 3), 9, np.uint8), Square(0.0, 0.0, 1.0), 8).shape == (8, 8, 3)
    wide = np.zeros((8, 40_000, 3), np.uint8)
    wide[:, 39_000:] = 200
    assert cut_crop(wide, Square(39_500.0, 3.5, 8.0), 8).min() == 200
    assert cut_crop(wide, Square(1_000.0, 3.5, 8.0), 8).max() == 0


def test_the_image_is_not_written_to() -> None:
    image = np.full((30, 30, 3), 7, np.uint8)
    image.setflags(write=False)
    cut_crop(image, Square(15.0, 15.0, 300.0), 16)


@pytest.mark.parametrize("degrees", [-30.0, 0.0, 12.0])
def test_the_level_view_of_a_turned_face_is_its_upright_crop(scheme: Scheme, degrees: float) -> None:
    points = load_faces_points(scheme)
    upright = crop_square(landmark_box(points, scheme.face_box))
    around = Square(upright.cx, upright.cy, 1.0)
    turned = transform(crop_transform(around, 1, degrees), points) + np.array([upright.cx, upright.cy])
    square, back = level_view(turned, scheme, Square(upright.cx, upright.cy, upright.side))
    seen = transform(crop_transform(square, 128, back), turned)
    assert np.isclose(back, -degrees, atol=1e-6)
    assert np.allclose(seen, transform(crop_transform(upright, 128), points), atol=1e-6)


def load_faces_points(scheme: Scheme) -> np.ndarray:
    """Landmarks (68, 2) whose eye corners are level: an ellipse, and the eyes at one height."""
    angle = np.linspace(0, 2 * np.pi, scheme.num_landmarks, endpoint=False)
    points = np.stack([200 + 60 * np.cos(angle), 180 + 75 * np.sin(angle)], axis=1)
    assert scheme.normaliser is not None
    points[list(scheme.normaliser)] = [[170.0, 165.0], [230.0, 165.0]]
    return points


def test_a_first_look_gone_astray_is_not_followed(scheme: Scheme) -> None:
    first = Square(200.0, 180.0, 200.0)
    points = load_faces_points(scheme)
    assert level_view(points * 0.2, scheme, first) == (first, 0.0)
    assert level_view(points + 300, scheme, first) == (first, 0.0)
    upside_down = 2 * np.array([200.0, 180.0]) - points
    assert level_view(upside_down, scheme, first)[1] == 0.0
