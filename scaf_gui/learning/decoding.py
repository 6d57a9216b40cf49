"""Heatmaps to landmarks. Heatmap frame: pixel centres at whole numbers, (x, y).

A decoder gives, for heatmaps (B, L, S, S), the peak pixels (B, L, 2) int64 and the landmarks
(B, L, 2) float32, both (x, y) in heatmap pixels. All are fastest on contiguous maps.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Decoder = Callable[[Tensor, float], tuple[Tensor, Tensor]]


def peaks(heatmaps: Tensor) -> Tensor:
    """(B, L, 2) int64: column and row of each heatmap's largest value (the first of equal ones)."""
    size = heatmaps.shape[-1]
    # torch's argmax uses no vector instructions, its amax does: the argmax then reads the best rows only.
    piece = 2 * size if size % 2 == 0 else size
    pieces = heatmaps.contiguous().view(*heatmaps.shape[:2], -1, piece)
    best = pieces.amax(dim=3).argmax(dim=2)
    inside = pieces.gather(2, best[:, :, None, None].expand(-1, -1, 1, piece))[:, :, 0].argmax(dim=2)
    at = best * piece + inside
    return torch.stack([at % size, at // size], dim=2)


def windows(heatmaps: Tensor, centres: Tensor, side: int) -> Tensor:
    """Square windows around whole pixels, zero beyond the border.

    :param centres: (B, L, 2) int64 (x, y)
    :param side: odd
    :returns: (B, L, side, side)
    """
    heatmaps = heatmaps.contiguous()
    faces, landmarks, size, _ = heatmaps.shape
    step = size * size
    flat = heatmaps.view(-1)
    corners = centres - side // 2
    starts = torch.arange(0, len(flat), step, device=heatmaps.device).view(faces, landmarks)
    if side > size or heatmaps.device.type != "cpu":  # a GPU would have to wait for the question of what is clipped
        return _clipped_windows(flat, starts, corners, side, size)
    # Whole windows are copied as they lie, which is several times faster than pixel by pixel.
    within = corners.clamp(0, size - side)
    at = torch.add(within[..., 0], within[..., 1], alpha=size).add_(starts).view(-1)
    every = flat.as_strided((len(flat) - (side - 1) * (size + 1), side, side), (1, size, 1))
    found = every.index_select(0, at).view(faces, landmarks, side, side)
    if not torch.equal(within, corners):
        clipped = (within != corners).any(dim=2)
        found[clipped] = _clipped_windows(flat, starts[clipped], corners[clipped], side, size)
    return found


def _clipped_windows(flat: Tensor, starts: Tensor, corners: Tensor, side: int, size: int) -> Tensor:
    """(..., side, side) from all maps in a row: ``starts`` (...,) of the maps, ``corners`` (..., 2) in them."""
    offsets = torch.arange(side, device=flat.device)
    columns, rows = corners[..., 0, None] + offsets, corners[..., 1, None] + offsets
    inside = ((rows >= 0) & (rows < size))[..., :, None] & ((columns >= 0) & (columns < size))[..., None, :]
    lines = starts[..., None] + rows.clamp(0, size - 1) * size
    read = flat[lines[..., :, None] + columns.clamp(0, size - 1)[..., None, :]]
    return torch.where(inside, read, torch.zeros((), dtype=flat.dtype, device=flat.device))


def argmax(heatmaps: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
    """The largest pixel itself."""
    peak = peaks(heatmaps)
    return peak, peak.to(heatmaps.dtype)


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


#: DARK's smoothing, in sigmas of the target: measured (tests/benchmarks/decoding.py); the paper takes 1
_SMOOTHING = 0.4


def taylor(heatmaps: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
    """The peak of the parabola through the logarithm of the heatmap around its largest pixel.

    DARK (Zhang et al., CVPR 2020): the map is smoothed by a Gaussian first, here a narrow one; the step is
    ``-H^-1 g`` of the logarithm's gradient and Hessian by central differences, a pixel at most along each axis.
    Where the Hessian is no peak's, the pixel itself stands.
    """
    smoothing = _SMOOTHING * sigma
    reach = max(1, round(3 * smoothing))
    offsets = torch.arange(-reach, reach + 1, device=heatmaps.device, dtype=heatmaps.dtype)
    kernel = torch.exp(-(offsets**2) / (2 * smoothing**2))
    peak = peaks(heatmaps)
    # Only a 5 x 5 neighbourhood of the smoothed map is asked for.
    around = windows(heatmaps, peak, 2 * reach + 5)
    taps = torch.stack([torch.nn.functional.pad(kernel / kernel.sum(), (at, 4 - at)) for at in range(5)])
    near = (taps @ around @ taps.T).clamp(min=1e-10).log()
    gx = (near[..., 2, 3] - near[..., 2, 1]) / 2
    gy = (near[..., 3, 2] - near[..., 1, 2]) / 2
    hxx = (near[..., 2, 4] - 2 * near[..., 2, 2] + near[..., 2, 0]) / 4
    hyy = (near[..., 4, 2] - 2 * near[..., 2, 2] + near[..., 0, 2]) / 4
    hxy = (near[..., 3, 3] - near[..., 1, 3] - near[..., 3, 1] + near[..., 1, 1]) / 4
    det = hxx * hyy - hxy * hxy
    safe = torch.where(det > 0, det, torch.ones_like(det))
    step = torch.stack([(hxy * gy - hyy * gx) / safe, (hxy * gx - hxx * gy) / safe], dim=2)
    good = ((det > 0) & (hxx < 0))[..., None]
    return peak, peak + torch.where(good, step.clamp(-1.0, 1.0), torch.zeros_like(step))


def box_blur(heatmaps: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
    """The reference's decoder: a 9x9 box blur, then the largest pixel."""
    padded = torch.nn.functional.pad(heatmaps, (4, 4, 4, 4), mode="reflect")
    blurred = torch.nn.functional.avg_pool2d(padded, 9, 1)
    peak = peaks(blurred)
    return peak, peak.to(heatmaps.dtype)


DECODERS: dict[str, Decoder] = {"centroid": centroid, "taylor": taylor, "argmax": argmax, "box-blur": box_blur}


def to_crop(points: Tensor, input_size: int, heatmap_size: int) -> Tensor:
    """Heatmap pixels to crop pixels."""
    return (points + 0.5) * (input_size / heatmap_size) - 0.5
