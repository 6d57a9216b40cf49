"""What a person's last labels say about the model's habits: a small correction of its predictions.

A model that has learnt from one set of faces puts landmarks by that set's rules: the jaw a little
higher, the brows a little wider than the person at work would. Those differences repeat from face to
face, so a few labelled faces tell most of them. The correction is linear in the predicted shape and is
fitted in closed form (ridge regression), so that it can be fitted anew after every accepted face.

Frame: each face's predicted landmarks are aligned by a similarity to a reference shape of radius 1
(root mean square). Residuals (label minus prediction) are turned and scaled alike, so that the
correction follows a face's size and roll.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scaf_gui.core.arrays import BoolArray, FloatArray
from scaf_gui.core.face import Prediction
from scaf_gui.core.geometry import similarity_fit, transform
from scaf_gui.core.metrics import normaliser
from scaf_gui.core.scheme import Scheme

#: the last so many labelled faces are learnt from: habits change, and the fit stays quick
MOST_FACES = 200
#: a correction is tried from so many faces on
LEAST_FACES = 2
#: how much a landmark counts that a person took over instead of placing it
TAKEN_OVER = 0.5
#: what a person lets pass, in % of the normaliser
TOLERANCE = 3.0
#: strength of the pull of the mean offset towards none, in labelled faces
PULL = 2.0
#: strengths that are tried for the pull of the shape's influence towards none; the last one: no influence
SHAPE_PULLS = (1.0, 3.0, 10.0, 30.0, 100.0, 1e9)
#: the shape's influence is learnt from so many faces on
LEAST_FOR_SHAPE = 4
#: principal components of the predicted shapes
COMPONENTS = 12
#: the correction must gain so many standard errors of its own gain
MARGIN = 1.5


@dataclass(frozen=True, eq=False)
class Pair:
    """What a model said of a face and what a person said.

    ``predicted``, ``labelled`` (L, 2) float64, image pixels, the prediction *uncorrected*, NaN where missing;
    ``placed`` (L,) bool: put there by hand, not taken over from what was shown.
    """

    predicted: FloatArray
    labelled: FloatArray
    placed: BoolArray


@dataclass(frozen=True, eq=False)
class Corrector:
    """A correction for the predictions of one model.

    ``reference`` (L, 2) the shape that faces are aligned to; ``centre`` (2 L,), ``basis`` (2 L, C) principal
    components of aligned shapes; ``weights`` (L, C + 1, 2) offsets in the reference frame: by component, and the
    constant last. ``faces``: labelled faces it was fitted on; ``before``, ``after``: mean error without and with it on
    faces left out of the fit, in % of the normaliser.
    """

    model_id: str
    reference: FloatArray
    centre: FloatArray
    basis: FloatArray
    weights: FloatArray
    faces: int
    before: float
    after: float


def correct(prediction: Prediction, corrector: Corrector | None) -> Prediction:
    """The prediction with its points corrected; as it is where the corrector is of another model, or ``None``."""
    if corrector is None or corrector.model_id != prediction.model_id:
        return prediction
    return replace(prediction, points=corrected_points(prediction.points, corrector))


def corrected_points(points: FloatArray, corrector: Corrector) -> FloatArray:
    """Corrected landmarks (L, 2), image pixels; as they are where they have no shape (not finite, all in one place)."""
    if not _has_shape(points):
        return points
    to_reference = similarity_fit(points, corrector.reference)
    shape = transform(to_reference, points).ravel() - corrector.centre
    offsets = np.append(shape @ corrector.basis, 1.0) @ corrector.weights
    return points + offsets @ np.linalg.inv(to_reference[:, :2]).T


def fit(pairs: Sequence[Pair], scheme: Scheme, model_id: str) -> Corrector | None:
    """The correction that labelled faces call for; ``None`` where none would be sure to gain.

    Ridge regression of the residuals on the first principal components of the predicted shape, per landmark, with
    weights by how it was labelled. How much the shape may say, whether a landmark is corrected, and whether anything
    is corrected at all, is decided by leave-one-out errors, which ridge regression has in closed form
    (Allen's PRESS: residual / (1 - leverage)).

    :param pairs: oldest first; the last :data:`MOST_FACES` usable ones count
    """
    usable = [pair for pair in pairs if _usable(pair)][-MOST_FACES:]
    if len(usable) < LEAST_FACES:
        return None
    predicted = np.stack([pair.predicted for pair in usable])
    known = np.stack([np.isfinite(pair.labelled).all(axis=1) for pair in usable])
    placed = np.stack([pair.placed for pair in usable]) & known
    labelled = np.where(known[..., None], np.stack([pair.labelled for pair in usable]), predicted)
    units = np.array([100.0 / normaliser(pair.labelled, scheme) for pair in usable])

    reference, shapes, linear = _aligned(predicted)
    residuals = np.einsum("nlj,nij->nli", labelled - predicted, linear)
    percent = units / np.sqrt(np.linalg.det(linear))  # per unit of the reference frame
    weights = np.where(placed, 1.0, np.where(known, TAKEN_OVER, 0.0))

    count = len(usable)
    centre = shapes.mean(axis=0)
    _, spread, directions = np.linalg.svd(shapes - centre, full_matrices=False)
    basis = directions[: min(COMPONENTS, count - 1)].T
    inputs = np.hstack([(shapes - centre) @ basis, np.ones((count, 1))])
    size = max(float((spread**2).sum()) / count, 1e-12)

    def error(left_out: FloatArray) -> FloatArray:
        """(count, L) errors in %; of a landmark that was taken over only what a person would not let pass."""
        distance: FloatArray = np.linalg.norm(left_out, axis=2) * percent[:, None]
        return np.where(placed, distance, np.where(known, np.maximum(distance - TOLERANCE, 0.0), 0.0))

    pulls = SHAPE_PULLS if count >= LEAST_FOR_SHAPE else SHAPE_PULLS[-1:]
    ridge = _Ridge(inputs, residuals, weights)
    fits = [ridge.solve(np.append(np.full(basis.shape[1], pull * size), PULL)) for pull in pulls]
    errors = [error(left_out) for _, left_out in fits]
    best = int(np.argmin([found.mean() for found in errors]))
    before, after = error(residuals), errors[best]
    gain = (before - after).mean(axis=1)
    if gain.mean() <= MARGIN * gain.std(ddof=1) / np.sqrt(count):
        return None
    helped = (before - after).mean(axis=0) > 0.0
    chosen = np.where(helped[:, None, None], fits[best][0], 0.0)
    left = np.where(helped, after, before)
    known_share = max(float(known.mean()), 1e-12)
    return Corrector(
        model_id, reference, centre, basis, chosen, count, before.mean() / known_share, left.mean() / known_share
    )


def _usable(pair: Pair) -> bool:
    known = np.isfinite(pair.labelled).all(axis=1)
    return bool(_has_shape(pair.predicted) and known.any())


def _has_shape(points: FloatArray) -> bool:
    return bool(np.isfinite(points).all() and np.ptp(points, axis=0).max() > 0)


def _aligned(predicted: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Reference shape (L, 2), aligned shapes (N, 2 L), and the linear parts (N, 2, 2) that align.

    As :func:`scaf_gui.core.geometry.similarity_fit`, for all faces at once: with landmarks as complex numbers
    a similarity is one factor.
    """
    points = predicted[..., 0] + 1j * predicted[..., 1]
    points = points - points.mean(axis=1, keepdims=True)
    sizes = (np.abs(points) ** 2).sum(axis=1)

    def factors(target: FloatArray) -> FloatArray:
        found: FloatArray = (points.conj() @ target) / sizes
        return found

    def unit(shape: FloatArray) -> FloatArray:
        found: FloatArray = shape / np.sqrt((np.abs(shape) ** 2).mean())
        return found

    mean = unit((points * factors(unit(points[0]))[:, None]).mean(axis=0))
    factor = factors(mean)
    aligned = points * factor[:, None]
    linear = np.stack([factor.real, -factor.imag, factor.imag, factor.real], axis=1).reshape(-1, 2, 2)
    shapes = np.stack([aligned.real, aligned.imag], axis=2).reshape(len(points), -1)
    return np.stack([mean.real, mean.imag], axis=1), shapes, linear


class _Ridge:
    """Weighted ridge regression per landmark, for one penalty after another.

    ``inputs`` (N, D), ``residuals`` (N, L, 2), ``weights`` (N, L).
    """

    def __init__(self, inputs: FloatArray, residuals: FloatArray, weights: FloatArray) -> None:
        count, width = inputs.shape
        self.inputs, self.residuals, self.weights = inputs, residuals, weights
        self.outer = (inputs[:, :, None] * inputs[:, None, :]).reshape(count, width * width)
        self.moments = (weights.T @ self.outer).reshape(-1, width, width)
        self.targets = np.matmul(inputs.T, (weights[..., None] * residuals).transpose(1, 0, 2))

    def solve(self, penalty: FloatArray) -> tuple[FloatArray, FloatArray]:
        """For a ``penalty`` (D,): weights (L, D, 2), and leave-one-out residuals (N, L, 2)."""
        inverse = np.linalg.inv(self.moments + np.diag(penalty))
        found = inverse @ self.targets
        leverage = self.weights * (self.outer @ inverse.reshape(len(inverse), -1).T)
        left = self.residuals - np.matmul(self.inputs, found).transpose(1, 0, 2)
        return found, left / (1.0 - leverage)[..., None]
