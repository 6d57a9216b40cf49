"""The tilt of the eyes, on the shipped schemes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.level import eyes_tilt
from scaf_gui.core.scheme import Group, Scheme, load_scheme
from scaf_gui.paths import resource_folder
from scaf_gui.samples.render import render_face


def shipped(name: str) -> Scheme:
    return load_scheme(resource_folder() / "schemes" / f"{name}.json")


def turned(points: FloatArray, angle: float) -> FloatArray:
    """Clockwise as images are seen."""
    cos, sin = math.cos(angle), math.sin(angle)
    made: FloatArray = points @ np.array([[cos, sin], [-sin, cos]])
    return made


@pytest.fixture(scope="module")
def face() -> FloatArray:
    return np.asarray(render_face(3, 128).landmarks_68)


@pytest.mark.parametrize("degrees", [0, 12, -35, 80, 100, -100, 170, -170])
def test_a_turned_face_is_turned_back(face: FloatArray, degrees: float) -> None:
    scheme = shipped("300w-68")
    own = eyes_tilt(face, scheme)
    assert own is not None
    assert abs(own) < math.radians(30)
    tilt = eyes_tilt(turned(face, math.radians(degrees)), scheme)
    assert tilt is not None
    assert math.remainder(tilt - own - math.radians(degrees), 2 * math.pi) == pytest.approx(0, abs=1e-9)
    level = turned(turned(face, math.radians(degrees)), -tilt)
    left, right = level[36:42].mean(axis=0), level[42:48].mean(axis=0)
    assert left[1] == pytest.approx(right[1], abs=1e-6)
    assert level[8, 1] > left[1], "the chin is below the eyes"


def test_without_eye_groups_the_normaliser_counts() -> None:
    scheme = shipped("five-5")
    points = np.array([[10.0, 10.0], [30.0, 20.0], [17.0, 25.0], [8.0, 30.0], [22.0, 38.0]])
    assert eyes_tilt(points, scheme) == pytest.approx(math.atan2(10, 20))
    assert eyes_tilt(points[[1, 0, 2, 3, 4]], scheme) == pytest.approx(math.atan2(10, 20)), "whichever eye comes first"


def test_nothing_is_turned_where_nothing_is_known(face: FloatArray) -> None:
    scheme = shipped("300w-68")
    unknown = face.copy()
    unknown[[36, 37]] = np.nan
    assert eyes_tilt(unknown, scheme) is None
    one = Scheme("one", "One", ("p",), (), frozenset(), (), (0,), None, {})
    assert eyes_tilt(np.array([[3.0, 4.0]]), one) is None
    pair = Scheme("two", "Two", ("a", "b"), (Group("a", (0, 1)),), frozenset(), (), (1, 0), (0, 1), {})
    assert eyes_tilt(np.array([[3.0, 4.0], [3.0, 4.0]]), pair) is None, "both on one place"
    assert eyes_tilt(np.array([[9.0, 4.0], [3.0, 4.0]]), pair) == pytest.approx(0.0), "the smaller turn"
