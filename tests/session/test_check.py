"""The label check of a project: what it finds, what stays fine, how an acceptance is remembered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scaf_gui.core import edits
from scaf_gui.core.calibration import perfect_magnitude
from scaf_gui.core.face import Author, Flag, Label, Prediction, State
from scaf_gui.io.formats.pts import read_pts
from scaf_gui.session import check as module
from scaf_gui.session.check import Alarm, Statistics
from scaf_gui.session.project import open_project
from scaf_gui.session.session import Session
from scaf_gui.session.steps import result_of


def checked(session: Session) -> tuple[list[Alarm], Statistics]:
    return result_of(session.check.project())


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


@pytest.fixture
def begun(make_session: Callable[..., Session], truth: Path) -> tuple[Session, int]:
    """A project without a label, and a face that the starter is sure of; its chin was dragged onto the cheek."""
    made = make_session(use_starter=True)
    made.blind.share = 0.0
    face_id = made.queue.order[0]
    face = made.document.face(face_id)
    assert made.model is not None
    points = read_pts(truth / f"{Path(face.image).stem}.pts", 68)
    sure = np.full(68, 0.95 * perfect_magnitude(2.0, 5))
    made.document.set_predictions({face_id: Prediction(points, sure, made.model.id, {"peak": -0.95})})
    x, y = points[[2, 30]].mean(axis=0)
    drag(made, face_id, 8, x, y)
    return made, face_id


def drag(session: Session, face_id: int, landmark: int, x: float, y: float) -> None:
    face, shown = session.document.face(face_id), session.blind.shown(face_id)
    edit = edits.move_landmark(face, shown, landmark, x, y, "me")
    assert edit is not None
    session.edit(edit)


def surprising(session: Session, face_id: int) -> list[Alarm]:
    face = session.document.face(face_id)
    found = session.check.face(face, session.blind.shown(face_id), (128, 128))
    return [alarm for alarm in found if alarm.finding.rule == "surprising"]


def test_a_chin_on_the_cheek_is_found_on_the_first_face(begun: tuple[Session, int]) -> None:
    session, face_id = begun
    (alarm,) = surprising(session, face_id)
    assert alarm.finding.landmarks == (8,) and alarm.title == "Far from a sure prediction"
    assert "from where expected" in alarm.finding.reason
    session.check.set_fine(alarm)
    assert surprising(session, face_id) == []
    drag(session, face_id, 9, *(session.document.shown(face_id).points[9] + 1))
    assert len(surprising(session, face_id)) == 1, "another state of the landmarks"
    edit = edits.accept(session.document.face(face_id), session.document.shown(face_id), "me")
    assert edit is not None
    session.edit(edit)
    assert [a.finding.landmarks for a in checked(session)[0] if a.finding.rule == "surprising"] == [(8,)]
    drag(session, face_id, 8, *session.document.shown(face_id).points[8])
    assert surprising(session, face_id) == []
    assert [a for a in checked(session)[0] if a.finding.rule == "surprising"] == []


def test_what_nobody_placed_is_not_spoken_of(begun: tuple[Session, int]) -> None:
    session, face_id = begun
    face = session.document.face(face_id)
    assert face.label is not None
    label = replace(face.label, placed=np.zeros(68, bool))
    session.edit(edits.set_label(face, label, "Take over", "me"))
    assert surprising(session, face_id) == []


def test_a_prediction_that_is_kept_back_is_not_given_away(begun: tuple[Session, int]) -> None:
    session, _ = begun
    other = session.queue.order[1]
    prediction = session.document.shown(session.queue.order[0])
    assert prediction is not None
    session.document.set_predictions({other: prediction})
    points = prediction.points.copy()
    points[8] = points[[2, 30]].mean(axis=0)
    face = session.document.face(other)
    session.edit(edits.set_label(face, Label.from_points(points, Author.now("me")), "Place", "me"))
    session.blind.share = 1.0
    assert session.blind.hides(other) and surprising(session, other) == []
    session.blind.reveal(other)
    assert [alarm.finding.landmarks for alarm in surprising(session, other)] == [(8,)]


def test_a_model_that_is_not_known_is_not_believed(begun: tuple[Session, int]) -> None:
    session, face_id = begun
    prediction = session.document.prediction(face_id)
    assert prediction is not None
    session.document.set_predictions({face_id: replace(prediction, model_id="unheard of")})
    assert surprising(session, face_id) == []
