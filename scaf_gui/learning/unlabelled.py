"""Batches of unlabelled faces: random views that are a function of seed and step, whatever came before.

So a run that is resumed, or shared between processes, meets the very same views as one that is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from scaf_gui.core.arrays import ByteArray
from scaf_gui.learning.augmentation import change_light, erase, random_affine
from scaf_gui.learning.presets import Augmentation

#: 3FabRec's augmentation of unlabelled faces
PUBLISHED_VIEWS = Augmentation(flip=0.5, degrees=45.0, shift=0.035, scale=(0.94, 1.03), shear=5.0)
#: side of the surroundings over the side of the crop: room for turns and shifts
ROOM = 1.6
_ROUNDS = 4


class Faces(Protocol):
    """Faces with their surroundings, whose centre is the crop's centre."""

    #: side of every surrounding: :data:`ROOM` crops
    side: int

    def __len__(self) -> int: ...

    def face(self, number: int) -> tuple[ByteArray, tuple[int, int, int, int]]:
        """(side, side, 3) uint8 RGB, and the part (x0, y0, x1, y1) of it, half open, that an image gave."""
        ...


@dataclass(frozen=True)
class Batch:
    """``clean`` and ``shown`` (B, size, size, 3) uint8: what to paint, and what the encoder sees.

    ``real`` (B, size, size) uint8, 255 where a pixel came from an image; elsewhere it was mirrored in.
    """

    clean: ByteArray
    shown: ByteArray
    real: ByteArray


class Order:
    """A random order of ``count`` things for every epoch, in constant memory, the last one as cheap as the first.

    A Feistel network over the next power of four, with indices that fall outside sent through again
    (Black & Rogaway, CT-RSA 2002).
    """

    def __init__(self, count: int, seed: int) -> None:
        if count < 1:
            raise ValueError("nothing to put in order")
        self.count, self._seed = count, seed
        self._half = max(1, ((count - 1).bit_length() + 1) // 2)

    def at(self, position: int) -> int:
        """The index at a position of the endless sequence of epochs."""
        epoch, value = divmod(position, self.count)
        keys = np.random.SeedSequence([self._seed, epoch]).generate_state(_ROUNDS, np.uint64).tolist()
        while True:
            value = self._permuted(value, keys)
            if value < self.count:
                return value

    def _permuted(self, value: int, keys: Sequence[int]) -> int:
        mask = (1 << self._half) - 1
        left, right = value >> self._half, value & mask
        for key in keys:
            # the mixing step of SplitMix64
            mixed = (right * 0x9E3779B97F4A7C15 + key) & 0xFFFFFFFFFFFFFFFF
            mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
            left, right = right, left ^ ((mixed >> 27) & mask)
        return left << self._half | right


class Views:
    """Random views by step; the next batch is made ahead by threads, if there are any.

    :param held_out: faces that are never learnt from; :meth:`held_out` shows them
    :param share: (rank, processes): which part of each batch is made here
    """

    def __init__(
        self,
        faces: Faces,
        size: int,
        batch: int,
        augmentation: Augmentation,
        seed: int,
        *,
        held_out: int = 0,
        share: tuple[int, int] = (0, 1),
        workers: int = 0,
    ) -> None:
        self._faces, self.size, self.batch_size = faces, size, batch
        self._augmentation, self._seed = augmentation, seed
        self._fixed = Order(len(faces), 0)
        self._held_out = held_out
        self._order = Order(len(faces) - held_out, seed)
        rank, processes = share
        self._mine = range(rank * batch // processes, (rank + 1) * batch // processes)
        self._pool = ThreadPoolExecutor(workers) if workers else None
        self._ahead: dict[int, list[Future[tuple[ByteArray, ByteArray, ByteArray]]]] = {}

    @property
    def learnt_from(self) -> int:
        """How many faces are not held out."""
        return self._order.count

    def batch(self, step: int) -> Batch:
        """This process's part of the batch of a step (0-based)."""
        if self._pool is None:
            return _stacked([self._view(step, place) for place in self._mine])
        for wanted in (step, step + 1, step + 2):
            if wanted not in self._ahead:
                self._ahead[wanted] = [self._pool.submit(self._view, wanted, place) for place in self._mine]
        return _stacked([future.result() for future in self._ahead.pop(step)])

    def held_out(self, count: int) -> Batch:
        """Unchanged views of the first faces that are held out."""
        still = Augmentation(flip=0.0, degrees=0.0, shift=0.0, scale=(1.0, 1.0), shear=0.0)
        rng = np.random.default_rng(0)
        places = [self._fixed.at(place) for place in range(min(count, self._held_out))]
        return _stacked([self._seen(number, still, rng) for number in places])

    def close(self) -> None:
        """End the threads that prepare views."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _view(self, step: int, place: int) -> tuple[ByteArray, ByteArray, ByteArray]:
        number = self._fixed.at(self._held_out + self._order.at(step * self.batch_size + place))
        return self._seen(number, self._augmentation, np.random.default_rng([self._seed, step, place]))

    def _seen(
        self, number: int, augmentation: Augmentation, rng: np.random.Generator
    ) -> tuple[ByteArray, ByteArray, ByteArray]:
        surrounding, (x0, y0, x1, y1) = self._faces.face(number)
        side = self._faces.side
        matrix, _ = random_affine(side, self.size, side / ROOM, augmentation, rng)
        real = np.zeros((self.size, self.size), np.uint8)
        if x1 - x0 < 2 or y1 - y0 < 2:
            return np.zeros((self.size, self.size, 3), np.uint8), np.zeros((self.size, self.size, 3), np.uint8), real
        corners = np.array([[x0, y0], [x1 - 1, y0], [x1 - 1, y1 - 1], [x0, y1 - 1]], np.float64)
        outline = np.rint(corners @ matrix[:, :2].T + matrix[:, 2]).astype(np.int32)
        cv2.fillConvexPoly(real, outline, 255)
        moved = matrix.copy()
        moved[:, 2] += matrix[:, :2] @ (x0, y0)
        # Mirrored in rather than black: a network for photographs should not learn what black frames look like.
        warped = cv2.warpAffine(
            surrounding[y0:y1, x0:x1], moved, (self.size, self.size),
            flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101,
        )  # fmt: skip
        clean = change_light(np.asarray(warped, np.uint8), augmentation, rng)
        return clean, erase(clean, augmentation, rng), real


def _stacked(views: list[tuple[ByteArray, ByteArray, ByteArray]]) -> Batch:
    clean, shown, real = (np.stack(parts) for parts in zip(*views, strict=True))
    return Batch(clean, shown, real)
