"""Labelled faces as training sees them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scaf_gui.core.edits import set_box
from scaf_gui.core.face import Author, Box, BoxSource, Face, Flag, Label, Prediction
from scaf_gui.core.geometry import crop_square, landmark_box
from scaf_gui.core.scheme import Scheme, load_scheme
from scaf_gui.session.events import ModelInfo
from scaf_gui.session.project import schemes
from scaf_gui.session.session import Session
from scaf_gui.session.snapshot import labelled_face

MODEL = ModelInfo("m", "m.safetensors", True, "Model")


@pytest.fixture(scope="module")
def scheme() -> Scheme:
    return load_scheme(schemes()["five-5"])


def face(box: Box | None, *missing: int) -> Face:
    points = np.array([[40.0, 40.0], [80.0, 40.0], [60.0, 60.0], [45.0, 80.0], [75.0, 80.0]])
    flags = np.array([Flag.MISSING if i in missing else Flag.VISIBLE for i in range(5)], np.uint8)
    return Face(1, "a.jpg", box, Label(points, flags, np.ones(5, bool), Author("a", "2026-01-01")))


def test_the_crop_is_the_one_in_use(scheme: Scheme) -> None:
    by_hand = Box(20, 20, 80, 80, BoxSource.DRAWN)
    found = labelled_face(face(by_hand), scheme)
    assert found is not None and found.square == crop_square(by_hand)


@pytest.mark.parametrize("box", [None, Box(300, 300, 50, 50, BoxSource.DETECTOR)])
def test_it_is_that_of_the_landmarks_where_no_box_holds_them(scheme: Scheme, box: Box | None) -> None:
    given = face(box)
    assert given.label is not None
    found = labelled_face(given, scheme)
    assert found is not None and found.square == crop_square(landmark_box(given.label.points, scheme.face_box))


def test_landmarks_that_are_missing_are_not_known(scheme: Scheme) -> None:
    found = labelled_face(face(None, 1, 3), scheme)
    assert found is not None and found.known.tolist() == [True, False, True, False, True]
    assert labelled_face(face(None, *range(5)), scheme) is None
    assert labelled_face(replace(face(None), label=None), scheme) is None


def test_only_what_the_model_in_use_has_said_counts(scheme: Scheme) -> None:
    said = Prediction(np.ones((5, 2)), np.ones(5), "m")
    for model, known in ((MODEL, True), (replace(MODEL, id="older"), False), (None, False)):
        found = labelled_face(face(None), scheme, said, model)
        assert found is not None and (found.predicted is said.points) == known == (found.predicted is not None)


def test_a_snapshot_is_frozen_at_the_click(trained: Session) -> None:
    before = trained.snapshot()
    assert {one.face_id for one in before.faces} == set(trained.model.trained_on)
    assert {job.face_id for job in before.pool} == set(trained.agenda.waiting())
    first = before.faces[0]
    trained.edit(set_box(trained.document.face(first.face_id), Box(30, 35, 60, 60)))
    assert before.faces[0] is first and trained.snapshot().faces[0].square != first.square
