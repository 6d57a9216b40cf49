"""The project file: what goes in comes out, and is on disk when commit returns."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaf_gui.core.document import Document
from scaf_gui.core.edits import Change, Edit, accept, move_landmark, skip
from scaf_gui.core.face import Author, Face, State
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import EditError, ProjectError, SchemeError
from scaf_gui.io import database
from scaf_gui.io.images import content_hash
from scaf_gui.io.store import ProjectStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "my faces.scaf"


@pytest.fixture
def filled(path: Path, scheme_file: Path, faces: list[Face]) -> Path:
    with ProjectStore.create(path, scheme_file.read_text(encoding="utf-8"), path.parent) as store:
        store.add_faces(faces)
    return path


def test_a_new_project_is_empty_and_knows_its_scheme(path: Path, scheme_file: Path, five: Scheme) -> None:
    text = scheme_file.read_text(encoding="utf-8")
    with ProjectStore.create(path, text, path.parent / "images") as store:
        assert store.faces() == []
        assert store.scheme == five
        assert store.scheme_json == text
        assert store.image_folder == path.parent / "images"
        assert store.path == path
        assert store.journal_note == ""
        assert store.get("model") is None


def test_faces_come_back_as_they_went_in(filled: Path, faces: list[Face]) -> None:
    with ProjectStore.open(filled) as store:
        assert store.faces() == faces


def test_ids_are_given_once_and_bulk_adding_is_all_or_nothing(filled: Path, faces: list[Face]) -> None:
    with ProjectStore.open(filled) as store:
        with pytest.raises(EditError, match="nothing was added"):
            store.add_faces([Face(100, "new.jpg"), Face(1, "again.jpg")])
        assert store.faces() == faces
        store.add_faces([Face(100, "new.jpg")])
    with ProjectStore.open(filled) as store:
        assert store.faces() == [*faces, Face(100, "new.jpg")]


def test_a_document_on_a_store_survives_edits_undo_and_reopening(filled: Path) -> None:
    with ProjectStore.open(filled) as store:
        document = Document(store.scheme, store.faces(), store.commit)
        edit = move_landmark(document.face(2), None, 3, 17.5, -2.25, "Ann", "mouth")
        assert edit is not None
        document.apply(edit)
        document.apply(skip(document.face(1)))
        accepted = accept(document.face(7), None, "Bob")
        assert accepted is not None
        document.apply(accepted)
        document.apply(Edit("Remove face", (Change(document.face(9), None),)))
        document.undo()
        document.undo()
        expected = list(document)
    with ProjectStore.open(filled) as store:
        assert store.faces() == sorted(expected, key=lambda face: face.id)
        log = store.edit_log()
    assert [entry[0] for entry in log] == [
        "Move mouth",
        "Skip face",
        "Accept face",
        "Remove face",
        "Remove face",
        "Accept face",
    ]
    assert [entry[1] for entry in log[:3]] == ["Ann", "", "Bob"]
    assert [entry[3] for entry in log[:3]] == [(2,), (1,), (7,)]
    assert log[0][2].startswith("20") and log[0][2].endswith("+00:00")


def test_an_id_is_not_given_again_after_a_restart(filled: Path) -> None:
    """Notes are kept by id: those of a face that is gone must not stick to another one."""
    with ProjectStore.open(filled) as store:
        highest = max(face.id for face in store.faces())
        document = Document(store.scheme, store.faces(), store.commit, store.highest_id())
        assert store.highest_id() == highest
        document.apply(Edit("Add face", (Change(None, Face(document.next_id(), "new.jpg")),)))
        document.undo()
        store.set(f"seen/{highest + 1}", True)
    for _ in range(2):
        with ProjectStore.open(filled) as store:
            document = Document(store.scheme, store.faces(), store.commit, store.highest_id())
            assert store.highest_id() == highest + 1
            assert document.next_id() == highest + 2
    with ProjectStore.open(filled) as store:
        document = Document(store.scheme, store.faces(), store.commit, store.highest_id())
        several = (Face(document.next_id(), "new.jpg"), Face(document.next_id() + 6, "new.jpg"))
        document.apply(Edit("Import", tuple(Change(None, face) for face in several)))
        document.apply(Edit("Remove", tuple(Change(face, None) for face in several)))
    with ProjectStore.open(filled) as store:
        assert store.highest_id() == highest + 8


def test_the_highest_id_of_a_long_log_is_read_once(filled: Path) -> None:
    def write(entries: list[str]) -> None:
        with closing(sqlite3.connect(filled)) as connection, connection:
            connection.executemany(
                "INSERT INTO edit_log (title, author, written, faces) VALUES ('Old', '', '', ?)",
                [(entry,) for entry in entries],
            )

    write(["[40]", "[]", "[41, 300, 7]", "not JSON", "not, JSON"] + ["[2]"] * 3000)
    with ProjectStore.open(filled) as store:
        assert store.highest_id() == 300
        assert store.get("highest_id") == [300, 3005]
    # a program that knows nothing of it goes on with the log
    write(["[301]"])
    with closing(sqlite3.connect(filled)) as connection, connection:
        connection.execute("UPDATE edit_log SET faces = '[999]' WHERE id = 1")
    with ProjectStore.open(filled) as store:
        assert store.highest_id() == 301
        assert store.get("highest_id") == [300, 3005]


def test_a_new_project_counts_from_its_faces(path: Path, scheme_file: Path) -> None:
    with ProjectStore.create(path, scheme_file.read_text(encoding="utf-8"), path.parent) as store:
        assert store.highest_id() == 0
        store.add_faces([Face(1, "a.jpg"), Face(12, "b.jpg")])
        assert store.highest_id() == 12


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=20)
@given(values=st.dictionaries(st.text(max_size=8), _JSON, max_size=4))
def test_any_json_value_is_remembered(filled: Path, values: dict[str, object]) -> None:
    values = {json.loads(json.dumps(key)): value for key, value in values.items()}
    with ProjectStore.open(filled) as store:
        for key, value in values.items():
            store.set(key, value)
            store.set(key, value)
    with ProjectStore.open(filled) as store:
        assert {key: store.get(key) for key in values} == values
        assert store.get("never set", 7) == 7


def test_image_hashes(filled: Path) -> None:
    stamps = {"a.jpg": ("00ff", 12, 3.5), "bytes-\udcff.jpg": ("ab", 1, 0.0)}
    with ProjectStore.open(filled) as store:
        assert store.image_stamps() == {}
        store.set_image_hashes(stamps)
        store.set_image_hashes({"a.jpg": ("11", 13, 4.5)})
    with ProjectStore.open(filled) as store:
        assert store.image_stamps() == stamps | {"a.jpg": ("11", 13, 4.5)}


def test_moved_images_are_found_and_taken_over(filled: Path) -> None:
    folder = filled.parent / "images"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"content of a")
    (folder / "ü2.jpg").write_bytes(b"content of u")

    with ProjectStore.open(filled) as store:
        store.image_folder = folder
        store.set_image_hashes({"b c/ü.jpg": (content_hash(folder / "ü2.jpg"), 12, 0.0)})
        moved = store.find_moved(["a.jpg", "ü2.jpg"])
        assert moved == {"b c/ü.jpg": "ü2.jpg"}
        document = Document(store.scheme, store.faces(), store.commit)
        document.take_in(_follow(document, moved))
    with ProjectStore.open(filled) as store:
        assert [face.image for face in store.faces() if face.id in (2, 7)] == ["ü2.jpg", "ü2.jpg"]
        assert "ü2.jpg" in store.image_stamps() and "b c/ü.jpg" not in store.image_stamps()


def test_names_that_others_had_before_are_taken_over(filled: Path) -> None:
    """A series that was renumbered: each photo has the name that the one before it had."""
    first, second, third = "a.jpg", "b c/ü.jpg", "new.jpg"
    with ProjectStore.open(filled) as store:
        store.set_image_hashes({first: ("1st", 1, 1.0), second: ("2nd", 2, 2.0), "other.jpg": ("3rd", 3, 3.0)})
        document = Document(store.scheme, store.faces(), store.commit)
        before = {face.id: face.image for face in document}
        for moved in ({first: second, second: third}, {second: third, third: second}):
            document.take_in(_follow(document, moved))
            assert store.faces() == list(document), "what is shown is what is saved"
        expected = {first: third, second: second}
        assert {face.id: face.image for face in document} == {i: expected.get(n, n) for i, n in before.items()}
        assert store.image_stamps() == {third: ("1st", 1, 1.0), second: ("2nd", 2, 2.0), "other.jpg": ("3rd", 3, 3.0)}


def test_a_name_without_a_known_content_leaves_no_wrong_one(filled: Path) -> None:
    with ProjectStore.open(filled) as store:
        store.set_image_hashes({"b c/ü.jpg": ("2nd", 2, 2.0)})
        document = Document(store.scheme, store.faces(), store.commit)
        document.take_in(_follow(document, {"a.jpg": "b c/ü.jpg", "b c/ü.jpg": "new.jpg"}))
        assert store.image_stamps() == {"new.jpg": ("2nd", 2, 2.0)}


def _follow(document: Document, moved: dict[str, str]) -> Edit:
    faces = [face for face in document if face.image in moved]
    return Edit("Find moved images", tuple(Change(face, replace(face, image=moved[face.image])) for face in faces))


def test_closing_leaves_one_file_that_can_be_copied(filled: Path, faces: list[Face]) -> None:
    store = ProjectStore.open(filled)
    store.set("key", "value")
    assert filled.with_name(filled.name + "-wal").exists()
    store.close()
    store.close()
    assert [entry.name for entry in filled.parent.iterdir()] == [filled.name]
    copy = filled.with_name("copy.scaf")
    shutil.copy(filled, copy)
    with ProjectStore.open(copy) as store:
        assert store.faces() == faces
        assert store.get("key") == "value"
    with pytest.raises(ProjectError, match="is closed"):
        store.get("key")


def test_project_and_images_moved_together_are_found(tmp_path: Path, scheme_file: Path) -> None:
    work = tmp_path / "work"
    (work / "images").mkdir(parents=True)
    with ProjectStore.create(work / "p" / "a.scaf", scheme_file.read_text(encoding="utf-8"), work / "images"):
        pass
    shutil.copytree(work, tmp_path / "copy")  # a copy means its own images, even while the old ones are there
    with ProjectStore.open(tmp_path / "copy" / "p" / "a.scaf") as store:
        assert store.image_folder == tmp_path / "copy" / "images"
    work.rename(tmp_path / "moved")
    with ProjectStore.open(tmp_path / "moved" / "p" / "a.scaf") as store:
        assert store.image_folder == tmp_path / "moved" / "images"
    (tmp_path / "moved" / "p" / "a.scaf").rename(tmp_path / "a.scaf")
    with ProjectStore.open(tmp_path / "a.scaf") as store:
        assert store.image_folder == work / "images", "not found: the place it was last seen at"
        store.image_folder = tmp_path / "moved" / "images"
    with ProjectStore.open(tmp_path / "a.scaf") as store:
        assert store.image_folder == tmp_path / "moved" / "images"


def test_an_existing_file_is_never_overwritten(tmp_path: Path, scheme_file: Path) -> None:
    text = scheme_file.read_text(encoding="utf-8")
    path = tmp_path / "notes.scaf"
    path.write_text("precious")
    with pytest.raises(ProjectError, match=r"notes.scaf: exists already"):
        ProjectStore.create(path, text, tmp_path)
    assert path.read_text() == "precious"
    with pytest.raises(ProjectError, match="cannot be written"):
        ProjectStore.create(path / "below" / "a.scaf", text, tmp_path)
    for broken in ("{", "[]", '{"id": "x", "landmarks": []}'):
        with pytest.raises(SchemeError):
            ProjectStore.create(tmp_path / "new.scaf", broken, tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["notes.scaf"]


def test_writing_into_a_file_that_was_moved_away_is_refused(filled: Path, faces: list[Face]) -> None:
    """Writing on would go into a file that nobody can open any more."""
    store = ProjectStore.open(filled)
    document = Document(store.scheme, store.faces(), store.commit)
    away = filled.with_name("away.scaf")
    filled.rename(away)
    with pytest.raises(ProjectError, match="moved or replaced while open; put it back"):
        document.apply(skip(document.face(1)))
    assert list(document) == faces, "what is shown is what is saved"
    away.rename(filled)
    document.apply(skip(document.face(1)))
    filled.rename(away)
    store.close()
    assert filled.with_name(filled.name + "-wal").stat().st_size == 0, "all of it is folded in"
    with ProjectStore.open(away) as store:
        assert store.faces() == list(document), "where it is now, it is whole"


def test_a_failing_commit_leaves_nothing_behind(filled: Path, faces: list[Face]) -> None:
    with ProjectStore.open(filled) as store:
        document = Document(store.scheme, store.faces(), store.commit)
        connection = store._open_connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")  # SQLite's own way of a full disk
        many = tuple(Change(None, Face(k, "x" * 500)) for k in range(1000, 1200))
        with pytest.raises(ProjectError, match="disk is full"):
            document.apply(Edit("Add faces", many))
        assert list(document) == faces
        assert store.faces() == faces
        connection.execute("PRAGMA max_page_count = 1000000")
        document.apply(Edit("Add faces", many))
    with ProjectStore.open(filled) as store:
        assert len(store.faces()) == len(faces) + 200


def test_without_a_write_ahead_log_a_rollback_journal_is_used(
    filled: Path, faces: list[Face], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite refuses the log where it can take no locks, as on some network drives."""

    def lockless(path: Path) -> database.Connection:
        return sqlite3.connect(f"{path.as_uri()}?nolock=1", uri=True, isolation_level=None, factory=database.Connection)

    monkeypatch.setattr(database, "_open", lockless)
    store = ProjectStore.open(filled)
    assert "rollback journal" in store.journal_note
    assert store._open_connection.execute("PRAGMA synchronous").fetchone() == (2,)
    with store.soon():  # which changes nothing here
        store.commit(skip(faces[0]))
        assert store._open_connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert not filled.with_name(filled.name + "-wal").exists()
    store.close()
    monkeypatch.undo()
    with ProjectStore.open(filled) as store:
        assert store.faces()[0] == skip(faces[0]).changes[0].after
        assert store.journal_note == ""


def test_the_log_is_synchronous(filled: Path) -> None:
    with ProjectStore.open(filled) as store:
        connection = store._open_connection
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA locking_mode").fetchone() == ("exclusive",)


def test_soon_writes_at_once_and_waits_for_the_disk_at_its_end(
    filled: Path, faces: list[Face], monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (synced.append(os.fstat(file).st_ino), fsync(file))[1])
    with ProjectStore.open(filled) as store:
        document = Document(store.scheme, store.faces(), store.commit)
        mode = store._open_connection.execute
        with store.soon():
            document.apply(skip(faces[0]))
            assert mode("PRAGMA synchronous").fetchone() == (1,) and not synced
            other = sqlite3.connect(f"{copied(filled).as_uri()}?mode=ro", uri=True)  # what a killed program leaves
            assert other.execute("SELECT state FROM face WHERE id = ?", (faces[0].id,)).fetchone() == ("skipped",)
            other.close()
        assert synced == [filled.with_name(filled.name + "-wal").stat().st_ino]
        with store.soon():
            pass
        document.apply(skip(faces[1]))
        assert mode("PRAGMA synchronous").fetchone() == (2,) and len(synced) == 1


def copied(path: Path) -> Path:
    """A project and its log as they are now, elsewhere."""
    there = path.with_name("copied") / path.name
    there.parent.mkdir()
    for name in (path.name, path.name + "-wal"):
        shutil.copy(path.with_name(name), there.with_name(name))
    return there


def test_a_disk_that_does_not_take_what_was_written_soon_is_told_of(
    filled: Path, faces: list[Face], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: int) -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    with ProjectStore.open(filled) as store:
        document = Document(store.scheme, store.faces(), store.commit)
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(ProjectError, match=r"may not have reached the disk .*undo the last step"), store.soon():
            document.apply(skip(faces[0]))
        assert document.face(faces[0].id).state is State.SKIPPED
        with pytest.raises(ProjectError, match="may not have reached"), store.soon():
            pass  # it is still owed
        monkeypatch.undo()
        document.undo()
        log = filled.with_name(filled.name + "-wal")
        before, then = log.read_bytes(), log.stat().st_mtime_ns
        with store.soon():
            pass  # written once more: the system may take for written what is not
        assert log.read_bytes() == before and log.stat().st_mtime_ns > then
        with store.soon():
            monkeypatch.setattr(os, "fsync", full)  # nothing is owed any more
        monkeypatch.undo()
    with ProjectStore.open(filled) as store:
        assert store.faces()[0] == faces[0]


def test_what_fails_within_soon_has_not_happened(filled: Path, faces: list[Face]) -> None:
    with ProjectStore.open(filled) as store:
        document = Document(store.scheme, store.faces(), store.commit)
        connection = store._open_connection
        connection.execute("PRAGMA max_page_count = 1")
        many = tuple(Change(None, Face(k, "x" * 500)) for k in range(1000, 1200))
        with store.soon(), pytest.raises(ProjectError, match="disk is full"):
            document.apply(Edit("Add faces", many))
        assert list(document) == faces == store.faces()


KILLED = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from scaf_gui.core.document import Document
    from scaf_gui.core.edits import move_landmark
    from scaf_gui.io.store import ProjectStore

    store = ProjectStore.open(Path(sys.argv[1]))
    document = Document(store.scheme, store.faces(), store.commit)
    for step in range(int(sys.argv[2])):
        document.apply(move_landmark(document.face(2), None, step % 5, float(step), 0.5, "Ann"))
    print("committed", flush=True)
    if sys.argv[3] == "middle":  # in the middle of the next transaction
        connection = store._open_connection
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM face")
    os.kill(os.getpid(), signal.SIGKILL)
    """
)


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
@pytest.mark.parametrize("when", ["after", "middle"])
@pytest.mark.parametrize("steps", [1, 9])
def test_a_killed_process_loses_nothing_that_was_committed(
    filled: Path, faces: list[Face], steps: int, when: str
) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(filled), str(steps), when],
        capture_output=True,
        text=True,
        cwd=root,
        check=False,
    )
    assert done.stdout == "committed\n", done.stderr
    assert done.returncode == -signal.SIGKILL
    with ProjectStore.open(filled) as store:
        found = store.faces()
        log = store.edit_log()
    assert len(found) == len(faces)
    assert len(log) == steps
    label = found[1].label
    assert label is not None and label.author.who == "Ann"
    for step in range(steps):
        if step + 5 >= steps:
            assert label.points[step % 5].tolist() == [float(step), 0.5]
    assert [face for face in found if face.id != 2] == [face for face in faces if face.id != 2]


def test_a_broken_row_is_named(filled: Path) -> None:
    connection = sqlite3.connect(filled)
    connection.execute("UPDATE face SET points = x'00112233' WHERE id = 7")
    connection.commit()
    connection.close()
    with ProjectStore.open(filled) as store, pytest.raises(ProjectError, match="face 7 cannot be read"):
        store.faces()


def test_labels_of_another_scheme_are_refused(path: Path, scheme_file: Path, faces: list[Face]) -> None:
    other = {"id": "four", "landmarks": ["a", "b", "c", "d"]}
    with ProjectStore.create(path, json.dumps(other), path.parent) as store:
        store.add_faces(faces)
        with pytest.raises(ProjectError, match="5 landmarks instead of 4"):
            store.faces()


def test_authors_are_kept_apart(filled: Path) -> None:
    with ProjectStore.open(filled) as store:
        found = {face.id: face.label.author for face in store.faces() if face.label is not None}
    assert found[2] == Author("Zoë", "2024-05-06T07:08:09+00:00")
