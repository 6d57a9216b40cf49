"""Principal components of the faces: codes that an untrained auto-encoder can begin with.

From random weights encoder and generator must first invent a common language, which takes hundred thousands of faces.
The leading principal components of small images are such a language, at the cost of one decomposition: the generator
learns to paint from them while the encoder learns to name them, until both are joined. Generative latent optimisation
begins its codes in this way (Bojanowski et al., ICML 2018).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from scaf_gui.core.arrays import ByteArray
from scaf_gui.learning.autoencoder import LATENT

#: pixels either way of the images that are decomposed, and how many of them
SIDE, FACES = 24, 4096
#: a component that varies less than this part of the first is not stretched any further
_LEAST = 1e-3

Flat = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


@dataclass(frozen=True, eq=False)
class Components:
    """``mean`` (D,), ``axes`` (D, 99) and ``spread`` (99,): standard deviations, largest first; D is 3 * 24 * 24."""

    mean: Tensor
    axes: Tensor
    spread: Tensor

    def codes(self, images: ByteArray) -> Tensor:
        """(B, side, side, 3) uint8 to (B, 99) float32 of mean 0 and variance 1, as the latent's prior has it."""
        small = torch.from_numpy(shrunk(images)).to(self.mean)
        return (small - self.mean) @ self.axes / self.spread

    def apart(self, latent: Tensor, codes: Tensor) -> Tensor:
        """Mean absolute difference of latents (B, 99), where components that show more count more."""
        weight = self.spread.sqrt()
        return ((latent - codes).abs() * (weight / weight.mean())).mean()

    def state(self) -> dict[str, Tensor]:
        """What a run that goes on has to know of them."""
        return {"mean": self.mean, "axes": self.axes, "spread": self.spread}


def components(flat: Flat) -> Components:
    """Decompose images as :func:`shrunk` gives them; there are 2 at least.

    Missing components, where there are fewer images than 99, are arbitrary directions that hardly vary.
    """
    mean = flat.mean(axis=0, dtype=np.float64)
    apart = flat - mean
    values, vectors = np.linalg.eigh(apart.T @ apart / (len(flat) - 1))
    spread = np.sqrt(values[::-1][:LATENT].clip(0.0))
    spread = spread.clip(max(_LEAST * spread[0], 1e-6))
    parts = mean, vectors[:, ::-1][:, :LATENT], spread
    return Components(*(torch.from_numpy(np.ascontiguousarray(part, np.float32)) for part in parts))


def shrunk(images: ByteArray) -> Flat:
    """(N, side, side, 3) uint8 to (N, D)."""
    small = [cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for image in images]
    return np.stack(small).reshape(len(small), -1).astype(np.float32)
