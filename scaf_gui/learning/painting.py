"""The face as a model's generator paints it, where that has been trained to paint faces.

A landmark model keeps only those layers of its generator that its heatmaps need, frozen. The whole generator is in
the file of the auto-encoder that it was trained from, which is told by its weights.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from scaf_gui.core.arrays import ByteArray
from scaf_gui.errors import CheckpointError
from scaf_gui.learning.autoencoder import Generator
from scaf_gui.learning.bases import autoencoder_files
from scaf_gui.learning.checkpoint import Checkpoint
from scaf_gui.learning.pretrained import DEPTHS, Autoencoder, load_autoencoder
from scaf_gui.paths import model_folder


class Painter:
    """A whole generator; latents in, pictures out."""

    def __init__(self, autoencoder: Autoencoder) -> None:
        self._generator = Generator(DEPTHS[autoencoder.input_size])
        self._generator.load_state_dict(autoencoder.part("P"))
        self._generator.eval()
        self._mean = torch.tensor(autoencoder.meta["normalisation"]["mean"])

    def paint(self, latent: npt.NDArray[np.float32]) -> ByteArray:
        """:param latent: (99,) of an encoder that goes with the generator
        :returns: (side, side, 3) uint8 RGB"""
        with torch.inference_mode():
            painted = self._generator(torch.from_numpy(latent)[None].float())[0]
            values = (painted + self._mean[:, None, None]) * 255.0
            found: ByteArray = values.round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
        return found


def painter_of(checkpoint: Checkpoint, path: Path) -> Painter | None:
    """The generator of the auto-encoder that a model was trained from; ``None`` where there is none.

    It is looked for beside the model's file, then among the shipped ones.
    """
    folders = dict.fromkeys((Path(path).parent.resolve(), model_folder().resolve()))
    for folder in folders:
        for file in autoencoder_files(folder) if folder.is_dir() else ():
            try:
                found = load_autoencoder(file)
            except CheckpointError:
                continue  # it may be on its way here, or damaged: that is none of this model's business
            if found.input_size == checkpoint.architecture.input_size and _same_generator(checkpoint, found):
                return Painter(found)
    return None


def _same_generator(checkpoint: Checkpoint, autoencoder: Autoencoder) -> bool:
    """Whether a model's frozen generator is an auto-encoder's, by its filters."""
    own = {name: value for name, value in checkpoint.tensors.items() if name.startswith("P.") and value.ndim > 1}
    return bool(own) and all(
        name in autoencoder.tensors
        and value.shape == autoencoder.tensors[name].shape
        and torch.allclose(value, autoencoder.tensors[name], rtol=1e-2, atol=1e-4)  # averaging weights rounds them
        for name, value in own.items()
    )
