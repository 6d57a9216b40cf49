"""The command that looks for slips."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scaf_gui.app import main


def test_check(here: Path, scaf: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    scaf("create", "p.scaf", "--images", "images", "--boxes", "whole", "--no-starter")
    none = scaf("check", "p.scaf")
    assert (none["labelled"], none["findings"], none["statistics"]) == (0, [], False)
    truth = here / "truth" / "face 3.pts"
    lines = truth.read_text(encoding="ascii").splitlines()
    lines[3 + 4], lines[3 + 5] = lines[3 + 5], lines[3 + 4]
    truth.write_text("\n".join(lines), encoding="ascii")
    scaf("label-from", "p.scaf", "truth", "--count", "22")
    found = scaf("check", "p.scaf")
    assert (found["labelled"], found["statistics"]) == (22, True)
    (slip,) = (row for row in found["findings"] if row["rule"] == "order")
    assert slip["image"] == "face 3.png"
    assert slip["landmarks"] == ["contour_04", "contour_05"]
    assert slip["fine"] is False
    assert found["rules"]["order"] == 1
    capsys.readouterr()
    assert main(["check", "p.scaf"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("22 labelled faces, ")
    assert "face 3.png  Neighbours out of order" in out


def test_a_file_that_is_no_project(here: Path, scaf: Callable[..., Any]) -> None:
    code, err = scaf("check", "nowhere.scaf", fails=True)
    assert code == 2
    assert "nowhere.scaf" in err
