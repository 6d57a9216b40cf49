"""The adapter runs OpenCV's own FaceDetectorYN, on a network with YuNet's input and outputs that is made here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scaf_gui.core.face import BoxSource
from scaf_gui.core.geometry import five_point_square
from scaf_gui.errors import InputError
from scaf_gui.io.detector import MtcnnDetector, open_detector, weight_folder
from scaf_gui.io.yunet import YunetDetector, boxes_of
from tests.io.onnx_writer import POINTS, yunet


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("yunet") / "weights ä.onnx"
    path.write_bytes(yunet())
    return path


@pytest.fixture(scope="module")
def detector(model: Path) -> YunetDetector:
    return YunetDetector(model)


def photo(height: int, width: int, *cells: tuple[int, int, int]) -> np.ndarray:
    """Black, with white squares (x, y, side)."""
    image = np.zeros((height, width, 3), np.uint8)
    for x, y, side in cells:
        image[y : y + side, x : x + side] = 255
    return image


def row(x: float = 100.0, y: float = 200.0, confidence: float = 0.9, size: float = 64.0) -> np.ndarray:
    """YuNet's row of a face whose eyes are ``size / 2`` apart; the box's corner at (x, y)."""
    points = np.array([x, y]) + size / 2 * (POINTS + np.array([0.5, 0.75]))
    return np.array([x, y, size, 1.25 * size, *points.ravel(), confidence])


def test_a_face_is_found_where_it_is(detector: YunetDetector) -> None:
    (box,) = detector.detect(photo(200, 300, (128, 64, 32)))
    square = five_point_square(np.array([128.0, 64.0]) + 32 * POINTS)
    assert square is not None and box.source is BoxSource.POINTS and box.confidence == pytest.approx(0.9933, abs=1e-3)
    # from continuous pixels, the first from 0 to 1, to pixel centres
    assert box.centre == pytest.approx((square.cx - 0.5, square.cy - 0.5), abs=1e-3)
    assert box.width == box.height == pytest.approx(square.side, abs=1e-3)


def test_large_photos_are_reduced_and_a_face_is_not_found_twice(detector: YunetDetector) -> None:
    (box,) = detector.detect(photo(800, 1280, (512, 256, 64)))
    square = five_point_square(np.array([512.0, 256.0]) + 64 * POINTS)
    assert square is not None
    assert box.centre == pytest.approx((square.cx - 0.5, square.cy - 0.5), abs=1.0)
    assert box.width == pytest.approx(square.side, rel=0.02)


def test_several_faces_and_none(detector: YunetDetector) -> None:
    assert len(detector.detect(photo(256, 320, (0, 0, 32), (224, 160, 32)))) == 2
    assert detector.detect(photo(256, 320)) == []
    assert detector.detect(np.zeros((3, 5, 3), np.uint8)) == []
    assert detector.detect(np.zeros((1, 900, 3), np.uint8)) == []


def test_of_rows_of_one_face_the_surest_stays() -> None:
    boxes = boxes_of(np.stack([row(confidence=0.8), row(x=400, confidence=0.7), row(x=104, confidence=0.95)]))
    assert [box.confidence for box in boxes] == [0.95, 0.7]


def test_rows_that_are_no_face_are_dropped() -> None:
    broken = row()
    broken[5] = np.nan
    flat = row()
    flat[3] = 0.0
    assert boxes_of(np.stack([broken, flat])) == [] == boxes_of(np.empty((0, 15)))


def test_where_the_points_say_nothing_the_box_is_taken() -> None:
    together, elsewhere = row(), row()
    together[4:14] = np.tile([120.0, 230.0], 5)
    elsewhere[4:14] += 500.0
    for odd in (together, elsewhere):
        (box,) = boxes_of(odd[None])
        assert (box.x, box.y, box.width, box.height) == (99.5, 199.5, 64.0, 80.0)
        assert box.source is BoxSource.DETECTOR


def test_the_source_chooses_the_detector(model: Path) -> None:
    assert isinstance(open_detector(), MtcnnDetector)
    assert isinstance(open_detector(f"yunet:{model}"), YunetDetector)


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x07" * 50, yunet()[:5000]])
def test_other_files_are_refused_with_their_name(
    tmp_path: Path, content: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.onnx"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"wrong.onnx: is no YuNet model"):
        YunetDetector(path)
    assert "rror" not in capfd.readouterr().err


def test_another_network_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"rnet.onnx: is no YuNet model"):
        YunetDetector(weight_folder() / "rnet.onnx")
    with pytest.raises(InputError, match=r"none.onnx: the YuNet model cannot be read"):
        YunetDetector(tmp_path / "none.onnx")
