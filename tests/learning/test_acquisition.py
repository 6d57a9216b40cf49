from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from scaf_gui.core.queue import rank
from scaf_gui.learning.acquisition import (
    ACQUISITIONS,
    entropy,
    kcenter,
    magnitudes,
    nnm,
    peak_height,
    pool_ranking,
    random,
    spread,
)
from scaf_gui.learning.decoding import peaks
from scaf_gui.learning.targets import gaussian_targets


@pytest.fixture
def saved_heatmaps(tmp_path: Path) -> np.ndarray:
    """Heatmaps (9, 5, 20, 20) as a file holds them; peaks at corners, edges and inside."""
    rng = np.random.default_rng(3)
    points = rng.uniform(0, 19, (9, 5, 2))
    points[0] = [[0, 0], [19, 0], [0, 19], [19, 19], [10, 0]]
    points[1, :, 0] = 1.0
    maps = gaussian_targets(torch.from_numpy(points), 20, 2.0, None, False).numpy()
    maps = maps * rng.uniform(0.2, 1.2, (9, 5, 1, 1)) + rng.normal(0, 0.02, maps.shape)
    np.save(tmp_path / "heatmaps.npy", maps.astype(np.float32))
    return np.load(tmp_path / "heatmaps.npy")


def plain_nnm(maps: np.ndarray, side: int) -> float:
    """The definition, pixel by pixel."""
    total = 0.0
    for heatmap in maps:
        best, row, column = -math.inf, 0, 0
        for y in range(heatmap.shape[0]):
            for x in range(heatmap.shape[1]):
                if heatmap[y, x] > best:
                    best, row, column = heatmap[y, x], y, x
        for y in range(row - side // 2, row + side // 2 + 1):
            for x in range(column - side // 2, column + side // 2 + 1):
                if 0 <= y < heatmap.shape[0] and 0 <= x < heatmap.shape[1]:
                    total += float(heatmap[y, x])
    return -total


@pytest.mark.parametrize("side", [5, 15])
def test_nnm_is_the_plain_double_loop_and_orders_the_queue_alike(saved_heatmaps: np.ndarray, side: int) -> None:
    maps = torch.from_numpy(saved_heatmaps)
    fast = nnm(maps, peaks(maps), side).tolist()
    plain = [plain_nnm(face, side) for face in saved_heatmaps]
    assert np.allclose(fast, plain, rtol=1e-5)
    assert rank(dict(enumerate(fast)), 0.2) == rank(dict(enumerate(plain)), 0.2)
    assert rank(dict(enumerate(fast)), 0.2).set_aside == (int(np.argmax(plain)),)


def test_peak_height_is_minus_the_mean_of_the_largest_values(saved_heatmaps: np.ndarray) -> None:
    maps = torch.from_numpy(saved_heatmaps)
    assert np.allclose(peak_height(maps, peaks(maps), 5), -saved_heatmaps.max(axis=(2, 3)).mean(axis=1))


def test_magnitudes_add_up_to_nnm(saved_heatmaps: np.ndarray) -> None:
    maps = torch.from_numpy(saved_heatmaps)
    peak = peaks(maps)
    each = magnitudes(maps, peak, 5)
    assert each.shape == (9, 5)
    assert torch.allclose(-each.sum(dim=1), nnm(maps, peak, 5))


def plain_entropy(maps: np.ndarray) -> float:
    each = []
    for heatmap in maps:
        values = [max(float(v), 0.0) for v in heatmap.ravel()]
        total = sum(values)
        if total == 0:
            each.append(math.log(len(values)))
        else:
            each.append(-sum(v / total * math.log(v / total) for v in values if v > 0))
    return sum(each) / len(each)


def test_entropy_is_the_plain_loop_and_an_empty_map_is_maximal(saved_heatmaps: np.ndarray) -> None:
    maps = saved_heatmaps.copy()
    maps[4, 2] = -0.5
    tensor = torch.from_numpy(maps)
    fast = entropy(tensor, peaks(tensor), 5).tolist()
    assert np.allclose(fast, [plain_entropy(face) for face in maps], rtol=1e-4)
    empty = torch.zeros(1, 3, 20, 20)
    assert np.isclose(float(entropy(empty, peaks(empty), 5)[0]), math.log(400))


def brute_kcenter(pool: np.ndarray, labelled: np.ndarray) -> list[int]:
    """Every distance, every time."""
    order: list[int] = []
    while len(order) < len(pool):
        centres = [*labelled, *(pool[i] for i in order)]
        gaps = [
            -1.0 if i in order else min(float(np.linalg.norm(pool[i] - c)) for c in centres) for i in range(len(pool))
        ]
        order.append(int(np.argmax(gaps)))
    return order


def test_kcenter_is_greedy_by_brute_force() -> None:
    rng = np.random.default_rng(5)
    pool, labelled = rng.normal(size=(25, 4)), rng.normal(size=(3, 4))
    scores = kcenter(pool, labelled, 0)
    assert np.argsort(-scores).tolist() == brute_kcenter(pool, labelled)


def test_kcenter_without_labels_starts_at_a_seeded_face() -> None:
    pool = np.random.default_rng(5).normal(size=(25, 4))
    scores = kcenter(pool, np.empty((0, 4)), 7)
    first = int(scores.argmax())
    assert np.argsort(-scores).tolist() == [first, *(i for i in rest_of(pool, first))]
    assert kcenter(pool, np.empty((0, 4)), 7).tolist() == scores.tolist()
    assert len({int(kcenter(pool, np.empty((0, 4)), s).argmax()) for s in range(20)}) > 3


def rest_of(pool: np.ndarray, first: int) -> list[int]:
    others = [i for i in range(len(pool)) if i != first]
    return [others[i] for i in brute_kcenter(pool[others], pool[[first]])]


def test_kcenter_copes_with_twins_and_an_empty_pool() -> None:
    twins = np.zeros((4, 3))
    assert sorted(kcenter(twins, np.zeros((1, 3)), 0).tolist()) == [1, 2, 3, 4]
    assert kcenter(np.empty((0, 3)), np.zeros((1, 3)), 0).size == 0


def test_random_is_a_seeded_permutation() -> None:
    pool = np.zeros((30, 2))
    assert sorted(random(pool, pool, 1).tolist()) == list(range(30))
    assert random(pool, pool, 1).tolist() == random(pool, pool, 1).tolist() != random(pool, pool, 2).tolist()


def test_registry_rows_have_exactly_one_function() -> None:
    assert set(ACQUISITIONS) == {"nnm", "entropy", "peak", "kcenter", "spread", "random"}
    for row in ACQUISITIONS.values():
        assert sum(function is not None for function in (row.of_heatmaps, row.of_pool, row.of_batch)) == 1
        assert row.title and bool(row.score) == (row.of_pool is None)
        assert not row.score or ACQUISITIONS[row.score].of_heatmaps is not None


def test_nnm_without_peaks_finds_them_in_any_memory_layout(saved_heatmaps: np.ndarray) -> None:
    maps = torch.from_numpy(saved_heatmaps)
    known = nnm(maps, peaks(maps), 5)
    assert torch.equal(nnm(maps, None, 5), known)
    assert torch.equal(nnm(maps.contiguous(memory_format=torch.channels_last), None, 5), known)


def test_entropy_of_many_large_maps_is_that_of_each_alone() -> None:
    """More than one block of the CPU's loop, the last one not full."""
    maps = torch.randn(3, 7, 128, 128, generator=torch.Generator().manual_seed(0))
    together = entropy(maps, peaks(maps), 5)
    alone = torch.cat([entropy(one[None], peaks(one[None]), 5) for one in maps])
    assert torch.allclose(together, alone, rtol=1e-6)


def brute_spread(pool: np.ndarray, labelled: np.ndarray) -> list[int]:
    order: list[int] = []
    while len(order) < len(pool):
        centres = [*labelled, *(pool[i] for i in order)]
        gains = [
            -1.0 if i in order else (1 - i / len(pool)) * min(float(np.linalg.norm(pool[i] - c)) for c in centres)
            for i in range(len(pool))
        ]
        order.append(int(np.argmax(gains)))
    return order


def test_spread_is_weighted_farthest_first_by_brute_force() -> None:
    rng = np.random.default_rng(5)
    pool, labelled = rng.normal(size=(25, 4)), rng.normal(size=(3, 4))
    assert spread(pool, labelled).tolist() == brute_spread(pool, labelled)


def test_spread_starts_at_the_least_certain_face_and_leaves_its_twins_for_later() -> None:
    pool = np.repeat(np.random.default_rng(1).normal(size=(5, 4)), 4, axis=0)  # best first: four twins, four twins ...
    order = spread(pool, np.empty((0, 4))).tolist()
    assert order[0] == 0 and sorted(order) == list(range(20))
    assert {place // 4 for place in order[:5]} == set(range(5))
    assert spread(np.empty((0, 4)), np.zeros((1, 4))).size == 0


def test_spread_keeps_the_ranking_behind_the_chosen_ones() -> None:
    pool = np.random.default_rng(2).normal(size=(300, 3))
    order = spread(pool, pool[:0]).tolist()
    assert sorted(order) == list(range(300)) and order[256:] == sorted(order[256:])


def test_pool_ranking_goes_by_the_row() -> None:
    rng = np.random.default_rng(3)
    scores = dict(enumerate(rng.normal(size=40).tolist()))
    features = {face: rng.normal(size=4) for face in range(40)}
    labelled = rng.normal(size=(2, 4))
    plain = pool_ranking("nnm", scores, features, labelled, discard=0.1)
    assert plain == rank(scores, 0.1)
    spread_out = pool_ranking("spread", scores, features, labelled, discard=0.1)
    assert spread_out.set_aside == plain.set_aside and sorted(spread_out.order) == sorted(plain.order)
    expected = spread(np.stack([features[face] for face in plain.order]), labelled)
    assert spread_out.order == tuple(plain.order[place] for place in expected)
    centres = pool_ranking("kcenter", {}, features, labelled)
    assert centres.set_aside == () and len(centres.order) == 40


def test_pool_ranking_of_faces_without_features() -> None:
    scores = {1: 3.0, 2: 2.0, 3: 1.0}
    assert pool_ranking("spread", scores, {}, np.empty((0, 4)), discard=0.0).order == (1, 2, 3)
    some = pool_ranking("spread", scores, {3: np.ones(4)}, np.empty((0, 4)), discard=0.0)
    assert some.order == (3, 1, 2)
