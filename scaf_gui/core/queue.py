"""The queue: in which order a person meets the faces.

Scores come from an acquisition function (larger: label sooner). The most extreme share is set
aside as likely outliers: shown after all others, never hidden. Every tenth face is drawn at random
instead: what its prediction gets wrong tells what to expect of the faces that nobody has seen yet,
which those that an acquisition function picks do not.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

#: one face in so many is drawn at random
ONE_IN = 10


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


def draw(waiting: Iterable[int], drawn: Iterable[int], seed: int) -> tuple[int, ...]:
    """The faces drawn at random among those that wait, in the order of their lots.

    Lots follow from face id and seed, so the same faces are drawn on every machine and in every order of work.
    One in :data:`ONE_IN` (rounded down, at least one) is drawn; those drawn before stay drawn.
    """
    waits = sorted(waiting, key=lambda face: _lot(face, seed))
    before = set(drawn)
    lacking = max(1, len(waits) // ONE_IN) - sum(face in before for face in waits)
    new = [face for face in waits if face not in before][: max(0, lacking)]
    chosen = before.union(new)
    return tuple(face for face in waits if face in chosen)


def _lot(face: int, seed: int) -> bytes:
    return hashlib.blake2b(f"drawn:{seed}:{face}".encode(), digest_size=8).digest()


def _interleaved(faces: Sequence[int], drawn: Sequence[int], first: int) -> list[int]:
    """``drawn`` at the places ``first`` (from 0) and every :data:`ONE_IN` behind it; what is left over at the end."""
    mixed = list(faces)
    for number, face in enumerate(drawn):
        mixed.insert(first + number * ONE_IN, face)
    return mixed


@dataclass(frozen=True)
class Place:
    """A place in the queue: the face behind it, ``None`` at the end, and whether it was set aside."""

    before: int | None
    aside: bool


@dataclass(frozen=True)
class Queue:
    """Frozen order of all faces that wait; ``scores`` hold what is known, for display.

    ``order`` ends with the faces set aside. ``drawn``: faces drawn at random; they stay so when they wait no more.
    """

    order: tuple[int, ...] = ()
    set_aside: frozenset[int] = frozenset()
    scores: Mapping[int, float] | None = None
    drawn: frozenset[int] = frozenset()

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

    def reordered(
        self,
        ranking: Ranking,
        scores: Mapping[int, float],
        keep: Sequence[int] = (),
        drawn: Sequence[int] = (),
        since_drawn: int = 0,
    ) -> Queue:
        """A new order in which the faces of ``keep`` (current, next) stay first, in that order.

        Faces that the ranking does not name yet (not scored) follow the ranked ones in their old
        order, ahead of the faces set aside; those that it newly names enter in order.

        :param drawn: faces drawn at random, in their order (:func:`draw`): every tenth place is theirs, whatever
            their scores, and none of them is set aside
        :param since_drawn: how many faces were labelled since the last drawn one: so much sooner the next one comes
        """
        first = [face for face in dict.fromkeys(keep) if face in self.order]
        named = set(first) | set(ranking.order) | set(ranking.set_aside)
        rest = [face for face in self.order if face not in named]
        apart = {*first, *drawn}
        aside = [face for face in ranking.set_aside if face not in apart]
        usual = [face for face in (*ranking.order, *rest) if face not in apart]
        there = named.union(rest)
        lots = [face for face in drawn if face in there and face not in first]
        place = max(len(first), ONE_IN - 1 - since_drawn)
        mixed = _interleaved(first + usual, lots, place)
        return Queue(tuple(mixed + aside), frozenset(aside), dict(scores), self.drawn.union(drawn))

    def without(self, faces: Iterable[int]) -> Queue:
        """The same order without some faces; their scores stay."""
        gone = set(faces)
        return Queue(tuple(f for f in self.order if f not in gone), self.set_aside - gone, self.scores, self.drawn)

    def places(self, faces: Iterable[int]) -> dict[int, Place]:
        """Where those of the faces stand that are in the queue, in its order; seen from the faces that stay."""
        leaving = set(faces)
        found: dict[int, Place] = {}
        behind = None
        for face in reversed(self.order):
            if face in leaving:
                found[face] = Place(behind, face in self.set_aside)
            else:
                behind = face
        return dict(reversed(found.items()))

    def put_back(self, face: int, place: Place) -> Queue:
        """A face that was in the queue returns to its place; without the face behind it the queue stays as it is."""
        if face in self.order or place.before is None or place.before not in self.order:
            return self
        if (place.before in self.set_aside) < place.aside:
            return self  # the face behind it is worth a look by now
        at = self.order.index(place.before)
        if (place.before in self.set_aside) > place.aside:
            at = len(self) - len(self.set_aside)
        aside = self.set_aside | {face} if place.aside else self.set_aside
        return Queue((*self.order[:at], face, *self.order[at:]), aside, self.scores, self.drawn)

    def with_added(self, faces: Iterable[int]) -> Queue:
        """New faces join before those set aside."""
        known = set(self.order)
        new = tuple(face for face in dict.fromkeys(faces) if face not in known)
        kept = tuple(f for f in self.order if f not in self.set_aside)
        aside = tuple(f for f in self.order if f in self.set_aside)
        return Queue(kept + new + aside, self.set_aside, self.scores, self.drawn)
