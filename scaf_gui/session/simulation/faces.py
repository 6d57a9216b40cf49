"""Labelled folders for simulations: faces whose landmarks are known, with true or detected boxes."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scaf_gui.core.arrays import BoolArray, FloatArray, frozen
from scaf_gui.core.face import Box, BoxSource
from scaf_gui.core.geometry import Square, crop_square
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import FolderError, ImageError, LabelFileError, UsageError
from scaf_gui.session.truth import SAME_FACE, agreement, known_points, label_box

if TYPE_CHECKING:
    from scaf_gui.io.formats import LabelledFace

#: where boxes come from; "true" is an oracle: the box of the true landmarks
BOXES = ("true", "detector")


@dataclass(frozen=True, eq=False)
class TrueFace:
    """A face whose landmarks are known: points (num_landmarks, 2) float64, image pixels, NaN where missing."""

    image: Path
    square: Square
    points: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", frozen(self.points))

    @cached_property
    def id(self) -> str:
        """The same image name, landmarks and crop have the same id, wherever the folder lies."""
        digest = hashlib.blake2b(self.image.name.encode(), digest_size=8)
        digest.update(np.array([self.square.cx, self.square.cy, self.square.side]).tobytes())
        digest.update(self.points.tobytes())
        return digest.hexdigest()

    @property
    def known(self) -> BoolArray:
        """(num_landmarks,) which landmarks are known."""
        return np.asarray(np.isfinite(self.points).all(axis=1), np.bool_)


@dataclass(frozen=True, eq=False)
class FaceSet:
    """Faces of a labelled folder. ``labelled``: how many have labels; those without a detected box are left out."""

    name: str
    faces: tuple[TrueFace, ...]
    labelled: int

    @property
    def found(self) -> float:
        """Share of the labelled faces that have a box."""
        return len(self.faces) / self.labelled if self.labelled else 0.0


def named_folder(text: str) -> tuple[str, Path]:
    """``NAME=DIR``, or ``DIR``, whose own name then counts."""
    name, sign, folder = text.partition("=")
    path = Path(folder if sign else text).expanduser()
    return (name if sign else path.resolve().name), path


def read_faces(
    name: str, folder: Path, scheme: Scheme, boxes: str, work: Path
) -> Generator[tuple[int, int], None, FaceSet]:
    """The labelled faces of a folder: ``.pts`` files beside their images, or one CSV file of landmarks.

    Yields (faces done, faces in all) while the detector searches; what it finds is kept under ``work``.

    :raises FolderError, LabelFileError: no images, no labels, or labels that cannot be read
    """
    labels = _labels(folder, scheme)
    find = _finder(boxes, folder, scheme, work)
    faces: list[TrueFace] = []
    for number, label in enumerate(labels):
        try:
            box = find(label)
        except ImageError:
            box = None
        if box is not None:
            faces.append(TrueFace(folder / label.image, crop_square(box), known_points(label)))
        if boxes != "true":
            yield number + 1, len(labels)
    if not faces:
        raise FolderError("holds no labelled face that has a box", folder)
    return FaceSet(name, tuple(faces), len(labels))


def hold_out(faces: FaceSet, count: int) -> tuple[FaceSet, FaceSet]:
    """(the rest, ``count`` faces set apart): evenly spaced in the order of names, so of every kind that names tell."""
    if not 0 < count < len(faces.faces):
        raise UsageError(f"{count} faces cannot be held out of {len(faces.faces)}")
    apart = set(((np.arange(count) + 0.5) * len(faces.faces) / count).astype(int).tolist())
    rest = tuple(face for place, face in enumerate(faces.faces) if place not in apart)
    held = tuple(face for place, face in enumerate(faces.faces) if place in apart)
    return replace(faces, faces=rest, labelled=len(rest)), FaceSet("held-out", held, len(held))


def check_apart(pool: FaceSet, tests: Sequence[FaceSet]) -> None:
    """:raises UsageError: a test set has a face that is also in the pool, or two sets have one name"""
    names = [pool.name, *(test.name for test in tests)]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two folders are called '{name}'; name them apart, as NAME=FOLDER")
    ids = {face.id for face in pool.faces}
    for test in tests:
        shared = [face for face in test.faces if face.id in ids]
        if shared:
            raise UsageError(
                f"{shared[0].image.name} of '{test.name}' is in the pool too: its figures would mean nothing"
            )


def _labels(folder: Path, scheme: Scheme) -> list[LabelledFace]:
    from scaf_gui.io.folder import natural_key, scan_images
    from scaf_gui.io.formats import formats
    from scaf_gui.io.formats.files import read_text

    images = scan_images(folder)
    tables = sorted(folder.glob("*.csv"))
    if tables and next(folder.rglob("*.pts"), None) is None:
        numbered = read_text(tables[0])[:1000].split(",")[1:2] == ["x0"]
        faces = (
            _table(tables[0], scheme, images)
            if numbered
            else list(formats()["csv"].read(tables[0], scheme, images).faces)
        )
    else:
        faces = list(formats()["300w"].read(folder, scheme, images).faces)
    if not faces:
        raise FolderError("holds no label of any of its images", folder)
    return sorted(faces, key=lambda face: (natural_key(face.image), face.face_index))


def _table(path: Path, scheme: Scheme, images: Sequence[str]) -> list[LabelledFace]:
    """Columns ``image,x0,y0,x1,y1 ...``: one face a line, 0-based. (The program's own CSV files name the landmarks.)"""
    from scaf_gui.io.formats import LabelledFace
    from scaf_gui.io.formats.files import ImageFinder, number, read_text

    finder, faces = ImageFinder(images), []
    for line, row in enumerate(csv.reader(read_text(path).splitlines()), 1):
        if line == 1 or not row:
            continue
        values = [number(field.strip()) for field in row[1:]]
        if len(values) != 2 * scheme.num_landmarks or None in values:
            wanted = f"{2 * scheme.num_landmarks} coordinates of scheme {scheme.id}"
            raise LabelFileError(f"needs the image's name and {wanted} in each line", path, line)
        image, _ = finder.by_path(row[0])
        if image is not None:
            points = np.array(values, np.float64).reshape(-1, 2)
            faces.append(LabelledFace(image, points, np.zeros(len(points), np.uint8)))
    return faces


def _finder(boxes: str, folder: Path, scheme: Scheme, work: Path) -> Callable[[LabelledFace], Box | None]:
    if boxes == "true":
        return lambda label: label_box(label, scheme)
    if boxes != "detector":
        raise UsageError(f"'{boxes}' is no source of boxes here; use {' or '.join(BOXES)}")
    from scaf_gui.io.detector import MtcnnDetector
    from scaf_gui.io.files import replace_file
    from scaf_gui.io.images import read_image

    detector = MtcnnDetector()

    def detected(label: LabelledFace) -> Box | None:
        image = folder / label.image
        status = image.stat()
        name = hashlib.blake2b(f"{image.resolve()} {status.st_size} {status.st_mtime_ns}".encode(), digest_size=8)
        kept = work / "boxes" / f"{name.hexdigest()}.json"
        if kept.is_file():
            rows = json.loads(kept.read_text("utf-8"))
            found = [Box(**row | {"source": BoxSource(row["source"])}) for row in rows]
        else:
            found = list(detector.detect(read_image(image)))
            replace_file(kept, json.dumps([asdict(box) for box in found]).encode())
        best = max(found, key=lambda box: agreement(box, label, scheme), default=None)
        return best if best is not None and agreement(best, label, scheme) >= SAME_FACE else None

    return detected
