"""Landmarks that a person put far from where a prediction has them that is sure of them, judged beside the others.

A prediction's errors are taken to be Gaussian with mean zero, as in :mod:`scaf_gui.core.shape`: they hang together by
the covariance of a :class:`ShapeModel`, and are as wide as the expected errors say. What a person placed tells the
error of the prediction there, up to the noise of a hand; of a landmark that an accepted face has as it was predicted,
the error is small, up to what a person lets pass. Each placed landmark is compared with its conditional mean given all
others that are known, so that a jaw that was predicted too low and put right as a whole is no slip, and one landmark
dragged away is. With a precision matrix that costs one product (Murphy, *Machine Learning*, 2012, 4.3.1)::

    surprise = sqrt(v' B^-1 v)    v = (P e)[i], B = P[i, i], P = (D C D + noise)^-1

Thresholds: see tests/benchmarks/label_check.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scaf_gui.core.arrays import BoolArray, FloatArray
from scaf_gui.core.calibration import Calibration, Signal
from scaf_gui.core.shape import ShapeModel, turn

#: standard deviations along x and y, % of the normaliser: of a careful hand, and of what is let pass
HAND, PASSED = 1.0, 1.5
#: expected errors enter by this power, evened out by the face's mean: those of single landmarks are told too far apart
EVEN = 0.75
#: a landmark is as it was predicted up to this distance, % of the normaliser
SAME = 0.1


@dataclass(frozen=True, eq=False)
class Foreseen:
    """What was predicted of a face.

    ``points`` (num_landmarks, 2) float64, image pixels; ``signal`` what the prediction says of itself, from which
    ``calibration`` makes expected errors; ``shape``: how errors hang together.
    """

    points: FloatArray
    signal: Signal
    calibration: Calibration
    shape: ShapeModel


@dataclass(frozen=True)
class Surprise:
    """A landmark far from where it was foreseen; distances are shares of the normaliser.

    ``score`` in standard deviations; ``shift`` from where prediction and known landmarks have it; ``usual``: the
    distance that is expected there.
    """

    landmark: int
    score: float
    shift: float
    usual: float


def surprises(
    foreseen: Foreseen, points: FloatArray, placed: BoolArray, accepted: bool, unit: float, limit: float
) -> tuple[Surprise, ...]:
    """Landmarks that surprise by more than ``limit``, the worst first; each is judged without those before it.

    :param points: (num_landmarks, 2) float64, image pixels; NaN where missing
    :param placed: (num_landmarks,) bool, put there by a person: only these can surprise
    :param accepted: whether a person stands for the landmarks that were left as predicted, too
    :param unit: the prediction's normaliser, image pixels: that of the landmarks moves with a slip
    """
    errors = 100.0 * (points - foreseen.points) / unit
    finite = np.isfinite(errors).all(axis=1)
    same = finite & ~placed & (np.linalg.norm(np.nan_to_num(errors), axis=1) < SAME) & accepted
    known = np.flatnonzero((finite & placed) | same)
    frame = turn(foreseen.points, foreseen.shape.reference)
    expected = foreseen.calibration.landmarks(foreseen.signal)
    if frame is None or not (finite & placed).any() or not np.isfinite(expected).all():
        return ()
    rows = (2 * known[:, None] + np.arange(2)).ravel()
    spread = np.repeat(expected**EVEN * expected.mean() ** (1 - EVEN), 2)[rows]
    noise = np.repeat(np.where(placed[known], HAND, PASSED), 2)
    covariance = foreseen.shape.covariance[np.ix_(rows, rows)] * spread[:, None] * spread + np.diag(noise**2)
    precision = np.linalg.inv(covariance)
    rest = (errors[known] @ frame.T).ravel()
    judged = placed[known].copy()
    found: list[Surprise] = []
    while judged.any():
        ends = np.arange(len(known))
        blocks = precision.reshape(len(known), 2, len(known), 2)[ends, :, ends]
        pull = (precision @ rest).reshape(-1, 2)
        shift = np.zeros_like(pull)
        shift[judged] = np.linalg.solve(blocks[judged], pull[judged][..., None])[..., 0]
        score = np.sqrt(np.maximum((pull * shift).sum(axis=1), 0.0))
        worst = int(np.argmax(score))
        if not score[worst] > limit:
            break
        usual = float(np.sqrt(np.pi / 4 * np.trace(np.linalg.inv(blocks[worst]))))
        length = float(np.linalg.norm(shift[worst]))
        found.append(Surprise(int(known[worst]), float(score[worst]), length / 100, usual / 100))
        precision = _without(precision, worst)
        judged[worst] = False
    return tuple(found)


def _without(precision: FloatArray, number: int) -> FloatArray:
    """The precision once nothing is known of one landmark any more; its rows are zero."""
    rows = np.arange(2 * number, 2 * number + 2)
    less: FloatArray = precision - precision[:, rows] @ np.linalg.solve(precision[np.ix_(rows, rows)], precision[rows])
    less[rows] = less[:, rows] = 0.0
    return less
