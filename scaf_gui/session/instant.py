"""Learning within milliseconds: every accepted face corrects what is shown of the next ones.

The model's own predictions stay as they are, in the document and in the cache; they are corrected on the
way to the screen (:meth:`scaf_gui.core.document.Document.shown`). A correction is fitted to one model's
predictions, so a refresh, which consolidates, begins a new one.
"""

from __future__ import annotations

import numpy as np

from scaf_gui.core.corrector import MOST_FACES, Corrector, Pair, fit
from scaf_gui.core.document import Changed, Document
from scaf_gui.core.face import Face, Flag, State
from scaf_gui.session.agenda import Agenda
from scaf_gui.session.events import PrefillJob
from scaf_gui.session.workload import Workload, prefill_job


class Instant:
    """Keeps the document's corrector up to date with its labels. Main thread only; a fit takes some 10 ms.

    ``corrector``: the one in use, ``None`` where none would surely help.
    """

    def __init__(self, document: Document, agenda: Agenda, work: Workload, enabled: bool = True):
        self._document, self._agenda, self._work = document, agenda, work
        self._enabled = enabled
        self.corrector: Corrector | None = None
        self._learnt: frozenset[int] = frozenset()
        self._asked: set[tuple[str, PrefillJob]] = set()
        self._waits = False  # what is to be learnt is put off
        self._due = False
        document.subscribe(self._document_changed)
        self.learn()

    @property
    def enabled(self) -> bool:
        return self._enabled

    @enabled.setter
    def enabled(self, on: bool) -> None:
        if on != self._enabled:
            self._enabled = on
            self.learn()

    def put_off(self) -> None:
        """Do not learn from labels that come now, until :meth:`catch_up`: something more urgent is to be done first."""
        self._waits = True

    def catch_up(self) -> None:
        """Learn, once, from what has come since :meth:`put_off`."""
        self._waits = False
        if self._due:
            self.learn()

    def learn(self) -> None:
        """Fit anew to the labels there are; those whose prediction is not known are asked for."""
        self._due = self._waits
        if self._waits:
            return
        model = self._work.model
        faces = self._faces()
        pairs = {face.id: pair for face in faces if (pair := self._pair(face)) is not None}
        self._ask([face for face in faces if face.id not in pairs])
        self._learnt = frozenset(pairs)
        old, new = self.corrector, None
        if model is not None and pairs:
            new = fit(list(pairs.values()), self._document.scheme, model.id)
        self.corrector = new
        if old is not None or new is not None:
            self._document.use_corrector(new, self._agenda.ahead, by=self)

    def _ask(self, faces: list[Face]) -> None:
        """Let the model predict labelled faces too, once each: behind all others, and mostly from the cache."""
        model = self._work.model
        for face in faces:
            job = prefill_job(face)
            if model is not None and job is not None and (model.id, job) not in self._asked:
                self._asked.add((model.id, job))
                self._work.to_predict.put({face.id: job})

    def _faces(self) -> list[Face]:
        """The faces labelled last, in that order; also those that the model was trained on.

        There its residuals are somewhat smaller than elsewhere, but far from nothing: refining is gentle.
        """
        if not self._enabled or self._work.model is None:
            return []
        labelled = list(self._document.with_state(State.LABELLED))
        labelled.sort(key=lambda face: face.label.author.when if face.label is not None else "")
        return labelled[-MOST_FACES:]

    def _pair(self, face: Face) -> Pair | None:
        prediction, label, model = self._document.prediction(face.id), face.label, self._work.model
        if prediction is None or label is None or model is None or prediction.model_id != model.id:
            return None
        known = label.flags != Flag.MISSING
        return Pair(prediction.points, np.where(known[:, None], label.points, np.nan), label.placed)

    def _document_changed(self, changed: Changed) -> None:
        """A face was accepted, corrected afterwards, taken back or removed; or the model has said more."""
        if self._enabled and changed.by is not self and any(self._counts(face_id) for face_id in changed.face_ids):
            self.learn()

    def _counts(self, face_id: int) -> bool:
        """Whether the face may be learnt from now, or was before."""
        if face_id in self._learnt:
            return True
        return face_id in self._document and self._document.face(face_id).state is State.LABELLED
