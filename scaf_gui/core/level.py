"""How far a face is tilted, from its eyes."""

from __future__ import annotations

import math

import numpy as np

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.scheme import Scheme


def eyes_tilt(points: FloatArray, scheme: Scheme) -> float | None:
    """The angle of the line through the eyes in radians, within (-pi, pi], clockwise as images are seen.

    Turning the image by its negative makes the eyes level and puts them above the rest of the face; where
    nothing else of the face is known, the smaller of the two possible turns is taken.

    :param points: (num_landmarks, 2) float64, (x, y), image pixels; NaN where unknown
    :returns: ``None`` where the scheme has no eyes, or they have no place
    """
    eyes = _eyes(points, scheme)
    if eyes is None:
        return None
    first, second, used = eyes
    dx, dy = (second - first).tolist()
    if not math.hypot(dx, dy) > 0.0:
        return None
    angle = math.atan2(dy, dx)
    rest = np.isfinite(points).all(axis=1) & ~np.isin(np.arange(len(points)), used)
    if rest.any():
        # how far below the line through the eyes the rest of the face lies, if it is turned by -angle
        below = points[rest].mean(axis=0) - (first + second) / 2
        upside_down = -math.sin(angle) * below[0] + math.cos(angle) * below[1] < 0
    else:
        upside_down = abs(angle) > math.pi / 2
    if upside_down:
        angle += -math.pi if angle > 0 else math.pi
    return angle


def has_eyes(scheme: Scheme) -> bool:
    """Whether a scheme says where the eyes are."""
    return _eyes(np.zeros((scheme.num_landmarks, 2)), scheme) is not None


def _eyes(points: FloatArray, scheme: Scheme) -> tuple[FloatArray, FloatArray, list[int]] | None:
    """The places of two eyes and the landmarks they were taken from: two eye groups, else the normaliser's pair."""
    groups = [g for g in scheme.groups if "eye" in g.name and "brow" not in g.name and len(g.landmarks) > 1]
    if len(groups) == 2:
        rows = [np.asarray(group.landmarks, dtype=np.intp) for group in groups]
        if all(np.isfinite(points[row]).all() for row in rows):
            return points[rows[0]].mean(axis=0), points[rows[1]].mean(axis=0), np.concatenate(rows).tolist()
    if scheme.normaliser is not None:
        pair = points[list(scheme.normaliser)]
        if np.isfinite(pair).all():
            return pair[0], pair[1], list(scheme.normaliser)
    return None
