"""Labels from files, matched with a project's faces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import Box, Face, Flag
from scaf_gui.core.geometry import Square, face_square, landmark_box
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import FolderError, LabelFileError
from scaf_gui.session.boxes import overlap

if TYPE_CHECKING:
    from scaf_gui.io.formats import LabelledFace

#: a label belongs to a face whose canonical face box overlaps its own by this much (intersection over union)
SAME_FACE = 0.3


def read_truth(folder: Path, scheme: Scheme, images: Sequence[str]) -> dict[str, list[LabelledFace]]:
    """The ``.pts`` files of a folder by image, several faces of an image in the order of their numbers.

    :raises FolderError: the folder is not there; :raises LabelFileError: a file in it is malformed
    """
    from scaf_gui.io.formats import formats

    if not folder.is_dir():
        raise FolderError("is not a folder of .pts files", folder)
    return _by_image(formats()["300w"].read(folder, scheme, images).faces)


def read_truth_leniently(
    folder: Path, scheme: Scheme, images: Sequence[str]
) -> tuple[dict[str, list[LabelledFace]], dict[str, LabelFileError]]:
    """As :func:`read_truth`; a malformed file costs only itself and is reported by its stem."""
    from scaf_gui.io.formats import formats

    try:
        return read_truth(folder, scheme, images), {}
    except LabelFileError:
        pass  # one of them is malformed: read them one by one, which is slower
    faces: list[LabelledFace] = []
    broken: dict[str, LabelFileError] = {}
    for path in sorted(folder.rglob("*.pts")):
        try:
            faces.extend(formats()["300w"].read(path, scheme, images).faces)
        except LabelFileError as error:
            broken[path.stem] = error
    return _by_image(faces), broken


def _by_image(faces: Iterable[LabelledFace]) -> dict[str, list[LabelledFace]]:
    found: dict[str, list[LabelledFace]] = defaultdict(list)
    for face in sorted(faces, key=lambda face: face.face_index):
        found[face.image].append(face)
    return found


def known_points(label: LabelledFace) -> FloatArray:
    """Points (num_landmarks, 2), NaN where missing."""
    return np.where((label.flags == Flag.MISSING)[:, None], np.nan, label.points)


def label_box(label: LabelledFace, scheme: Scheme) -> Box:
    return landmark_box(known_points(label), scheme.face_box)


def as_box(square: Square) -> Box:
    half = square.side / 2
    return Box(square.cx - half, square.cy - half, square.side, square.side)


def agreement(box: Box, label: LabelledFace, scheme: Scheme) -> float:
    """Overlap of the canonical face boxes of a box of any source and of a label, 0 to 1."""
    return overlap(as_box(face_square(box)), as_box(face_square(label_box(label, scheme))))


def match(
    labels: Iterable[LabelledFace], faces: Iterable[Face], scheme: Scheme
) -> list[tuple[LabelledFace, Face | None]]:
    """Each label with the face it is of, ``None`` where the project has no such face.

    Within an image, by overlap, best first; what is left over goes to faces without a box in order. A
    single label belongs to the single face of its image, wherever a detector has put the box.
    """
    by_image: dict[str, list[Face]] = defaultdict(list)
    for face in faces:
        by_image[face.image].append(face)
    of_image: dict[str, list[LabelledFace]] = defaultdict(list)
    for label in labels:
        of_image[label.image].append(label)
    return [pair for image, there in of_image.items() for pair in _match_image(there, by_image[image], scheme)]


def _match_image(
    labels: list[LabelledFace], faces: list[Face], scheme: Scheme
) -> list[tuple[LabelledFace, Face | None]]:
    if len(labels) == len(faces) == 1:
        return [(labels[0], faces[0])]
    found: dict[int, Face] = {}
    candidates = sorted(
        (
            (agreement(face.box, label, scheme), place, number)
            for place, label in enumerate(labels)
            for number, face in enumerate(faces)
            if face.box is not None
        ),
        key=lambda candidate: (-candidate[0], *candidate[1:]),
    )
    taken: set[int] = set()
    for score, place, number in candidates:
        if score >= SAME_FACE and place not in found and number not in taken:
            found[place] = faces[number]
            taken.add(number)
    bare = iter([face for face in faces if face.box is None])
    return [(label, found.get(place) or next(bare, None)) for place, label in enumerate(labels)]
