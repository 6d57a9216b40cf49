"""The document: the one place where a project's faces live while it is open.

Everything that changes a face goes through :meth:`Document.apply` as an :class:`Edit`; undo and
redo are applied the same way. Whoever listens is told which faces changed and who did it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from scaf_gui.core.corrector import Corrector, correct
from scaf_gui.core.edits import Edit
from scaf_gui.core.face import Face, Prediction, State
from scaf_gui.core.history import History, Step
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import EditError


@dataclass(frozen=True)
class Changed:
    """What an announcement says: which faces, which part of them, and who did it."""

    face_ids: tuple[int, ...]
    part: str  # "face" | "prediction"
    by: object = None


Listener = Callable[[Changed], None]
#: makes an edit durable before it counts, and knows why it is performed; raising leaves the document as it was
Commit = Callable[[Edit, Step], None]


class Document:
    """Faces by id in the order of their images, predictions beside them, undo and redo."""

    def __init__(
        self,
        scheme: Scheme,
        faces: Iterable[Face] = (),
        commit: Commit | None = None,
        highest_id: int = 0,
        history: History | None = None,
    ):
        """
        :param highest_id: no face gets an id up to this one: faces that are gone may have had it
        :param history: what can be undone already; its last edits left the faces as they are
        """
        self.scheme = scheme
        self.history = history or History()
        self._faces = {face.id: face for face in faces}
        self._beside: dict[str, set[int]] = {}  # ids by image
        for face in self._faces.values():
            self._beside.setdefault(face.image, set()).add(face.id)
        self._highest_id = max(highest_id, *self._faces, 0)
        self._predictions: dict[int, Prediction] = {}
        self._corrector: Corrector | None = None
        self._shown: dict[int, Prediction] = {}  # predictions as they are shown, corrected when first asked for
        self._commit = commit
        self._listeners: list[Listener] = []

    def __len__(self) -> int:
        return len(self._faces)

    def __iter__(self) -> Iterator[Face]:
        return iter(tuple(self._faces.values()))

    def __contains__(self, face_id: object) -> bool:
        return face_id in self._faces

    def face(self, face_id: int) -> Face:
        """A face as it is now; :raises KeyError: there is none of that id"""
        return self._faces[face_id]

    def beside(self, image: str) -> tuple[Face, ...]:
        """All faces of a photo, by id: the order in which they were found or added."""
        return tuple(self._faces[face_id] for face_id in sorted(self._beside.get(image, ())))

    def prediction(self, face_id: int) -> Prediction | None:
        """What the model said, uncorrected."""
        return self._predictions.get(face_id)

    def shown(self, face_id: int) -> Prediction | None:
        """The prediction as a person sees it, and as a label starts from it: corrected by the corrector in use.

        Once a person has touched a face, its prediction stays as it was then.
        """
        if face_id not in self._shown and face_id in self._predictions:
            # Of a face that was labelled before, what was shown then is not known: never a newer correction.
            corrector = None if self._faces[face_id].is_human else self._corrector
            self._shown[face_id] = correct(self._predictions[face_id], corrector)
        return self._shown.get(face_id)

    def corrected(self, prediction: Prediction) -> Prediction:
        """A prediction by the corrector in use."""
        return correct(prediction, self._corrector)

    def with_state(self, *states: State) -> list[Face]:
        """The faces in any of these states, in the order of the document."""
        return [face for face in self._faces.values() if face.state in states]

    def next_id(self) -> int:
        """An id that no face has had: undo may bring removed faces back, and what is noted of them keeps their ids."""
        return self._highest_id + 1

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Be told of every change; call the returned function to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def apply(self, edit: Edit, by: object = None) -> None:
        """Check, commit, then show an edit, and put it into the history.

        :raises EditError: the edit was made for a face that has changed since; nothing happens
        """
        self._perform(edit, Step.DONE)
        self.history.did(edit)
        self._announce(Changed(edit.face_ids, "face", by))

    def take_in(self, edit: Edit, by: object = None) -> None:
        """Commit and show what a machine found (boxes, new images): not part of undo.

        Edits already in the history learn of it, so that undoing them does not take it back.

        :raises EditError: it would do more than add faces, set boxes and follow moved images; nothing happens
        """
        for change in edit.changes:
            if change.before is None:
                continue
            after = change.after
            if after is None or after != replace(change.before, box=after.box, image=after.image):
                raise EditError(f"'{edit.title}' would change more of face {change.face_id} than its box and image")
        self._perform(edit, Step.FOUND)
        self.history.rebase(edit.changes)
        self._announce(Changed(edit.face_ids, "face", by))

    def undo(self, by: object = None) -> Edit | None:
        """Take the last edit back; returns the edit that was performed, ``None`` if there is none."""
        edit = self.history.to_undo
        if edit is not None:
            edit = edit.inverse()
            self._perform(edit, Step.UNDONE)
            self.history.undone()
            self._announce(Changed(edit.face_ids, "face", by))
        return edit

    def redo(self, by: object = None) -> Edit | None:
        """Do again what was undone last; returns that edit, ``None`` if there is none."""
        edit = self.history.to_redo
        if edit is not None:
            self._perform(edit, Step.REDONE)
            self.history.redone()
            self._announce(Changed(edit.face_ids, "face", by))
        return edit

    def set_predictions(self, predictions: dict[int, Prediction], by: object = None) -> None:
        """Take in what a model says. Labels are not touched; faces that are gone are left out."""
        known = {i: p for i, p in predictions.items() if i in self._faces}
        for prediction in known.values():
            if len(prediction.points) != self.scheme.num_landmarks:
                raise EditError(f"a prediction of {len(prediction.points)} landmarks for {self.scheme.id}")
        self._predictions.update(known)
        self._forget_shown(known)
        if known:
            self._announce(Changed(tuple(known), "prediction", by))

    def use_corrector(self, corrector: Corrector | None, seen: Iterable[int] = (), by: object = None) -> None:
        """Show predictions corrected from now on, but for those of faces that a person has touched.

        :param seen: the faces to be announced: those that may be on the screen. All others are corrected too, when
            they are asked for.
        """
        self._corrector = corrector
        untouched = [face_id for face_id in self._shown if not self._faces[face_id].is_human]
        self._forget_shown(untouched)
        changed = tuple(i for i in seen if i in self._predictions and not self._faces[i].is_human)
        if changed:
            self._announce(Changed(changed, "prediction", by))

    def _forget_shown(self, face_ids: Iterable[int]) -> None:
        for face_id in face_ids:
            self._shown.pop(face_id, None)

    def _perform(self, edit: Edit, step: Step) -> None:
        for change in edit.changes:
            if self._faces.get(change.face_id) != change.before:
                raise EditError(f"'{edit.title}' was made for an older state of face {change.face_id}")
            label = change.after.label if change.after else None
            if label is not None and label.num_landmarks != self.scheme.num_landmarks:
                raise EditError(
                    f"a label of {label.num_landmarks} landmarks does not fit {self.scheme.id}, "
                    f"which has {self.scheme.num_landmarks}"
                )
        if self._commit is not None:
            self._commit(edit, step)
        for change in edit.changes:
            if change.before is not None:
                self._beside[change.before.image].discard(change.face_id)
            if change.after is not None:
                self._beside.setdefault(change.after.image, set()).add(change.face_id)
            if change.after is None:
                del self._faces[change.face_id]
                self._predictions.pop(change.face_id, None)
                self._shown.pop(change.face_id, None)
            else:
                if change.before is not None and change.before.box != change.after.box:
                    self._predictions.pop(change.face_id, None)
                    self._shown.pop(change.face_id, None)
                if change.before is not None and change.before.is_human and not change.after.is_human:
                    self._shown.pop(change.face_id, None)
                self._faces[change.face_id] = change.after
                self._highest_id = max(self._highest_id, change.face_id)

    def _announce(self, changed: Changed) -> None:
        for listener in tuple(self._listeners):
            listener(changed)
