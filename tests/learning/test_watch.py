from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from scaf_gui.learning.watch import ENOUGH, Watch


class Told:
    """Errors as told instead of measured, of so many faces."""

    def __init__(self, errors: Iterator[float], faces: int = ENOUGH) -> None:
        self.errors, self.faces = errors, faces

    def __len__(self) -> int:
        return self.faces

    def every(self, batch: int, extra: int = 0) -> int:
        return 10

    def error(self, network: nn.Module, device: object) -> float:
        return next(self.errors)


def watched(errors: list[float], faces: int = ENOUGH) -> tuple[Watch, nn.Module, list[int]]:
    """After all looks: the watch, its network, and the steps at which it would have stopped a run of 100 steps."""
    watch = Watch(Told(iter(errors), faces), batch=16)  # type: ignore[arg-type]
    network, stalled = nn.Linear(1, 1), []
    for number in range(1, len(errors) + 1):
        nn.init.constant_(network.weight, number)
        assert watch.due(10 * number) and not watch.due(10 * number + 1)
        watch.look(network, None, 10 * number)  # type: ignore[arg-type]
        if watch.stalls(10 * number, 100):
            stalled.append(10 * number)
    return watch, network, stalled


def test_the_lowest_error_is_gone_back_to_and_a_long_wait_stops() -> None:
    watch, network, stalled = watched([6.0, 5.0, 5.5, 5.2, 5.1, 5.3])
    assert stalled == [60] and watch.kept_error == 5.0
    assert watch.go_back(network) == 20 and network.weight.item() == 2  # type: ignore[arg-type]


def test_while_the_error_comes_down_nothing_stops() -> None:
    assert watched([9.0 - 0.5 * n for n in range(10)])[2] == []


def test_a_few_faces_decide_nothing_and_the_last_finite_weights_are_kept() -> None:
    watch, network, stalled = watched([5.0] + [6.0] * 8, faces=ENOUGH - 1)
    assert stalled == [] and not watch.decides and watch.go_back(network) == 90
    nn.init.constant_(network.weight, float("nan"))  # type: ignore[arg-type]
    watch._validator.errors = iter([7.0])  # type: ignore[attr-defined]
    watch.look(network, None, 100)  # type: ignore[arg-type]
    assert watch.go_back(network) == 90 and torch.isfinite(network.weight).all()  # type: ignore[arg-type]


def test_without_anything_kept_there_is_nothing_to_go_back_to() -> None:
    watch, network, _ = watched([])
    assert watch.go_back(network) == 0 and watch.kept_error is None and not watch.stalls(50, 100)
