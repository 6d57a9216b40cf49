"""Batches of random views of the labelled faces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import InputError, TooFewLabelsError
from scaf_gui.learning.examples import Shuffler, Surroundings, Views, random_views
from scaf_gui.learning.presets import Preset

#: faces with a readable image that training needs at least
MIN_LABELS = 2


class Batches:
    """Batches of random views; faces whose image cannot be read drop out."""

    def __init__(self, surroundings: Surroundings, scheme: Scheme, preset: Preset, rng: np.random.Generator) -> None:
        self._surroundings, self._flip, self._preset, self._rng = surroundings, scheme.flip, preset, rng
        self._shuffler = Shuffler(len(surroundings), rng)
        self._broken: set[int] = set()

    def views(self, batch: int, notes: list[str], *, calm: bool = False) -> Views:
        """:param calm: as in use: nothing erased, blurred or without colour"""
        indices: list[int] = []
        while len(indices) < batch:
            for index in self._shuffler.take(batch - len(indices)):
                if self._readable(index, notes):
                    indices.append(index)
        augmentation = self._preset.augmentation
        if calm:
            augmentation = replace(augmentation, erasing=0.0, blur=0.0, gray=0.0)
        return random_views(self._surroundings, indices, self._flip, augmentation, self._rng)

    def _readable(self, index: int, notes: list[str]) -> bool:
        if index in self._broken:
            return False
        try:
            self._surroundings.surrounding(index)
        except InputError as error:
            self._broken.add(index)
            notes.append(f"left out: {error}")
            if len(self._surroundings) - len(self._broken) < MIN_LABELS:
                raise TooFewLabelsError(f"too few labelled faces have a readable image: {error}") from error
            return False
        return True
