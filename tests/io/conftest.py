"""Real files for the tests of scaf_gui.io."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from scaf_gui import paths
from scaf_gui.core.face import Author, Box, BoxSource, Face, Label, State
from scaf_gui.core.scheme import Scheme, load_scheme

settings.register_profile(
    "project",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.load_profile("project")


@pytest.fixture
def scheme_file() -> Path:
    return paths.resource_folder() / "schemes" / "five-5.json"


@pytest.fixture
def five(scheme_file: Path) -> Scheme:
    return load_scheme(scheme_file)


@pytest.fixture
def scheme_68() -> Scheme:
    return load_scheme(paths.resource_folder() / "schemes" / "300w-68.json")


@pytest.fixture
def scheme_98() -> Scheme:
    return load_scheme(paths.resource_folder() / "schemes" / "wflw-98.json")


@pytest.fixture
def faces() -> list[Face]:
    """Six faces of five landmarks: all states, with and without box and label, flags, odd names."""
    rng = np.random.default_rng(3)
    points = rng.normal(100, 200, (5, 2))
    with_missing = points.copy()
    with_missing[2] = np.nan
    author = Author("Zoë", "2024-05-06T07:08:09+00:00")
    label = Label(points, np.array([0, 1, 0, 0, 1]), np.array([1, 0, 0, 1, 0]), author, "model/7")
    missing = Label.from_points(with_missing, author)
    box = Box(-3.5, 2.25, 100.125, 80.0, BoxSource.DETECTOR, 0.75)
    return [
        Face(1, "a.jpg"),
        Face(2, "b c/ü.jpg", box, label, (True, False, True, False, False, True), State.LABELLED),
        Face(3, "new\nline.jpg", Box(0, 0, 5, 5, BoxSource.WHOLE), missing, state=State.STARTED),
        Face(4, "bytes-\udcff.jpg", box, state=State.SKIPPED),
        Face(7, "b c/ü.jpg", None, label, state=State.LABELLED),
        Face(9, "顔/猫.png", box, state=State.UNLABELLED),
    ]
