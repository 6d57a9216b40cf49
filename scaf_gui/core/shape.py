"""How errors of landmarks hang together, learnt from labelled faces: what lets a shape follow a drag.

Errors of a prediction hang together: a chin that is too low comes with a jaw that is. Their covariance is put together
here, in a frame that moves, turns and scales with the face; :mod:`scaf_gui.core.following` draws the conclusions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaf_gui.core.arrays import BoolArray, FloatArray, frozen

ComplexArray = npt.NDArray[np.complex128]

#: reach of the correlation that is taken for granted where nothing is known, in units of the reference shape
FALL_OFF = 0.2
#: statistics of errors are trusted up to about so far: few faces make false correlations of landmarks far apart
REACH = 2.0
#: the same for statistics of a project's own few faces
OWN_REACH = 1.0
#: variance of moving, turning and scaling as a whole, where 1 is the mean variance of a coordinate
WHOLE = 0.1
#: labelled faces whose errors weigh as much as what is known before any
WORTH = 10.0
#: from so many labelled faces on their shapes say something
LEAST_SHAPES = 8


@dataclass(frozen=True, eq=False)
class ShapeModel:
    """How errors hang together.

    ``reference`` (L, 2): the shape that faces are aligned to, mean 0, root mean square radius 1; ``covariance``
    (2 L, 2 L) of errors (x0, y0, x1, ...) in its frame, in any unit, mean of the diagonal 1.
    """

    reference: FloatArray
    covariance: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "reference", frozen(self.reference))
        object.__setattr__(self, "covariance", frozen(self.covariance))
        count = 2 * len(self.reference)
        if self.reference.shape != (count // 2, 2) or self.covariance.shape != (count, count):
            raise ValueError(f"{self.reference.shape} and {self.covariance.shape} make no shape model")


def shape_model(
    reference: FloatArray,
    flip: Sequence[int],
    shipped: FloatArray | None = None,
    shapes: FloatArray | None = None,
    errors: FloatArray | None = None,
) -> ShapeModel:
    """Put together what is known, weighted by how much that is.

    :param reference: (L, 2) as in :class:`ShapeModel`
    :param shipped: (2 L, 2 L) covariance of errors that is known beforehand
    :param shapes: (N, L, 2) labelled shapes in the frame of ``reference``: where nothing is shipped, and from
        :data:`LEAST_SHAPES` on, landmarks that vary together are taken to err together
    :param errors: (N, L, 2) label minus prediction in the frame of ``reference``, NaN where unknown
    """
    distances = np.linalg.norm(reference[:, None] - reference, axis=2)
    taper = _by_landmark(np.exp(-distances / OWN_REACH))
    if shipped is not None:
        known = _unit(shipped) * _by_landmark(np.exp(-distances / REACH))
    else:
        known = _fall_off(distances)
        if shapes is not None and len(shapes) >= LEAST_SHAPES:
            known = 0.5 * known + 0.5 * _unit(covariance_of(shapes - reference, flip)) * taper
    if errors is not None and len(errors):
        share = len(errors) / (len(errors) + WORTH)
        known = (1.0 - share) * known + share * _unit(covariance_of(errors, flip)) * taper
    modes = whole_modes(reference)
    return ShapeModel(reference, _unit(known) + WHOLE * modes.T @ modes)


def covariance_of(errors: FloatArray, flip: Sequence[int]) -> FloatArray:
    """(2 L, 2 L) second moment of errors (N, L, 2) and their mirror images; each face counts alike.

    Unknown errors (NaN) count as none. Zero without any error.
    """
    errors = np.where(np.isfinite(errors), errors, 0.0)
    if any(there != here for here, there in enumerate(flip)):
        errors = np.concatenate([errors, errors[:, np.asarray(flip)] * [-1.0, 1.0]])
    rows = errors.reshape(len(errors), 2 * errors.shape[1])
    size = np.sqrt((rows**2).mean(axis=1, keepdims=True))
    rows = rows[size[:, 0] > 0] / size[size[:, 0] > 0]
    moment: FloatArray = (rows.T @ rows) / max(len(rows), 1)
    return moment


def mean_shape(shapes: FloatArray) -> FloatArray | None:
    """(L, 2) mean of shapes (N, L, 2), any frames, as upright as they are on average; ``None`` where none has a size.

    Generalised Procrustes analysis (Gower 1975); with landmarks as complex numbers a similarity is one factor.
    """
    points = _complex(shapes)
    points = points - points.mean(axis=1, keepdims=True)
    sizes = (np.abs(points) ** 2).sum(axis=1)
    points, sizes = points[sizes > 0], sizes[sizes > 0]
    if not len(points):
        return None
    mean = points[0] / np.sqrt(sizes[0] / points.shape[1])
    for _ in range(5):
        mean = ((points.conj() @ mean / sizes)[:, None] * points).mean(axis=0)
        mean = mean / np.sqrt((np.abs(mean) ** 2).mean())
    turns = points.conj() @ mean / np.sqrt(sizes)
    total = (turns / np.maximum(np.abs(turns), 1e-12)).sum()
    if np.abs(total) > 1e-9:
        mean = mean * (total.conj() / np.abs(total))
    return np.stack([mean.real, mean.imag], axis=1)


def in_frame(points: FloatArray, vectors: FloatArray, reference: FloatArray) -> FloatArray | None:
    """Vectors (L, 2) of a face with these points (L, 2), turned and scaled as aligning it to the reference does."""
    linear = alignment(points, reference, np.asarray(np.isfinite(points).all(axis=1)))
    return None if linear is None else vectors @ linear.T


def turn(points: FloatArray, reference: FloatArray) -> FloatArray | None:
    """(2, 2) the rotation alone that aligns points (L, 2) to the reference; ``None`` where there is none."""
    linear = alignment(points, reference, np.asarray(np.isfinite(points).all(axis=1)))
    return None if linear is None else linear / np.sqrt(np.linalg.det(linear))


def alignment(points: FloatArray, reference: FloatArray, known: BoolArray) -> FloatArray | None:
    """(2, 2) turn and scale that aligns the known points to the reference; ``None`` where there is none."""
    if known.sum() < 2:
        return None
    here, there = _complex(points[known]), _complex(reference[known])
    here, there = here - here.mean(), there - there.mean()
    size = float((np.abs(here) ** 2).sum())
    if size <= 0.0:
        return None
    factor = (here.conj() @ there) / size
    if not np.isfinite(factor) or np.abs(factor) ** 2 * size < 1e-9:
        return None
    return np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])


def _fall_off(distances: FloatArray) -> FloatArray:
    return np.asarray(np.kron(np.exp(-distances / FALL_OFF), np.eye(2)), dtype=np.float64)


def whole_modes(reference: FloatArray) -> FloatArray:
    """(4, 2 L): moving along both axes, scaling, turning."""
    x, y = reference.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    modes: FloatArray = np.array([[one, zero], [zero, one], [x, y], [-y, x]]).transpose(0, 2, 1).reshape(4, -1)
    return modes


def _unit(covariance: FloatArray) -> FloatArray:
    mean = float(np.diag(covariance).mean())
    return covariance / mean if mean > 0 else np.eye(len(covariance))


def _by_landmark(values: FloatArray) -> FloatArray:
    """(L, L) to (2 L, 2 L)."""
    spread: FloatArray = np.repeat(np.repeat(values, 2, axis=0), 2, axis=1)
    return spread


def _complex(points: FloatArray) -> ComplexArray:
    values: ComplexArray = points[..., 0] + 1j * points[..., 1]
    return values
