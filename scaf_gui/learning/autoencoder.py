"""Encoder ``Q`` and generator ``P`` of the adversarial auto-encoder (3FabRec, CVPR 2020).

Images (batch, 3, side, side) are RGB in [0, 1] minus the channel means; the latent is (batch, 99).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from scaf_gui.learning.blocks import BasicBlock, InverseBlock, double, initialise

LATENT = 99
#: channels of the encoder's layers 1 to 4 (the generator begins with as many as the last), and of the generator's
#: layers 1 to 5
ENCODER_WIDTHS = (64, 128, 256, 512)
GENERATOR_WIDTHS = (256, 128, 64, 64, 64)


def _stage(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(BasicBlock(inputs, outputs, stride), BasicBlock(outputs, outputs))


class Encoder(nn.Module):
    """ResNet-18 with a 99-dimensional latent.

    For 256-px input there is a ``layer0`` and ``layer1`` has stride 2; for 128-px input neither, so
    that the maps of layers 1 to 4 measure 32, 16, 8 and 4 pixels either way.
    """

    def __init__(self, input_size: int = 256) -> None:
        super().__init__()
        one, two, three, four = ENCODER_WIDTHS
        self.conv1 = nn.Conv2d(3, one, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(one)
        self.layer0 = _stage(one, one, 1) if input_size == 256 else None
        self.layer1 = _stage(one, one, 2 if input_size == 256 else 1)
        self.layer2 = _stage(one, two, 2)
        self.layer3 = _stage(two, three, 2)
        self.layer4 = _stage(three, four, 2)
        self.fc = nn.Linear(four, LATENT)
        initialise(self)

    def forward(self, image: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor, Tensor]]:
        """Latent, and the maps with sides 8, 16, 32 and 64: what skips 1 to 4 carry."""
        stem = torch.relu(self.bn1(self.conv1(image)))
        x = nn.functional.max_pool2d(stem, 3, 2, 1)
        at64 = stem
        if self.layer0 is not None:
            at64 = x = self.layer0(x)
        at32 = self.layer1(x)
        at16 = self.layer2(at32)
        at8 = self.layer3(at16)
        at4 = self.layer4(at8)
        return self.fc(at4.mean(dim=(2, 3))), (at8, at16, at32, at64)


class Generator(nn.Module):
    """Latent to image; ``layer1`` ... ``layerN`` double the side from 4 pixels on.

    :param depth: how many layers exist. 5 for 256-px images, 4 for 128; a landmark network keeps
        only those that it needs.
    :param output: whether the layer that paints the image exists
    """

    def __init__(self, depth: int = 5, output: bool = True) -> None:
        super().__init__()
        self.depth = depth
        width = ENCODER_WIDTHS[-1]
        self.fc = nn.Linear(LATENT, width)
        self.conv1 = nn.ConvTranspose2d(width, width, 4, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        for number, wider in enumerate(GENERATOR_WIDTHS[:depth], 1):
            self.add_module(f"layer{number}", nn.Sequential(InverseBlock(width, wider)))
            width = wider
        self.lin = double(width, 3) if output else None
        initialise(self)

    def layer(self, number: int) -> nn.Module:
        """Layer 1 to ``depth``."""
        return self.get_submodule(f"layer{number}")

    def seed(self, latent: Tensor) -> Tensor:
        """(batch, 99) to the first map (batch, 512, 4, 4)."""
        x = self.fc(latent)[:, :, None, None]
        return torch.relu(self.bn1(self.conv1(x)))

    def forward(self, latent: Tensor) -> Tensor:
        """(batch, 99) to images (batch, 3, side, side), from -1 to 1; the side is ``8 << depth``."""
        if self.lin is None:
            raise RuntimeError("this generator was built without its output layer")
        x = self.seed(latent)
        for number in range(1, self.depth + 1):
            x = self.layer(number)(x)
        return torch.tanh(self.lin(x))
