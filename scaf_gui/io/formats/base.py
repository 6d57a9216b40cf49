"""What every label format has in common: the face it is given, what it can hold, the reports, the registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, ClassVar, TypeVar

import numpy as np

from scaf_gui.core.arrays import ByteArray, FloatArray, frozen
from scaf_gui.core.face import Attributes, Box, BoxSource, Flag
from scaf_gui.core.geometry import tight_box
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats.problems import STRICT, Problems

if TYPE_CHECKING:
    from scaf_gui.io.formats.folder import ExportFolder

#: boxes that lie around the face itself, as other programs expect them; a detector's are shaped otherwise
PLAIN_BOXES = (BoxSource.FILE, BoxSource.DRAWN, BoxSource.LANDMARKS)


class FaceState(StrEnum):
    """Who stands for the landmarks of a face in a label file."""

    REVIEWED = "reviewed"  # a person, for all of them
    STARTED = "started"  # a person, for some of them
    PREDICTED = "predicted"  # nobody: a model wrote them


@dataclass(frozen=True, eq=False)
class LabelledFace:
    """One face as it goes into a label file or comes out of one.

    ``image``: relative path with forward slashes. ``points`` (num_landmarks, 2) float64, (x, y), image
    pixels, 0-based, pixel-centre convention; NaN where missing. ``flags`` (num_landmarks,) uint8 of
    :class:`Flag`. ``attributes``: WFLW's six, in the order of ``core.face.ATTRIBUTES``; ``None`` where the
    file does not speak of them.
    ``face_index``: 1-based among the faces of the image. ``image_size``: (width, height) of the upright image,
    ``None`` where it is not known. ``where``: the file, and the line or the place in it, that it was read from.
    ``named``: the name by which the file means the image, which was found by the end of it; "" where that is all there
    is to say.
    """

    image: str
    points: FloatArray
    flags: ByteArray
    box: Box | None = None
    attributes: Attributes | None = None
    face_index: int = 1
    state: FaceState = FaceState.REVIEWED
    image_size: tuple[int, int] | None = None
    where: str = ""
    named: str = ""

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

    @property
    def plain_box(self) -> Box | None:
        """The box where it lies around the face itself; ``None`` where it is a detector's, or there is none."""
        return self.box if self.box is not None and self.box.source in PLAIN_BOXES else None

    def box_or_tight(self) -> tuple[float, float, float, float]:
        """(x, y, width, height) of :attr:`plain_box`, else of the known landmarks."""
        box = self.plain_box
        if box is not None:
            return box.x, box.y, box.width, box.height
        return tight_box(np.where((self.flags == Flag.MISSING)[:, None], np.nan, self.points))


@dataclass(frozen=True)
class Unmatched:
    """An entry of a label file that cannot be used: ``where`` (file, or file and line) and why."""

    where: str
    reason: str


@dataclass(frozen=True)
class ExportReport:
    """What was written, and what was not.

    ``left_out``: (image, reason). ``renamed``: name in the export to image, for names that had to change;
    they stand in the file ``names.json`` of the export, which an import looks at first. ``files``: the label
    files and what goes with them, without images. ``images``: how many of those were written. ``kept``: the folder with
    files as they were before they were replaced, ``None`` where none was.
    """

    written: int
    files: tuple[Path, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    images: int = 0
    kept: Path | None = None


@dataclass(frozen=True)
class ImportReport:
    """The faces of a label file or folder; ``unmatched``: (file or file and line, reason)."""

    faces: tuple[LabelledFace, ...]
    unmatched: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Holds:
    """What a format can say of a face, for documents, dialogs and tests; each text goes into a table.

    ``base``: where coordinates count from, and how precisely they are kept. ``box``: "" where it keeps none.
    ``exact``: points come back to 1e-6 pixels. ``state``: whether it marks predictions in the labels themselves
    (else ``states.json`` beside them does).
    """

    written_as: str
    base: str
    box: str = ""
    exact: bool = True
    occluded: bool = False
    missing: bool = False
    attributes: bool = False
    state: bool = False


class FaceFormat(ABC):
    """A label format. ``schemes``: ids of the landmark schemes it can hold, () for any.

    ``variants``: ways to write it, id to title; the first is taken unless another is asked for. ``image_folder``:
    where exported images go, relative to the export; "" is beside the labels. ``needs_size``: whether it writes
    the size of images.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    holds: ClassVar[Holds]
    schemes: ClassVar[tuple[str, ...]] = ()
    variants: ClassVar[Mapping[str, str]] = {}
    image_folder: ClassVar[str] = "images"
    needs_size: ClassVar[bool] = False
    #: names of files that are wanted, for the file dialog
    patterns: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def save(
        self, folder: ExportFolder, faces: Iterable[LabelledFace], scheme: Scheme, split: str = "", variant: str = ""
    ) -> Iterator[None]:
        """Write faces into an export that is being made, one split of it; yields after each face.

        :param faces: may be gone through more than once; the faces of an image follow each other
        :param split: "train", "val", "test", or "" where the export is not divided
        :raises LabelFileError: the format cannot hold the scheme
        """

    @abstractmethod
    def scan(
        self, source: Path, scheme: Scheme, images: Sequence[str], problems: Problems = STRICT
    ) -> Iterator[LabelledFace | Unmatched]:
        """Go through a label file, or all in a folder, one face at a time; memory does not grow with their number.

        :param images: the names among which the image of each face is looked for
        :param problems: takes in what is malformed, and reading goes on behind it, by the smallest part that the format
            allows: a face, a line, a file. By default the first malformed part ends it.
        :raises LabelFileError: there is no label file, what goes with them is broken, or one is malformed (names file,
            and line or place)
        """

    def write(
        self,
        out: Path,
        faces: Iterable[LabelledFace],
        scheme: Scheme,
        *,
        overwrite: bool = False,
        variant: str = "",
    ) -> ExportReport:
        """Write faces into a folder: all of it appears at once, or nothing does.

        A non-empty folder is refused, unless ``overwrite``: then files of the same names are replaced.
        Faces with a missing landmark are left out and listed where the format cannot say "missing".

        :raises LabelFileError: the folder cannot be written, or the format cannot hold the scheme
        """
        from scaf_gui.io.formats.folder import ExportFolder

        with ExportFolder(out, overwrite) as folder:
            for _ in self.save(folder, faces, scheme, "", variant):
                pass
        return folder.report()

    def read(self, source: Path, scheme: Scheme, images: Sequence[str]) -> ImportReport:
        """All that :meth:`scan` finds, at once."""
        faces: list[LabelledFace] = []
        unmatched: list[tuple[str, str]] = []
        for found in self.scan(source, scheme, images):
            if isinstance(found, LabelledFace):
                faces.append(found)
            else:
                unmatched.append((found.where, found.reason))
        return ImportReport(tuple(faces), tuple(unmatched))

    def why_not(self, face: LabelledFace, scheme: Scheme) -> str | None:
        """Why this format cannot hold a face; ``None`` where it can."""
        if len(face.points) != scheme.num_landmarks:
            return f"it has {len(face.points)} landmarks, {scheme.id} has {scheme.num_landmarks}"
        missing = face.missing
        if len(missing) == len(face.points):
            return "none of its landmarks is known" if self.holds.missing else _told(missing, scheme)
        return None if self.holds.missing else _told(missing, scheme)


def _told(missing: tuple[int, ...], scheme: Scheme) -> str | None:
    if not missing:
        return None
    shown = ", ".join(scheme.names[i] for i in missing[:3]) + (" ..." if len(missing) > 3 else "")
    return f"{len(missing)} of its landmarks {'is' if len(missing) == 1 else 'are'} missing ({shown})"


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


def table() -> str:
    """What each format holds, as the table of docs/formats.md."""

    def yes(held: bool) -> str:
        return "yes" if held else "no"

    rows = [
        "| format | id | written as | coordinates | occluded | missing | box | attributes | predictions marked |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for format_ in formats().values():
        holds = format_.holds
        cells = [
            format_.title,
            f"`{format_.id}`",
            holds.written_as,
            holds.base,
            yes(holds.occluded),
            yes(holds.missing) if holds.missing else "face left out",
            holds.box or "no",
            yes(holds.attributes),
            "yes" if holds.state else "`states.json`",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def convert_faces(faces: Iterable[LabelledFace], source: Scheme, target: Scheme) -> tuple[LabelledFace, ...]:
    """Faces of one landmark scheme as faces of another.

    A landmark made from several is missing where one of them is, and occluded where one of them is.

    :raises LabelFileError: there is no way from the one scheme to the other
    """
    return tuple(converted(faces, source, target))


def converted(faces: Iterable[LabelledFace], source: Scheme, target: Scheme) -> Iterator[LabelledFace]:
    """:func:`convert_faces`, one at a time."""
    matrix = target.matrix_from(source)
    if matrix is None:
        raise LabelFileError(f"landmarks of scheme {source.id} cannot be converted to {target.id}")
    uses = matrix != 0.0
    for face in faces:
        gone = np.zeros(source.num_landmarks, np.bool_)
        gone[list(face.missing)] = True
        points = matrix @ np.where(gone[:, None], 0.0, face.points)
        flags = np.where((uses & (face.flags == Flag.OCCLUDED)).any(axis=1), Flag.OCCLUDED, Flag.VISIBLE)
        missing = (uses & gone).any(axis=1)
        points[missing] = np.nan
        yield replace(face, points=points, flags=np.where(missing, Flag.MISSING, flags).astype(np.uint8))


def stem_of(image: str) -> str:
    """A relative path without its suffix: "a/b.jpg" is "a/b"."""
    return str(PurePosixPath(image).with_suffix(""))
