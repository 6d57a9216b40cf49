"""Principal components as codes of faces."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from scaf_gui.core.arrays import ByteArray
from scaf_gui.learning.components import SIDE, components, shrunk


@pytest.fixture(scope="module")
def images() -> ByteArray:
    """Mixtures of 120 smooth patterns, the first ones strongest, with a little noise."""
    random = np.random.default_rng(0)
    patterns = random.normal(size=(120, 6, 6, 3)).repeat(4, axis=1).repeat(4, axis=2)
    strengths = random.normal(size=(1500, 120)) * (12.0 / np.sqrt(1.0 + np.arange(120)))
    mixed = 128.0 + np.tensordot(strengths, patterns, 1) + random.normal(size=(1500, SIDE, SIDE, 3))
    return mixed.clip(0, 255).astype(np.uint8)


def test_codes_are_as_the_prior_wants_them(images: ByteArray) -> None:
    codes = components(shrunk(images)).codes(images)
    assert codes.shape == (1500, 99) and codes.dtype == torch.float32
    assert torch.allclose(codes.mean(dim=0), torch.zeros(99), atol=1e-3)
    assert torch.allclose(codes.T @ codes / 1499, torch.eye(99), atol=1e-2)


def test_codes_hold_what_the_images_show(images: ByteArray) -> None:
    found = components(shrunk(images))
    flat = torch.from_numpy(shrunk(images))
    again = found.codes(images) * found.spread @ found.axes.T + found.mean
    assert (again - flat).std() < 0.3 * (flat - found.mean).std()
    assert torch.equal(found.spread, found.spread.sort(descending=True).values)


def test_large_images_are_shrunk(images: ByteArray) -> None:
    large = images[:4].repeat(5, axis=1).repeat(5, axis=2)
    assert np.abs(shrunk(large) - shrunk(images[:4])).max() < 1.0


def test_what_shows_more_counts_more(images: ByteArray) -> None:
    found = components(shrunk(images))
    first, last = torch.zeros(1, 99), torch.zeros(1, 99)
    first[0, 0] = last[0, -1] = 1.0
    nothing = torch.zeros(1, 99)
    assert found.apart(first, nothing) > found.apart(last, nothing) > 0 == found.apart(first, first)


def test_few_or_equal_images_give_finite_codes() -> None:
    images = np.full((3, 40, 40, 3), 90, np.uint8)
    images[0, :20] = 200
    found = components(shrunk(images))
    assert found.codes(images).isfinite().all() and found.axes.shape == (3 * SIDE * SIDE, 99)
    assert components(shrunk(images[1:])).codes(images[1:]).abs().max() < 1e-3
