"""From 128 to 256 pixels."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import avg_pool2d, interpolate

from scaf_gui.learning.growth import AutoencoderNet
from scaf_gui.learning.pretrained import make_autoencoder


@pytest.fixture(scope="module")
def nets() -> tuple[AutoencoderNet, AutoencoderNet, list[str]]:
    torch.manual_seed(0)
    small, large = AutoencoderNet(128).eval(), AutoencoderNet(256).eval()
    start = make_autoencoder(small.Q, small.P, {}, None)
    small.load_state_dict({name: value.clone() for name, value in start.tensors.items()})
    return small, large, large.take_over(start)


def test_only_layers_that_128_pixels_lack_are_new(nets: tuple[AutoencoderNet, AutoencoderNet, list[str]]) -> None:
    small, large, fresh = nets
    heads = {".".join(name.split(".")[:4]) for name in fresh}
    assert {name.split(".")[1] for name in fresh} == {"layer0", "layer1", "layer5"}
    assert {name for name in heads if "layer1" in name} == {"Q.layer1.0.downsample"}
    assert torch.equal(large.P.layer(4)[0].conv1.weight, small.P.layer(4)[0].conv1.weight)  # type: ignore[index]


@torch.no_grad()
def test_it_begins_as_the_small_network_and_ends_as_the_large_one(
    nets: tuple[AutoencoderNet, AutoencoderNet, list[str]],
) -> None:
    small, large, _ = nets
    image = torch.rand(1, 3, 256, 256) - 0.4
    latent, painted = small(avg_pool2d(image, 2))
    at_first = large(image, 0.0)
    assert torch.allclose(at_first[0], latent, atol=1e-4)
    assert torch.allclose(at_first[1], interpolate(painted, scale_factor=2.0, mode="bilinear"), atol=1e-4)
    whole, nearly = large(image), large(image, 1.0 - 1e-6)
    assert torch.allclose(nearly[0], whole[0], atol=1e-3) and torch.allclose(nearly[1], whole[1], atol=1e-3)


@torch.no_grad()
def test_small_images_come_first_and_the_last_layer_is_blended_in(
    nets: tuple[AutoencoderNet, AutoencoderNet, list[str]],
) -> None:
    small, _, _ = nets
    image = torch.rand(2, 3, 128, 128) - 0.4
    latent, half = small(image, detail=0.0)
    assert half.shape == (2, 3, 64, 64) and torch.equal(latent, small.Q(image)[0])
    barely = small(image, detail=1e-6)[1]
    assert torch.allclose(barely, interpolate(half, scale_factor=2.0, mode="bilinear"), atol=1e-3)
    assert torch.allclose(small(image, detail=1.0 - 1e-6)[1], small(image)[1], atol=1e-3)


@torch.no_grad()
def test_it_paints_from_codes_as_far_as_the_latent_is_not_trusted(
    nets: tuple[AutoencoderNet, AutoencoderNet, list[str]],
) -> None:
    small, _, _ = nets
    image, codes = torch.rand(1, 3, 128, 128) - 0.4, torch.randn(1, 99)
    latent, painted = small(image, codes=codes, trust=0.0)
    assert torch.equal(painted, small.P(codes)) and torch.equal(latent, small.Q(image)[0])
    assert torch.allclose(small(image, codes=codes, trust=1.0)[1], small.P(latent), atol=1e-5)
