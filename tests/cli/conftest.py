"""The real command line on rendered faces."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scaf_gui.app import main
from tests.rendered import render_folder, shared_folder

FACES = 22


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``images/`` and ``truth/`` (68 points) of the same faces; rendered once."""
    return render_folder(shared_folder(tmp_path_factory) / "cli", FACES, 800, 96, "face {}.png")


@pytest.fixture
def here(rendered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder commands run in: it holds ``images`` and ``truth``, and no models are shipped."""
    shutil.copytree(rendered, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """A preset that trains the real network for a few small steps, by the name "tiny"."""
    from scaf_gui.learning.presets import PRESETS

    preset = replace(PRESETS["default"], name="tiny", batch=2, quick_steps=2, full_steps=3, full_epochs=1, ema=0.0)
    monkeypatch.setitem(PRESETS, "tiny", preset)


@pytest.fixture
def scaf(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run a command line: its JSON, or (exit code, standard error) with ``fails``."""

    def run(*words: object, fails: bool = False) -> Any:
        capsys.readouterr()
        code = main([str(word) for word in words] + ([] if fails else ["--json"]))
        out, err = capsys.readouterr()
        if fails:
            assert out == ""
            return code, err
        assert (code, err) == (0, "")
        assert out.count("\n") == 1
        return json.loads(out)

    return run
