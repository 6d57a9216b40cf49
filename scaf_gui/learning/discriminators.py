"""The two discriminators of the auto-encoder's unsupervised training (3FabRec)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from scaf_gui.learning.autoencoder import LATENT


class LatentDiscriminator(nn.Module):
    """``D_z``: does a latent (batch, 99) come from N(0, I)? Probability (batch,)."""

    DROPOUT = 0.2

    def __init__(self, hidden: int = 1000) -> None:
        super().__init__()
        self.lin1 = nn.Linear(LATENT, hidden)
        self.lin2 = nn.Linear(hidden, hidden)
        self.lin3 = nn.Linear(hidden, 1)

    def forward(self, latent: Tensor) -> Tensor:
        return torch.sigmoid(self.logits(latent))

    def logits(self, latent: Tensor, kept: Tensor | None = None) -> Tensor:
        """Log odds (batch,).

        :param kept: dropout's masks (2, batch, hidden) as :meth:`dropout` draws them; none in use
        """
        x = self.lin1(latent)
        x = torch.relu(x if kept is None else x * kept[0])
        x = self.lin2(x)
        x = torch.relu(x if kept is None else x * kept[1])
        odds: Tensor = self.lin3(x)[:, 0]
        return odds

    def dropout(self, batch: int, random: torch.Generator) -> Tensor:
        """Masks of 0 and 1 / (1 - p), drawn on the CPU: the same on every machine and in every process."""
        drawn = torch.rand(2, batch, self.lin1.out_features, generator=random)
        return (drawn >= self.DROPOUT) / (1.0 - self.DROPOUT)


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
        return torch.sigmoid(self.logits(image))

    def logits(self, image: Tensor) -> Tensor:
        """Log odds (batch,)."""
        odds: Tensor = self.last(self.convs(image)).mean(dim=(1, 2, 3))
        return odds
