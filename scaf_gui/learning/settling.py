"""BatchNorm's statistics for weights that no longer change."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator

import torch
from torch import Tensor, nn

from scaf_gui.learning.batches import Batches
from scaf_gui.learning.checkpoint import REFERENCE_MEAN
from scaf_gui.learning.device import Device
from scaf_gui.learning.networks import ScafNet, normalise

#: batches that the statistics are measured on
SETTLE_BATCHES = 6


def settle(network: ScafNet, faces: Batches, device: Device, batch: int) -> Generator[float, None, None]:
    """Measure a landmark network's statistics on views as in use; yields the share done."""
    mean = torch.tensor(REFERENCE_MEAN, device=device.torch)

    def images() -> Iterator[Tensor]:
        for _ in range(SETTLE_BATCHES):
            views = faces.views(batch, [], calm=True)
            yield normalise(torch.from_numpy(views.crops).to(device.torch), mean)

    for done in measure(network, images(), device):
        yield done / SETTLE_BATCHES


def measure(network: nn.Module, inputs: Iterable[Tensor], device: Device) -> Generator[int, None, None]:
    """Measure BatchNorm's statistics afresh for weights that no longer change; yields the number of batches done.

    Running statistics lag behind the weights: after a few dozen steps, by so much that landmarks are lost
    (Izmailov et al., UAI 2018, do the same for averaged weights). The network is in evaluation mode afterwards.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [module.momentum for module in norms]
    for module in norms:
        module.reset_running_stats()
        module.momentum = None  # a plain mean over batches
    for number, given in enumerate(inputs, 1):
        network.eval()
        for module in norms:
            module.train()
        with torch.no_grad(), device.autocast():
            network(given)
        yield number
    for module, momentum in zip(norms, momenta, strict=True):
        module.momentum = momentum
    network.eval()
