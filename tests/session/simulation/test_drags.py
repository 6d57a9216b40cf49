"""Drags of made-up predictions, whose errors are known."""

import numpy as np
import pytest

from scaf_gui.core.metrics import needs_drag, normaliser
from scaf_gui.io.formats.pts import read_pts
from scaf_gui.session.simulation.drags import begun, met
from scaf_gui.session.simulation.faces import TrueFace
from scaf_gui.session.simulation.trainings import Said


@pytest.fixture
def faces(rendered):
    found = []
    for number in range(1, 13):
        points = read_pts(rendered / "truth" / f"face_{number}.pts")
        found.append(TrueFace(rendered / "images" / f"face_{number}.jpg", None, points))
    return found


def said(faces, offset, scheme, noise=0.0):
    """Predictions off by an offset in % of the eye distance."""
    rng = np.random.default_rng(0)
    return {
        face.id: Said(
            face.points
            + (np.asarray(offset) + noise * rng.normal(size=face.points.shape)) * normaliser(face.points, scheme) / 100,
            np.ones(68), np.zeros(99), {},
        )
        for face in faces
    }  # fmt: skip


@pytest.fixture(autouse=True)
def ids(monkeypatch):
    monkeypatch.setattr(TrueFace, "id", property(lambda face: face.image.name))


def test_without_a_model_every_known_landmark_is_placed(faces):
    points = faces[0].points.copy()
    points[3] = np.nan
    some = [TrueFace(faces[0].image, None, points), faces[1]]
    assert begun(some)["total_3"] == 67 + 68 and begun(some)["met_5_updated"] == 67.5


def test_drags_add_up_over_the_rounds(faces, scheme):
    predictions = said(faces, [4.0, 0.0], scheme)
    figures = met(faces[:2], predictions, scheme, begun(faces[2:5]))
    each = [needs_drag(predictions[f.id].points, f.points, scheme, 3.0).sum() for f in faces[:2]]
    assert min(each) > 0 and figures["met_3"] == np.mean(each)
    assert figures["total_3"] == 3 * 68 + sum(each) and figures["total_5"] == 3 * 68


def test_the_update_learns_a_habit_within_the_round(faces, scheme):
    figures = met(faces, said(faces, [4.0, -4.0], scheme, noise=0.5), scheme, begun(faces[:1]))
    assert figures["met_3"] > 40 and figures["met_3_updated"] < 0.5 * figures["met_3"]


def test_the_update_leaves_good_predictions_alone(faces, scheme):
    figures = met(faces, said(faces, [0.0, 0.0], scheme, noise=1.0), scheme, begun(faces[:1]))
    assert figures["met_3_updated"] <= figures["met_3"] + 0.5
