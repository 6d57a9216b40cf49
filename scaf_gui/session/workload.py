"""What background work there is to do: photos to search for faces, faces to predict, by which model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    """Follows the document and keeps both worklists up to date. Main thread only, but for the lists."""

    def __init__(self, document: Document, store: ProjectStore, model: ModelInfo | None):
        self.to_search: Worklist[BoxJob] = Worklist()
        self.to_predict: Worklist[PrefillJob] = Worklist()
        self.model = model
        self._document = document
        self._store = store
        self._searched: set[str] = set(store.get("searched", []))
        document.subscribe(self._document_changed)
        self.refill()

    def refill(self) -> None:
        """Start both lists anew from what the document lacks."""
        self.to_search.clear()
        self.to_search.put(boxless(self._document, self._searched))
        self.to_predict.clear()
        self._require(self._document)

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

    def predicted(
        self, predictions: Mapping[int, Prediction], squares: Mapping[int, Square], by: object = None
    ) -> None:
        """Show predictions, but for those of faces whose box has changed since they were asked for."""
        valid: dict[int, Prediction] = {}
        for face_id, prediction in predictions.items():
            job = prefill_job(self._document.face(face_id)) if face_id in self._document else None
            if job is not None and job.square == squares[face_id]:
                valid[face_id] = prediction
        self.to_predict.remove(valid)
        self._document.set_predictions(valid, by)

    def _document_changed(self, changed: Changed) -> None:
        if changed.part != "face":
            return
        present = [self._document.face(face_id) for face_id in changed.face_ids if face_id in self._document]
        self.to_predict.remove(changed.face_ids)
        self._require(present)

    def _require(self, faces: Iterable[Face]) -> None:
        jobs: dict[int, PrefillJob] = {}
        if self.model is None:
            return
        for face in faces:
            job = prefill_job(face)
            prediction = self._document.prediction(face.id)
            fresh = prediction is not None and prediction.model_id == self.model.id
            if job is not None and not fresh and face.state is not State.LABELLED:
                jobs[face.id] = job
        self.to_predict.put(jobs)
