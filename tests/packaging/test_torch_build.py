"""Which build of torch suits a machine."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.packaging.programs import program

PYTORCH = "https://download.pytorch.org/whl/"


@pytest.mark.parametrize(
    ("wanted", "driver", "system", "kind", "requirement", "index"),
    [
        ("auto", None, "linux", "cpu", "torch=={}+cpu", PYTORCH + "cpu"),
        ("auto", (580, (9.0,)), "linux", "cuda", "torch==={}", ""),
        ("auto", (570, (9.0,)), "linux", "cuda", "torch=={}+cu126", PYTORCH + "cu126"),
        ("auto", (590, (8.6, 6.1)), "linux", "cuda", "torch=={}+cu126", PYTORCH + "cu126"),
        ("auto", (570, (12.0,)), "linux", "cpu", "torch=={}+cpu", PYTORCH + "cpu"),
        ("auto", (470, (3.5,)), "linux", "cpu", "torch=={}+cpu", PYTORCH + "cpu"),
        ("auto", (None, ()), "linux", "cuda", "torch==={}", ""),
        ("cpu", (580, (9.0,)), "linux", "cpu", "torch=={}+cpu", PYTORCH + "cpu"),
        ("cuda", None, "linux", "cuda", "torch==={}", ""),
        ("auto", None, "win32", "cpu", "torch==={}", ""),
        ("auto", (580, (8.9,)), "win32", "cuda", "torch=={}+cu130", PYTORCH + "cu130"),
        ("auto", (550, (8.9,)), "win32", "cuda", "torch=={}+cu126", PYTORCH + "cu126"),
        ("auto", None, "darwin", "cpu", "torch==={}", ""),
        ("cpu", None, "darwin", "cpu", "torch==={}", ""),
    ],
)
def test_the_build_of_torch(
    wanted: str, driver: Any, system: str, kind: str, requirement: str, index: str, load: Any
) -> None:
    module = load("torch_build")
    found = None if driver is None else module.Driver(*driver)
    build = module.choose(wanted, found, system, "arm64" if system == "darwin" else "x86_64")
    assert (build.kind, build.requirement, build.extra_index) == (kind, requirement.format(module.VERSION), index)
    assert re.search(rf"{kind.upper()} build \(.+\); about \d\.\d GB to download", build.describe())


@pytest.mark.parametrize(
    ("wanted", "driver", "system", "machine", "says"),
    [
        ("cuda", (470, (3.5,)), "linux", "x86_64", "update the driver"),
        ("cuda", None, "darwin", "arm64", "no CUDA on macOS"),
        ("auto", None, "darwin", "x86_64", "Intel"),
    ],
)
def test_no_build_of_torch(wanted: str, driver: Any, system: str, machine: str, says: str, load: Any) -> None:
    module = load("torch_build")
    with pytest.raises(module.BuildError, match=says):
        module.choose(wanted, driver and module.Driver(*driver), system, machine)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("580.82.07, 9.0\n", (580, (9.0,))),
        ("550.54.14, 8.9\n550.54.14, 6.1\n", (550, (8.9, 6.1))),
        ("535.10, [N/A]\n", (535, ())),
        ("No devices were found\n", None),
        ("", None),
    ],
)
def test_what_nvidia_smi_says(text: str, expected: Any, load: Any) -> None:
    module = load("torch_build")
    assert module.parse_driver(text) == (expected and module.Driver(*expected))


@pytest.mark.skipif(os.name == "nt", reason="stands in for a program by a shell script")
def test_a_driver_that_does_not_answer_is_none(load: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load("torch_build")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    program(tmp_path, "nvidia-smi", "echo '580.82.07, 9.0'")
    assert module.find_driver() == module.Driver(580, (9.0,))
    program(tmp_path, "nvidia-smi", "echo 'NVIDIA-SMI has failed'; exit 9")
    if not Path("/proc/driver/nvidia/version").exists():
        assert module.find_driver() is None
