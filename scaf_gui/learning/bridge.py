"""From the landmarks of a trained model to those of another scheme, learnt from one labelled face or a few.

Every landmark becomes a weighted sum of the model's landmarks. The weights of a landmark add up to 1 and do not depend
on the axes, so that the map commutes with moving, turning and scaling a face, as the aliases between schemes do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from scaf_gui.core.arrays import BoolArray, FloatArray
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import TooFewLabelsError
from scaf_gui.learning.checkpoint import Checkpoint

#: strengths of the shrinkage that cross-validation chooses from, and the one taken where there are too few faces for it
STRENGTHS = (0.01, 0.03, 0.1, 0.3)
USUAL, LEAST_TO_CHOOSE = 0.1, 3
_FOLDS = 5
#: rounds of reweighting: faces on which the model went astray count less
_ROUNDS = 3
#: error below which a landmark is not trusted more, in units of the face's size, squared
_FLOOR = 1e-5

#: flip permutations of source and target, ``None`` where nothing is known about mirrored faces
Order = tuple[FloatArray, FloatArray] | None


@dataclass(frozen=True, eq=False)
class Bridge:
    """``weights`` (L, S) float64, rows add up to 1: ``points = weights @ source_points``.

    ``strength`` of the shrinkage; ``error``: median distance of cross-validation in % of the faces' sizes, ``None``
    where there were too few faces to choose the strength by it.
    """

    weights: FloatArray
    strength: float
    error: float | None
    faces: int


def fit_bridge(
    source: FloatArray,
    points: FloatArray,
    known: BoolArray,
    sizes: FloatArray,
    source_flip: Sequence[int],
    flip: Sequence[int],
) -> Bridge:
    """Learn the map from labelled faces.

    For each landmark the weights ``w`` minimise ``sum_f |w @ (P_f - t_f)|^2 + strength * sum_j d_j^2 w_j^2`` with
    ``sum w = 1``, where ``P_f`` are the model's landmarks, ``t_f`` is the true one and ``d_j^2`` the mean squared
    distance between it and the model's landmark ``j``: near landmarks are preferred (as in locally linear
    embedding, Roweis & Saul 2000). Mirrored faces are learnt from too where both schemes have flip pairs.

    :param source: (N, S, 2) landmarks that the model predicts, any frame
    :param points: (N, L, 2) labels of the same faces in the same frame
    :param known: (N, L) which of them are known; a landmark that never is becomes the mean of the model's
    :param sizes: (N,) a length by which distances of each face are divided, such as the side of its box
    :param source_flip: flip permutation of the model's scheme; ``flip``: of the labels'
    :raises TooFewLabelsError: without any face
    """
    if not len(points):
        raise TooFewLabelsError("to find a new scheme's landmarks at least one face must be labelled")
    known = known & np.isfinite(points).all(axis=2)
    # One frame for all faces: centred on the model's landmarks and of size 1, so that sums stay exact.
    centre = source.mean(axis=1, keepdims=True)
    scale = sizes[:, None, None]
    p, t = (source - centre) / scale, np.where(known[..., None], (points - centre) / scale, 0.0)
    mirrored = _has_pairs(source_flip) and _has_pairs(flip)
    order = (np.asarray(source_flip), np.asarray(flip)) if mirrored else None
    if len(p) < LEAST_TO_CHOOSE:
        return Bridge(_fitted(p, t, known, order, np.ones(len(p)), USUAL), USUAL, None, len(p))
    trust = _trust(p, t, known, order)
    fold = np.arange(len(p)) % min(_FOLDS, len(p))
    errors = []
    for strength in STRENGTHS:
        off = np.full(known.shape, np.nan)
        for number in range(fold.max() + 1):
            here = fold != number
            off[~here] = _distances(_fitted(p[here], t[here], known[here], order, trust[here], strength), p, t)[~here]
        errors.append(float(np.average(_medians(off, known), weights=trust)))
    best = int(np.argmin(errors))
    weights = _fitted(p, t, known, order, trust, STRENGTHS[best])
    return Bridge(weights, STRENGTHS[best], 100.0 * errors[best], len(p))


def bridged(source: Checkpoint, bridge: Bridge, scheme: Scheme, recipe: dict[str, Any]) -> Checkpoint:
    """The same network, whose landmarks lead to those of ``scheme`` by the bridge (see ``Checkpoint.matrix_to``)."""
    weights = [[round(float(value), 7) for value in row] for row in bridge.weights]
    digest = hashlib.blake2b(f"{source.id}:{scheme.id}:{weights}".encode(), digest_size=8)
    told = {"mode": "bridge", "labels": bridge.faces, "strength": bridge.strength, "error": bridge.error, **recipe}
    meta = {
        **source.meta,
        "point_map": {"scheme": scheme.id, "weights": weights},
        "recipe": told,
        "parent": source.id,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "figures": {},
    }
    return replace(source, id=digest.hexdigest(), meta=meta)


def _trust(p: FloatArray, t: FloatArray, known: BoolArray, order: Order) -> FloatArray:
    """(N,) weights of faces, smaller where the model went astray: iteratively reweighted least squares."""
    trust = np.ones(len(p))
    for _ in range(_ROUNDS):
        weights = _fitted(p, t, known, order, trust, STRENGTHS[-1])
        off = _medians(_distances(weights, p, t), known)
        trust = np.minimum(1.0, (np.median(off) + 1e-6) / np.maximum(off, 1e-9))
    return trust


def _medians(distances: FloatArray, known: BoolArray) -> FloatArray:
    """(N,) median distance over the known landmarks of each face; 0 without any."""
    return np.array([np.median(row[use]) if use.any() else 0.0 for row, use in zip(distances, known, strict=True)])


def _has_pairs(flip: Sequence[int]) -> bool:
    """Without any pair nothing is known about mirrored faces."""
    return any(there != here for here, there in enumerate(flip))


def _fitted(
    p: FloatArray, t: FloatArray, known: BoolArray, order: Order, trust: FloatArray, strength: float
) -> FloatArray:
    """Weights (L, S), from the faces and their mirror images."""
    if order is not None:
        mirror = np.array([-1.0, 1.0])
        p, trust = np.concatenate([p, p[:, order[0]] * mirror]), np.concatenate([trust, trust])
        t, known = np.concatenate([t, t[:, order[1]] * mirror]), np.concatenate([known, known[:, order[1]]])
    return _solve(p, t, known * trust[:, None], strength)


def _solve(p: FloatArray, t: FloatArray, use: FloatArray, strength: float) -> FloatArray:
    """Closed form with ``G = sum (P - t)(P - t)'``: ``w`` is proportional to ``(G + strength D)^-1 1``."""
    total = use.sum(axis=0)
    use = use / np.where(total > 0, total, 1.0)
    count, landmarks = p.shape[1], t.shape[1]
    squares = np.einsum("fic,fjc->fij", p, p).reshape(len(p), -1)
    gram = (use.T @ squares).reshape(landmarks, count, count)
    cross = np.einsum("fk,fic,fkc->ki", use, p, t, optimize=True)
    gram += -cross[:, :, None] - cross[:, None, :] + np.einsum("fk,fkc->k", use, t * t)[:, None, None]
    diagonal = np.arange(count)
    gram[:, diagonal, diagonal] += strength * (gram[:, diagonal, diagonal] + _FLOOR) + 1e-12
    gram[total == 0] = np.eye(count)
    weights = np.linalg.solve(gram, np.ones((landmarks, count, 1)))[..., 0]
    result: FloatArray = weights / weights.sum(axis=1, keepdims=True)
    return result


def _distances(weights: FloatArray, p: FloatArray, t: FloatArray) -> FloatArray:
    """(N, L) distances between mapped and true landmarks."""
    result: FloatArray = np.linalg.norm(np.einsum("kl,flc->fkc", weights, p) - t, axis=2)
    return result
