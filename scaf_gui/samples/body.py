"""Everything around the face: ears, neck and shoulders, hair. All in head coordinates."""

from __future__ import annotations

import cv2
import numpy as np

from scaf_gui.samples.curves import Features, Floats, smooth_curve
from scaf_gui.samples.head import (
    Mesh,
    grid_normals,
    mesh_from_grid,
    ring_points,
    ring_rows,
    segment_angles,
)
from scaf_gui.samples.identity import FaceSpec, Identity, Style


def two_sided(mesh: Mesh) -> Mesh:
    """The mesh with its inner side added, so that an open surface shows from behind too."""
    count = len(mesh.vertices)
    return Mesh(
        np.concatenate([mesh.vertices, mesh.vertices]),
        np.concatenate([mesh.normals, -mesh.normals]),
        np.concatenate([mesh.triangles, mesh.triangles[:, ::-1] + np.int32(count)]),
    )


def ear_mesh(who: Identity, side: int) -> tuple[Mesh, Floats]:
    """A shell with helix and concha, turned out from the head, and the share of light (n,) that
    reaches into its folds; `side` -1 is the image's left."""
    radius = np.array([0.0, 0.15, 0.3, 0.42, 0.52, 0.62, 0.70, 0.78, 0.86, 0.93, 0.98, 1.0])[:, None]
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)[None, :]
    flare = np.radians(33.0)
    back = np.array([side * np.sin(flare), 0.0, -np.cos(flare)])
    out = np.array([side * np.cos(flare), 0.0, np.sin(flare)])
    down = np.array([0.0, 0.98, 0.12])
    size = who.ear_size
    along, across = np.sin(turn), np.cos(turn)
    # Egg shape: broad above, a narrow lobe below.
    wide = 1.62 * size * (1 - 0.24 * along)
    tall = 2.95 * size
    helix = 0.52 * np.exp(-(((radius - 0.86) / 0.10) ** 2)) * np.clip(0.75 - 0.6 * along, 0.15, 1)
    fold = 0.26 * np.exp(-(((radius - 0.52) / 0.10) ** 2)) * np.clip(0.6 + 0.5 * across, 0, 1)
    concha = -0.75 * np.exp(-((radius / 0.40) ** 2))
    rim = -0.55 * np.clip((radius - 0.93) / 0.07, 0, 1) ** 2
    height = helix + fold + concha + rim
    anchor = np.array([side * (who.half_width - 0.12), 1.15, 0.35])
    center = anchor + back * 1.45 * size
    points = (
        center
        + (radius * across * wide)[..., None] * back
        + (radius * along * tall)[..., None] * down
        + height[..., None] * out
    )
    mesh = mesh_from_grid(points)
    if np.mean(mesh.normals @ out) < 0:
        mesh = Mesh(mesh.vertices, -mesh.normals, mesh.triangles[:, ::-1])
    open_to_light = np.clip(0.62 + 0.9 * height, 0.22, 1.0).reshape(-1)
    return two_sided(mesh), np.tile(open_to_light, 2)


def torso_mesh(who: Identity) -> Mesh:
    """Neck and shoulders."""
    rows = np.concatenate([np.linspace(3.0, 12.0, 14), np.linspace(12.5, 34.0, 28)])
    neck = who.neck_half_width
    wide = smooth_curve(
        rows,
        [3.0, 8.0, 10.8, 12.6, 14.2, 16.0, 18.0, 21.0, 34.0],
        [neck, 0.97 * neck, neck, 1.16 * neck, neck + 3.2, neck + 7.2, 15.2, 17.6, 18.6],
    )
    deep = smooth_curve(rows, [3.0, 9.5, 13.0, 16.0, 20.0, 34.0], [4.2, 4.7, 5.3, 6.8, 8.2, 9.5])
    angles = segment_angles(96)
    x = wide[:, None] * np.sign(np.sin(angles)) * np.abs(np.sin(angles)) ** 0.9
    z = -2.2 + deep[:, None] * np.cos(angles)
    y = np.broadcast_to(rows[:, None], x.shape)
    sag = np.clip((rows - 14) / 6, 0, 1)[:, None] * 0.05 * np.abs(x)
    # The two tendons that run from behind the ears to the collar bones.
    tendon = np.exp(-(((np.abs(angles) - 0.45 - 0.05 * (13 - y)) / 0.16) ** 2))
    z = z + 0.28 * tendon * np.clip((15.5 - y) / 3, 0, 1)
    return mesh_from_grid(np.stack([x, y + sag, z], axis=-1))


def hairline(style: Style, angles: Floats) -> Floats:
    """Y of the hair's lower border around the head."""
    degrees = np.degrees(np.abs(angles))
    line = style.hairline
    border = smooth_curve(
        degrees,
        [0, 22, 42, 55, 68, 78, 86, 93, 104, 120, 145, 180],
        [line, line + 0.05, line + 0.7, -4.6, -2.5, -0.6, 1.3, 0.3, 1.6, 4.0, 6.0, 6.4],
    )
    parting = np.radians(28.0 * style.fringe_skew)
    sweep = np.exp(-((np.clip(np.abs(angles - parting) / np.radians(34.0), 0, 4)) ** 2))
    return np.asarray(border + style.fringe * sweep, np.float64)


def hair_cap(spec: FaceSpec, features: Features, rng: np.random.Generator) -> Mesh:
    """Hair on the skull: the head's surface pushed out, and under the skin where there is none."""
    style = spec.style
    rows = ring_rows(features.outline, 100)
    rows = rows[rows < 7.5]
    angles = segment_angles(120)
    points = ring_points(features.outline, rows, angles)
    normals = grid_normals(points)
    border = hairline(style, angles)
    ragged = rng.standard_normal(len(angles))
    ragged = sum((np.roll(ragged, k) for k in range(-2, 3)), np.zeros(len(angles))) / 5
    border = border + 0.16 * ragged
    above = (border[None, :] - rows[:, None]) / (2.6 - 0.9 * style.hair_curl)
    rise = np.clip(above, -0.2, 1.0)
    # It starts flat on the skin, so that no helmet's rim shows.
    rise = np.where(rise > 0, rise * rise * (3 - 2 * rise) + 0.12 * np.sqrt(np.abs(rise)), rise)
    crown = 1 + 0.35 * np.clip((-6.0 - rows) / 6.0, 0, 1)[:, None]
    clumps = 1 + 0.10 * np.sin(9 * angles + 2.0 * rng.uniform() * 3)[None, :]
    clumps = clumps + 0.05 * rng.standard_normal(len(angles))[None, :]
    coils = cv2.GaussianBlur(rng.standard_normal(points.shape[:2]), (0, 0), 1.1)
    clumps = clumps + 0.55 * style.hair_curl * coils
    thick = (0.28 + 0.75 * style.hair_volume) * rise * crown * np.where(rise > 0, clumps, 1.0)
    mesh = mesh_from_grid(points + normals * thick[..., None])
    # Well below the border the cap lies under the face, where it could show through a hollow.
    hairy = (above > -0.16).reshape(-1)
    return Mesh(mesh.vertices, mesh.normals, mesh.triangles[hairy[mesh.triangles].any(axis=1)])


def hair_curtain(spec: FaceSpec, rng: np.random.Generator) -> Mesh:
    """Long hair that falls past the ears and behind the jaw to the shoulders."""
    style, half = spec.style, spec.identity.half_width
    length = 6.5 + 12.0 * style.long_hair
    rows = np.linspace(-8.0, length, 64)
    fall = ((rows - rows[0]) / (length - rows[0]))[:, None]
    across = np.linspace(-1.0, 1.0, 110)[None, :]
    # Its front edge swings back from the temples, so that face and jaw stay free.
    front = smooth_curve(rows, [-8.0, -4.0, 1.0, 7.0, 14.0], [62.0, 65.0, 70.0, 69.0, 60.0])
    angles = np.pi + across * np.radians(180.0 - front)[:, None]
    wide = smooth_curve(
        rows,
        [-8.0, -4.0, 0.0, 5.0, 11.0, 19.0],
        [half - 0.4, half + 0.95, half + 1.15, half + 1.2, half + 1.0, half + 0.7],
    )
    wide = wide + 0.7 * (style.hair_volume - 0.8) * np.clip(fall[:, 0] * 3, 0, 1)
    deep = smooth_curve(rows, [-8.0, -4.0, 3.0, 9.0, 19.0], [7.6, 9.6, 9.4, 8.4, 7.2])
    phase = float(rng.uniform(0, 6.28))
    curl = float(rng.uniform(0.0, 0.45))
    grow = np.clip(3 * fall, 0, 1)
    wave = curl * np.sin(1.15 * rows + phase)[:, None] * np.clip(fall * 1.5, 0, 1)
    locks = 0.10 * np.sin(40 * across + phase) + 0.10 * np.sin(67 * across + 2.0 * rows[:, None] * 0.1)
    push = wave + locks * grow
    # The edge rolls in towards the neck instead of ending like paper.
    roll = np.clip((np.abs(across) - 0.90) / 0.10, 0, 1) ** 2
    x = (wide[:, None] + push - 0.55 * roll) * np.sin(angles)
    z = -0.6 + (deep[:, None] + push) * np.cos(angles)
    ends = 0.5 * np.sin(23 * across + phase) + 0.4 * np.sin(51 * across)
    y = rows[:, None] + ends * fall**4
    # `angles` runs right to left as seen from the front, so this grid faces outwards reversed.
    mesh = mesh_from_grid(np.stack([x, y, z], axis=-1), closed=False)
    behind = np.argmin(mesh.vertices[:, 2])
    if mesh.normals[behind, 2] > 0:
        mesh = Mesh(mesh.vertices, -mesh.normals, mesh.triangles[:, ::-1])
    return two_sided(mesh)
