"""Two looks at the faces that come next: what replaces what, and what never moves under a person's eyes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from scaf_gui.core.edits import move_landmark, reset_to_prediction, set_box
from scaf_gui.core.face import Box, State
from scaf_gui.core.geometry import crop_square
from scaf_gui.session.agenda import AHEAD
from scaf_gui.session.events import PrefillBatch
from scaf_gui.session.prefill import cached
from scaf_gui.session.project import open_project
from scaf_gui.session.session import Session
from scaf_gui.settings import Settings


def looks(session: Session) -> dict[int, int]:
    said = {face: session.document.prediction(face) for face in session.agenda.waiting()}
    return {face: one.looks for face, one in said.items() if one is not None}


def forget(session: Session) -> None:
    """What the refresh in the fixture has predicted."""
    session.cache.path.unlink(missing_ok=True)
    session.work.refill()


def one_look(session: Session, take_all: Callable[..., Any]) -> dict[int, np.ndarray]:
    """Predict everything from one look; the points by face."""
    session.work.look_twice = False
    forget(session)
    take_all(session, session.prefill(device="cpu"))
    assert set(looks(session).values()) == {1}
    return {face: session.document.prediction(face).points for face in looks(session)}  # type: ignore[union-attr]


def test_the_faces_that_come_next_get_two_looks_the_others_one(trained: Session, take_all: Callable[..., Any]) -> None:
    session = trained
    assert session.work.look_twice
    forget(session)
    assert session.work.owes_first_look()
    take_all(session, session.prefill(device="cpu"))
    near = set(session.wanted())
    assert len(near) == AHEAD + 1 < len(looks(session)) == 12
    assert looks(session) == {face: 2 if face in near else 1 for face in session.agenda.waiting()}
    assert len(session.work.to_predict) == 0


def test_a_second_look_changes_points_but_no_scores_and_not_the_order(
    trained: Session, take_all: Callable[..., Any]
) -> None:
    """But where a box misses the face: the scores are those of where it was found then."""
    session = trained
    before = one_look(session, take_all)
    session.agenda.reorder_by_scores(session.model.id)  # type: ignore[union-attr]
    scores = {face: session.document.prediction(face).scores for face in before}  # type: ignore[union-attr]
    order = session.queue
    session.work.look_twice = True
    jobs = [session.work.to_predict.get(face) for face in session.wanted()]
    assert all(job is not None and job.again for job in jobs[1:]) and not session.work.owes_first_look()
    take_all(session, session.prefill(device="cpu"))
    changed = [face for face in before if not np.array_equal(session.document.prediction(face).points, before[face])]  # type: ignore[union-attr]
    assert set(changed) == set(session.wanted()) - {session.current}
    for face, known in scores.items():  # of a face in another batch the last digits differ
        assert session.document.prediction(face).scores == pytest.approx(known, rel=1e-5)  # type: ignore[union-attr]
    assert session.queue is order and session.agenda.unmerged == 0


def test_a_face_that_its_box_misses_gets_two_looks_wherever_it_is(
    trained: Session, take_all: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = trained
    one_look(session, take_all)
    last = next(face for face in reversed(tuple(session.document)) if face.state is State.UNLABELLED)
    session.edit(set_box(last, Box(5, 5, 60, 60)))
    missed = crop_square(Box(5, 5, 60, 60))
    monkeypatch.setattr(
        "scaf_gui.learning.crops.elsewhere", lambda points, scheme, first, by: first if first == missed else None
    )
    take_all(session, session.prefill(device="cpu"))
    assert {face for face, count in looks(session).items() if count == 2} == {last.id}


def test_what_is_shown_or_touched_stays_where_it_is(trained: Session, take_all: Callable[..., Any]) -> None:
    session = trained
    before = one_look(session, take_all)
    current, touched, late = session.wanted()[:3]
    face = session.document.face(touched)
    session.edit(move_landmark(face, session.document.shown(touched), 0, 5.0, 6.0, "ann"))
    session.work.look_twice = True
    work = session.prefill(device="cpu")
    batch = next(work)
    assert isinstance(batch, PrefillBatch) and late in batch.predictions and batch.predictions[late].looks == 2
    session.current = late  # the person is faster than the second look
    session.take(batch)
    assert np.array_equal(session.document.prediction(late).points, before[late])  # type: ignore[union-attr]
    take_all(session, work)
    take_all(session, session.prefill(device="cpu"))
    for kept in (touched, late):
        assert np.array_equal(session.document.prediction(kept).points, before[kept])  # type: ignore[union-attr]
    assert looks(session)[current] == 1 or current in session.wanted()
    assert len(session.work.to_predict) == 0


def test_a_first_look_that_comes_late_does_not_replace_two(trained: Session, take_all: Callable[..., Any]) -> None:
    session = trained
    one_look(session, take_all)
    session.work.look_twice = True
    face = session.wanted()[1]
    job = session.work.to_predict.get(face)
    assert job is not None
    old = session.document.prediction(face)
    take_all(session, session.prefill(device="cpu"))
    best = session.document.prediction(face)
    assert old is not None and best is not None and best.looks == 2
    session.take(PrefillBatch({face: old}, {face: job.square}, model_id=old.model_id))
    assert session.document.prediction(face) is best and session.work.to_predict.get(face) is None


def test_two_looks_come_back_from_the_cache(trained: Session, take_all: Callable[..., Any]) -> None:
    session, path = trained, trained.path
    forget(session)
    take_all(session, session.prefill(device="cpu"))
    before = {face: session.document.prediction(face) for face in session.agenda.waiting()}
    session.close()
    for on in (True, False):
        settings = Settings()
        settings["second_look"] = on
        again = open_project(path, settings)
        try:
            assert again.work.look_twice is on
            for batch in cached(again.work.to_predict, again.wanted, again.model, again.cache, {}):  # type: ignore[arg-type]
                again.take(batch)
            # what is left are the two labelled faces, which the fixture's cache has lost: they teach the correction
            assert not any(again.work.to_predict.get(face) for face in again.agenda.waiting())
            for face, one in before.items():
                found = again.document.prediction(face)
                assert one is not None and found is not None and found.looks == one.looks
                assert np.array_equal(found.points, one.points)
            with again.cache.open() as cache:
                assert len(cache.features(again.model.id)) == len(before)  # type: ignore[union-attr]
        finally:
            again.close()


def test_work_without_a_window_looks_twice_at_all(trained: Session, take_all: Callable[..., Any]) -> None:
    session = trained
    one_look(session, take_all)
    session.work.look_twice = True
    session.work.look_twice_at_all()
    assert len(session.work.to_predict) == 12
    take_all(session, session.prefill(device="cpu"))
    assert set(looks(session).values()) == {2} and len(session.work.to_predict) == 0
    session.work.look_twice = False
    session.work.look_twice_at_all()
    assert len(session.work.to_predict) == 0


def test_a_new_box_is_looked_at_anew(trained: Session, take_all: Callable[..., Any]) -> None:
    from scaf_gui.core.edits import set_box

    session = trained
    take_all(session, session.prefill(device="cpu"))
    face = session.document.face(session.wanted()[1])
    assert face.box is not None
    session.edit(set_box(face, replace(face.box, width=face.box.width * 0.8)))
    job = session.work.to_predict.get(face.id)
    assert job is not None and (job.looks, job.again) == (2, False)


def test_relabelling_after_a_reset_asks_for_a_prediction(trained: Session) -> None:
    session = trained
    session.instant.enabled = False  # it would ask for what labels teach
    session.work.refill()
    done = [face.id for face in session.document.with_state(State.LABELLED)]
    assert session.work.to_predict.get(done[0]) is None
    session.edit(reset_to_prediction(session.document.face(done[0])))
    assert session.work.to_predict.get(done[0]) is not None
