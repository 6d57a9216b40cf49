from __future__ import annotations

import pytest
import torch
from torch import nn

from scaf_gui.learning.autoencoder import Encoder, Generator
from scaf_gui.learning.blocks import Bottleneck
from scaf_gui.learning.discriminators import ImageDiscriminator, LatentDiscriminator
from scaf_gui.learning.networks import Architecture, ScafNet, normalise


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_parameter_counts_of_the_reference() -> None:
    assert count(Encoder(256)) == 11_379_491
    assert count(Generator(5)) == 10_868_096
    assert count(LatentDiscriminator()) == 1_102_001
    assert count(ImageDiscriminator()) == 1_743_744


@pytest.mark.parametrize(("side", "depth"), [(256, 5), (128, 4)])
def test_auto_encoder_returns_an_image_of_the_same_size(side: int, depth: int) -> None:
    image = torch.rand(1, 3, side, side) - 0.5
    with torch.inference_mode():
        latent, maps = Encoder(side).eval()(image)
        again = Generator(depth).eval()(latent)
    assert latent.shape == (1, 99)
    assert [tuple(m.shape[1:]) for m in maps] == [(256, 8, 8), (128, 16, 16), (64, 32, 32), (64, 64, 64)]
    assert again.shape == image.shape and bool((again.abs() <= 1).all())


def test_discriminators_give_one_probability_per_input() -> None:
    with torch.inference_mode():
        real = ImageDiscriminator().eval()(torch.randn(2, 3, 128, 128))
        prior = LatentDiscriminator().eval()(torch.randn(2, 99))
    for probability in (real, prior):
        assert probability.shape == (2,) and bool(((probability > 0) & (probability < 1)).all())


@pytest.mark.parametrize("side", [128, 256])
@pytest.mark.parametrize("itls", [3, 4])
@pytest.mark.parametrize("skips", [True, False])
def test_heatmap_sizes(side: int, itls: int, skips: bool) -> None:
    network = ScafNet(Architecture(5, side, itls, skips)).eval()
    with torch.inference_mode():
        heatmaps, features = network.heatmaps_and_features(torch.zeros(1, 3, side, side))
    assert heatmaps.shape == (1, 5, 8 << itls, 8 << itls)
    assert features.shape == (1, 99)


def test_names_of_the_weights_are_the_references() -> None:
    names = set(ScafNet(Architecture(68, 256, 4)).state_dict())
    assert {
        "Q.conv1.weight", "Q.layer0.0.conv1.weight", "Q.layer2.0.downsample.0.weight", "Q.fc.bias",
        "P.fc.weight", "P.layer1.0.upsample.0.weight", "P.layer4.0.bn2.running_var", "LMH.t4.weight", "LMH.lin.weight",
    } <= names  # fmt: skip
    small = set(ScafNet(Architecture(68, 128, 3)).state_dict())
    assert small < names, "the smaller network's weights are shared by name"


def test_generator_is_frozen_but_lets_gradients_through() -> None:
    network = ScafNet(Architecture(5))
    network(torch.randn(2, 3, 128, 128)).square().mean().backward()
    assert all(p.grad is None for p in network.P.parameters())
    encoder_grad = network.Q.conv1.weight.grad
    assert encoder_grad is not None and float(encoder_grad.abs().sum()) > 0


def test_without_skips_only_the_latent_carries_the_image() -> None:
    network = ScafNet(Architecture(5, skips=False)).eval()
    network.Q.fc.weight.data.zero_()
    with torch.inference_mode():
        first, second = network(torch.randn(2, 3, 128, 128))
    assert torch.equal(first, second)
    with_skips = ScafNet(Architecture(5)).eval()
    with_skips.Q.fc.weight.data.zero_()
    with torch.inference_mode():
        first, second = with_skips(torch.randn(2, 3, 128, 128))
    assert not torch.equal(first, second)


def test_freezing_keeps_the_auto_encoders_statistics() -> None:
    network = ScafNet(Architecture(5)).train()
    network.freeze_batch_norm()
    before = network.Q.bn1.running_mean.clone()
    network(torch.randn(2, 3, 128, 128))
    assert torch.equal(before, network.Q.bn1.running_mean)
    assert network.S is not None
    assert network.S.get_submodule("b1.bn1").training, "bottlenecks are not part of the auto-encoder"


def test_bottleneck_joins_halves_and_quarters() -> None:
    block = Bottleneck(64, 64)
    assert [block.conv1.out_channels, block.conv2.out_channels, block.conv3.out_channels] == [32, 16, 16]
    assert block.shortcut is None and Bottleneck(64, 32).shortcut is not None


def test_normalise_subtracts_the_mean_of_values_between_0_and_1() -> None:
    crops = torch.full((1, 4, 4, 3), 255, dtype=torch.uint8)
    assert torch.allclose(normalise(crops, torch.tensor([0.5, 0.25, 0.0]))[0, :, 0, 0], torch.tensor([0.5, 0.75, 1.0]))


def test_impossible_network_is_refused() -> None:
    with pytest.raises(ValueError, match="no such network"):
        Architecture(68, 200)
