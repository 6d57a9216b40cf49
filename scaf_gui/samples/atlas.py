"""The face-plane raster on which relief and paint are drawn, and helpers to draw on it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Raster = NDArray[np.float32]

CM_PER_TEXEL = 0.03
_LEFT, _TOP = -7.65, -9.6  # hair hides what lies above; chins end above 13.2
WIDTH, HEIGHT = 512, 764


def grid() -> tuple[Raster, Raster]:
    """Face-plane x (1, WIDTH) and y (HEIGHT, 1) of the texel centres, in centimetres."""
    x = _LEFT + CM_PER_TEXEL * np.arange(WIDTH, dtype=np.float32)
    y = _TOP + CM_PER_TEXEL * np.arange(HEIGHT, dtype=np.float32)
    return x[None, :], y[:, None]


def texel(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Texel coordinates (n, 2) of face-plane points (n, 2)."""
    return (np.asarray(points, np.float64) - (_LEFT, _TOP)) / CM_PER_TEXEL


def window(x0: float, y0: float, x1: float, y1: float) -> tuple[slice, slice]:
    """Rows and columns that cover a face-plane rectangle."""
    low, high = texel(np.array([(x0, y0), (x1, y1)]))
    rows = slice(max(int(low[1]), 0), min(int(high[1]) + 2, HEIGHT))
    columns = slice(max(int(low[0]), 0), min(int(high[0]) + 2, WIDTH))
    return rows, columns


def sample(raster: Raster, x: NDArray[np.floating], y: NDArray[np.floating]) -> Raster:
    """Read a raster at face-plane points (n,) by bilinear interpolation; returns (n,) or (n, c)."""
    return read_at(raster, texel(np.stack([x.ravel(), y.ravel()], axis=1)))


def read_at(raster: Raster, places: NDArray[np.floating]) -> Raster:
    """Read any raster at places (n, 2), (column, row), by bilinear interpolation."""
    at = places.astype(np.float32)
    # OpenCV's remap wants images under 32,768 pixels a side: fold the list into rows.
    columns = 4096
    rows = -(-len(at) // columns)
    padded = np.zeros((rows * columns, 2), np.float32)
    padded[: len(at)] = at
    folded = padded.reshape(rows, columns, 2)
    read = cv2.remap(raster, folded[..., 0], folded[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(read.reshape(rows * columns, *read.shape[2:])[: len(at)], np.float32)


def stroke(target: Raster, points: NDArray[np.floating], width: float, soft: float, amount: float) -> None:
    """Add `amount` times an antialiased, blurred polyline (n, 2) `width` cm wide, in place."""
    margin = width + 3.5 * soft
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    rows, columns = window(low[0], low[1], high[0], high[1])
    patch = target[rows, columns]
    mask = np.zeros(patch.shape, np.uint8)
    at = texel(points) - (columns.start, rows.start)
    thickness = max(1, round(width / CM_PER_TEXEL))
    cv2.polylines(mask, [np.round(at * 16).astype(np.int32)], False, 255, thickness, cv2.LINE_AA, 4)
    patch += np.float32(amount) * blur(mask.astype(np.float32) / np.float32(255), soft)


def blur(raster: Raster, soft: float) -> Raster:
    """Gaussian blur with a standard deviation of `soft` cm."""
    if soft <= 0:
        return raster
    return np.asarray(cv2.GaussianBlur(raster, (0, 0), soft / CM_PER_TEXEL), np.float32)


def bump(x: Raster, y: Raster, at: tuple[float, float], radius: tuple[float, float], power: float = 2.0) -> Raster:
    """A smooth hill of height 1 at a face-plane point; product of two one-dimensional bells."""
    across = np.exp(-(np.abs((x - at[0]) / radius[0]) ** power))
    along = np.exp(-(np.abs((y - at[1]) / radius[1]) ** power))
    return np.asarray(across * along, np.float32)


def add_bump(
    target: Raster,
    at: tuple[float, float],
    radius: tuple[float, float],
    amount: float,
    power: float = 2.0,
) -> None:
    """Add a hill of height `amount` to a raster (HEIGHT, WIDTH), in place, only where it matters."""
    reach = 6.5 ** (1 / power)  # beyond, the hill is under 0.2 % of its height
    dx, dy = reach * radius[0], reach * radius[1]
    rows, columns = window(at[0] - dx, at[1] - dy, at[0] + dx, at[1] + dy)
    x, y = grid()
    target[rows, columns] += np.float32(amount) * bump(x[:, columns], y[rows], at, radius, power)


def noise(rng: np.random.Generator, cells: int, stretch: float = 1.0) -> Raster:
    """Smooth noise (HEIGHT, WIDTH), mean 0, about unit variance; `cells` across the width."""
    rows = max(2, round(cells * HEIGHT / WIDTH / stretch))
    coarse = rng.standard_normal((rows, cells)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.float32)
