"""Labels in from files, labels out to files. Importing is one edit, which can be undone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scaf_gui.core.edits import Change, Edit
from scaf_gui.core.face import Author, BoxSource, Face, Flag, Label, State
from scaf_gui.core.scheme import Scheme, load_scheme
from scaf_gui.errors import UsageError
from scaf_gui.session.project import schemes
from scaf_gui.session.truth import SAME_FACE, agreement, label_box, match

if TYPE_CHECKING:
    from scaf_gui.io.formats import ExportReport, FaceFormat, LabelledFace
    from scaf_gui.session.session import Session

#: schemes that readers of a format expect, though its files can hold any number of landmarks
EXPECTED = {"300w": ("300w-68",)}
INCLUDE = ("labelled", "all")


@dataclass(frozen=True)
class ImportSummary:
    """What an import did. ``conflicts``: images whose face has another label of a person's.

    ``kept``: conflicts in which that label stayed; ``unmatched``: (file or line, reason).
    """

    imported: int
    unchanged: int
    added_faces: int
    conflicts: tuple[str, ...]
    replaced: int
    unmatched: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ExportSummary:
    """What an export wrote; ``predicted``: how many of the faces are predictions, not labels."""

    report: ExportReport
    scheme: str
    labelled: int
    predicted: int


def format_named(format_id: str) -> FaceFormat:
    """:raises UsageError: there is no such format"""
    from scaf_gui.io.formats import formats

    known = formats()
    if format_id not in known:
        raise UsageError(f"there is no label format '{format_id}'; use one of {', '.join(known)}")
    return known[format_id]


def import_labels(
    session: Session,
    format_id: str,
    source: Path,
    *,
    replace_labels: bool = False,
    preview: bool = False,
    by: object = None,
) -> ImportSummary:
    """Take labels from files into the project, as one edit.

    A face that has another label of a person's keeps it, unless ``replace_labels`` is given; both are
    reported as conflicts. Labels of faces the project does not know yet in its images become new faces.

    :param preview: only say what would be done
    :raises LabelFileError: a file is malformed, or has another number of points than the scheme;
        nothing is imported then
    """
    images = tuple(dict.fromkeys(face.image for face in session.document))
    report = format_named(format_id).read(source, session.scheme, images)
    changes: list[Change] = []
    conflicts: list[str] = []
    unchanged = added = replaced = 0
    next_id = session.document.next_id()
    for label, face in match(report.faces, session.document, session.scheme):
        if face is None:
            changes.append(Change(None, _labelled(Face(next_id, label.image), label, session)))
            next_id, added = next_id + 1, added + 1
            continue
        if _same(face, label):
            unchanged += 1
            continue
        if face.label is not None:
            conflicts.append(face.image)
            if not replace_labels:
                continue
            replaced += 1
        changes.append(Change(face, _labelled(face, label, session)))
    if changes and not preview:
        session.edit(Edit(f"Import {len(changes)} labels", tuple(changes)), by)
    unmatched = tuple((str(where), reason) for where, reason in report.unmatched)
    return ImportSummary(len(changes), unchanged, added, tuple(conflicts), replaced, unmatched)


def _same(face: Face, label: LabelledFace) -> bool:
    """Whether a face has this very label already (to what files can hold: six decimals)."""
    return (
        face.label is not None
        and face.state is State.LABELLED
        and np.array_equal(face.label.flags == Flag.MISSING, label.flags == Flag.MISSING)
        and np.allclose(face.label.points, label.points, rtol=0, atol=1e-5, equal_nan=True)
    )


def _labelled(face: Face, label: LabelledFace, session: Session) -> Face:
    """The face with the imported label; its box is replaced where it is no person's and misses the face."""
    box = face.box
    if box is None or (box.source is not BoxSource.DRAWN and agreement(box, label, session.scheme) < SAME_FACE):
        box = replace(label.box, source=BoxSource.FILE) if label.box else label_box(label, session.scheme)
    given = Label.from_points(label.points, Author.now(session.user), label.flags)
    attributes = face.attributes if label.attributes is None else label.attributes
    return replace(face, box=box, label=given, attributes=attributes, state=State.LABELLED)


def export_scheme(session_scheme: Scheme, format_: FaceFormat, wanted: str | None = None) -> Scheme:
    """The scheme to write: the one asked for; else the project's, or the one that readers of the format expect.

    A project whose landmarks *contain* those a format is named for is written in those: 98 points hold the
    68 of 300-W. Where they would have to be interpolated, the project's own landmarks are written.

    :raises UsageError: the project's landmarks do not lead there
    """
    if wanted is not None:
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
    include: str = "labelled",
    scheme_id: str | None = None,
    overwrite: bool = False,
) -> ExportSummary:
    """Write labels; with ``include="all"`` also started labels and, for faces without any, predictions.

    :raises LabelFileError, FolderError: it cannot be written there
    """
    from scaf_gui.io.formats import convert_faces

    if include not in INCLUDE:
        raise UsageError(f"'{include}' is none of {', '.join(INCLUDE)}")
    format_ = format_named(format_id)
    target = export_scheme(session.scheme, format_, scheme_id)
    faces, predicted = _to_export(session, include)
    if target.id != session.scheme.id:
        faces = list(convert_faces(faces, session.scheme, target))
    report = format_.write(out, faces, target, overwrite=overwrite)
    return ExportSummary(report, target.id, len(faces) - predicted, predicted)


def _to_export(session: Session, include: str) -> tuple[list[LabelledFace], int]:
    from scaf_gui.io.formats import LabelledFace

    places = _places(session)
    faces: list[LabelledFace] = []
    predicted = 0
    for face in session.document:
        prediction = session.document.prediction(face.id)
        if face.label is not None and (face.state is State.LABELLED or include == "all"):
            points, flags = face.label.points, face.label.flags
        elif include == "all" and face.state is not State.SKIPPED and prediction is not None:
            points = prediction.points
            flags = np.full(len(points), Flag.VISIBLE, np.uint8)
            predicted += 1
        else:
            continue
        box = face.box if face.box is not None and face.box.source is BoxSource.FILE else None
        faces.append(LabelledFace(face.image, points, flags, box, face.attributes, places[face.id]))
    return faces, predicted


def _places(session: Session) -> Mapping[int, int]:
    """1-based number of each face among those of its image."""
    seen: dict[str, int] = defaultdict(int)
    places = {}
    for face in session.document:
        seen[face.image] += 1
        places[face.id] = seen[face.image]
    return places
