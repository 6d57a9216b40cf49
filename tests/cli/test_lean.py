"""The command that says how far labels lean."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scaf_gui.app import main
from scaf_gui.core import edits
from scaf_gui.core.face import Author, Label, Prediction
from scaf_gui.session.project import open_project


def test_lean(here: Path, scaf: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    scaf("create", "p.scaf", "--images", "images", "--boxes", "whole", "--no-starter")
    none = scaf("lean", "p.scaf")
    assert (none["shown"], none["blind"]) == (0, 0)
    assert none["verdict"] == "Not enough blind faces yet: 0 of 10"
    session = open_project(here / "p.scaf")
    session.blind.share = 0.5
    for face in session.document:
        points = np.random.default_rng(face.id).uniform(10, 90, (68, 2))
        session.document.set_predictions({face.id: Prediction(points, np.ones(68), "model")})
        session.blind.shown_to(face.id)
        if session.blind.hides(face.id):
            label = Label.from_points(points + 2, Author.now("me"))
            session.edit(edits.set_label(face, label, "Place", "me"))
        edit = edits.accept(session.document.face(face.id), session.blind.shown(face.id), "me")
        assert edit is not None
        session.edit(edit)
    blind = len(session.blind.placed)
    session.close()
    found = scaf("lean", "p.scaf")
    assert (found["shown"], found["blind"]) == (22 - blind, blind)
    assert found["landmarks"]["difference"] > 0
    assert set(found["groups"]) >= {"contour", "left_eye", "outer_lip"}
    assert found["untouched"] == 1.0
    capsys.readouterr()
    assert main(["lean", "p.scaf"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(found["verdict"] + ".\n")
    assert "left eye" in out


def test_a_file_that_is_no_project(here: Path, scaf: Callable[..., Any]) -> None:
    code, err = scaf("lean", "nowhere.scaf", fails=True)
    assert code == 2
    assert "nowhere.scaf" in err
