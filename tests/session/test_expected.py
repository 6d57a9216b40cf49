"""Which faces calibrate, what is remembered of them, and what is said of those nobody has seen."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from scaf_gui.core.calibration import ACROSS, perfect_magnitude
from scaf_gui.core.edits import Change, Edit, accept, move_landmark
from scaf_gui.core.face import Author, Label, Prediction, State
from scaf_gui.session import models
from scaf_gui.session.events import ModelInfo
from scaf_gui.session.expected import AGEING, shipped, spoken
from scaf_gui.session.project import open_project

#: a face whose eyes are 60 pixels apart
POINTS = np.stack([np.linspace(20, 110, 68), 60 + 20 * np.sin(np.arange(68.0))], axis=1)
POINTS[36], POINTS[45] = (30.0, 50.0), (90.0, 50.0)


def model(folder, model_id="m", trained_on=()):
    """A model of which only the header is there."""
    path = folder / f"{model_id}.safetensors"
    header = json.dumps({"__metadata__": {"scaf_gui": json.dumps({"sigma": 2.0, "nnm_window": 5})}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    return ModelInfo(model_id, str(path), True, model_id, trained_on=tuple(trained_on))


def prediction(face_id, strength=0.9, model_id="m"):
    magnitude = np.full(68, strength * perfect_magnitude(2.0, 5))
    return Prediction(POINTS, magnitude, model_id, {"nnm": float(face_id), "peak": -strength})


@pytest.fixture
def session(make_session, tmp_path):
    made = make_session()
    made.work.use_model(model(tmp_path))
    made.document.set_predictions({i: prediction(i, 0.7 + i / 60) for i in range(1, 15)})
    return made


def label(session, face_id, off=6.0):
    """Accept a face as lying ``off`` pixels (of 60 between the eyes) beside its prediction, all put there by hand."""
    face = session.document.face(face_id)
    placed = Label.from_points(POINTS + np.array([off, 0.0]), Author.now("ann"), based_on="m")
    session.edit(Edit("Accept face", (Change(face, replace(face, label=placed, state=State.LABELLED)),)))


def test_fainter_heatmaps_are_expected_to_be_further_off(session):
    errors = [session.expected.face(i) for i in (1, 7, 14)]
    assert errors == sorted(errors, reverse=True) and 0.5 < errors[2] < errors[0] < 50
    each = session.expected.landmarks(session.document.prediction(1))
    assert each.shape == (68,) and each.mean() == pytest.approx(errors[0])
    across = session.expected.across(session.document.prediction(1))
    assert across[3] == pytest.approx(each[3] * ACROSS)  # inside the contour
    assert across[36] == each[36]  # a corner
    assert session.expected.face(99) is None and session.expected.landmarks(None) is None
    session.document.set_predictions({1: prediction(1, 0.9, "unheard of")})
    assert session.expected.face(1) is None


def test_accepted_faces_of_a_random_order_calibrate_and_are_remembered(session, tmp_path):
    told = []
    session.expected.on_change = lambda: told.append(1)
    before = session.expected.face(14)
    for face_id in session.queue.order[:6]:
        label(session, face_id)  # 10 % off: far more than the shipped calibration expects
    assert set(session.expected.faces) == set(session.queue.order[:6]) and len(told) == 6
    now = session.expected.face(14)
    assert now > 1.3 * before and session.expected.calibration.faces == 6
    path, info = session.path, session.model
    session.close()
    again = open_project(path)
    try:
        again.work.use_model(info)
        again.document.set_predictions({14: prediction(14, 0.7 + 14 / 60)})
        assert again.expected.face(14) == pytest.approx(now, rel=1e-3)
    finally:
        again.close()


def test_later_corrections_and_undo_count(session):
    face_id = session.queue.order[0]
    label(session, face_id)
    first = session.expected.calibration.face
    signal = session.expected._signal(prediction(1))
    value = first(signal)
    for landmark in range(20):
        x, y = POINTS[landmark] + np.array([40.0, 0.0])
        session.edit(move_landmark(session.document.face(face_id), None, landmark, x, y, "ann"))
    assert session.expected.calibration.face(signal) > value
    for _ in range(21):
        session.undo()
    assert session.expected.faces == () and session.expected.calibration.faces == 0


def test_faces_that_the_acquisition_function_picked_do_not_calibrate(session):
    session.agenda.reorder_by_scores("m", keep=False)
    (drawn,) = session.queue.drawn
    picked = next(face for face in session.queue.order if face != drawn)
    label(session, picked)
    assert session.expected.faces == ()
    label(session, drawn)
    assert session.expected.faces == (drawn,)


def test_many_labels_at_once_do_not_calibrate(session):
    faces = [session.document.face(i) for i in (2, 3)]
    made = Label.from_points(POINTS + 5, Author.now("import"))
    session.edit(Edit("Import", tuple(Change(f, replace(f, label=made, state=State.LABELLED)) for f in faces)))
    assert session.expected.faces == ()


def test_what_the_model_has_learnt_from_does_not_calibrate(session, tmp_path):
    session.work.use_model(model(tmp_path, "m", trained_on=[3]))
    label(session, 3)
    assert session.expected.faces == ()


def test_landmarks_taken_over_are_not_perfect(session):
    for face_id in session.queue.order[:6]:
        session.edit(accept(session.document.face(face_id), session.document.prediction(face_id), "ann"))
    assert session.expected.calibration.faces == 6
    taken_over = session.expected.face(session.queue.order[7])
    for _ in range(6):
        session.undo()
    for face_id in session.queue.order[:6]:
        label(session, face_id, off=0.0)  # put there by hand, just where the prediction was
    assert session.expected.calibration.faces == 6
    assert taken_over > 1.5 * session.expected.face(session.queue.order[7])


def test_faces_of_an_older_model_count_less(session, tmp_path):
    label(session, 3)
    older = session.expected.calibration
    new = model(tmp_path, "n", trained_on=[3])
    models.remember(session.store, session.model)
    models.remember(session.store, new)
    session.work.use_model(new)
    assert session.expected.calibration.faces == pytest.approx(AGEING * older.faces)


def test_the_finish_line_is_silent_until_chance_has_spoken(session, make_session):
    line = session.expected.finish()
    assert line.unseen == 14 and line.share is None and line.lacking == 5 and line.gain is None
    assert "14 unseen faces" in " ".join(spoken(line)) and "5 more" in " ".join(spoken(line))
    for face_id in session.queue.order[:5]:
        label(session, face_id, off=0.6)  # 1 % off
    line = session.expected.finish()
    assert line.unseen == 9 and line.calibrated == 5 and line.lacking == 0
    assert 0 <= line.low <= line.share <= line.high <= 1 and line.share > 0.5
    assert "from 5 faces drawn at random" in " ".join(spoken(line))
    bare = make_session("bare")
    assert bare.expected.finish() is None and list(spoken(None)) == []


def test_a_gain_is_told_once_the_models_show_one(session, tmp_path):
    for face_id in session.queue.order[:5]:
        label(session, face_id, off=2.0)
    for number, labels in enumerate((10, 20, 40, 80)):
        judged = replace(model(tmp_path, f"old{number}", range(labels)), error=12 * labels**-0.4, judged_on=60)
        models.remember(session.store, judged)
    line = session.expected.finish()
    assert line.gain.labels == 80 and line.gain.expected < line.expected and line.gain.share > line.share
    assert "80 more labels would make it about" in " ".join(spoken(line))


def test_other_schemes_start_from_what_is_shipped_too():
    own, other = shipped("300w-68", 68), shipped("five-5", 5)
    assert own.offsets.shape == (68,) and own.offsets.std() > 0
    assert other.offsets.tolist() == [0.0] * 5 and other.faces == own.faces == 0
