from __future__ import annotations

import numpy as np

from scaf_gui.core.edits import Change, Edit, skip
from scaf_gui.core.face import Author, Face, Label, Prediction, State
from scaf_gui.session.events import ModelInfo
from scaf_gui.session.project import open_project


def predictions(session, scores, model_id="m"):
    points = np.arange(136.0).reshape(68, 2)
    return {i: Prediction(points, np.ones(68), model_id, {"nnm": float(s)}) for i, s in scores.items()}


def test_reordering_keeps_current_and_next_in_place_and_sets_the_top_aside(make_session):
    session = make_session()
    first, second = session.queue.order[:2]
    seen = []
    session.agenda.on_change = lambda: seen.append(session.queue)
    session.document.set_predictions(predictions(session, {i: i for i in range(1, 15)}))
    assert session.agenda.reorder_by_scores("m") == 14
    order = session.queue.order
    assert order[:2] == (first, second)
    (drawn,) = session.queue.drawn
    aside = [i for i in (14,) if i not in (first, second, drawn)]
    rest = [i for i in range(14, 0, -1) if i not in (first, second, drawn, *aside)]
    expected = [first, second, *rest]
    if drawn not in (first, second):
        expected.insert(9, drawn)  # the tenth place is chance's
    assert list(order) == expected + aside
    assert session.queue.set_aside == frozenset(aside)
    assert seen[-1] is session.queue and session.current == first


def test_scores_of_another_model_do_not_count(make_session):
    session = make_session()
    session.document.set_predictions(predictions(session, {1: 5, 2: 9}, "old"))
    before = session.queue
    assert session.agenda.reorder_by_scores("new") == 0 and session.queue is before


def test_faces_labelled_meanwhile_leave_the_order(make_session):
    session = make_session()
    done = session.queue.order[3]
    face = session.document.face(done)
    label = Label.from_points(np.ones((68, 2)), Author.now("ann"))
    session.edit(Edit("Label", (Change(face, Face(done, face.image, face.box, label, state=State.LABELLED)),)))
    assert done in session.queue.order  # the panel's rows do not jump under the mouse
    session.document.set_predictions(predictions(session, {i: i for i in range(1, 15)}))
    session.agenda.reorder_by_scores("m", keep=False)
    assert done not in session.queue.order and len(session.queue) == 13
    session.undo()
    assert done in session.queue.order


def test_order_scores_and_set_aside_come_back(make_session):
    session = make_session()
    session.document.set_predictions(predictions(session, {i: i / 3 for i in range(1, 15)}))
    session.agenda.discard = 0.2
    session.agenda.reorder_by_scores("m", keep=False)
    queue, path = session.queue, session.path
    session.close()
    again = open_project(path)
    try:
        assert again.queue == queue and 1 <= len(queue.set_aside) <= 2 and len(queue.drawn) == 1
        assert (again.agenda.ranked_by, again.agenda.discard) == ("nnm", 0.2)
    finally:
        again.close()


def test_new_faces_wait_at_the_end_and_removed_ones_are_gone(make_session):
    session = make_session()
    new = Face(session.document.next_id(), "face_1.jpg")
    session.edit(Edit("Add", (Change(None, new),)))
    assert session.queue.order[-1] == new.id
    session.undo()
    assert new.id not in session.queue.order


def test_a_face_that_is_brought_back_stands_where_it_stood(make_session):
    """ "Not a face", and undo: it does not go to the end of the queue."""
    session = make_session()
    before = session.queue.order
    for face_id in before[2:5]:
        face = session.document.face(face_id)
        session.edit(Edit("Not a face", (Change(face, None),)))
    assert session.queue.order == before[:2] + before[5:]
    for _ in range(3):
        session.undo()
    assert session.queue.order == before
    faces = [session.document.face(i) for i in (before[6], before[4])]
    session.edit(Edit("Take out", tuple(Change(face, None) for face in faces)))
    session.undo()
    assert session.queue.order == before


def test_next_face_passes_over_what_is_done(make_session):
    session = make_session()
    order = session.queue.order
    session.edit(skip(session.document.face(order[1])))
    assert session.next_face() == order[2]
    session.current = order[-1]
    assert session.next_face() == order[0]
    assert session.wanted()[:2] == (order[-1], order[0])


def test_predictions_are_asked_for_again_when_a_box_changes(make_session):
    from dataclasses import replace

    from scaf_gui.core.edits import set_box
    from scaf_gui.core.face import Box
    from scaf_gui.session.events import PrefillBatch

    session = make_session()
    session.work.look_twice = False
    session.work.use_model(ModelInfo("m", "m.safetensors", True, "m"))
    assert len(session.work.to_predict) == 14
    job = session.work.to_predict.get(1)
    session.edit(set_box(session.document.face(1), Box(3, 3, 90, 90)))
    stale = PrefillBatch(predictions(session, {1: 1.0}), {1: job.square}, model_id="m")
    session.take(stale)
    assert session.document.prediction(1) is None and session.work.to_predict.get(1) is not None
    fresh = replace(stale, squares={1: session.work.to_predict.get(1).square})
    session.take(fresh)
    assert session.document.prediction(1) is not None and session.work.to_predict.get(1) is None
    session.take(replace(fresh, model_id="another"))
    assert len(session.work.to_predict) == 13


def accept(session, face_id):
    face = session.document.face(face_id)
    label = Label.from_points(np.arange(136.0).reshape(68, 2), Author.now("ann"))
    session.edit(Edit("Accept", (Change(face, Face(face.id, face.image, face.box, label, state=State.LABELLED)),)))


def test_a_drawn_face_comes_after_nine_others_however_often_the_queue_is_reordered(make_session):
    session = make_session()
    agenda = session.agenda
    assert agenda.at_random(1)  # the first order is random as a whole
    session.document.set_predictions(predictions(session, {i: i for i in range(1, 15)}))
    agenda.reorder_by_scores("m", keep=False)
    (drawn,) = session.queue.drawn
    assert session.queue.order.index(drawn) == 9 and drawn not in session.queue.set_aside
    assert agenda.at_random(drawn) and not agenda.at_random(session.queue.order[0])
    for place in (8, 7, 6):
        accept(session, session.queue.order[0])
        agenda.reorder_by_scores("m", keep=False)
        assert session.queue.order.index(drawn) == place
    session.undo()
    agenda.reorder_by_scores("m", keep=False)
    assert session.queue.order.index(drawn) == 7
    accept(session, drawn)
    agenda.reorder_by_scores("m", keep=False)
    assert agenda.since_drawn == 0 and drawn in session.queue.drawn and drawn not in session.queue.order
    path = session.path
    session.close()
    again = open_project(path)
    try:
        assert again.agenda.at_random(drawn) and len(again.queue.drawn) == 2  # the next one is drawn already
    finally:
        again.close()


def test_a_random_order_draws_nobody(make_session):
    session = make_session()
    session.agenda.shuffle(4)
    assert not session.queue.drawn and session.agenda.at_random(session.queue.order[-1])
