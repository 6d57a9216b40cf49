"""Labels in from files: read, planned, then carried out as one edit that can be undone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scaf_gui.core.arrays import ByteArray
from scaf_gui.core.edits import Change, Edit
from scaf_gui.core.face import Author, BoxSource, Face, Flag, Label, State
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import BrokenLabelsError, UsageError
from scaf_gui.session.steps import result_of
from scaf_gui.session.truth import SAME_FACE, agreement, known_points, label_box, match

if TYPE_CHECKING:
    from scaf_gui.io.formats import FaceFormat, LabelledFace
    from scaf_gui.session.session import Session

ON_CONFLICT = ("keep", "replace")
#: labels closer than this, in sides of the face, are of the same face
_ONE_FACE = 0.05
_BATCH = 500


class Kind(StrEnum):
    """What an import does with one entry of the files."""

    BROKEN = "cannot be read"
    CONFLICT = "conflict"  # the project holds another label of a person's
    LEFT_OUT = "left out"
    ADDED = "new face"  # of an image that the project has, but a face it did not know
    NEW = "new label"
    CHANGED = "completed"  # the same landmarks; something is added that the project does not know yet
    SAME = "same"


@dataclass(frozen=True)
class Found:
    """What the files hold: ``faces``, ``unmatched`` (file or file and line, reason), and what cannot be read.

    ``broken``: as ``unmatched``, of the first so many; ``num_broken``: how many there are.
    """

    format_id: str
    faces: tuple[LabelledFace, ...]
    unmatched: tuple[tuple[str, str], ...]
    broken: tuple[tuple[str, str], ...] = ()
    num_broken: int = 0


@dataclass(frozen=True)
class Row:
    """One entry: the image, where in the files it stands, what is done with it, and why."""

    kind: Kind
    image: str
    where: str
    note: str = ""


@dataclass(frozen=True)
class ImportPlan:
    """What an import will do. ``additions``: changes without conflict; ``replacements``: those of conflicts.

    ``num_broken``: entries that cannot be read; the rows name the first of them.
    """

    rows: tuple[Row, ...]
    additions: tuple[Change, ...]
    replacements: tuple[Change, ...]
    num_broken: int = 0

    def count(self, kind: Kind) -> int:
        """How many rows there are of a kind."""
        return sum(row.kind is kind for row in self.rows)

    def changes(self, on_conflict: str) -> tuple[Change, ...]:
        return self.additions + (self.replacements if on_conflict == "replace" else ())


@dataclass(frozen=True)
class ImportSummary:
    """What an import did. ``conflicts``: images whose face has another label of a person's.

    ``imported``: faces changed, of those ``added_faces`` new ones, ``changed`` completed, ``replaced`` conflicts;
    ``unmatched``: (file or line, reason); ``broken``: the same of what could not be read, of the first so many of
    ``num_broken``.
    """

    imported: int
    unchanged: int
    added_faces: int
    changed: int
    conflicts: tuple[str, ...]
    replaced: int
    unmatched: tuple[tuple[str, str], ...]
    broken: tuple[tuple[str, str], ...] = ()
    num_broken: int = 0


def read_labels(format_id: str, source: Path, scheme: Scheme, images: Sequence[str]) -> Generator[int, None, Found]:
    """Read label files; yields how many faces are read so far. Touches no project, so any thread may run it.

    What is malformed, or has another number of points than the scheme, is told of in what is returned.

    :raises LabelFileError: there are no label files, or there is nothing but one problem
    """
    from scaf_gui.io.formats import LabelledFace, Problems

    problems = Problems(source)
    faces: list[LabelledFace] = []
    unmatched: list[tuple[str, str]] = []
    for found in format_named(format_id).scan(source, scheme, images, problems):
        if isinstance(found, LabelledFace):
            faces.append(found)
            if len(faces) % _BATCH == 0:
                yield len(faces)
        else:
            unmatched.append((found.where, found.reason))
    if not faces and not unmatched:
        problems.fold(0)
        if (error := problems.only()) is not None:
            raise error
    return Found(format_id, tuple(faces), tuple(unmatched), tuple(problems.listed), problems.count)


def image_names(session: Session) -> tuple[str, ...]:
    """The images that labels may be of."""
    return tuple(dict.fromkeys(face.image for face in session.document))


def plan_import(session: Session, found: Found) -> ImportPlan:
    """What importing would do to the project as it is now; nothing is changed."""
    from scaf_gui.io.formats import FaceState

    format_ = format_named(found.format_id)
    rows = [Row(Kind.BROKEN, "", where, reason) for where, reason in found.broken]
    rows += [Row(Kind.LEFT_OUT, "", where, reason) for where, reason in found.unmatched]
    labels, claimed = _one_claim_each([f for f in found.faces if f.state is not FaceState.PREDICTED])
    rows += claimed
    rows += [
        Row(Kind.LEFT_OUT, face.image, face.where, "a prediction, which nobody has looked at")
        for face in found.faces
        if face.state is FaceState.PREDICTED
    ]
    additions: list[Change] = []
    replacements: list[Change] = []
    next_id = session.document.next_id()
    for label, face in match(labels, session.document, session.scheme):
        if face is None:
            additions.append(Change(None, _labelled(Face(next_id, label.image), label, format_, session)))
            next_id += 1
            rows.append(Row(Kind.ADDED, label.image, label.where))
            continue
        kind, note = _kind(face, label, format_)
        rows.append(Row(kind, label.image, label.where, note))
        if kind is not Kind.SAME:
            changes = replacements if kind is Kind.CONFLICT else additions
            changes.append(Change(face, _labelled(face, label, format_, session)))
    order = list(Kind)
    rows.sort(key=lambda row: order.index(row.kind))
    return ImportPlan(tuple(rows), tuple(additions), tuple(replacements), found.num_broken)


def carry_out(session: Session, plan: ImportPlan, on_conflict: str = "keep", by: object = None) -> ImportSummary:
    """Do what was planned, as one edit.

    :param on_conflict: "keep" the person's label, or "replace" it
    :raises EditError: the project has changed since; nothing has happened
    """
    if on_conflict not in ON_CONFLICT:
        raise UsageError(f"'{on_conflict}' is none of {', '.join(ON_CONFLICT)}")
    changes = plan.changes(on_conflict)
    if changes:
        session.edit(Edit(f"Import {len(changes)} label{'s' * (len(changes) != 1)}", changes), by)
    return summarise(plan, on_conflict)


def summarise(plan: ImportPlan, on_conflict: str) -> ImportSummary:
    """The figures of a plan."""
    return ImportSummary(
        len(plan.changes(on_conflict)),
        plan.count(Kind.SAME),
        plan.count(Kind.ADDED),
        plan.count(Kind.CHANGED),
        tuple(row.image for row in plan.rows if row.kind is Kind.CONFLICT),
        len(plan.replacements) if on_conflict == "replace" else 0,
        tuple((row.where, row.note) for row in plan.rows if row.kind is Kind.LEFT_OUT),
        tuple((row.where, row.note) for row in plan.rows if row.kind is Kind.BROKEN),
        plan.num_broken,
    )


def import_labels(
    session: Session,
    format_id: str,
    source: Path,
    *,
    on_conflict: str = "keep",
    skip_broken: bool = False,
    dry_run: bool = False,
    by: object = None,
) -> ImportSummary:
    """Take labels from files into the project, as one edit.

    A face that has another label of a person's keeps it, unless told to ``replace`` it; both are reported as
    conflicts. Labels of faces the project does not know yet in its images become new faces.

    :param skip_broken: leave out what cannot be read, and take in the rest
    :param dry_run: only say what would be done
    :raises LabelFileError: a file is malformed, or has another number of points than the scheme; nothing is imported
        then. A :class:`BrokenLabelsError` where that is so of several parts of the files.
    """
    found = result_of(read_labels(format_id, source, session.scheme, image_names(session)))
    if found.num_broken and not skip_broken:
        raise BrokenLabelsError(source, found.broken, found.num_broken)
    plan = plan_import(session, found)
    return summarise(plan, on_conflict) if dry_run else carry_out(session, plan, on_conflict, by)


def format_named(format_id: str) -> FaceFormat:
    """:raises UsageError: there is no such format"""
    from scaf_gui.io.formats import formats

    known = formats()
    if format_id not in known:
        raise UsageError(f"there is no label format '{format_id}'; use one of {', '.join(known)}")
    return known[format_id]


def _one_claim_each(labels: Sequence[LabelledFace]) -> tuple[list[LabelledFace], list[Row]]:
    """Labels without those that claim the same face: one of equal ones stays, of different ones none does."""
    of_image: dict[str, list[LabelledFace]] = defaultdict(list)
    for label in labels:
        of_image[label.image].append(label)
    rows: list[Row] = []
    refused: set[int] = set()
    for there in of_image.values():
        for k, label in enumerate(there):
            for other in there[:k]:
                distance = _distance(label, other)
                if distance > _ONE_FACE or id(label) in refused:
                    continue
                refused.add(id(label))
                if distance == 0:
                    rows.append(Row(Kind.LEFT_OUT, label.image, label.where, f"the same label stands in {other.where}"))
                    continue
                rows.append(Row(Kind.LEFT_OUT, label.image, label.where, f"{other.where} claims the same face"))
                if id(other) not in refused:
                    refused.add(id(other))
                    rows.append(Row(Kind.LEFT_OUT, other.image, other.where, f"{label.where} claims the same face"))
        left = [label for label in there if id(label) not in refused]
        for label, note in _of_other_images(left):
            refused.add(id(label))
            rows.append(Row(Kind.LEFT_OUT, label.image, label.where, note))
    return [label for label in labels if id(label) not in refused], rows


def _of_other_images(there: Sequence[LabelledFace]) -> Iterator[tuple[LabelledFace, str]]:
    """Labels of one image of the project that the files name differently, "train/a.jpg" and "test/a.jpg": at most one
    of those names can mean it. Labels that name it exactly are taken, the others are not; where none does, none is."""
    names = dict.fromkeys(_plain(label.named) for label in there if label.named)
    if len(names) < 2:
        return
    for label in there:
        named = _plain(label.named)
        if named and named != label.image:
            other = next(name for name in names if name != named)
            yield label, f"is of {named} by its name, other labels of this image are of {other}"


def _plain(name: str) -> str:
    return name.replace("\\", "/").removeprefix("./")


def _distance(one: LabelledFace, other: LabelledFace) -> float:
    """Mean distance of the landmarks that both know, over the longer side of the first; infinite without any."""
    first, second = known_points(one), known_points(other)
    both = np.isfinite(first).all(axis=1) & np.isfinite(second).all(axis=1)
    if not both.any():
        return float("inf")
    side = float(np.ptp(first[both], axis=0).max()) or 1.0
    return float(np.linalg.norm(first[both] - second[both], axis=1).mean()) / side


def _kind(face: Face, label: LabelledFace, format_: FaceFormat) -> tuple[Kind, str]:
    """What a label of a known face means for it, and why."""
    told = label.attributes is not None and label.attributes != face.attributes
    if told and any(face.attributes):
        return Kind.CONFLICT, "other attributes are set"
    if face.label is None:
        return Kind.NEW, ""
    if not np.array_equal(face.label.flags == Flag.MISSING, label.flags == Flag.MISSING):
        return Kind.CONFLICT, "other landmarks are missing"
    # whole pixels are what is left of a label of this project
    near = 1e-5 if format_.holds.exact else 0.5 + 1e-5
    gap = np.nanmax(np.abs(face.label.points - label.points), initial=0.0)
    if gap > near:
        moved = int((np.abs(face.label.points - label.points) > near).any(axis=1).sum())
        return Kind.CONFLICT, f"{moved} landmark{'s' * (moved != 1)} elsewhere, by up to {gap:.1f} px"
    if format_.holds.occluded and not np.array_equal(face.label.flags, label.flags):
        return Kind.CONFLICT, "other landmarks are occluded"
    if told or (face.state is not State.LABELLED and _state(label) is State.LABELLED):
        return Kind.CHANGED, "attributes are added" if told else "the label counts as finished"
    return Kind.SAME, ""


def _state(label: LabelledFace) -> State:
    return State.STARTED if label.state == "started" else State.LABELLED


def _labelled(face: Face, label: LabelledFace, format_: FaceFormat, session: Session) -> Face:
    """The face with the imported label; its box is replaced where it is no person's and misses the face."""
    box = face.box
    if box is None or (box.source is not BoxSource.DRAWN and agreement(box, label, session.scheme) < SAME_FACE):
        box = replace(label.box, source=BoxSource.FILE) if label.box else label_box(label, session.scheme)
    given = Label.from_points(label.points, Author.now(session.user), _flags(face, label, format_))
    attributes = face.attributes if label.attributes is None else label.attributes
    if face.label is not None and _kind(face, label, format_)[0] is Kind.CHANGED:
        given = face.label  # it is known more exactly, and by whom
    return replace(face, box=box, label=given, attributes=attributes, state=_state(label))


def _flags(face: Face, label: LabelledFace, format_: FaceFormat) -> ByteArray:
    """The label's flags; what the project knows of occlusion stays where the format cannot speak of it."""
    if format_.holds.occluded or face.label is None:
        return label.flags
    known = (face.label.flags == Flag.OCCLUDED) & (label.flags == Flag.VISIBLE)
    return np.where(known, np.uint8(Flag.OCCLUDED), label.flags)
