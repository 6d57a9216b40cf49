"""The colours of the face: skin, lips, brows, eyes, teeth, stubble, drawn on the face plane."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scaf_gui.samples import atlas
from scaf_gui.samples.atlas import Raster
from scaf_gui.samples.body import hairline
from scaf_gui.samples.curves import Brow, Eye, Features, Mouth, Nose, smooth_curve
from scaf_gui.samples.identity import Color, FaceSpec, Style
from scaf_gui.samples.relief import Relief, eye_opening, mouth_opening


@dataclass(frozen=True)
class Paint:
    """Linear-light `albedo (HEIGHT, WIDTH, 3)`; `gloss` 0 (matt) to 1 (wet); `cavity` the share of
    ambient light that reaches a point."""

    albedo: Raster
    gloss: Raster
    cavity: Raster


def linear(color: Color | NDArray[np.floating]) -> NDArray[np.float32]:
    """Linear light of sRGB values in 0..1."""
    return np.asarray(np.asarray(color, np.float64) ** 2.2, np.float32)


def face_paint(spec: FaceSpec, features: Features, relief: Relief, rng: np.random.Generator) -> Paint:
    """Paint a face."""
    x, y = atlas.grid()
    style = spec.style
    albedo = _skin(style, features, x, y, rng)
    gloss = _skin_gloss(style, features.nose)
    if style.beard > 0:
        _beard(albedo, style, features, x, y, rng)
    _hair_roots(albedo, style, features, x, y, rng)
    hairs = rng.standard_normal((128, 128)).astype(np.float32)
    for brow in features.brows:
        _brow(albedo, brow, style, hairs, x, y)
    strands = atlas.noise(rng, 160)
    _lips(albedo, gloss, features.mouth, style, strands, x, y)
    _nostrils(albedo, features.nose, x, y)
    for eye in features.eyes:
        _eye(albedo, gloss, eye, style, strands, x, y)
    cavity = _cavity(relief)
    _mouth_inside(albedo, gloss, cavity, features.mouth, x, y)
    return Paint(albedo, gloss, cavity)


def _mix(albedo: Raster, color: NDArray[np.floating], mask: NDArray[np.floating]) -> None:
    """Blend a colour (3,) or raster into the albedo, in place."""
    albedo += mask[..., None].astype(np.float32) * (color - albedo)


def _skin(style: Style, features: Features, x: Raster, y: Raster, rng: np.random.Generator) -> Raster:
    """Skin with blush, mottling and freckles."""
    skin = linear(style.skin)
    mottle = 1 + 0.035 * atlas.noise(rng, 14) + 0.025 * atlas.noise(rng, 60)
    mottle = mottle + 0.022 * atlas.noise(rng, 230)
    albedo = np.asarray(skin * mottle[..., None], np.float32)
    flush = np.zeros(mottle.shape, np.float32)
    tired = np.zeros(mottle.shape, np.float32)
    for side in (-1.0, 1.0):
        atlas.add_bump(flush, (side * 4.1, 2.9), (1.9, 1.5), 0.9)
    atlas.add_bump(flush, (0, features.nose.tip_y), (1.3, 1.0), 0.8)
    atlas.add_bump(flush, (0, features.outline.chin - 1.0), (1.6, 1.0), 0.4)
    for eye in features.eyes:
        atlas.add_bump(tired, (eye.center[0], eye.center[1] + 0.55), (1.5, 0.5), 1.0)
        atlas.add_bump(tired, (eye.center[0], eye.center[1] - 0.6), (1.5, 0.45), 0.7)
    flush *= style.redness * (0.8 + 0.2 * atlas.noise(rng, 24))
    np.clip(flush, 0, 1, out=flush)
    for channel, (blush, shade) in enumerate(((0.0, 0.10), (0.20, 0.16), (0.20, 0.15))):
        albedo[..., channel] *= (1 - blush * flush) * (1 - shade * tired)
    spots = atlas.noise(rng, 260)
    if style.freckles > 0:
        where = atlas.bump(x, y, (0, 2.4), (5.0, 1.9))
        mask = style.freckles * np.clip(spots - 1.3, 0, 0.8) * where
        _mix(albedo, skin * np.array([0.62, 0.45, 0.38], np.float32), np.clip(mask, 0, 0.75))
    return albedo


def _skin_gloss(style: Style, nose: Nose) -> Raster:
    gloss = np.full((atlas.HEIGHT, atlas.WIDTH), 0.10 * style.skin_gloss, np.float32)
    shine = 0.16 * style.skin_gloss
    atlas.add_bump(gloss, (0, -4.5), (3.2, 1.8), 0.5 * shine)
    atlas.add_bump(gloss, (0, nose.tip_y - 1.2), (0.9, 2.2), 0.8 * shine)
    for side in (-1.0, 1.0):
        atlas.add_bump(gloss, (side * 4.0, 2.0), (1.6, 1.3), 0.35 * shine)
    return gloss


def _beard(
    albedo: Raster,
    style: Style,
    features: Features,
    x: Raster,
    y: Raster,
    rng: np.random.Generator,
) -> None:
    """Stubble to short beard over jaw, chin and upper lip."""
    mouth, nose = features.mouth, features.nose
    f = np.clip(np.abs(x), 0, 8)
    # Upper border: sideburns come down to the cheek, the moustache starts under the nose.
    border = smooth_curve(
        f[0].astype(np.float64),
        [0.0, 1.2, 2.4, 3.2, 4.6, 5.8, 6.4],
        [nose.base_y + 0.55, nose.base_y + 0.55, nose.base_y + 0.9, 6.2, 6.6, 4.4, 1.6],
    )
    cover = np.clip((y - border[None, :]) / 0.9, 0, 1)
    lips = np.clip(x / mouth.half_width, -1, 1)
    over = (y > mouth.outer_upper(lips) - 0.10) & (y < mouth.outer_lower(lips) + 0.12)
    bare = atlas.blur((over & (np.abs(x) < mouth.half_width + 0.12)).astype(np.float32), 0.08)
    grain = np.clip(0.55 + 0.45 * atlas.noise(rng, 280), 0, 1)
    patchy = np.clip(0.9 + 0.25 * atlas.noise(rng, 16), 0, 1)
    density = 0.16 + 0.62 * max(style.beard - 0.45, 0.0) / 0.55
    mask = cover * (1 - bare) * density * (0.35 + 0.65 * grain) * patchy
    _mix(albedo, linear(style.hair) * 0.7, np.clip(mask, 0, 0.9))


def _hair_roots(
    albedo: Raster,
    style: Style,
    features: Features,
    x: Raster,
    y: Raster,
    rng: np.random.Generator,
) -> None:
    """Hair that thins out over the skin along the hairline."""
    strands = cv2.GaussianBlur(rng.standard_normal((1, atlas.WIDTH)), (0, 0), 0.8)
    rows, columns = atlas.window(-8.4, -12.5, 8.4, 3.0)
    ry = y[rows]
    half = np.maximum(features.outline.half_width_at(ry), 1e-3)
    table = np.radians(np.linspace(-90, 90, 721))
    border = np.interp(np.arcsin(np.clip(x / half, -1, 1)), table, hairline(style, table))
    over = np.clip((border + 0.22 * strands - ry) / 0.55 + 0.45, 0, 1)
    _mix(albedo[rows, columns], linear(style.hair) * 0.8, 0.92 * over * over)


def _brow(albedo: Raster, brow: Brow, style: Style, hairs: Raster, x: Raster, y: Raster) -> None:
    """A brow of slanted hairs between its two edges."""
    x0, x1 = sorted((brow.inner_x, brow.outer_x))
    top, bottom = brow.inner_y - brow.arch - 0.6, brow.inner_y + brow.thickness + 1.0
    rows, columns = atlas.window(x0 - 0.3, top, x1 + 0.3, bottom)
    bx, by = x[:, columns], y[rows]
    t = brow.t_of(bx)[0]
    inside = np.clip(t, 0.0, 1.0)
    upper, lower = brow.upper_edge(inside)[None], brow.lower_edge(inside)[None]
    ends = np.clip(t / 0.07, 0, 1) * np.clip((1.015 - t) / 0.06, 0, 1)
    soft = 0.09
    cover = np.clip((by - upper) / soft + 0.45, 0, 1) * np.clip((lower - by) / (1.6 * soft) + 0.3, 0, 1)
    # Hairs stand up at the inner end and lie along the brow further out.
    lean = np.radians(62.0 - 66.0 * np.clip(t[None], 0, 1))
    outward = brow.side * bx
    across = (outward * np.sin(lean) + by * np.cos(lean)) / 0.042
    along = (outward * np.cos(lean) - by * np.sin(lean)) / 0.55
    grain = cv2.remap(
        hairs,
        np.mod(across, 127).astype(np.float32),
        np.mod(along, 127).astype(np.float32),
        cv2.INTER_LINEAR,
    )
    grain = np.clip(0.80 + 0.26 * grain, 0.30, 1.0)
    mask = cover * ends[None] * grain * style.brow_darkness
    patch = albedo[rows, columns]
    _mix(patch, linear(style.hair) * 0.62, mask)


def _lips(
    albedo: Raster,
    gloss: Raster,
    mouth: Mouth,
    style: Style,
    strands: Raster,
    x: Raster,
    y: Raster,
) -> None:
    reach = mouth.half_width + 0.3
    rows, columns = atlas.window(-reach, mouth.y - 2.4, reach, mouth.y + mouth.open_down + 2.0)
    mx, my = x[:, columns], y[rows]
    f = np.clip(mx / mouth.half_width, -1, 1)
    upper, lower = mouth.outer_upper(f), mouth.outer_lower(f)
    soft = 0.055
    cover = np.clip((my - upper) / soft + 0.5, 0, 1) * np.clip((lower - my) / soft + 0.5, 0, 1)
    cover = cover * (np.abs(mx) <= mouth.half_width)
    skin = np.asarray(style.skin)
    lip = linear(skin * np.array([0.90, 0.60, 0.60]) + np.array([0.01, 0.0, 0.02]))
    strength = (0.55 + 0.45 * style.lip_tint) * (1 + 0.05 * strands[rows, columns])
    patch = albedo[rows, columns]
    _mix(patch, lip, np.clip(cover * strength, 0, 1))
    middle = (mouth.inner_upper(f) + mouth.inner_lower(f)) / 2
    closed = np.exp(-(((my - middle) / 0.075) ** 2)) * (np.abs(f) < 0.985)
    _mix(patch, lip * np.array([0.20, 0.12, 0.12], np.float32), 0.80 * closed)
    wet = gloss[rows, columns]
    wet += cover * (0.28 + 0.25 * style.lip_tint)


def _mouth_inside(albedo: Raster, gloss: Raster, cavity: Raster, mouth: Mouth, x: Raster, y: Raster) -> None:
    """Cavity, tongue and teeth where the lips part."""
    if mouth.open_down < 0.08:
        return
    reach = mouth.half_width + 0.1
    rows, columns = atlas.window(-reach, mouth.y - 2.0, reach, mouth.y + mouth.open_down + 1.0)
    mx, my = x[:, columns], y[rows]
    patch, wet = albedo[rows, columns], gloss[rows, columns]
    opening = mouth_opening(mouth, mx, my)
    _mix(patch, np.array([0.050, 0.012, 0.012], np.float32), opening)
    f = np.clip(mx / mouth.half_width, -1, 1)
    center = mouth.y - mouth.open_up
    edge = center + 0.66 - 0.10 * f * f - mouth.corner_lift * 0.55 * f * f
    teeth = np.clip((edge - my) / 0.07 + 0.5, 0, 1) * np.clip((0.80 - np.abs(f)) / 0.14, 0, 1)
    gaps = np.array([0.0, 0.43, 0.79, 1.14, 1.46, 1.76])
    gap = np.exp(-(((np.abs(mx)[..., None] - gaps) / 0.028) ** 2)).sum(-1)
    fade = (1 - 0.50 * np.abs(f) ** 1.5) * (1 - 0.26 * gap)
    # Under the lip the teeth lie in shade.
    fade = fade * np.clip(0.55 + (my - mouth.inner_upper(f)) / 0.45, 0.55, 1.0)
    tooth = np.array([0.84, 0.80, 0.71], np.float32)
    tongue = atlas.bump(mx, my, (0, mouth.y + mouth.open_down + 0.05), (1.3, 0.45))
    _mix(patch, np.array([0.30, 0.075, 0.075], np.float32), opening * tongue * 0.75)
    _mix(patch, tooth * fade[..., None].astype(np.float32), opening * teeth)
    wet *= 1 - opening
    wet += opening * teeth * 0.35
    # The teeth stand in front of the hollow that the relief knows.
    hollow = cavity[rows, columns]
    hollow += (opening * teeth * np.maximum(0.85 - hollow, 0)).astype(np.float32)


def _nostrils(albedo: Raster, nose: Nose, x: Raster, y: Raster) -> None:
    scale, base = nose.half_width / 1.5, nose.base_y
    rows, columns = atlas.window(-2.4, base - 1.6, 2.4, base + 0.5)
    nx, ny = x[:, columns], y[rows]
    shade = 1 - 0.22 * atlas.bump(nx, ny, (0.0, base), (0.9 * scale, 0.12))
    for side in (-1.0, 1.0):
        hole = (side * 0.66 * scale, base - 0.21)
        shade *= 1 - 0.86 * atlas.bump(nx, ny, hole, (0.33 * scale, 0.125), 2.4)
        wing = (side * (nose.half_width + 0.03), nose.wing_y - 0.05)
        shade *= 1 - 0.30 * atlas.bump(nx, ny, wing, (0.12, 0.36))
    albedo[rows, columns] *= shade[..., None] ** np.array([0.85, 1.05, 1.05], np.float32)


def _eye(
    albedo: Raster,
    gloss: Raster,
    eye: Eye,
    style: Style,
    strands: Raster,
    x: Raster,
    y: Raster,
) -> None:
    cx, cy = eye.center
    rows, columns = atlas.window(cx - 1.9, cy - 1.3, cx + 1.9, cy + 1.0)
    ex, ey = x[:, columns], y[rows]
    patch, wet = albedo[rows, columns], gloss[rows, columns]
    opening = eye_opening(eye, ex, ey)
    ball = _eyeball(eye, style, strands[rows, columns], ex, ey)
    t = np.clip(eye.t_of(ex), 0, 1)
    upper, lower = eye.upper_lid(t), eye.lower_lid(t)
    # Waterline and the wet corner first, then the ball, then lashes over everything.
    skin = linear(style.skin)
    rim = np.clip(1 - np.abs(ey - lower - 0.05) / 0.07, 0, 1) * ((t > 0.04) & (t < 0.97))
    _mix(patch, skin * np.array([0.95, 0.66, 0.64], np.float32), 0.55 * rim)
    _mix(patch, ball, opening)
    corner = atlas.bump(ex, ey, (eye.inner[0] + 0.13 * eye.side, eye.inner[1] - 0.02), (0.15, 0.12))
    _mix(patch, np.array([0.52, 0.22, 0.19], np.float32), 0.8 * corner * opening)
    lash = np.array([0.016, 0.011, 0.010], np.float32)
    grow = 0.065 + 0.075 * style.lashes * (0.35 + 0.65 * t)
    inside = np.clip(t / 0.08, 0, 1) * np.clip((1.0 - eye.t_of(ex)) / 0.03 + 1, 0, 1)
    line = np.exp(-(((ey - upper + 0.25 * grow) / grow) ** 2)) * inside * (eye.t_of(ex) > 0)
    _mix(patch, lash, np.clip((0.55 + 0.4 * style.lashes) * line, 0, 1))
    below = np.exp(-(((ey - lower - 0.03) / 0.05) ** 2)) * inside * (t > 0.2)
    _mix(patch, lash, 0.30 * style.lashes * below * (1 - eye.closure))
    wet *= 1 - opening
    wet += opening * 1.0


def _eyeball(eye: Eye, style: Style, strands: Raster, ex: Raster, ey: Raster) -> Raster:
    """Sclera, iris, pupil and the lid's shade, linear light."""
    ix, iy = eye.iris
    radius = np.hypot(ex - ix, ey - iy) / eye.iris_radius
    turn = np.arctan2(ey - iy, ex - ix)
    ball = np.empty((*radius.shape, 3), np.float32)
    ball[:] = (0.70, 0.655, 0.62)
    away = np.clip(np.abs(ex - eye.center[0]) / 1.35, 0, 1)
    ball *= (1 - 0.30 * away**2)[..., None] * np.array([1.0, 0.985, 0.975], np.float32)
    iris = linear(style.iris)
    fibres = 1 + 0.18 * np.sin(31 * turn + 5 * radius) + 0.12 * np.sin(17 * turn)
    glow = 0.75 + 0.75 * np.clip(radius - 0.35, 0, 1) * fibres
    edge = 1 - 0.72 * np.clip((radius - 0.80) / 0.20, 0, 1)
    body = iris * np.asarray(glow * edge, np.float32)[..., None]
    soft = atlas.CM_PER_TEXEL * 1.6 / eye.iris_radius
    _mix(ball, body, np.clip((1 - radius) / soft + 0.5, 0, 1))
    pupil = np.array([0.006, 0.006, 0.007], np.float32)
    _mix(ball, pupil, np.clip((0.37 - radius) / soft + 0.5, 0, 1))
    lid = eye.upper_lid(np.clip(eye.t_of(ex), 0, 1))
    shade = 0.45 + 0.55 * np.clip((ey - lid) / 0.30, 0, 1)
    ball *= np.asarray(shade, np.float32)[..., None]
    return ball


def _cavity(relief: Relief) -> Raster:
    """Ambient occlusion from the relief: points that lie below their surroundings are darker."""
    near = atlas.blur(relief.depth, 0.16) - relief.depth
    wide = _wide_blur(relief.depth, 0.7) - relief.depth
    shade = 1 - 1.5 * np.clip(near, -0.04, 0.25) - 0.42 * np.clip(wide, -0.15, 0.9)
    return np.asarray(np.clip(shade, 0.25, 1.08), np.float32)


def _wide_blur(raster: Raster, soft: float) -> Raster:
    """Blur at a quarter of the resolution, where a wide kernel is cheap."""
    small = cv2.resize(raster, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), soft / atlas.CM_PER_TEXEL / 4)
    wide = cv2.resize(small, (raster.shape[1], raster.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(wide, np.float32)
