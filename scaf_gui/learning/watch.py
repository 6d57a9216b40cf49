"""Watching a run: validation every so often, early stopping, and the weights that are worth going back to."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from scaf_gui.learning.device import Device
from scaf_gui.learning.networks import ScafNet
from scaf_gui.learning.validation import Validator

#: with fewer faces than this, validation is shown and decides nothing: the mean of so few is mostly chance
ENOUGH = 8
#: a run has stalled after so many looks without a new best, and not before this share of its steps
_PATIENCE, _PATIENCE_SHARE = 4, 0.35
#: steps between two copies of good weights where there is nothing to validate on
_WITHOUT_FACES = 25


class Watch:
    """Looks at the averaged network at fixed steps, so the same run sees the same on any machine.

    With :data:`ENOUGH` faces the weights of the lowest NME are kept and decide when to stop; with fewer, and
    without any, the latest whose values are all finite.

    :param settling: faces that each look has to predict before it can measure (BatchNorm's statistics)
    """

    def __init__(self, validator: Validator, batch: int, settling: int = 0) -> None:
        self._validator = validator
        self._every = validator.every(batch, settling) if len(validator) else _WITHOUT_FACES
        self._kept: dict[str, Tensor] = {}
        self._error, self._step = math.inf, 0

    @property
    def decides(self) -> bool:
        """Whether there are faces enough for their error to choose the weights and end the run."""
        return len(self._validator) >= ENOUGH

    @property
    def validates(self) -> bool:
        """Whether there are any faces to measure the error on."""
        return len(self._validator) > 0

    @property
    def faces(self) -> int:
        """How many faces the error is measured on."""
        return len(self._validator)

    @property
    def kept_error(self) -> float | None:
        """NME in % of the weights to go back to, where it was measured."""
        return self._error if math.isfinite(self._error) else None

    def due(self, step: int) -> bool:
        """:param step: optimiser steps so far"""
        return step % self._every == 0

    def look(self, network: ScafNet, device: Device, step: int) -> float | None:
        """Measure and perhaps keep the network; its NME in %, ``None`` without a face to measure on."""
        error = self._validator.error(network, device) if self.validates else math.nan
        better = error < self._error if self.decides else _finite(network)
        if better:
            self._kept = {name: value.detach().clone() for name, value in network.state_dict().items()}
            self._error, self._step = error, step
        return error if math.isfinite(error) else None

    def stalls(self, step: int, steps: int) -> bool:
        """Whether the error has not come down for so long that it is not worth going on."""
        if not self.decides or not self._kept:
            return False
        return step - self._step >= max(_PATIENCE * self._every, math.ceil(_PATIENCE_SHARE * steps))

    def go_back(self, network: ScafNet) -> int:
        """Give the network the weights that were kept; returns their step, 0 where none were."""
        if self._kept:
            network.load_state_dict(self._kept)
        return self._step if self._kept else 0


def _finite(network: ScafNet) -> bool:
    return all(bool(torch.isfinite(value).all()) for value in network.state_dict().values())
