"""Head pose and the perspective camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scaf_gui.samples.identity import Pose

Floats = NDArray[np.float64]

_PIVOT = np.array([0.0, 4.0, 0.0])  # the head turns about the top of the neck
_FACE_HEIGHT = 13.0  # cm from brows to chin, what `Pose.face_fraction` of the frame shows


def rotation(yaw: float, pitch: float, roll: float) -> Floats:
    """Rotation matrix: yaw turns the face to the image's right, pitch > 0 looks down, roll > 0
    tips the head clockwise in the image."""
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    cr, sr = np.cos(roll), np.sin(roll)
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_x @ about_y, np.float64)


@dataclass(frozen=True)
class Camera:
    """Turns head coordinates into image pixels of a square frame of any size."""

    head_rotation: Floats
    body_rotation: Floats
    distance: float
    focal: float
    center: tuple[float, float]

    def pose_head(self, points: NDArray[np.floating]) -> Floats:
        """Rotate head points (n, 3) about the neck into camera axes."""
        return np.asarray((points - _PIVOT) @ self.head_rotation.T + _PIVOT, np.float64)

    def pose_body(self, points: NDArray[np.floating]) -> Floats:
        """Rotate neck and shoulder points: as the head at the jaw, as the body further down."""
        weight = np.clip((15.0 - points[:, 1:2]) / 9.0, 0, 1)
        weight = weight * weight * (3 - 2 * weight)
        body = (points - _PIVOT) @ self.body_rotation.T + _PIVOT
        return np.asarray(weight * self.pose_head(points) + (1 - weight) * body, np.float64)

    def project(self, posed: NDArray[np.floating], size: int) -> Floats:
        """Pixels (n, 2) of posed points (n, 3) in a frame of `size` pixels; 0-based, pixel centres.

        The frame spans 0 to 1; a pixel's centre lies half a pixel inside, hence the final -0.5.
        """
        scale = self.focal / (self.distance - posed[:, 2:3])
        unit = np.asarray(self.center) + (posed[:, :2] - (0.0, 4.0)) * scale
        return np.asarray(unit * size - 0.5, np.float64)


def camera_of(pose: Pose) -> Camera:
    """Camera that frames a pose."""
    return Camera(
        head_rotation=rotation(pose.yaw, pose.pitch, pose.roll),
        body_rotation=rotation(0.35 * pose.yaw, 0.0, 0.15 * pose.roll),
        distance=pose.distance,
        focal=pose.face_fraction / _FACE_HEIGHT * (pose.distance - 9.0),
        center=(pose.center_x, pose.center_y),
    )
