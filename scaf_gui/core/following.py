"""A drag as a constraint: where all other landmarks most plausibly are once one of them is put right.

Errors of a prediction hang together: a chin that is too low comes with a jaw that is. The errors of all landmarks
of a face, in a frame that moves, turns and scales with it, are taken to be Gaussian with mean zero and covariance
``D C D``, with ``C`` from :class:`ShapeModel` and ``D`` diagonal, larger where the heatmaps say that the model is
unsure. Landmarks that a person placed are observations of their errors with the noise of a hand. The most probable
shape is then the conditional mean, which is linear in how far a landmark is dragged (Bishop, *Pattern Recognition and
Machine Learning*, 2006, 2.3.1)::

    C|P = C - C[:, P] (C[P, P] + noise)^-1 C[P, :]          P: placed before
    gain = C|P[:, i] (C|P[i, i] + noise)^-1                 i: the one that is dragged

so that the gain is worked out once, at the press, and each move of the mouse is one product. Because the shape that
is shown already is the conditional mean given what was placed before, nothing else has to be remembered.

Now and then a face is off as a whole: the box was wrong, the head tilted. Such faces have another covariance, with a
large share for moving, turning and scaling. How far the landmarks placed so far had to be moved tells which of both a
face is of, by marginal likelihoods. These are Cauchy's instead of Gaussian, as the scale of a face's errors is next to
unknown: it takes errors that agree, large ones alone make no face thrown off. The gain is the mean of both, each by its
probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, log1p

import numpy as np

from scaf_gui.core.arrays import BoolArray, FloatArray, IntArray, frozen
from scaf_gui.core.shape import ShapeModel, alignment, shape_model, whole_modes

#: variance of moving, turning and scaling as a whole of faces thrown off, where 1 is the mean variance of a coordinate
THROWN = 50.0
#: share of faces that are thrown off, before anything is known of a face, and landmarks that it takes to tell
THROWN_SHARE, THROWN_FROM = 0.001, 2
#: variance of a careful hand on the same scale
NOISE = 0.05
#: who would follow less than this stays where it is, so that the far side of a face is calm
LEAST_GAIN = 0.04
#: expected error of a landmark where none is known, % of the distance between the outer eye corners, which is so long
#: in the frame of the reference shape (1.5 to 1.6 in the schemes that come with the program)
_USUAL_ERROR, _EYES = 4.0, 1.6


@dataclass(frozen=True, eq=False)
class Gain:
    """How the followers of one landmark move: ``matrices`` (L, 2, 2), image pixels per image pixel.

    Rows of landmarks that stay are zero, that of the dragged landmark is the identity. ``due`` (L, 2), where the face
    seems to be off as a whole: how far each landmark is believed to be off still, image pixels. As the dragged one
    nears the place where it is due itself, all others go to theirs.
    """

    matrices: FloatArray
    landmark: int
    due: FloatArray | None = None

    @property
    def movable(self) -> BoolArray:
        """(L,) those that move at all, the dragged one included."""
        moves: BoolArray = np.asarray(self.matrices.any(axis=(1, 2)))
        return moves if self.due is None else moves | self.due.any(axis=1)

    def moved(self, points: FloatArray, dx: float, dy: float) -> FloatArray:
        """Points (L, 2) after the landmark was dragged by (dx, dy); rows of NaN stay so."""
        step, start = np.array([dx, dy]), points
        if self.due is not None:
            own = self.due[self.landmark]
            # a landmark that is due next to where it is tells little: others do not leap at its first pixel
            far = max(float(own @ own), 0.25 * float((self.due**2).sum(axis=1).max()), 1e-12)
            share = float(np.clip(own @ step / far, 0.0, 1.0))
            step, start = step - share * own, points + share * self.due
        shifted: FloatArray = start + self.matrices @ step
        return shifted


def gain(
    model: ShapeModel | None,
    points: FloatArray,
    landmark: int,
    held: BoolArray,
    free: BoolArray,
    spread: FloatArray | None = None,
    strength: float = 1.0,
    moved: FloatArray | None = None,
) -> Gain | None:
    """Work out who follows a landmark, and how far; ``None`` where nothing can follow.

    :param model: ``None``: nothing is known, errors of near landmarks are taken to be alike
    :param points: (L, 2) landmarks as they are shown, image pixels
    :param held: (L,) placed by hand: they stay, and tell about the others
    :param free: (L,) those that may follow; neither held ones nor rows of NaN ever do
    :param spread: (L,) expected error of each landmark in % of the distance between the outer eye corners; ``None``:
        all alike
    :param strength: share of the most probable move that is made; of a face that is off as a whole all of it
    :param moved: (L, 2) how far from their prediction landmarks are, image pixels, NaN where nothing was predicted;
        rows of held ones tell whether the face is off as a whole
    """
    known: BoolArray = np.asarray(np.isfinite(points).all(axis=1))
    free = free & known & ~held
    free[landmark] = False
    if not known[landmark] or not free.any() or strength <= 0:
        return None
    model = model or _of_shape(points, known)
    linear = None if model is None else alignment(points, model.reference, known)
    if model is None or linear is None:
        return None
    held = held & known
    held[landmark] = False
    usual = _Errors(model, _relative(spread, len(points)))
    found, due = strength * usual.gain(landmark, held), None
    if moved is not None and (told := held & np.isfinite(moved).all(axis=1)).sum() >= THROWN_FROM:
        thrown = _Errors(model, usual.relative, THROWN)
        size = _EYES * (_USUAL_ERROR if spread is None else float(spread.mean())) / 100.0
        seen = (moved[told] @ linear.T).ravel()
        odds = log(THROWN_SHARE / (1.0 - THROWN_SHARE))
        odds += thrown.evidence(told, seen, size) - usual.evidence(told, seen, size)
        share = 1.0 / (1.0 + np.exp(-np.clip(odds, -50.0, 50.0)))
        found = (1.0 - share) * found + share * thrown.gain(landmark, held)
        due = share * (thrown.mean(told, seen) @ np.linalg.inv(linear).T - moved)
        due[~np.isfinite(due).all(axis=1) | ~(free | (np.arange(len(points)) == landmark))] = 0.0
    matrices = np.einsum("ij,ljk,km->lim", np.linalg.inv(linear), found, linear)
    matrices[~free | (np.linalg.norm(matrices, axis=(1, 2)) < LEAST_GAIN)] = 0.0
    matrices[landmark] = np.eye(2)
    return Gain(frozen(matrices), landmark, None if due is None else frozen(due))


def fitted(
    model: ShapeModel | None,
    predicted: FloatArray,
    points: FloatArray,
    placed: BoolArray,
    spread: FloatArray | None = None,
) -> FloatArray:
    """(L, 2) the most probable shape of a prediction once some landmarks are known.

    :param predicted: (L, 2) image pixels
    :param points: (L, 2) where the landmarks are; only rows that are ``placed`` count, and these are kept
    :param spread: as in :func:`gain`
    """
    known: BoolArray = np.asarray(np.isfinite(predicted).all(axis=1))
    told = placed & known & np.isfinite(points).all(axis=1)
    model = model or _of_shape(predicted, known)
    linear = None if model is None else alignment(predicted, model.reference, known)
    found = predicted.copy()
    if model is not None and linear is not None and told.any():
        errors = _Errors(model, _relative(spread, len(predicted)))
        seen = ((points - predicted)[told] @ linear.T).ravel()
        found += errors.mean(told, seen) @ np.linalg.inv(linear).T
    found[placed] = points[placed]
    return found


class _Errors:
    """The errors of one face in the frame of the reference shape: Gaussian, ``relative`` (L,) standard deviations."""

    def __init__(self, model: ShapeModel, relative: FloatArray, whole: float = 0.0):
        self.relative = relative
        self._covariance, self._scale = model.covariance, np.repeat(relative, 2)
        self._modes = np.sqrt(whole) * whole_modes(model.reference)

    def gain(self, landmark: int, held: BoolArray) -> FloatArray:
        """(L, 2, 2): the conditional mean of all errors, given those of held landmarks, by that of one more."""
        here, there = _rows(np.array([landmark])), _rows(np.flatnonzero(held))
        across = self._of(slice(None), here)
        if len(there):
            across = across - self._of(slice(None), there) @ np.linalg.solve(self._seen(there), across[there])
        found: FloatArray = across @ np.linalg.inv(across[here] + NOISE * np.eye(2))
        return found.reshape(-1, 2, 2)

    def mean(self, landmarks: BoolArray, errors: FloatArray) -> FloatArray:
        """(L, 2): the conditional mean of all errors, given those (2 N,) of these landmarks."""
        rows = _rows(np.flatnonzero(landmarks))
        found: FloatArray = self._of(slice(None), rows) @ np.linalg.solve(self._seen(rows), errors)
        return found.reshape(-1, 2)

    def evidence(self, landmarks: BoolArray, errors: FloatArray, size: float) -> float:
        """Log of the marginal likelihood of errors (2 N,) of these landmarks, but for what every covariance shares.

        :param size: expected distance of a landmark from its true place, a Rayleigh variable
        """
        covariance = self._seen(_rows(np.flatnonzero(landmarks)))
        surprise = float(errors @ np.linalg.solve(covariance, errors)) / (size**2 * 2.0 / np.pi)
        return -0.5 * (float(np.linalg.slogdet(covariance)[1]) + (1 + len(errors)) * log1p(surprise))

    def _seen(self, rows: IntArray) -> FloatArray:
        return self._of(rows, rows) + NOISE * np.eye(len(rows))

    def _of(self, rows: IntArray | slice, columns: IntArray) -> FloatArray:
        part = self._covariance[rows][:, columns] * self._scale[rows, None] * self._scale[columns]
        block: FloatArray = part + self._modes[:, rows].T @ self._modes[:, columns]
        return block


def _of_shape(points: FloatArray, known: BoolArray) -> ShapeModel | None:
    """A model from nothing but the face itself: the nearer, the more alike."""
    reference = np.zeros_like(points)
    reference[known] = points[known] - points[known].mean(axis=0)
    size = float(np.sqrt((reference[known] ** 2).sum(axis=1).mean()))
    return None if size <= 0.0 else shape_model(reference / size, range(len(points)))


def _relative(spread: FloatArray | None, count: int) -> FloatArray:
    """(L,) standard deviations around 1: the root of the expected errors, which proved to be enough."""
    if spread is None or not np.isfinite(spread).all() or spread.min() <= 0:
        return np.ones(count)
    root = np.sqrt(spread)
    relative: FloatArray = root / root.mean()
    return relative


def _rows(landmarks: IntArray) -> IntArray:
    rows: IntArray = (2 * landmarks[:, None] + np.arange(2)).ravel()
    return rows
