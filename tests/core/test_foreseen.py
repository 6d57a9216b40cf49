"""Landmarks placed far from a sure prediction: found beside what else is known, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest

from scaf_gui.core.arrays import BoolArray, FloatArray
from scaf_gui.core.calibration import Calibration, Signal
from scaf_gui.core.foreseen import Foreseen, Surprise, surprises
from scaf_gui.core.metrics import normaliser
from scaf_gui.core.scheme import Scheme, load_scheme
from scaf_gui.core.shape import shape_model
from scaf_gui.paths import resource_folder
from scaf_gui.samples.render import render_face

LIMIT = 5.0
JAW = range(17)


@pytest.fixture(scope="module")
def scheme() -> Scheme:
    return load_scheme(resource_folder() / "schemes" / "300w-68.json")


@pytest.fixture(scope="module")
def points() -> FloatArray:
    return np.asarray(render_face(5, 128).landmarks_68, dtype=np.float64)


def foreseen(points: FloatArray, scheme: Scheme, expected: float = 3.0) -> Foreseen:
    """A prediction whose landmarks are all expected to be off by so many %."""
    middle = points - points.mean(axis=0)
    model = shape_model(middle / np.sqrt((middle**2).sum(axis=1).mean()), scheme.flip)
    calibration = Calibration(np.array([np.log(expected), 0.0, 0.0, 0.0]), np.zeros(68), 0.3)
    return Foreseen(points, Signal(np.ones(68), 1.0), calibration, model)


def those(*landmarks: int) -> BoolArray:
    return np.isin(np.arange(68), landmarks)


def moved(points: FloatArray, scheme: Scheme, percent: float, *landmarks: int) -> FloatArray:
    """Downwards, by a share of the normaliser."""
    made = points.copy()
    made[list(landmarks), 1] += percent / 100 * normaliser(points, scheme)
    return made


def look(
    known: Foreseen, scheme: Scheme, points: FloatArray, placed: BoolArray, accepted: bool = False
) -> tuple[Surprise, ...]:
    return surprises(known, points, placed, accepted, normaliser(known.points, scheme), LIMIT)


def test_only_what_a_person_placed_far_off_is_found(points: FloatArray, scheme: Scheme) -> None:
    known = foreseen(points, scheme)
    broken = moved(points, scheme, 30, 8)
    (found,) = look(known, scheme, broken, those(8))
    assert found.landmark == 8 and found.shift == pytest.approx(0.3, abs=1e-9)
    assert 0.02 < found.usual < 0.05
    assert look(known, scheme, broken, those(9)) == ()
    assert look(known, scheme, broken, those()) == ()
    assert look(known, scheme, moved(points, scheme, 6, 8), those(8)) == ()


def test_an_unsure_prediction_says_nothing(points: FloatArray, scheme: Scheme) -> None:
    assert look(foreseen(points, scheme, 12.0), scheme, moved(points, scheme, 30, 8), those(8)) == ()


def test_a_jaw_put_right_as_a_whole_is_no_slip_and_one_landmark_beside_it_is(
    points: FloatArray, scheme: Scheme
) -> None:
    known = foreseen(points, scheme)
    together = moved(points, scheme, 12, *JAW)
    assert look(known, scheme, together, those(*JAW)) == ()
    (found,) = look(known, scheme, moved(together, scheme, -24, 8), those(*JAW))
    assert found.landmark == 8
    # as far from the prediction as all others, and from where they have it 24 %, but for what was expected anyway
    assert 0.15 < found.shift < 0.24


def test_what_was_accepted_as_predicted_counts(points: FloatArray, scheme: Scheme) -> None:
    known, broken = foreseen(points, scheme), moved(points, scheme, 17, 8)
    assert look(known, scheme, broken, those(8)) == ()
    assert [one.landmark for one in look(known, scheme, broken, those(8), accepted=True)] == [8]
    # what followed a drag was neither placed nor left as it was
    followed = moved(broken, scheme, 17, *(set(JAW) - {8}))
    others = set(range(68)) - set(JAW)
    alone = look(known, scheme, broken, those(8, *others))
    assert look(known, scheme, followed, those(8, *others), accepted=True) == alone


def test_each_is_judged_without_those_before_it(points: FloatArray, scheme: Scheme) -> None:
    known = foreseen(points, scheme)
    broken = moved(moved(points, scheme, 60, 8), scheme, 40, 30)
    everything = those(*range(68))
    first, second = look(known, scheme, broken, everything)
    assert (first.landmark, second.landmark) == (8, 30)
    (alone,) = look(known, scheme, broken, everything & ~those(8))
    assert (alone.score, alone.shift) == pytest.approx((second.score, second.shift))


def test_missing_landmarks_are_in_nobodys_way(points: FloatArray, scheme: Scheme) -> None:
    known, broken = foreseen(points, scheme), moved(points, scheme, 30, 8)
    broken[[30, 40]] = np.nan
    (found,) = look(known, scheme, broken, those(8, 30, 40))
    assert found.landmark == 8
    assert look(known, scheme, np.full((68, 2), np.nan), those(*range(68))) == ()


def test_a_turned_face_surprises_as_much(points: FloatArray, scheme: Scheme) -> None:
    known, broken = foreseen(points, scheme), moved(points, scheme, 30, 8)
    turn = np.array([[0.6, 0.8], [-0.8, 0.6]])
    turned = Foreseen(3 * points @ turn, known.signal, known.calibration, known.shape)
    (one,), (other,) = (
        look(known, scheme, broken, those(8, 9, 30)),
        look(turned, scheme, 3 * broken @ turn, those(8, 9, 30)),
    )
    assert (one.score, one.shift) == pytest.approx((other.score, other.shift))
