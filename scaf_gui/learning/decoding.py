"""Heatmaps to landmarks. Heatmap frame: pixel centres at whole numbers, (x, y).

A decoder gives, for heatmaps (B, L, S, S), the peak pixels (B, L, 2) int64 and the landmarks
(B, L, 2) float32, both (x, y) in heatmap pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Decoder = Callable[[Tensor, float], tuple[Tensor, Tensor]]


def peaks(heatmaps: Tensor) -> Tensor:
    """(B, L, 2) int64: column and row of each heatmap's largest value (the first of equal ones)."""
    size = heatmaps.shape[-1]
    at = heatmaps.flatten(2).argmax(dim=2)
    return torch.stack([at % size, at // size], dim=2)


def windows(heatmaps: Tensor, centres: Tensor, side: int) -> Tensor:
    """Square windows around whole pixels, zero beyond the border.

    :param centres: (B, L, 2) int64 (x, y)
    :param side: odd
    :returns: (B, L, side, side)
    """
    size, reach = heatmaps.shape[-1], side // 2
    offsets = torch.arange(-reach, reach + 1, device=heatmaps.device)
    columns = centres[..., 0, None] + offsets  # (B, L, side)
    rows = centres[..., 1, None] + offsets
    inside = ((rows >= 0) & (rows < size))[..., :, None] & ((columns >= 0) & (columns < size))[..., None, :]
    flat = rows.clamp(0, size - 1)[..., :, None] * size + columns.clamp(0, size - 1)[..., None, :]
    read = heatmaps.flatten(2).gather(2, flat.flatten(2)).view(flat.shape)
    return torch.where(inside, read, torch.zeros((), dtype=heatmaps.dtype, device=heatmaps.device))


def centroid(heatmaps: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
    """The peak refined by a centroid under a Gaussian window of the target's own sigma.

    A Gaussian of sigma ``s`` seen through a window of the same sigma has its centroid half-way between its
    centre and the window's: so the centroid's offset counts twice. Exact for a clean target away from the
    border; the window makes it deaf to other peaks.
    """
    peak = peaks(heatmaps)
    reach = max(2, round(2 * sigma))
    around = windows(heatmaps, peak, 2 * reach + 1).clamp(min=0)
    offsets = torch.arange(-reach, reach + 1, device=heatmaps.device, dtype=heatmaps.dtype)
    window = torch.exp(-(offsets**2) / (2 * sigma**2))
    weights = around * window[:, None] * window
    total = weights.sum(dim=(2, 3)).clamp(min=1e-12)
    dx = (weights.sum(dim=2) * offsets).sum(dim=2) / total
    dy = (weights.sum(dim=3) * offsets).sum(dim=2) / total
    offset = 2 * torch.stack([dx, dy], dim=2)
    # A peak at the border shows half a Gaussian: never go further than the peak's own neighbourhood.
    return peak, peak + offset.clamp(-1.0, 1.0)


def box_blur(heatmaps: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
    """The reference's decoder: a 9x9 box blur, then the largest pixel."""
    padded = torch.nn.functional.pad(heatmaps, (4, 4, 4, 4), mode="reflect")
    blurred = torch.nn.functional.avg_pool2d(padded, 9, 1)
    peak = peaks(blurred)
    return peak, peak.to(heatmaps.dtype)


DECODERS: dict[str, Decoder] = {"centroid": centroid, "box-blur": box_blur}


def to_crop(points: Tensor, input_size: int, heatmap_size: int) -> Tensor:
    """Heatmap pixels to crop pixels."""
    return (points + 0.5) * (input_size / heatmap_size) - 0.5
