"""Copies of a project, and what becomes of one whose file is deleted or replaced while it is open."""

from __future__ import annotations

import gc
import os
import sqlite3
import sys
from pathlib import Path

import pytest

from scaf_gui.core.document import Document
from scaf_gui.core.edits import skip
from scaf_gui.core.face import Face
from scaf_gui.errors import ProjectError
from scaf_gui.io import backups, database, files
from scaf_gui.io.store import ProjectStore
from tests.disks import small_disk

UNIX = pytest.mark.skipif(os.name == "nt", reason="Windows lets nobody delete an open file")


@pytest.fixture
def path(tmp_path: Path, scheme_file: Path, faces: list[Face]) -> Path:
    path = tmp_path / "a.scaf"
    with ProjectStore.create(path, scheme_file.read_text(encoding="utf-8"), tmp_path) as store:
        store.add_faces(faces)
    return path


def edit(store: ProjectStore, times: int = 1) -> list[Face]:
    """So many edits; returns the faces as they are then."""
    document = Document(store.scheme, store.faces(), store.commit)
    for _ in range(times):
        document.apply(skip(document.face(1)))
        document.undo()
    return list(document)


def test_the_last_copies_are_kept_numbered_in_order(path: Path) -> None:
    expected = []
    with ProjectStore.open(path) as store:
        assert store.keep_copy() is None, "nothing was edited yet"
        folder = path.with_name("a.scaf-data") / "copies"
        folder.mkdir(parents=True)
        for left in (".0001 (2 edits).scaf.new", ".0001 (2 edits).scaf.new-journal"):  # by a program that was killed
            (folder / left).write_bytes(b"half a copy")
        for _ in range(5):
            expected.append(edit(store))
            copy = store.keep_copy()
            assert copy is not None and store.keep_copy() == copy, "nothing was edited since"
    there = backups.copies(path)
    assert [copy.name for copy in there] == ["0003 (6 edits).scaf", "0004 (8 edits).scaf", "0005 (10 edits).scaf"]
    for copy, faces in zip(there, expected[2:], strict=True):
        with ProjectStore.open(copy) as store:
            assert store.faces() == faces and store.found == ""
    assert sorted(entry.name for entry in there[0].parent.iterdir()) == [copy.name for copy in there]


def test_a_damaged_project_names_its_last_copy(path: Path) -> None:
    with ProjectStore.open(path) as store:
        faces = edit(store)
        copy = store.keep_copy()
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ProjectError, match="is damaged") as caught:
        ProjectStore.open(path)
    assert copy is not None and f"put {copy} in its place, a copy from after 2 edits" in str(caught.value)
    path.write_bytes(copy.read_bytes())
    with ProjectStore.open(path) as store:
        assert store.faces() == faces


def test_without_room_there_is_no_copy_and_no_error(
    tmp_path: Path, scheme_file: Path, faces: list[Face], monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "disk", 200_000) as disk:
        with ProjectStore.create(disk / "a.scaf", scheme_file.read_text(encoding="utf-8"), disk) as store:
            store.add_faces(faces)
            edit(store)
            assert store.keep_copy() is None, "room for a copy, but not for the labels to come"
            monkeypatch.setattr(backups, "ROOM", 0)
            free = os.statvfs(disk)
            (disk / "filler").write_bytes(bytes((free.f_bavail - 4) * free.f_bsize))
            assert store.keep_copy() is None
            assert store.faces() == faces
        assert list((disk / "a.scaf-data").rglob("*.*")) == []


@UNIX
def test_a_project_that_is_deleted_while_open_is_written_anew(path: Path) -> None:
    store = ProjectStore.open(path)
    document = Document(store.scheme, store.faces(), store.commit)
    document.apply(skip(document.face(1)))
    path.unlink()
    for _ in range(2):
        with pytest.raises(ProjectError, match="deleted or replaced while open; all labels up to now were written"):
            document.apply(skip(document.face(2)))
    store.close()
    with ProjectStore.open(path) as store:
        assert store.faces() == list(document) and store.found == ""
    assert [entry.name for entry in path.parent.iterdir()] == ["a.scaf"]


@UNIX
def test_a_project_that_is_replaced_while_open_is_written_beside(path: Path) -> None:
    """As programs do that keep folders of several machines the same."""
    older = path.read_bytes()
    store = ProjectStore.open(path)
    document = Document(store.scheme, store.faces(), store.commit)
    document.apply(skip(document.face(1)))
    other = path.with_name("other")
    other.write_bytes(older)
    other.replace(path)
    with pytest.raises(ProjectError, match=r"a \(rescued\)\.scaf"):
        document.apply(skip(document.face(2)))
    store.close()
    assert path.read_bytes() == older
    with ProjectStore.open(path.with_name("a (rescued).scaf")) as store:
        assert store.faces() == list(document)


@UNIX
def test_a_project_that_cannot_be_written_anew_says_what_to_do(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    store = ProjectStore.open(path)
    path.unlink()
    monkeypatch.setattr(backups, "write_copy", full)
    with pytest.raises(ProjectError, match=r"disk is full.*export your labels before you close"):
        store.set("key", 1)
    store.close()


def test_no_file_is_left_open(path: Path) -> None:
    """A descriptor of a project that is closed too early gives its locks away, one that is kept fills the table."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("this system does not list open files")

    def mine() -> list[str]:
        names = (str(entry.readlink()) for entry in folder.iterdir() if entry.is_symlink())
        return [name for name in names if str(path) in name]

    for drop in (False, True):
        store = ProjectStore.open(path)
        store.set("key", 1)
        assert mine()
        if not drop:
            store.close()
        del store
        gc.collect()
        assert mine() == []


def test_a_new_project_never_takes_anothers_place(
    tmp_path: Path, scheme_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two windows make a project of one name at the same moment."""
    path = tmp_path / "a.scaf"
    text = scheme_file.read_text(encoding="utf-8")
    monkeypatch.setattr(os.path, "lexists", lambda _: False)
    with ProjectStore.create(path, text, tmp_path) as store:
        store.add_faces([Face(1, "a.jpg")])
        with pytest.raises(ProjectError, match="exists already"):
            ProjectStore.create(path, text, tmp_path)
        assert len(store.faces()) == 1
        store.set("key", 1)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.scaf"]


def test_a_macs_disk_is_told_to_keep_what_it_is_given(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ProjectStore.open(path) as store:
        for word in ("fullfsync", "checkpoint_fullfsync"):
            assert store._open_connection.execute(f"PRAGMA {word}").fetchone() == (1,)
        asked: list[object] = []
        fcntl = pytest.importorskip("fcntl")
        monkeypatch.setattr(sys, "platform", "darwin")
        monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
        monkeypatch.setattr(fcntl, "fcntl", lambda handle, command: asked.append(command))
        monkeypatch.setattr(files.os, "fsync", lambda handle: asked.append("fsync"))
        database.flush(path)
        assert asked == [51]
        monkeypatch.setattr(fcntl, "fcntl", _refuses)
        database.flush(path)
        assert asked == [51, "fsync"], "a file system that knows no such word"
        monkeypatch.undo()


def _refuses(*_: object) -> None:
    raise OSError(45, "Operation not supported")
