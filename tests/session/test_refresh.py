from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scaf_gui.core.edits import change_face
from scaf_gui.core.face import Author, Label, State
from scaf_gui.errors import CheckpointError, FolderError, TooFewLabelsError, TrainingError
from scaf_gui.session import contest
from scaf_gui.session.curves import learning_curve
from scaf_gui.session.events import PoolScored, PrefillBatch, RefreshResult, RefreshStarted
from scaf_gui.session.prefill import cached
from scaf_gui.session.project import open_project
from tests.disks import files_end_at
from tests.session.refreshing import refresh


def restored(session):
    """The document, with what the cache holds of predictions."""
    for batch in cached(session.work.to_predict, session.wanted, session.model, session.cache, {}):
        session.take(batch)
    return session.document


def test_fewer_than_two_labels(make_session, label, tiny, slim):
    session = make_session()
    for there in ("none", "only one"):
        with pytest.raises(TooFewLabelsError, match=f"at least 2 labelled faces and there is {there}"):
            refresh(session, tiny)
        label(session, 1)
    assert session.model is None and not session.companions.exists()


def test_a_vanished_folder(make_session, label, tiny, images, slim):
    session = make_session()
    label(session, 2)
    shutil.rmtree(images)
    with pytest.raises(FolderError, match="gone"):
        refresh(session, tiny)


def test_first_model_then_a_judged_one_then_reopening(make_session, label, tiny, slim):
    session = make_session()
    first_labels = label(session, 3)
    assert session.current not in first_labels
    current, following = session.current, session.next_face()
    result, events = refresh(session, tiny)
    # without a rival the first model learns from every label
    assert result.kept_new and (result.old_error, result.new_error) == (None, None)
    assert session.model.own and session.model.trained_on == tuple(sorted(first_labels))
    assert isinstance(events[0], RefreshStarted) and isinstance(events[-1], PoolScored)
    scored = events[-1].predictions
    assert set(scored) == set(session.agenda.waiting())
    # the order is that of NNM, current and next first, the tenth place chance's, the least certain tenth at the end
    scores = {i: p.scores["nnm"] for i, p in scored.items()}
    by_score = sorted(scores, key=lambda i: -scores[i])
    (drawn,) = session.queue.drawn
    aside = [i for i in by_score[:1] if i not in (current, following, drawn)]
    rest = [i for i in by_score[1:] if i not in (current, following, drawn)]
    order = [current, following, *rest]
    if drawn not in (current, following):
        order.insert(9 - session.agenda.since_drawn, drawn)
    assert list(session.queue.order) == [*order, *aside]
    assert session.queue.set_aside == set(aside)

    more = label(session, 5)
    result, _ = refresh(session, tiny)
    assert result.judged_on >= 3
    assert result.new_error < result.old_error or not result.kept_new, "only what is proven better takes over"
    assert f"{result.old_error:.1f} %" in result.message and f"{result.new_error:.1f} %" in result.message
    if result.kept_new:
        unseen = set(more) - set(session.model.trained_on)
        assert len(unseen) == result.judged_on and set(first_labels) <= set(session.model.trained_on)
    model, queue, path = session.model, session.queue, session.path
    predictions = {i: session.document.prediction(i) for i in session.agenda.waiting()}
    session.close()

    again = open_project(path)
    try:
        assert again.model == model and again.queue == queue
        work = again.prefill()
        batch = next(work)  # from the cache: the model is not even loaded
        work.close()
        # a model that stays has also predicted the faces that were labelled since, and those it was trained on
        known = {*predictions, *more, *first_labels}
        assert batch.from_cache and {*predictions, *first_labels} <= set(batch.predictions) <= known
        for face_id, prediction in predictions.items():
            np.testing.assert_allclose(batch.predictions[face_id].points, prediction.points, atol=1e-3)
    finally:
        again.close()


def place(session, count, beside=(0.0, 0.0)):
    """Label the next faces where the model says at its first look, so much beside it."""
    session.work.look_twice = False
    document = restored(session)
    for face_id in session.agenda.upcoming(count):
        face, points = document.face(face_id), document.prediction(face_id).points
        label = Label.from_points(points + np.array(beside), Author.now("ann"))
        session.edit(change_face("Place", face, replace(face, label=label, state=State.LABELLED)))


def test_a_worse_model_does_not_take_over(trained, tiny):
    """The next labels are where the old model says, so a new one from random weights must be worse."""
    good = trained.model
    place(trained, 4)
    result, events = refresh(trained, tiny, mode="full")
    assert result.old_error < 0.5 < result.new_error and not result.kept_new and result.judged_on == 1
    assert trained.model == good and result.model == good
    assert result.message.startswith(f"Kept the old model: {result.old_error:.1f} % against {result.new_error:.1f} %")
    assert [path.stem for path in (trained.companions / "models").iterdir()] == [good.id]
    assert isinstance(events[-1], PoolScored) and events[-1].model_id == good.id


def test_the_old_model_is_judged_with_the_labels_that_teach_at_once(trained, tiny, monkeypatch):
    """All labels, with what it has said of them; none where that is switched off."""
    session, given = trained, []

    def hold(*what):
        given.append(what[-1])
        return contest.Outcome(what[3].checkpoint, 1.0, None)

    monkeypatch.setattr(contest, "hold", hold)
    place(session, 4, beside=(6.0, 0.0))
    refresh(session, tiny)
    session.instant.enabled = False
    refresh(session, tiny)
    teachers, nothing = given
    assert nothing is None and {face.face_id for face in teachers} > set(session.model.trained_on)
    assert len(teachers) == len(session.model.trained_on) + 4
    for face in teachers[-4:]:
        np.testing.assert_array_equal(face.predicted, session.document.prediction(face.face_id).points)


def test_without_a_new_label_nothing_is_trained(trained, tiny):
    session, model = trained, trained.model
    result, events = refresh(session, tiny)
    assert not result.kept_new and session.model == model and "every label" in result.message
    assert not any(isinstance(event, RefreshStarted) for event in events)
    result, _ = refresh(session, tiny, judge=False)
    assert result.kept_new and session.model != model


def test_cancelling_changes_nothing(make_session, label, tiny, slim):
    session = make_session()
    label(session, 3)
    work = session.refresh(session.snapshot(), preset=tiny, device="cpu")
    assert isinstance(next(work), RefreshStarted)
    next(work)
    work.close()
    assert session.model is None
    assert not list(Path(session.companions).rglob("*.safetensors"))


def test_a_damaged_model_does_not_stop_the_next_one(trained, label, tiny):
    session, damaged = trained, trained.model
    label(session, 1)
    Path(damaged.path).write_bytes(b"\x80\x04not a model")
    session.cache.path.unlink(missing_ok=True)
    result, _ = refresh(session, tiny)
    assert result.kept_new and session.model.id == result.model.id != damaged.id
    assert len(session.model.trained_on) == 3, "without a rival it learns from every label"
    assert "The model before cannot be used" in result.message and "pickled" in result.message


def test_a_second_refresh_is_refused_while_one_runs(trained, label, tiny):
    session = trained
    label(session, 2)
    work = session.refresh(session.snapshot(), preset=tiny, device="cpu")
    assert isinstance(next(work), RefreshStarted)
    with pytest.raises(TrainingError, match="is being refreshed already; wait for that to end, or cancel it"):
        next(session.refresh(session.snapshot(), preset=tiny, device="cpu"))
    assert next(work).step == 1, "the first one is not disturbed"
    work.close()
    again = session.refresh(session.snapshot(), preset=tiny, device="cpu")
    assert isinstance(next(again), RefreshStarted)
    again.close()


def test_a_full_disk_keeps_the_model_before(trained, label, tiny, take_all):
    session = trained
    before, files = session.model, sorted(Path(session.model.path).parent.iterdir())
    label(session, 2)
    with files_end_at(1 << 18), pytest.raises(CheckpointError, match=r"cannot be saved .*what was there before stays"):
        take_all(session, session.refresh(session.snapshot(), preset=tiny, device="cpu", judge=False))
    assert session.model == before and sorted(Path(before.path).parent.iterdir()) == files
    batch = next(session.prefill(device="cpu"))
    assert all(prediction.model_id == before.id for prediction in batch.predictions.values())
    result = take_all(session, session.refresh(session.snapshot(), preset=tiny, device="cpu", judge=False))
    assert result.kept_new and session.model.id == result.model.id != before.id


def test_the_learning_curve_is_kept_with_the_model(trained):
    curve = learning_curve(Path(trained.model.path))
    assert [step for step, _ in curve.loss] == [1, 2, 3] and all(loss > 0 for _, loss in curve.loss)
    assert len(curve.rate) == 3 and curve.validation == ()
    assert learning_curve(Path(trained.model.path).with_name("gone.safetensors")) is None


def test_a_face_labelled_while_the_model_trains_is_not_touched(make_session, label, tiny, slim):
    session = make_session()
    label(session, 3)
    work = session.refresh(session.snapshot(), preset=tiny, device="cpu")
    next(work)
    meanwhile = label(session, 2)
    faces = [session.document.face(i) for i in meanwhile]
    order_before = session.current
    for event in work:
        session.take(event)
    assert [session.document.face(i) for i in meanwhile] == faces
    assert session.current == order_before == session.queue.order[0]
    assert not set(meanwhile) & set(session.queue.order)
    assert not set(meanwhile) & set(session.model.trained_on)


def test_results_know_their_kind(make_session, label, tiny, slim):
    session = make_session()
    label(session, 2)
    result, events = refresh(session, tiny)
    kinds = [type(event).__name__ for event in events]
    assert kinds.index("RefreshResult") < kinds.index("PrefillBatch") < kinds.index("PoolScored")
    labelled, ahead = (event for event in events if isinstance(event, PrefillBatch))
    assert isinstance(result, RefreshResult) and set(labelled.predictions) == set(result.model.trained_on)
    assert not set(ahead.predictions) & set(labelled.predictions)
    assert session.take(result) == result.message and session.models[-1].id == result.model.id
    assert len(session.models) == 1  # taking the same result twice adopts it once
