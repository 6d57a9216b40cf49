"""Labels taken in on the command line, where nothing can be undone."""

from __future__ import annotations

from pathlib import Path

from scaf_gui.session.project import open_project


def test_labels_that_are_overwritten_are_in_a_copy(here: Path, scaf) -> None:
    scaf("create", "p.scaf", "--images", "images", "--boxes", "whole", "--no-starter")
    command = ("import", "p.scaf", "--format", "300w", "--from", "truth")
    assert scaf(*command)["copy"] is None, "nothing was overwritten"
    before = {face.id: face for face in _faces(here / "p.scaf")}
    for path in (here / "truth").iterdir():
        path.write_text(path.read_text(encoding="ascii").replace("{\n", "{\n9", 1), encoding="ascii")
    assert scaf(*command)["copy"] is None and {face.id: face for face in _faces(here / "p.scaf")} == before
    assert scaf(*command, "--on-conflict", "replace", "--dry-run")["copy"] is None
    done = scaf(*command, "--on-conflict", "replace")
    assert done["replaced"] == len(before)
    assert {face.id: face for face in _faces(here / "p.scaf")} != before
    assert {face.id: face for face in _faces(Path(done["copy"]))} == before


def _faces(project: Path) -> list:
    session = open_project(project)
    try:
        return list(session.document)
    finally:
        session.close()
