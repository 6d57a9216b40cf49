"""What is printed where a stream takes only some letters, or there is none at all: as on Windows."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from scaf_gui.app import main

ROOT = Path(__file__).parents[2]


def run(here: Path, encoding: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "scaf_gui", *words]
    return subprocess.run(command, capture_output=True, cwd=here, env=environment, check=False)


@pytest.mark.parametrize("encoding", ["cp1252:strict", "ascii:strict", "utf-8:strict"])
def test_a_pipe_of_few_letters_takes_every_name(tmp_path: Path, encoding: str) -> None:
    folder = tmp_path / "\u5199\u771f"
    folder.mkdir()
    for name in ("\u9854.png", "byte-\udcff.png"):
        try:
            (folder / name).write_bytes(cv2.imencode(".png", np.zeros((40, 40, 3), np.uint8))[1].tobytes())
        except (OSError, UnicodeError):
            continue  # a file system that takes only Unicode
    done = run(tmp_path, encoding, "create", "p.scaf", "--images", folder.name, "--boxes", "whole", "--no-starter")
    assert done.returncode == 0, done.stderr
    assert b"images" in done.stdout
    done = run(tmp_path, encoding, "info", "p.scaf", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["image_folder"] == str(folder)
    done = run(tmp_path, encoding, "import", "p.scaf", "--format", "300w", "--from", str(folder / "\u6a19"))
    assert done.returncode == 2 and b"does not exist" in done.stderr


def test_without_a_console_nothing_is_printed_and_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """pythonw gives no streams at all."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["schemes"]) == 0
    assert main(["info", "nowhere.scaf"]) == 2
    for stream in (sys.stdout, sys.stderr):
        assert isinstance(stream, io.TextIOWrapper)
        stream.close()
