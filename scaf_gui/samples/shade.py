"""Light on surfaces: skin with a soft terminator, highlights, hair, cloth; all linear light."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from scaf_gui.samples import atlas
from scaf_gui.samples.atlas import Raster
from scaf_gui.samples.camera import Floats
from scaf_gui.samples.identity import Light
from scaf_gui.samples.relief import Relief

_VIEW = np.array([0.0, 0.0, 1.0], np.float32)
# Light bleeds through skin: red reaches furthest past the terminator.
_SKIN_WRAP = np.array([0.34, 0.20, 0.15], np.float32)


def key_direction(light: Light) -> Floats:
    """Unit vector towards the key light, in camera axes."""
    level = np.cos(light.elevation)
    return np.array([level * np.sin(light.azimuth), -np.sin(light.elevation), level * np.cos(light.azimuth)])


def key_color(light: Light) -> NDArray[np.float32]:
    """RGB of the key light."""
    warm = light.warmth
    return np.array([1 + warm, 1.0, 1 - 1.3 * warm], np.float32) * np.float32(light.key)


def face_shadow(relief: Relief, towards: Floats, softness: float) -> Raster:
    """Share of key light (HEIGHT, WIDTH) that the face's own relief lets through.

    Walks from every point towards the light over the height field, on half the resolution.
    """
    full = relief.base + relief.smooth
    height = cv2.resize(full, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    level = float(np.hypot(towards[0], towards[1]))
    if level < 1e-3:
        return np.ones_like(full)
    slope = max(float(towards[2]), 0.05) / level
    blocked = np.full_like(height, -1.0)
    texel = 2 * atlas.CM_PER_TEXEL
    for reach in np.geomspace(0.15, 4.2, 16):
        shift = towards[:2] / level * reach / texel
        move = np.array([[1, 0, -shift[0]], [0, 1, -shift[1]]], np.float32)
        ahead = cv2.warpAffine(height, move, height.shape[::-1], flags=cv2.INTER_LINEAR, borderValue=-20.0)
        blocked = np.maximum(blocked, (ahead - height - reach * slope) / (0.12 + 0.5 * reach * softness))
    shadow = 1 - np.clip(blocked * 1.4 + 0.25, 0, 1)
    shadow = cv2.GaussianBlur(shadow, (0, 0), 1.2 + 1.5 * softness)
    return np.asarray(cv2.resize(shadow, full.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def ambient_light(light: Light, normals: Raster) -> Raster:
    """Sky, ground and a fill light from the other side, (n, 3)."""
    sky = np.array([0.98, 1.0, 1.05], np.float32)
    ground = np.array([0.62, 0.55, 0.50], np.float32)
    up = (0.5 - 0.5 * normals[:, 1:2]).astype(np.float32)
    direction = np.array([-np.sin(light.azimuth), -0.1, 0.8], np.float32)
    direction /= np.linalg.norm(direction)
    fill = np.clip(normals @ direction, 0, 1)[:, None]
    hemisphere = ground + (sky - ground) * up
    return np.asarray(light.ambient * hemisphere + light.fill * fill, np.float32)


def skin_light(
    light: Light,
    normals: Raster,
    albedo: Raster,
    gloss: Raster,
    cavity: Raster,
    shadow: Raster,
) -> Raster:
    """Radiance (n, 3) of skin, lips, teeth and eyes under the key and ambient light."""
    towards = key_direction(light).astype(np.float32)
    key = key_color(light)
    facing = (normals @ towards)[:, None]
    diffuse = np.clip((facing + _SKIN_WRAP) / (1 + _SKIN_WRAP), 0, 1)
    diffuse *= diffuse * np.float32(0.35) + np.float32(0.65)
    shadow = np.clip(shadow, 0, 1)
    # A shadow's edge on skin is reddish, for the same reason.
    through = shadow[:, None] * (1 + (1 - shadow[:, None]) * np.array([0.25, 0, -0.08], np.float32))
    color = albedo * (key * diffuse * through + ambient_light(light, normals) * cavity[:, None])
    half = towards + _VIEW
    half /= np.linalg.norm(half)
    along = np.clip(normals @ half, 0, 1)
    grazing = 1 + 2.5 * (1 - np.clip(normals[:, 2], 0, 1)) ** 4
    sheen = np.clip(gloss, 0, 0.75) * (along**14) * grazing * 0.55
    wet = np.clip(gloss - 0.45, 0, 1)
    spark = wet * np.minimum(along**220, 1) * 2.6
    shine = (sheen * (1 - np.clip(wet * 1.6, 0, 0.9)) + spark) * (0.25 + 0.75 * shadow)
    return np.asarray(color + shine[:, None] * key, np.float32)


def hair_light(light: Light, normals: Raster, color: NDArray[np.float32], strands: Raster, cover: Raster) -> Raster:
    """Radiance (n, 3) of hair: dark between strands, a soft band of sheen across them."""
    towards = key_direction(light).astype(np.float32)
    key = key_color(light)
    bent = normals + np.array([0.0, 0.22, 0.0], np.float32) * strands[:, None]
    bent /= np.sqrt(np.einsum("nk,nk->n", bent, bent))[:, None]
    facing = np.clip((bent @ towards + 0.25) / 1.25, 0, 1)[:, None]
    tone = np.clip(0.80 + 0.30 * strands, 0.25, 1.6)[:, None] * color
    body = tone * (key * facing + ambient_light(light, normals)) * cover[:, None]
    half = towards + _VIEW
    half /= np.linalg.norm(half)
    band = np.clip(bent @ half, 0, 1) ** 22 * np.clip(0.55 + 0.5 * strands, 0, 1.4)
    tint = 0.35 * color + 0.05
    return np.asarray(body + band[:, None] * key * tint * 0.55 * cover[:, None], np.float32)


def matt_light(light: Light, normals: Raster, albedo: Raster, cover: Raster) -> Raster:
    """Radiance (n, 3) of cloth."""
    towards = key_direction(light).astype(np.float32)
    facing = np.clip(normals @ towards, 0, 1)[:, None]
    lit = key_color(light) * facing + ambient_light(light, normals)
    return np.asarray(albedo * lit * cover[:, None], np.float32)


def encode_srgb(radiance: Raster) -> Raster:
    """sRGB in 0..1 from linear light, with a soft shoulder instead of a hard clip."""
    knee = 0.72
    over = np.maximum(radiance - knee, 0)
    soft = np.minimum(radiance, knee) + (1 - knee) * (1 - np.exp(-over / (1 - knee)))
    return np.asarray(cv2.pow(np.clip(soft, 0, 1), 1 / 2.2), np.float32)
