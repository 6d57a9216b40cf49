"""What can be undone outlives the program: as the history had it, and never over something newer."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scaf_gui.core.document import Document
from scaf_gui.core.edits import Change, Edit, accept, change_face, move_landmark, skip
from scaf_gui.core.face import Author, Box, BoxSource, Face, Label, State
from scaf_gui.core.history import History, Step
from scaf_gui.io import undo_log
from scaf_gui.io.store import ProjectStore


@pytest.fixture
def path(tmp_path: Path, scheme_file: Path) -> Path:
    """A project of twelve faces, every other one with a label of Ann's."""
    path = tmp_path / "p.scaf"
    rng = np.random.default_rng(8)
    label = Label.from_points(rng.uniform(0, 90, (5, 2)), Author.now("ann"))
    with ProjectStore.create(path, scheme_file.read_text(encoding="utf-8"), path.parent) as store:
        store.add_faces(
            Face(k, f"{k}.jpg", None, label if k % 2 else None, state=State.LABELLED if k % 2 else State.UNLABELLED)
            for k in range(1, 13)
        )
    return path


def opened(store: ProjectStore, who: str = "ann") -> Document:
    """A document as a session has it."""
    faces = store.faces()
    history = History(store.undo_stack(who, faces), store.join_last)
    return Document(store.scheme, faces, lambda edit, step: store.commit(edit, step, who), store.highest_id(), history)


def stack(document: Document) -> list[Edit]:
    return document.history._done


def moved(document: Document, face_id: int, x: float = 1.0, who: str = "ann") -> Edit:
    edit = move_landmark(document.face(face_id), None, 2, x, 7.5, who, "nose_tip")
    assert edit is not None
    return edit


def test_the_last_drags_are_taken_back_after_opening(path: Path) -> None:
    with ProjectStore.open(path) as store:
        document = opened(store)
        first = list(document)
        for number, face_id in enumerate((1, 3, 1)):
            document.apply(moved(document, face_id, number))
        second = list(document)
        done = list(stack(document))
    with ProjectStore.open(path) as store:
        document = opened(store)
        assert list(document) == second and stack(document) == done
        assert document.history.to_undo is not None and document.history.to_undo.title == "Move nose_tip"
        document.undo()
        document.undo()
    with ProjectStore.open(path) as store:
        document = opened(store)
        assert stack(document) == done[:1] and document.history.to_redo is None
        document.undo()
        assert list(document) == first and document.undo() is None
    with ProjectStore.open(path) as store:
        assert list(opened(store)) == first and not stack(opened(store))


def test_a_crash_keeps_the_history(path: Path) -> None:
    """The process is killed right after a drag; what was undone before it stays undone."""
    script = """
        import os, signal, sys
        from pathlib import Path
        from scaf_gui.core.history import Step
        from scaf_gui.core.edits import move_landmark
        from scaf_gui.io.store import ProjectStore
        store = ProjectStore.open(Path(sys.argv[1]))
        face = store.faces()[0]
        for x in (1.0, 2.0, 3.0):
            edit = move_landmark(face, None, 2, x, 7.5, "ann", f"nose {x:g}")
            store.commit(edit, Step.DONE, "ann")
            face = edit.changes[0].after
            if x == 2.0:
                store.commit(edit.inverse(), Step.UNDONE, "ann")
                face = edit.changes[0].before
        os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(path)], check=False)
    with ProjectStore.open(path) as store:
        document = opened(store)
        assert [edit.title for edit in stack(document)] == ["Move nose 1", "Move nose 3"]
        document.undo()
        assert document.face(1).label is not None and document.face(1).label.points[2].tolist() == [1.0, 7.5]


def test_whatever_is_done(path: Path) -> None:
    """Edits, undo, redo, joins, faces added and removed, boxes and images found, closing: always the history's own."""
    rng = np.random.default_rng(12)
    store = ProjectStore.open(path)
    document = opened(store)
    deepest = 0
    for number in range(400):
        faces = list(document)
        face = faces[rng.integers(len(faces))]
        what = rng.choice(["move", "move", "nudge", "skip", "add", "remove", "undo", "undo", "redo", "found", "open"])
        if what == "move":
            if face.label is not None:
                document.apply(moved(document, face.id, number))
        elif what == "nudge":
            if face.label is not None:
                for step in range(3):
                    document.apply(moved(document, face.id, number + step / 4))
                    if step:
                        document.history.join_last()
        elif what == "skip":
            both = [face, faces[(faces.index(face) + 1) % len(faces)]]
            after = [replace(f, state=State.SKIPPED if f.label is None else State.STARTED) for f in both]
            document.apply(Edit(f"Set {number}", tuple(map(Change, both, after))))
        elif what == "add":
            document.apply(Edit(f"Add {number}", (Change(None, Face(document.next_id(), face.image)),)))
        elif what == "remove" and len(faces) > 6:
            document.apply(Edit(f"Remove {number}", (Change(face, None),)))
        elif what == "undo":
            document.undo()
        elif what == "redo":
            document.redo()
        elif what == "found":
            box = Box(*rng.uniform(1, 50, 4).tolist(), BoxSource.DETECTOR) if face.box is None else face.box
            image = f"moved/{number}.jpg" if rng.random() < 0.3 else face.image
            document.take_in(Edit("Found", (Change(face, replace(face, box=box, image=image)),)))
        else:
            store.close()
            store = ProjectStore.open(path)
            document = opened(store)
        deepest = max(deepest, len(stack(document)))
        assert store.undo_stack("ann", store.faces()) == stack(document), f"{what}, step {number}"
    assert deepest > 25
    while document.undo() is not None:
        pass
    assert store.undo_stack("ann", store.faces()) == []
    store.close()


def _by_hand(statement: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(statement)
            connection.commit()

    return change


def _older_version(path: Path) -> None:
    """It writes the face and the log, and knows nothing of what is kept for undo."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE face SET written = '2031' WHERE id = 7")
        connection.execute("INSERT INTO edit_log (title, author, written, faces) VALUES ('Move', 'ann', '', '[7]')")
        connection.commit()


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (_older_version, ()),
        (_by_hand("UPDATE face SET flags = x'0000000001' WHERE id = 3"), ("Move c",)),
        (_by_hand("UPDATE face SET state = 'skipped' WHERE id = 5"), ()),
        (_by_hand("DELETE FROM face WHERE id = 1"), ("Move b", "Move c")),
        (_by_hand("UPDATE face SET written = '2031' WHERE id = 7"), ("Move a", "Move b", "Move c")),
        (_by_hand("UPDATE undo_face SET points = x'00' WHERE id = 3"), ("Move c",)),
        (_by_hand("UPDATE undo_face SET attributes = NULL WHERE id = 5"), ()),
        (_by_hand("DROP TABLE undo_face"), ()),
        (_by_hand("ALTER TABLE undo_face DROP COLUMN placed"), ()),
    ],
)
def test_nothing_newer_is_overwritten(path: Path, change: Callable[[Path], None], left: Sequence[str]) -> None:
    """Faces 1, 3, 5 were edited in this order; what was done before a face that is no longer as it was left is gone."""
    with ProjectStore.open(path) as store:
        document = opened(store)
        for face_id, name in ((1, "a"), (3, "b"), (5, "c")):
            edit = move_landmark(document.face(face_id), None, 2, 1.0, 2.0, "ann", name)
            assert edit is not None
            document.apply(edit)
    change(path)
    with ProjectStore.open(path) as store:
        document = opened(store)
        assert tuple(edit.title for edit in stack(document)) == left
        for _ in left:
            document.undo()
        document.apply(moved(document, 7))
        assert store.faces() == list(document), "whatever became of what undo needs, the label is written"
        document.apply(moved(document, 9))
        assert {edit.title for edit in opened(store).history._done} == {"Move nose_tip"}


def test_what_others_did_is_theirs(path: Path) -> None:
    for who in ("ann", "ben", "ann"):
        with ProjectStore.open(path) as store:
            document = opened(store, who)
            assert document.undo() is None or who == "ann"
            document.apply(moved(document, 1, 5.0, who))
            document.apply(skip(document.face(2)) if who == "ben" else moved(document, 3))
    with ProjectStore.open(path) as store:
        assert len(stack(opened(store))) == 2 and not stack(opened(store, "ben"))
        document = opened(store)
        document.undo()
        document.undo()
        assert document.undo() is None, "what comes next is Ben's"
    with ProjectStore.open(path) as store:
        assert [edit.title for edit in stack(opened(store, "ben"))] == ["Move nose_tip", "Skip face"]


def test_it_is_bounded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo_log, "MOST_EDITS", 10)
    monkeypatch.setattr(undo_log, "MOST_FACES", 30)
    monkeypatch.setattr(undo_log, "_SLACK", 3)

    def counts() -> tuple[int, int]:
        edits, faces = (store._read(f"SELECT count(*) FROM {name}")[0][0] for name in ("undo_edit", "undo_face"))
        return edits, faces

    with ProjectStore.open(path) as store:
        document = opened(store)
        for number in range(40):
            document.apply(moved(document, 1, number))
        assert 10 <= counts()[0] == counts()[1] <= 13
        assert store.undo_stack("ann", document) == stack(document)[-10:]
        document.apply(_everybody(document, "Import"))
        assert len(store.undo_stack("ann", document)) == 10
        for _ in range(2):
            document.apply(_everybody(document, "Import"))
        assert store.undo_stack("ann", document) == stack(document)[-2:], "three of them have 36 faces"
        monkeypatch.setattr(undo_log, "MOST_FACES", 11)
        document.apply(_everybody(document, "Import"))
        assert counts() == (0, 0) and not store.undo_stack("ann", document)
        document.apply(moved(document, 1))
        document.undo()
        document.undo()
        assert not store.undo_stack("ann", document) and len(stack(document)) == 43, "this session can do more"


def _everybody(document: Document, title: str) -> Edit:
    return Edit(
        title,
        tuple(
            Change(face, replace(face, attributes=(not face.attributes[0], *face.attributes[1:]))) for face in document
        ),
    )


def test_a_project_from_before_this_was_kept(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for name in ("undo_face", "undo_edit", "undo_seen"):
            connection.execute(f"DROP TABLE {name}")
        connection.execute("INSERT INTO edit_log (title, author, written, faces) VALUES ('Old', '', '', '[1]')")
        connection.commit()
    with ProjectStore.open(path) as store:
        document = opened(store)
        assert document.undo() is None
        edit = accept(document.face(1), None, "ann")
        document.apply(edit or change_face("x", document.face(1), replace(document.face(1), state=State.STARTED)))
        assert store.undo_stack("ann", document) == stack(document) and len(stack(document)) == 1
        store.commit(skip(document.face(2)), Step.DONE, "ann")
