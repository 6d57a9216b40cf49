"""How errors of landmarks hang together."""

from __future__ import annotations

import numpy as np
import pytest

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.shape import ShapeModel, covariance_of, mean_shape, shape_model

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


def test_own_errors_take_over_from_what_is_shipped() -> None:
    points = face()
    reference = mean_shape(points[None])
    assert reference is not None
    rows = RNG.normal(size=(300, 12, 2))
    rows[:, 9] = rows[:, 2]
    shipped = shape_model(reference, range(12), np.eye(24))
    few, many = (shape_model(reference, range(12), np.eye(24), errors=rows[:n]) for n in (3, 300))
    together = [model.covariance[4, 18] for model in (shipped, few, many)]
    assert together[0] < together[1] < together[2]


def test_errors_that_are_not_known_do_not_count_and_faces_count_alike() -> None:
    rows = RNG.normal(size=(50, 4, 2))
    rows[:, 1] = np.nan
    covariance = covariance_of(rows, range(4))
    assert np.isfinite(covariance).all()
    assert (covariance[2:4] == 0).all()
    np.testing.assert_allclose(covariance_of(rows * np.linspace(1, 9, 50)[:, None, None], range(4)), covariance)
    assert (covariance_of(np.zeros((0, 4, 2)), range(4)) == 0).all()


def test_mirror_images_are_learnt_from_too() -> None:
    rows = np.zeros((5, 2, 2))
    rows[:, 0] = [1.0, 0.5]
    covariance = covariance_of(rows, (1, 0))
    np.testing.assert_allclose(covariance[:2, :2], covariance[2:, 2:] * [[1, -1], [-1, 1]])


def test_a_mean_shape_has_no_place_size_or_turn_of_its_own() -> None:
    shapes = np.stack([turned(face(), angle, scale) for angle, scale in ((-10, 0.5), (10, 2.0), (0, 1.0))])
    mean = mean_shape(shapes)
    assert mean is not None
    np.testing.assert_allclose(mean.mean(axis=0), 0, atol=1e-9)
    assert (mean**2).sum(axis=1).mean() == pytest.approx(1.0)
    alone = mean_shape(face()[None])
    assert alone is not None
    np.testing.assert_allclose(mean, alone, atol=1e-6)
    assert mean_shape(np.full((3, 4, 2), 5.0)) is None


def test_a_model_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(ValueError, match="shape model"):
        ShapeModel(np.zeros((3, 2)), np.eye(4))
