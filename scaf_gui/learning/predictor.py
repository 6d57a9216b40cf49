"""Crops in, landmarks and acquisition scores out: numpy on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from scaf_gui.core.arrays import ByteArray, FloatArray
from scaf_gui.core.geometry import Square, crop_transform, inverse, transform
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import CheckpointError, DeviceError
from scaf_gui.learning.acquisition import ACQUISITIONS, magnitudes
from scaf_gui.learning.checkpoint import Checkpoint
from scaf_gui.learning.crops import cut_crop, elsewhere, level_view
from scaf_gui.learning.decoding import DECODERS, to_crop
from scaf_gui.learning.device import Device, cpu_device, out_of_memory
from scaf_gui.learning.inference import ready
from scaf_gui.learning.networks import normalise

#: faces at a time while memory lasts; callers ask for far fewer
_MOST = 1 << 20
#: so often a face is looked for anew where its prediction leads away from its box
_MOVES = 3


@dataclass(frozen=True, eq=False)
class CropPredictions:
    """A batch: ``points_crop`` (B, L, 2) and ``magnitude`` (B, L) float64, ``scores`` by acquisition function
    (B,) float64, larger is less sure; ``features`` (B, 99) float32, the encoder's latent."""

    points_crop: FloatArray
    magnitude: FloatArray
    scores: dict[str, FloatArray]
    features: FloatArray


@dataclass(frozen=True, eq=False)
class FacePrediction:
    """One face: ``points`` (L, 2) image pixels, ``magnitude`` (L,), ``scores``, ``features`` (99,)."""

    points: FloatArray
    magnitude: FloatArray
    scores: dict[str, float]
    features: FloatArray


class Predictor:
    """A checkpoint made ready to predict a scheme's landmarks.

    :param scheme: the project's scheme; landmarks of the checkpoint's scheme are mapped to it
    :param scores: which heatmap acquisition functions to compute with each prediction
    :param flip_average: average each crop's heatmaps with those of its mirror image, at twice the cost;
        ``None``: as the checkpoint says
    :param second_look: cut each face again by its predicted shape, level and mirrored, and take the mean of both
        looks, at twice the cost. Magnitudes, scores and features stay those of the first. Where that leads away from
        the box, so that this missed the face, the first look is repeated from there before.
    :param decoder: a name in :data:`DECODERS`; ``None``: the checkpoint's
    :param window: side of the NNM window, odd, heatmap pixels; ``None``: the checkpoint's
    :raises CheckpointError: where the checkpoint's scheme does not lead to the project's
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: Device,
        scheme: Scheme,
        scores: Sequence[str] = ("nnm", "entropy", "peak"),
        *,
        flip_average: bool | None = None,
        second_look: bool = False,
        decoder: str | None = None,
        window: int | None = None,
    ) -> None:
        source = checkpoint.scheme
        matrix = checkpoint.matrix_to(scheme)
        if matrix is None:
            raise CheckpointError(
                f"the model {checkpoint.id} is of landmark scheme '{source.id}', which does not lead to '{scheme.id}'"
            )
        self.model_id = checkpoint.id
        self.crop_size = checkpoint.architecture.input_size
        self.device = device
        self.matrix = None if source.id == scheme.id else matrix
        self._flip = torch.as_tensor(source.flip)
        self._flip_average = bool(checkpoint.meta.get("flip_average", False)) if flip_average is None else flip_average
        self.scheme = scheme
        self._second_look = second_look
        self._decode = DECODERS[decoder or checkpoint.meta["decoder"]]
        self._sigma = float(checkpoint.meta["sigma"])
        self._window = window or int(checkpoint.meta["nnm_window"])
        self._scores = {name: function for name in scores if (function := ACQUISITIONS[name].of_heatmaps)}
        self._network = checkpoint.network()
        self._mean = torch.tensor(checkpoint.meta["normalisation"]["mean"])
        self._most = _MOST
        self.note = ""
        try:
            self._network = ready(self._network, device.torch, device.dtype)
        except RuntimeError as error:
            self._make_do(1, error)

    def heatmaps(self, crops: Sequence[ByteArray] | ByteArray) -> tuple[Tensor, Tensor]:
        """Heatmaps (B, L, S, S) float32 of the checkpoint's own scheme, and features (B, 99).

        Out of memory, smaller parts are tried, then the CPU; ``note`` says so from then on.

        :raises DeviceError: without memory for a single face on the CPU
        """
        batch = torch.from_numpy(np.ascontiguousarray(np.stack(list(crops))))
        parts: list[tuple[Tensor, Tensor]] = []
        at = 0
        while at < len(batch):
            part = batch[at : at + self._most]
            try:
                parts.append(self._forward(part.to(self.device.torch)))
                at += len(part)
            except RuntimeError as error:
                self._make_do(len(part), error)
        if len(parts) == 1:
            return parts[0]
        heatmaps, features = zip(*parts, strict=True)
        return self._joined(heatmaps), self._joined(features)

    def mirrored_heatmaps(self, crops: Sequence[ByteArray]) -> Tensor:
        """As :meth:`heatmaps`, from the crops' mirror images: a look of its own, in the frame of the crops."""
        heatmaps, _ = self.heatmaps([crop[:, ::-1] for crop in crops])
        return heatmaps[:, self._flip].flip(3).contiguous()

    def _joined(self, parts: Sequence[Tensor]) -> Tensor:
        return torch.cat([part.to(self.device.torch) for part in parts])

    def _make_do(self, tried: int, error: RuntimeError) -> None:
        """After an error: half of what was tried at a time, or the CPU; other errors go on."""
        if not out_of_memory(error):
            raise error
        if tried > 1:
            self._most = tried // 2
            self.note = f"Out of memory on {self.device.kind}: predicting {self._most} at a time"
        elif self.device.kind != "cpu":
            self.note = f"Out of memory on {self.device.kind}: predicting on the CPU"
            self.device = cpu_device(f"{self.device.kind} is out of memory")
            self._network.to(self.device.torch)
            self._most = _MOST
        else:
            raise DeviceError("not enough memory to predict a single face; close other programs") from error

    def _forward(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        with torch.inference_mode(), self.device.autocast():
            images = normalise(batch, self._mean.to(self.device.torch))
            if self._flip_average:
                images = torch.cat([images, images.flip(3)])
            heatmaps, features = self._network.heatmaps_and_features(images)
            if self._flip_average:
                straight, mirrored = heatmaps.chunk(2)
                heatmaps = (straight + mirrored[:, self._flip].flip(3)) / 2
        # Contiguous once, or each look at a landmark's own map would copy all of them.
        return heatmaps.float().contiguous(), features[: len(batch)].float()

    def predict(self, crops: Sequence[ByteArray] | ByteArray) -> CropPredictions:
        """Landmarks of crops (B, crop_size, crop_size, 3) uint8 RGB."""
        heatmaps, features = self.heatmaps(crops)
        peak, points_crop = self.landmarks(heatmaps)
        with torch.inference_mode():
            magnitude = magnitudes(heatmaps, peak, self._window)
            scores = {name: function(heatmaps, peak, self._window) for name, function in self._scores.items()}
        magnitude_array = magnitude.cpu().numpy().astype(np.float64)
        if self.matrix is not None:
            # A learnt map has negative weights too: what counts is how much a landmark depends on each.
            shares = np.abs(self.matrix)
            magnitude_array = magnitude_array @ (shares / shares.sum(axis=1, keepdims=True)).T
        return CropPredictions(
            points_crop,
            magnitude_array,
            {name: value.cpu().numpy().astype(np.float64) for name, value in scores.items()},
            features.cpu().numpy(),
        )

    def own_landmarks(self, heatmaps: Tensor) -> FloatArray:
        """(B, L, 2) float64 heatmap pixels, of the checkpoint's own scheme."""
        with torch.inference_mode():
            found: FloatArray = self._decode(heatmaps, self._sigma)[1].cpu().numpy().astype(np.float64)
        return found

    def landmarks(self, heatmaps: Tensor) -> tuple[Tensor, FloatArray]:
        """Peaks (B, L, 2), and the landmarks (B, K, 2) of the project's scheme in crop pixels."""
        with torch.inference_mode():
            peak, points = self._decode(heatmaps, self._sigma)
            points = to_crop(points, self.crop_size, heatmaps.shape[-1])
        points_crop: FloatArray = points.cpu().numpy().astype(np.float64)
        if self.matrix is not None:
            points_crop = np.einsum("kl,blc->bkc", self.matrix, points_crop)
        return peak, points_crop

    def predict_faces(
        self, faces: Sequence[tuple[ByteArray, Square]], second_look: bool | None = None
    ) -> list[FacePrediction]:
        """Landmarks of faces, each given as its image (H, W, 3) uint8 RGB and its crop's square.

        :param second_look: other than the predictor was made with
        """
        found = self._seen(faces)
        if not (self._second_look if second_look is None else second_look):
            return found
        faces = list(faces)
        for _ in range(_MOVES):
            views = [elsewhere(one.points, self.scheme, square) for one, (_, square) in zip(found, faces, strict=True)]
            astray = {place: view for place, view in enumerate(views) if view is not None}
            if not astray:
                break
            faces = [(image, astray.get(place, square)) for place, (image, square) in enumerate(faces)]
            for place, one in zip(astray, self._seen([faces[place] for place in astray]), strict=True):
                found[place] = one
        points = self._seen_again(faces, [one.points for one in found]) if faces else []
        return [replace(one, points=mean) for one, mean in zip(found, points, strict=True)]

    def settled(self, image: ByteArray, square: Square) -> Square:
        """The square that two looks at a face end with: its own, or the one its predictions lead to."""
        for _ in range(_MOVES):
            (found,) = self._seen([(image, square)])
            view = elsewhere(found.points, self.scheme, square)
            if view is None:
                break
            square = view
        return square

    def _seen(self, faces: Sequence[tuple[ByteArray, Square]]) -> list[FacePrediction]:
        """One look at each face."""
        if not faces:
            return []
        batch = self.predict([cut_crop(image, square, self.crop_size) for image, square in faces])
        points = [
            transform(inverse(crop_transform(square, self.crop_size)), found)
            for (_, square), found in zip(faces, batch.points_crop, strict=True)
        ]
        return [
            FacePrediction(
                points[place],
                batch.magnitude[place],
                {name: float(values[place]) for name, values in batch.scores.items()},
                batch.features[place],
            )
            for place in range(len(faces))
        ]

    def _seen_again(self, faces: Sequence[tuple[ByteArray, Square]], points: list[FloatArray]) -> list[FloatArray]:
        """The mean of first looks (L, 2), image pixels, and of second ones, mirrored in crops cut by the first."""
        views = [level_view(found, self.scheme, square) for found, (_, square) in zip(points, faces, strict=True)]
        crops = [
            cut_crop(image, square, self.crop_size, degrees)
            for (image, _), (square, degrees) in zip(faces, views, strict=True)
        ]
        _, again = self.landmarks(self.mirrored_heatmaps(crops))
        return [
            (found + transform(inverse(crop_transform(square, self.crop_size, degrees)), other)) / 2
            for found, other, (square, degrees) in zip(points, again, views, strict=True)
        ]
