"""Edits: the only way labels change. One per gesture; each knows how to take itself back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import Author, Box, Face, Flag, Label, Prediction, State, as_attributes
from scaf_gui.errors import EditError


@dataclass(frozen=True)
class Change:
    """One face before and after; ``None`` before: added, ``None`` after: removed."""

    before: Face | None
    after: Face | None

    def __post_init__(self) -> None:
        if self.before is None and self.after is None:
            raise EditError("a change needs a face before or after it")
        if self.before is not None and self.after is not None and self.before.id != self.after.id:
            raise EditError(f"a change cannot make face {self.before.id} into face {self.after.id}")

    @property
    def face_id(self) -> int:
        face = self.after or self.before
        assert face is not None
        return face.id


@dataclass(frozen=True)
class Edit:
    """What one gesture changed, with a title for the history ("Move left_eye_02")."""

    title: str
    changes: tuple[Change, ...]

    def inverse(self) -> Edit:
        """The edit that takes this one back."""
        return Edit(self.title, tuple(Change(c.after, c.before) for c in reversed(self.changes)))

    @property
    def face_ids(self) -> tuple[int, ...]:
        return tuple(change.face_id for change in self.changes)


def change_face(title: str, before: Face, after: Face) -> Edit:
    """An edit of a single face."""
    return Edit(title, (Change(before, after),))


def start_label(face: Face, prediction: Prediction | None, who: str) -> Label | None:
    """The label that a person's first touch starts from: the face's own, else the prediction."""
    if face.label is not None:
        return face.label
    if prediction is None:
        return None
    return Label.from_points(prediction.points, Author.now(who), placed=False, based_on=prediction.model_id)


def set_label(face: Face, label: Label, title: str, who: str) -> Edit:
    """Give a face a new label; an unlabelled or skipped face counts as started from then on."""
    state = State.LABELLED if face.state is State.LABELLED else State.STARTED
    label = replace(label, author=Author.now(who))
    return change_face(title, face, replace(face, label=label, state=state))


def move_landmark(
    face: Face, prediction: Prediction | None, landmark: int, x: float, y: float, who: str, name: str = ""
) -> Edit | None:
    """Put one landmark at (x, y) image pixels; ``None`` where there is nothing to start from."""
    label = start_label(face, prediction, who)
    if label is None:
        return None
    return set_label(face, label.with_point(landmark, x, y), f"Move {name or f'landmark {landmark}'}", who)


def move_shape(
    face: Face, prediction: Prediction | None, landmark: int, points: FloatArray, who: str, name: str = ""
) -> Edit | None:
    """Put one landmark somewhere by hand while others follow; ``None`` where there is nothing to start from.

    Followers stay what they were, a prediction that nobody has placed. What was placed by hand, is missing, or belongs
    to an accepted face does not move, whatever ``points`` say.

    :param points: (num_landmarks, 2) image pixels; rows that are not finite are left as they are
    """
    label = start_label(face, prediction, who)
    if label is None:
        return None
    stay = label.placed | (label.flags == Flag.MISSING) | ~np.isfinite(points).all(axis=1)
    if face.state is State.LABELLED:
        stay[:] = True
    x, y = points[landmark].tolist()
    moved = replace(label, points=np.where(stay[:, None], label.points, points)).with_point(landmark, x, y)
    return set_label(face, moved, f"Move {name or f'landmark {landmark}'}, shape follows", who)


def pin_landmark(face: Face, prediction: Prediction | None, landmark: int, who: str, name: str = "") -> Edit | None:
    """Let one landmark count as placed by hand where it is, so that it stays when others are dragged; or no longer.

    ``None`` where it has no place.
    """
    label = start_label(face, prediction, who)
    if label is None or label.flags[landmark] == Flag.MISSING:
        return None
    placed = label.placed.copy()
    placed[landmark] = not placed[landmark]
    verb = "Pin" if placed[landmark] else "Unpin"
    return set_label(face, replace(label, placed=placed), f"{verb} {name or f'landmark {landmark}'}", who)


def flag_landmark(
    face: Face, prediction: Prediction | None, landmark: int, flag: Flag, who: str, name: str = ""
) -> Edit | None:
    """Mark one landmark visible, occluded or missing."""
    label = start_label(face, prediction, who)
    if label is None:
        return None
    title = f"Mark {name or f'landmark {landmark}'} {flag.name.lower()}"
    return set_label(face, label.with_flag(landmark, flag), title, who)


def flag_landmarks(
    face: Face, prediction: Prediction | None, landmarks: Iterable[int], flag: Flag, who: str, what: str
) -> Edit | None:
    """Mark several landmarks in one edit; those without a place can only be missing and stay so.

    :param what: what they are, for the title ("left eye", "5 landmarks")
    :returns: ``None`` where there is nothing to start from, or nothing would change
    """
    label = start_label(face, prediction, who)
    if label is None:
        return None
    chosen = np.zeros(label.num_landmarks, dtype=np.bool_)
    chosen[list(landmarks)] = True
    if flag is not Flag.MISSING:
        chosen &= np.isfinite(label.points).all(axis=1)
    flags = np.where(chosen, np.uint8(flag), label.flags)
    if np.array_equal(flags, label.flags):
        return None
    return set_label(face, replace(label, flags=flags), f"Mark {what} {flag.name.lower()}", who)


def accept(face: Face, prediction: Prediction | None, who: str) -> Edit | None:
    """Stand for the landmarks as they are shown; ``None`` where there is nothing to accept."""
    label = start_label(face, prediction, who)
    if label is None:
        return None
    label = replace(label, author=Author.now(who))
    return change_face("Accept face", face, replace(face, label=label, state=State.LABELLED))


def skip(face: Face) -> Edit:
    """Put a face aside. What was already placed stays."""
    return change_face("Skip face", face, replace(face, state=State.SKIPPED))


def reset_to_prediction(face: Face) -> Edit:
    """Throw a face's label away, so that the prediction shows again. Undoable, as every edit."""
    return change_face("Reset to prediction", face, replace(face, label=None, state=State.UNLABELLED))


def set_box(face: Face, box: Box, title: str = "Draw box") -> Edit:
    """Give a face another box; its label stays."""
    return change_face(title, face, replace(face, box=box))


def draw_box(face: Face, box: Box) -> Edit:
    """Take the box that a person drew; a face that was skipped because there was nothing to see waits again."""
    edit = set_box(face, box)
    if face.state is State.SKIPPED and face.box is None and face.label is None:
        edit = change_face(edit.title, face, replace(face, box=box, state=State.UNLABELLED))
    return edit


def change_box(face: Face, x: float, y: float, width: float, height: float) -> Edit | None:
    """Move or resize a face's box; ``None`` where there is none, or where it is so already. The label stays.

    Whoever found the box, its rule for the crop stays, too (:mod:`scaf_gui.core.geometry`): else the crop would
    jump at the first touch.

    :raises EditError: the size is not positive
    """
    old = face.box
    if old is None or (x, y, width, height) == (old.x, old.y, old.width, old.height):
        return None
    moved = (width, height) == (old.width, old.height)
    return set_box(face, Box(x, y, width, height, old.source), "Move box" if moved else "Resize box")


def add_face(face_id: int, image: str, box: Box) -> Edit:
    """One more face in a photo. :param face_id: ``Document.next_id()``"""
    return Edit("Add face", (Change(None, Face(face_id, image, box)),))


def delete_face(face: Face, *, last: bool, title: str = "Delete face", state: State = State.UNLABELLED) -> Edit:
    """Take a face out, with its label if it has one. Undoable, as every edit.

    :param last: it is its photo's only face: it loses box and label but stays, so that no photo gets lost
    :param state: what it becomes then
    """
    if face.label is not None:
        title = f"{title} and its label"
    attributes = (False,) * 6
    after = replace(face, box=None, label=None, attributes=attributes, state=state) if last else None
    return Edit(title, (Change(face, after),))


def not_a_face(face: Face, *, last: bool) -> Edit | None:
    """Throw a false detection out; a photo without another face is skipped. ``None``: it has a label, so it is a face.

    :param last: it is its photo's only face
    """
    if face.label is not None:
        return None
    return delete_face(face, last=last, title="Not a face", state=State.SKIPPED)


def skip_all(faces: Iterable[Face], title: str) -> Edit | None:
    """Put faces aside, but only those that nobody has begun; ``None`` if there are none."""
    changes = tuple(
        Change(face, replace(face, state=State.SKIPPED))
        for face in faces
        if face.state is State.UNLABELLED and face.label is None
    )
    return Edit(title, changes) if changes else None


def toggle_attribute(face: Face, attribute: int, name: str) -> Edit:
    """Say one of ``ATTRIBUTES`` of a face, or take it back.

    :param name: what people call it
    """
    attributes = as_attributes(value != (place == attribute) for place, value in enumerate(face.attributes))
    return change_face(f"Toggle {name}", face, replace(face, attributes=attributes))
