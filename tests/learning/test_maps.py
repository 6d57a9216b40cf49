"""Heatmaps of a face lie where its landmarks are predicted, from one look, from two, and for other schemes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.geometry import Square, crop_transform, inverse, transform
from scaf_gui.core.scheme import Scheme
from scaf_gui.learning.checkpoint import Checkpoint, load_checkpoint
from scaf_gui.learning.device import Device
from scaf_gui.learning.maps import FaceMaps, face_maps
from scaf_gui.learning.predictor import Predictor
from scaf_gui.learning.targets import gaussian_targets, to_heatmap
from scaf_gui.paths import model_folder


@pytest.fixture(scope="module")
def starter(scheme: Scheme) -> Checkpoint:
    return load_checkpoint(model_folder() / "starter-68.safetensors", scheme)


def peaks(found: FaceMaps) -> FloatArray:
    """(L, 2) image pixels: the largest pixel of each map."""
    side = found.maps.shape[-1]
    at = found.maps.reshape(len(found.maps), -1).argmax(axis=1)
    return transform(found.to_image, np.column_stack([at % side, at // side]).astype(np.float64))


def off(found: FaceMaps, points: FloatArray) -> FloatArray:
    """(L,) how far peaks lie from points, in heatmap pixels."""
    distance: FloatArray = np.linalg.norm(peaks(found) - points, axis=1) / np.hypot(*found.to_image[:, 0])
    return distance


@pytest.mark.parametrize("twice", [False, True])
def test_peaks_lie_upon_the_predicted_landmarks(
    starter: Checkpoint, cpu: Device, scheme: Scheme, faces: Any, twice: bool
) -> None:
    predictor = Predictor(starter, cpu, scheme)
    for example in faces.examples[:3]:
        image = faces.read(example.image)
        found = face_maps(predictor, image, example.square, twice)
        assert found.maps.shape == (68, 64, 64) and found.maps.dtype == np.float32
        assert found.crop.shape == (128, 128, 3)
        predicted = predictor.predict_faces([(image, example.square)], twice)[0].points
        distance = off(found, predicted)
        # A decoder steps at most a pixel from the peak along each axis. Where two looks disagree their mean map has
        # two peaks, and no landmark between them: that is what it is to show.
        assert np.median(distance) < 0.7
        assert (distance < 1.0 if not twice else distance < 1.5).mean() > 0.97


def test_both_looks_are_laid_upon_each_other(
    starter: Checkpoint, cpu: Device, scheme: Scheme, faces: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ideal networks in both looks: one peak each, at the truth, of full height, in a turned frame."""
    example = faces.examples[1]
    square = Square(example.square.cx + 9, example.square.cy - 5, example.square.side * 1.2)
    monkeypatch.setattr("scaf_gui.learning.maps.level_view", lambda points, scheme, first: (square, 20.0))
    predictor = Predictor(starter, cpu, scheme)

    def ideal(of: Square, degrees: float) -> torch.Tensor:
        seen = torch.from_numpy(transform(crop_transform(of, 128, degrees), example.points)[None])
        return gaussian_targets(to_heatmap(seen, 128, 64), 64, 2.0, None, False).float()

    monkeypatch.setattr(predictor, "heatmaps", lambda crops: (ideal(example.square, 0.0), torch.zeros(1, 99)))
    monkeypatch.setattr(predictor, "mirrored_heatmaps", lambda crops: ideal(square, 20.0))
    found = face_maps(predictor, faces.read(example.image), example.square, True)
    np.testing.assert_allclose(found.to_image, inverse(crop_transform(square, 64, 20.0)))
    assert off(found, example.points).max() < 0.75  # of the diagonal of a pixel, one half
    assert found.maps.max(axis=(1, 2)).min() > 0.9


def test_a_scheme_that_is_led_to_has_maps_where_its_landmarks_are(
    starter: Checkpoint, cpu: Device, scheme: Scheme, named_scheme: Callable[[str], Scheme], faces: Any
) -> None:
    wflw = named_scheme("wflw-98")
    example = faces.examples[0]
    image = faces.read(example.image)
    predictor = Predictor(starter, cpu, wflw)
    found = face_maps(predictor, image, example.square, False)
    assert found.maps.shape == (98, 64, 64)
    distance = off(found, predictor.predict_faces([(image, example.square)])[0].points)
    assert (distance < 1.3).mean() > 0.95
    own = face_maps(Predictor(starter, cpu, scheme), image, example.square, False).maps
    matrix = wflw.matrix_from(scheme)
    assert matrix is not None
    same = [(k, int(row.argmax())) for k, row in enumerate(matrix) if row.max() == 1.0 == np.abs(row).sum()]
    assert same and all(np.array_equal(found.maps[k], own[source]) for k, source in same)
