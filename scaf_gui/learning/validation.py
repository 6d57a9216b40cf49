"""How far off a model is on faces whose landmarks are known: of a checkpoint, and of a network in training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from scaf_gui.core.arrays import ByteArray, FloatArray
from scaf_gui.core.geometry import crop_transform, inverse, transform
from scaf_gui.core.metrics import nme
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import InputError
from scaf_gui.learning.checkpoint import REFERENCE_MEAN, Checkpoint
from scaf_gui.learning.crops import cut_crop
from scaf_gui.learning.decoding import DECODERS, to_crop
from scaf_gui.learning.device import Device
from scaf_gui.learning.examples import Example, Read
from scaf_gui.learning.networks import ScafNet, normalise
from scaf_gui.learning.predictor import Predictor
from scaf_gui.learning.presets import Preset

#: a training step costs about as much as predicting so many faces, per face of its batch (measured: 3.1)
_PREDICTED_PER_TRAINED = 3.0
#: share of the time that validation may take
_SHARE_OF_TIME = 0.1
_BATCH = 16
#: seldom enough that the curve is not all dots
_LEAST_STEPS = 10


def validation_error(
    checkpoint: Checkpoint, scheme: Scheme, device: Device, validation: Sequence[Example], read: Read
) -> float:
    """Mean NME (%) of a checkpoint over faces whose landmarks are known; unreadable images do not count."""
    predictor = Predictor(checkpoint, device, scheme, scores=())
    errors = []
    for at in range(0, len(validation), _BATCH):
        faces = []
        for example in validation[at : at + _BATCH]:
            try:
                faces.append((example, cut_crop(read(example.image), example.square, predictor.crop_size)))
            except InputError:
                continue
        if not faces:
            continue
        batch = predictor.predict([crop for _, crop in faces])
        for (example, _), points_crop in zip(faces, batch.points_crop, strict=True):
            errors.append(_error(example, points_crop, predictor.crop_size, scheme))
    return _mean(errors)


class Validator:
    """The same for a network as it is being trained: the faces are read and cut once, on first use."""

    def __init__(self, examples: Sequence[Example], read: Read, scheme: Scheme, preset: Preset) -> None:
        self._examples, self._read, self._scheme, self._preset = tuple(examples), read, scheme, preset
        self._crops: list[tuple[Example, ByteArray]] | None = None
        self._mean = torch.tensor(REFERENCE_MEAN)

    def __len__(self) -> int:
        """Faces to measure on, without those whose image turned out to be unreadable."""
        return len(self._examples) if self._crops is None else len(self._crops)

    def every(self, batch: int, extra: int = 0) -> int:
        """How many steps of ``batch`` faces lie between two looks, so that they take a tenth of the time at most.

        Counted, not timed: the same run looks at the same steps on any machine.

        :param extra: further faces that a look has to predict
        """
        steps = (len(self) + extra) / (_PREDICTED_PER_TRAINED * batch)
        return max(_LEAST_STEPS, int(np.ceil(steps / _SHARE_OF_TIME)))

    def error(self, network: ScafNet, device: Device) -> float:
        """Mean NME (%) of a network in evaluation mode on the device; NaN without a readable face."""
        size = self._preset.input_size
        if self._crops is None:
            self._crops = list(self._cut(size))
        decode, errors = DECODERS[self._preset.decoder], []
        for at in range(0, len(self._crops), _BATCH):
            part = self._crops[at : at + _BATCH]
            with torch.no_grad(), device.autocast():
                crops = torch.from_numpy(np.stack([crop for _, crop in part])).to(device.torch)
                heatmaps = network(normalise(crops, self._mean.to(device.torch))).float()
                points = to_crop(decode(heatmaps, self._preset.sigma)[1], size, heatmaps.shape[-1])
            for (example, _), found in zip(part, points.cpu().double().numpy(), strict=True):
                errors.append(_error(example, found, size, self._scheme))
        return _mean(errors)

    def _cut(self, size: int) -> Iterator[tuple[Example, ByteArray]]:
        for example in self._examples:
            try:
                yield example, cut_crop(self._read(example.image), example.square, size)
            except InputError:
                continue


def _error(example: Example, points_crop: FloatArray, size: int, scheme: Scheme) -> float:
    points = transform(inverse(crop_transform(example.square, size)), points_crop)
    return nme(points, np.where(example.known[:, None], example.points, np.nan), scheme)


def _mean(errors: Sequence[float]) -> float:
    values = [error for error in errors if np.isfinite(error)]
    return float(np.mean(values)) if values else float("nan")
