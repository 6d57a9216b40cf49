"""System libraries that Qt needs, and what to do where they are not there."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.packaging.programs import program

ROOT = Path(__file__).resolve().parents[2]


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
