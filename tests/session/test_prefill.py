"""Which faces are predicted, in which order, and by which models."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from scaf_gui import paths
from scaf_gui.core.edits import set_box
from scaf_gui.core.face import Box, State
from scaf_gui.errors import CheckpointError
from scaf_gui.session.project import open_project
from tests.session.refreshing import refresh


def test_prefill_puts_the_wanted_face_first_and_follows_a_drawn_box(trained):
    session = trained
    session.work.look_twice = False
    session.work.use_model(replace(session.model, id="same weights"))
    for face in session.document:
        assert face.state is State.LABELLED or session.work.to_predict.get(face.id)
    last = session.queue.order[-1]
    work = session.prefill(lambda: (last,), device="cpu")
    batch = next(work)
    assert list(batch.predictions) == [last]
    session.take(batch)
    session.edit(set_box(session.document.face(last), Box(10, 10, 80, 80)))
    assert session.document.prediction(last) is None
    batch = next(work)
    assert next(iter(batch.predictions)) == last
    session.take(batch)
    assert session.document.prediction(last).model_id == "same weights"
    work.close()


def test_an_unreadable_image_is_named_and_the_others_are_predicted(make_session, label, tiny, images, take_all, slim):
    session = make_session()
    label(session, 2)
    broken = session.document.face(session.queue.order[-1])
    (images / broken.image).write_bytes((images / broken.image).read_bytes()[:400])
    _, events = refresh(session, tiny)
    assert broken.image in session.problems[broken.id]
    assert broken.id not in events[-1].predictions and len(events[-1].predictions) == 11
    assert session.queue.order and broken.id in session.queue.order


def test_a_model_file_that_is_gone_or_foreign(trained, tmp_path):
    session = trained
    path, model = session.path, Path(session.model.path)
    session.close()
    shutil.move(model, tmp_path / "aside.safetensors")
    again = open_project(path)
    assert again.model is None and model.name in again.notice
    again.close()
    model.write_bytes(b"\x80\x04not a model")
    again = open_project(path)
    try:
        again.cache.path.unlink()  # else it is not even needed
        with pytest.raises(CheckpointError, match="pickle"):
            for event in again.prefill(device="cpu"):
                again.take(event)
        assert again.document.with_state(State.LABELLED)
    finally:
        again.close()


def test_a_model_of_another_scheme_does_not_predict(make_session, trained, tmp_path):
    own = json.loads((paths.resource_folder() / "schemes" / "five-5.json").read_text(encoding="utf-8"))
    own |= {"id": "mine", "aliases": {}}
    own["groups"] = [group | {"name": f"my_{group['name']}"} for group in own["groups"]]
    (tmp_path / "mine.json").write_text(json.dumps(own), encoding="utf-8")
    other = make_session("mine", scheme_id=str(tmp_path / "mine.json"))
    other.work.use_model(trained.model)
    with pytest.raises(CheckpointError, match=r"'300w-68'.*does not lead to 'mine'"):
        next(other.prefill(device="cpu"))
    assert len(other.work.to_predict) == 14


def test_a_model_of_a_scheme_that_leads_here_predicts(make_session, trained):
    other = make_session("five", scheme_id="five-5")
    other.work.use_model(trained.model)
    batch = next(other.prefill(device="cpu"))
    assert all(prediction.points.shape == (5, 2) for prediction in batch.predictions.values())
    assert other.take(batch) == ""
