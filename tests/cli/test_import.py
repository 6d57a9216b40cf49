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


def test_what_cannot_be_read(here: Path, scaf) -> None:
    scaf("create", "p.scaf", "--images", "images", "--boxes", "whole", "--no-starter")
    command = ("import", "p.scaf", "--format", "300w", "--from", "truth")
    broken = sorted((here / "truth").iterdir())[:3]
    whole = len(list((here / "truth").iterdir()))
    broken[0].write_text("nothing", encoding="ascii")
    code, told = scaf(*command, fails=True)
    assert code == 2 and told.count("\n") == 1 and f"{broken[0].name}, line 1: is not a .pts file" in told
    assert "leave it out with --skip-broken" in told
    for path in broken:
        path.write_text("version: 1\n{\n", encoding="ascii")
    for more in ((), ("--dry-run",), ("--on-conflict", "replace")):
        code, told = scaf(*command, *more, fails=True)
        lines = told.splitlines()
        assert code == 2 and len(lines) == 4 and "3 faces, lines or files cannot be read" in lines[-1]
        assert [path.name in line for path, line in zip(broken, lines, strict=False)] == [True] * 3
    assert not any(face.label for face in _faces(here / "p.scaf"))
    done = scaf(*command, "--skip-broken")
    assert (done["imported"], done["broken"]) == (whole - 3, 3)
    assert done["broken_entries"] == [[path.name, "is truncated: the closing brace is missing"] for path in broken]
    for number in range(150):
        (here / "truth" / f"z{number}.pts").write_text("nothing", encoding="ascii")
    code, told = scaf(*command, fails=True)
    assert code == 2 and len(told.splitlines()) == 102 and "and 53 more" in told


def _faces(project: Path) -> list:
    session = open_project(project)
    try:
        return list(session.document)
    finally:
        session.close()
