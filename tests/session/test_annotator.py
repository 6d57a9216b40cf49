from __future__ import annotations

import numpy as np
import pytest

from scaf_gui.core.edits import set_box
from scaf_gui.core.face import Box, BoxSource, Prediction, State
from scaf_gui.errors import LabelFileError, ScafError
from scaf_gui.session.annotator import label_from
from scaf_gui.session.evaluation import evaluate_labels, evaluate_predictions
from tests.jobs import finish


def test_the_next_faces_of_the_queue_are_labelled_one_edit_each(make_session, truth):
    session = make_session()
    order = session.queue.order
    done, seen = finish(label_from(session, truth, 4))
    assert done.face_ids == order[:4] and seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert session.current == order[4]
    for _ in range(4):
        session.undo()
    assert not session.document.with_state(State.LABELLED) and session.undo() is None


def test_faces_without_truth_are_passed_over_and_named(make_session, truth):
    session = make_session()
    first = session.document.face(session.queue.order[0]).image
    (truth / first.replace(".jpg", ".pts")).unlink()
    done, _ = finish(label_from(session, truth, 2))
    assert done.without_truth == (first,) and done.face_ids == session.queue.order[1:3]


def test_the_predictions_it_met_are_judged(make_session, truth, label):
    session = make_session()
    true = make_session("true")
    label(true, 14)
    face_id = session.queue.order[0]
    points = true.document.face(face_id).label.points
    off = points.copy()
    off[30] += [30.0, 0.0]
    session.document.set_predictions({face_id: Prediction(off, np.ones(68), "m", {})})
    done, _ = finish(label_from(session, truth, 3))
    assert done.before.faces == 1 and done.before.drags_3 == 1.0


def test_a_box_beside_the_face_is_drawn_anew(make_session, truth):
    session = make_session()
    face_id = session.queue.order[0]
    session.edit(set_box(session.document.face(face_id), Box(300, 300, 20, 20, BoxSource.DETECTOR)))
    finish(label_from(session, truth, 1))
    assert session.document.face(face_id).box.source is BoxSource.DRAWN


def test_a_folder_of_other_labels_is_an_error(make_session, truth, tmp_path):
    session = make_session()
    for number, path in enumerate(sorted(truth.iterdir())):
        path.rename(truth / f"stranger_{number}x.pts")
    with pytest.raises(ScafError, match="none of the 14 waiting faces"):
        finish(label_from(session, truth, 1))
    (truth / "stranger_0x.pts").write_text("version: 1\n{\n1 2 3\n}")
    with pytest.raises(LabelFileError, match=r"stranger_0x\.pts, line 3"):
        finish(label_from(session, truth, 1))


def test_evaluation_of_labels_and_of_predictions(trained, truth):
    report = evaluate_labels(trained, truth)
    assert (report.figures.faces, report.what, len(report.without)) == (2, "labels", 12)
    assert report.figures.nme == pytest.approx(0, abs=1e-4) and report.figures.drags_3 == 0
    report, seen = finish(evaluate_predictions(trained, truth, device="cpu"))
    assert (report.figures.faces, report.trained_on) == (12, 2) and seen[-1] == (12, 12)
    assert report.model == trained.model.id and report.figures.nme > 1
    both, _ = finish(evaluate_predictions(trained, truth, device="cpu", include_trained=True))
    assert both.figures.faces == 14
