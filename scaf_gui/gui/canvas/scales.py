"""Colours that stand for numbers: expected errors, and heights of heatmaps. No Qt.

Both scales go from light to dark, or back, all the way, so that they can be read with every kind of colour
blindness, and in gray.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scaf_gui.core.arrays import FloatArray

#: expected error in %, and the colour of a landmark that is expected to be off so far: a plasma whose dark end stays
#: visible on dark hair. None of them is near the blue of what a person stands for.
ERRORS: tuple[tuple[float, str], ...] = (
    (1.0, "#fff6b8"),
    (2.0, "#ffd23f"),
    (3.0, "#ff8f3a"),
    (5.0, "#f0596b"),
    (8.0, "#ab32b4"),
)
#: viridis (van der Walt and Smith, CC0), from nothing to a perfect peak
_VIRIDIS = ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725")
#: how solid a heatmap is: nothing up to the first height, and so much from the second on
_FADE, _SOLID = (0.06, 0.4), 0.78
_LEVELS = 256


def error_step(errors: FloatArray) -> npt.NDArray[np.intp]:
    """Which row of :data:`ERRORS` is nearest to expected errors (N,) in %, by their ratio; -1 where they are NaN."""
    marks = np.log([percent for percent, _ in ERRORS])
    logs = np.log(np.maximum(np.nan_to_num(errors, nan=1.0), 1e-6))
    nearest = np.abs(logs[:, None] - marks).argmin(axis=1)
    return np.where(np.isnan(errors), -1, nearest)


def channels(colour: str) -> FloatArray:
    """(3,) red, green and blue of "#rrggbb", 0 to 255."""
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float64)


def heat_colours() -> FloatArray:
    """(256, 4) red, green, blue from 0 to 255 and alpha from 0 to 1, for heights from 0 to 1."""
    heights = np.linspace(0.0, 1.0, _LEVELS)
    anchors = np.stack([channels(colour) for colour in _VIRIDIS])
    at = np.linspace(0.0, 1.0, len(anchors))
    rgb = np.stack([np.interp(heights, at, anchors[:, i]) for i in range(3)], axis=1)
    rise = np.clip((heights - _FADE[0]) / (_FADE[1] - _FADE[0]), 0.0, 1.0)
    return np.column_stack([rgb, _SOLID * rise * rise * (3 - 2 * rise)])


def heat_pixels(heights: npt.NDArray[np.float32]) -> npt.NDArray[np.uint32]:
    """Heights (H, W) as pixels (H, W) of premultiplied ARGB."""
    rgba = heat_colours()
    red, green, blue = (np.rint(rgba[:, i] * rgba[:, 3]).astype(np.uint32) for i in range(3))
    table = (np.rint(255 * rgba[:, 3]).astype(np.uint32) << 24) | (red << 16) | (green << 8) | blue
    level = np.rint(np.clip(np.nan_to_num(heights), 0.0, 1.0) * (_LEVELS - 1)).astype(np.intp)
    found: npt.NDArray[np.uint32] = table[level].astype(np.uint32)
    return found


def finer(heights: npt.NDArray[np.float32], times: int) -> npt.NDArray[np.float32]:
    """Heights (S, S) at so many times the resolution, by cubic convolution (Keys 1981); the same square is covered."""
    side = heights.shape[0]
    at = (np.arange(side * times) + 0.5) / times - 0.5
    low = np.floor(at).astype(np.intp)
    weights = np.zeros((side * times, side), np.float32)
    rows = np.arange(side * times)
    for offset in (-1, 0, 1, 2):
        distance = np.abs(at - (low + offset))
        near = (1.5 * distance - 2.5) * distance**2 + 1
        far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
        weight = np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))
        np.add.at(weights, (rows, np.clip(low + offset, 0, side - 1)), weight.astype(np.float32))
    found: npt.NDArray[np.float32] = weights @ np.nan_to_num(heights).astype(np.float32) @ weights.T
    return found
