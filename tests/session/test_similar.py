"""Near-identical photos of a project: found, cached, skipped together; what a person began stays."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import pytest

from scaf_gui.core.edits import change_face
from scaf_gui.core.face import Author, Label, State
from scaf_gui.session.project import new_project, open_project
from scaf_gui.session.session import Session
from scaf_gui.session.truth import read_truth

Take = Callable[[Session, Any], Any]
TWINS = ("face_1.jpg", "twin.png", "twin_2.jpg")


@pytest.fixture
def session(images: Path, tmp_path: Path) -> Iterator[Session]:
    face = cv2.imread(str(images / "face_1.jpg"))
    cv2.imwrite(str(images / "twin.png"), cv2.resize(face, (100, 100), interpolation=cv2.INTER_AREA))
    cv2.imwrite(str(images / "twin_2.jpg"), (face * 0.8).astype("uint8"))
    made = new_project(tmp_path / "p.scaf", images, boxes="whole", use_starter=False)
    yield made
    made.close()


def ids(session: Session, *names: str) -> list[int]:
    return [face.id for name in names for face in session.document.beside(name)]


def test_twins_are_found_and_the_others_skipped_in_one_edit(session: Session, take_all: Take) -> None:
    called = []
    session.similar.on_change = lambda: called.append(1)
    assert session.similar.others("twin.png") == ()
    groups = take_all(session, session.find_similar())
    assert groups == (TWINS,) and session.similar.groups == groups and called
    assert session.similar.others("twin.png") == ("face_1.jpg", "twin_2.jpg")
    assert session.similar.others("face_2.jpg") == ()
    edit = session.similar.skip_others("twin.png")
    assert edit is not None and edit.title == "Skip 2 near-identical photos"
    session.edit(edit)
    assert [session.document.face(i).state for i in ids(session, *TWINS)] == [
        State.SKIPPED,
        State.UNLABELLED,
        State.SKIPPED,
    ]
    session.undo()
    assert not session.document.with_state(State.SKIPPED)


def test_what_a_person_began_is_not_skipped(session: Session, truth: Path, take_all: Take) -> None:
    take_all(session, session.find_similar())
    (face_id,) = ids(session, "face_1.jpg")
    face = session.document.face(face_id)
    points = read_truth(truth, session.scheme, ("face_1.jpg",))["face_1.jpg"][0].points
    label = Label.from_points(points, Author.now("ann"))
    session.edit(change_face("Start", face, replace(face, label=label, state=State.STARTED)))
    edit = session.similar.skip_others("twin.png")
    assert edit is not None and edit.face_ids == tuple(ids(session, "twin_2.jpg"))
    everything = session.similar.skip_all(session.queue.order)  # the one that was begun is kept
    assert everything is not None and set(everything.face_ids) == set(ids(session, "twin.png", "twin_2.jpg"))


def test_one_of_each_group_stays_the_first_in_the_queue(session: Session, take_all: Take) -> None:
    assert session.similar.skip_all() is None
    take_all(session, session.find_similar())
    order = ids(session, "twin_2.jpg", "face_1.jpg", "twin.png")
    edit = session.similar.skip_all(order)
    assert edit is not None and set(edit.face_ids) == set(order[1:])


def test_fingerprints_are_cached_until_the_file_changes(
    session: Session, images: Path, tmp_path: Path, take_all: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scaf_gui.io import similar

    take_all(session, session.find_similar())
    session.close()
    again = open_project(tmp_path / "p.scaf")
    asked: list[str] = []
    original = similar.file_fingerprint
    monkeypatch.setattr(similar, "file_fingerprint", lambda path: asked.append(path.name) or original(path))
    try:
        assert take_all(again, again.find_similar()) == (TWINS,)
        assert asked == []
        (images / "twin.png").write_bytes((images / "twin.png").read_bytes())
        os.utime(images / "twin.png", (1, 1))
        assert take_all(again, again.find_similar()) == (TWINS,)
        assert asked == ["twin.png"]
    finally:
        again.close()


def test_files_that_are_gone_or_damaged_are_left_out(session: Session, images: Path, take_all: Take) -> None:
    (images / "twin.png").unlink()
    (images / "face_2.jpg").write_bytes(b"damaged")
    assert take_all(session, session.find_similar()) == (("face_1.jpg", "twin_2.jpg"),)


def test_they_are_there_when_the_project_is_opened_again(
    session: Session, images: Path, take_all: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, and nothing is compared again unless an image is another."""
    take_all(session, session.find_similar())
    session.close()
    import scaf_gui.io.similar as looks

    compared: list[int] = []
    real = looks.group_alike
    monkeypatch.setattr(looks, "group_alike", lambda table: compared.append(len(table)) or real(table))
    again = open_project(session.path)
    try:
        assert again.similar.groups == (TWINS,)
        assert take_all(again, again.find_similar()) == (TWINS,) and not compared
        (images / "twin_2.jpg").unlink()
        assert take_all(again, again.find_similar()) == (TWINS[:2],) and compared == [15]
        assert again.similar.groups == (TWINS[:2],)
    finally:
        again.close()
    last = open_project(session.path)
    assert last.similar.groups == (TWINS[:2],)
    last.close()
