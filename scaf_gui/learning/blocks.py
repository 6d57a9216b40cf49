"""Building blocks of the SCAF network, under the reference's weight names.

Tensors are (batch, channels, height, width).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def conv3x3(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    """A 3x3 convolution without bias that keeps the side, or divides it by the stride."""
    return nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)


def double(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    """A transposed convolution that doubles the side; its taps are symmetric about the pixel centres."""
    return nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False)


class BasicBlock(nn.Module):
    """ResNet-18's block (He et al. 2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = conv3x3(inputs, outputs, stride)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = conv3x3(outputs, outputs)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class InverseBlock(nn.Module):
    """3FabRec's inverse block: doubles the side, with a transposed-convolution shortcut."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = double(inputs, outputs)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = conv3x3(outputs, outputs)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.upsample = nn.Sequential(double(inputs, outputs), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return torch.relu(y + self.upsample(x))


class Bottleneck(nn.Module):
    """The hierarchical, parallel, multi-scale block of Bulat & Tzimiropoulos (ICCV 2017).

    Three pre-activated 3x3 convolutions in series; their outputs (1/2, 1/4, 1/4 of the channels)
    are concatenated and added to the input.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        half, quarter = outputs // 2, outputs // 4
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = conv3x3(inputs, half)
        self.bn2 = nn.BatchNorm2d(half)
        self.conv2 = conv3x3(half, quarter)
        self.bn3 = nn.BatchNorm2d(quarter)
        self.conv3 = conv3x3(quarter, quarter)
        self.shortcut: nn.Conv2d | None = None
        if inputs != outputs:
            self.shortcut = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        first = self.conv1(torch.relu(self.bn1(x)))
        second = self.conv2(torch.relu(self.bn2(first)))
        third = self.conv3(torch.relu(self.bn3(second)))
        joined = torch.cat([first, second, third], dim=1)
        return joined + (x if self.shortcut is None else self.shortcut(x))


def initialise(module: nn.Module) -> None:
    """He's initialisation for every convolution of a module, ones and zeros for BatchNorm."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(part, nn.BatchNorm2d):
            nn.init.ones_(part.weight)
            nn.init.zeros_(part.bias)
