"""Looking at one face: what is asked for, what comes of it, and what does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scaf_gui.core.face import Box, Face, Prediction
from scaf_gui.core.geometry import crop_square
from scaf_gui.errors import CheckpointError, FolderError, ImageError
from scaf_gui.learning.checkpoint import make_checkpoint, save_checkpoint
from scaf_gui.learning.networks import Architecture, ScafNet
from scaf_gui.learning.presets import preset
from scaf_gui.session.events import ModelInfo
from scaf_gui.session.heatmaps import SHIPPED, UNTRAINED, PainterDoor, look, sight_job
from scaf_gui.session.prefill import PredictorDoor
from scaf_gui.session.session import Session

MODEL = ModelInfo("m", "/nowhere/m.safetensors", True, "Model")
BOX = Box(10, 20, 60, 70)
FACE = Face(3, "a.jpg", BOX)


def prediction(model_id: str = "m", looks: int = 1) -> Prediction:
    return Prediction(np.zeros((5, 2)), np.ones(5), model_id, {}, looks)


def test_a_face_without_box_or_without_model_is_not_looked_at() -> None:
    assert sight_job(None, None, MODEL) is None
    assert sight_job(Face(3, "a.jpg"), prediction(), MODEL) is None
    assert sight_job(FACE, prediction(), None) is None


def test_it_is_looked_at_as_often_as_for_the_prediction_that_is_shown() -> None:
    once, twice, older, none = (
        sight_job(FACE, given, MODEL) for given in (prediction(), prediction(looks=2), prediction("old", 2), None)
    )
    assert once is not None and twice is not None
    assert (once.face_id, once.image, once.square) == (3, "a.jpg", crop_square(BOX))
    assert not once.twice
    assert twice.twice
    assert once == older == none != twice
    assert sight_job(replace(FACE, box=replace(BOX, x=11)), prediction(), MODEL) != once


def test_heatmaps_come_first_then_a_picture_or_why_there_is_none(
    make_session: Callable[..., Session],
) -> None:
    session = make_session(use_starter=True)
    face = next(iter(session.document))
    job = sight_job(face, None, session.model)
    assert job is not None
    first, second = look(job, session.scheme, session.read, session.predictors, PainterDoor())
    assert first.maps.shape == (68, 64, 64)
    assert first.painted is None
    assert not first.remark
    assert second.maps is first.maps
    assert second.painted is not None and not second.remark  # the starter has an auto-encoder's generator
    assert len(list(look(job, session.scheme, session.read, session.predictors, None))) == 1
    with pytest.raises(ImageError):
        next(look(replace(job, image="gone.jpg"), session.scheme, session.read, session.predictors, None))
    session.folder = Path("/nowhere")
    with pytest.raises(FolderError):
        next(look(job, session.scheme, session.read, session.predictors, None))


def test_a_model_without_an_auto_encoder_is_lent_the_shipped_one_and_that_is_said(
    make_session: Callable[..., Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, path = make_session(), tmp_path / "random.safetensors"
    checkpoint = make_checkpoint(ScafNet(Architecture(68)), session.scheme, preset("default"), {}, None)
    save_checkpoint(checkpoint, path)
    job = sight_job(next(iter(session.document)), None, ModelInfo(checkpoint.id, str(path), True, "Model"))
    assert job is not None
    _, lent = look(job, session.scheme, session.read, PredictorDoor(), PainterDoor())
    assert lent.painted is not None and lent.remark == SHIPPED
    monkeypatch.setattr("scaf_gui.learning.painting.model_folder", lambda: tmp_path)
    _, none = look(job, session.scheme, session.read, PredictorDoor(), PainterDoor())
    assert none.painted is None and none.remark == UNTRAINED


def test_a_model_whose_file_is_gone_is_named(make_session: Callable[..., Session]) -> None:
    session = make_session()
    job = sight_job(next(iter(session.document)), None, MODEL)
    assert job is not None
    with pytest.raises(CheckpointError, match=r"m\.safetensors"):
        next(look(job, session.scheme, session.read, PredictorDoor(), None))
