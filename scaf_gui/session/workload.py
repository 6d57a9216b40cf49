"""What background work there is to do: photos to search for faces, faces to predict, by which model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from scaf_gui.core.document import Changed, Document
from scaf_gui.core.face import Face, Prediction, State
from scaf_gui.core.geometry import Square, crop_square
from scaf_gui.session.boxes import boxless
from scaf_gui.session.events import BoxJob, ModelInfo, PrefillJob
from scaf_gui.session.worklist import Worklist

if TYPE_CHECKING:
    from scaf_gui.io.store import ProjectStore


def prefill_job(face: Face) -> PrefillJob | None:
    """How to predict a face; ``None`` while it has no box."""
    return None if face.box is None else PrefillJob(face.id, face.image, crop_square(face.box))


class Workload:
    """Follows the document and keeps both worklists up to date. Main thread only, but for the lists.

    A face is looked at twice when it comes near in the queue: what its first look gave is then replaced by the mean of
    both. Never while it is shown, as points must not move under a person's eyes, and never once a person has
    touched it. A face that is shown without any prediction gets two looks at once.
    """

    def __init__(self, document: Document, store: ProjectStore, model: ModelInfo | None):
        self.to_search: Worklist[BoxJob] = Worklist()
        self.to_predict: Worklist[PrefillJob] = Worklist()
        self.model = model
        self._document = document
        self._store = store
        self._searched: set[str] = set(store.get("searched", []))
        self._left_alone: set[str] = set(store.get("left_alone", []))
        self._look_twice = True
        self._all_twice = False
        self._ahead: Sequence[int] = ()
        self._shown: int | None = None
        document.subscribe(self._document_changed)
        self.refill()

    @property
    def look_twice(self) -> bool:
        """Whether faces that come next are looked at twice."""
        return self._look_twice

    @look_twice.setter
    def look_twice(self, on: bool) -> None:
        if on != self._look_twice:
            self._look_twice = on
            self.refill()

    def look_twice_at_all(self) -> None:
        """Two looks at every face that waits, as far as :attr:`look_twice` allows any: for work without a window."""
        self._all_twice = True
        self._shown = None
        self.refill()

    def come_next(self, ahead: Sequence[int], shown: int | None) -> None:
        """Let those faces be looked at twice that come next.

        :param ahead: the current face and those that follow it
        :param shown: the current one
        """
        self._ahead, self._shown = ahead, None if self._all_twice else shown
        self._look_again(())

    def refill(self) -> None:
        """Start both lists anew from what the document lacks."""
        self.to_search.clear()
        self.to_search.put(boxless(self._document, self._searched | self._left_alone))
        self.to_predict.clear()
        self._require(self._document)
        self._look_again([face.id for face in self._document])

    def owes_first_look(self) -> bool:
        """Whether there is a face to predict that has no prediction of the model in use yet."""
        return self.to_predict.any(lambda job: not job.again)

    def use_model(self, model: ModelInfo) -> None:
        """Let another model predict from now on; what the old one said stays until it is replaced."""
        self.model = model
        self.refill()

    def searched(self, found: Mapping[str, bool], face_ids: Iterable[int]) -> None:
        """Note which photos have been looked into; those without a face are not searched again."""
        self.to_search.remove(face_ids)
        empty = {image for image, has_face in found.items() if not has_face}
        if empty - self._searched:
            self._searched |= empty
            self._store.set("searched", sorted(self._searched))

    def leave_alone(self, image: str) -> None:
        """A person has taken a box out of this photo: it is not searched again."""
        if image not in self._left_alone:
            self._left_alone.add(image)
            self._store.set("left_alone", sorted(self._left_alone))

    def why_no_box(self, image: str) -> str:
        """Why a photo's face has no box: "nothing found", "taken out" by a person, or "" where it is not known."""
        if image in self._left_alone:
            return "taken out"
        return "nothing found" if image in self._searched else ""

    def predicted(self, predictions: Mapping[int, Prediction], squares: Mapping[int, Square], by: object = None) -> int:
        """Show predictions, but for those of faces whose box has changed since they were asked for, and of
        those that are better as they are. Returns how many faces had none of this model before."""
        valid: dict[int, Prediction] = {}
        for face_id, prediction in predictions.items():
            job = prefill_job(self._document.face(face_id)) if face_id in self._document else None
            if job is not None and job.square == squares[face_id]:
                valid[face_id] = prediction
        self.to_predict.remove(valid)
        shown = {face_id: one for face_id, one in valid.items() if self._improves(face_id, one)}
        first = sum(not self._is_of(face_id, one.model_id) for face_id, one in shown.items())
        self._document.set_predictions(shown, by)
        self._look_again(valid)
        return first

    def _is_of(self, face_id: int, model_id: str) -> bool:
        before = self._document.prediction(face_id)
        return before is not None and before.model_id == model_id

    def _improves(self, face_id: int, prediction: Prediction) -> bool:
        """Whether to show a prediction: two looks replace one, but not under a person's eyes or hands."""
        before = self._document.prediction(face_id)
        if before is None or before.model_id != prediction.model_id or before.looks == prediction.looks:
            return True
        untouched = face_id != self._shown and not self._document.face(face_id).is_human
        return prediction.looks > before.looks and untouched

    def _document_changed(self, changed: Changed) -> None:
        if changed.part != "face":
            return
        present = [self._document.face(face_id) for face_id in changed.face_ids if face_id in self._document]
        self.to_predict.remove(changed.face_ids)
        self._require(present)
        self._look_again(changed.face_ids)

    def _require(self, faces: Iterable[Face]) -> None:
        jobs: dict[int, PrefillJob] = {}
        if self.model is None:
            return
        for face in faces:
            job = prefill_job(face)
            fresh = self._is_of(face.id, self.model.id)
            if job is not None and not fresh and face.state is not State.LABELLED:
                jobs[face.id] = job
        self.to_predict.put(jobs)

    def _look_again(self, changed: Iterable[int]) -> None:
        """Two looks at the faces that come next: jobs that are due anyway ask for both, others are added.

        :param changed: faces to look at where all are to be looked at twice
        """
        if not self._look_twice or self.model is None:
            return
        jobs: dict[int, PrefillJob] = {}
        for face_id in changed if self._all_twice else self._ahead:
            if face_id not in self._document:
                continue
            face, due = self._document.face(face_id), self.to_predict.get(face_id)
            if due is not None:
                if due.looks == 1:
                    jobs[face_id] = replace(due, looks=2)
                continue
            prediction, job = self._document.prediction(face_id), prefill_job(face)
            if (
                job is not None
                and prediction is not None
                and (prediction.model_id, prediction.looks) == (self.model.id, 1)
                and face_id != self._shown
                and not face.is_human
                and face.state is not State.LABELLED
            ):
                jobs[face_id] = replace(job, looks=2, again=True)
        if jobs:
            self.to_predict.put(jobs)
