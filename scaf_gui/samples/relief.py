"""The relief of the face over the smooth head: nose, eyes, lips, brows, chin, cheeks, folds."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from scaf_gui.samples import atlas
from scaf_gui.samples.atlas import Raster
from scaf_gui.samples.curves import Eye, Features, Mouth, Nose, smooth_curve
from scaf_gui.samples.head import front_depth
from scaf_gui.samples.identity import FaceSpec

_EYEBALL_RADIUS = 1.28
_LID_THICKNESS = 0.11
_GEOMETRY_BLUR = 0.05


@dataclass(frozen=True)
class Relief:
    """Rasters (HEIGHT, WIDTH) over the face plane, in centimetres.

    `depth` is added to the smooth head's z; `smooth` is the same without its finest steps, which is
    what moves vertices and landmarks; `base` is the smooth head itself.
    """

    depth: Raster
    smooth: Raster
    base: Raster


def face_relief(spec: FaceSpec, features: Features, rng: np.random.Generator) -> Relief:
    """Build the relief of a face."""
    x, y = atlas.grid()
    outline = features.outline
    # Smooth, so half the resolution will do; the centres of texel pairs keep it aligned.
    coarse = front_depth(outline, (x[:, ::2] + x[:, 1::2]) / 2, (y[::2] + y[1::2]) / 2)
    fine = cv2.resize(coarse.astype(np.float32), (atlas.WIDTH, atlas.HEIGHT), interpolation=cv2.INTER_LINEAR)
    base = np.asarray(fine, np.float32)
    depth = _bones(spec, features)
    for eye in features.eyes:
        _eye_relief(depth, base, eye, x, y)
    _nose_relief(depth, features.nose)
    _folds(depth, spec, features)
    _mouth_relief(depth, features.mouth, x, y)
    # Nothing may stick out beyond the outline, where the base surface turns away.
    width = np.maximum(outline.half_width_at(y), 1e-3).astype(np.float32)
    inside = np.clip((1 - np.abs(x) / width) / 0.10, 0, 1)
    chin_side = np.clip((outline.chin - y) / 0.7, 0, 1)
    depth *= inside * inside * (3 - 2 * inside) * chin_side
    pores = atlas.noise(rng, 280) * 0.0024 + atlas.noise(rng, 110) * 0.0028
    return Relief(
        depth=atlas.blur(depth, 0.028) + pores.astype(np.float32),
        smooth=atlas.blur(depth, _GEOMETRY_BLUR),
        base=base,
    )


def _bones(spec: FaceSpec, features: Features) -> Raster:
    """Brow ridge, sockets, cheeks, temples and chin."""
    who, chin = spec.identity, features.outline.chin
    smile = max(features.smile, 0.0)
    male = float(np.clip((who.neck_half_width - 4.7) / 1.0, 0, 1))
    depth = np.zeros((atlas.HEIGHT, atlas.WIDTH), np.float32)

    def add(x: float, y: float, rx: float, ry: float, amount: float, power: float = 2.0) -> None:
        atlas.add_bump(depth, (x, y), (rx, ry), amount, power)

    add(0, -1.75, 1.8, 0.9, 0.20 + 0.18 * male)
    add(0, -3.4, 4.0, 1.1, -0.10)
    for side in (-1.0, 1.0):
        add(side * 3.4, -1.55, 2.1, 0.75, 0.18 + 0.16 * male)
        add(side * 3.05, 0.05, 2.05, 1.25, -0.50, 2.4)
        add(side * 1.55, 0.25, 0.75, 1.0, -0.38)
        add(side * 4.5, 2.5, 1.9, 1.5, 0.30 + 0.35 * who.cheek)
        add(side * 3.8, 3.3, 1.5, 1.25, 0.34 * smile)
        add(side * 5.0, 5.6, 1.2, 1.6, -0.10 - 0.12 * male)
        add(side * 6.0, -2.6, 1.2, 1.8, -0.10)
        add(side * 1.9, 6.6, 1.4, 1.7, 0.20)  # the muzzle's roundness beside the mouth
    add(0, 6.5, 2.3, 2.1, 0.42)
    add(0, chin - 1.15, 1.5, 0.95, who.chin_bump, 2.2)
    return depth


def _eye_relief(depth: Raster, base: Raster, eye: Eye, x: Raster, y: Raster) -> None:
    """Eyeball in the opening, lids draped over it, crease above."""
    cx, cy = eye.center
    rows, columns = atlas.window(cx - 2.3, cy - 2.0, cx + 2.3, cy + 1.8)
    ex, ey = x[:, columns], y[rows]
    skin = depth[rows, columns] + base[rows, columns]
    # The ball sits so that its front is just proud of the socket floor.
    middle = skin[skin.shape[0] // 2, skin.shape[1] // 2]
    ball_x, ball_y = eye.side * (abs(cx) - 0.02), cy - 0.03
    squared = (ex - ball_x) ** 2 + ((ey - ball_y) * 1.05) ** 2
    reach = np.sqrt(np.maximum(_EYEBALL_RADIUS**2 - squared, 0.0))
    ball = middle + 0.42 - (_EYEBALL_RADIUS - reach) - np.where(reach > 0, 0.0, 1.5)
    sharp = 9.0
    lids = np.logaddexp(sharp * skin, sharp * (ball + _LID_THICKNESS)) / sharp
    t = eye.t_of(ex)
    opening = _between(ey, eye.upper_lid(t), eye.lower_lid(t), (t > 0) & (t < 1))
    surface = lids * (1 - opening) + ball * opening
    # The fold above the upper lid follows the open lid's edge.
    span = np.linspace(-0.06, 1.12, 24)
    open_lid = eye.upper_lid(np.clip(span, 0, 1)) if eye.closure < 0.3 else None
    height = eye.center[1] - eye.upper * np.clip(4 * span * (1 - span), 0, 1) ** 0.7
    crease_y = (open_lid if open_lid is not None else height) - 0.24
    crease_y = crease_y + 0.10 * (2 * span - 1) ** 2
    crease_x = eye.inner[0] + (eye.outer[0] - eye.inner[0]) * span
    under = np.stack([crease_x, eye.lower_lid(np.clip(span, 0, 1)) + 0.36], 1)[3:-3]
    caruncle = atlas.bump(ex, ey, (eye.inner[0] + 0.10 * eye.side, eye.inner[1]), (0.13, 0.12))
    surface = surface + 0.05 * caruncle
    depth[rows, columns] = (surface - base[rows, columns]).astype(np.float32)
    atlas.stroke(depth, np.stack([crease_x, crease_y], 1), 0.08, 0.06, -0.10)
    atlas.stroke(depth, under, 0.12, 0.10, -0.05)


def _between(
    y: Raster,
    top: np.ndarray,
    bottom: np.ndarray,
    where: np.ndarray,
) -> Raster:
    """Antialiased mask of the points between two curves y(x)."""
    texel = atlas.CM_PER_TEXEL
    cover = np.clip((y - top) / texel + 0.5, 0, 1) * np.clip((bottom - y) / texel + 0.5, 0, 1)
    return np.asarray(np.where(where, cover, 0.0), np.float32)


def eye_opening(eye: Eye, x: Raster, y: Raster) -> Raster:
    """Mask of the eye's opening over face-plane points."""
    t = eye.t_of(x)
    return _between(y, eye.upper_lid(t), eye.lower_lid(t), (t > 0) & (t < 1))


def _nose_relief(depth: Raster, nose: Nose) -> None:
    """Bridge, tip, wings, nostrils and columella."""
    tip, base, wing = nose.tip_y, nose.base_y, nose.wing_y
    rows, columns = atlas.window(-3.4, -1.9, 3.4, base + 0.5)
    x, y = atlas.grid()
    x, down = x[:, columns], y[rows, 0]
    rise = smooth_curve(
        down,
        [-1.9, -0.6, 0.3, 1.4, 2.5, tip - 0.35, tip + 0.1, base - 0.42, base - 0.05, base + 0.5],
        [0.0, 0.28, 0.58, 1.06, 1.58, 2.00, 2.02, 1.40, 0.26, 0.0],
    )
    half = smooth_curve(down, [-1.5, 0.2, 1.6, 2.6, tip, base], [0.80, 0.62, 0.66, 0.68, 0.74, 0.66])
    half = half * (0.4 + 0.6 * nose.half_width / 1.5)
    ridge = rise[:, None] * np.exp(-(np.abs(x / half[:, None]) ** 1.9))
    flank = smooth_curve(down, [-1.0, 0.8, 2.6, tip, base], [0.05, 0.2, 0.36, 0.30, 0.0])
    depth[rows, columns] += (nose.protrusion * ridge + flank[:, None] * np.exp(-(np.abs(x / 1.75) ** 3))).astype(
        np.float32
    )
    atlas.add_bump(depth, (0, tip - 0.05), (0.66, 0.62), 0.30 * nose.protrusion, 2.2)
    w = nose.half_width
    for side in (-1.0, 1.0):
        atlas.add_bump(depth, (side * (w - 0.52), wing - 0.16), (0.52, 0.54), 0.86, 2.3)
        atlas.add_bump(depth, (side * (w + 0.14), wing - 0.1), (0.16, 0.5), -0.12)
        atlas.add_bump(depth, (side * 0.66 * w / 1.5, base - 0.20), (0.30, 0.15), -0.40, 2.2)


def _folds(depth: Raster, spec: FaceSpec, features: Features) -> None:
    """Nasolabial folds, philtrum, the groove under the lip; wrinkles of a raised brow."""
    nose, mouth = features.nose, features.mouth
    smile = max(features.smile, 0.0)
    corner = float(mouth.middle(np.array(1.0)))
    for side in (-1, 1):
        path = np.array(
            [
                (side * (nose.half_width + 0.22), nose.wing_y - 0.35),
                (side * (nose.half_width + 0.75), nose.wing_y + 0.55),
                (side * (mouth.half_width + 0.42), (nose.wing_y + corner) / 2 + 0.25),
                (side * (mouth.half_width + 0.62), corner + 0.25),
            ]
        )
        atlas.stroke(depth, path, 0.34, 0.26, -0.10 - 0.20 * smile)
    top = float(mouth.outer_upper(np.array(0.0)))
    philtrum = np.array([(0.0, nose.base_y + 0.15), (0.0, top - 0.05)])
    atlas.stroke(depth, philtrum, 0.26, 0.15, -0.11)
    low = float(mouth.outer_lower(np.array(0.0)))
    groove = np.array([(-1.3, low + 0.22), (0.0, low + 0.36), (1.3, low + 0.22)])
    atlas.stroke(depth, groove, 0.5, 0.34, -0.40)
    raised = spec.expression.brow_raise
    if raised > 0.2:
        bend = np.linspace(-1, 1, 15)
        for level in (-3.6, -4.4, -5.1):
            line = np.stack([3.1 * bend, level - raised * 0.3 + 0.25 * bend**2], 1)
            atlas.stroke(depth, line, 0.10, 0.09, -0.07 * (raised - 0.2))


def mouth_opening(mouth: Mouth, x: Raster, y: Raster) -> Raster:
    """Mask of the gap between the lips."""
    f = np.clip(x / mouth.half_width, -1, 1)
    inside = np.abs(f) < mouth.INNER
    return _between(y, mouth.inner_upper(f), mouth.inner_lower(f), inside)


def _mouth_relief(depth: Raster, mouth: Mouth, x: Raster, y: Raster) -> None:
    """Two rolls for the lips, a crease between them, a hollow in the opening."""
    reach = mouth.half_width + 0.6
    top = float(mouth.y - 2.2)
    bottom = float(mouth.y + mouth.open_down + 2.2)
    rows, columns = atlas.window(-reach, top, reach, bottom)
    mx, my = x[:, columns], y[rows]
    f = np.clip(mx / mouth.half_width, -1, 1)
    end = np.clip(1 - np.abs(mx / mouth.half_width) ** 2.2, 0, 1) ** 0.55
    patch = depth[rows, columns]
    upper_out, upper_in = mouth.outer_upper(f), mouth.inner_upper(f)
    lower_in, lower_out = mouth.inner_lower(f), mouth.outer_lower(f)
    up = (my - upper_out) / np.maximum(upper_in - upper_out, 0.05)
    low = (my - lower_in) / np.maximum(lower_out - lower_in, 0.05)
    upper_roll = np.where((up > 0) & (up < 1), np.sin(np.pi * np.clip(up, 0, 1) ** 0.75), 0.0)
    lower_roll = np.where((low > 0) & (low < 1), np.sin(np.pi * np.clip(low, 0, 1) ** 0.8), 0.0)
    patch += (0.30 * end * upper_roll + 0.36 * end * np.sqrt(np.abs(lower_roll))).astype(np.float32)
    # The upper lip overhangs: skin above its edge catches light, the line between lips is deep.
    crease = np.exp(-(((my - (upper_in + lower_in) / 2) / 0.10) ** 2)) * (end > 0) * end
    patch -= (0.16 * crease).astype(np.float32)
    patch -= 0.9 * atlas.blur(mouth_opening(mouth, mx, my), 0.09)
    for side in (-1.0, 1.0):
        corner = (side * (mouth.half_width + 0.05), float(mouth.middle(np.array(side))))
        patch -= 0.14 * atlas.bump(mx, my, corner, (0.28, 0.24))
    depth[rows, columns] = patch
