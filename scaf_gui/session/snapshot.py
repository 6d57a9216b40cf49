"""Freeze a session for a refresh: its labelled faces as training sees them, and the faces that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import Face, Flag, Prediction, State
from scaf_gui.core.geometry import Square, crop_square, landmark_box
from scaf_gui.core.scheme import Scheme
from scaf_gui.session.boxes import overlap
from scaf_gui.session.events import ModelInfo, SnapshotFace, TrainingSnapshot
from scaf_gui.session.truth import as_box
from scaf_gui.session.workload import prefill_job

if TYPE_CHECKING:
    from scaf_gui.session.session import Session


def take_snapshot(session: Session) -> TrainingSnapshot:
    """Freeze the labelled faces and the waiting ones of a session; main thread."""
    said = session.document.prediction
    there = list(session.document.with_state(State.LABELLED))
    labelled = (labelled_face(face, session.scheme, said(face.id), session.model) for face in there)
    waiting = (prefill_job(session.document.face(face_id)) for face_id in session.agenda.waiting())
    return TrainingSnapshot(
        scheme=session.scheme,
        folder=session.folder,
        companions=session.companions,
        faces=tuple(face for face in labelled if face is not None),
        pool=tuple(job for job in waiting if job is not None),
        model=session.model,
        seed=session.agenda.seed,
        acquisition=session.agenda.acquisition,
        discard=session.agenda.discard,
        use_starter=bool(session.store.get("use_starter", True)),
        look_twice=session.work.look_twice,
        instant=session.instant.enabled,
        labelled=tuple(job for face in there if (job := prefill_job(face)) is not None),
    )


def labelled_face(
    face: Face, scheme: Scheme, said: Prediction | None = None, model: ModelInfo | None = None
) -> SnapshotFace | None:
    """A labelled face as training sees it, ``None`` without any known landmark.

    :param said: what was predicted for it last; of use where ``model``, the one in use, has said it
    """
    label = face.label
    if label is None:
        return None
    known = label.flags != Flag.MISSING
    if not known.any():
        return None
    return SnapshotFace(
        face.id,
        face.image,
        _square(face, label.points, scheme),
        label.points,
        known,
        label.placed,
        label.author.when,
        said.points if said is not None and model is not None and said.model_id == model.id else None,
    )


def _square(face: Face, points: FloatArray, scheme: Scheme) -> Square:
    """The face's own crop, as in use; that of its landmarks where the box turns out to miss the face."""
    by_label = crop_square(landmark_box(points, scheme.face_box))
    if face.box is None:
        return by_label
    by_box = crop_square(face.box)
    return by_box if overlap(as_box(by_box), as_box(by_label)) > 0.5 else by_label
