"""The two discriminators of the auto-encoder's unsupervised training (3FabRec)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from scaf_gui.learning.autoencoder import LATENT


class LatentDiscriminator(nn.Module):
    """``D_z``: does a latent (batch, 99) come from N(0, I)? Probability (batch,)."""

    def __init__(self, hidden: int = 1000) -> None:
        super().__init__()
        self.lin1 = nn.Linear(LATENT, hidden)
        self.lin2 = nn.Linear(hidden, hidden)
        self.lin3 = nn.Linear(hidden, 1)
        self.dropout = nn.Dropout(0.2)

    def forward(self, latent: Tensor) -> Tensor:
        x = torch.relu(self.dropout(self.lin1(latent)))
        x = torch.relu(self.dropout(self.lin2(x)))
        return torch.sigmoid(self.lin3(x))[:, 0]


class ImageDiscriminator(nn.Module):
    """``D``: is an image (batch, 3, side, side) real? Probability (batch,)."""

    WIDTHS = (3, 32, 64, 128, 256, 256)

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for place, (inputs, outputs) in enumerate(zip(self.WIDTHS, self.WIDTHS[1:], strict=False)):
            layers.append(nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False))
            if place > 0:
                layers.append(nn.BatchNorm2d(outputs))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        self.convs = nn.Sequential(*layers)
        self.last = nn.Conv2d(self.WIDTHS[-1], 1, 4, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        return torch.sigmoid(self.last(self.convs(image)).mean(dim=(1, 2, 3)))
