"""The simulated annotator: labels the next faces of the queue from a folder of true landmarks."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from scaf_gui.core.edits import change_face
from scaf_gui.core.face import Author, BoxSource, Face, Label, State
from scaf_gui.core.metrics import Evaluation
from scaf_gui.errors import ScafError
from scaf_gui.session.truth import SAME_FACE, agreement, known_points, label_box, match, read_truth

if TYPE_CHECKING:
    from scaf_gui.io.formats import LabelledFace
    from scaf_gui.session.session import Session


@dataclass(frozen=True)
class Annotated:
    """What the annotator did. ``before``: figures of the predictions it met, over those faces that had one."""

    face_ids: tuple[int, ...]
    without_truth: tuple[str, ...]
    before: Evaluation


def label_from(session: Session, truth: Path, count: int) -> Generator[tuple[int, int], None, Annotated]:
    """Label the next ``count`` waiting faces of the queue, one edit each; main thread.

    Yields (faces done, ``count``). Faces without true landmarks are passed over and named.

    :raises FolderError, LabelFileError: the folder cannot be used
    :raises ScafError: none of the waiting faces has true landmarks there
    """
    document, scheme = session.document, session.scheme
    waiting = session.agenda.upcoming(len(document))
    images = tuple(dict.fromkeys(document.face(face_id).image for face_id in waiting))
    by_image = read_truth(truth, scheme, images)
    pairs = match((label for there in by_image.values() for label in there), document, scheme)
    truth_of = {face.id: label for label, face in pairs if face is not None}
    done: list[int] = []
    without: list[str] = []
    met = []
    for face_id in waiting:
        if len(done) == count:
            break
        face = document.face(face_id)
        if face_id not in truth_of:
            without.append(face.image)
            continue
        prediction = document.shown(face_id)
        if prediction is not None:
            met.append((prediction.points, known_points(truth_of[face_id])))
        session.edit(change_face("Label face", face, _labelled(session, face, truth_of[face_id])))
        done.append(face_id)
        yield len(done), count
    if not done and waiting:
        raise ScafError(f"{truth}: none of the {len(waiting)} waiting faces has a .pts file here")
    session.current = session.next_face()
    return Annotated(tuple(done), tuple(without), Evaluation.of(met, scheme))


def _labelled(session: Session, face: Face, label: LabelledFace) -> Face:
    """As a careful person would leave the face: every landmark where it truly is, put there by hand."""
    box = face.box
    if box is None or agreement(box, label, session.scheme) < SAME_FACE:
        box = replace(label_box(label, session.scheme), source=BoxSource.DRAWN)
    given = Label.from_points(label.points, Author.now(session.user), label.flags)
    return replace(face, box=box, label=given, state=State.LABELLED)
