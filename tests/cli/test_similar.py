"""``scaf-gui similar``: what it finds, and what it skips."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_similar(here: Path, scaf: Callable[..., Any]) -> None:
    shutil.copy(here / "images" / "face 3.png", here / "images" / "copy of 3.png")
    scaf("create", "p.scaf", "--images", "images", "--boxes", "whole", "--no-starter")
    pair = ["copy of 3.png", "face 3.png"]
    found = scaf("similar", "p.scaf")
    assert (found["groups"], found["photos"], found["skipped"]) == ([pair], 2, [])
    assert scaf("info", "p.scaf")["states"]["skipped"] == 0
    assert len(scaf("similar", "p.scaf", "--skip")["skipped"]) == 1
    assert scaf("info", "p.scaf")["states"]["skipped"] == 1
    assert scaf("similar", "p.scaf", "--skip")["skipped"] == []
    code, error = scaf("similar", "none.scaf", fails=True)
    assert code == 2 and "none.scaf" in error
