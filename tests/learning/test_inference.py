from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch import nn

from scaf_gui.learning.inference import PackedConvolution, folded, packed, ready
from scaf_gui.learning.networks import Architecture, ScafNet, channels_last

ARCHITECTURES = [
    Architecture(5),
    Architecture(5, input_size=256, itls=4),
    Architecture(5, skips=False),
]


def network_of(architecture: Architecture) -> ScafNet:
    """A network whose BatchNorms have seen something."""
    torch.manual_seed(0)
    network = ScafNet(architecture)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 2.0)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
    nn.init.normal_(network.LMH.lin.weight, std=0.05)
    return channels_last(network).eval()


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda a: "-".join(map(str, dataclasses.astuple(a))))
def test_folded_and_packed_give_the_same_numbers(architecture: Architecture) -> None:
    side = architecture.input_size
    images = torch.rand(3, 3, side, side, generator=torch.Generator().manual_seed(1)) - 0.5
    with torch.inference_mode():
        wanted = network_of(architecture).heatmaps_and_features(images)
        fold = folded(network_of(architecture)).heatmaps_and_features(images)
    network = ready(network_of(architecture), torch.device("cpu"), None)
    with torch.inference_mode():
        pack = network.heatmaps_and_features(images)
        alone = network.heatmaps_and_features(images[1:2])
    for found in (fold, pack):
        for one, other in zip(found, wanted, strict=True):
            assert float((one - other).abs().max()) < 1e-4 * float(other.abs().max())
    assert torch.allclose(alone[0][0], wanted[0][1], atol=1e-4 * float(wanted[0].abs().max()))


def test_only_the_bottlenecks_keep_batch_norm() -> None:
    network = folded(network_of(Architecture(5)))
    left = [name for name, part in network.named_modules() if isinstance(part, nn.BatchNorm2d)]
    assert left and all(name.startswith("S.") for name in left)


def test_every_convolution_is_packed_for_float32_on_the_cpu_and_none_for_bfloat16() -> None:
    cpu = torch.device("cpu")
    kinds = (nn.Conv2d, nn.ConvTranspose2d)
    exact = ready(network_of(Architecture(5)), cpu, None)
    assert any(isinstance(part, PackedConvolution) for part in exact.modules())
    assert not any(isinstance(part, kinds) for part in exact.modules())
    half = ready(network_of(Architecture(5)), cpu, torch.bfloat16)
    assert not any(isinstance(part, PackedConvolution) for part in half.modules())


def test_a_torch_without_these_operators_leaves_the_network_alone(monkeypatch: Any) -> None:
    monkeypatch.setattr(torch.ops, "mkldnn", object())
    network = packed(folded(network_of(Architecture(5))))
    assert not any(isinstance(part, PackedConvolution) for part in network.modules())
    with torch.inference_mode():
        assert network(torch.zeros(1, 3, 128, 128)).shape == (1, 5, 64, 64)


def test_operators_that_give_other_numbers_are_not_used(monkeypatch: Any) -> None:
    real = PackedConvolution.forward
    monkeypatch.setattr(PackedConvolution, "forward", lambda self, x: real(self, x) * 1.01)
    network = packed(folded(network_of(Architecture(5))))
    assert not any(isinstance(part, PackedConvolution) for part in network.modules())
