"""Logs, copies and projects that do not belong together: nothing of either is lost, and nothing is mixed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from scaf_gui.core.face import Face
from scaf_gui.errors import ProjectError, ProjectLockedError
from scaf_gui.io.leftovers import settle
from scaf_gui.io.store import ProjectStore

ROOT = Path(__file__).parents[2]
CRASH = textwrap.dedent(
    """
    import os, signal, sys
    import numpy as np
    from pathlib import Path
    from scaf_gui.core.document import Document
    from scaf_gui.core.edits import set_label
    from scaf_gui.core.face import Author, Label
    from scaf_gui.io.store import ProjectStore

    store = ProjectStore.open(Path(sys.argv[1]))
    document = Document(store.scheme, store.faces(), store.commit)
    points = np.full((store.scheme.num_landmarks, 2), float(sys.argv[2]))
    for face in list(document)[-150:]:
        document.apply(set_label(face, Label.from_points(points, Author.now("Ann")), "Place", "Ann"))
    print("labelled", flush=True)
    if sys.argv[3:] == ["wait"]:
        sys.stdin.readline()
    os.kill(os.getpid(), signal.SIGKILL)
    """
)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGKILL")


@pytest.fixture
def path(tmp_path: Path, scheme_file: Path, faces: list[Face]) -> Path:
    path = tmp_path / "a.scaf"
    with ProjectStore.create(path, scheme_file.read_text(encoding="utf-8"), tmp_path) as store:
        store.add_faces([face for face in faces if face.label is not None])
        store.add_faces([Face(k, f"{k}.jpg") for k in range(1000, 1150)])
    return path


def crash(path: Path, value: float) -> None:
    """A program that labels each face at x = value, and is killed."""
    done = subprocess.run(
        [sys.executable, "-c", CRASH, str(path), str(value)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "labelled\n"), done.stderr
    assert log_of(path).stat().st_size > 0


def log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def labels(path: Path) -> set[float]:
    """The values that labels have there."""
    with ProjectStore.open(path) as store:
        return {float(face.label.points[0, 0]) for face in store.faces() if face.label is not None}


def files_of(folder: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in folder.iterdir()}


def test_the_log_of_a_killed_program_is_taken_in(path: Path) -> None:
    crash(path, 7.0)
    assert settle(path) == ""
    with ProjectStore.open(path) as store:
        assert store.found == ""
    assert labels(path) >= {7.0}


def test_a_copy_in_the_place_of_a_crashed_project_is_not_mixed_with_its_log(path: Path) -> None:
    copy = path.with_name("copy")
    with ProjectStore.open(path) as store:
        before = store.faces()
    shutil.copy(path, copy)
    with ProjectStore.open(path) as store:
        store.add_faces([Face(k, f"{k}.jpg") for k in range(2000, 3000)])
    crash(path, 7.0)
    log = log_of(path).read_bytes()
    shutil.copy(copy, path)
    with ProjectStore.open(path) as store:
        assert store.faces() == before
        assert "a.scaf-wal.other" in store.found
    assert files_of(path.parent) == {"a.scaf": path.read_bytes(), "copy": copy.read_bytes(), "a.scaf-wal.other": log}


def test_a_new_project_where_a_crashed_one_was_begins_empty(path: Path, scheme_file: Path) -> None:
    crash(path, 7.0)
    path.unlink()
    with ProjectStore.create(path, scheme_file.read_text(encoding="utf-8"), path.parent) as store:
        assert store.faces() == []
        assert "not taken in" in store.found
    assert (path.parent / "a.scaf-wal.other").exists()


def test_a_damaged_project_and_its_log_are_left_alone(path: Path) -> None:
    crash(path, 7.0)
    data = bytearray(path.read_bytes())
    data[8192 : 8192 + 4096 * 12] = b"\x5a" * 4096 * 12
    path.write_bytes(bytes(data))
    log_of(path).write_bytes(log_of(path).read_bytes()[:40000])  # a part of what was done since
    before = files_of(path.parent)
    with pytest.raises(ProjectError, match=r"is damaged, or its log a.scaf-wal does not fit it.*nothing was changed"):
        ProjectStore.open(path)
    assert files_of(path.parent) == before


def test_a_project_without_its_log_is_kept_as_it_was_found(path: Path) -> None:
    """A crashed project was moved, its log was forgotten: both together are still all of it."""
    crash(path, 7.0)
    away = path.parent / "away"
    away.mkdir()
    path.rename(away / "a.scaf")
    found = (away / "a.scaf").read_bytes()
    with ProjectStore.open(away / "a.scaf") as store:
        assert "a.scaf-wal is not beside it" in store.found and "a.scaf.as-found" in store.found
        store.set("key", "something else is written now")
    with ProjectStore.open(away / "a.scaf") as store:
        assert store.found == "", "said once"
    assert (away / "a.scaf.as-found").read_bytes() == found
    (away / "a.scaf.as-found").rename(path)
    assert labels(path) >= {7.0}


def test_what_another_program_has_open_is_not_looked_at(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scaf_gui.io.database._BUSY_SECONDS", 0.1)
    command = [sys.executable, "-c", CRASH, str(path), "7", "wait"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as other:
        assert other.stdin is not None and other.stdout is not None
        assert other.stdout.readline() == "labelled\n"
        log = log_of(path).rename(path.with_name("hidden"))  # as if it had none, or another's
        assert settle(path) == ""
        log.rename(log_of(path))
        with pytest.raises(ProjectLockedError):
            ProjectStore.open(path)
        other.stdin.close()
    assert labels(path) >= {7.0}


def test_a_name_in_use_gets_a_number(path: Path, scheme_file: Path) -> None:
    crash(path, 7.0)
    path.unlink()
    for _ in range(2):
        log_of(path).write_bytes(b"of something else")
        path.unlink(missing_ok=True)
        ProjectStore.create(path, scheme_file.read_text(encoding="utf-8"), path.parent).close()
    assert sorted(files_of(path.parent)) == ["a.scaf", "a.scaf-wal.other", "a.scaf-wal.other-2"]
