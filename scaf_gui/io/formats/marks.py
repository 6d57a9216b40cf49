"""Which landmark a label file means: by the scheme's names, or by numbers from 0 or from 1."""

from __future__ import annotations

from collections.abc import Collection

from scaf_gui.core.face import ATTRIBUTES
from scaf_gui.core.scheme import Scheme
from scaf_gui.io.formats.base import Attributes


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


def as_attributes(values: Collection[bool]) -> Attributes:
    """Six truth values in the order of ``core.face.ATTRIBUTES``."""
    assert len(values) == len(ATTRIBUTES)
    pose, expression, light, make_up, occlusion, blur = values
    return pose, expression, light, make_up, occlusion, blur
