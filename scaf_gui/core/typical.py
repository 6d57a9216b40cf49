"""What the labelled faces of a project have in common, and how far a landmark is from where the others say it is.

Faces are aligned by a similarity to their mean shape, whose normaliser has length 1, so all distances here are shares
of the normaliser. The coordinates are taken for Gaussian; each landmark is then foretold from all others of its face
by the conditional mean, which with a precision matrix costs one product (Murphy, *Machine Learning*, 2012, 4.3.1).
Deviations are clipped before they enter the covariance, and the scale of what is usual is a median: a few broken
labels among those that it is made of do not hide each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.metrics import normaliser
from scaf_gui.core.scheme import Scheme

#: with fewer faces than this nothing is said
LEAST_FACES = 20
#: with fewer landmarks than this in common a face is not aligned
LEAST_LANDMARKS = 4
#: standard deviation of a careful hand, share of the normaliser: no residual smaller than this counts as unusual
HAND = 0.012
#: each face is judged by the others: they are parted in so many
FOLDS = 5
#: deviations count up to so many robust standard deviations
_CLIP = 4.0
#: median of a chi-squared variable with two degrees of freedom
_MEDIAN_CHI2 = 2.0 * np.log(2.0)


@dataclass(frozen=True)
class Oddness:
    """How unusual the landmarks of a face are.

    ``score`` (num_landmarks,): distance from where the others say it is, in units of what is usual for that landmark;
    ``shift`` (num_landmarks,): the same distance as a share of the normaliser; NaN where a landmark is missing.
    """

    score: FloatArray
    shift: FloatArray


@dataclass(frozen=True, eq=False)
class _Gaussian:
    """``mean`` (2 L,) x, y, x, y ...; ``precision`` (2 L, 2 L), the inverse covariance; both in the aligned frame."""

    mean: FloatArray
    precision: FloatArray


@dataclass(frozen=True, eq=False)
class Typical:
    """Shape statistics of labelled faces; made by :func:`typical_of`."""

    shape: FloatArray  # (num_landmarks, 2), the mean, normaliser 1
    scale: FloatArray  # (num_landmarks,) what is usual of the conditional distance, in standard deviations
    gap: FloatArray  # (num_landmarks, num_landmarks) a small distance of two landmarks that still is usual
    faces: int
    whole: _Gaussian
    parts: tuple[_Gaussian, ...]

    def aligned(self, points: FloatArray) -> FloatArray | None:
        """Points (num_landmarks, 2) in the frame of the mean shape; ``None`` where too few are there."""
        known = np.isfinite(points).all(axis=1)
        if known.sum() < min(LEAST_LANDMARKS, len(points)):
            return None
        placed: FloatArray = _aligned(points[None], self.shape)[0]
        return placed

    def oddness(self, points: FloatArray, face: int | None = None, without: frozenset[int] = frozenset()) -> Oddness:
        """How unusual each landmark is, judged from all others.

        :param face: the place of the face among those that the statistics were made of, to judge it by the others
        :param without: landmarks that are not to be judged from, nor judged
        """
        count = len(points)
        score, shift = np.full(count, np.nan), np.full(count, np.nan)
        used = np.array(points, dtype=np.float64)
        used[list(without)] = np.nan
        placed = self.aligned(used)
        if placed is None:
            return Oddness(score, shift)
        model = self.whole if face is None or not self.parts else self.parts[face % len(self.parts)]
        shift, deviation = _partly(placed, model)
        return Oddness(deviation / self.scale, shift)

    def mirrored(self, points: FloatArray, scheme: Scheme) -> float:
        """How much better the face fits with left and right exchanged: ratio of mean distances, 1 where equal."""
        placed, other = self.aligned(points), self.aligned(points[list(scheme.flip)])
        if placed is None or other is None:
            return 1.0
        return float(_mean_distance(placed, self.shape) / max(_mean_distance(other, self.shape), 1e-9))


def typical_of(faces: Sequence[FloatArray], scheme: Scheme) -> Typical | None:
    """Shape statistics of labels (num_landmarks, 2), NaN where missing; ``None`` with too few faces to say anything."""
    count = scheme.num_landmarks
    points = np.array(faces, dtype=np.float64).reshape(-1, count, 2)
    if (np.isfinite(points).all(axis=2).sum(axis=1) >= min(LEAST_LANDMARKS, count)).sum() < LEAST_FACES or count < 3:
        return None
    shape = _mean_shape(points, scheme)
    placed = _aligned(points, shape)
    number = np.arange(len(placed))
    whole = _gaussian(placed)
    parts = tuple(_gaussian(placed[number % FOLDS != part]) for part in range(FOLDS))
    deviations = np.full((len(placed), count), np.nan)
    complete = np.isfinite(placed).all(axis=(1, 2))
    for part in range(FOLDS):
        some = complete & (number % FOLDS == part)
        deviations[some] = _conditional(placed[some], parts[part].mean, parts[part].precision)[1]
    for place in np.flatnonzero(~complete):
        deviations[place] = _partly(placed[place], parts[place % FOLDS])[1]
    seen = np.isfinite(deviations).any(axis=0)
    scale = np.ones(count)
    scale[seen] = np.sqrt(np.nanmedian(deviations[:, seen] ** 2, axis=0) / _MEDIAN_CHI2)
    return Typical(shape, np.maximum(scale, 1.0), _usual_gaps(placed), len(placed), whole, parts)


def reference_of(faces: Sequence[FloatArray], scheme: Scheme) -> FloatArray | None:
    """A mean shape (num_landmarks, 2) of a few faces, to tell left from right by; ``None`` of none or tiny schemes."""
    points = np.array(faces, dtype=np.float64).reshape(-1, scheme.num_landmarks, 2)
    points = points[np.isfinite(points).all(axis=(1, 2))]
    if not len(points) or scheme.num_landmarks < LEAST_LANDMARKS:
        return None
    return _mean_shape(points, scheme)


def _mean_shape(points: FloatArray, scheme: Scheme) -> FloatArray:
    """Generalised Procrustes analysis (Gower 1975) with the median for the mean, without mirroring."""
    complete = np.isfinite(points).all(axis=2).sum(axis=1)
    start = points[int(np.argmax(complete))]
    shape = np.where(np.isfinite(start), start, np.nanmean(start, axis=0))
    for _ in range(4):
        shape = shape - shape.mean(axis=0)
        shape = shape / max(normaliser(shape, scheme), 1e-9)
        placed = _aligned(points, shape)
        lacking = ~np.isfinite(placed).any(axis=0)
        placed[:, lacking] = 0.0
        shape = np.where(lacking, shape, np.nanmedian(placed, axis=0))
    scaled: FloatArray = shape / max(normaliser(shape, scheme), 1e-9)
    return scaled


def _aligned(points: FloatArray, shape: FloatArray) -> FloatArray:
    """Faces (F, L, 2) in the frame of ``shape`` (L, 2): least squares, in which far landmarks count less and less."""
    here, there = _complex(points), _complex(shape[None])[0]
    known = np.isfinite(here)
    here = np.where(known, here, 0.0)
    weight = known.astype(np.float64)
    for step in range(4):
        total = np.maximum(weight.sum(axis=1, keepdims=True), 1e-12)
        mean_here = (weight * here).sum(axis=1, keepdims=True) / total
        mean_there = (weight * there).sum(axis=1, keepdims=True) / total
        spread = np.maximum((weight * np.abs(here - mean_here) ** 2).sum(axis=1, keepdims=True), 1e-12)
        turn = (weight * np.conj(here - mean_here) * (there - mean_there)).sum(axis=1, keepdims=True) / spread
        placed = turn * (here - mean_here) + mean_there
        if step < 3:
            distance = np.abs(placed - there)
            weight = known / (1.0 + (distance / 0.15) ** 2)
    placed = np.where(known, placed, np.nan)
    return np.stack([placed.real, np.where(known, placed.imag, np.nan)], axis=-1)


def _complex(points: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.complex128]]:
    known = np.isfinite(points).all(axis=-1)
    return np.where(known, points[..., 0] + 1j * np.where(known, points[..., 1], 0.0), np.nan)


def _gaussian(placed: FloatArray) -> _Gaussian:
    """Mean and covariance of aligned faces (F, L, 2); the fewer faces, the nearer to independent landmarks."""
    rows = placed.reshape(len(placed), -1)
    seen = np.isfinite(rows).any(axis=0)
    mean = np.zeros(rows.shape[1])
    mean[seen] = np.nanmedian(rows[:, seen], axis=0)
    off = np.where(np.isfinite(rows), rows - mean, 0.0)
    limit = _CLIP * np.maximum(1.4826 * np.median(np.abs(off), axis=0), HAND)
    off = np.clip(off, -limit, limit)
    covariance = off.T @ off / len(off)
    share = 1.0 / (1.0 + len(off) / 10.0)
    covariance = (1 - share) * covariance + share * np.diag(np.diag(covariance))
    precision: FloatArray = np.linalg.inv(covariance + HAND**2 * np.eye(len(mean))).astype(np.float64)
    return _Gaussian(mean, precision)


def _conditional(faces: FloatArray, mean: FloatArray, precision: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Of each landmark of faces (F, K, 2): (distance, distance in standard deviations) from where the others say it is.

    :param precision: (2 K, 2 K) inverse covariance of just these landmarks
    """
    number, count = faces.shape[:2]
    pull = ((faces.reshape(number, -1) - mean) @ precision).reshape(number, count, 2)
    blocks = precision.reshape(count, 2, count, 2)[np.arange(count), :, np.arange(count), :]
    residual = np.einsum("kij,fkj->fki", np.linalg.inv(blocks), pull)
    deviation = np.sqrt(np.maximum((residual * pull).sum(axis=2), 0.0))
    return np.linalg.norm(residual, axis=2), deviation


def _partly(face: FloatArray, model: _Gaussian) -> tuple[FloatArray, FloatArray]:
    """As :func:`_conditional` for one face (L, 2) some landmarks of which may be missing: these stay NaN."""
    known = np.isfinite(face).all(axis=1)
    distance, deviation = np.full(len(face), np.nan), np.full(len(face), np.nan)
    if known.sum() < 2:
        return distance, deviation
    both = np.repeat(known, 2)
    precision = model.precision[np.ix_(both, both)]
    if not known.all():  # of the marginal distribution: the Schur complement of what is missing
        across = model.precision[np.ix_(both, ~both)]
        precision = precision - across @ np.linalg.solve(model.precision[np.ix_(~both, ~both)], across.T)
    found = _conditional(face[known][None], model.mean[both], precision)
    distance[known], deviation[known] = found[0][0], found[1][0]
    return distance, deviation


def _usual_gaps(placed: FloatArray) -> FloatArray:
    """(L, L) the distance that 99 of 100 faces keep between two landmarks; 0 where they may meet, inf where unknown."""
    count = placed.shape[1]
    gaps = np.zeros((count, count))
    for landmark in range(count):
        distance = np.linalg.norm(placed - placed[:, landmark : landmark + 1], axis=2)
        seen = np.isfinite(distance).any(axis=0)
        gaps[landmark, seen] = np.nanquantile(distance[:, seen], 0.01, axis=0)
    return gaps


def _mean_distance(placed: FloatArray, shape: FloatArray) -> float:
    return float(np.nanmean(np.linalg.norm(placed - shape, axis=1)))
