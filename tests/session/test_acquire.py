from __future__ import annotations

from scaf_gui.session.acquire import reorder
from tests.session.refreshing import refresh


def test_acquisition_by_name(trained, label, tiny):
    session = trained
    label(session, 1)
    session.agenda.acquisition = "kcenter"
    _, events = refresh(session, tiny, judge=False)
    assert sorted(events[-1].order.order) == sorted(session.agenda.waiting())
    assert session.agenda.ranked_by == "kcenter" and not session.queue.set_aside
    by_centres = session.queue.order
    reorder(session, "entropy")
    scores = {i: session.document.prediction(i).scores["entropy"] for i in session.agenda.waiting()}
    by_score = sorted(scores, key=lambda i: -scores[i])
    # faces drawn at random have places of their own
    drawn = session.queue.drawn
    usual = [i for i in by_score[1:] + by_score[:1] if i not in drawn]
    assert [i for i in session.queue.order if i not in drawn] == usual
    reorder(session, "spread")
    assert session.agenda.ranked_by == "spread" and set(session.queue.order) == set(by_centres)
    assert len(session.queue.set_aside - drawn) <= 1
    reorder(session, "kcenter")
    assert set(session.queue.order) == set(by_centres) and session.agenda.ranked_by == "kcenter"
    reorder(session, "random", seed=1)
    one = session.queue.order
    reorder(session, "random", seed=2)
    assert session.queue.order != one
