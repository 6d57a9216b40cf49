"""Which landmarks of a face are worth a look, and in which order."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from scaf_gui.core.arrays import BoolArray, FloatArray

#: a landmark that is expected to be off by more than this many % of the normaliser may need a drag
WORTH_A_LOOK = 3.0


def doubt(expected: FloatArray | None, human: BoolArray) -> FloatArray:
    """(num_landmarks,) expected errors of what only a model stands for; NaN where a person does, or nothing is known.

    :param expected: (num_landmarks,) expected errors of the prediction in % of the normaliser
    :param human: (num_landmarks,) placed by hand, or accepted with the face
    """
    if expected is None:
        return np.full(len(human), np.nan)
    return np.where(human, np.nan, expected)


def doubtful(errors: FloatArray, limit: float = WORTH_A_LOOK) -> tuple[int, ...]:
    """The landmarks worth a look, the one most likely off first.

    :param errors: of :func:`doubt`
    """
    order = np.argsort(-np.nan_to_num(errors, nan=-1.0), kind="stable")
    return tuple(int(i) for i in order if errors[i] > limit)


class Trail:
    """A walk over the landmarks worth a look: forward to the next that nobody has looked at, and back."""

    def __init__(self) -> None:
        self._seen: list[int] = []  # in the order of the walk
        self._at = -1
        self.looked: set[int] = set()
        self.begun = False  # whether one that was worth a look was looked at
        self.ended = False

    def left(self, order: Collection[int]) -> tuple[int, ...]:
        """Of the landmarks worth a look, those that nobody has looked at."""
        return tuple(landmark for landmark in order if landmark not in self.looked)

    def look(self, landmark: int, order: Collection[int]) -> None:
        """Somebody looks at a landmark, by this walk or otherwise."""
        self.looked.add(landmark)
        self.begun = self.begun or landmark in order
        self.ended = False

    def forward(self, order: Collection[int]) -> int | None:
        """The next landmark; ``None``: that was the last one. Asked again then, the walk begins anew."""
        if self.ended:
            self.looked.clear()
            self._seen.clear()
            self._at = -1
        self.ended = False
        if self._at + 1 < len(self._seen):
            self._at += 1
            return self._seen[self._at]
        left = self.left(order)
        if not left:
            self._at = len(self._seen)
            self.ended = True
            return None
        self._seen.append(left[0])
        self._at = len(self._seen) - 1
        self.look(left[0], order)
        return left[0]

    def back(self) -> int | None:
        """The landmark before; ``None`` where the walk began."""
        if self._at <= 0:
            return None
        self.ended = False
        self._at -= 1
        return self._seen[self._at]
