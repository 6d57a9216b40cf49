"""What every label format has in common: the face it is given, the reports it gives back, the registry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Protocol, TypeVar

import numpy as np

from scaf_gui.core.arrays import ByteArray, FloatArray, frozen
from scaf_gui.core.face import Box, Flag
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import LabelFileError

Attributes = tuple[bool, bool, bool, bool, bool, bool]


@dataclass(frozen=True, eq=False)
class LabelledFace:
    """One face as it goes into a label file or comes out of one.

    ``image``: relative path with forward slashes. ``points`` (num_landmarks, 2) float64, (x, y), image
    pixels, 0-based, pixel-centre convention; NaN where missing. ``flags`` (num_landmarks,) uint8 of
    :class:`Flag`. ``attributes``: WFLW's six, in the order of ``core.face.ATTRIBUTES``; ``None`` where the
    file does not speak of them.
    ``face_index``: 1-based among the faces of the image.
    """

    image: str
    points: FloatArray
    flags: ByteArray
    box: Box | None = None
    attributes: Attributes | None = None
    face_index: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", frozen(self.points))
        object.__setattr__(self, "flags", frozen(self.flags, np.uint8))

    @property
    def stem(self) -> str:
        """The image's relative path without its suffix."""
        return stem_of(self.image)

    @property
    def missing(self) -> tuple[int, ...]:
        """Landmarks without coordinates."""
        known = np.isfinite(self.points).all(axis=1) & (self.flags != Flag.MISSING)
        return tuple(int(i) for i in np.flatnonzero(~known))


@dataclass(frozen=True)
class ExportReport:
    """What was written, and what was not.

    ``left_out``: (image, reason). ``renamed``: name in the export to image, for names that had to change;
    they stand in the file ``names.json`` of the export, which an import looks at first.
    """

    written: int
    files: tuple[Path, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ImportReport:
    """The faces of a label file or folder; ``unmatched``: (file or file and line, reason)."""

    faces: tuple[LabelledFace, ...]
    unmatched: tuple[tuple[str, str], ...] = ()


class FaceFormat(Protocol):
    """A label format. ``schemes``: ids of the landmark schemes it can hold, () for any."""

    id: str
    title: str
    schemes: tuple[str, ...]

    def write(
        self, out: Path, faces: Iterable[LabelledFace], scheme: Scheme, *, overwrite: bool = False
    ) -> ExportReport:
        """Write faces into a folder: all of it appears at once, or nothing does.

        A non-empty folder is refused, unless ``overwrite``: then files of the same names are replaced.
        Faces with a missing landmark are left out and listed where the format cannot say "missing".

        :raises LabelFileError: the folder cannot be written, or the format cannot hold the scheme
        """
        ...

    def read(self, source: Path, scheme: Scheme, images: Sequence[str]) -> ImportReport:
        """Read a label file, or all in a folder, and find the image of each face among ``images``.

        :raises LabelFileError: a file is malformed (names file and line), or there is none
        """
        ...


_FORMATS: dict[str, FaceFormat] = {}
_Format = TypeVar("_Format", bound=type[FaceFormat])


def register(kind: _Format) -> _Format:
    """Class decorator: offer a format under its ``id``."""
    if kind.id in _FORMATS:
        raise ValueError(f"two label formats of the id '{kind.id}'")
    _FORMATS[kind.id] = kind()
    return kind


def formats() -> dict[str, FaceFormat]:
    """Every label format there is, by id."""
    return dict(_FORMATS)


def convert_faces(faces: Iterable[LabelledFace], source: Scheme, target: Scheme) -> tuple[LabelledFace, ...]:
    """Faces of one landmark scheme as faces of another.

    A landmark made from several is missing where one of them is, and occluded where one of them is.

    :raises LabelFileError: there is no way from the one scheme to the other
    """
    matrix = target.matrix_from(source)
    if matrix is None:
        raise LabelFileError(f"landmarks of scheme {source.id} cannot be converted to {target.id}")
    uses = matrix != 0.0

    def converted(face: LabelledFace) -> LabelledFace:
        gone = np.zeros(source.num_landmarks, np.bool_)
        gone[list(face.missing)] = True
        points = matrix @ np.where(gone[:, None], 0.0, face.points)
        flags = np.where((uses & (face.flags == Flag.OCCLUDED)).any(axis=1), Flag.OCCLUDED, Flag.VISIBLE)
        missing = (uses & gone).any(axis=1)
        points[missing] = np.nan
        return replace(face, points=points, flags=np.where(missing, Flag.MISSING, flags).astype(np.uint8))

    return tuple(converted(face) for face in faces)


def stem_of(image: str) -> str:
    """A relative path without its suffix: "a/b.jpg" is "a/b"."""
    return str(PurePosixPath(image).with_suffix(""))


def why_left_out(face: LabelledFace, scheme: Scheme) -> str | None:
    """Why a face cannot go into a format that knows no missing landmarks; ``None`` where it can."""
    if len(face.points) != scheme.num_landmarks:
        return f"it has {len(face.points)} landmarks, {scheme.id} has {scheme.num_landmarks}"
    missing = face.missing
    if not missing:
        return None
    shown = ", ".join(scheme.names[i] for i in missing[:3]) + (" ..." if len(missing) > 3 else "")
    return f"{len(missing)} of its landmarks {'is' if len(missing) == 1 else 'are'} missing ({shown})"
