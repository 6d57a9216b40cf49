"""The label check: what in a face's landmarks looks like a slip of the hand. It never stands in the way of a label.

One function for each rule, under :func:`rule`; list, command line and hints follow from :data:`RULES`. A rule sees the
landmarks that an earlier rule has named and leaves them alone, so that one slip is reported once. Thresholds: see
tests/benchmarks/label_check.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from scaf_gui.core.arrays import BoolArray, ByteArray, FloatArray, IntArray
from scaf_gui.core.curves import deepest_crossing
from scaf_gui.core.face import Flag, Label
from scaf_gui.core.foreseen import Foreseen, surprises
from scaf_gui.core.metrics import normaliser
from scaf_gui.core.scheme import Scheme
from scaf_gui.core.typical import Typical

#: a left landmark this far on the right of its partner is swapped (share of the normaliser)
WRONG_SIDE = 0.04
#: neighbours are out of order where exchanging them makes the curve shorter by this (share of the normaliser, of it)
SHORTER, SHORTER_SHARE = 0.04, 0.12
#: neighbours nearer than this lie upon each other (share of the normaliser)
COINCIDENT = 0.004
#: ... and landmarks that usually keep apart, where they keep less than this of the usual distance
GAP_SHARE, GAP_LEAST = 0.12, 0.1
#: a landmark is unusual from this score and this distance on (share of the normaliser)
UNUSUAL, UNUSUAL_SHIFT = 4.5, 0.05
#: a placed landmark is far from a prediction that is sure of it from this score and this distance on
SURPRISE, SURPRISE_SHIFT = 5.05, 0.05
#: the whole face is mirrored where exchanging left and right fits so much better
MIRRORED = 1.6
#: accepted untouched in less than this many seconds
HASTY = 1.0


@dataclass(frozen=True)
class Finding:
    """What a rule found: its id, the landmarks concerned (may be none: the whole face), and why, with numbers."""

    rule: str
    landmarks: tuple[int, ...]
    reason: str


@dataclass(frozen=True, eq=False)
class Subject:
    """Landmarks to be checked.

    ``points`` (num_landmarks, 2) float64, image pixels, NaN where missing; ``flags`` (num_landmarks,) of :class:`Flag`;
    ``size`` (width, height) of the image if known; ``seconds`` that the face was looked at before it was accepted
    without a touch, ``None`` where it was not; ``member``: its place among the faces that ``typical`` was made of;
    ``reference`` (num_landmarks, 2): what a face looks like about, where there are too few labels for ``typical``;
    ``placed`` (num_landmarks,) bool: put there by a person, ``None``: none; ``accepted``: a person stands for all of
    them; ``foreseen``: what was predicted, if that may be spoken of.
    """

    scheme: Scheme
    points: FloatArray
    flags: ByteArray
    size: tuple[int, int] | None = None
    typical: Typical | None = None
    member: int | None = None
    seconds: float | None = None
    named: frozenset[int] = frozenset()
    reference: FloatArray | None = None
    placed: BoolArray | None = None
    accepted: bool = False
    foreseen: Foreseen | None = None

    @property
    def shape(self) -> FloatArray | None:
        """(num_landmarks, 2): what faces look like about, by their labels or else by ``reference``."""
        return self.typical.shape if self.typical is not None else self.reference

    @property
    def normaliser(self) -> float:
        """What distances are divided by, image pixels, never 0."""
        return max(normaliser(self.points, self.scheme), 1e-9)

    def name(self, landmark: int) -> str:
        """A landmark's name for people."""
        return self.scheme.names[landmark].replace("_", " ")


@dataclass(frozen=True)
class Rule:
    """A row of :data:`RULES`: ``title`` heads its findings, ``find`` gives them."""

    id: str
    title: str
    find: Callable[[Subject], Iterator[Finding]]


RULES: dict[str, Rule] = {}

Find = Callable[[Subject], Iterator[Finding]]


def rule(rule_id: str, title: str) -> Callable[[Find], Find]:
    """Register a rule; rules are asked in the order of their registration."""

    def register(find: Find) -> Find:
        RULES[rule_id] = Rule(rule_id, title, find)
        return find

    return register


def check(subject: Subject) -> tuple[Finding, ...]:
    """All findings of a face, in the order of the rules; none where there are no landmarks."""
    if not np.isfinite(subject.points).all(axis=1).any():
        return ()
    found: list[Finding] = []
    for one in RULES.values():
        new = tuple(one.find(subject))
        found += new
        subject = replace(subject, named=subject.named.union(*(finding.landmarks for finding in new)))
    return tuple(found)


def version(points: FloatArray, flags: ByteArray) -> str:
    """What "fine as it is" holds for: changes with each landmark and flag."""
    values = np.ascontiguousarray(points, "<f8").tobytes() + np.ascontiguousarray(flags, np.uint8).tobytes()
    return hashlib.blake2b(values, digest_size=8).hexdigest()


def subject_of(label: Label, scheme: Scheme) -> Subject:
    """A label as the rules see it."""
    points = np.where((label.flags == Flag.MISSING)[:, None], np.nan, label.points)
    return Subject(scheme, points, label.flags, placed=label.placed)


@rule("swapped", "Left and right swapped")
def swapped(subject: Subject) -> Iterator[Finding]:
    """Pairs of the scheme's flip that lie against the direction of most others; or all of them, by the usual shape."""
    scheme, points = subject.scheme, subject.points
    pairs = _pairs(scheme, subject.shape)
    across = points[pairs[:, 1]] - points[pairs[:, 0]]
    known = np.isfinite(across).all(axis=1)
    pairs, across = pairs[known], across[known]
    if len(pairs) < 2:
        return
    length = np.linalg.norm(across, axis=1, keepdims=True)
    axis = (across / np.maximum(length, 1e-9)).sum(axis=0)
    if subject.typical is not None and subject.typical.mirrored(points, scheme) > MIRRORED:
        reason = "All left landmarks lie on the right, and all right ones on the left"
        yield Finding("swapped", tuple(pairs.ravel().tolist()), reason)
        return
    if np.linalg.norm(axis) < 0.2 * len(pairs):
        return  # no direction to speak of: a face in full profile
    along = across @ (axis / np.linalg.norm(axis)) / subject.normaliser
    wrong = pairs[along < -WRONG_SIDE]
    if not len(wrong):
        return
    left = set(wrong[:, 0].tolist()) | set(wrong[:, 1].tolist())
    depth = 100 * float(-along.min())
    names = []
    for group in scheme.groups:
        partner = {scheme.flip[i] for i in group.landmarks}
        inside = set(group.landmarks)
        if len(inside) > 1 and inside <= left and partner <= left and min(inside) <= min(partner):
            other = next((g.name for g in scheme.groups if set(g.landmarks) == partner), group.name)
            one = group.name.replace("_", " ")
            names.append(one if other == group.name else f"{one} and {other.replace('_', ' ')}")
            left -= inside | partner
    names += [f"{subject.name(i)} and {subject.name(j)}" for i, j in wrong.tolist() if i in left]
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    verb = "lie" if len(names) > 1 or " and " in names[0] else "lies"
    reason = f"{', '.join(names[:2])}{more} {verb} the wrong way round, by up to {depth:.0f} %"
    yield Finding("swapped", tuple(sorted(wrong.ravel().tolist())), _capital(reason))


@rule("order", "Neighbours out of order")
def order(subject: Subject) -> Iterator[Finding]:
    """Two neighbours along a curve whose exchange would make the curve clearly shorter."""
    found: list[tuple[float, int, int]] = []
    for group in subject.scheme.groups:
        ring = [i for i in group.landmarks if np.isfinite(subject.points[i]).all()]
        if not group.curve or len(ring) < 4 or not subject.named.isdisjoint(ring):
            continue
        places = subject.points[ring] / subject.normaliser
        count = len(ring)
        for at in range(count if group.closed else count - 1):
            first, second = at, (at + 1) % count
            before = places[at - 1] if group.closed or at else None
            after = places[(at + 2) % count] if group.closed or at + 2 < count else None
            was, would = 0.0, 0.0
            if before is not None:
                was += _distance(before, places[first])
                would += _distance(before, places[second])
            if after is not None:
                was += _distance(places[second], after)
                would += _distance(places[first], after)
            gap = _distance(places[first], places[second])
            if was - would > max(SHORTER, SHORTER_SHARE * (was + gap)) and was - would > 0.5 * gap:
                found.append((was - would, ring[first], ring[second]))
    taken: set[int] = set()
    for gain, one, other in sorted(found, reverse=True):
        if taken.isdisjoint((one, other)):
            taken |= {one, other}
            reason = f"{subject.name(one)} and {subject.name(other)} look exchanged ({100 * gain:.0f} % longer)"
            yield Finding("order", (one, other), _capital(reason))


@rule("coincident", "Landmarks on one place")
def coincident(subject: Subject) -> Iterator[Finding]:
    """Neighbours upon each other, and landmarks that usually keep apart."""
    points, unit, scheme = subject.points, subject.normaliser, subject.scheme
    pairs = {tuple(sorted(pair)): COINCIDENT for group in scheme.groups for pair in group.segments()}
    if subject.typical is not None:
        gaps = np.triu(subject.typical.gap, 1)
        near = np.linalg.norm(points[:, None] - points[None], axis=2) / unit < GAP_SHARE * gaps
        for one, other in np.argwhere(near & (gaps > GAP_LEAST)).tolist():
            pairs[one, other] = GAP_SHARE * float(gaps[one, other])
    for (one, other), least in sorted(pairs.items()):
        distance = _distance(points[one], points[other]) / unit
        if distance < least and subject.named.isdisjoint((one, other)):
            reason = f"{subject.name(one)} and {subject.name(other)} lie {100 * distance:.1f} % apart"
            yield Finding("coincident", (one, other), _capital(reason))


@rule("crossing", "A curve crosses itself")
def crossing(subject: Subject) -> Iterator[Finding]:
    """Pieces of one curve that cross; those of lips and lids that nearly touch may."""
    for group in subject.scheme.groups:
        pieces = [p for p in group.segments() if np.isfinite(subject.points[list(p)]).all()]
        if len(pieces) < 3 or not subject.named.isdisjoint(group.landmarks):
            continue
        depth, pair = deepest_crossing(subject.points / subject.normaliser, pieces)
        if pair is not None and depth > SHORTER:
            (a, b), (c, d) = pair
            reason = f"{subject.name(a)} – {subject.name(b)} crosses {subject.name(c)} – {subject.name(d)}"
            yield Finding("crossing", (a, b, c, d), f"{_capital(reason)} by {100 * depth:.0f} %")


@rule("unusual", "Far from the usual shape")
def unusual(subject: Subject) -> Iterator[Finding]:
    """Landmarks that lie where no labelled face has them, judged from the rest of the face."""
    if subject.typical is None:
        return
    named = set(subject.named)
    far: list[tuple[int, float]] = []
    least = max(4, len(subject.points) // 2)
    while len(subject.points) - len(named) > least:
        odd = subject.typical.oddness(subject.points, subject.member, frozenset(named))
        score = np.where(odd.shift > UNUSUAL_SHIFT, odd.score, -np.inf)
        worst = int(np.nanargmax(np.nan_to_num(score, nan=-np.inf)))
        if not score[worst] > UNUSUAL:
            break
        far.append((worst, float(odd.shift[worst])))
        named.add(worst)
    if len(far) > max(2, len(subject.points) // 6):
        size = 100 * float(np.median([shift for _, shift in far]))
        reason = f"{len(far)} landmarks lie about {size:.0f} % from where the rest of the face has them"
        yield Finding("unusual", tuple(landmark for landmark, _ in far), reason)
        return
    for landmark, shift in far:
        reason = f"{subject.name(landmark)} lies {100 * shift:.0f} % from where the rest of the face has it"
        yield Finding("unusual", (landmark,), _capital(reason))


@rule("surprising", "Far from a sure prediction")
def surprising(subject: Subject) -> Iterator[Finding]:
    """Landmarks placed far from where a prediction has them that is sure of them; many of them are its own fault."""
    if subject.foreseen is None or subject.placed is None:
        return
    placed = subject.placed & (subject.flags != Flag.MISSING)
    unit = max(normaliser(subject.foreseen.points, subject.scheme), 1e-9)
    found = surprises(subject.foreseen, subject.points, placed, subject.accepted, unit, SURPRISE)
    if len(found) > max(2, len(subject.points) // 6):
        return
    for one in found:
        if one.shift > SURPRISE_SHIFT and one.landmark not in subject.named:
            far = f"{subject.name(one.landmark)} is {100 * one.shift:.0f} % from where expected"
            yield Finding("surprising", (one.landmark,), f"{_capital(far)} (common: {200 * one.usual:.0f} %)")


@rule("outside", "Outside the image")
def outside(subject: Subject) -> Iterator[Finding]:
    """Landmarks beyond the photo's edge that no flag says are hidden: they are guesses."""
    if subject.size is None:
        return
    width, height = subject.size
    x, y = np.nan_to_num(subject.points[:, 0]), np.nan_to_num(subject.points[:, 1])
    beyond = np.maximum.reduce([-0.5 - x, x - width + 0.5, -0.5 - y, y - height + 0.5])
    out = np.flatnonzero((beyond > 0.5) & (subject.flags == Flag.VISIBLE))
    if len(out):
        first = subject.name(int(out[np.argmax(beyond[out])]))
        what = _capital(first) if len(out) == 1 else f"{len(out)} landmarks"
        far = f"{'is' if len(out) == 1 else 'are up to'} {beyond[out].max():.0f} pixels outside the image"
        yield Finding("outside", tuple(out.tolist()), f"{what} {far}, not flagged occluded")


@rule("hasty", "Accepted at once, untouched")
def hasty(subject: Subject) -> Iterator[Finding]:
    """Pre-filled landmarks that nobody can have looked at."""
    if subject.seconds is not None and subject.seconds < HASTY:
        yield Finding("hasty", (), f"Accepted as pre-filled, {subject.seconds:.1f} s after it was shown")


def _pairs(scheme: Scheme, shape: FloatArray | None) -> IntArray:
    """(P, 2) landmarks and their partners, all to the same side: by a mean shape, else by their names."""
    both = np.array([(i, j) for i, j in enumerate(scheme.flip) if i < j], dtype=np.int64).reshape(-1, 2)
    if shape is not None:
        across = shape[both[:, 1]] - shape[both[:, 0]]
        turned = across @ _symmetry_axis(both, shape) < 0
        both[turned] = both[turned][:, ::-1]
        return both
    named = [(i, j) for i, j in both.tolist() if "left" in scheme.names[i] and "right" in scheme.names[j]]
    named += [(j, i) for i, j in both.tolist() if "right" in scheme.names[i] and "left" in scheme.names[j]]
    return np.array(named, dtype=np.int64).reshape(-1, 2)


def _symmetry_axis(pairs: IntArray, shape: FloatArray) -> FloatArray:
    """The direction that landmarks and their partners differ by most; its sign means nothing."""
    across = shape[pairs[:, 1]] - shape[pairs[:, 0]]
    axis: FloatArray = np.linalg.svd(across)[2][0] if len(across) else np.zeros(2)
    return axis


def _distance(one: FloatArray, other: FloatArray) -> float:
    return float(np.hypot(*(one - other)))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
