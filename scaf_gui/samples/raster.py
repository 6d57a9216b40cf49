"""A vectorised z-buffer rasteriser for meshes of many small triangles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_CHUNK = 400_000  # candidate fragments at a time: bounds the memory


@dataclass(frozen=True)
class Fragments:
    """The visible surface at each covered pixel.

    `pixel (n,)` flat pixel index; `triangle (n,)` index; `weights (n, 3)` barycentric coordinates.
    """

    pixel: NDArray[np.int64]
    triangle: NDArray[np.int32]
    weights: NDArray[np.float32]


def rasterise(
    points: NDArray[np.floating],
    depth: NDArray[np.floating],
    triangles: NDArray[np.int32],
    size: int,
) -> Fragments:
    """Visible fragments of triangles (m, 3) over projected points (n, 2), in pixels of a square
    frame; `depth (n,)` grows away from the camera. Triangles that face away are left out."""
    corner = np.asarray(points, np.float64)[triangles]
    a, ab, ac = corner[:, 0], corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    first, second, third = corner[:, 0], corner[:, 1], corner[:, 2]
    low = np.minimum(np.minimum(first, second), third)
    high = np.maximum(np.maximum(first, second), third)
    low = np.ceil(np.clip(low, 0, size)).astype(np.int32)
    high = np.floor(np.clip(high, -1, size - 1)).astype(np.int32)
    extent = np.maximum(high - low + 1, 0)
    count = extent[:, 0] * extent[:, 1]
    keep = np.flatnonzero((area > 1e-9) & (count > 0)).astype(np.int32)

    # Barycentric weights and depth are affine in the pixel: take them at the triangle's first
    # pixel with their steps to the right and down.
    a, ab, ac, low, extent, count = a[keep], ab[keep], ac[keep], low[keep], extent[keep], count[keep]
    inverse = 1 / area[keep]
    to_low = low - a
    plane = np.empty((len(keep), 6), np.float32)
    plane[:, 0] = (to_low[:, 0] * ac[:, 1] - to_low[:, 1] * ac[:, 0]) * inverse
    plane[:, 1], plane[:, 2] = ac[:, 1] * inverse, -ac[:, 0] * inverse
    plane[:, 3] = (to_low[:, 1] * ab[:, 0] - to_low[:, 0] * ab[:, 1]) * inverse
    plane[:, 4], plane[:, 5] = -ab[:, 1] * inverse, ab[:, 0] * inverse
    z = np.asarray(depth, np.float32)[triangles[keep]]
    z[:, 1:] -= z[:, :1]
    first_pixel = low[:, 1] * np.int32(size) + low[:, 0]

    nearest = np.full(size * size, np.inf, np.float32)
    winner = np.full(size * size, -1, np.int32)
    found: list[tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]] = []
    ends = np.cumsum(count)
    start = total = 0
    while start < len(keep):
        done = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + _CHUNK)))
        number = count[start:stop]
        tri = np.repeat(np.arange(start, stop, dtype=np.int32), number)
        local = np.arange(len(tri), dtype=np.int32)
        local -= np.repeat((np.cumsum(number) - number).astype(np.int32), number)
        right = np.repeat(extent[start:stop, 0], number)
        down = local // right
        right = local - down * right
        rf, df = right.astype(np.float32), down.astype(np.float32)
        step = np.repeat(plane[start:stop], number, axis=0)
        wb = step[:, 0] + step[:, 1] * rf + step[:, 2] * df
        wc = step[:, 3] + step[:, 4] * rf + step[:, 5] * df
        inside = np.flatnonzero((wb >= 0) & (wc >= 0) & (wb + wc <= 1))
        tri, wb, wc = tri[inside], wb[inside], wc[inside]
        pixel = first_pixel[tri] + down[inside] * np.int32(size) + right[inside]
        corner_z = z[tri]
        near = corner_z[:, 0] + corner_z[:, 1] * wb + corner_z[:, 2] * wc
        np.minimum.at(nearest, pixel, near)
        best = np.flatnonzero(near <= nearest[pixel])
        # Later chunks overwrite: whoever still holds the nearest depth was written last.
        winner[pixel[best]] = total + np.arange(len(best), dtype=np.int32)
        total += len(best)
        found.append((tri[best], wb[best], wc[best]))
        start = stop

    covered = np.flatnonzero(winner >= 0)
    if not found:
        return Fragments(covered, np.empty(0, np.int32), np.empty((0, 3), np.float32))
    chosen = winner[covered]
    tri, wb, wc = (np.concatenate([item[k] for item in found])[chosen] for k in range(3))
    return Fragments(covered, keep[tri], np.stack([1 - wb - wc, wb, wc], axis=1))
