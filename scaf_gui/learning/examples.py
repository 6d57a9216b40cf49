"""What training learns from: labelled faces, their cached surroundings, and random views of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from scaf_gui.core.arrays import BoolArray, ByteArray, Float32Array, FloatArray, frozen
from scaf_gui.core.geometry import Square, crop_transform, transform
from scaf_gui.learning.augmentation import change_light, erase, random_affine
from scaf_gui.learning.crops import cut_crop, warp
from scaf_gui.learning.presets import Augmentation

#: reads an image by the name that an example gives: (H, W, 3) uint8 RGB, upright
Read = Callable[[str], ByteArray]

#: side of the cached surroundings over the side of the crop: room for turns and shifts
_SURROUND = 1.6
#: pixels per pixel of the crop in the cached surroundings
_FINER = 1.25
#: bytes of surroundings that are kept as they are; further ones are kept as JPEG
_RAW_BUDGET = 192 * 2**20


@dataclass(frozen=True, eq=False)
class Example:
    """A labelled face: its crop's square and landmarks (num_landmarks, 2) float64, both in image pixels.

    ``known`` (num_landmarks,) bool: a landmark that is not known teaches nothing.
    """

    image: str
    square: Square
    points: FloatArray
    known: BoolArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", frozen(self.points))
        object.__setattr__(self, "known", frozen(self.known, np.bool_))


class Surroundings:
    """Faces cut once with room around them, so that a training step reads no file.

    Cutting happens on first use of a face; the images are read in the order of use.
    """

    def __init__(self, examples: Sequence[Example], read: Read, size: int) -> None:
        self._examples = tuple(examples)
        self._read = read
        self.size = size
        self.side = round(size * _SURROUND * _FINER)
        self._kept: list[ByteArray | bytes | None] = [None] * len(self._examples)
        self._raw_left = _RAW_BUDGET

    def __len__(self) -> int:
        return len(self._examples)

    def surrounding(self, index: int) -> ByteArray:
        """(side, side, 3) uint8 around one face."""
        kept = self._kept[index]
        if kept is None:
            example = self._examples[index]
            cut = cut_crop(self._read(example.image), self._wide(example.square), self.side)
            self._kept[index] = self._packed(cut)
            return cut
        if isinstance(kept, bytes):
            return np.asarray(cv2.imdecode(np.frombuffer(kept, np.uint8), cv2.IMREAD_COLOR), np.uint8)
        return kept

    def landmarks(self, index: int) -> tuple[FloatArray, BoolArray]:
        """Landmarks (num_landmarks, 2) in pixels of the surrounding; unknown ones are NaN-free zeros."""
        example = self._examples[index]
        known = example.known & np.isfinite(example.points).all(axis=1)
        matrix = crop_transform(self._wide(example.square), self.side)
        return transform(matrix, np.where(known[:, None], example.points, 0.0)), known

    def _packed(self, cut: ByteArray) -> ByteArray | bytes:
        if self._raw_left >= cut.nbytes:
            self._raw_left -= cut.nbytes
            return cut
        return bytes(cv2.imencode(".jpg", cut, [cv2.IMWRITE_JPEG_QUALITY, 96])[1])

    @staticmethod
    def _wide(square: Square) -> Square:
        return Square(square.cx, square.cy, square.side * _SURROUND)


@dataclass(frozen=True)
class Views:
    """A batch: crops (B, size, size, 3) uint8, points_crop (B, L, 2) float32, known (B, L) bool."""

    crops: ByteArray
    points_crop: Float32Array
    known: BoolArray


def random_views(
    surroundings: Surroundings,
    indices: Sequence[int],
    flip: Sequence[int],
    augmentation: Augmentation,
    rng: np.random.Generator,
) -> Views:
    """One random view of each face named.

    :param flip: the scheme's flip permutation, for mirrored views
    """
    size, order = surroundings.size, np.asarray(flip)
    crops, points, knowns = [], [], []
    for index in indices:
        matrix, mirrored = random_affine(surroundings.side, size, _FINER * size, augmentation, rng)
        crop = warp(surroundings.surrounding(index), matrix, size)
        landmarks, known = surroundings.landmarks(index)
        landmarks = transform(matrix, landmarks)
        if mirrored:
            landmarks, known = landmarks[order], known[order]
        crops.append(erase(change_light(crop, augmentation, rng), augmentation, rng))
        points.append(landmarks)
        knowns.append(known)
    return Views(np.stack(crops), np.stack(points).astype(np.float32), np.stack(knowns))


class Shuffler:
    """Indices of a data set in random order, each once per epoch, epochs joined without a gap."""

    def __init__(self, count: int, rng: np.random.Generator) -> None:
        self._count, self._rng = count, rng
        self._left: list[int] = []

    def take(self, number: int) -> list[int]:
        """The next indices."""
        taken: list[int] = []
        while len(taken) < number:
            if not self._left:
                self._left = self._rng.permutation(self._count).tolist()
            taken.append(self._left.pop())
        return taken
