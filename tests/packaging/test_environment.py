"""When an environment is set up anew, and when not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


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
