from __future__ import annotations

import numpy as np
import pytest
import torch

from scaf_gui.core.geometry import Square, crop_transform, inverse, transform
from scaf_gui.learning.decoding import DECODERS, argmax, box_blur, centroid, peaks, taylor, to_crop, windows
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


def plain_window(heatmap: np.ndarray, x: int, y: int, side: int) -> np.ndarray:
    found = np.zeros((side, side), np.float32)
    for row in range(side):
        for column in range(side):
            at_y, at_x = y - side // 2 + row, x - side // 2 + column
            if 0 <= at_y < len(heatmap) and 0 <= at_x < len(heatmap):
                found[row, column] = heatmap[at_y, at_x]
    return found


@pytest.mark.parametrize("side", [1, 3, 5, 15, 41])
def test_windows_are_the_plain_loop_whole_clipped_and_larger_than_the_map(side: int) -> None:
    rng = np.random.default_rng(4)
    maps = torch.from_numpy(rng.normal(size=(3, 6, 20, 20)).astype(np.float32))
    centres = torch.from_numpy(rng.integers(0, 20, (3, 6, 2)))
    centres[0] = torch.tensor([[0, 0], [19, 0], [0, 19], [19, 19], [10, 0], [9, 11]])
    centres[1] = 10  # whole at most sides
    for layout in (torch.contiguous_format, torch.channels_last):
        found = windows(maps.contiguous(memory_format=layout), centres, side)
        for face in range(3):
            for landmark in range(6):
                x, y = centres[face, landmark].tolist()
                wanted = plain_window(maps[face, landmark].numpy(), x, y, side)
                assert np.array_equal(found[face, landmark].numpy(), wanted)


@pytest.mark.parametrize("size", [1, 5, 64])
def test_peaks_are_the_first_largest_pixels(size: int) -> None:
    maps = torch.randint(0, 6, (4, 9, size, size), generator=torch.Generator().manual_seed(1)).float()  # many ties
    maps[0, 0] = 0.0
    at = torch.from_numpy(maps.flatten(2).numpy().argmax(axis=2))
    for layout in (torch.contiguous_format, torch.channels_last):
        found = peaks(maps.contiguous(memory_format=layout))
        assert torch.equal(found[..., 1] * size + found[..., 0], at)


@pytest.mark.parametrize("sigma", [1.5, 2.0, 4.0])
def test_taylor_is_exact_for_clean_gaussians(sigma: float) -> None:
    points = 20 + 24 * torch.rand(1, 30, 2, generator=torch.Generator().manual_seed(0))
    _, found = taylor(gaussian_targets(points, 64, sigma, None, False), sigma)
    assert (found - points).abs().max() < 0.05


def test_taylor_keeps_the_pixel_where_there_is_no_peak() -> None:
    ramp = torch.arange(64.0).expand(1, 1, 64, 64)
    peak, found = taylor(ramp, 2.0)
    assert bool(torch.isfinite(found).all()) and float((found - peak).abs().max()) <= 2.0


def test_argmax_is_the_pixel() -> None:
    peak, found = argmax(gaussian_targets(torch.tensor([[[20.3, 20.4]]]), 64, 2.0, None, False), 2.0)
    assert peak.tolist() == [[[20, 20]]] and found.tolist() == [[[20.0, 20.0]]]
