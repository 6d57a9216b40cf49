from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scaf_gui.core.corrector import MOST_FACES, Corrector, Pair, correct, corrected_points, fit
from scaf_gui.core.face import Prediction
from scaf_gui.core.geometry import transform
from scaf_gui.core.metrics import nme
from scaf_gui.core.scheme import parse_scheme

COUNT = 20
SCHEME = parse_scheme({"id": "ring", "landmarks": [f"p{i}" for i in range(COUNT)], "normaliser": [0, 10]})
ANGLES = np.linspace(0, 2 * np.pi, COUNT, endpoint=False)
RING = np.stack([np.cos(ANGLES), 1.3 * np.sin(ANGLES)], axis=1)
#: what the person does otherwise: the upper half lies further out, by 8 % of the distance between landmarks 0 and 10
HABIT = np.where(np.arange(COUNT)[:, None] < COUNT // 2, 0.16 * RING, 0.0)


def faces(number: int, habit: np.ndarray, seed: int = 0, noise: float = 0.02) -> list[Pair]:
    """Faces of several sizes, places and turns; ``habit`` in the frame of the face."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(number):
        size, angle = rng.uniform(30, 300), rng.uniform(-0.6, 0.6)
        turn = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        place = np.hstack([turn, rng.uniform(0, 1000, (2, 1))])
        predicted = RING + rng.normal(0, 0.02, RING.shape)
        labelled = predicted + habit + rng.normal(0, noise, RING.shape)
        found.append(Pair(transform(place, predicted), transform(place, labelled), np.ones(COUNT, bool)))
    return found


def error(pairs: list[Pair], corrector: Corrector | None) -> float:
    points = [p.predicted if corrector is None else corrected_points(p.predicted, corrector) for p in pairs]
    return float(np.mean([nme(one, pair.labelled, SCHEME) for one, pair in zip(points, pairs, strict=True)]))


def test_a_habit_is_learnt_from_a_few_faces_of_any_size_place_and_turn() -> None:
    unseen = faces(20, HABIT, seed=1)
    after = [error(unseen, fit(faces(count, HABIT), SCHEME, "m")) for count in (2, 5, 20)]
    assert error(unseen, None) > 4.0
    assert after[0] < 0.75 * error(unseen, None) and after[0] > after[1] > after[2]
    assert after[2] < 1.15 * error(faces(20, 0 * HABIT, seed=1), None)


def test_where_labels_follow_the_model_nothing_is_corrected() -> None:
    """At worst by a little: chance makes one fit in many look useful."""
    unseen = faces(40, 0 * HABIT, seed=99)
    plain = error(unseen, None)
    found = [fit(faces(count, 0 * HABIT, seed), SCHEME, "m") for seed in range(10) for count in (3, 8, 30)]
    assert sum(corrector is None for corrector in found) >= 0.7 * len(found)
    assert np.mean([error(unseen, corrector) for corrector in found]) < 1.01 * plain


def test_one_face_or_none_is_too_few() -> None:
    assert fit([], SCHEME, "m") is None
    assert fit(faces(1, HABIT), SCHEME, "m") is None


def test_its_own_estimate_of_the_gain_holds_on_unseen_faces() -> None:
    corrector = fit(faces(30, HABIT), SCHEME, "m")
    assert corrector is not None and corrector.faces == 30
    unseen = faces(60, HABIT, seed=3)
    assert corrector.before == pytest.approx(error(unseen, None), rel=0.1)
    assert corrector.after == pytest.approx(error(unseen, corrector), rel=0.15)


def test_the_influence_of_the_shape_is_learnt() -> None:
    """Faces that are wider are labelled otherwise: a mean offset cannot say that."""
    rng = np.random.default_rng(5)

    def of(number: int) -> list[Pair]:
        found = []
        for wide in rng.uniform(-0.3, 0.3, number):
            predicted = 100 * RING * [1 + wide, 1.0]
            labelled = predicted + 100 * wide * np.array([[0.0, 0.5]]) * (np.arange(COUNT) < 10)[:, None]
            noise = rng.normal(0, 0.5, (2, COUNT, 2))
            found.append(Pair(predicted + noise[0], labelled + noise[1], np.ones(COUNT, bool)))
        return found

    unseen = of(40)
    assert error(unseen, fit(of(30), SCHEME, "m")) < 0.6 * error(unseen, None)


def test_missing_landmarks_are_left_out_and_do_not_disturb() -> None:
    pairs = faces(12, HABIT)
    labelled = [pair.labelled.copy() for pair in pairs]
    for number, points in enumerate(labelled):
        points[number % COUNT] = np.nan
        points[7] = np.nan
    holes = [replace(pair, labelled=points) for pair, points in zip(pairs, labelled, strict=True)]
    corrector, whole = fit(holes, SCHEME, "m"), fit(pairs, SCHEME, "m")
    assert corrector is not None and whole is not None
    one = pairs[0].predicted
    moved = corrected_points(one, corrector)
    assert np.isfinite(moved).all()
    np.testing.assert_allclose(moved[7], one[7])  # never labelled: never corrected
    others = np.arange(COUNT) != 7
    size = np.linalg.norm(one[0] - one[10])
    assert np.abs(moved - corrected_points(one, whole))[others].max() < 0.02 * size


def test_what_was_only_taken_over_within_the_tolerance_is_no_evidence() -> None:
    """A person who lets every prediction pass must not be taken for one who agrees with each correction."""
    small = faces(10, 0.01 * RING, noise=0.0)  # 0.5 % of the normaliser
    taken = [replace(pair, placed=np.zeros(COUNT, bool)) for pair in small]
    assert fit(small, SCHEME, "m") is not None
    assert fit(taken, SCHEME, "m") is None


def test_the_last_faces_count() -> None:
    """A person who has changed habits is followed."""
    old, new = faces(MOST_FACES, -HABIT, seed=1), faces(MOST_FACES, HABIT, seed=2)
    corrector = fit([*old, *new], SCHEME, "m")
    assert corrector is not None and corrector.faces == MOST_FACES
    assert error(new, corrector) < 0.5 * error(new, None)


def test_predictions_and_labels_without_a_shape_are_passed_over() -> None:
    good = faces(6, HABIT)
    nowhere = np.full((COUNT, 2), np.nan)
    bad = [
        Pair(nowhere, good[0].labelled, good[0].placed),
        Pair(np.full((COUNT, 2), 3.0), good[0].labelled, good[0].placed),
        Pair(good[0].predicted, nowhere, good[0].placed),
    ]
    corrector = fit([*good, *bad], SCHEME, "m")
    assert corrector is not None and corrector.faces == 6
    assert corrected_points(bad[0].predicted, corrector) is bad[0].predicted
    assert corrected_points(bad[1].predicted, corrector) is bad[1].predicted


def test_only_predictions_of_its_own_model_are_corrected_and_only_their_points() -> None:
    corrector = fit(faces(6, HABIT), SCHEME, "m")
    points = faces(1, HABIT, seed=8)[0].predicted
    own = Prediction(points, np.arange(COUNT, dtype=float), "m", {"nnm": -3.0})
    other = replace(own, model_id="other")
    assert correct(own, None) is own and correct(other, corrector) is other
    moved = correct(own, corrector)
    assert np.abs(moved.points - points).max() > 1.0
    assert (moved.model_id, moved.scores) == ("m", {"nnm": -3.0})
    np.testing.assert_array_equal(moved.magnitude, own.magnitude)
    np.testing.assert_array_equal(own.points, points)
