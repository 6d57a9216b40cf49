"""Which landmark a label file means: by the scheme's names, or by numbers from 0 or from 1."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats.xml import Element


def landmark_numbers(names: Collection[str], scheme: Scheme) -> dict[str, int]:
    """{name in the file: landmark} of the names that are landmarks of the scheme; others are left out.

    Numbers count from 0, unless there is no 0 and the number of landmarks is among them.
    """
    if any(name in scheme.names for name in names):
        places = {name: place for place, name in enumerate(scheme.names)}
        return {name: places[name] for name in names if name in places}
    numbers = {name: int(name) for name in names if name.isascii() and name.isdigit() and len(name) < 6}
    first = 1 if 0 not in numbers.values() and scheme.num_landmarks in numbers.values() else 0
    return {name: number - first for name, number in numbers.items() if 0 <= number - first < scheme.num_landmarks}


def by_landmark(marks: Sequence[Element], key: str, scheme: Scheme, path: Path) -> dict[int, Element]:
    """The marks of one face by landmark, whose name or number an attribute of theirs tells.

    :param key: that attribute
    :raises LabelFileError: a landmark that the scheme does not have, or the same one twice (names the line)
    """
    numbers = landmark_numbers({mark.attributes.get(key, "") for mark in marks}, scheme)
    found: dict[int, Element] = {}
    for mark in marks:
        name = mark.attributes.get(key, "")
        if name not in numbers:
            raise LabelFileError(f"has a landmark '{name[:40]}', which {scheme.id} does not have", path, mark.line)
        if numbers[name] in found:
            raise LabelFileError(f"has the landmark '{name[:40]}' twice in one face", path, mark.line)
        found[numbers[name]] = mark
    return found
