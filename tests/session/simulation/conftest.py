"""Labelled folders of rendered faces, and rows of results without any training."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from scaf_gui.core.scheme import Scheme, load_scheme
from scaf_gui.paths import resource_folder
from scaf_gui.session.simulation.results import CIRCUMSTANCES, FIGURES, Row


@pytest.fixture
def labelled(rendered: Path, tmp_path: Path) -> tuple[Path, Path]:
    """(pool, test): 11 and 3 rendered faces, each with its ``.pts`` file beside it."""
    folders = tmp_path / "pool", tmp_path / "test"
    for number in range(1, 15):
        folder = folders[number > 11]
        folder.mkdir(exist_ok=True)
        shutil.copy(rendered / "images" / f"face_{number}.jpg", folder)
        shutil.copy(rendered / "truth" / f"face_{number}.pts", folder)
    return folders


@pytest.fixture(scope="session")
def scheme() -> Scheme:
    return load_scheme(resource_folder() / "schemes" / "300w-68.json")


@pytest.fixture
def make_row() -> Callable[..., Row]:
    """A row with settings and figures that may be changed by name."""

    def make(**changed: object) -> Row:
        row = {
            "pool": "300w", "pool_faces": "100", "scheme": "300w-68", "boxes": "true", "preset": "default",
            "preset_hash": "00000000", "skips": "on", "schedule": "joint", "base": "none", "max_seconds": "0",
            "acquisition": "random", "first": "10", "add": "10", "sample": "0", "labels": "10", "seed": "0",
            "test": "test", **dict.fromkeys(FIGURES, "1"), **dict.fromkeys(CIRCUMSTANCES, "1"),
        }  # fmt: skip
        return row | {name: str(value) for name, value in changed.items()}

    return make
