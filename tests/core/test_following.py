"""Who follows a dragged landmark, and how far."""

from __future__ import annotations

import numpy as np
import pytest

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.following import Gain, fitted, gain
from scaf_gui.core.shape import ShapeModel, covariance_of, in_frame, mean_shape, shape_model

RNG = np.random.default_rng(5)


def face(count: int = 12) -> FloatArray:
    return np.random.default_rng(1).normal(size=(count, 2)) * 40 + 200


def turned(points: FloatArray, degrees: float, scale: float) -> FloatArray:
    angle = np.deg2rad(degrees)
    return points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) * scale + [30.0, -12.0]


def model_of(points: FloatArray, covariance: FloatArray | None = None) -> ShapeModel:
    reference = mean_shape(points[None])
    assert reference is not None
    return shape_model(reference, range(len(points)), covariance)


def nobody(points: FloatArray) -> np.ndarray:
    return np.zeros(len(points), dtype=np.bool_)


def test_the_conditional_mean_of_a_gaussian() -> None:
    """Against the textbook formula on all coordinates at once: dragged and held ones observed with noise."""
    points = face(8)
    reference = mean_shape(points[None])
    assert reference is not None
    root = RNG.normal(size=(16, 16))
    model = ShapeModel(reference, root @ root.T / 16)
    held = nobody(points)
    held[[2, 5]] = True
    found = gain(model, points, 0, held, ~held)
    assert found is not None
    frame = in_frame(points, np.eye(2)[[0, 1] + [0] * 6], reference)
    assert frame is not None
    linear = frame[:2].T
    observed = np.r_[0:2, 4:6, 10:12]
    noisy = model.covariance[np.ix_(observed, observed)] + 0.05 * np.eye(6)
    step = np.array([3.0, -2.0])
    # the held landmarks are where they are expected to be: their innovation is zero given what they told before
    there = model.covariance[np.ix_(np.r_[4:6, 10:12], np.r_[0:2])]
    back = np.linalg.solve(noisy[2:, 2:], there)
    schur = noisy[:2, :2] - there.T @ back
    cross = model.covariance[:, 0:2] - model.covariance[:, np.r_[4:6, 10:12]] @ back
    expected = (cross @ np.linalg.solve(schur, linear @ step)).reshape(-1, 2) @ np.linalg.inv(linear).T
    moved = found.moved(points, *step) - points
    free = [1, 3, 4, 6, 7]
    large = np.linalg.norm(found.matrices[free], axis=(1, 2)) > 0
    assert large.sum() >= 3
    np.testing.assert_allclose(moved[free][large], expected[free][large], atol=1e-9)


def test_held_and_missing_landmarks_stay_and_the_dragged_one_goes_exactly_along() -> None:
    points = face()
    points[4] = np.nan
    held = nobody(points)
    held[7] = True
    found = gain(model_of(face()), points, 3, held, ~held)
    assert found is not None
    moved = found.moved(points, 10.0, -4.0)
    assert (moved[7] == points[7]).all()
    assert np.isnan(moved[4]).all()
    np.testing.assert_allclose(moved[3], points[3] + [10.0, -4.0])
    others = [i for i in range(len(points)) if i not in (3, 4, 7)]
    assert (moved[others] != points[others]).any()


def test_it_does_not_matter_how_the_face_is_turned_and_how_large_it_is() -> None:
    points, other = face(), turned(face(), 35.0, 3.0)
    model, held = model_of(points), nobody(points)
    one, two = gain(model, points, 2, held, ~held), gain(model, other, 2, held, ~held)
    assert one is not None
    assert two is not None
    step = np.array([[6.0, 5.0]])
    there = turned(step, 35.0, 3.0) - [30.0, -12.0]
    np.testing.assert_allclose(two.moved(other, *there[0]), turned(one.moved(points, 6.0, 5.0), 35.0, 3.0), atol=1e-9)


def test_a_landmark_that_errs_with_another_follows_it_and_one_that_does_not_hardly() -> None:
    points = face()
    rows = RNG.normal(size=(400, 12, 2))
    rows[:, 9] = rows[:, 2]
    points[9] = points[2] + 8.0
    found = gain(model_of(points, covariance_of(rows, range(12))), points, 2, nobody(points), ~nobody(points))
    assert found is not None
    along = np.trace(found.matrices, axis1=1, axis2=2) / 2
    assert along[9] > 0.2
    assert along[9] > np.delete(along, [2, 9]).max()


def test_an_unsure_landmark_follows_further() -> None:
    points, held = face(), nobody(face())
    spread = np.ones(12)
    spread[5] = 9.0
    even, uneven = (
        gain(model_of(points), points, 2, held, ~held),
        gain(model_of(points), points, 2, held, ~held, spread),
    )
    assert even is not None
    assert uneven is not None
    assert np.linalg.norm(uneven.matrices[5]) > 1.5 * np.linalg.norm(even.matrices[5])


def test_strength_scales_the_followers() -> None:
    points, held = face(), nobody(face())
    whole, half = (gain(model_of(points), points, 2, held, ~held, strength=s) for s in (1.0, 0.5))
    assert whole is not None
    assert half is not None
    followers = (np.arange(12) != 2) & half.matrices.any(axis=(1, 2))
    np.testing.assert_allclose(half.matrices[followers], 0.5 * whole.matrices[followers])
    assert gain(model_of(points), points, 2, held, ~held, strength=0.0) is None


def test_without_statistics_near_landmarks_follow_most() -> None:
    line = np.column_stack([np.arange(10.0) * 20, np.zeros(10)])
    held = nobody(line)
    found = gain(None, line, 0, held, ~held)
    assert found is not None
    size = np.linalg.norm(found.matrices, axis=(1, 2))
    assert (np.diff(size[:4]) < 0).all()


@pytest.mark.parametrize("points", [np.array([[3.0, 4.0]]), np.full((5, 2), 7.0), np.full((4, 2), np.nan)])
def test_where_nothing_can_follow_nothing_does(points: FloatArray) -> None:
    """One landmark, all in one place, none known."""
    assert gain(None, points, 0, nobody(points), ~nobody(points)) is None


def test_accepted_landmarks_are_all_held() -> None:
    points = face()
    assert gain(model_of(points), points, 0, ~nobody(points), nobody(points)) is None


def test_five_hundred_landmarks() -> None:
    points = face(500)
    held = np.arange(500) % 3 == 0
    found = gain(model_of(points), points, 1, held, ~held)
    assert found is not None
    moved = found.moved(points, 5.0, 5.0)
    assert np.isfinite(moved).all()
    assert (moved[held] == points[held]).all()


def test_dragging_a_landmark_of_a_moved_face_brings_the_whole_face_nearer() -> None:
    """Where faces of a project are off as a whole, two drags leave less than a third of the error."""
    truth = face(40)
    points, held = turned(truth, 6.0, 1.0), nobody(truth)
    off = float(np.linalg.norm(points - truth, axis=1).mean())
    moves = RNG.normal(size=(200, 1, 2)) + np.zeros((200, 40, 2))
    model = model_of(points, covariance_of(moves, range(40)))
    for _ in range(2):
        worst = int((np.linalg.norm(points - truth, axis=1) * ~held).argmax())
        found = gain(model, points, worst, held, ~held)
        assert found is not None
        points = found.moved(points, *(truth[worst] - points[worst]))
        held[worst] = True
    assert float(np.linalg.norm(points - truth, axis=1).mean()) < 0.34 * off


def test_a_face_that_is_off_as_a_whole_is_recognised_by_what_was_placed() -> None:
    """A face moved, turned and enlarged: the fifth drag does what takes many more where nothing is concluded."""
    truth = face(40)
    predicted, model, left = turned(truth, 9.0, 1.1), model_of(truth), {}
    for concludes in (True, False):
        points, held = predicted, nobody(truth)
        for landmark in (0, 7, 15, 22, 30):
            moved = points - predicted if concludes else None
            found = gain(model, points, landmark, held, ~held, moved=moved)
            assert found is not None
            points = found.moved(points, *(truth[landmark] - points[landmark]))
            assert (points[held] == truth[held]).all()
            held[landmark] = True
        left[concludes] = np.linalg.norm(points - truth, axis=1)[~held].mean()
    assert left[True] < 0.1 * left[False]
    assert left[True] < 0.02 * np.linalg.norm(predicted - truth, axis=1).mean()


def test_where_a_face_is_due_the_others_go_as_the_dragged_landmark_does() -> None:
    """No jump at the press, all the way with it, and nothing for a drag that goes the other way."""
    points, held = face(40) - 60.0, nobody(face(40))
    held[[3, 9, 14, 20, 31]] = True
    points[held] += 60.0
    found = gain(model_of(face(40)), points, 0, held, ~held, moved=np.outer(held, [60.0, 60.0]))
    assert found is not None
    assert found.movable[~held].all()
    assert not found.movable[held].any()
    np.testing.assert_array_equal(found.moved(points, 0.0, 0.0), points)
    half, whole = (found.moved(points, way, way) - points for way in (30.0, 60.0))
    np.testing.assert_allclose(half[~held], 30.0, atol=4.0)
    np.testing.assert_allclose(whole[~held], 60.0, atol=4.0)
    assert found.due is not None
    back = found.moved(points, -5.0, -5.0) - points
    np.testing.assert_allclose(back, found.matrices @ [-5.0, -5.0])


def test_nothing_leaps_at_the_first_pixel_of_a_landmark_that_is_hardly_due() -> None:
    due = np.full((5, 2), [60.0, 0.0])
    due[2] = 1.0, 0.0
    stay = np.zeros((5, 2, 2))
    stay[2] = np.eye(2)
    points = face(5)
    moved = Gain(stay, 2, due).moved(points, 1.0, 0.0) - points
    assert np.abs(np.delete(moved, 2, axis=0)).max() < 1.0
    np.testing.assert_allclose(moved[2], [1.0, 0.0])


def test_what_was_placed_where_it_was_predicted_speaks_for_a_usual_face() -> None:
    points = face(40)
    held = nobody(points)
    held[[3, 20, 31]] = True
    usual = gain(model_of(points), points, 0, held, ~held)
    for moved in (np.zeros_like(points), np.full_like(points, np.nan), RNG.normal(size=points.shape)):
        found = gain(model_of(points), points, 0, held, ~held, moved=moved)
        assert usual is not None
        assert found is not None
        np.testing.assert_allclose(found.matrices, usual.matrices, atol=0.02)


def test_strength_is_for_usual_faces() -> None:
    """One that is off as a whole is put right as a whole, however weakly the shape follows otherwise."""
    points, moved = face(40), np.full((40, 2), 60.0)
    held = nobody(points)
    held[[3, 9, 14, 20, 31]] = True
    strong, weak = (gain(model_of(points), points, 0, held, ~held, strength=s, moved=moved) for s in (1.0, 0.3))
    assert strong is not None
    assert weak is not None
    np.testing.assert_allclose(weak.matrices, strong.matrices, atol=0.01)


def test_what_is_placed_tells_of_the_rest_of_a_prediction() -> None:
    """As if the placed landmarks had been dragged there, one after the other."""
    predicted = face(12)
    placed = nobody(predicted)
    placed[[2, 5]] = True
    points = np.where(placed[:, None], predicted + np.array([6.0, -3.0]), np.nan)
    found = fitted(model_of(predicted), predicted, points, placed)
    dragged, held = predicted, nobody(predicted)
    for landmark in (2, 5):
        follows = gain(model_of(predicted), dragged, landmark, held, ~held)
        assert follows is not None
        dragged = follows.moved(dragged, *(points[landmark] - dragged[landmark]))
        held[landmark] = True
    np.testing.assert_array_equal(found[placed], points[placed])
    moved = np.linalg.norm(dragged - predicted, axis=1) > 1.0
    assert moved.sum() > 4
    np.testing.assert_allclose(found[moved & ~placed], dragged[moved & ~placed], atol=0.8)


def test_without_a_placed_landmark_a_prediction_stays_and_unknown_ones_stay_unknown() -> None:
    predicted = face(12)
    np.testing.assert_array_equal(fitted(None, predicted, predicted, nobody(predicted)), predicted)
    predicted[3] = np.nan
    placed = nobody(predicted)
    placed[[3, 4]] = True
    points = np.full_like(predicted, 7.0)
    found = fitted(None, predicted, points, placed)
    np.testing.assert_array_equal(found[placed], points[placed])
    assert np.isfinite(found).all()
