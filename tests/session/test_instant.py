from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from scaf_gui.core import edits
from scaf_gui.core.document import Changed
from scaf_gui.core.face import Author, Label, Prediction, State
from scaf_gui.core.geometry import crop_square
from scaf_gui.session.events import ModelInfo, PrefillBatch, RefreshResult
from scaf_gui.session.project import open_project
from scaf_gui.session.session import Session
from scaf_gui.settings import Settings

MODEL = ModelInfo("m", "nowhere", False, "a model")
SHAPE = np.stack([np.tile(np.arange(17.0), 4), np.repeat(np.arange(4.0), 17)], axis=1) * [6, 25]
#: how this person's labels differ from the model's predictions, in pixels
HABIT = np.where(np.arange(68)[:, None] % 2, [[0.0, 9.0]], [[6.0, 0.0]])


def predicted(session: Session, model: str = "m") -> dict[int, Prediction]:
    rng = np.random.default_rng(1)
    return {
        face.id: Prediction(SHAPE + rng.normal(0, 0.5, SHAPE.shape), np.ones(68), model, {"nnm": float(face.id)})
        for face in session.document
    }


def pre_fill(session: Session, model: str = "m") -> None:
    squares = {face.id: crop_square(face.box) for face in session.document if face.box is not None}
    session.take(PrefillBatch(predicted(session, model), squares, model_id=model))


@pytest.fixture
def session(make_session: Any) -> Session:
    made: Session = make_session()
    made.work.use_model(MODEL)
    pre_fill(made)
    return made


def label(session: Session, face_id: int, habit: np.ndarray = HABIT) -> None:
    """As a careful person would: every landmark put where it belongs, then accepted."""
    face, raw = session.document.face(face_id), session.document.prediction(face_id)
    assert raw is not None
    given = Label.from_points(raw.points + habit, Author.now("ann"), based_on=raw.model_id)
    session.edit(edits.change_face("Label face", face, replace(face, label=given, state=State.LABELLED)))


def label_three(session: Session) -> list[int]:
    first, *rest = (face.id for face in session.document)
    for face_id in (first, *rest[:2]):
        label(session, face_id)
    return rest[2:]


def shift(session: Session, face_id: int) -> np.ndarray:
    shown, raw = session.document.shown(face_id), session.document.prediction(face_id)
    assert shown is not None and raw is not None
    return shown.points - raw.points


def test_an_accepted_face_moves_the_next_pre_fill_and_undo_moves_it_back(session: Session) -> None:
    waiting = label_three(session)
    assert session.instant.corrector is not None and session.instant.corrector.faces == 3
    assert 0.4 < np.median(shift(session, waiting[0])[HABIT > 0] / HABIT[HABIT > 0]) <= 1.05
    by_three = shift(session, waiting[0])
    session.undo()
    assert session.instant.corrector is not None and session.instant.corrector.faces == 2
    assert 0 < np.abs(shift(session, waiting[0])).max() < np.abs(by_three).max()
    session.undo()
    assert session.instant.corrector is None and not shift(session, waiting[0]).any()
    session.redo()
    session.redo()
    np.testing.assert_allclose(shift(session, waiting[0]), by_three)


def test_what_the_model_said_stays_and_the_label_names_the_model(session: Session) -> None:
    before = {face.id: session.document.prediction(face.id) for face in session.document}
    waiting = label_three(session)
    assert all(session.document.prediction(face_id) is one for face_id, one in before.items())
    face, shown = session.document.face(waiting[0]), session.document.shown(waiting[0])
    edit = edits.accept(face, shown, "ann")
    assert edit is not None and shown is not None
    session.edit(edit)
    given = session.document.face(waiting[0]).label
    assert given is not None and given.based_on == "m" and not given.placed.any()
    np.testing.assert_array_equal(given.points, shown.points)


def test_a_face_that_was_touched_is_not_moved_any_more(session: Session) -> None:
    label_three(session)
    touched, other = [face.id for face in session.document][5:7]
    shown = session.document.shown(touched)
    edit = edits.move_landmark(session.document.face(touched), shown, 3, 1.0, 2.0, "ann")
    assert edit is not None
    session.edit(edit)
    given = session.document.face(touched).label
    before = shift(session, other)
    label(session, [face.id for face in session.document][7], 1.5 * HABIT)
    assert session.document.shown(touched) is shown and session.document.face(touched).label is given
    assert np.abs(shift(session, other) - before).max() > 0.1
    session.edit(edits.reset_to_prediction(session.document.face(touched)))
    now = session.document.shown(touched)
    assert now is not None and shown is not None and np.abs(now.points - shown.points).max() > 0.1


def test_faces_that_may_be_on_the_screen_are_announced(session: Session) -> None:
    heard: list[Changed] = []
    session.document.subscribe(heard.append)
    label_three(session)
    told = [changed for changed in heard if changed.part == "prediction"]
    assert told and told[-1].by is session.instant
    assert set(told[-1].face_ids) <= set(session.wanted()) and session.next_face() in told[-1].face_ids
    assert not any(session.document.face(face_id).is_human for face_id in told[-1].face_ids)


def test_dragging_on_a_waiting_face_fits_nothing_anew(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = label_three(session)
    corrector = session.instant.corrector
    edit = edits.move_landmark(
        session.document.face(waiting[0]), session.document.shown(waiting[0]), 0, 1.0, 1.0, "ann"
    )
    assert edit is not None
    session.edit(edit)
    assert session.instant.corrector is corrector


def test_switched_off_the_predictions_are_the_models_own(session: Session) -> None:
    waiting = label_three(session)
    session.instant.enabled = False
    assert session.instant.corrector is None and not shift(session, waiting[0]).any()
    label(session, waiting[0])
    assert session.instant.corrector is None
    session.instant.enabled = True
    assert session.instant.corrector is not None and session.instant.corrector.faces == 4


def test_a_refresh_begins_a_new_correction(session: Session) -> None:
    waiting = label_three(session)
    labelled = [face.id for face in session.document.with_state(State.LABELLED)]
    new = ModelInfo("n", "nowhere", True, "a new model", trained_on=tuple(labelled[:1]))
    session.take(RefreshResult(True, new, "The new model takes over"))
    assert session.instant.corrector is None and not shift(session, waiting[0]).any()
    # the new model is asked for all of them, and they are learnt from as soon as it has spoken
    asked = {face for face in labelled if session.work.to_predict.get(face) is not None}
    assert asked == set(labelled)
    pre_fill(session, "n")
    corrector = session.instant.corrector
    assert corrector is not None and (corrector.model_id, corrector.faces) == ("n", 3)


def test_opened_again_the_labels_are_learnt_from_once_their_predictions_are_there(session: Session) -> None:
    label_three(session)
    session.close()
    again = open_project(session.path)
    try:
        again.work.use_model(MODEL)
        again.instant.learn()
        labelled = [face.id for face in again.document.with_state(State.LABELLED)]
        assert again.instant.corrector is None
        assert all(again.work.to_predict.get(face_id) is not None for face_id in labelled)
        pre_fill(again)
        assert again.instant.corrector is not None and again.instant.corrector.faces == 3
        assert not shift(again, labelled[0]).any()  # what was shown of them then is not known
    finally:
        again.close()


def test_the_setting_switches_it_off(session: Session) -> None:
    settings = Settings()
    assert settings["instant"] is True
    settings["instant"] = False
    path = session.path
    session.close()
    again = open_project(path, settings)
    try:
        assert not again.instant.enabled
    finally:
        again.close()


def test_learning_that_is_put_off_is_done_once_at_the_end(session: Session) -> None:
    waiting = label_three(session)
    by_three, heard = shift(session, waiting[1]), list[Changed]()
    session.document.subscribe(heard.append)
    session.instant.put_off()
    label(session, waiting[0], 1.2 * HABIT)
    label(session, waiting[2], 1.2 * HABIT)
    assert session.instant.corrector is not None and session.instant.corrector.faces == 3
    np.testing.assert_array_equal(shift(session, waiting[1]), by_three)
    assert [changed.part for changed in heard] == ["face", "face"]
    session.instant.catch_up()
    assert session.instant.corrector is not None and session.instant.corrector.faces == 5
    assert np.abs(shift(session, waiting[1]) - by_three).max() > 0.1
    assert [changed.part for changed in heard] == ["face", "face", "prediction"]
    session.instant.put_off()
    session.instant.catch_up()
    session.instant.catch_up()
    assert len(heard) == 3, "there was nothing to learn"
