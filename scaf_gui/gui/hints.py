"""What the canvas says about a face that has no landmarks yet: one line, and what to do."""

from __future__ import annotations

from scaf_gui.core.face import Face, Prediction, State
from scaf_gui.core.point_edits import left_to_place
from scaf_gui.session.again import is_far_off
from scaf_gui.session.intake import CHANGED
from scaf_gui.session.session import Session

#: a prediction that is expected to be off by so many % is not worth mending landmark by landmark
HOPELESS = 12.0
#: one that is expected to be off by less has found the face, wherever a person puts a landmark
SURE = 5.0


def why_no_prediction(session: Session, face: Face | None) -> str:
    """Why no prediction of a face is shown, in one line."""
    if face is None:
        return "No face is shown"
    if session.blind.hides(face.id):
        return "The prediction of this face is kept back, as it is placed without one"
    if session.model is None:
        return "Nothing is predicted of this face: there is no model yet"
    if face.box is None:
        return "Nothing is predicted of this face: it has no box, B draws one"
    return "Nothing is predicted of this face yet"


def is_coming(session: Session, face: Face) -> bool:
    """Whether landmarks of this face will be there by themselves, so that one placed now would keep them away."""
    if session.model is None or face.label is not None or session.blind.hides(face.id):
        return False
    if face.box is None:
        return session.work.to_search.get(face.id) is not None
    return session.document.prediction(face.id) is None and not session.problems.get(face.id)


def hint(session: Session | None, face: Face | None, prediction: Prediction | None, searching: bool) -> str:
    """:param searching: whether faces are being looked for just now"""
    if session is None or face is None:
        return ""
    if face.state is State.SKIPPED:
        nothing = face.box is None and face.label is None
        return "Skipped: no face in this photo. If there is one, press B and drag a box around it." * nothing
    problem = session.problems.get(face.id, "")
    if face.label is not None and CHANGED in problem:
        return problem
    if face.label is not None:
        left = 0 if face.state is State.LABELLED else left_to_place(face)
        instead = "; Ctrl+Backspace shows the pre-fill instead" * (prediction is not None)
        if left:
            return f"{left} landmark{'' if left == 1 else 's'} left to place by hand{instead}"
        missed = is_far_off(face, prediction) and _expected(session, prediction, HOPELESS) > SURE
        return "Far off? Shift+G predicts this face again" * missed
    if prediction is not None:
        lost = _expected(session, prediction, 0.0) > HOPELESS
        return "Far off? Put one landmark right, then Shift+G predicts this face again" * lost
    why = session.work.why_no_box(face.image) if face.box is None else ""
    if why == "taken out":
        return "You took the box out of this photo. Press B and drag one around a face, or S to skip the photo."
    if why == "nothing found":
        return "The detector found no face here. Press B and drag a box around it, or S to skip the photo."
    if problem and "draw a box" not in problem:
        return problem[:1].upper() + problem[1:]
    if session.blind.hides(face.id) and session.document.prediction(face.id) is not None:
        return "Without pre-fill: click where each landmark belongs. Ctrl+Backspace shows the pre-fill after all"
    if session.model is None:
        name = session.scheme.names[0].replace("_", " ")
        return f"No model yet: click where each landmark belongs, beginning with “{name}”. P shows where"
    if face.box is None:
        if session.work.to_search.get(face.id) is not None:
            return "Looking for the face…" if searching else ""
        return "This face has no box yet. Press B and drag one around it, or S to skip it."
    return "The pre-fill is coming…"


def _expected(session: Session, prediction: Prediction | None, unknown: float) -> float:
    """By how many % a prediction is expected to be off in the mean; ``unknown`` where that is not known, 0 where
    predicting again would not help."""
    if not session.scheme.spans_the_face:
        return 0.0
    errors = session.expected.landmarks(prediction)
    return unknown if errors is None else float(errors.mean())
