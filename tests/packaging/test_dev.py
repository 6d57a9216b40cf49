"""The one command: its help, what it refuses, the checks it runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"


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
    started, beside = list[list[str]](), list[list[str]]()

    def call(command: list[str], **more: Any) -> int:
        started.append(command)
        return 1 if "ruff" in command else 0

    def run(command: list[str], **more: Any) -> subprocess.CompletedProcess[str]:
        beside.append(command)
        return subprocess.CompletedProcess(command, 1 if "darwin" in command else 0, f"checked {len(beside)}\n")

    monkeypatch.setattr(module.subprocess, "call", call)
    monkeypatch.setattr(module.subprocess, "run", run)
    assert module.run_checks(environment, ["-k", "queue"]) == 1
    commands = module.checks(environment, ["-k", "queue"])
    assert beside == [commands[name] for name in module.BESIDE] and len(beside) == 2
    assert started == [command for command in commands.values() if command not in beside]
    how = ["-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder"]
    assert started[-1][1:] == ["-m", "pytest", *how, "-k", "queue"]
    said = capfd.readouterr().out
    assert "FAILED  ruff check" in said and re.search(r"ok +tests", said)
    assert "=== types, macOS ===\nchecked 2\n" in said and "FAILED  types, macOS" in said
    assert re.search(r"ok +types, Windows", said)


def test_ci_runs_exactly_the_checks() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert lines[0].endswith("bash") and "set -eu" in lines
    assert [line for line in lines if "dev.py" in line] == ["python3 packaging/dev.py test"]
    assert os.name == "nt" or os.access(ROOT / ".ci" / "run", os.X_OK)
