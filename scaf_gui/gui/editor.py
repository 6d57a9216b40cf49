"""From gestures to edits: every change of a face's label, box or attributes goes through here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, Signal

from scaf_gui.core import edits
from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.edits import Edit
from scaf_gui.core.face import ATTRIBUTES, Author, Box, BoxSource, Face, Flag, Label, Prediction
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import ScafError
from scaf_gui.gui.hints import is_coming
from scaf_gui.session.session import Session


class Editor(QObject):
    """Makes one edit per gesture, from what the person sees: the face, and the prediction that is shown."""

    refused = Signal(object)  # an exception, or a line for a person

    def __init__(self, parent: QObject | None = None):
        super().__init__(parent)
        self._session: Session | None = None
        self._shown: Callable[[], tuple[Face | None, Prediction | None]] = lambda: (None, None)
        self.by_hand: Callable[[], bool] = lambda: False  # whether the person places by clicks, prediction or not

    def open(
        self, session: Session | None, shown: Callable[[], tuple[Face | None, Prediction | None]] | None = None
    ) -> None:
        """:param shown: gives the face on the canvas and the prediction that is drawn"""
        self._session = session
        self._shown = shown or (lambda: (None, None))

    @contextmanager
    def saved_after(self) -> Iterator[None]:
        """What is edited in the block is written at once, and the disk waited for at its end; trouble is reported."""
        if self._session is None:
            yield
            return
        try:
            with self._session.store.soon():
                yield
        except ScafError as error:
            self.refused.emit(error)

    def shown(self) -> tuple[Face | None, Prediction | None]:
        """The face on the canvas and the prediction that is drawn."""
        return self._shown()

    def change(self, make: Callable[[Face, Prediction | None, Scheme, str], Edit | None]) -> bool:
        """Apply what ``make`` makes of the face that is shown, its prediction, the scheme and the person's name."""
        session, (face, prediction) = self._session, self._shown()
        if session is None or face is None:
            return False
        edit = make(face, prediction, session.scheme, session.user)
        return edit is not None and self._apply(edit)

    def move(self, landmark: int, x: float, y: float) -> bool:
        """Put a landmark at (x, y) image pixels; with nothing to start from, the first of a new label."""
        session, (face, prediction) = self._session, self._shown()
        if session is None or face is None:
            return False
        name = self._name(landmark)
        edit = edits.move_landmark(face, prediction, landmark, x, y, session.user, name)
        if edit is None and is_coming(session, face) and not self.by_hand():
            self.refused.emit("The pre-fill is coming; to place this face by clicks instead, press P first")
            return False
        if edit is None:
            label = blank_label(session.scheme.num_landmarks, session.user).with_point(landmark, x, y)
            edit = edits.set_label(face, label, f"Place {name}", session.user)
        elif face.label is not None and not np.isfinite(face.label.points[landmark]).all():
            edit = replace(edit, title=f"Place {name}")
        return self._apply(edit)

    def move_shape(self, landmark: int, points: FloatArray) -> bool:
        """Put a landmark, and those that follow it, where ``points`` (num_landmarks, 2) say; image pixels."""
        session, (face, prediction) = self._session, self._shown()
        if session is None or face is None:
            return False
        edit = edits.move_shape(face, prediction, landmark, points, session.user, self._name(landmark))
        return edit is not None and self._apply(edit)

    def pin(self, landmark: int | None) -> bool:
        """Let a landmark stay where it is when others are dragged, or follow again."""
        session, (face, prediction) = self._session, self._shown()
        if session is None or face is None:
            return False
        edit = None
        if landmark is not None:
            edit = edits.pin_landmark(face, prediction, landmark, session.user, self._name(landmark))
        if edit is None:
            self.refused.emit("Select a landmark that has a place first: click it, or press Tab")
        return edit is not None and self._apply(edit)

    def flag(self, landmark: int | None, flag: Flag) -> bool:
        """Mark a landmark; the same mark again makes it visible."""
        session, (face, prediction) = self._session, self._shown()
        if session is None or face is None:
            return False
        if landmark is None:
            self.refused.emit("Select a landmark first: click it, or press Tab")
            return False
        label = edits.start_label(face, prediction, session.user)
        if label is None:
            self.refused.emit("Nothing to mark yet: this face has no landmarks")
            return False
        if label.flags[landmark] == flag:
            if flag is Flag.VISIBLE:
                self.refused.emit(f"Nothing to take back: {self._name(landmark)} is not marked")
                return False
            flag = Flag.VISIBLE
        if flag is not Flag.MISSING and not np.isfinite(label.points[landmark]).all():
            self.refused.emit(f"Place {self._name(landmark)} first: click where it belongs")
            return False
        edit = edits.flag_landmark(face, prediction, landmark, flag, session.user, self._name(landmark))
        return edit is not None and self._apply(edit)

    def flag_all(self, landmarks: Sequence[int], flag: Flag) -> bool:
        """Mark all selected landmarks in one step; the same mark again makes them visible."""
        session, (face, prediction) = self._session, self._shown()
        if session is None or face is None:
            return False
        if len(landmarks) < 2 and flag is not Flag.VISIBLE:
            return self.flag(landmarks[0] if landmarks else None, flag)
        label = edits.start_label(face, prediction, session.user)
        if not landmarks or label is None:
            return self.flag(None if not landmarks else landmarks[0], flag)
        if (label.flags[list(landmarks)] == flag).all() and np.isfinite(label.points[list(landmarks)]).all():
            flag = Flag.VISIBLE
        groups = (group for group in session.scheme.groups if set(group.landmarks) == set(landmarks))
        whole = next((group.name.replace("_", " ") for group in groups), f"{len(landmarks)} landmarks")
        what = self._name(landmarks[0]) if len(landmarks) == 1 else whole
        edit = edits.flag_landmarks(face, prediction, landmarks, flag, session.user, what)
        if edit is None:
            self.refused.emit(f"Nothing to take back: {what} {'is' if len(landmarks) == 1 else 'are'} not marked")
        return edit is not None and self._apply(edit)

    def toggle_attribute(self, attribute: int) -> bool:
        face, _ = self._shown()
        return face is not None and self._apply(
            edits.toggle_attribute(face, attribute, ATTRIBUTES[attribute].replace("_", "-"))
        )

    def perform(self, edit: Edit) -> bool:
        """Apply an edit made elsewhere; trouble is reported."""
        return self._apply(edit)

    def set_box(self, x: float, y: float, width: float, height: float) -> bool:
        """Give the face a box drawn by hand, image pixels; the pre-fill follows it. A label stays."""
        face, _ = self._shown()
        if face is None:
            return False
        try:
            return self._apply(edits.draw_box(face, Box(x, y, width, height, BoxSource.DRAWN)))
        except ScafError as error:
            self.refused.emit(error)
            return False

    def change_box(self, x: float, y: float, width: float, height: float) -> bool:
        """Move or resize the face's box; the pre-fill follows it. A label stays."""
        face, _ = self._shown()
        if face is None:
            return False
        try:
            edit = edits.change_box(face, x, y, width, height)
        except ScafError as error:
            self.refused.emit(error)
            return False
        return edit is not None and self._apply(edit)

    def add_face(self, x: float, y: float, width: float, height: float) -> int | None:
        """One more face in the photo, by a box drawn by hand; a face without box and label gets it.

        :returns: the face's id, ``None`` when nothing was added
        """
        session, (face, _) = self._session, self._shown()
        if session is None or face is None:
            return None
        if face.box is None and face.label is None:
            return face.id if self.set_box(x, y, width, height) else None
        try:
            added = session.document.next_id()
            done = self._apply(edits.add_face(added, face.image, Box(x, y, width, height, BoxSource.DRAWN)))
        except ScafError as error:
            self.refused.emit(error)
            return None
        return added if done else None

    def delete_face(self, face_id: int) -> bool:
        """Take a face out of its photo, with its label; the photo's only face loses box and label instead."""
        return self._take_out(face_id, edits.delete_face)

    def not_a_face(self, face_id: int) -> bool:
        """Throw a false detection out; a photo without another face is skipped. Refused where there is a label."""
        return self._take_out(face_id, edits.not_a_face)

    def skip_similar(self) -> int:
        """Skip the photos that are near-identical to this face's, but for faces that were begun; how many faces."""
        session, (face, _) = self._session, self._shown()
        if session is None or face is None:
            return 0
        edit = session.similar.skip_others(face.image)
        if edit is None:
            alike = len(session.similar.others(face.image))
            self.refused.emit(
                "No face of the near-identical photos waits any more"
                if alike
                else "No photo is near-identical to this one"
            )
            return 0
        return len(edit.changes) if self._apply(edit) else 0

    def _take_out(self, face_id: int, make: Callable[..., Edit | None]) -> bool:
        session = self._session
        if session is None or face_id not in session.document:
            return False
        face = session.document.face(face_id)
        edit = make(face, last=len(session.document.beside(face.image)) == 1)
        if edit is None:
            self.refused.emit("This face has landmarks of yours: skip it with S, or delete it with Del")
            return False
        done = self._apply(edit)
        if done:
            session.work.leave_alone(face.image)  # the detector is not asked about this photo again
        return done

    def reset(self) -> bool:
        """Throw the label away, so that the prediction shows again."""
        face, _ = self._shown()
        return face is not None and face.label is not None and self._apply(edits.reset_to_prediction(face))

    def accept(self) -> bool:
        """Stand for the landmarks that are shown; False, and a line, where there are none."""
        session, (face, prediction) = self._session, self._shown()
        if session is None or face is None:
            return False
        edit = edits.accept(face, prediction, session.user)
        if edit is None:
            self.refused.emit("Nothing to accept yet: wait for the pre-fill, place landmarks by hand, or skip with S")
            return False
        return self._apply(edit)

    def skip(self) -> bool:
        face, _ = self._shown()
        return face is not None and self._apply(edits.skip(face))

    def _name(self, landmark: int) -> str:
        assert self._session is not None
        return self._session.scheme.names[landmark].replace("_", " ")

    def _apply(self, edit: Edit) -> bool:
        if self._session is None:
            return False
        try:
            self._session.edit(edit, by=self)
        except (ScafError, OSError) as error:
            self.refused.emit(error)
            return False
        return True


def blank_label(num_landmarks: int, who: str) -> Label:
    """A label with every landmark still missing: where there is no model, the first faces start so."""
    return Label.from_points(np.full((num_landmarks, 2), np.nan), Author.now(who), placed=False)
