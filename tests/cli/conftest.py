"""The real command line on rendered faces."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import pytest

from scaf_gui.app import main
from scaf_gui.samples.render import render_face

FACES = 22


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``images/`` and ``truth/`` (68 points) of the same faces; rendered once."""
    folder = tmp_path_factory.mktemp("rendered")
    (folder / "images").mkdir()
    (folder / "truth").mkdir()
    for number in range(1, FACES + 1):
        face = render_face(800 + number, 96)
        cv2.imwrite(str(folder / "images" / f"face {number}.png"), cv2.cvtColor(face.image, cv2.COLOR_RGB2BGR))
        rows = [f"{x + 1:.6f} {y + 1:.6f}" for x, y in face.landmarks_68]
        text = "\n".join(["version: 1", "n_points:  68", "{", *rows, "}"])
        (folder / "truth" / f"face {number}.pts").write_text(text, encoding="ascii")
    return folder


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
