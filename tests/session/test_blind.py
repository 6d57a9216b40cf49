"""Faces placed without a pre-fill: which they are, what is kept back, and what is remembered of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from scaf_gui.core import edits
from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import Author, Box, BoxSource, Label, Prediction, State
from scaf_gui.errors import ProjectError
from scaf_gui.session.project import open_project
from scaf_gui.session.session import Session


@pytest.fixture
def session(make_session: Callable[..., Session]) -> Session:
    """All faces are predicted; half of them are drawn."""
    made = make_session()
    for face in made.document:
        made.document.set_predictions({face.id: Prediction(points(face.id), np.ones(68), "model")})
    made.blind.share = 0.5
    return made


def points(seed: int) -> FloatArray:
    made: FloatArray = np.random.default_rng(seed).uniform(20, 100, (68, 2))
    return made


def hidden(session: Session) -> list[int]:
    return [face.id for face in session.document if session.blind.hides(face.id)]


def place(session: Session, face_id: int, at: FloatArray, *, accept: bool = True) -> None:
    """By hand, from nothing, as in the window."""
    session.blind.shown_to(face_id)
    face = session.document.face(face_id)
    label = Label.from_points(at, Author.now("me"))
    session.edit(edits.set_label(face, label, "Place", "me"))
    if accept:
        took(session, face_id)


def took(session: Session, face_id: int) -> None:
    session.blind.shown_to(face_id)
    edit = edits.accept(session.document.face(face_id), session.blind.shown(face_id), "me")
    assert edit is not None
    session.edit(edit)


def test_who_is_drawn_follows_from_seed_and_share_alone(make_session: Callable[..., Session]) -> None:
    one, same, other = (make_session(name, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert hidden(one) == [], "off unless somebody wants it"
    for session in (one, same, other):
        session.blind.share = 0.4
    assert hidden(one) == hidden(same) != hidden(other)
    few = set(hidden(one))
    one.blind.share = 0.8
    assert few < set(hidden(one)), "a larger share adds faces"
    one.blind.share = 1.0
    assert len(hidden(one)) == len(one.document)


def test_about_one_in_twenty(session: Session) -> None:
    session.blind.share = 0.05
    drawn = sum(session.blind._drawn(number) for number in range(20_000))
    assert drawn == pytest.approx(1000, abs=120)


def test_a_prediction_is_kept_back_until_it_is_asked_for(session: Session) -> None:
    first, *_ = hidden(session)
    assert session.blind.shown(first) is None
    assert session.document.shown(first) is not None, "the tool itself goes on with it"
    assert session.blind.reveal(first)
    assert session.blind.shown(first) is not None
    assert not session.blind.reveal(first)
    session.blind.share = 0.0
    assert hidden(session) == []


def test_who_has_seen_a_prediction_is_not_blind(session: Session) -> None:
    session.blind.share = 0.0
    everyone = [face.id for face in session.document]
    assert session.blind.shown(everyone[0]) is not None
    session.blind.share = 1.0
    assert hidden(session) == everyone[1:]


def test_who_has_seen_a_prediction_is_not_blind_after_a_restart_either(session: Session) -> None:
    session.blind.share = 0.0
    everyone = [face.id for face in session.document]
    assert session.blind.shown(everyone[0]) is not None
    session.blind.save()
    assert session.blind.shown(everyone[1]) is not None
    path = session.path
    session.close()  # writes what is not written yet
    with closing(open_project(path)) as again:
        again.blind.share = 1.0
        assert hidden(again) == everyone[2:]


def test_what_was_seen_of_a_face_that_is_gone_says_nothing_of_a_new_one(session: Session) -> None:
    first = next(iter(session.document))
    added = session.document.next_id()
    session.edit(edits.add_face(added, first.image, Box(10, 10, 40, 40, BoxSource.DRAWN)))
    session.document.set_predictions({added: Prediction(points(added), np.ones(68), "model")})
    session.blind.share = 0.0
    assert session.blind.shown(added) is not None
    session.undo()
    path = session.path
    session.close()
    with closing(open_project(path)) as again:
        assert added not in again.document and added in {int(i) for i in again.store.below("seen/")}
        new = again.document.next_id()
        assert new == added + 1
        again.edit(edits.add_face(new, first.image, Box(10, 10, 40, 40, BoxSource.DRAWN)))
        again.blind.share = 1.0
        assert again.blind.hides(new)


def test_what_was_seen_survives_a_crash_and_a_disk_that_was_full(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.blind.share = 0.0
    everyone = [face.id for face in session.document]
    session.blind.shown(everyone[0])
    with monkeypatch.context() as full:
        full.setattr(session.store, "set_all", lambda values: (_ for _ in ()).throw(ProjectError("the disk is full")))
        with pytest.raises(ProjectError):
            session.blind.save()
    session.blind.save()
    copies = session.path.with_name("copy.scaf")
    for end in ("", "-wal"):  # as the file lies there when the program is killed
        copies.with_name(copies.name + end).write_bytes(session.path.with_name(session.path.name + end).read_bytes())
    with closing(open_project(copies)) as again:
        again.blind.share = 1.0
        assert hidden(again) == everyone[1:]


def test_in_an_older_project_what_was_worked_on_counts_as_seen(session: Session) -> None:
    first, second, *others = hidden(session)
    free = next(face.id for face in session.document if face.id not in (first, second, *others))
    place(session, first, points(first) + 2)  # blind, and so it stays
    place(session, second, points(second) + 2, accept=False)
    session.edit(edits.skip(session.document.face(free)))
    path, everyone = session.path, [face.id for face in session.document]
    session.close()
    with sqlite3.connect(path) as file:  # as it was before any of this was written down
        file.execute("DELETE FROM meta WHERE key LIKE 'seen/%' OR key = 'blind/past'")
    file.close()
    for _ in range(2):
        again = open_project(path)
        again.blind.share = 1.0
        assert hidden(again) == [i for i in everyone if i != free]
        assert again.blind.placed == (first,)
        again.close()


def test_what_was_begun_from_a_prediction_goes_on_so(session: Session) -> None:
    session.blind.share = 0.0
    face = next(iter(session.document))
    edit = edits.move_landmark(face, session.document.shown(face.id), 3, 1.0, 2.0, "me")
    assert edit is not None
    session.edit(edit)
    session.blind.share = 1.0
    assert not session.blind.hides(face.id)


def test_an_accepted_face_is_marked_and_stays_blind(session: Session) -> None:
    face_id = hidden(session)[0]
    place(session, face_id, points(face_id) + 2, accept=False)
    assert session.blind.hides(face_id), "no ghost while it is placed"
    assert session.blind.placed == ()
    took(session, face_id)
    assert session.blind.placed == (face_id,)
    record = session.store.get(f"lean/{face_id}")
    assert record["blind"] is True
    assert record["note"] == "placed without seeing a prediction"
    assert np.allclose(record["points"], points(face_id), atol=0.01)
    session.blind.share = 0.0
    assert session.blind.shown(face_id) is None, "later corrections do not lean, either"
    session.undo()
    assert session.blind.placed == ()
    session.redo()
    assert session.blind.placed == (face_id,)


def test_records_outlive_the_session(session: Session) -> None:
    first, second = hidden(session)[:2]
    place(session, first, points(first) + 2)
    place(session, second, points(second) + 2)
    session.blind.reveal(second)
    path, was = session.path, session.blind.lean()
    session.close()
    with closing(open_project(path)) as again:
        assert again.blind.placed == (first,)
        assert again.blind.lean() == was
        assert was.blind == 1, "a prediction that was asked for does not count as unseen"


def test_the_report_measures_the_pull(session: Session) -> None:
    drawn = hidden(session)
    others = [face.id for face in session.document if face.id not in drawn]
    for face_id in drawn:
        place(session, face_id, points(face_id) + np.array([3.0, 4.0]))
    for face_id in others:
        took(session, face_id)
    found = session.blind.lean()
    assert (found.shown, found.blind) == (len(others), len(drawn))
    assert found.untouched == 1.0
    assert found.whole.shown == pytest.approx(0.0, abs=0.05)
    sizes = [100 * 5.0 / np.linalg.norm(points(i)[36] - points(i)[45]) for i in drawn]
    assert found.whole.blind == pytest.approx(np.mean(sizes), rel=0.01)
    # the labels as they are now count
    face = session.document.face(others[0])
    assert face.label is not None
    moved = replace(face.label, points=face.label.points + np.array([0.0, 5.0]))
    session.edit(edits.set_label(face, moved, "Move", "me"))
    assert session.blind.lean().untouched == pytest.approx(1 - 1 / len(others))


def test_what_nobody_looked_at_does_not_count(session: Session) -> None:
    face = session.document.face(hidden(session)[0])
    session.blind.shown_to(None)
    label = Label.from_points(points(3), Author.now("file"))
    session.edit(edits.change_face("Import", face, replace(face, label=label, state=State.LABELLED)))
    assert session.blind.lean().blind == 0
    assert not session.blind.hides(face.id)


def test_calibration_and_instant_learning_are_not_disturbed(session: Session) -> None:
    """They read the document, which keeps every prediction."""
    face_id = hidden(session)[0]
    asked: list[int] = []
    record = session.expected._record
    session.expected._record = lambda i: asked.append(i) or record(i)  # type: ignore[method-assign, func-returns-value]
    place(session, face_id, points(face_id) + 2)
    assert face_id in asked
    assert session.document.shown(face_id) is not None
    assert session.agenda.at_random(face_id)
