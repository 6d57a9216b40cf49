"""Unlabelled faces for pre-training: found, cut once with their surroundings, and packed on disk."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from scaf_gui.core.arrays import ByteArray
from scaf_gui.core.geometry import Square, crop_square, crop_transform
from scaf_gui.errors import ImageError, InputError
from scaf_gui.io.detector import MtcnnDetector
from scaf_gui.io.facepack import PackWriter, is_finished, read_notes
from scaf_gui.io.images import decode_image
from scaf_gui.io.locks import locked
from scaf_gui.io.shards import Shard
from scaf_gui.learning.crops import cut_crop
from scaf_gui.learning.unlabelled import ROOM

#: pixels of the surroundings per pixel of the crop
_FINER = 1.25
#: shorter images and crops hold too little of a face
MIN_SIDE = 40
#: images of a shard that the detector measures to see whether its faces are centred alike
_SAMPLE = 48
#: centred alike: middle half of the squares within so many sides, and all images of one size
_ALIKE = 0.12
_SAVE_EVERY = 500


@dataclass
class Tally:
    """What became of a shard's images."""

    images: int = 0
    faces: int = 0
    broken: int = 0
    tiny: int = 0
    without_face: int = 0
    crop: str = ""
    problems: list[str] = field(default_factory=list)

    def note(self, problem: str) -> None:
        if len(self.problems) < 5:
            self.problems.append(problem)


@dataclass(frozen=True)
class Share:
    """A crop at a fixed place of each image: centre and side in parts of the image's shorter side."""

    cx: float
    cy: float
    side: float

    def square(self, image: ByteArray) -> Square:
        height, width = image.shape[:2]
        unit = min(height, width)
        return Square(
            (width - 1) / 2 + (self.cx - 0.5) * unit, (height - 1) / 2 + (self.cy - 0.5) * unit, self.side * unit
        )


def gather(
    shards: Sequence[Shard], folder: Path, size: int, crops: Sequence[str]
) -> Generator[tuple[str, int], None, dict[str, Any]]:
    """Pack the faces of shards; an interrupted one goes on where it was. Yields (shard, faces so far).

    Broken, tiny and faceless images are counted and passed over.

    :param size: input size of the network that will see them
    :param crops: of each shard: "detector" looks for a face in each image; "0.9" or "0.9,0.5,0.6" is a fixed square
        (side, centre) in parts of the image's shorter side; "auto" measures a sample of the shard and takes the fixed
        square in the middle of what it found where the faces are centred alike, else the detector
    :returns: the notes of the pack: ``faces`` and, by shard, a :class:`Tally`
    :raises InputError: no face at all, or the pack cannot be written
    """
    side = round(size * ROOM * _FINER)
    about = {
        "side": side,
        "size": size,
        "crop": crops[0] if len(set(crops)) == 1 else list(crops),
        "sources": [shard.fingerprint() for shard in shards],
    }
    if is_finished(folder, about):
        return read_notes(folder) or {}
    with locked(folder / "pack"):
        writer, detector = PackWriter(folder, about), _Detector()
        try:
            for shard, crop in zip(shards, crops, strict=True):
                yield from _gather_one(shard, writer, side, crop, detector)
            writer.save(finished=True)
        finally:
            writer.close()
    if not writer.notes["faces"]:
        raise InputError("no face found in it" if len(shards) == 1 else "no face found in any of them", shards[0].path)
    return writer.notes


def _gather_one(
    shard: Shard, writer: PackWriter, side: int, crop: str, detector: _Detector
) -> Generator[tuple[str, int], None, None]:
    noted = writer.notes["sources"].get(str(shard.path), {})
    if noted.get("finished"):
        return
    tally = Tally(**noted.get("tally", {}))
    if not tally.crop:
        tally.crop = _measured(shard, detector) if crop == "auto" else crop
    share = None if tally.crop == "detector" else parse_share(tally.crop)
    done = tally.images

    def save(finished: bool) -> None:
        writer.notes["sources"][str(shard.path)] = {"tally": vars(tally), "finished": finished}
        writer.save()

    try:
        for place, (name, data) in enumerate(shard.images()):
            if place < done:
                continue
            tally.images += 1
            _take(name, data, share, writer, side, detector, tally)
            if tally.images % _SAVE_EVERY == 0:
                save(False)
                yield shard.path.name, writer.notes["faces"]
    except InputError as error:
        if error.path != shard.path:
            raise
        tally.note(str(error))
        tally.broken += 1
    save(True)
    yield shard.path.name, writer.notes["faces"]


def _take(
    name: str, data: bytes, share: Share | None, writer: PackWriter, side: int, detector: _Detector, tally: Tally
) -> None:
    try:
        image = decode_image(data, name)
    except ImageError as error:
        tally.broken += 1
        tally.note(str(error))
        return
    if min(image.shape[:2]) < MIN_SIDE:
        tally.tiny += 1
        return
    square = detector.square(image) if share is None else share.square(image)
    if square is None:
        tally.without_face += 1
        return
    if square.side < MIN_SIDE:
        tally.tiny += 1
        return
    wide = Square(square.cx, square.cy, square.side * ROOM)
    writer.add(cut_crop(image, wide, side), _real_part(image, wide, side))
    tally.faces += 1


def _real_part(image: ByteArray, square: Square, side: int) -> tuple[int, int, int, int]:
    """Pixels of a cut square that come from the image, not from the black around it."""
    height, width = image.shape[:2]
    matrix = crop_transform(square, side)
    low = matrix @ np.array([-0.5, -0.5, 1.0])
    high = matrix @ np.array([width - 0.5, height - 0.5, 1.0])
    x0, y0 = np.clip(np.ceil(low + 0.5), 0, side).astype(int)
    x1, y1 = np.clip(np.floor(high + 0.5), 0, side).astype(int)
    return int(x0), int(y0), int(x1), int(y1)


class _Detector:
    """The detector, loaded when it is first needed."""

    def __init__(self) -> None:
        self._mtcnn: MtcnnDetector | None = None

    def square(self, image: ByteArray) -> Square | None:
        """The crop of the face that the image is of: large, and near its middle."""
        if self._mtcnn is None:
            self._mtcnn = MtcnnDetector(min_face=MIN_SIDE / 2, longest=500)
        boxes = self._mtcnn.detect(image)
        if not boxes:
            return None
        height, width = image.shape[:2]
        middle = np.array([width - 1, height - 1]) / 2

        def aside(square: Square) -> float:
            return float(np.hypot(square.cx - middle[0], square.cy - middle[1])) - square.side

        return min((crop_square(box) for box in boxes), key=aside)


def _measured(shard: Shard, detector: _Detector) -> str:
    """The fixed square of a shard whose faces are centred alike, else "detector"."""
    found: list[tuple[float, float, float]] = []
    shapes = set()
    try:
        for place, (name, data) in enumerate(shard.images()):
            if place % 7 or len(found) >= _SAMPLE:  # neighbours are often of the same person
                if len(found) >= _SAMPLE:
                    break
                continue
            try:
                image = decode_image(data, name)
            except ImageError:
                continue
            if min(image.shape[:2]) < MIN_SIDE:
                continue
            shapes.add(image.shape)
            square = detector.square(image)
            if square is not None:
                unit = min(image.shape[:2])
                height, width = image.shape[:2]
                cx, cy = square.cx - (width - 1) / 2, square.cy - (height - 1) / 2
                found.append((square.side / unit, cx / unit + 0.5, cy / unit + 0.5))
    except InputError:
        pass  # said when the shard is gathered
    if len(found) < 8 or len(shapes) != 1:
        return "detector"
    low, middle, high = np.percentile(np.array(found), [25, 50, 75], axis=0)
    if (high - low).max() > _ALIKE * middle[0]:
        return "detector"
    return ",".join(f"{value:.3f}" for value in middle)


def parse_share(text: str) -> Share:
    """ "SIDE" or "SIDE,X,Y" in parts of an image's shorter side; :raises ValueError: it is neither."""
    values = [float(part) for part in text.split(",")]
    if len(values) not in (1, 3) or not 0.1 <= values[0] <= 3.0 or not all(0.0 <= v <= 1.0 for v in values[1:]):
        raise ValueError(text)
    side, cx, cy = values if len(values) == 3 else (values[0], 0.5, 0.5)
    return Share(cx, cy, side)
