"""Predicting a face again from where its landmarks are: for a pre-fill that misses the face, as its box did.

Two edits that become one step of undo: the box goes around the landmarks as they are, and once the model has looked
there, what nobody has placed goes where it is predicted now, given what is placed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scaf_gui.core.edits import Edit, set_box
from scaf_gui.core.face import Face, Flag, Prediction, State
from scaf_gui.core.following import fitted
from scaf_gui.core.geometry import crop_square, landmark_box
from scaf_gui.core.point_edits import move_points

if TYPE_CHECKING:
    from scaf_gui.session.session import Session

TITLE = "Predict again"
#: a placed landmark that was predicted so far off, as a share of the side of what the network sees, says that the rest
#: of the prediction is not worth much either
FAR_OFF = 0.1


def look_there(session: Session, face: Face, shown: Prediction | None) -> Edit | None:
    """Put the face's box around its landmarks; ``None`` where it has none, or where the box is there already."""
    points = face.label.points if face.label is not None else None if shown is None else shown.points
    if points is None or not np.isfinite(points).any():
        return None
    box = landmark_box(points, session.scheme.face_box)
    return None if box == face.box else set_box(face, box, TITLE)


def take_over(session: Session, asked: Edit) -> Edit | None:
    """What nobody has placed goes where the model predicts it now; ``None`` while it has not looked yet, or where
    nothing is left to move.

    :param asked: what :func:`look_there` gave
    """
    (face_id,) = asked.face_ids
    if face_id not in session.document:
        return None
    face, prediction = session.document.face(face_id), session.document.prediction(face_id)
    if face.label is None or face.state is State.LABELLED or prediction is None or is_outdated(session, asked):
        return None
    now = session.document.corrected(prediction)
    placed, missing = face.label.placed, face.label.flags == Flag.MISSING
    spread = session.shapes.spread(prediction)
    points = fitted(session.shapes.model, now.points, face.label.points, placed, spread)
    nobody = np.zeros_like(placed)
    return move_points(face, prediction, points, ~placed & ~missing, nobody, TITLE, session.user)


def is_outdated(session: Session, asked: Edit) -> bool:
    """Whether the face is gone or has another box by now, by undo or by hand."""
    (change,) = asked.changes
    assert change.after is not None
    return change.face_id not in session.document or session.document.face(change.face_id).box != change.after.box


def join(session: Session, asked: Edit) -> None:
    """Make box and landmarks one step of undo, unless something was done in between."""
    if session.document.history.before_last is asked:
        session.document.history.join_last()


def is_far_off(face: Face, prediction: Prediction | None) -> bool:
    """Whether what a person has placed so far says that the prediction misses the face."""
    if prediction is None or face.label is None or face.box is None or face.state is State.LABELLED:
        return False
    placed = face.label.placed & (face.label.flags != Flag.MISSING)
    if placed.sum() > len(placed) / 2:
        return False
    off = np.linalg.norm(face.label.points - prediction.points, axis=1)[placed]
    return bool((off[np.isfinite(off)] > FAR_OFF * crop_square(face.box).side).any())
