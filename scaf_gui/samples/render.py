"""Render a seeded human face with exact landmarks."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scaf_gui.samples import atlas, body, shade
from scaf_gui.samples.atlas import Raster
from scaf_gui.samples.backdrop import paint_backdrop
from scaf_gui.samples.camera import Camera, camera_of
from scaf_gui.samples.curves import Features, face_features
from scaf_gui.samples.head import Mesh, mesh_from_grid, ring_points, ring_rows, segment_angles
from scaf_gui.samples.identity import FaceSpec, draw_face_spec
from scaf_gui.samples.landmarks import project_landmarks, to_68
from scaf_gui.samples.paint import Paint, face_paint, linear
from scaf_gui.samples.raster import rasterise
from scaf_gui.samples.relief import Relief, face_relief

_SUPERSAMPLE = 2
_HEAD, _EAR, _TORSO, _HAIR = range(4)


@dataclass(frozen=True)
class RenderedFace:
    """One rendered face.

    `image (size, size, 3) uint8` RGB; `landmarks_98 (98, 2) float64` in WFLW's order and
    `landmarks_68 (68, 2) float64` in 300-W's, (x, y) in image pixels, 0-based, the centre of the
    top-left pixel at (0, 0).
    """

    image: NDArray[np.uint8]
    landmarks_98: NDArray[np.float64]
    landmarks_68: NDArray[np.float64]


@dataclass(frozen=True)
class _Scene:
    """All meshes joined: head-space and posed vertices, head-space normals, part per triangle.

    `flag` is, per vertex, 1 on the front half of the head, on ears the light that reaches it.
    """

    vertices: NDArray[np.float64]
    posed: NDArray[np.float64]
    normals: NDArray[np.float64]
    triangles: NDArray[np.int32]
    part: NDArray[np.int8]
    flag: NDArray[np.float32]


def render_face(seed: int, size: int = 320) -> RenderedFace:
    """Render the face of a seed as a square image of `size` pixels a side.

    The seed decides everything but the size: the same face at another size has the same landmarks,
    scaled by x' = (x + 0.5) * ratio - 0.5.
    """
    rng = np.random.default_rng(seed)
    spec = draw_face_spec(rng)
    features = face_features(spec)
    camera = camera_of(spec.pose)
    relief = face_relief(spec, features, rng)
    paint = face_paint(spec, features, relief, rng)
    scene = _build_scene(spec, features, relief, camera, rng)
    streaks = _streaks(rng)
    backdrop_rng, noise_rng = rng.spawn(2)

    large = size * _SUPERSAMPLE
    backdrop = paint_backdrop(backdrop_rng, size)
    canvas = np.asarray(cv2.resize(backdrop, (large, large), interpolation=cv2.INTER_LINEAR), np.float32)
    _draw(canvas, scene, spec, relief, paint, camera, streaks)
    picture = np.asarray(cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA), np.float32)
    image = _finish(picture, noise_rng)
    landmarks = project_landmarks(features, relief, camera, size)
    return RenderedFace(image, landmarks, to_68(landmarks))


def _head_mesh(features: Features, relief: Relief) -> tuple[Mesh, NDArray[np.float32]]:
    """The head with its relief; second value 1 on the front half, 0 behind the outline."""
    rows, angles = ring_rows(features.outline), segment_angles()
    points = ring_points(features.outline, rows, angles)
    mesh = mesh_from_grid(points)
    front = np.broadcast_to(np.cos(angles) > 1e-6, points.shape[:2]).reshape(-1)
    vertices = mesh.vertices.copy()
    rise = atlas.sample(relief.smooth, vertices[:, 0], vertices[:, 1])
    vertices[:, 2] += rise * front
    return Mesh(vertices, mesh.normals, mesh.triangles), front.astype(np.float32)


def _build_scene(
    spec: FaceSpec,
    features: Features,
    relief: Relief,
    camera: Camera,
    rng: np.random.Generator,
) -> _Scene:
    head, front = _head_mesh(features, relief)
    parts: list[tuple[int, Mesh]] = [(_HEAD, head)]
    flags = [front]
    if spec.style.long_hair == 0:  # else it covers the ears
        for side in (-1, 1):
            ear, open_to_light = body.ear_mesh(spec.identity, side)
            parts.append((_EAR, ear))
            flags.append(open_to_light.astype(np.float32))
    parts.append((_TORSO, body.torso_mesh(spec.identity)))
    parts.append((_HAIR, body.hair_cap(spec, features, rng)))
    curtain = body.hair_curtain(spec, rng)
    if spec.style.long_hair > 0:
        parts.append((_HAIR, curtain))
    offsets = np.cumsum([0] + [len(mesh.vertices) for _, mesh in parts])
    posed = [
        camera.pose_body(mesh.vertices) if part == _TORSO else camera.pose_head(mesh.vertices) for part, mesh in parts
    ]
    vertices = np.concatenate([mesh.vertices for _, mesh in parts])
    flags.append(np.zeros(len(vertices) - sum(map(len, flags)), np.float32))
    return _Scene(
        vertices=vertices,
        posed=np.concatenate(posed),
        normals=np.concatenate([mesh.normals for _, mesh in parts]),
        triangles=np.concatenate([mesh.triangles + np.int32(o) for (_, mesh), o in zip(parts, offsets, strict=False)]),
        part=np.concatenate([np.full(len(mesh.triangles), part, np.int8) for part, mesh in parts]),
        flag=np.concatenate(flags),
    )


def _streaks(rng: np.random.Generator) -> Raster:
    """Hair strands (256, 1024): noise drawn out along the first axis."""
    fine = cv2.GaussianBlur(rng.standard_normal((10, 1024)).astype(np.float32), (0, 0), 0.8, None, 0.4)
    broad = cv2.GaussianBlur(rng.standard_normal((6, 1024)).astype(np.float32), (0, 0), 5.0, None, 0.4)
    strands = np.zeros((256, 1024), np.float32)
    for noise, amount in ((fine, 0.75), (broad, 0.6)):
        long = cv2.resize(noise, (1024, 256), interpolation=cv2.INTER_CUBIC)
        strands += np.float32(amount) / long.std() * long
    return strands


def _draw(
    canvas: Raster,
    scene: _Scene,
    spec: FaceSpec,
    relief: Relief,
    paint: Paint,
    camera: Camera,
    streaks: Raster,
) -> None:
    """Shade every visible fragment into the canvas (large, large, 3), sRGB, in place."""
    large = canvas.shape[0]
    points = camera.project(scene.posed, large)
    hits = rasterise(points, -scene.posed[:, 2], scene.triangles, large)
    corners = scene.triangles[hits.triangle]
    attributes = np.concatenate([scene.vertices, scene.normals, scene.flag[:, None]], axis=1).astype(np.float32)
    at = np.zeros((len(corners), 7), np.float32)
    for k in range(3):
        at += hits.weights[:, k : k + 1] * attributes[corners[:, k]]
    part = scene.part[hits.triangle]
    color = np.empty((len(part), 3), np.float32)
    head, ear, torso, hair = (np.flatnonzero(part == which) for which in (_HEAD, _EAR, _TORSO, _HAIR))
    color[head] = _shade_head(at[head], spec, relief, paint, camera)
    if len(ear):
        color[ear] = _shade_ear(at[ear], spec, camera)
    color[torso] = _shade_torso(at[torso], spec, camera)
    color[hair] = _shade_hair(at[hair], spec, camera, streaks)
    flat = canvas.reshape(-1, 3)
    flat[hits.pixel] = shade.encode_srgb(color)


def _turned(normals: Raster, rotation: NDArray[np.floating]) -> Raster:
    turned = normals @ rotation.T.astype(np.float32)
    length = np.sqrt(np.einsum("nk,nk->n", turned, turned))
    turned /= np.maximum(length, np.float32(1e-6))[:, None]
    return np.asarray(turned, np.float32)


def _shade_head(at: Raster, spec: FaceSpec, relief: Relief, paint: Paint, camera: Camera) -> Raster:
    slope_x = cv2.Sobel(relief.depth, cv2.CV_32F, 1, 0, ksize=3, scale=1 / (8 * atlas.CM_PER_TEXEL))
    slope_y = cv2.Sobel(relief.depth, cv2.CV_32F, 0, 1, ksize=3, scale=1 / (8 * atlas.CM_PER_TEXEL))
    towards = camera.head_rotation.T @ shade.key_direction(spec.light)
    shadow = shade.face_shadow(relief, towards, spec.light.softness)
    surface = np.dstack([slope_x, slope_y, shadow, paint.cavity])
    x, y, front = at[:, 0], at[:, 1], at[:, 6]
    read = atlas.sample(surface, x, y)
    colors = atlas.sample(np.dstack([paint.albedo, paint.gloss]), x, y)
    normals = at[:, 3:6].copy()
    lift = np.clip(normals[:, 2], 0, 1) * front
    normals[:, 0] -= lift * read[:, 0]
    normals[:, 1] -= lift * read[:, 1]
    behind = 1 - front
    light_share = read[:, 2] * front + 0.75 * behind
    ambient_share = read[:, 3] * front + 0.6 * behind
    return shade.skin_light(
        spec.light,
        _turned(normals, camera.head_rotation),
        np.ascontiguousarray(colors[:, :3]),
        colors[:, 3] * front,
        ambient_share,
        light_share,
    )


def _shade_ear(at: Raster, spec: FaceSpec, camera: Camera) -> Raster:
    skin = linear(spec.style.skin) * np.array([1.0, 0.86, 0.84], np.float32)
    ones, open_to_light = np.ones(len(at), np.float32), at[:, 6]
    albedo = np.broadcast_to(skin, (len(at), 3)).astype(np.float32)
    normals = _turned(at[:, 3:6], camera.head_rotation)
    return shade.skin_light(spec.light, normals, albedo, 0.08 * ones, open_to_light, open_to_light)


def _shade_torso(at: Raster, spec: FaceSpec, camera: Camera) -> Raster:
    x, y = at[:, 0], at[:, 1]
    normals = _turned(at[:, 3:6], camera.body_rotation)
    collar = spec.style.neckline - 0.16 * np.abs(x) ** 1.25
    cloth = np.clip((y - collar) / 0.10, 0, 1)
    # The head throws its shadow on the throat.
    under = np.clip((y - spec.identity.chin + 0.5) / 5.0, 0, 1)
    under = under * under * (3 - 2 * under)
    skin_albedo = np.broadcast_to(linear(spec.style.skin), (len(at), 3)).astype(np.float32)
    low = np.zeros(len(at), np.float32) + 0.06
    skin = shade.skin_light(spec.light, normals, skin_albedo, low, 0.45 + 0.5 * under, 0.12 + 0.85 * under)
    weave = 1 + 0.04 * np.sin(11 * x) * np.sin(11 * y)
    hem = 1 - 0.25 * np.exp(-(((y - collar - 0.9) / 0.08) ** 2))
    albedo = linear(spec.style.cloth) * (weave * hem)[:, None]
    dress = shade.matt_light(spec.light, normals, albedo.astype(np.float32), 0.55 + 0.45 * under)
    return np.asarray(skin + cloth[:, None] * (dress - skin), np.float32)


def _shade_hair(at: Raster, spec: FaceSpec, camera: Camera, streaks: Raster) -> Raster:
    angle = np.arctan2(at[:, 0], at[:, 2])
    column = (angle / (2 * np.pi) + 0.5) * 1023
    row = (at[:, 1] + 12.5) / 34 * 255
    strands = atlas.read_at(streaks, np.stack([column, row], 1))
    normals = _turned(at[:, 3:6], camera.head_rotation)
    inner = np.clip(0.55 + 0.6 * normals[:, 2], 0.25, 1.0)
    tone = linear(spec.style.hair)
    return shade.hair_light(spec.light, normals, tone, strands, inner)


def _finish(image: Raster, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Lens softness, vignette and sensor noise; 8 bits."""
    size = image.shape[0]
    at = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    vignette = 1 - 0.22 * (at[:, None] ** 2 + at[None, :] ** 2)
    grain = rng.standard_normal((size, size, 1)).astype(np.float32)
    grain = grain + 0.5 * rng.standard_normal((size, size, 3)).astype(np.float32)
    graded = image * vignette[..., None] + 0.006 * grain
    return np.asarray(np.clip(np.round(graded * 255), 0, 255), np.uint8)
