"""Expected error: what the heatmaps of a prediction say of its error, calibrated on faces drawn at random.

The model is a Gamma regression with a logarithmic link. The error ``e`` of landmark ``l``, in % of the
normaliser, is taken to be Gamma distributed with shape 2 (as a distance in the plane, with a longer tail than
Rayleigh's) and mean ``mu``::

    log mu = b0 + b1 (s_l - f) + b2 f + b3 p + a_l

with ``s_l`` the log of the landmark's heatmap magnitude over that of a perfect heatmap, ``f`` the mean of ``s``
over the face, ``p`` the log of the mean height of the face's heatmap peaks, and ``a_l`` an offset per landmark.
The fit is the maximum a posteriori one under a normal prior around another calibration (McCullagh & Nelder,
*Generalized Linear Models*, 1989, chapter 8; Fisher scoring), so that few faces move it a little and many decide.
A landmark that a person took over is known only to be off by less than a tolerance: its error is replaced
by the expectation under that condition, which makes the fit an EM algorithm (Dempster, Laird & Rubin 1977).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scaf_gui.core.arrays import BoolArray, FloatArray, frozen
from scaf_gui.core.scheme import Scheme

#: a landmark taken over from a prediction is known to about this many % of the normaliser; also what a person
#: would call good: within it nothing needs a drag
TOLERANCE = 3.0
#: inside a curve, errors are about twice as wide along it as across (measured on both of our 68-point models), which
#: makes the part across 0.48 of the whole, on average
_ELONGATION, ACROSS = 2.0, 0.48
#: landmarks of one face err together: so much of one counts, with 68 of them
_SHARE = 0.15
_SHAPE = 2.0
#: of the quadrature over directions
_ANGLES = 6
#: how far the prior lets go: standard deviations of the coefficients, of an offset, and the faces its spread is worth
_SLACK = np.array([0.5, 0.5, 1.0, 0.7])
_OFFSET_SLACK = 0.3
_SPREAD_FACES = 12.0
#: errors beyond are another face or a slip of the hand, and count as this many %
_MOST = 50.0
_FLOOR = -4.0  # of log magnitudes: an empty heatmap


@dataclass(frozen=True, eq=False)
class Signal:
    """What one prediction says of itself.

    ``strength`` (num_landmarks,) float64: heatmap magnitudes over that of a perfect heatmap; ``peak``: mean
    height of the heatmaps' peaks (1: perfect), ``None`` where it is not known.
    """

    strength: FloatArray
    peak: float | None = None


@dataclass(frozen=True, eq=False)
class Evidence:
    """A calibration face: what the prediction said, and how far off it was.

    ``errors`` (num_landmarks,) in % of the normaliser, NaN where unknown; ``placed`` (num_landmarks,) bool: put
    there by hand; the others were taken over, so that their error is only known to be within :data:`TOLERANCE`,
    whatever ``errors`` say; ``inner`` (num_landmarks,) bool: inside a curve, where that is known only across it.
    ``weight``: 1 for the model in use, less for older ones.
    """

    signal: Signal
    errors: FloatArray
    placed: BoolArray
    inner: BoolArray
    weight: float = 1.0


@dataclass(frozen=True, eq=False)
class Calibration:
    """From signals to expected errors, in % of the scheme's normaliser.

    ``coefficients`` (4,), ``offsets`` (num_landmarks,) as in the formula above; ``spread``: standard deviation
    of the log of a face's mean error over its expected one; ``faces``: calibration faces behind it, weighted.
    """

    coefficients: FloatArray
    offsets: FloatArray
    spread: float
    faces: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "coefficients", frozen(self.coefficients))
        object.__setattr__(self, "offsets", frozen(self.offsets))
        if self.coefficients.shape != (4,) or self.offsets.ndim != 1 or not np.isfinite(self.coefficients).all():
            raise ValueError(f"a calibration needs 4 finite coefficients, not {self.coefficients}")

    def landmarks(self, signal: Signal) -> FloatArray:
        """(num_landmarks,) expected error of each landmark, %."""
        expected: FloatArray = np.exp(np.clip(_features(signal) @ self.coefficients + self.offsets, -2.0, 4.0))
        return expected

    def face(self, signal: Signal) -> float:
        """Expected mean error of the face, %."""
        return float(self.landmarks(signal).mean())

    def within(self, expected: FloatArray, percent: float = TOLERANCE) -> FloatArray:
        """Probability that a face of so large an expected mean error has one of at most ``percent``.

        Mean errors of faces are taken to be log-normal around the expected one.
        """
        middle = np.log(expected) - self.spread**2 / 2
        z = (math.log(percent) - middle) / (self.spread * math.sqrt(2))
        return 0.5 * (1 + np.array([math.erf(value) for value in np.atleast_1d(z)])).reshape(np.shape(expected))

    def to_json(self) -> dict[str, Any]:
        return {
            "format": 1,
            "coefficients": [round(float(v), 5) for v in self.coefficients],
            "offsets": [round(float(v), 4) for v in self.offsets],
            "spread": round(self.spread, 4),
            "faces": round(self.faces, 2),
        }

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Calibration:
        """:raises ValueError: it is not a calibration"""
        try:
            if value["format"] != 1:
                raise ValueError("a calibration of another version")
            return Calibration(value["coefficients"], value["offsets"], float(value["spread"]), float(value["faces"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a calibration: {error}") from error


def without_offsets(calibration: Calibration, num_landmarks: int) -> Calibration:
    """The same for another landmark scheme: nothing is known of its landmarks in particular."""
    mean = float(np.log(np.exp(calibration.offsets).mean()))
    coefficients = calibration.coefficients + np.array([mean, 0.0, 0.0, 0.0])
    return Calibration(coefficients, np.zeros(num_landmarks), calibration.spread)


def calibrate(evidence: Sequence[Evidence], prior: Calibration) -> Calibration:
    """Fit a calibration to faces drawn at random; without any, it is the prior.

    :param prior: of the same number of landmarks
    """
    evidence = [one for one in evidence if one.weight > 0 and np.isfinite(one.errors).any()]
    if not evidence:
        return prior
    features = np.stack([_features(one.signal) for one in evidence])  # (N, L, 4)
    errors = np.clip(np.stack([one.errors for one in evidence]), 0.0, _MOST)
    placed = np.stack([one.placed for one in evidence])
    known = np.isfinite(errors)
    share = _SHARE * 68 / features.shape[1]  # a face counts as much, however many landmarks it has
    inner = np.stack([one.inner for one in evidence])
    weight = known * np.array([one.weight for one in evidence])[:, None] * (share * _SHAPE)
    coefficients, offsets = prior.coefficients.copy(), prior.offsets.copy()
    for _ in range(30):
        predictor = np.clip(features @ coefficients + offsets, -2.0, 4.0)
        mean = np.exp(predictor)
        believed = np.where(known, errors, mean)
        believed[~placed] = taken_over(mean[~placed], inner[~placed])
        target = predictor + np.clip(believed / mean - 1.0, -1.0, 5.0)
        before = coefficients
        coefficients = _solved(features, weight, target - offsets, prior.coefficients)
        rest = (weight * (target - features @ coefficients)).sum(axis=0)
        hold = 1.0 / _OFFSET_SLACK**2
        offsets = (rest + hold * prior.offsets) / (weight.sum(axis=0) + hold)
        if np.abs(coefficients - before).max() < 1e-3:
            break
    faces = sum(one.weight for one in evidence)
    fitted = Calibration(coefficients, offsets, prior.spread, faces)
    return Calibration(coefficients, offsets, _spread(evidence, fitted, prior.spread), faces)


def inside_curves(scheme: Scheme) -> BoolArray:
    """(num_landmarks,) which landmarks are right anywhere along their curve."""
    return np.array([scheme.slides(landmark) is not None for landmark in range(scheme.num_landmarks)])


def taken_over(mean: FloatArray, inner: BoolArray) -> FloatArray:
    """Expected error of landmarks that a person let pass, given their ``mean`` error before that is known.

    The error is at most :data:`TOLERANCE`; for ``inner`` landmarks its part across the curve is, the direction
    being that of an ellipse along the curve (mean over its angles by the midpoint rule).
    """
    whole, chance = _below(mean, TOLERANCE)
    expected: FloatArray = whole / chance
    if inner.any():
        angles = np.tan((np.arange(_ANGLES) + 0.5) * (math.pi / 2 / _ANGLES))
        limits = TOLERANCE / np.sin(np.arctan(angles / _ELONGATION))
        parts = [_below(mean, limit) for limit in limits.tolist()]
        along = np.sum([part for part, _ in parts], axis=0) / np.sum([chance for _, chance in parts], axis=0)
        expected = np.where(inner, along, expected)
    return expected


def _below(mean: FloatArray, limit: float) -> tuple[FloatArray, FloatArray]:
    """``E[e; e <= limit]`` and ``P(e <= limit)`` of a Gamma distribution of shape 2.

    ``mean P(3, x)`` and ``P(2, x)`` with ``x = 2 limit / mean`` and P the regularised lower incomplete gamma
    function, elementary for whole shapes.
    """
    x = 2.0 * limit / mean
    tail = np.exp(-x)
    return mean * (1 - tail * (1 + x + x * x / 2)), np.maximum(1 - tail * (1 + x), 1e-12)


def _features(signal: Signal) -> FloatArray:
    """(num_landmarks, 4)"""
    strength = np.log(np.maximum(np.nan_to_num(signal.strength, nan=0.0), math.exp(_FLOOR)))
    face = float(strength.mean())
    peak = face if signal.peak is None else math.log(max(signal.peak, math.exp(_FLOOR)))
    ones = np.ones(len(strength))
    return np.stack([ones, strength - face, ones * face, ones * peak], axis=1)


def _solved(features: FloatArray, weight: FloatArray, target: FloatArray, prior: FloatArray) -> FloatArray:
    """Weighted least squares with a ridge towards ``prior``."""
    hold = 1.0 / _SLACK**2
    weighted = features * weight[:, :, None]
    left = np.einsum("nlp,nlq->pq", weighted, features) + np.diag(hold)
    right = np.einsum("nlp,nl->p", weighted, target) + hold * prior
    solved: FloatArray = np.linalg.solve(left, right)
    return solved


def _spread(evidence: Sequence[Evidence], fitted: Calibration, prior: float) -> float:
    """Standard deviation of log (mean error of a face / its expected one), some faces' worth of the prior mixed in."""
    total, count = _SPREAD_FACES * prior**2, _SPREAD_FACES
    for one in evidence:
        expected = fitted.landmarks(one.signal)
        known = np.isfinite(one.errors)
        errors = np.where(one.placed, np.clip(one.errors, 0.0, _MOST), taken_over(expected, one.inner))[known]
        ratio = max(float(errors.mean()), 0.05) / float(expected[known].mean())
        total += one.weight * math.log(ratio) ** 2
        count += one.weight
    return math.sqrt(total / count)


def perfect_magnitude(sigma: float, window: int) -> float:
    """The magnitude of a heatmap that equals its target: a Gaussian of height 1 summed over the NNM window."""
    offsets = np.arange(window) - window // 2
    return float(np.exp(-(offsets**2) / (2 * sigma**2)).sum() ** 2)
