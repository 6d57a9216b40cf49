"""The label check of a project: what it finds, what stays fine, how an acceptance is remembered."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from scaf_gui.core import edits
from scaf_gui.core.face import Flag, Prediction, State
from scaf_gui.session import check as module
from scaf_gui.session.check import Alarm, Statistics
from scaf_gui.session.project import open_project
from scaf_gui.session.session import Session


def checked(session: Session) -> tuple[list[Alarm], Statistics]:
    return ended(session.check.project())


def ended(work: Generator[Any, None, Any]) -> Any:
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


@pytest.fixture
def session(make_session: Callable[..., Session], label: Callable[[Session, int], tuple[int, ...]]) -> Session:
    made = make_session()
    label(made, 6)
    return made


def exchange(session: Session, face_id: int, one: int, other: int) -> None:
    face = session.document.face(face_id)
    assert face.label is not None
    points = face.label.points.copy()
    points[[one, other]] = points[[other, one]]
    session.edit(edits.set_label(face, replace(face.label, points=points), "Break", "me"))


def labelled(session: Session) -> list[int]:
    return [face.id for face in session.document.with_state(State.LABELLED)]


def test_a_slip_is_found_until_it_is_undone(session: Session) -> None:
    assert [alarm for alarm in checked(session)[0] if alarm.finding.rule != "outside"] == []
    face_id = labelled(session)[2]
    exchange(session, face_id, 4, 5)
    (alarm,) = (alarm for alarm in checked(session)[0] if alarm.finding.rule == "order")
    assert (alarm.face_id, set(alarm.finding.landmarks)) == (face_id, {4, 5})
    assert alarm.title == "Neighbours out of order"
    session.undo()
    assert [alarm for alarm in checked(session)[0] if alarm.finding.rule == "order"] == []


def test_fine_holds_for_these_landmarks_and_is_remembered(session: Session) -> None:
    face_id = labelled(session)[0]
    exchange(session, face_id, 4, 5)
    (alarm,) = (alarm for alarm in checked(session)[0] if alarm.finding.rule == "order")
    session.check.set_fine(alarm)
    path = session.path
    session.close()
    again = open_project(path)
    try:
        (alarm,) = (alarm for alarm in checked(again)[0] if alarm.finding.rule == "order")
        assert again.check.is_fine(alarm)
        face = again.document.face(face_id)
        assert "order" not in {a.finding.rule for a in again.check.face(face, None, None)}
        again.edit(edits.move_landmark(face, None, 60, 1.0, 1.0, "me"))
        (moved,) = (a for a in checked(again)[0] if a.finding.rule == "order")
        assert not again.check.is_fine(moved)
        again.check.set_fine(moved)
        again.check.set_fine(moved, fine=False)
        assert not again.check.is_fine(moved)
    finally:
        again.close()


def predict(session: Session, face_id: int, shift: float = 0.0) -> Prediction:
    known = session.document.face(labelled(session)[0]).label
    assert known is not None
    made = Prediction(known.points + shift, np.ones(68), "model")
    session.document.set_predictions({face_id: made})
    return made


@pytest.mark.parametrize(("seconds", "hasty"), [(0.3, True), (5.0, False)])
def test_haste_is_measured_from_the_moment_the_landmarks_are_there(
    session: Session, monkeypatch: pytest.MonkeyPatch, seconds: float, hasty: bool
) -> None:
    clock = [100.0]
    monkeypatch.setattr(module, "monotonic", lambda: clock[0])
    face_id = session.next_face()
    assert face_id is not None
    session.check.shown(face_id, ready=False)
    clock[0] += 60
    prediction = predict(session, face_id)
    session.check.shown(face_id, ready=True)
    clock[0] += seconds
    session.check.shown(face_id, ready=True)  # drawn anew: the clock goes on
    edit = edits.accept(session.document.face(face_id), prediction, "me")
    assert edit is not None
    session.edit(edit)
    record = session.check.accepted(face_id)
    assert record is not None
    assert (record["seconds"], record["distance"], record["placed"]) == (seconds, 0.0, 0)
    rules = {alarm.finding.rule for alarm in checked(session)[0] if alarm.face_id == face_id}
    assert ("hasty" in rules) == hasty
    path = session.path
    session.close()
    again = open_project(path)
    try:
        assert again.check.accepted(face_id) == record
        rules = {alarm.finding.rule for alarm in checked(again)[0] if alarm.face_id == face_id}
        assert ("hasty" in rules) == hasty
    finally:
        again.close()


def test_a_touched_face_is_never_hasty(session: Session) -> None:
    face_id = session.next_face()
    assert face_id is not None
    prediction = predict(session, face_id)
    session.check.shown(face_id, ready=True)
    session.edit(edits.move_landmark(session.document.face(face_id), prediction, 3, 20.0, 60.0, "me"))
    session.edit(edits.accept(session.document.face(face_id), prediction, "me"))
    record = session.check.accepted(face_id)
    assert record is not None and record["placed"] == 1 and record["distance"] > 0
    assert "hasty" not in {alarm.finding.rule for alarm in checked(session)[0]}


def test_labels_that_nobody_looked_at_here_have_no_time(session: Session) -> None:
    assert all(session.check.accepted(face_id) is None for face_id in labelled(session))


def test_statistics_come_with_enough_labels(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not session.check.due()
    _, statistics = checked(session)
    assert statistics.typical is None
    assert statistics.reference is not None
    assert statistics.labels == 6
    monkeypatch.setattr(module, "LEAST_FACES", 5)
    assert session.check.due()
    session.check.use(statistics)
    assert not session.check.due()


def test_several_landmarks_are_marked_in_one_step(session: Session) -> None:
    face_id = labelled(session)[0]
    face = session.document.face(face_id)
    edit = edits.flag_landmarks(face, None, range(36, 42), Flag.OCCLUDED, "me", "left eye")
    assert edit is not None and edit.title == "Mark left eye occluded"
    session.edit(edit)
    label = session.document.face(face_id).label
    assert label is not None
    assert set(np.flatnonzero(label.flags == Flag.OCCLUDED)) == set(range(36, 42))
    same = edits.flag_landmarks(session.document.face(face_id), None, [36], Flag.OCCLUDED, "me", "left eye")
    assert same is None
    session.undo()
    label = session.document.face(face_id).label
    assert label is not None and not label.flags.any()
