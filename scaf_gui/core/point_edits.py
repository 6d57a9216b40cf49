"""Edits of several landmarks at once, and of landmarks that had no place before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scaf_gui.core.arrays import BoolArray, FloatArray
from scaf_gui.core.edits import Edit, change_face, set_label, start_label
from scaf_gui.core.face import Author, Face, Flag, Label, Prediction, State
from scaf_gui.core.scheme import Scheme


def blank_label(num_landmarks: int, who: str) -> Label:
    """A label with every landmark still missing: where there is no model, the first faces start so."""
    return Label.from_points(np.full((num_landmarks, 2), np.nan), Author.now(who), placed=False)


def phrase(scheme: Scheme, chosen: BoolArray) -> str:
    """What landmarks, (num_landmarks,) bool, are called in a title: "left eye", "nose 3", "face" or "7 landmarks"."""
    landmarks = np.flatnonzero(chosen).tolist()
    if len(landmarks) == 1:
        return scheme.names[landmarks[0]].replace("_", " ")
    if len(landmarks) == scheme.num_landmarks:
        return "face"
    for group in scheme.groups:
        if sorted(group.landmarks) == landmarks:
            return group.name.replace("_", " ")
    return f"{len(landmarks)} landmarks"


def move_points(
    face: Face,
    prediction: Prediction | None,
    points: FloatArray,
    moved: BoolArray,
    placed: BoolArray,
    title: str,
    who: str,
) -> Edit | None:
    """Put several landmarks somewhere; ``None`` where there is nothing to start from, or nothing moves.

    :param points: (num_landmarks, 2) image pixels; only rows that are ``moved`` and finite are taken
    :param moved: (num_landmarks,) bool
    :param placed: (num_landmarks,) bool: of those moved, which a person put there; the rest stays as it was
    """
    label = start_label(face, prediction, who)
    if label is None:
        return None
    moved = moved & np.isfinite(points).all(axis=1) & (points != label.points).any(axis=1)
    if not moved.any():
        return None
    flags = np.where(moved & (label.flags == Flag.MISSING), Flag.VISIBLE, label.flags).astype(np.uint8)
    after = replace(
        label,
        points=np.where(moved[:, None], points, label.points),
        flags=flags,
        placed=label.placed | (moved & placed),
    )
    return set_label(face, after, title, who)


def snap(face: Face, prediction: Prediction | None, chosen: BoolArray, title: str, who: str) -> Edit | None:
    """Put landmarks back to where the model predicts them; ``None`` where they are there, or nothing is predicted.

    They count as the model's again; a missing one becomes visible, an occluded one stays so.
    """
    label = face.label
    if label is None or prediction is None:
        return None
    back = chosen & np.isfinite(prediction.points).all(axis=1)
    back &= label.placed | (label.points != prediction.points).any(axis=1)
    if not back.any():
        return None
    flags = np.where(back & (label.flags == Flag.MISSING), Flag.VISIBLE, label.flags).astype(np.uint8)
    points = np.where(back[:, None], prediction.points, label.points)
    return set_label(face, replace(label, points=points, flags=flags, placed=label.placed & ~back), title, who)


def skip_landmark(face: Face, prediction: Prediction | None, landmark: int, scheme: Scheme, who: str) -> Edit:
    """Say that a landmark cannot be placed: missing, by hand, so that nobody is asked for it again."""
    label = start_label(face, prediction, who) or blank_label(scheme.num_landmarks, who)
    flags, placed = label.flags.copy(), label.placed.copy()
    flags[landmark], placed[landmark] = Flag.MISSING, True
    title = f"Skip {phrase(scheme, np.arange(scheme.num_landmarks) == landmark)} (missing)"
    return set_label(face, replace(label, flags=flags, placed=placed), title, who)


def take_back(face: Face, prediction: Prediction | None, landmark: int, scheme: Scheme, who: str) -> Edit | None:
    """Take one landmark that was placed by hand away again: to the prediction, without one to "not placed yet".

    A label that holds nothing of a person's any more is thrown away with its last landmark.
    """
    label = face.label
    if label is None or not label.placed[landmark]:
        return None
    title = f"Take back {phrase(scheme, np.arange(scheme.num_landmarks) == landmark)}"
    points, flags, placed = label.points.copy(), label.flags.copy(), label.placed.copy()
    known = prediction is not None and bool(np.isfinite(prediction.points[landmark]).all())
    points[landmark] = prediction.points[landmark] if prediction is not None else np.nan
    flags[landmark], placed[landmark] = Flag.VISIBLE if known else Flag.MISSING, False
    if not placed.any() and not label.based_on and (flags == Flag.MISSING).all() and face.state is State.STARTED:
        return change_face(title, face, replace(face, label=None, state=State.UNLABELLED))
    return set_label(face, replace(label, points=points, flags=flags, placed=placed), title, who)


def to_place(face: Face | None, order: tuple[int, ...], after: int | None = None) -> int | None:
    """The next landmark of ``order`` that no person has placed or skipped; behind ``after`` first, then from the start.

    ``None`` when there is none left.
    """
    label = face.label if face is not None else None
    start = order.index(after) + 1 if after in order else 0
    for landmark in order[start:] + order[:start]:
        if label is None or not label.placed[landmark]:
            return landmark
    return None


def left_to_place(face: Face | None) -> int:
    """How many landmarks of a face that is placed by hand nobody has placed or skipped yet; 0 after a pre-fill."""
    label = face.label if face is not None else None
    if label is None or label.based_on:
        return 0
    return int(((label.flags == Flag.MISSING) & ~label.placed).sum())


def last_placed(face: Face | None, order: tuple[int, ...], before: int | None) -> int | None:
    """The landmark of ``order`` nearest before one that a person has placed or skipped; from the end without one."""
    label = face.label if face is not None else None
    if label is None:
        return None
    end = order.index(before) if before in order else len(order)
    for landmark in reversed(order[end:] + order[:end]):
        if label.placed[landmark]:
            return landmark
    return None
