"""A face as a model's auto-encoder paints it, where its generator has been trained to paint faces.

A landmark model keeps only those layers of the generator that its heatmaps need, frozen; its encoder has been trained
further, to find landmarks. Both are whole, and as they were, in the file of the auto-encoder that the model was
trained from, which is told by the generator's weights. For a model that was trained from none, a shipped one paints.
"""

from __future__ import annotations

from pathlib import Path

import torch

from scaf_gui.core.arrays import ByteArray
from scaf_gui.errors import CheckpointError
from scaf_gui.learning.bases import autoencoder_files
from scaf_gui.learning.checkpoint import Checkpoint
from scaf_gui.learning.networks import normalise
from scaf_gui.learning.pretrained import Autoencoder, load_autoencoder
from scaf_gui.paths import model_folder


class Painter:
    """An auto-encoder ready to paint crops, on the CPU. ``own``: whether the model in question was trained from it."""

    def __init__(self, autoencoder: Autoencoder, own: bool = True) -> None:
        self.own = own
        self._encoder, self._generator = autoencoder.networks()
        self._mean = torch.tensor(autoencoder.meta["normalisation"]["mean"])

    def paint(self, crop: ByteArray) -> ByteArray:
        """What is made of a crop (side, side, 3) uint8 RGB: the same size."""
        with torch.inference_mode():
            image = normalise(torch.from_numpy(crop.copy())[None], self._mean)
            painted = self._generator(self._encoder(image)[0])[0]
            values = (painted + self._mean[:, None, None]) * 255.0
            found: ByteArray = values.round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
        return found


def painter_of(checkpoint: Checkpoint, path: Path) -> Painter | None:
    """The auto-encoder that a model was trained from, else any shipped one for crops of its size, else ``None``.

    It is looked for beside the model's file, then among the shipped ones.
    """
    other = None
    folders = dict.fromkeys((Path(path).parent.resolve(), model_folder().resolve()))
    for folder in folders:
        for file in autoencoder_files(folder) if folder.is_dir() else ():
            try:
                found = load_autoencoder(file)
            except CheckpointError:
                continue  # it may be on its way here, or damaged: that is none of this model's business
            if found.input_size != checkpoint.architecture.input_size:
                continue
            if _same_generator(checkpoint, found):
                return Painter(found)
            if folder == model_folder().resolve():
                other = found
    return None if other is None else Painter(other, own=False)


def _same_generator(checkpoint: Checkpoint, autoencoder: Autoencoder) -> bool:
    """Whether a model's frozen generator is an auto-encoder's, by its filters."""
    own = {name: value for name, value in checkpoint.tensors.items() if name.startswith("P.") and value.ndim > 1}
    return bool(own) and all(
        name in autoencoder.tensors
        and value.shape == autoencoder.tensors[name].shape
        and torch.allclose(value, autoencoder.tensors[name], rtol=1e-2, atol=1e-4)  # averaging weights rounds them
        for name, value in own.items()
    )
