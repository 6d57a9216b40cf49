"""Acquisition functions: which face to label next. Larger scores come first.

Two kinds, each in one registry: a *heatmap* function scores a face from its own heatmaps while it is
being predicted; a *pool* function scores all faces together from their features.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from scaf_gui.core.arrays import FloatArray
from scaf_gui.learning.decoding import windows

#: (heatmaps (B, L, S, S), peaks (B, L, 2) int64 (x, y), window side) -> (B,)
HeatmapFunction = Callable[[Tensor, Tensor, int], Tensor]
#: (features (N, D) of the pool, features (M, D) of the labelled faces, seed) -> (N,)
PoolFunction = Callable[[FloatArray, FloatArray, int], FloatArray]


@dataclass(frozen=True)
class Acquisition:
    """A row of the registry; exactly one of the two functions is there."""

    id: str
    title: str
    of_heatmaps: HeatmapFunction | None = None
    of_pool: PoolFunction | None = None


ACQUISITIONS: dict[str, Acquisition] = {}


def heatmap_acquisition(name: str, title: str) -> Callable[[HeatmapFunction], HeatmapFunction]:
    def register(function: HeatmapFunction) -> HeatmapFunction:
        ACQUISITIONS[name] = Acquisition(name, title, of_heatmaps=function)
        return function

    return register


def pool_acquisition(name: str, title: str) -> Callable[[PoolFunction], PoolFunction]:
    def register(function: PoolFunction) -> PoolFunction:
        ACQUISITIONS[name] = Acquisition(name, title, of_pool=function)
        return function

    return register


def magnitudes(heatmaps: Tensor, peak: Tensor, window: int) -> Tensor:
    """(B, L): each heatmap's sum in the ``window`` x ``window`` square around its peak, clipped at the border."""
    return windows(heatmaps, peak, window).sum(dim=(2, 3))


@heatmap_acquisition("nnm", "NNM: faint heatmaps around the landmarks")
def nnm(heatmaps: Tensor, peak: Tensor, window: int) -> Tensor:
    """Negative Neighborhood Magnitude (Dornier et al., ICIAP 2022): minus the sum of all :func:`magnitudes`."""
    return -magnitudes(heatmaps, peak, window).sum(dim=1)


@heatmap_acquisition("entropy", "Entropy: spread-out heatmaps")
def entropy(heatmaps: Tensor, peak: Tensor, window: int) -> Tensor:
    """Mean over landmarks of the spatial entropy (natural log) of each heatmap, clipped at 0 and divided by its sum.

    A heatmap without any positive value counts as the most uncertain: the entropy of a uniform one.
    """
    values = heatmaps.clamp(min=0).flatten(2)
    total = values.sum(dim=2)
    # H = log T - (1/T) sum v log v, with v log v = 0 at v = 0: one pass, no division of the maps.
    inner = torch.special.xlogy(values, values).sum(dim=2)
    safe = torch.where(total > 0, total, torch.ones_like(total))
    per_landmark = safe.log() - inner / safe
    most = float(np.log(values.shape[2]))
    return torch.where(total > 0, per_landmark, torch.full_like(total, most)).mean(dim=1)


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


def _squared_distances(points: FloatArray, centre: FloatArray) -> FloatArray:
    difference = points - centre
    distances: FloatArray = np.einsum("nd,nd->n", difference, difference)
    return distances


@pool_acquisition("random", "Random")
def random(pool: FloatArray, labelled: FloatArray, seed: int) -> FloatArray:
    """A seeded shuffle."""
    return np.random.default_rng(seed).permutation(len(pool)).astype(np.float64)
