"""Encoder and generator as one network, and the ways from small images to large ones."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from scaf_gui.learning.autoencoder import Encoder, Generator
from scaf_gui.learning.blocks import BasicBlock
from scaf_gui.learning.pretrained import DEPTHS, Autoencoder


class AutoencoderNet(nn.Module):
    """Images (B, 3, size, size) to latent (B, 99) and painted images of the same size."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.Q = Encoder(size)
        self.P = Generator(DEPTHS[size])

    def forward(
        self, image: Tensor, share: float = 1.0, detail: float = 1.0, codes: Tensor | None = None, trust: float = 1.0
    ) -> tuple[Tensor, Tensor]:
        """Latent and painted image.

        :param share: of the whole 256-px network; the rest of the answer comes from the 128-px network inside it
        :param detail: share of the generator's last layer; with 0 the image is painted at half its size, without it
        :param codes: (B, 99), what to paint from instead of the latent, but for the part ``trust`` of it
        """
        latent = self.Q(image)[0] if share >= 1.0 else self._encoded(image, share)
        code = latent if codes is None else torch.lerp(codes, latent, trust)
        if detail <= 0.0:
            return latent, self._half(code)[1]
        share = min(share, detail)
        return latent, self.P(code) if share >= 1.0 else self._painted(code, share)

    def take_over(self, start: Autoencoder) -> list[str]:
        """Weights by name wherever their shape fits; returns the names of those that stay as they were."""
        own = self.state_dict()
        fitting = {n: v for n, v in start.tensors.items() if n in own and own[n].shape == v.shape}
        self.load_state_dict(fitting, strict=False)
        return [name for name in own if name not in fitting]

    def _encoded(self, image: Tensor, share: float) -> Tensor:
        """The maps of 32 pixels of both networks, mixed; from there on they are one."""
        new = self._stem(image)
        if self.Q.layer0 is not None:
            new = self.Q.layer0(new)
        new = self.Q.layer1(new)
        old = self._stem(nn.functional.avg_pool2d(image, 2))
        first, second = self.Q.layer1
        old = second(_without_stride(cast(BasicBlock, first), old))
        x = torch.lerp(old, new, share)
        latent: Tensor = self.Q.fc(self.Q.layer4(self.Q.layer3(self.Q.layer2(x))).mean(dim=(2, 3)))
        return latent

    def _stem(self, image: Tensor) -> Tensor:
        return nn.functional.max_pool2d(torch.relu(self.Q.bn1(self.Q.conv1(image))), 3, 2, 1)

    def _painted(self, latent: Tensor, share: float) -> Tensor:
        assert self.P.lin is not None
        x, half = self._half(latent)
        old = nn.functional.interpolate(half, scale_factor=2.0, mode="bilinear")
        return torch.lerp(old, torch.tanh(self.P.lin(self.P.layer(self.P.depth)(x))), share)

    def _half(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """What goes into the last layer, and the image of half the size that is painted from it."""
        assert self.P.lin is not None
        x = self.P.seed(latent)
        for number in range(1, self.P.depth):
            x = self.P.layer(number)(x)
        return x, torch.tanh(self.P.lin(x))


def _without_stride(block: BasicBlock, x: Tensor) -> Tensor:
    """The first block of layer 1 as the 128-px encoder has it: stride 1, nothing in its shortcut."""
    y = torch.relu(block.bn1(nn.functional.conv2d(x, block.conv1.weight, padding=1)))
    return torch.relu(block.bn2(block.conv2(y)) + x)
