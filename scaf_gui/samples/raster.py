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
    xy = np.asarray(points, np.float32)
    corner = xy[triangles]
    a, ab, ac = corner[:, 0], corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    low = np.ceil(np.clip(corner.min(axis=1), 0, size)).astype(np.int32)
    high = np.floor(np.clip(corner.max(axis=1), -1, size - 1)).astype(np.int32)
    extent = np.maximum(high - low + 1, 0)
    count = extent[:, 0] * extent[:, 1]
    keep = np.flatnonzero((area > 1e-9) & (count > 0)).astype(np.int32)
    z = np.asarray(depth, np.float32)[triangles]

    nearest = np.full(size * size, np.inf, np.float32)
    found: list[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]] = []
    depths: list[NDArray[np.float32]] = []
    ends = np.cumsum(count[keep])
    start = 0
    while start < len(keep):
        done = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + _CHUNK)))
        part = keep[start:stop]
        start = stop
        number = count[part]
        tri = np.repeat(part, number)
        local = np.arange(len(tri), dtype=np.int32) - np.repeat(
            (np.cumsum(number) - number).astype(np.int32), number
        )
        wide = extent[tri, 0]
        py, px = local // wide, local % wide
        px += low[tri, 0]
        py += low[tri, 1]
        dx = px.astype(np.float32) - a[tri, 0]
        dy = py.astype(np.float32) - a[tri, 1]
        inverse = 1 / area[tri]
        wb = (dx * ac[tri, 1] - dy * ac[tri, 0]) * inverse
        wc = (dy * ab[tri, 0] - dx * ab[tri, 1]) * inverse
        inside = np.flatnonzero((wb >= 0) & (wc >= 0) & (wb + wc <= 1))
        tri, wb, wc = tri[inside], wb[inside], wc[inside]
        pixel = py[inside] * np.int32(size) + px[inside]
        corner_z = z[tri]
        near = corner_z[:, 0] * (1 - wb - wc) + corner_z[:, 1] * wb + corner_z[:, 2] * wc
        np.minimum.at(nearest, pixel, near)
        found.append((pixel, tri, np.stack([1 - wb - wc, wb, wc], axis=1)))
        depths.append(near)

    pixel = np.concatenate([item[0] for item in found])
    seen = np.concatenate(depths) <= nearest[pixel]
    pixel = pixel[seen]
    # Equal depths on a shared edge: keep the first.
    unique, first = np.unique(pixel, return_index=True)
    tri = np.concatenate([item[1] for item in found])[seen][first]
    weights = np.concatenate([item[2] for item in found])[seen][first]
    return Fragments(unique.astype(np.int64), tri, weights)
