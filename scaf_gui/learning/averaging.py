"""Exponential moving average of a network's weights: steadier than the last step's."""

from __future__ import annotations

import copy

import torch

from scaf_gui.learning.networks import ScafNet


class Average:
    """``network`` holds the averaged weights and BatchNorm statistics, in evaluation mode.

    The decay grows from 0 towards ``decay`` with the number of steps, so that short runs do not remember their
    random beginning. With ``decay`` 0 the average is the network as it is.
    """

    def __init__(self, network: ScafNet, decay: float) -> None:
        self._decay = decay
        self.network = copy.deepcopy(network).eval().requires_grad_(False)

    def to(self, device: torch.device) -> None:
        self.network.to(device)

    @torch.no_grad()
    def update(self, network: ScafNet, step: int) -> None:
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
