"""Exact landmarks in WFLW's order of 98 points, and the 300-W order of 68 derived from them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scaf_gui.samples import atlas
from scaf_gui.samples.camera import Camera
from scaf_gui.samples.curves import Brow, Eye, Features, Floats, Mouth, Nose
from scaf_gui.samples.head import front_depth
from scaf_gui.samples.relief import Relief

# WFLW's point for each of the 68: contour, brows, nose, left eye, right eye, mouth.
WFLW_OF_300W: tuple[int, ...] = (
    *range(0, 33, 2),
    *range(33, 38),
    *range(42, 47),
    *range(51, 60),
    *(60, 61, 63, 64, 65, 67),
    *(68, 69, 71, 72, 73, 75),
    *range(76, 96),
)

_EAR_Y = -0.05  # the contour starts and ends level with the eyes
_DEEPEST = 0.55  # how far in from the outline the visible contour may lie


def project_landmarks(features: Features, relief: Relief, camera: Camera, size: int) -> NDArray[np.float64]:
    """Landmarks (98, 2), (x, y) in pixels of a square frame of `size`, 0-based."""
    reach = [_visible_reach(brow, features, relief, camera, size) for brow in features.brows]
    inner = _feature_points(features, (reach[0], reach[1]))
    posed = camera.pose_head(_on_surface(features, relief, inner))
    points = camera.project(posed, size)
    contour = _contour(features, relief, camera, size)
    return np.concatenate([contour, points])


def to_68(landmarks_98: NDArray[np.float64]) -> NDArray[np.float64]:
    """The 68 points of 300-W out of the 98 of WFLW."""
    return landmarks_98[list(WFLW_OF_300W)].copy()


def _on_surface(features: Features, relief: Relief, points: Floats) -> Floats:
    """Head coordinates (n, 3) of face-plane points (n, 2)."""
    x, y = points[:, 0], points[:, 1]
    z = front_depth(features.outline, x, y) + atlas.sample(relief.smooth, x, y)
    return np.stack([x, y, z], axis=1)


def _visible_reach(brow: Brow, features: Features, relief: Relief, camera: Camera, size: int) -> float:
    """How far along the brow one can see: 1, or less where its outer end turns out of sight.

    People place the landmarks of such a brow on what they see of it, and so do we.
    """
    t = np.linspace(0.3, 1.0, 71)
    middle = np.stack([brow.x_of(t), (brow.upper_edge(t) + brow.lower_edge(t)) / 2], axis=1)
    pixels = camera.project(camera.pose_head(_on_surface(features, relief, middle)), size)
    outwards = brow.side * camera.head_rotation[:2, 0] / np.linalg.norm(camera.head_rotation[:2, 0])
    return float(t[np.argmax(pixels @ outwards)])


def _feature_points(features: Features, brow_reach: tuple[float, float]) -> Floats:
    """Face-plane points (65, 2): brows, nose, eyes, mouth, pupils, in WFLW's order from 33."""
    left_brow, right_brow = features.brows
    left_eye, right_eye = features.eyes
    return np.concatenate(
        [
            _brow_points(left_brow, brow_reach[0], (1, 0.79, 0.54, 0.27, 0.02), (0.02, 0.27, 0.54, 0.79)),
            _brow_points(right_brow, brow_reach[1], (0.02, 0.27, 0.54, 0.79, 1), (0.79, 0.54, 0.27, 0.02)),
            _nose_points(features.nose),
            _eye_points(left_eye, (1, 0.70, 0.5, 0.31, 0, 0.31, 0.5, 0.70)),
            _eye_points(right_eye, (0, 0.31, 0.5, 0.70, 1, 0.70, 0.5, 0.31)),
            _mouth_points(features.mouth),
            np.array([_pupil(left_eye), _pupil(right_eye)]),
        ]
    )


def _brow_points(brow: Brow, reach: float, upper: tuple[float, ...], lower: tuple[float, ...]) -> Floats:
    up, low = reach * np.array(upper), reach * np.array(lower)
    y = np.concatenate([brow.upper_edge(up), brow.lower_edge(low)])
    return np.stack([brow.x_of(np.concatenate([up, low])), y], axis=1)


def _nose_points(nose: Nose) -> Floats:
    bridge = np.linspace(nose.root_y, nose.tip_y - 0.08, 4)
    wing, inner = nose.half_width * 0.97, nose.half_width * 0.5
    base = nose.base_y
    middle = (nose.wing_y + 2 * base) / 3
    return np.array(
        [(0.0, float(y)) for y in bridge]
        + [(-wing, nose.wing_y + 0.05), (-inner, middle), (0.0, base)]
        + [(inner, middle), (wing, nose.wing_y + 0.05)]
    )


def _eye_points(eye: Eye, order: tuple[float, ...]) -> Floats:
    """Corner, three points of the upper lid, corner, three of the lower lid."""
    t = np.array(order)
    x = eye.inner[0] + (eye.outer[0] - eye.inner[0]) * t
    y = np.concatenate([eye.upper_lid(t[:4]), eye.upper_lid(t[4:5]), eye.lower_lid(t[5:])])
    return np.stack([x, y], axis=1)


def _pupil(eye: Eye) -> tuple[float, float]:
    """The iris centre, kept between the lids."""
    x, y = eye.iris
    t = eye.t_of(np.array(x))
    return (x, float(np.clip(y, eye.upper_lid(t), eye.lower_lid(t))))


def _mouth_points(mouth: Mouth) -> Floats:
    outer = np.array([-1, -0.64, -0.27, 0, 0.27, 0.64, 1])
    below = np.array([0.64, 0.29, 0, -0.29, -0.64])
    inner = np.array([-mouth.INNER, -0.28, 0, 0.28, mouth.INNER])
    inside = np.array([0.28, 0, -0.28])
    f = np.concatenate([outer, below, inner, inside])
    y = np.concatenate(
        [
            mouth.outer_upper(outer),
            mouth.outer_lower(below),
            mouth.inner_upper(inner),
            mouth.inner_lower(inside),
        ]
    )
    return np.stack([f * mouth.half_width, y], axis=1)


def _contour(features: Features, relief: Relief, camera: Camera, size: int) -> Floats:
    """The visible jaw line (33, 2) in pixels: ear, chin, ear, each half evenly spread.

    Along rays from the middle of the face to the outline, the point that projects furthest out
    along the outline's normal is on the visible edge: the outline itself on the near side, the
    occluding edge of the cheek on the far side.
    """
    outline = features.outline
    turn = np.linspace(0, np.pi / 2, 90)
    y = _EAR_Y + (outline.chin - 0.02 - _EAR_Y) * np.sin(turn)
    half = outline.half_width_at(y)
    half[-1] = 0.0
    rim = np.stack([-half, y], axis=1)
    rim = np.concatenate([rim, (rim * (-1, 1))[-2::-1]])
    tangent = np.gradient(rim, axis=0)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    outward = np.stack([normal, -normal])[int(normal[0, 0] > 0)]
    towards = np.linspace(1 - _DEEPEST, 1.0, 120)[None, :, None]
    center = np.array([0.0, 3.0])
    rays = center + (rim - center)[:, None, :] * towards
    surface = _on_surface(features, relief, rays.reshape(-1, 2))
    pixels = camera.project(camera.pose_head(surface), size).reshape(len(rim), -1, 2)
    roll = np.arctan2(camera.head_rotation[1, 0], camera.head_rotation[0, 0])
    turned = outward @ np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    furthest = np.argmax(np.einsum("rsk,rk->rs", pixels, turned), axis=1)
    edge = pixels[np.arange(len(rim)), furthest]
    middle = len(turn) - 1
    return np.concatenate([_even(edge[: middle + 1], 17), _even(edge[middle:], 17)[1:]])


def _even(path: Floats, count: int) -> Floats:
    """Resample a path (n, 2) at `count` points evenly by arc length."""
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    at = np.linspace(0, along[-1], count)
    return np.stack([np.interp(at, along, path[:, k]) for k in (0, 1)], axis=1)
