"""How far a painted face is from the one it was painted after: pixels, and local structure."""

from __future__ import annotations

import torch
from torch import Tensor, nn

#: Gaussian window of the structural term
WINDOW, SIGMA = 31, 1.5
#: (K2 L)^2 with K2 = 0.03 and the values' range L = 255 (Wang et al. 2004)
_C2 = (0.03 * 255.0) ** 2
#: weight of the structural term against pixels of 0 to 255 (3FabRec)
STRUCTURE_SCALE = 60.0


def pixel_loss(painted: Tensor, target: Tensor, real: Tensor) -> Tensor:
    """Mean absolute difference of images (B, 3, H, W), 0 to 255; none where ``real`` (B, 1, H, W) is 0."""
    # The mean is over all pixels: batches shared between processes then add up to the same loss.
    return ((painted - target).abs() * real).mean()


class Structure(nn.Module):
    """Mean contrast-structure term of SSIM, 1 for equal images (Wang et al. 2004): a blur by a Gaussian
    window of 31 px and sigma 1.5, only where the window lies inside the image."""

    def __init__(self, size: int) -> None:
        super().__init__()
        offsets = torch.arange(WINDOW, dtype=torch.float64) - WINDOW // 2
        window = torch.exp(-(offsets**2) / (2 * SIGMA**2))
        window /= window.sum()
        band = torch.zeros(size - WINDOW + 1, size, dtype=torch.float64)
        for row in range(len(band)):
            band[row, row : row + WINDOW] = window
        self.register_buffer("band", band.float(), persistent=False)
        self.band: Tensor

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """:param a, b: (B, 3, H, W) float32, 0 to 255"""
        mean_a, mean_b = self._blur(a), self._blur(b)
        spread_a = self._blur(a * a) - mean_a**2
        spread_b = self._blur(b * b) - mean_b**2
        shared = self._blur(a * b) - mean_a * mean_b
        return ((2 * shared + _C2) / (spread_a + spread_b + _C2)).mean()

    def _blur(self, image: Tensor) -> Tensor:
        # Two products with a band matrix: a separable filter, several times faster than a grouped convolution.
        return self.band @ image @ self.band.T


def blended(painted: Tensor, target: Tensor, real: Tensor) -> Tensor:
    """The painted image where ``real`` is 1, the target elsewhere: nothing is asked of pixels no image gave."""
    return target + (painted - target) * real
