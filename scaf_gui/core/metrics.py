"""NME, failure rate, AUC, and drags per face: numpy in, numpy out.

Points are (num_landmarks, 2) float64, image pixels; NaN rows of the truth do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scaf_gui.core.arrays import BoolArray, FloatArray
from scaf_gui.core.geometry import tight_box
from scaf_gui.core.scheme import Scheme


def normaliser(truth: FloatArray, scheme: Scheme) -> float:
    """The distance that errors are divided by: the scheme's pair (outer eye corners), else the
    geometric mean of the tight box's sides."""
    if scheme.normaliser is not None:
        first, second = scheme.normaliser
        distance = float(np.linalg.norm(truth[first] - truth[second]))
        if np.isfinite(distance) and distance > 0:
            return distance
    _, _, width, height = tight_box(truth)
    return float(np.sqrt(width * height))


def landmark_errors(points: FloatArray, truth: FloatArray, scheme: Scheme) -> FloatArray:
    """(num_landmarks,) distances in % of the normaliser; NaN where the truth is missing."""
    distances: FloatArray = np.linalg.norm(points - truth, axis=1)
    return distances * (100.0 / normaliser(truth, scheme))


def nme(points: FloatArray, truth: FloatArray, scheme: Scheme) -> float:
    """Normalised mean error of one face in %, over the landmarks that both have; NaN if there is none."""
    if not np.isfinite(points - truth).all(axis=1).any():
        return float("nan")
    return float(np.nanmean(landmark_errors(points, truth, scheme)))


def across_errors(points: FloatArray, truth: FloatArray, scheme: Scheme) -> FloatArray:
    """As :func:`landmark_errors`, but perpendicular to the true curve for landmarks inside one.

    The curve's direction at a landmark is taken from its two neighbours in the truth.
    """
    errors = landmark_errors(points, truth, scheme)
    scale = 100.0 / normaliser(truth, scheme)
    for landmark in range(scheme.num_landmarks):
        beside = scheme.slides(landmark)
        if beside is None:
            continue
        along = truth[beside[1]] - truth[beside[0]]
        length = float(np.linalg.norm(along))
        if not np.isfinite(length) or length == 0.0:
            continue
        dx, dy = points[landmark] - truth[landmark]
        errors[landmark] = abs(dx * along[1] - dy * along[0]) / length * scale
    return errors


def needs_drag(points: FloatArray, truth: FloatArray, scheme: Scheme, percent: float = 3.0) -> BoolArray:
    """(num_landmarks,) bool: off by more than ``percent`` of the normaliser, across its curve.

    A landmark that is in the truth but not in ``points`` has to be put there: it counts too.
    """
    lacking = ~np.isfinite(points).all(axis=1) & np.isfinite(truth).all(axis=1)
    return lacking | (np.nan_to_num(across_errors(points, truth, scheme), nan=0.0) > percent)


def auc(errors: Sequence[float], limit: float) -> float:
    """Area under the cumulative error curve up to ``limit`` %, over ``limit``: exact, 0 to 1."""
    values = np.asarray(errors, dtype=np.float64)
    return float(np.mean(np.clip(1.0 - values / limit, 0.0, None))) if values.size else float("nan")


@dataclass(frozen=True)
class Evaluation:
    """Figures over a set of faces; NME in % inter-ocular unless the scheme says otherwise."""

    faces: int
    nme: float
    failure_8: float
    failure_10: float
    auc_8: float
    auc_10: float
    drags_3: float
    drags_5: float

    @staticmethod
    def of(pairs: Sequence[tuple[FloatArray, FloatArray]], scheme: Scheme) -> Evaluation:
        """From (points, truth) pairs; ``failure_*`` in %, ``drags_*`` per face.

        Faces whose truth and points have no landmark in common are left out, of ``faces`` too.
        """
        pairs = [(p, t) for p, t in pairs if np.isfinite(p - t).all(axis=1).any()]
        if not pairs:
            nan = float("nan")
            return Evaluation(0, nan, nan, nan, nan, nan, nan, nan)
        errors = np.array([nme(points, truth, scheme) for points, truth in pairs])

        def drags(percent: float) -> float:
            return float(np.mean([needs_drag(p, t, scheme, percent).sum() for p, t in pairs]))

        return Evaluation(
            faces=len(pairs),
            nme=float(errors.mean()),
            failure_8=float(100.0 * (errors > 8).mean()),
            failure_10=float(100.0 * (errors > 10).mean()),
            auc_8=auc(errors.tolist(), 8),
            auc_10=auc(errors.tolist(), 10),
            drags_3=drags(3.0),
            drags_5=drags(5.0),
        )
