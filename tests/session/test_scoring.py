"""What a refresh predicts of the pool and of the labels, and in which order."""

from __future__ import annotations

from scaf_gui.session import refresh as refreshing
from scaf_gui.session import scoring
from scaf_gui.session.events import PrefillBatch


def test_a_sample_is_scored_first_the_rest_is_merged_later(make_session, label, tiny, take_all, slim):
    session = make_session()
    session.work.look_twice = False
    label(session, 2)
    plan = refreshing.Plan(preset=tiny, device="cpu", score_seconds=0.0)
    work = refreshing.refresh(session.snapshot(), plan, lambda: session.wanted()[:2], session.cache, session.predictors)
    events = []
    for event in work:
        events.append(event)
        session.take(event)
    assert len(events[-1].predictions) == 2 and events[-1].of == 12
    front = session.queue.order[:2]
    assert take_all(session, session.prefill(device="cpu")) == 10
    assert len(session.queue.scores) == 12 and session.queue.order[:2] == front
    assert len(session.work.to_predict) == 0


def test_a_new_model_predicts_the_labels_that_teach_first(make_session, label, tiny, slim, monkeypatch):
    """Those labelled last before the others, as far as the time for the sample allows; the rest comes with pre-fill."""
    monkeypatch.setattr(scoring, "BATCH", 1)
    session = make_session()
    done = label(session, 3)
    plan = refreshing.Plan(preset=tiny, device="cpu", score_seconds=0.0)
    work = refreshing.refresh(session.snapshot(), plan, session.wanted, session.cache, session.predictors)
    events = list(work)
    labelled, ahead = (event for event in events if isinstance(event, PrefillBatch))
    assert len(labelled.predictions) == 1 and set(labelled.predictions) < set(done)
    assert not set(ahead.predictions) & set(done)
    for event in events:
        session.take(event)
    assert sum(session.work.to_predict.get(face_id) is not None for face_id in done) == 2
    session.instant.enabled = False
    again = list(refreshing.refresh(session.snapshot(), plan, session.wanted, session.cache, session.predictors))
    assert not any(set(event.predictions) & set(done) for event in again if isinstance(event, PrefillBatch))
