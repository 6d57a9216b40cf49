"""Labels out to files: which faces, in which landmarks, divided into which sets, with which images."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scaf_gui.core.face import Face, Flag, Prediction, State
from scaf_gui.core.geometry import crop_square
from scaf_gui.core.scheme import Scheme, load_scheme
from scaf_gui.errors import ImageError, UsageError
from scaf_gui.session.export_images import Crop, ExportImages, crop_table
from scaf_gui.session.export_readme import readme
from scaf_gui.session.importing import ImportSummary, format_named, import_labels
from scaf_gui.session.project import schemes
from scaf_gui.session.splits import divide, parse_shares
from scaf_gui.session.steps import result_of
from scaf_gui.session.truth import label_box

if TYPE_CHECKING:
    from scaf_gui.io.formats import ExportReport, FaceFormat, LabelledFace
    from scaf_gui.session.session import Session

__all__ = ["ExportOptions", "ExportSummary", "ImportSummary", "export_labels", "export_scheme", "import_labels"]

#: schemes that readers of a format expect, though its files can hold any number of landmarks
EXPECTED = {"300w": ("300w-68",)}
#: which faces go out -> what that means to a person
INCLUDE = {
    "reviewed": "Reviewed faces: accepted or imported",
    "labelled": "Labelled faces: also those that are only started",
    "all": "All faces: predictions too, marked as such",
}
#: what becomes of the images -> what that means to a person
IMAGES = {
    "none": "Labels only",
    "copy": "Copied, turned upright",
    "link": "Linked to",
    "crop": "Cut out around each face",
}
#: no crop is larger than this many pixels
_LARGEST_CROP = 16_384
_BATCH = 100


@dataclass(frozen=True)
class ExportOptions:
    """What to export and how; ``split`` as :func:`parse_shares` takes it. See ``INCLUDE`` and ``IMAGES``."""

    format_id: str
    include: str = "reviewed"
    scheme_id: str | None = None
    variant: str = ""
    images: str = "none"
    split: str = ""
    split_by: str = "image"
    seed: int = 0
    overwrite: bool = False


@dataclass(frozen=True)
class ExportSummary:
    """What an export wrote; ``predicted``: how many of the faces are predictions, not labels."""

    report: ExportReport
    scheme: str
    labelled: int
    predicted: int
    splits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Chosen:
    """A face that goes out; ``number`` is its place among those of its image."""

    face: Face
    prediction: Prediction | None
    number: int
    crop: Crop | None = None
    name: str = ""


def export_scheme(session_scheme: Scheme, format_: FaceFormat, wanted: str | None = None) -> Scheme:
    """The scheme to write: the one asked for; else the project's, or the one that readers of the format expect.

    A project whose landmarks *contain* those a format is named for is written in those: 98 points hold the
    68 of 300-W. Where they would have to be interpolated, the project's own landmarks are written.

    :raises UsageError: the project's landmarks do not lead there
    """
    if wanted is not None:
        if wanted == session_scheme.id:
            return session_scheme
        if wanted not in schemes():
            raise UsageError(f"there is no landmark scheme '{wanted}'; use one of {', '.join(schemes())}")
        target = load_scheme(schemes()[wanted])
        if target.matrix_from(session_scheme) is None:
            raise UsageError(f"landmarks of {session_scheme.id} do not lead to those of {wanted}")
        return target
    if session_scheme.id in format_.schemes:
        return session_scheme
    for other in format_.schemes or EXPECTED.get(format_.id, ()):
        target = load_scheme(schemes()[other])
        matrix = target.matrix_from(session_scheme)
        if matrix is not None and set(matrix.flat) == {0.0, 1.0}:
            return target
    if not format_.schemes:
        return session_scheme
    raise UsageError(
        f"{format_.title}: holds {', '.join(format_.schemes)} only, which {session_scheme.id} does not contain; "
        f"name it (--scheme {format_.schemes[0]}) to write landmarks that are interpolated"
    )


def export_labels(
    session: Session,
    format_id: str,
    out: Path,
    *,
    include: str = "reviewed",
    scheme_id: str | None = None,
    overwrite: bool = False,
    variant: str = "",
    images: str = "none",
    split: str = "",
    split_by: str = "image",
    seed: int = 0,
) -> ExportSummary:
    """Write labels at once; see :func:`export_steps`."""
    options = ExportOptions(format_id, include, scheme_id, variant, images, split, split_by, seed, overwrite)
    return result_of(export_steps(session, out, options))


def export_steps(
    session: Session, out: Path, options: ExportOptions
) -> Generator[tuple[int, int], None, ExportSummary]:
    """Check the wishes and take what is to be written from the project, then hand back a generator that writes it.

    The generator yields (done, of) and returns what was written. It looks at nothing that can change, so any thread
    may run it; closing it before its end leaves nothing behind.

    :raises UsageError, SchemeError: the wishes do not fit; the generator raises LabelFileError, ImageError, FolderError
    """
    for value, choices in ((options.include, INCLUDE), (options.images, IMAGES)):
        if value not in choices:
            raise UsageError(f"'{value}' is none of {', '.join(choices)}")
    format_ = format_named(options.format_id)
    if options.variant and options.variant not in format_.variants:
        known = ", ".join(format_.variants) or "none"
        raise UsageError(f"{format_.title} has no variant '{options.variant}'; it has {known}")
    target = export_scheme(session.scheme, format_, options.scheme_id)
    chosen = _choose(session, options.include)
    sets = divide([one.face.image for one in chosen], parse_shares(options.split), options.split_by, options.seed)
    photos = frozenset(face.image.casefold() for face in session.document)
    job = _Job(
        session.scheme, target, format_, options, session.folder, photos, chosen, sets,
        tuple(parse_shares(options.split)),
    )  # fmt: skip
    note = readme(session, format_, target, options)
    return job.run(out, note)


def _choose(session: Session, include: str) -> list[_Chosen]:
    """The faces that go out, image by image."""
    of_image: dict[str, list[_Chosen]] = {}
    seen: dict[str, int] = defaultdict(int)
    for face in session.document:
        seen[face.image] += 1
        prediction = None
        if face.label is None or (face.state is not State.LABELLED and include == "reviewed"):
            prediction = session.document.shown(face.id)
            if include != "all" or face.state is State.SKIPPED or face.label is not None or prediction is None:
                continue
        of_image.setdefault(face.image, []).append(_Chosen(face, prediction, seen[face.image]))
    return [one for there in of_image.values() for one in there]


@dataclass(frozen=True)
class _Faces:
    """The faces of one set as the format wants them; made anew each time they are gone through."""

    job: _Job
    chosen: Sequence[_Chosen]

    def __iter__(self) -> Iterator[LabelledFace]:
        from scaf_gui.io.formats import converted

        faces = map(self.job.labelled, self.chosen)
        scheme, target = self.job.scheme, self.job.target
        return faces if scheme.id == target.id else converted(faces, scheme, target)


@dataclass(frozen=True)
class _Job:
    """An export with all that it needs, apart from the project."""

    scheme: Scheme
    target: Scheme
    format_: FaceFormat
    options: ExportOptions
    images: Path
    photos: frozenset[str]  # names of all images of the project, without regard to case
    chosen: list[_Chosen]
    sets: Mapping[str, str]
    splits: tuple[str, ...]
    _sizes: dict[str, tuple[int, int] | None] = field(default_factory=dict)

    def run(self, out: Path, note: str) -> Generator[tuple[int, int], None, ExportSummary]:
        from scaf_gui.io.formats.folder import ExportFolder

        chosen = self.chosen
        crops: dict[str, Crop] = {}
        total, done = len(chosen), 0
        place = None if self.options.images == "none" else ExportImages(self.images, self.options.images, crops)
        counts: dict[str, int] = {}
        with ExportFolder(out, self.options.overwrite, place, self._is_photo) as folder:
            if self.options.images == "crop":
                chosen = self._cropped(folder.leave_out)
                crops |= {one.name: one.crop for one in chosen if one.crop is not None}
            for split in self.splits:
                faces = _Faces(self, [one for one in chosen if self.sets[one.face.image] == split])
                before = folder.written
                for _ in self.format_.save(folder, faces, self.target, split, self.options.variant):
                    done += 1
                    if done % _BATCH == 0 or place is not None:
                        yield done, total
                counts[split] = folder.written - before
            if crops:
                folder.write("crops.csv", crop_table(crops))
            states = Counter(str(self.labelled(one).state) for one in chosen)
            folder.note("README.md", note + _figures(folder.report(), states, counts))
        predicted = states["predicted"]
        named = {split: count for split, count in counts.items() if split}
        return ExportSummary(folder.report(), self.target.id, len(chosen) - predicted, predicted, named)

    def labelled(self, one: _Chosen) -> LabelledFace:
        """A face as formats take it, in the landmarks of the project; moved with its crop."""
        from scaf_gui.io.formats import FaceState, LabelledFace

        face = one.face
        if face.label is not None:
            points, flags = face.label.points, face.label.flags
            state = FaceState.REVIEWED if face.state is State.LABELLED else FaceState.STARTED
        else:
            assert one.prediction is not None
            points, state = one.prediction.points, FaceState.PREDICTED
            flags = np.full(len(points), Flag.VISIBLE, np.uint8)
        made = LabelledFace(face.image, points, flags, face.box, face.attributes, one.number, state)
        if one.crop is None:
            return replace(made, image_size=self._size(face.image)) if self.format_.needs_size else made
        x, y, side = one.crop.x, one.crop.y, one.crop.side
        box = made.box and replace(made.box, x=made.box.x - x, y=made.box.y - y)
        return replace(made, image=one.name, points=points - [x, y], box=box, face_index=1, image_size=(side, side))

    def _is_photo(self, path: Path) -> bool:
        """Whether a file is an image of the project, by its place: a link to one, elsewhere, may be replaced."""
        place = path.parent.resolve() / path.name
        folder = self.images.resolve()
        return place.is_relative_to(folder) and place.relative_to(folder).as_posix().casefold() in self.photos

    def _size(self, image: str) -> tuple[int, int] | None:
        """Of the upright image; ``None`` where it cannot be read: a label counts without its image too."""
        from scaf_gui.io.images import image_size

        if image not in self._sizes:
            self._sizes.clear()  # faces of an image follow each other
            try:
                self._sizes[image] = image_size(self.images / image)
            except ImageError:
                self._sizes[image] = None
        return self._sizes[image]

    def _cropped(self, leave_out: Callable[[str, str], None]) -> list[_Chosen]:
        """The same faces, each with its square in whole pixels, so that landmarks are moved but not resampled."""
        made, taken = [], set[str]()
        for one in self.chosen:
            face = self.labelled(one)
            try:
                square = crop_square(one.face.box or label_box(face, self.scheme))
            except ValueError:
                continue
            side = int(np.ceil(square.side))
            if side > _LARGEST_CROP:
                leave_out(face.image, f"its crop would be {side} pixels wide")
                continue
            x, y = round(square.cx - (side - 1) / 2), round(square.cy - (side - 1) / 2)
            # named so that they are never taken for the images of the project
            name = f"{face.stem}_face{one.number}.png"
            while name.casefold() in taken:
                name = f"{name.removesuffix('.png')}-{face.image.rpartition('.')[2]}.png"
            taken.add(name.casefold())
            made.append(replace(one, crop=Crop(one.face.image, x, y, side), name=name))
        return made


def _figures(report: ExportReport, states: Mapping[str, int], splits: Mapping[str, int]) -> str:
    """The part of the README that is known only at the end."""
    lines = ["", "## Counts", "", f"- {report.written:,} faces written, {len(report.left_out):,} left out"]
    lines += [f"- {count:,} {state}" for state, count in states.items()]
    lines += [f"- {split}: {count:,} face{'s' * (count != 1)}" for split, count in splits.items() if split]
    lines += [f"- {report.images:,} images"] if report.images else []
    if report.left_out:
        lines += ["", "## Left out", ""]
        lines += [f"- {image}: {reason}" for image, reason in report.left_out[:1000]]
        more = len(report.left_out) - 1000
        lines += [f"- and {more:,} more"] if more > 0 else []
    return "\n".join([*lines, ""])
