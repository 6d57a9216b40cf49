"""The head as a smooth closed surface: rings stacked from the crown to the chin.

Each ring is a front half (a superellipse through the face's profile) and a back half, which meet at
the outline: the widest points, where the jaw line runs. Head coordinates: centimetres, x right and
y down as in the face plane, z towards the camera, (0, 0, 0) between the ears at pupil height.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scaf_gui.samples.curves import HEAD_TOP, Outline, smooth_curve

Floats = NDArray[np.float64]

_CROSS_POWER = 2.35  # of the front half's superellipse: the face is flatter than a cylinder
RINGS, SEGMENTS = 150, 144


@dataclass(frozen=True)
class Mesh:
    """Vertices (n, 3), unit normals (n, 3) and triangles (m, 3) of vertex indices."""

    vertices: Floats
    normals: Floats
    triangles: NDArray[np.int32]


def profile_depth(outline: Outline, y: NDArray[np.floating]) -> Floats:
    """Z of the face's midline without nose, lips and chin boss."""
    stretch = outline.chin / 10.9
    return smooth_curve(
        np.where(y > 0, y / stretch, y),
        [-11.8, -11.3, -10.2, -8.2, -5.6, -2.6, -0.2, 2.5, 4.8, 6.7, 8.3, 9.5, 10.4, 10.9],
        [0.2, 2.9, 5.6, 7.8, 9.15, 9.75, 9.3, 9.35, 9.6, 9.65, 9.35, 9.15, 8.55, 7.6],
    )


def outline_depth(outline: Outline, y: NDArray[np.floating]) -> Floats:
    """Z of the outline: level beside the eyes, coming forward along the jaw to the chin."""
    down = np.clip(y / outline.chin, 0, 1)
    up = np.clip(y / HEAD_TOP, 0, 1)
    return np.asarray(1.0 - 0.8 * up**2 + 6.6 * down**4, np.float64)


def back_depth(outline: Outline, y: NDArray[np.floating]) -> Floats:
    """Z of the midline at the back: skull, nape, then the underside of the jaw."""
    stretch = outline.chin / 10.9
    return smooth_curve(
        np.where(y > 0, y / stretch, y),
        [-11.8, -11.2, -9.8, -7.0, -3.0, 0.0, 3.0, 5.5, 8.0, 9.6, 10.4, 10.9],
        [0.0, -3.2, -6.4, -8.6, -9.2, -8.8, -7.2, -4.5, -1.2, 1.2, 4.2, 7.5],
    )


def front_depth(outline: Outline, x: NDArray[np.floating], y: NDArray[np.floating]) -> Floats:
    """Z of the smooth front surface over face-plane points; at the outline's depth outside it."""
    width = np.maximum(outline.half_width_at(y), 1e-6)
    across = np.clip(np.abs(x) / width, 0, 1)
    rim = outline_depth(outline, y)
    bow = np.sqrt(np.maximum(1 - across**_CROSS_POWER, 0))
    return np.asarray(rim + (profile_depth(outline, y) - rim) * bow, np.float64)


def ring_rows(outline: Outline, rings: int = RINGS) -> Floats:
    """Heights of the rings, denser towards the crown and the chin, where the surface turns."""
    turn = np.cos(np.pi * (np.arange(rings) + 0.35) / (rings - 0.3))
    middle, half = (HEAD_TOP + outline.chin) / 2, (outline.chin - HEAD_TOP) / 2
    return np.asarray(middle - half * turn, np.float64)


def segment_angles(segments: int = SEGMENTS) -> Floats:
    """Angles around the head, 0 at the face's midline, denser in front."""
    even = 2 * np.pi * np.arange(segments) / segments - np.pi
    return np.asarray(even - 0.42 * np.sin(even), np.float64)


def ring_points(outline: Outline, rows: Floats, angles: Floats) -> Floats:
    """Points (rings, segments, 3) of the closed head surface."""
    y = np.broadcast_to(rows[:, None], (len(rows), len(angles)))
    width = outline.half_width_at(rows)[:, None]
    x = width * np.sin(angles)[None, :]
    rim = outline_depth(outline, rows)[:, None]
    bow = np.cos(angles)[None, :]
    front_bow = np.sqrt(np.maximum(1 - np.abs(np.sin(angles)) ** _CROSS_POWER, 0))[None, :]
    front = rim + (profile_depth(outline, rows)[:, None] - rim) * front_bow
    back = rim + (rim - back_depth(outline, rows)[:, None]) * bow
    return np.stack([x, y, np.where(bow >= 0, front, back)], axis=-1)


def grid_normals(points: Floats) -> Floats:
    """Outward unit normals (rings, segments, 3) of a grid that is closed in its second axis."""
    along = np.gradient(points, axis=0)
    around = np.roll(points, -1, axis=1) - np.roll(points, 1, axis=1)
    normals = np.cross(around, along)
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    return np.asarray(normals / np.maximum(length, 1e-9), np.float64)


def grid_triangles(rows: int, columns: int, closed: bool = True) -> NDArray[np.int32]:
    """Triangles (m, 3) of a grid of vertices; `closed` joins the last column to the first."""
    index = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    if closed:
        index = np.concatenate([index, index[:, :1]], axis=1)
    a, b = index[:-1, :-1].ravel(), index[:-1, 1:].ravel()
    c, d = index[1:, :-1].ravel(), index[1:, 1:].ravel()
    return np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)])


def mesh_from_grid(points: Floats, closed: bool = True) -> Mesh:
    """Mesh of a vertex grid (rows, columns, 3)."""
    rows, columns = points.shape[:2]
    if closed:
        normals = grid_normals(points)
    else:
        along, around = np.gradient(points, axis=0), np.gradient(points, axis=1)
        normals = np.cross(around, along)
        normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
    return Mesh(points.reshape(-1, 3), normals.reshape(-1, 3), grid_triangles(rows, columns, closed))
