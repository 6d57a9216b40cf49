"""Faces that are placed without a pre-fill, now and then, and what they tell of the tool's own pull.

Which faces those are follows from their ids and the project's seed alone, so neither the order of work nor how a face
looks decides. Their predictions are made as ever, and kept from whoever asks here; what reads the document itself
(calibration, instant corrections, the queue) is not disturbed.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.document import Changed, Document
from scaf_gui.core.face import Face, Flag, Prediction, State
from scaf_gui.core.lean import Accepted, Lean, lean
from scaf_gui.core.metrics import landmark_errors

if TYPE_CHECKING:
    from scaf_gui.io.store import ProjectStore

#: what the switch in the menu sets: one face in twenty
SHARE = 0.05
#: a landmark so near to its prediction is where the model put it: predictions are remembered to a hundredth of a pixel
_SAME = 0.02
#: titles of edits in the log that no person has made
_BY_ITSELF = ("Find faces", "Find moved images")


class Blind:
    """Main thread only. ``share`` of the faces is placed without a pre-fill; 0: none.

    Of a face that a person accepts in the window, ``lean/ID`` is written to the project file: the prediction that was
    shown, or kept back, and which of both. A face placed blind stays so: its prediction is never shown beside
    its label, so that later corrections do not lean, either, unless somebody asks for it (:meth:`reveal`).
    A face whose prediction was shown is never blind again: ``seen/ID`` outlives the session.
    """

    def __init__(self, document: Document, store: ProjectStore, seed: int):
        self._document, self._store, self._seed = document, store, seed
        self.share = 0.0
        self._records: dict[int, dict[str, Any]] = {int(k): v for k, v in store.below("lean/").items()}
        self._revealed: set[int] = set(store.get("blind/revealed", []))
        self._seen: set[int] = {int(face_id) for face_id in store.below("seen/")}
        self._unsaved: set[int] = set()  # of those seen
        self._past: list[int] | None = None  # seen before that was written down; ``None``: that is settled
        if (past := store.get("blind/past")) is None:
            past = self._past = self._worked_on()
        self._seen.update(past)
        self._looked: int | None = None
        self._states = {face.id: face.state for face in document}
        document.subscribe(self._document_changed)

    # -- what is shown ---------------------------------------------------------------------------

    def hides(self, face_id: int) -> bool:
        """Whether the prediction of a face is kept back."""
        if face_id not in self._document or face_id in self._revealed:
            return False
        if self._is_blind(face_id):
            return True
        face = self._document.face(face_id)
        begun = face.label is not None and (bool(face.label.based_on) or face.state is State.LABELLED)
        record = self._records.get(face_id)  # of a face accepted blind, and begun again by undo, nothing was seen
        known = face_id in self._seen or (record is not None and not record["blind"])
        return not (begun or known) and self._drawn(face_id)

    def shown(self, face_id: int) -> Prediction | None:
        """As :meth:`Document.shown`, for a person's eyes: ``None`` where it is kept back."""
        prediction = self._document.shown(face_id)  # asked for in any case: it stays as it is once the face is begun
        if prediction is None or self.hides(face_id):
            return None
        if face_id not in self._seen:
            self._seen.add(face_id)
            self._unsaved.add(face_id)
        return prediction

    def save(self) -> None:
        """Write down whose predictions were shown since; cheap, but better after the face is painted.

        :raises ProjectError: it cannot be written; it is tried again with the next one
        """
        values: dict[str, Any] = {f"seen/{face_id}": True for face_id in sorted(self._unsaved)}
        if self._past is not None:
            values["blind/past"] = self._past
        if values:
            self._store.set_all(values)
            self._unsaved.clear()
            self._past = None

    def _worked_on(self) -> list[int]:
        """Faces of a project from before it was written down what was seen: what a person has edited was in sight.

        But for those that were begun, or accepted, without a prediction.
        """
        log = self._store.edit_log()
        edited = {face_id for title, *_, face_ids in log for face_id in face_ids if title not in _BY_ITSELF}
        by_hand = {face.id for face in self._document if face.label is not None and not face.label.based_on}
        blind = {face_id for face_id, record in self._records.items() if record["blind"]}
        return sorted(edited - by_hand - blind)

    def shown_to(self, face_id: int | None) -> None:
        """A face is in front of a person: one accepted then counts."""
        self._looked = face_id

    def reveal(self, face_id: int) -> bool:
        """Show the prediction of a face after all: it is no blind one any more. Whether it was."""
        if not self.hides(face_id):
            return False
        self._revealed.add(face_id)
        self._store.set("blind/revealed", sorted(self._revealed))
        return True

    def _drawn(self, face_id: int) -> bool:
        lot = hashlib.blake2b(f"blind:{self._seed}:{face_id}".encode(), digest_size=8).digest()
        return int.from_bytes(lot, "big") < self.share * 2**64

    def _is_blind(self, face_id: int) -> bool:
        record = self._records.get(face_id)
        return record is not None and bool(record["blind"]) and self._label_of(face_id) is not None

    # -- what is remembered ----------------------------------------------------------------------

    def _document_changed(self, changed: Changed) -> None:
        if changed.part != "face":
            return
        for face_id in changed.face_ids:
            before = self._states.pop(face_id, None)
            if face_id not in self._document:
                continue
            face = self._document.face(face_id)
            self._states[face_id] = face.state
            accepted = face.state is State.LABELLED and before is not State.LABELLED
            if accepted and face_id == self._looked and len(changed.face_ids) == 1:
                self._remember(face)

    def _remember(self, face: Face) -> None:
        """A person has accepted a face: what was predicted of it, and whether that was seen."""
        prediction, label = self._document.shown(face.id), face.label
        seen = face.id in self._seen or face.id in self._revealed
        before = self._records.get(face.id)
        by_hand = label is not None and not label.based_on
        blind = by_hand and not seen and (self._drawn(face.id) if before is None else bool(before["blind"]))
        if prediction is None or label is None or not (blind or label.based_on):
            return  # placed by hand before there was a model, or imported: it tells nothing of a pull
        record = {"blind": blind, "model": prediction.model_id, "points": prediction.points.round(2).tolist()}
        if blind:
            record["note"] = "placed without seeing a prediction"
        self._store.set(f"lean/{face.id}", record)
        self._records[face.id] = record

    def _label_of(self, face_id: int) -> Any:
        face = self._document.face(face_id) if face_id in self._document else None
        return face.label if face is not None and face.state is State.LABELLED else None

    # -- the report ------------------------------------------------------------------------------

    @property
    def placed(self) -> tuple[int, ...]:
        """Ids of the faces that were accepted without their prediction having been seen."""
        return tuple(i for i in self._records if self._is_blind(i) and i not in self._revealed)

    def lean(self) -> Lean:
        """How far accepted labels, as they are now, lean towards what was predicted."""
        faces = (self._accepted(face_id, record) for face_id, record in self._records.items())
        groups = {group.name: group.landmarks for group in self._document.scheme.groups}
        return lean([face for face in faces if face is not None], groups)

    def _accepted(self, face_id: int, record: dict[str, Any]) -> Accepted | None:
        label, points = self._label_of(face_id), np.asarray(record["points"], dtype=np.float64)
        if label is None or len(points) != label.num_landmarks or (record["blind"] and face_id in self._revealed):
            return None
        truth: FloatArray = np.where((label.flags == Flag.MISSING)[:, None], np.nan, label.points)
        known = np.isfinite(truth).all(axis=1)
        if not known.any():
            return None
        moved = np.abs(truth - points).max(axis=1)[known]
        untouched = 0.0 if record["blind"] else float((moved <= _SAME).mean())
        return Accepted(landmark_errors(points, truth, self._document.scheme), bool(record["blind"]), untouched)
