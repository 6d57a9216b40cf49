"""The SCAF landmark network: encoder ``Q``, frozen generator ``P``, skips ``S``, head ``LMH``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from scaf_gui.learning.autoencoder import GENERATOR_WIDTHS, Encoder, Generator
from scaf_gui.learning.blocks import Bottleneck, conv3x3, double, initialise

#: channels that the encoder offers to skips 1 to 4
SKIP_WIDTHS = (256, 128, 64, 64)


@dataclass(frozen=True)
class Architecture:
    """What decides the shape of the weights.

    ``itls``: how many interleaved transfer layers come before the heatmap head: 4 (heatmaps of 128 px)
    or 3 (64 px). ``skips``: SCAF's skip connections; without them this is 3FabRec.
    """

    num_landmarks: int
    input_size: int = 128
    itls: int = 3
    skips: bool = True

    def __post_init__(self) -> None:
        if self.input_size not in (128, 256) or self.itls not in (3, 4) or self.num_landmarks < 1:
            raise ValueError(f"no such network: {self}")

    @property
    def heatmap_size(self) -> int:
        """Side of the heatmaps, pixels."""
        return 8 << self.itls


class LandmarkHead(nn.Module):
    """``LMH``: interleaved transfer layers ``t1`` ... and the heatmap layer ``lin``."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        for number, width in enumerate(GENERATOR_WIDTHS[: architecture.itls], 1):
            self.add_module(f"t{number}", conv3x3(width, width))
        self.lin = double(GENERATOR_WIDTHS[architecture.itls - 1], architecture.num_landmarks)
        initialise(self)
        # Heatmaps are nearly empty: start near zero, or the first steps only unlearn noise.
        nn.init.normal_(self.lin.weight, std=1e-3)


class Skips(nn.Module):
    """``S``: a bottleneck block ``b1`` ... per skip connection."""

    def __init__(self, itls: int) -> None:
        super().__init__()
        for number in range(1, itls + 1):
            self.add_module(f"b{number}", Bottleneck(SKIP_WIDTHS[number - 1], GENERATOR_WIDTHS[number - 1]))
        initialise(self)


class ScafNet(nn.Module):
    """Normalised images (batch, 3, input_size, input_size) to heatmaps (batch, L, heatmap_size, heatmap_size).

    Heatmap and crop cover the same square: ``x_heatmap = (x_crop + 0.5) * heatmap_size / input_size - 0.5``.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.Q = Encoder(architecture.input_size)
        self.P = Generator(architecture.itls, output=False)
        self.S = Skips(architecture.itls) if architecture.skips else None
        self.LMH = LandmarkHead(architecture)
        self.P.requires_grad_(False)

    def forward(self, image: Tensor) -> Tensor:
        return self.heatmaps_and_features(image)[0]

    def heatmaps_and_features(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Heatmaps, and the encoder's latent (batch, 99)."""
        latent, carried = self.Q(image)
        x = self.P.seed(latent)
        for number in range(1, self.architecture.itls + 1):
            x = self.P.layer(number)(x)
            if self.S is not None:
                x = x + self.S.get_submodule(f"b{number}")(carried[number - 1])
            x = self.LMH.get_submodule(f"t{number}")(x)
        return self.LMH.lin(x), latent

    def head_parameters(self) -> Iterator[nn.Parameter]:
        """Transfer layers, heatmap layer and bottlenecks: what learns fast."""
        yield from self.LMH.parameters()
        if self.S is not None:
            yield from self.S.parameters()

    def freeze_batch_norm(self, autoencoder_only: bool = True) -> None:
        """BatchNorm of the auto-encoder (or everywhere) to evaluation mode, as the reference does."""
        parts: list[nn.Module] = [self.Q, self.P] if autoencoder_only else [self]
        for part in parts:
            for module in part.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()


def channels_last(network: ScafNet) -> ScafNet:
    """The same network with its filters laid out for speed on the CPU and on tensor cores."""
    untyped: Any = network  # torch's own annotations leave the memory format out
    untyped.to(memory_format=torch.channels_last)
    return network


def normalise(crops: Tensor, mean: Tensor) -> Tensor:
    """Crops (batch, side, side, 3) uint8 RGB to network input (batch, 3, side, side) float32."""
    return (crops.permute(0, 3, 1, 2).to(torch.float32) / 255.0 - mean[:, None, None]).contiguous(
        memory_format=torch.channels_last
    )
