from __future__ import annotations

import numpy as np
import pytest
import torch

from scaf_gui.core.geometry import Square, crop_transform, inverse, transform
from scaf_gui.learning.decoding import DECODERS, box_blur, centroid, peaks, to_crop, windows
from scaf_gui.learning.targets import gaussian_targets, to_heatmap


@pytest.mark.parametrize(("input_size", "heatmap_size"), [(128, 64), (256, 64), (256, 128)])
def test_from_image_to_heatmap_and_back_within_a_tenth_of_a_pixel(input_size: int, heatmap_size: int) -> None:
    rng = np.random.default_rng(1)
    square = Square(412.7, 301.2, 300.0)
    image_points = rng.uniform(0.1, 0.9, (40, 2)) * square.side + [square.cx - 150, square.cy - 150]
    matrix = crop_transform(square, input_size)
    crop_points = torch.from_numpy(transform(matrix, image_points))[None]
    heatmaps = gaussian_targets(to_heatmap(crop_points, input_size, heatmap_size), heatmap_size, 2.0, None, False)
    _, found = centroid(heatmaps, 2.0)
    back = transform(inverse(matrix), to_crop(found, input_size, heatmap_size)[0].numpy())
    assert np.abs(back - image_points).max() < 0.1


def test_twice_the_image_gives_the_mapped_points() -> None:
    """x' = (x + 0.5) * 2 - 0.5 for the square means the same for what is decoded inside."""
    small = Square(100.2, 80.9, 120.0)
    large = Square((small.cx + 0.5) * 2 - 0.5, (small.cy + 0.5) * 2 - 0.5, 240.0)
    decoded = np.array([[31.25, 90.5], [64.0, 3.0]])
    first = transform(inverse(crop_transform(small, 128)), decoded)
    second = transform(inverse(crop_transform(large, 128)), decoded)
    assert np.allclose((first + 0.5) * 2 - 0.5, second, atol=1e-9)


def test_a_second_weaker_peak_does_not_pull() -> None:
    both = gaussian_targets(torch.tensor([[[20.3, 20.4]]]), 64, 2.0, None, False)
    both = both + 0.8 * gaussian_targets(torch.tensor([[[40.0, 20.0]]]), 64, 2.0, None, False)
    _, found = centroid(both, 2.0)
    assert (found[0, 0] - torch.tensor([20.3, 20.4])).abs().max() < 0.05


def test_box_blur_finds_the_middle_of_a_plateau_where_the_largest_pixel_is_noise() -> None:
    heatmaps = gaussian_targets(torch.tensor([[[60.0, 70.0]]]), 128, 7.0, 35, True)
    heatmaps[0, 0, 5, 5] = 2.0
    peak, points = box_blur(heatmaps, 7.0)
    assert peak.tolist() == [[[60, 70]]] and points.tolist() == [[[60.0, 70.0]]]
    assert peaks(heatmaps).tolist() == [[[5, 5]]]


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_peaks_at_borders_stay_inside_by_half_a_pixel_or_so(name: str) -> None:
    corners = torch.tensor([[[0.0, 0.0], [63.0, 0.0], [0.0, 63.0], [63.0, 63.0]]])
    _, found = DECODERS[name](gaussian_targets(corners, 64, 2.0, None, False), 2.0)
    assert (found - corners).abs().max() <= 1.0


def test_an_empty_heatmap_decodes_to_something_finite() -> None:
    for decoder in DECODERS.values():
        _, found = decoder(torch.zeros(1, 2, 64, 64), 2.0)
        assert bool(torch.isfinite(found).all())


def test_windows_are_zero_beyond_the_border() -> None:
    maps = torch.arange(1.0, 26.0).view(1, 1, 5, 5)
    corner = windows(maps, torch.tensor([[[4, 0]]]), 3)[0, 0]
    assert corner.tolist() == [[0.0, 0.0, 0.0], [4.0, 5.0, 0.0], [9.0, 10.0, 0.0]]
