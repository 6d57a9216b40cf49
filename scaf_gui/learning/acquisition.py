"""Acquisition functions: which face to label next. Larger scores come first.

Three kinds, all in one registry: a *heatmap* function scores a face from its own heatmaps while it is
being predicted; a *pool* function scores all faces together from their features; a *batch* function takes
the ranking by a heatmap function and orders it anew, so that faces that follow each other differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from scaf_gui.core.arrays import FloatArray, IntArray
from scaf_gui.core.queue import Ranking, rank
from scaf_gui.learning.decoding import peaks, windows

#: (heatmaps (B, L, S, S), peaks (B, L, 2) int64 (x, y), window side) -> (B,)
HeatmapFunction = Callable[[Tensor, Tensor, int], Tensor]
#: (features (N, D) of the pool, features (M, D) of the labelled faces, seed) -> (N,)
PoolFunction = Callable[[FloatArray, FloatArray, int], FloatArray]
#: (features (N, D) of the pool, best first, features (M, D) of the labelled faces) -> places (N,) in the new order
BatchFunction = Callable[[FloatArray, FloatArray], IntArray]

#: entropy works through so many heatmap pixels at a time on the CPU: what stays in its cache
_BLOCK = 1 << 17
#: a batch function chooses so many faces; nobody labels more before the next ranking
_CHOSEN = 256


@dataclass(frozen=True)
class Acquisition:
    """A row of the registry; exactly one of the three functions is there.

    ``score``: the heatmap function whose scores it ranks by, its own or that of its ``of_batch``; else "".
    """

    id: str
    title: str
    of_heatmaps: HeatmapFunction | None = None
    of_pool: PoolFunction | None = None
    of_batch: BatchFunction | None = None
    score: str = ""


ACQUISITIONS: dict[str, Acquisition] = {}


def heatmap_acquisition(name: str, title: str) -> Callable[[HeatmapFunction], HeatmapFunction]:
    """Register a function of a face's own heatmaps."""

    def register(function: HeatmapFunction) -> HeatmapFunction:
        ACQUISITIONS[name] = Acquisition(name, title, of_heatmaps=function, score=name)
        return function

    return register


def pool_acquisition(name: str, title: str) -> Callable[[PoolFunction], PoolFunction]:
    """Register a function of the features of all faces."""

    def register(function: PoolFunction) -> PoolFunction:
        ACQUISITIONS[name] = Acquisition(name, title, of_pool=function)
        return function

    return register


def batch_acquisition(name: str, title: str, score: str) -> Callable[[BatchFunction], BatchFunction]:
    """Register a function that orders the ranking by a heatmap function, ``score``, anew."""

    def register(function: BatchFunction) -> BatchFunction:
        ACQUISITIONS[name] = Acquisition(name, title, of_batch=function, score=score)
        return function

    return register


def pool_ranking(
    name: str,
    scores: Mapping[int, float],
    features: Mapping[int, FloatArray],
    labelled: FloatArray,
    seed: int = 0,
    discard: float = 0.1,
) -> Ranking:
    """The ranking of a pool by any row of the registry.

    :param scores: by face, of the heatmap function that the row names as its ``score``
    :param features: (D,) by face, for rows that look at the pool as a whole
    :param labelled: (M, D) features of the labelled faces
    :param discard: share set aside; functions of the pool set nothing aside: extremes are no outliers there
    """
    row = ACQUISITIONS[name]
    if row.of_pool is not None:
        faces = sorted(features)
        found = row.of_pool(_stacked(features, faces, labelled), labelled, seed) if faces else np.zeros(0)
        return rank(dict(zip(faces, found.tolist(), strict=True)), 0.0)
    ranking = rank(scores, discard)
    if row.of_batch is None or not ranking.order:
        return ranking
    # Faces without features follow as they stand.
    known = [face for face in ranking.order if face in features]
    places = row.of_batch(_stacked(features, known, labelled), labelled)
    rest = [face for face in ranking.order if face not in features]
    return Ranking((*(known[place] for place in places.tolist()), *rest), ranking.set_aside)


def _stacked(features: Mapping[int, FloatArray], faces: list[int], labelled: FloatArray) -> FloatArray:
    if not faces:
        return np.zeros((0, labelled.shape[1]))
    return np.stack([features[face] for face in faces]).astype(np.float64)


def magnitudes(heatmaps: Tensor, peak: Tensor, window: int) -> Tensor:
    """(B, L): each heatmap's sum in the ``window`` x ``window`` square around its peak, clipped at the border."""
    return windows(heatmaps, peak, window).sum(dim=(2, 3))


@heatmap_acquisition("nnm", "NNM: faint heatmaps around the landmarks")
def nnm(heatmaps: Tensor, peak: Tensor | None, window: int) -> Tensor:
    """Negative Neighborhood Magnitude (Dornier et al., ICIAP 2022): minus the sum of all :func:`magnitudes`.

    Without peaks, as decoding leaves them, it finds them itself.
    """
    heatmaps = heatmaps.contiguous()
    peak = peaks(heatmaps) if peak is None else peak
    return -magnitudes(heatmaps, peak, window).sum(dim=1)


@heatmap_acquisition("entropy", "Entropy: spread-out heatmaps")
def entropy(heatmaps: Tensor, peak: Tensor, window: int) -> Tensor:
    """Mean over landmarks of the spatial entropy (natural log) of each heatmap, clipped at 0 and divided by its sum.

    A heatmap without any positive value counts as the most uncertain: the entropy of a uniform one.
    """
    faces, landmarks, size, _ = heatmaps.shape
    # Nothing is clipped to 0, but to the smallest number, whose v log v is 0 to float's precision: so the
    # logarithm keeps its vector instructions.
    least = torch.finfo(heatmaps.dtype).tiny
    maps = heatmaps.reshape(faces * landmarks, size * size)
    block = max(1, _BLOCK // maps.shape[1]) if maps.device.type == "cpu" else max(1, len(maps))
    per_landmark = torch.cat([_map_entropy(part.clamp(min=least), least) for part in torch.split(maps, block)])
    return per_landmark.view(faces, landmarks).mean(dim=1)


def _map_entropy(values: Tensor, least: float) -> Tensor:
    """(N,) from positive values (N, pixels): H = log T - (1/T) sum v log v, so that the maps are not divided."""
    total = values.sum(dim=1)
    found = total.log() - torch.linalg.vecdot(values, values.log()) / total
    pixels = values.shape[1]
    return torch.where(total > 2 * pixels * least, found, torch.full_like(found, float(np.log(pixels))))


@heatmap_acquisition("peak", "Peak: low heatmaps")
def peak_height(heatmaps: Tensor, peak: Tensor, window: int) -> Tensor:
    """Minus the mean over landmarks of each heatmap's height at its peak: least confidence."""
    at = peak[..., 1] * heatmaps.shape[-1] + peak[..., 0]
    return -heatmaps.flatten(2).gather(2, at[..., None]).mean(dim=(1, 2))


@pool_acquisition("kcenter", "K-center: faces unlike those labelled")
def kcenter(pool: FloatArray, labelled: FloatArray, seed: int) -> FloatArray:
    """K-center greedy (Sener & Savarese, ICLR 2018) over the whole pool.

    Repeatedly takes the face that is farthest (Euclidean) from all that are labelled or taken; without any
    labelled face it starts at a seeded one. The score is N minus the place in that order.
    """
    scores = np.zeros(len(pool))
    if len(pool) == 0:
        return scores
    nearest = np.full(len(pool), np.inf)
    for centre in labelled:
        nearest = np.minimum(nearest, _squared_distances(pool, centre))
    chosen = int(nearest.argmax()) if len(labelled) else int(np.random.default_rng(seed).integers(len(pool)))
    for place in range(len(pool)):
        scores[chosen] = len(pool) - place
        nearest = np.minimum(nearest, _squared_distances(pool, pool[chosen]))
        nearest[scores > 0] = -1.0
        chosen = int(nearest.argmax())
    return scores


@batch_acquisition("spread", "NNM, spread: faint heatmaps, faces unlike each other", score="nnm")
def spread(pool: FloatArray, labelled: FloatArray) -> IntArray:
    """Uncertain and diverse: farthest-first traversal with distances weighted by the place in the ranking.

    Repeatedly takes the face with the largest ``(1 - place / N) * distance``, where ``distance`` (Euclidean) is that
    to the nearest face labelled or taken: k-center greedy (Sener & Savarese, ICLR 2018), drawn to the top of
    the ranking as diverse mini-batches are (Zhdanov, arXiv 1901.05954). After 256 faces the rest keeps its order.
    """
    count = len(pool)
    weight = (1.0 - np.arange(count) / max(count, 1)) ** 2
    nearest = np.full(count, np.inf)
    for centre in labelled:
        nearest = np.minimum(nearest, _squared_distances(pool, centre))
    taken: list[int] = []
    left = np.ones(count, bool)
    while len(taken) < min(count, _CHOSEN):
        chosen = int(np.where(left, weight * nearest, -1.0).argmax()) if len(labelled) or taken else 0
        taken.append(chosen)
        left[chosen] = False
        nearest = np.minimum(nearest, _squared_distances(pool, pool[chosen]))
    return np.concatenate([np.array(taken, dtype=np.int64), np.flatnonzero(left)])


def _squared_distances(points: FloatArray, centre: FloatArray) -> FloatArray:
    difference = points - centre
    distances: FloatArray = np.einsum("nd,nd->n", difference, difference)
    return distances


@pool_acquisition("random", "Random")
def random(pool: FloatArray, labelled: FloatArray, seed: int) -> FloatArray:
    """A seeded shuffle."""
    return np.random.default_rng(seed).permutation(len(pool)).astype(np.float64)
