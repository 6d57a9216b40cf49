"""What a view shows of an image, beside plain numpy."""

from __future__ import annotations

import numpy as np
import pytest

from scaf_gui.core.arrays import ByteArray
from scaf_gui.gui.canvas.pyramid import Pyramid


def image(width: int, height: int, seed: int = 0) -> ByteArray:
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)


def rgb(packed: np.ndarray) -> ByteArray:
    assert (packed >> 24 == 255).all()
    return np.stack([packed >> 16 & 255, packed >> 8 & 255, packed & 255], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("scale", [4.0, 5.3, 17.0, 64.0])
@pytest.mark.parametrize(("left", "top"), [(0, 0), (-37, 12), (53, -5)])
def test_large_pixels_are_squares(scale: float, left: int, top: int) -> None:
    source = image(23, 17)
    seen = Pyramid(source).view(scale, left, top, 300, 200)
    assert seen is not None
    x, y, packed = seen
    shown = rgb(packed)
    for row in range(0, shown.shape[0], 7):
        for column in range(0, shown.shape[1], 7):
            scene_x = (x + column + 0.5 + left) / scale
            scene_y = (y + row + 0.5 + top) / scale
            pixel = source[int(np.floor(scene_y + 0.5)), int(np.floor(scene_x + 0.5))]
            assert (shown[row, column] == pixel).all()


def test_at_its_own_size_the_image_is_unchanged() -> None:
    source = image(50, 40)
    x, y, packed = Pyramid(source).view(1.0, -0.5, -0.5, 100, 100)
    assert (x, y) == (0, 0)
    assert np.abs(rgb(packed).astype(int) - source).max() <= 1


@pytest.mark.parametrize("scale", [0.03, 0.11, 0.26, 0.5, 0.77, 1.5, 3.9])
@pytest.mark.parametrize("size", [(640, 480), (641, 479), (333, 1000)])
def test_a_ramp_stays_where_it_is_at_every_level(scale: float, size: tuple[int, int]) -> None:
    width, height = size
    ramp = np.zeros((height, width, 3))
    ramp[..., 0] = np.linspace(0, 250, width)
    ramp[..., 1] = np.linspace(0, 250, height)[:, None]
    left, top = round(0.2 * width * scale), round(0.3 * height * scale)
    x, y, packed = Pyramid(np.rint(ramp).astype(np.uint8)).view(scale, left, top, 400, 300)
    shown = rgb(packed).astype(float)
    scene_x = (np.arange(shown.shape[1]) + x + 0.5 + left) / scale
    scene_y = (np.arange(shown.shape[0]) + y + 0.5 + top) / scale
    inside = slice(1, -1) if shown.shape[1] > 4 and shown.shape[0] > 4 else slice(None)
    step_x, step_y = 250 / (width - 1), 250 / (height - 1)  # half a level's pixel is the most that bilinear may clamp
    assert np.abs(shown[0, :, 0] - scene_x * step_x)[inside].max() < 1.5 + 0.75 / scale * step_x
    assert np.abs(shown[:, 0, 1] - scene_y * step_y)[inside].max() < 1.5 + 0.75 / scale * step_y
    assert np.abs((shown[0, :, 0] - scene_x * step_x)[inside].mean()) < 0.8 + 0.1 / scale * step_x  # no shift


def test_levels_are_made_when_they_are_needed() -> None:
    pyramid = Pyramid(image(1001, 501))
    assert len(pyramid._levels) == 1
    pyramid.view(0.2, 0, 0, 200, 100)
    assert [level.shape[:2] for level in pyramid._levels] == [(501, 1001), (251, 501), (126, 251)]


def test_a_level_never_has_fewer_pixels_than_the_screen() -> None:
    pyramid = Pyramid(image(64, 64))
    for scale in (1.0, 0.9, 0.51, 0.5, 0.49, 0.25, 0.1):
        assert 2.0 ** -pyramid.level_for(scale) / scale * (1 + 1e-9) >= 1.0
        assert 2.0 ** -pyramid.level_for(scale) / scale < 2.0 + 1e-9
    assert pyramid.level_for(64.0) == 0
    assert pyramid.level_for(1e-6) == 6


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (20_000, 100), (40_000, 3)])
@pytest.mark.parametrize("scale", [0.01, 0.4, 1.0, 2.5, 40.0])
def test_odd_shapes(size: tuple[int, int], scale: float) -> None:
    seen = Pyramid(image(*size)).view(scale, -10, -10, 500, 400)
    assert seen is not None
    x, y, packed = seen
    assert x >= 0 and y >= 0 and 1 <= packed.shape[1] <= 500 and 1 <= packed.shape[0] <= 400


def test_out_of_sight() -> None:
    pyramid = Pyramid(image(20, 20))
    assert pyramid.view(1.0, 1000, 0, 100, 100) is None
    assert pyramid.view(1.0, 0, -1000, 100, 100) is None


def test_images_need_not_be_contiguous_nor_writable() -> None:
    source = image(40, 30)[:, ::-1]
    source.setflags(write=False)
    _, _, packed = Pyramid(source).view(8.0, -4, -4, 320, 240)
    assert (rgb(packed)[4::8, 4::8] == source).all()
