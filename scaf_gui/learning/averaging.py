"""Averages of weights: over the steps of a run, and between two networks."""

from __future__ import annotations

import copy
from typing import Generic, TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


class Average(Generic[Network]):
    """``network`` holds the averaged weights and BatchNorm statistics, in evaluation mode.

    The decay grows from 0 towards ``decay`` with the number of steps, so that short runs do not remember their
    random beginning. With ``decay`` 0 the average is the network as it is.
    """

    def __init__(self, network: Network, decay: float) -> None:
        self._decay = decay
        self.network = copy.deepcopy(network).eval().requires_grad_(False)

    def to(self, device: torch.device) -> None:
        self.network.to(device)

    @torch.no_grad()
    def update(self, network: Network, step: int) -> None:
        """:param step: steps before this one"""
        weight = 1.0 - min(self._decay, (1 + step) / (10 + step))
        floats, news = [], []
        for own, new in zip(self.network.state_dict().values(), network.state_dict().values(), strict=True):
            if own.is_floating_point():
                floats.append(own)
                news.append(new)
            else:
                own.copy_(new)
        torch._foreach_lerp_(floats, news, weight)


def mix(network: nn.Module, towards: nn.Module, share: float) -> None:
    """Move a network's weights and statistics a share of the way to another's, in place."""
    ends = towards.state_dict()
    with torch.no_grad():
        for name, value in network.state_dict().items():
            end = ends[name].to(value.device)
            if value.is_floating_point():
                value.lerp_(end, share)
            else:
                value.copy_(end)
