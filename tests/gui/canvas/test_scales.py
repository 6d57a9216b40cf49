"""Both scales of colours can be read with every kind of colour blindness, and in gray."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from scaf_gui.core.arrays import FloatArray
from scaf_gui.gui.canvas import style
from scaf_gui.gui.canvas.scales import ERRORS, channels, error_step, finer, heat_colours, heat_pixels

#: full dichromacy, in linear RGB: Machado, Oliveira and Fernandes 2009 (severity 1)
SIGHTS: dict[str, FloatArray] = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])


def lab(rgb: FloatArray, sight: str) -> FloatArray:
    """CIE L*a*b* of (..., 3) sRGB, 0 to 255, as somebody sees it."""
    share = rgb / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    xyz = np.clip(linear @ SIGHTS[sight].T, 0, 1) @ _TO_XYZ.T / _WHITE
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


@pytest.mark.parametrize("sight", SIGHTS)
def test_errors_go_from_light_to_dark_in_clear_steps(sight: str) -> None:
    seen = lab(np.stack([channels(colour) for _, colour in ERRORS]), sight)
    assert (np.diff(seen[:, 0]) < -6).all()
    for first, second in itertools.pairwise(seen):
        assert np.linalg.norm(first - second) > 15


@pytest.mark.parametrize("sight", SIGHTS)
def test_no_error_looks_like_what_a_person_stands_for(sight: str) -> None:
    human = lab(channels(style.HUMAN), sight)
    for _, colour in ERRORS:
        assert np.linalg.norm(lab(channels(colour), sight) - human) > 25, colour


@pytest.mark.parametrize("sight", SIGHTS)
def test_heatmaps_get_lighter_and_more_solid_all_the_way(sight: str) -> None:
    rgba = heat_colours()
    assert (np.diff(lab(rgba[:, :3], sight)[:, 0]) > 0).all()
    assert (np.diff(rgba[:, 3]) >= 0).all()
    assert rgba[0, 3] == 0
    assert 0.5 < rgba[-1, 3] < 0.9  # the photo stays visible


def test_errors_fall_to_the_nearest_step_by_ratio() -> None:
    given = np.array([0.0, 1.0, 1.4, 1.5, 3.0, 6.0, 7.0, 99.0, np.nan])
    assert error_step(given).tolist() == [0, 0, 0, 1, 2, 3, 4, 4, -1]


def test_a_finer_map_covers_the_same_square() -> None:
    columns = np.arange(32, dtype=np.float32)
    map_ = np.exp(-((columns[None] - 20.3) ** 2 + (columns[:, None] - 9.8) ** 2) / 8).astype(np.float32)
    fine = finer(map_, 4)
    assert fine.shape == (128, 128)
    row, column = np.unravel_index(int(fine.argmax()), fine.shape)
    assert ((column + 0.5) / 4 - 0.5, (row + 0.5) / 4 - 0.5) == pytest.approx((20.3, 9.8), abs=0.2)
    np.testing.assert_allclose(finer(np.full((8, 8), 0.5, np.float32), 4), 0.5, atol=1e-5)


def test_heights_that_are_none_are_not_painted() -> None:
    pixels = heat_pixels(np.array([[np.nan, -3.0, 0.0, np.inf, 1.0]], np.float32))[0]
    assert pixels[:3].tolist() == [0, 0, 0]
    assert pixels[3] == pixels[4] != 0
