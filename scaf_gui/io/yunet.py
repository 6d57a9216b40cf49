"""YuNet (Wu et al., 2023, "YuNet: A Tiny Millisecond-level Face Detector"), from a model file of the user's.

OpenCV runs it (``cv2.FaceDetectorYN``); this program ships no weights. A row of its outcome has 15 numbers: the box
(x, y, width, height), five points (pupils, nose tip, corners of the mouth; those on the left as seen first), the
confidence. All are continuous pixels of the image, in which the first pixel spans 0 to 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from scaf_gui.core.arrays import ByteArray, FloatArray
from scaf_gui.core.face import Box, BoxSource
from scaf_gui.core.geometry import five_point_square
from scaf_gui.errors import InputError

#: photos are reduced until their longer side has so many pixels: it was trained on faces of 10 to 300 pixels
_LONGEST = (640, 320)
#: two boxes that overlap by more than this (intersection over union) are of one face
_SAME = 0.3
#: candidates before those of the same face are dropped
_MOST = 5000


class YunetDetector:
    """The detector behind the interface :class:`scaf_gui.io.detector.Detector`.

    :param path: the ONNX file, such as ``face_detection_yunet_2023mar.onnx`` of OpenCV's model zoo
    :param threshold: least confidence
    :raises InputError: it cannot be read, or is no YuNet model
    """

    def __init__(self, path: Path, threshold: float = 0.7):
        self._path = path
        try:
            weights = np.frombuffer(path.read_bytes(), np.uint8)
        except OSError as error:
            raise InputError(f"the YuNet model cannot be read ({error.strerror})", path) from error
        level = cv2.utils.logging.getLogLevel()
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # it would print what is said below
        try:
            self._net: Any = cv2.FaceDetectorYN.create(
                "onnx", weights, np.empty(0, np.uint8), (64, 64), threshold, _SAME, _MOST
            )
            self.detect(np.zeros((64, 64, 3), np.uint8))  # a model of something else fails here
        except (cv2.error, AttributeError) as error:
            raise InputError(
                "is no YuNet model that this OpenCV can use; choose face_detection_yunet_2023mar.onnx", path
            ) from error
        finally:
            cv2.utils.logging.setLogLevel(level)

    def detect(self, image: ByteArray) -> list[Box]:
        """The faces' canonical squares (:attr:`BoxSource.POINTS`) in an image, most certain first.

        :param image: (height, width, 3) uint8 RGB
        :returns: boxes in image pixels, 0-based, pixel-centre convention; may reach out of the image
        """
        height, width = image.shape[:2]
        found: list[FloatArray] = []
        for longest in _LONGEST:
            reduction = min(1.0, longest / max(height, width))
            if found and reduction == 1.0:
                break  # the same picture again
            size = max(1, round(width * reduction)), max(1, round(height * reduction))
            smaller = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if reduction < 1.0 else image
            self._net.setInputSize(size)
            rows = self._net.detect(np.ascontiguousarray(smaller[:, :, ::-1]))[1]
            if rows is not None and len(rows):
                stretch = np.array([width / size[0], height / size[1]] * 7 + [1.0])
                found.append(np.asarray(rows, np.float64) * stretch)
        return boxes_of(np.concatenate(found)) if found else []


def boxes_of(rows: FloatArray) -> list[Box]:
    """The faces of YuNet's rows (N, 15), most certain first; of rows that overlap much only the best.

    The square follows from the five points (``five_point_square``), as YuNet's own boxes begin at the forehead. Where
    they fall together (a face from the side), or disagree with the box, the box is taken, by a detector's rule.
    """
    rows = rows[np.isfinite(rows).all(axis=1) & (rows[:, 2:4] > 0).all(axis=1)]
    rows = rows[np.argsort(-rows[:, 14], kind="stable")]
    kept: list[FloatArray] = []
    for row in rows:
        if all(_overlap(row, other) <= _SAME for other in kept):
            kept.append(row)
    return [_box(row) for row in kept]


def _box(row: FloatArray) -> Box:
    x, y, width, height = (float(value) for value in row[:4])
    confidence = float(np.clip(row[14], 0.0, 1.0))
    square = five_point_square(row[4:14].reshape(5, 2))
    if square is not None:
        near = abs(square.cx - x - width / 2) < width / 2 and abs(square.cy - y - height / 2) < height / 2
        if near and 0.5 < square.side / np.sqrt(width * height) < 2.0:
            left, top = square.cx - square.side / 2 - 0.5, square.cy - square.side / 2 - 0.5
            return Box(left, top, square.side, square.side, BoxSource.POINTS, confidence)
    return Box(x - 0.5, y - 0.5, width, height, BoxSource.DETECTOR, confidence)


def _overlap(a: FloatArray, b: FloatArray) -> float:
    """Intersection over union of the boxes of two rows."""
    sides = np.minimum(a[:2] + a[2:4], b[:2] + b[2:4]) - np.maximum(a[:2], b[:2])
    shared = float(np.prod(np.maximum(sides, 0.0)))
    return shared / float(np.prod(a[2:4]) + np.prod(b[2:4]) - shared)
