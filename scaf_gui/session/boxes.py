"""Face boxes: found in the background, taken in on the main thread, never over a person's own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from time import monotonic

from scaf_gui.core.document import Document
from scaf_gui.core.edits import Change, Edit
from scaf_gui.core.face import Box, BoxSource, Face
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import FolderError, InputError, LabelFileError, UsageError
from scaf_gui.session.events import BoxBatch, BoxesFound, BoxJob
from scaf_gui.session.worklist import Worklist

#: boxes that overlap by more than this (intersection over union) are of the same face
SAME_FACE = 0.4
#: a batch is handed over after so many seconds, or as soon as a wanted face is in it
BATCH_SECONDS = 0.3
BOX_SOURCES = ("detector", "yunet:FILE", "whole", "landmarks:DIR", "wflw:FILE", "mat:FILE", "csv:FILE")
#: sources that are files of boxes
FILE_SOURCES = ("wflw", "mat", "csv")

Finder = Callable[[str], tuple[Box, ...]]


def check_source(source: str, detector: str = "mtcnn") -> str:
    """A box source as it is kept in the project.

    :param detector: what ``detector`` stands for: ``mtcnn``, or ``yunet:FILE``
    :raises UsageError, FolderError, InputError: it is none, or its file or folder cannot be used
    """
    if source == "detector" and detector not in ("", "mtcnn"):
        source = detector
        if not detector.startswith("yunet:"):
            raise UsageError(f"'{detector}' is no face detector; use mtcnn, or yunet:FILE with a model of your own")
    kind, _, name = source.partition(":")
    path = Path(name).expanduser().absolute()
    if kind == "landmarks" and name:
        if not path.is_dir():
            raise FolderError("is not a folder; --boxes landmarks:DIR needs the folder of the .pts files", path)
        return f"landmarks:{path}"
    if kind in FILE_SOURCES and name:
        if not path.is_file():
            raise LabelFileError(f"is not a file; --boxes {kind}:FILE needs the file of the boxes", path)
        return f"{kind}:{path}"
    if kind == "yunet" and name:
        from scaf_gui.io.detector import open_detector

        open_detector(f"yunet:{path}")  # now, not when the first photo is searched
        return f"yunet:{path}"
    if source in ("detector", "whole"):
        return source
    raise UsageError(f"'{source}' is no source of boxes; use {', '.join(BOX_SOURCES)}")


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (a.width * a.height + b.width * b.height - both)


def find_boxes(
    jobs: Worklist[BoxJob],
    wanted: Callable[[], Sequence[int]],
    source: str,
    folder: Path,
    scheme: Scheme,
    images: Sequence[str],
) -> Generator[BoxBatch, None, int]:
    """Look for faces in every photo of the worklist; see ``Session.find_boxes``.

    :param images: all images of the project, by which label files find theirs
    """
    if not len(jobs):
        return 0
    if not folder.is_dir():
        raise FolderError("the image folder is gone; say where it is now", folder)
    find = _finder(source, folder, scheme, images)
    done: dict[int, BoxJob] = {}
    batch: list[BoxesFound] = []
    count, started = 0, monotonic()
    while True:
        first = tuple(wanted())
        chosen, left = jobs.pick(first, 1, done)
        count += len(chosen)
        for face_id, job in chosen.items():
            done[face_id] = job
            try:
                batch.append(BoxesFound(face_id, job.image, find(job.image)))
            except InputError as error:
                batch.append(BoxesFound(face_id, job.image, (), problem=str(error)))
        urgent = any(found.face_id in first for found in batch)
        if batch and (urgent or not chosen or monotonic() - started > BATCH_SECONDS):
            yield BoxBatch(tuple(batch), left)
            batch, started = [], monotonic()
        if not chosen:
            return count


def _finder(source: str, folder: Path, scheme: Scheme, images: Sequence[str]) -> Finder:
    from scaf_gui.io.images import image_size, read_image

    if source == "whole":

        def whole(image: str) -> tuple[Box, ...]:
            width, height = image_size(folder / image)
            return (Box(0, 0, width, height, BoxSource.WHOLE),)

        return whole
    kind, _, name = source.partition(":")
    if kind == "landmarks":
        return _from_landmarks(Path(name), scheme, images)
    if kind in FILE_SOURCES:
        return _from_file(kind, Path(name), images)
    from scaf_gui.io.detector import open_detector

    detector = open_detector(source)
    return lambda image: tuple(detector.detect(read_image(folder / image)))


def _from_file(kind: str, path: Path, images: Sequence[str]) -> Finder:
    """Boxes of one file for all images, several faces in the order of the file."""
    from scaf_gui.io.box_files import read_boxes

    boxes = read_boxes(kind, path, images).boxes

    def find(image: str) -> tuple[Box, ...]:
        if image not in boxes:
            raise LabelFileError(f"no box for {image}; draw its box by hand", path)
        return boxes[image]

    return find


def check_boxes(source: str, images: Sequence[str]) -> str:
    """Read a source's file of boxes, if it is one, before anything rests on it; a line about what has no image.

    :raises LabelFileError: it is malformed, or has no box for any of the images
    """
    kind, _, name = source.partition(":")
    if kind not in FILE_SOURCES:
        return ""
    from scaf_gui.io.box_files import read_boxes

    found = read_boxes(kind, Path(name), images)
    if not found.num_unmatched:
        return ""
    many = "1 box is" if found.num_unmatched == 1 else f"{found.num_unmatched:,} boxes are"
    where, reason = found.unmatched[0]
    return f"{many} left out, such as {where}: {reason}"


def _from_landmarks(truth: Path, scheme: Scheme, images: Sequence[str]) -> Finder:
    """Boxes of the ``.pts`` files of each image, several faces in the order of their numbers."""
    from scaf_gui.session.truth import label_box, read_truth_leniently

    labels, broken = read_truth_leniently(truth, scheme, images)

    def find(image: str) -> tuple[Box, ...]:
        boxes = tuple(label_box(label, scheme) for label in labels.get(image, ()))
        if not boxes:
            stem = PurePosixPath(image).stem
            raise broken.get(stem) or LabelFileError(f"no .pts file for {image}; draw its box by hand", truth)
        return boxes

    return find


def place_boxes(document: Document, batch: BoxBatch) -> tuple[Edit | None, tuple[str, ...]]:
    """The edit that takes boxes in, ``None`` if there is nothing to do, and lines for the person.

    A box that overlaps one the photo's faces already have is dropped. The best of the others goes to the
    face that waits for one, further ones become faces of their own. A face with a box, or with
    a label given meanwhile, is not touched.
    """
    faces_of: dict[str, list[Face]] = {found.image: [] for found in batch.found}
    for face in document:
        if face.image in faces_of:
            faces_of[face.image].append(face)
    changes: list[Change] = []
    notes: list[str] = []
    next_id = document.next_id()
    for found in batch.found:
        faces = faces_of[found.image]
        taken = [face.box for face in faces if face.box is not None]
        free = [face for face in faces if face.box is None and face.label is None]
        new = [box for box in found.boxes if all(overlap(box, other) < SAME_FACE for other in taken)]
        changes.extend(Change(face, replace(face, box=box)) for face, box in zip(free, new, strict=False))
        further = new[len(free) :]
        changes.extend(Change(None, Face(next_id + place, found.image, box)) for place, box in enumerate(further))
        next_id += len(further)
        if found.problem:
            notes.append(found.problem)
        elif not found.boxes and free:
            notes.append(f"No face found in {found.image}: draw a box around it")
        elif further:
            notes.append(f"{len(further)} more face{'' if len(further) == 1 else 's'} in {found.image}")
    return (Edit("Find faces", tuple(changes)) if changes else None), tuple(notes)


def boxless(faces: Iterable[Face], searched: Collection[str]) -> dict[int, BoxJob]:
    """Photos to look into: those of faces without a box and a label, unless it was done before."""
    jobs: dict[str, BoxJob] = {}
    for face in faces:
        if face.box is None and face.label is None and face.image not in searched:
            jobs.setdefault(face.image, BoxJob(face.id, face.image))
    return {job.face_id: job for job in jobs.values()}
