"""Predicting a face again: the box goes around its landmarks, and what nobody placed follows the new prediction."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from scaf_gui.core import edits
from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.corrector import Corrector
from scaf_gui.core.face import Box, Face, Flag, Prediction
from scaf_gui.core.geometry import landmark_box
from scaf_gui.session import again
from scaf_gui.session.session import Session

TRUTH = np.random.default_rng(4).uniform(30.0, 90.0, (68, 2))


@pytest.fixture
def session(make_session: Callable[..., Session]) -> Session:
    """The first face is predicted 30 pixels off, and one of its landmarks placed."""
    made = make_session()
    made.current = next(iter(made.document)).id
    predict(made, TRUTH - 30.0)
    place(made, 30)
    return made


def face_of(session: Session) -> Face:
    assert session.current is not None
    return session.document.face(session.current)


def shown_of(session: Session) -> Prediction | None:
    return session.document.shown(face_of(session).id)


def points_of(session: Session) -> FloatArray:
    label = face_of(session).label
    assert label is not None
    return label.points


def predict(session: Session, points: FloatArray) -> None:
    session.document.set_predictions({face_of(session).id: Prediction(points, np.ones(68), "m")})


def place(session: Session, landmark: int) -> None:
    edit = edits.move_landmark(face_of(session), shown_of(session), landmark, *TRUTH[landmark], "me")
    assert edit is not None
    session.edit(edit)


def ask(session: Session) -> edits.Edit:
    asked = again.look_there(session, face_of(session), shown_of(session))
    assert asked is not None
    session.edit(asked)
    return asked


def take_over(session: Session, asked: edits.Edit) -> None:
    edit = again.take_over(session, asked)
    assert edit is not None
    session.edit(edit)
    again.join(session, asked)


def test_box_and_landmarks_are_one_step_and_missing_landmarks_stay_missing(session: Session) -> None:
    edit = edits.flag_landmark(face_of(session), shown_of(session), 5, Flag.MISSING, "me")
    assert edit is not None
    session.edit(edit)
    before = face_of(session)
    asked = ask(session)
    assert again.take_over(session, asked) is None, "the model has not looked yet"
    predict(session, TRUTH + 2.0)
    take_over(session, asked)
    assert face_of(session).box == landmark_box(before.label.points)  # type: ignore[union-attr]
    assert points_of(session)[30].tolist() == TRUTH[30].tolist()
    others = np.arange(68) != 30
    others[5] = False
    assert np.abs(points_of(session) - TRUTH)[others].max() < 4.0
    label = face_of(session).label
    assert label is not None
    assert label.flags[5] == Flag.MISSING
    assert session.undo() is not None
    assert face_of(session) == before


def test_what_is_learnt_at_once_counts(session: Session) -> None:
    """A correction that moves every face by four pixels moves what is taken over, too."""
    asked = ask(session)
    predict(session, TRUTH)
    plain = again.take_over(session, asked)
    centred = TRUTH - TRUTH.mean(axis=0)
    size = float(np.sqrt((centred**2).sum(axis=1).mean()))
    weights = np.full((68, 1, 2), 4.0 / size)
    corrector = Corrector("m", centred / size, np.zeros(136), np.zeros((136, 0)), weights, 5, 4.0, 1.0)
    session.document.use_corrector(corrector)
    corrected = again.take_over(session, asked)
    assert plain is not None
    assert corrected is not None
    moved = corrected.changes[0].after.label.points - plain.changes[0].after.label.points  # type: ignore[union-attr]
    far = np.linalg.norm(TRUTH - TRUTH[30], axis=1) > size  # the placed one holds those near to it
    np.testing.assert_allclose(moved[far].mean(), 4.0, atol=1.0)


def test_undone_redrawn_accepted_or_gone_nothing_is_taken_over(session: Session) -> None:
    asked = ask(session)
    session.undo()
    assert again.is_outdated(session, asked)
    asked = ask(session)
    session.edit(edits.set_box(face_of(session), Box(1, 2, 30, 40)))
    predict(session, TRUTH)
    assert again.take_over(session, asked) is None
    asked = ask(session)
    predict(session, TRUTH)
    accepted = edits.accept(face_of(session), shown_of(session), "me")
    assert accepted is not None
    session.edit(accepted)
    assert again.take_over(session, asked) is None
    session.edit(edits.delete_face(face_of(session), last=False))
    assert again.is_outdated(session, asked)
    assert again.take_over(session, asked) is None


def test_without_landmarks_there_is_nowhere_to_look(make_session: Callable[..., Session]) -> None:
    session = make_session()
    face = next(iter(session.document))
    assert again.look_there(session, face, None) is None
    around = again.look_there(session, face, Prediction(TRUTH, np.ones(68), "m"))
    assert around is not None
    session.edit(around)
    face = session.document.face(face.id)
    assert again.look_there(session, face, Prediction(TRUTH, np.ones(68), "m")) is None, "the box is there already"


def test_far_off_is_what_was_placed_far_from_its_prediction(session: Session) -> None:
    face = face_of(session)
    assert again.is_far_off(face, shown_of(session))
    assert not again.is_far_off(face, Prediction(TRUTH + 2.0, np.ones(68), "m"))
    assert not again.is_far_off(face, None)
    for landmark in range(40):
        place(session, landmark)
    assert not again.is_far_off(face_of(session), shown_of(session)), "most is done by hand"
