"""Shape statistics: those shipped, and those of a project's own labels."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scaf_gui.core import edits
from scaf_gui.core.face import Prediction
from scaf_gui.core.following import gain
from scaf_gui.core.scheme import load_scheme, parse_scheme
from scaf_gui.core.shape import LEAST_SHAPES
from scaf_gui.paths import resource_folder
from scaf_gui.session.events import ModelInfo
from scaf_gui.session.session import Session
from scaf_gui.session.shape import Shapes, shipped

SCHEMES = resource_folder() / "schemes"
MODEL = ModelInfo("m", "", own=False, title="m")


def test_what_is_shipped_is_a_covariance() -> None:
    known = shipped(load_scheme(SCHEMES / "300w-68.json"))
    assert known is not None
    reference, covariance = known
    np.testing.assert_allclose(reference.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(covariance, covariance.T)
    assert np.linalg.eigvalsh(covariance).min() > -0.01 * np.diag(covariance).mean()
    assert np.diag(covariance).mean() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("name", ["wflw-98", "five-5"])
def test_other_schemes_take_over_what_leads_to_them(name: str) -> None:
    scheme = load_scheme(SCHEMES / f"{name}.json")
    known = shipped(scheme)
    assert known is not None
    assert known[0].shape == (scheme.num_landmarks, 2)
    assert known[1].shape == (2 * scheme.num_landmarks, 2 * scheme.num_landmarks)


def test_nothing_is_known_of_a_scheme_that_nothing_leads_to() -> None:
    assert shipped(parse_scheme({"id": "mine", "landmarks": ["a", "b"]})) is None
    assert shipped(parse_scheme({"id": "300w-68", "landmarks": ["a", "b"]})) is None, "another scheme of that name"


def test_labels_make_the_statistics_stale_and_a_refresh_learns_from_them(
    make_session: Callable[..., Session], label: Callable[[Session, int], tuple[int, ...]]
) -> None:
    session = make_session()
    shapes = session.shapes
    told: list[int] = []
    before = shapes.model
    assert before is not None
    assert not shapes.is_stale
    shapes.on_stale = lambda: told.append(1)
    ids = label(session, 3)
    assert shapes.is_stale
    assert told
    assert shapes.model is before, "the hot path does not wait for a fit"
    session.work.model = MODEL
    for face_id in ids:
        face = session.document.face(face_id)
        assert face.label is not None
        points = face.label.points + np.random.default_rng(face_id).normal(size=face.label.points.shape)
        session.document.set_predictions({face_id: Prediction(points, np.ones(len(points)), "m")})
    shapes.refresh()
    assert shapes.model is not None
    assert not np.array_equal(shapes.model.covariance, before.covariance)
    # errors of faces that the model has learnt from say nothing of others
    session.work.model = replace(MODEL, trained_on=ids)
    shapes.is_stale = True
    shapes.refresh()
    np.testing.assert_array_equal(shapes.model.covariance, before.covariance)


def test_undo_takes_what_was_learnt_back(
    make_session: Callable[..., Session], label: Callable[[Session, int], tuple[int, ...]]
) -> None:
    session = make_session()
    label(session, 1)
    session.shapes.refresh()
    session.undo()
    assert session.shapes.is_stale


def test_labels_alone_speak_for_a_scheme_of_ones_own(make_session: Callable[..., Session], tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"id": "mine", "landmarks": [f"p{i}" for i in range(6)]}), encoding="utf-8")
    session = make_session(scheme_id=str(path))
    shapes, base = session.shapes, np.random.default_rng(0).normal(size=(6, 2)) * 20 + 60
    assert shapes.model is None, "a fall-off from the face itself is used meanwhile"
    for number, face in enumerate(list(session.document)[:LEAST_SHAPES]):
        points = base + np.random.default_rng(number).normal(size=(6, 2))
        given = Prediction(points, np.ones(6), "m")
        edit = edits.accept(face, given, "me")
        assert edit is not None
        session.edit(edit)
        shapes.refresh()
        assert (shapes.model is not None) == (number + 1 >= LEAST_SHAPES)
    assert isinstance(shapes, Shapes)
    held = np.zeros(6, dtype=np.bool_)
    assert gain(shapes.model, base, 0, held, ~held) is not None
