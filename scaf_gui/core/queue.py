"""The queue: in which order a person meets the faces.

Scores come from an acquisition function (larger: label sooner). The most extreme share is set
aside as likely outliers: shown after all others, never hidden.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ranking:
    """An order of faces, and those of them that were set aside (highest score first in both)."""

    order: tuple[int, ...]
    set_aside: tuple[int, ...] = ()


def rank(scores: Mapping[int, float], discard: float = 0.1) -> Ranking:
    """Sort faces by falling score and set the top ``discard`` share (rounded down) aside.

    Equal scores are ordered by face id, so that a ranking is the same on every machine. A score
    that is NaN counts as the least certain of all.
    """
    if not 0.0 <= discard < 1.0:
        raise ValueError(f"discard must be in [0, 1), not {discard}")

    def least_certain_first(face: int) -> tuple[float, int]:
        score = scores[face]
        return (-math.inf if math.isnan(score) else -score), face

    order = tuple(sorted(scores, key=least_certain_first))
    cut = int(len(order) * discard + 1e-9)  # 29 % of 100 is 28.999999999999996
    return Ranking(order[cut:], order[:cut])


def shuffled(faces: Iterable[int], seed: int) -> Ranking:
    """The seeded random order of a project without a model."""
    ids = np.array(sorted(faces), dtype=np.int64)
    np.random.default_rng(seed).shuffle(ids)
    return Ranking(tuple(int(i) for i in ids))


@dataclass(frozen=True)
class Queue:
    """Frozen order of all faces that wait; ``scores`` hold what is known, for display.

    ``order`` ends with the faces set aside.
    """

    order: tuple[int, ...] = ()
    set_aside: frozenset[int] = frozenset()
    scores: Mapping[int, float] | None = None

    def __len__(self) -> int:
        return len(self.order)

    def after(self, current: int | None, waiting: Iterable[int]) -> int | None:
        """The next face that waits behind ``current`` (then from the top); ``None`` if none waits."""
        waits = set(waiting)
        start = self.order.index(current) + 1 if current in self.order else 0
        for face in self.order[start:] + self.order[:start]:
            if face in waits and face != current:
                return face
        return None

    def reordered(self, ranking: Ranking, scores: Mapping[int, float], keep: Sequence[int] = ()) -> Queue:
        """A new order in which the faces of ``keep`` (current, next) stay first, in that order.

        Faces that the ranking does not name yet (not scored) follow the ranked ones in their old
        order, ahead of the faces set aside; those that it newly names enter in order.
        """
        first = [face for face in dict.fromkeys(keep) if face in self.order]
        aside = [face for face in ranking.set_aside if face not in first]
        named = set(first) | set(ranking.order) | set(ranking.set_aside)
        ranked = [face for face in ranking.order if face not in first]
        rest = [face for face in self.order if face not in named]
        return Queue(tuple(first + ranked + rest + aside), frozenset(aside), dict(scores))

    def without(self, faces: Iterable[int]) -> Queue:
        gone = set(faces)
        return Queue(tuple(f for f in self.order if f not in gone), self.set_aside - gone, self.scores)

    def with_added(self, faces: Iterable[int]) -> Queue:
        """New faces join before those set aside."""
        known = set(self.order)
        new = tuple(face for face in dict.fromkeys(faces) if face not in known)
        kept = tuple(f for f in self.order if f not in self.set_aside)
        aside = tuple(f for f in self.order if f in self.set_aside)
        return Queue(kept + new + aside, self.set_aside, self.scores)
