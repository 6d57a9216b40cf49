"""Heatmap targets and the loss against them."""

from __future__ import annotations

import torch
from torch import Tensor

from scaf_gui.learning.presets import Preset


def to_heatmap(points_crop: Tensor, input_size: int, heatmap_size: int) -> Tensor:
    """Crop pixels to heatmap pixels; both frames have pixel centres at whole numbers."""
    return (points_crop + 0.5) * (heatmap_size / input_size) - 0.5


def gaussian_targets(points: Tensor, size: int, sigma: float, window: int | None, whole_pixels: bool) -> Tensor:
    """One Gaussian of peak 1 per landmark.

    :param points: (B, L, 2) heatmap pixels; points outside leave what of their Gaussian lies inside
    :param window: side of the window around the centre outside of which the target is 0
    :param whole_pixels: centre on the nearest pixel
    :returns: (B, L, size, size) float32
    """
    if whole_pixels:
        points = points.round()
    at = torch.arange(size, device=points.device, dtype=points.dtype)
    offsets = at - points[..., None]  # (B, L, 2, size)
    along = torch.exp(-(offsets**2) / (2 * sigma**2))
    if window is not None:
        along = along * (offsets.abs() <= window / 2)
    return along[:, :, 1, :, None] * along[:, :, 0, None, :]


def heatmap_loss(heatmaps: Tensor, points_crop: Tensor, known: Tensor, preset: Preset) -> Tensor:
    """Mean over pixels and known landmarks of ``scale (p - h)^2 (1 + foreground h)``.

    :param heatmaps: (B, L, size, size) predicted; any float type
    :param points_crop: (B, L, 2) crop pixels
    :param known: (B, L) bool; the others take no part and get no gradient
    """
    size = heatmaps.shape[-1]
    points = to_heatmap(points_crop, preset.input_size, size)
    target = gaussian_targets(points, size, preset.sigma, preset.window, preset.whole_pixels)
    squares = (heatmaps.float() - target) ** 2
    if preset.foreground:
        squares = squares * (1 + preset.foreground * target)
    per_landmark = squares.mean(dim=(2, 3))
    weight = known.to(per_landmark.dtype)
    return preset.loss_scale * (per_landmark * weight).sum() / weight.sum().clamp(min=1.0)
