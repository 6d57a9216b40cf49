"""Landmark schemes: which landmarks there are, and how they hang together.

A scheme is a JSON file; the shipped ones lie in ``resources/schemes``. See docs/schemes.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from scaf_gui.core.arrays import FloatArray
from scaf_gui.errors import SchemeError

#: one landmark as a weighted sum of another scheme's landmarks: ((index, weight), ...)
Mix = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Group:
    """Landmarks that belong together, in drawing order; ``closed`` joins the last to the first.

    A group with ``curve`` false is a set of single points (pupils): no lines are drawn.
    """

    name: str
    landmarks: tuple[int, ...]
    closed: bool = False
    curve: bool = True

    def segments(self) -> tuple[tuple[int, int], ...]:
        """Pairs of neighbouring landmarks along the curve."""
        if not self.curve:
            return ()
        ring = self.landmarks + self.landmarks[:1] if self.closed else self.landmarks
        return tuple(pairwise(ring))


@dataclass(frozen=True)
class Scheme:
    """A landmark scheme.

    ``flip`` is a permutation: landmark ``i`` of a mirrored face is landmark ``flip[i]`` of the face.
    ``normaliser`` is the pair of landmarks whose distance divides errors (outer eye corners).
    ``corners`` are landmarks whose position along their curve means something too.
    ``aliases[other]`` gives every landmark of this scheme as a :data:`Mix` of the other's.
    ``face_box`` (dx, dy, scale) turns the tight box of this scheme's landmarks into the canonical
    face box: the shift is in units of the box's side, the scale multiplies the side.
    """

    id: str
    title: str
    names: tuple[str, ...]
    groups: tuple[Group, ...]
    corners: frozenset[int]
    edges: tuple[tuple[int, int], ...]
    flip: tuple[int, ...]
    normaliser: tuple[int, int] | None
    aliases: Mapping[str, tuple[Mix, ...]]
    face_box: tuple[float, float, float] = (0.0, 0.0, 1.0)

    @property
    def spans_the_face(self) -> bool:
        """Whether its landmarks say where the face is: they have its contour, or a rule of their own for it."""
        return self.face_box != (0.0, 0.0, 1.0) or any(group.name == "contour" for group in self.groups)

    @property
    def num_landmarks(self) -> int:
        return len(self.names)

    @property
    def walk(self) -> tuple[int, ...]:
        """All landmarks in anatomical order: group by group along the curves, then those of no group."""
        grouped = [landmark for group in self.groups for landmark in group.landmarks]
        return tuple(dict.fromkeys([*grouped, *range(self.num_landmarks)]))

    def neighbours(self, landmark: int) -> tuple[int | None, int | None]:
        """The landmarks before and after one along its curve; ``None`` at an end or off curves."""
        for group in self.groups:
            if not group.curve or landmark not in group.landmarks:
                continue
            at, count = group.landmarks.index(landmark), len(group.landmarks)
            before = group.landmarks[at - 1] if at > 0 or (group.closed and count > 2) else None
            after_at = (at + 1) % count
            after = group.landmarks[after_at] if after_at > 0 or (group.closed and count > 2) else None
            return before, after
        return None, None

    def slides(self, landmark: int) -> tuple[int, int] | None:
        """Neighbours of a landmark that is *inside* a curve and no corner, else ``None``.

        Such a landmark is right anywhere along its curve: only its distance across counts.
        """
        before, after = self.neighbours(landmark)
        if landmark in self.corners or before is None or after is None:
            return None
        return before, after

    def matrix_from(self, source: Scheme) -> FloatArray | None:
        """How to make this scheme's landmarks from another's.

        :returns: (num_landmarks, source.num_landmarks) float64 with ``points = matrix @ source_points``
            by the identity, the declared alias, or interpolation along groups of the same names;
            ``None`` where the other scheme does not reach this one.
        """
        if source.id == self.id and source.num_landmarks == self.num_landmarks:
            return np.eye(self.num_landmarks)
        mixes = self.aliases.get(source.id) or _mixes_along_curves(self, source)
        if mixes is None:
            return None
        matrix = np.zeros((self.num_landmarks, source.num_landmarks))
        for row, mix in enumerate(mixes):
            for column, weight in mix:
                if column >= source.num_landmarks:
                    raise SchemeError(
                        f"landmark {row} of {self.id} names landmark {column} of {source.id}, "
                        f"which has only {source.num_landmarks}"
                    )
                matrix[row, column] += weight
        return matrix


def _mixes_along_curves(target: Scheme, source: Scheme) -> tuple[Mix, ...] | None:
    """Interpolate along groups of the same name, evenly in landmark count."""
    mixes: list[Mix | None] = [None] * target.num_landmarks
    by_name = {group.name: group for group in source.groups}
    for group in target.groups:
        other = by_name.get(group.name)
        if other is None or (other.closed, other.curve) != (group.closed, group.curve):
            return None
        count, have = len(group.landmarks), len(other.landmarks)
        if count != have and (not group.curve or have < 2):
            return None
        steps = (count, have) if group.closed else (max(count - 1, 1), have - 1)
        for place, landmark in enumerate(group.landmarks):
            along = place * steps[1] / steps[0]
            low = int(along)
            share = along - low
            mix = [(other.landmarks[low % have], 1.0 - share)]
            if share > 1e-9:
                mix.append((other.landmarks[(low + 1) % have], share))
            mixes[landmark] = tuple(mix)
    return None if None in mixes else tuple(mix for mix in mixes if mix is not None)


def load_scheme(path: Path) -> Scheme:
    """Read a scheme file.

    :raises SchemeError: naming the file and what in it is wrong
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SchemeError(f"cannot be read ({error.strerror})", path) from error
    except json.JSONDecodeError as error:
        raise SchemeError(f"is not JSON: {error.msg}", path, error.lineno) from error
    except UnicodeDecodeError as error:
        raise SchemeError("is not UTF-8 text", path) from error
    try:
        return parse_scheme(data)
    except SchemeError as error:
        raise SchemeError(str(error), path) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SchemeError(f"is not a landmark scheme ({error!r}); see docs/schemes.md", path) from error


def parse_scheme(data: Mapping[str, Any]) -> Scheme:
    """Build a scheme from its JSON value; raises :class:`SchemeError` with what is wrong."""
    for key in ("id", "landmarks"):
        if key not in data:
            raise SchemeError(f"a landmark scheme needs '{key}'")
    names = tuple(str(name) for name in data["landmarks"])
    count = len(names)
    if count < 1:
        raise SchemeError("a landmark scheme needs at least one landmark")
    if len(set(names)) != count:
        raise SchemeError("two landmarks have the same name")

    if int(data.get("format", 1)) > 1:
        raise SchemeError("was written for a newer version of this program")

    def checked(values: Any, what: str) -> tuple[int, ...]:
        for index in values:
            if not isinstance(index, int) or isinstance(index, bool):
                raise SchemeError(f"{what} names landmark {index!r}, which is not a whole number")
            if not 0 <= index < count:
                raise SchemeError(f"{what} names landmark {index}, but there are only {count}")
        return tuple(values)

    groups = tuple(
        Group(
            str(group["name"]),
            checked(group["landmarks"], f"group '{group['name']}'"),
            bool(group.get("closed", False)),
            bool(group.get("curve", True)),
        )
        for group in data.get("groups", [])
    )
    flip = list(range(count))
    for pair in data.get("flip_pairs", []):
        left, right = checked(pair, "a flip pair")
        if flip[left] != left or flip[right] != right:
            raise SchemeError(f"landmark {left} or {right} stands in two flip pairs")
        flip[left], flip[right] = right, left
    normaliser = data.get("normaliser")
    pair = None
    if normaliser is not None:
        first, second = checked(normaliser, "the normaliser")
        if first == second:
            raise SchemeError("the normaliser needs two different landmarks")
        pair = (first, second)
    edges = (
        tuple((a, b) for a, b in (checked(edge, "an edge") for edge in data["edges"]))
        if "edges" in data
        else tuple(segment for group in groups for segment in group.segments())
    )
    dx, dy, scale = data.get("face_box", (0.0, 0.0, 1.0))
    return Scheme(
        id=str(data["id"]),
        title=str(data.get("title", data["id"])),
        names=names,
        groups=groups,
        corners=frozenset(checked(data.get("corners", []), "a corner")),
        edges=edges,
        flip=tuple(flip),
        normaliser=pair,
        aliases={other: _parse_mixes(mixes, count, other) for other, mixes in data.get("aliases", {}).items()},
        face_box=(float(dx), float(dy), float(scale)),
    )


def _parse_mixes(mixes: Any, count: int, other: str) -> tuple[Mix, ...]:
    """An entry is an index (copy that landmark) or a list of [index, weight]."""
    if len(mixes) != count:
        raise SchemeError(f"the alias to {other} has {len(mixes)} entries for {count} landmarks")
    return tuple(_parse_mix(mix, f"entry {row} of the alias to {other}") for row, mix in enumerate(mixes))


def _parse_mix(mix: Any, what: str) -> Mix:
    """Weights are made to add up to exactly 1: else the landmarks of a face far from (0, 0) would be off."""
    pairs = ((mix, 1.0),) if isinstance(mix, int) else tuple((index, float(weight)) for index, weight in mix)
    for index, _ in pairs:
        if not isinstance(index, int) or index < 0:
            raise SchemeError(f"{what} names landmark {index!r}, which cannot be")
    total = sum(weight for _, weight in pairs)
    if not abs(total - 1.0) < 1e-3:
        raise SchemeError(f"the weights in {what} add up to {total:g}, not 1")
    return tuple((index, weight / total) for index, weight in pairs)
