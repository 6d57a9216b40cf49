"""Boxes, crops and the transforms between image and crop. One crop rule for every box.

The *canonical face box* is a square around the face: the tight box of its 68 landmarks, squared by
the longer side. Every box source has a rule (shift and scale) that leads there, so that boxes of
different origin around the same face give nearly the same crop. The crop is that square, grown by
:data:`CROP_MARGIN` and moved up a little so that it holds the brow and the chin with room to turn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import Box, BoxSource
from scaf_gui.errors import EditError

#: side of the crop over the side of the canonical face box
CROP_MARGIN = 1.30
#: upward shift of the crop's centre, in sides of the canonical face box
CROP_RISE = 0.04


@dataclass(frozen=True)
class BoxRule:
    """Shift (in box sides) and scale from a box to the canonical face box."""

    dx: float = 0.0
    dy: float = 0.0
    scale: float = 1.0


#: measured on annotated faces by tests/benchmarks/box_rules.py; see docs/decisions.md
BOX_RULES: dict[BoxSource, BoxRule] = {
    BoxSource.LANDMARKS: BoxRule(),
    BoxSource.DRAWN: BoxRule(),
    BoxSource.FILE: BoxRule(),
    BoxSource.DETECTOR: BoxRule(0.015, 0.16, 0.92),
    BoxSource.POINTS: BoxRule(),
    BoxSource.WHOLE: BoxRule(0.0, CROP_RISE / CROP_MARGIN, 1 / CROP_MARGIN),
}


@dataclass(frozen=True)
class Square:
    """A square in image pixels by its centre and side."""

    cx: float
    cy: float
    side: float


def face_square(box: Box) -> Square:
    """The canonical face box of any bounding box.

    A detector's box is tall, so its side is the geometric mean of width and height; a whole image
    counts by its shorter side; all others by the longer one.
    """
    rule = BOX_RULES[box.source]
    if box.source is BoxSource.DETECTOR:
        side = float(np.sqrt(box.width * box.height))
    elif box.source is BoxSource.WHOLE:
        side = min(box.width, box.height)
    else:
        side = max(box.width, box.height)
    cx, cy = box.centre
    return Square(cx + rule.dx * side, cy + rule.dy * side, side * rule.scale)


def crop_square(box: Box) -> Square:
    """The square that the network sees for a face."""
    return widened(face_square(box))


def widened(face: Square) -> Square:
    """The square that the network sees, of a canonical face box."""
    return Square(face.cx, face.cy - CROP_RISE * face.side, face.side * CROP_MARGIN)


#: how far the nose's tip lies to the side says how far a head is turned: the box's centre goes the other way
_TURN = -1.08
#: centre below the middle of eyes and mouth: in distances from eyes to mouth, and from that middle to the nose's tip
_DROP = (0.142, 0.105)
#: side: in root mean square distances of the points from their mean, and in sideways offsets of the nose's tip
_SIDE = (3.60, 0.375)


def five_point_square(points: FloatArray) -> Square | None:
    """The canonical face box by both pupils, the nose's tip and both corners of the mouth, as detectors give them.

    Fitted on annotated faces (tests/benchmarks/box_rules.py); "down" is from the eyes to the mouth.

    :param points: (5, 2) image pixels, left and right as seen, in that order
    :returns: ``None`` where eyes and mouth fall together, so that nothing follows from them
    """
    pupils, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    length = float(np.linalg.norm(mouth - pupils))
    spread = float(np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean()))
    if not np.isfinite(length) or not np.isfinite(spread) or length < 0.1 * spread or spread <= 0:
        return None
    down = (mouth - pupils) / length
    across = np.array([down[1], -down[0]])
    middle = (pupils + mouth) / 2
    nose_x, nose_y = float((points[2] - middle) @ across), float((points[2] - middle) @ down)
    cx, cy = middle + _TURN * nose_x * across + (_DROP[0] * length + _DROP[1] * nose_y) * down
    return Square(float(cx), float(cy), _SIDE[0] * spread + _SIDE[1] * abs(nose_x))


def tight_box(points: FloatArray) -> tuple[float, float, float, float]:
    """(x, y, width, height) of points (N, 2), sides of at least a pixel; rows of NaN do not count.

    :raises EditError: no point is known
    """
    known = points[np.isfinite(points).all(axis=1)]
    if not len(known):
        raise EditError("no landmark of the face is known, so it has no box")
    (x0, y0), (x1, y1) = known.min(axis=0), known.max(axis=0)
    return float(x0), float(y0), float(max(x1 - x0, 1.0)), float(max(y1 - y0, 1.0))


def landmark_box(points: FloatArray, face_box: tuple[float, float, float] = (0.0, 0.0, 1.0)) -> Box:
    """The bounding box of landmarks (N, 2), image pixels, by the scheme's ``face_box`` rule."""
    x, y, width, height = tight_box(points)
    dx, dy, scale = face_box
    side = max(width, height)
    cx, cy = x + width / 2 + dx * side, y + height / 2 + dy * side
    if (dx, dy, scale) == (0.0, 0.0, 1.0):
        return Box(x, y, width, height, BoxSource.LANDMARKS)
    side *= scale
    return Box(cx - side / 2, cy - side / 2, side, side, BoxSource.LANDMARKS)


def crop_transform(square: Square, size: int, degrees: float = 0.0) -> FloatArray:
    """The similarity from image pixels to the pixels of a crop of ``size`` x ``size``.

    Both frames have pixel centres at whole numbers: the square's left edge, at ``cx - side / 2`` in
    the image, falls on -0.5 in the crop.

    :param degrees: turn of the crop's content, clockwise as seen
    :returns: (2, 3) float64; ``crop_xy = A @ (x, y, 1)``
    """
    scale = size / square.side
    angle = np.deg2rad(degrees)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    half = size / 2 - 0.5
    return np.array(
        [
            [cos, -sin, half - cos * square.cx + sin * square.cy],
            [sin, cos, half - sin * square.cx - cos * square.cy],
        ]
    )


def transform(matrix: FloatArray, points: FloatArray) -> FloatArray:
    """Apply an affine (2, 3) to points (..., 2)."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def inverse(matrix: FloatArray) -> FloatArray:
    """The affine (2, 3) that takes ``matrix`` back."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.hstack([linear, -linear @ matrix[:, 2:]])


def similarity_fit(source: FloatArray, target: FloatArray) -> FloatArray:
    """Least-squares similarity (2, 3) from points (N, 2) to points (N, 2), N >= 2 (Umeyama 1991, no mirror)."""
    mean_s, mean_t = source.mean(axis=0), target.mean(axis=0)
    s, t = source - mean_s, target - mean_t
    spread = float((s**2).sum())
    if spread == 0.0:
        return np.array([[1.0, 0.0, mean_t[0] - mean_s[0]], [0.0, 1.0, mean_t[1] - mean_s[1]]])
    a = float((s * t).sum()) / spread
    b = float((s[:, 0] * t[:, 1] - s[:, 1] * t[:, 0]).sum()) / spread
    linear = np.array([[a, -b], [b, a]])
    return np.hstack([linear, (mean_t - linear @ mean_s)[:, None]])
