"""A project of version 1, built as that version built it, becomes one of today."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from scaf_gui.core.edits import move_landmark
from scaf_gui.core.face import Author, Flag, State
from scaf_gui.errors import ProjectError
from scaf_gui.io import schema
from scaf_gui.io.store import ProjectStore

VERSION_1 = """
CREATE TABLE project (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE image (name TEXT PRIMARY KEY, hash TEXT NOT NULL, size INTEGER NOT NULL, mtime REAL NOT NULL);
CREATE TABLE face (
    id INTEGER PRIMARY KEY,
    image TEXT NOT NULL,
    box_x REAL, box_y REAL, box_width REAL, box_height REAL, box_source TEXT, box_confidence REAL,
    points BLOB, flags BLOB, author TEXT, written TEXT,
    attributes INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL
);
CREATE INDEX face_image ON face (image);
CREATE TABLE edit_log (id INTEGER PRIMARY KEY, title TEXT NOT NULL, author TEXT NOT NULL,
    written TEXT NOT NULL, faces TEXT NOT NULL);
PRAGMA application_id = 1396916550;
PRAGMA user_version = 1;
"""
POINTS = np.arange(10.0).reshape(5, 2) + 0.25


@pytest.fixture
def old(tmp_path: Path, scheme_file: Path) -> Path:
    path = tmp_path / "old.scaf"
    connection = sqlite3.connect(path)
    connection.executescript(VERSION_1)
    connection.executemany(
        "INSERT INTO project VALUES (?, ?)",
        [
            ("scheme", scheme_file.read_text(encoding="utf-8")),
            ("image_folder", '"/somewhere/faces"'),
            ("image_folder_relative", "null"),
            ("path", f'"{path}"'),
        ],
    )
    label = (POINTS.astype("<f8").tobytes(), bytes([0, 0, 1, 0, 0]), "Ann", "2023-01-02T03:04:05+00:00")
    connection.execute(
        "INSERT INTO face VALUES (1, 'a.jpg', 1, 2, 30, 40, 'drawn', 1.0, ?, ?, ?, ?, 5, 'labelled')", label
    )
    connection.execute("INSERT INTO face (id, image, state) VALUES (2, 'b.jpg', 'unlabelled')")
    connection.execute("INSERT INTO meta VALUES ('seed', '17')")
    connection.execute("INSERT INTO edit_log VALUES (1, 'Accept face', 'Ann', '2023-01-02T03:04:05+00:00', '[1]')")
    connection.commit()
    connection.close()
    return path


def test_faces_that_an_older_program_removed_keep_their_ids(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute("INSERT INTO edit_log VALUES (2, 'Delete face', '', '2023-01-02T03:04:06+00:00', '[3]')")
    with ProjectStore.open(old) as store:
        assert store.highest_id() == 3


def test_nothing_is_lost_on_the_way(old: Path) -> None:
    with ProjectStore.open(old) as store:
        first, second = store.faces()
        assert store.get("seed") == 17
        assert store.edit_log() == [("Accept face", "Ann", "2023-01-02T03:04:05+00:00", (1,))]
        assert store.image_folder == Path("/somewhere/faces")
    assert (first.image, first.state, first.attributes) == (
        "a.jpg",
        State.LABELLED,
        (True, False, True, False, False, False),
    )
    assert first.label is not None
    assert (first.label.points == POINTS).all()
    assert first.label.flags.tolist() == [0, 0, Flag.OCCLUDED, 0, 0]
    assert first.label.placed.all(), "an older label counts as put by hand: nothing will move it"
    assert first.label.author == Author("Ann", "2023-01-02T03:04:05+00:00")
    assert (second.image, second.label) == ("b.jpg", None)


def test_a_copy_of_the_old_file_is_kept(old: Path) -> None:
    before = sqlite3.connect(old)
    rows = before.execute("SELECT * FROM face").fetchall()
    before.close()
    ProjectStore.open(old).close()
    copy = old.with_name("old.scaf.version-1")
    kept = sqlite3.connect(copy)
    assert kept.execute("SELECT * FROM face").fetchall() == rows
    assert kept.execute("PRAGMA user_version").fetchone() == (1,)
    kept.close()
    assert sorted(entry.name for entry in old.parent.iterdir()) == ["old.scaf", "old.scaf.version-1"]
    ProjectStore.open(old).close()
    assert sorted(entry.name for entry in old.parent.iterdir()) == ["old.scaf", "old.scaf.version-1"]


def test_the_result_is_a_project_of_today(old: Path, tmp_path: Path, scheme_file: Path) -> None:
    with ProjectStore.open(old) as store:
        edit = move_landmark(store.faces()[0], None, 1, 8.0, 9.0, "Bob")
        assert edit is not None
        store.commit(edit)
    with ProjectStore.open(old) as store:
        label = store.faces()[0].label
        assert label is not None and label.points[1].tolist() == [8.0, 9.0]
    ProjectStore.create(tmp_path / "new.scaf", scheme_file.read_text(encoding="utf-8"), tmp_path).close()

    def shape(path: Path) -> dict[str, set[str]]:
        connection = sqlite3.connect(path)
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {table: {row[1] for row in connection.execute(f"PRAGMA table_info({table})")} for table in tables}
        connection.close()
        return found

    assert shape(old) == shape(tmp_path / "new.scaf")


def test_a_failing_step_changes_nothing(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = old.read_bytes()

    def fails(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE face ADD COLUMN placed BLOB")
        connection.execute("DELETE FROM face")
        connection.execute("this is no SQL")

    monkeypatch.setitem(schema.MIGRATIONS, 1, fails)
    with pytest.raises(ProjectError, match=r"could not be migrated to version 2 .*nothing was changed"):
        ProjectStore.open(old)
    assert old.read_bytes() == before
    monkeypatch.undo()
    with ProjectStore.open(old) as store:
        assert len(store.faces()) == 2
    assert old.with_name("old.scaf.version-1-2").exists(), "the copy of the first attempt is not overwritten"


def test_a_version_without_a_step_is_refused(old: Path) -> None:
    connection = sqlite3.connect(old)
    connection.execute("PRAGMA user_version = 0")
    connection.close()
    with pytest.raises(ProjectError, match="schema version 0, which this program cannot migrate"):
        ProjectStore.open(old)


def test_every_older_version_has_a_step() -> None:
    assert sorted(schema.MIGRATIONS) == list(range(1, schema.VERSION))
