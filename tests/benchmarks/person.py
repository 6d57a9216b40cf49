"""Somebody who works on a project at random, for :mod:`crash`."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from random import Random

import numpy as np

from scaf_gui.core import edits
from scaf_gui.core.edits import Edit
from scaf_gui.core.face import Box, Face, Flag, Prediction
from scaf_gui.core.point_edits import blank_label
from scaf_gui.io.formats.pts import read_pts
from scaf_gui.session.events import ModelInfo, PoolScored, RefreshResult
from scaf_gui.session.importing import import_labels
from scaf_gui.session.models import model_path
from scaf_gui.session.prefill import box_key
from scaf_gui.session.project import open_project
from scaf_gui.session.workload import prefill_job

PROJECT, PHOTOS, OTHER_PHOTOS, TRUTH = "p.scaf", "photos", "photos, exchanged", "truth"

#: how often each is done
GESTURES = {
    **{"drag": 36, "accept": 18, "flag": 8, "skip": 4, "draw_box": 4, "add_face": 2, "delete_face": 2},
    **{"undo": 11, "redo": 5, "import_labels": 3, "relocate": 2, "fingerprint": 2, "refresh": 3, "shuffle": 2},
    **{"reopen": 1},
}


class Person:
    """Works on a project, at random."""

    def __init__(self, folder: Path, rng: Random):
        self.folder, self.rng = folder, rng
        self.truth = [read_pts(path) for path in sorted((folder / TRUTH).glob("*.pts"))]
        self.session = open_project(folder / PROJECT)

    def _any(self) -> tuple[Face, Prediction | None]:
        document = self.session.document
        face = self.rng.choice(list(document))
        return face, document.shown(face.id)

    def _edit(self, edit: Edit | None) -> None:
        if edit is not None:
            self.session.edit(edit)

    def _place(self) -> tuple[float, float]:
        return self.rng.uniform(0, 96), self.rng.uniform(0, 96)

    def _landmark(self) -> int:
        return self.rng.randrange(self.session.scheme.num_landmarks)

    def drag(self) -> None:
        face, prediction = self._any()
        edit = edits.move_landmark(face, prediction, self._landmark(), *self._place(), "a")
        if edit is None:
            label = blank_label(self.session.scheme.num_landmarks, "a").with_point(self._landmark(), *self._place())
            edit = edits.set_label(face, label, "Place", "a")
        self._edit(edit)

    def accept(self) -> None:
        with self.session.store.soon():  # as the window does: it shows the next face before it waits for the disk
            self._edit(edits.accept(*self._any(), "a"))

    def flag(self) -> None:
        self._edit(edits.flag_landmark(*self._any(), self._landmark(), self.rng.choice(list(Flag)), "a"))

    def skip(self) -> None:
        with self.session.store.soon():
            self._edit(edits.skip(self._any()[0]))

    def draw_box(self) -> None:
        self._edit(edits.draw_box(self._any()[0], Box(*self._place(), 40.0, 40.0)))

    def add_face(self) -> None:
        document = self.session.document
        self._edit(edits.add_face(document.next_id(), self._any()[0].image, Box(*self._place(), 40.0, 40.0)))

    def delete_face(self) -> None:
        face, _ = self._any()
        if len(self.session.document.beside(face.image)) > 1:
            self._edit(edits.delete_face(face, last=False))

    def undo(self) -> None:
        self.session.undo()

    def redo(self) -> None:
        self.session.redo()

    def import_labels(self) -> None:
        import_labels(self.session, "300w", self.folder / TRUTH, on_conflict="replace")

    def relocate(self) -> None:
        self.session.relocate(self.folder / (PHOTOS if self.session.folder.name != PHOTOS else OTHER_PHOTOS))

    def fingerprint(self) -> None:
        for event in self.session.hash_images():
            self.session.take(event)

    def refresh(self) -> None:
        """What a refresh ends with: a model takes over, the pool has new predictions, the queue a new order."""
        session = self.session
        model_id = f"round {self.rng.randrange(10**6)}"
        path = model_path(session.companions, model_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"the weights of a model")  # opening a project only looks whether they are there
        model = ModelInfo(model_id, str(path), own=True, title="Round")
        session.take(RefreshResult(True, model, "Better by 1 %"))
        jobs = {face.id: job for face in session.document if (job := prefill_job(face)) is not None}
        predictions = {face_id: self._prediction(model_id) for face_id in jobs}
        squares = {face_id: job.square for face_id, job in jobs.items()}
        session.take(PoolScored(predictions, squares, model_id, len(jobs)))

    def _prediction(self, model_id: str) -> Prediction:
        points = self.rng.choice(self.truth) + np.array(self._place()) / 20
        return Prediction(points, np.ones(len(points)), model_id, {"nnm": self.rng.random()})

    def shuffle(self) -> None:
        self.session.agenda.shuffle(self.rng.randrange(1000))
        self.session.agenda.save()

    def reopen(self) -> None:
        self.session.close()
        self.session = open_project(self.folder / PROJECT)

    def write_cache(self) -> None:
        """Predictions are put into the cache all the time, on a thread, as pre-fill does."""
        door = self.session.cache
        jobs = {face.id: job for face in self.session.document if (job := prefill_job(face)) is not None}
        keys = {face_id: box_key(job) for face_id, job in jobs.items()}
        some = Prediction(self.truth[0], np.ones(len(self.truth[0])), "any", {"nnm": 1.0})

        def write() -> None:
            while True:
                with door.open() as cache:
                    cache.put_predictions("any", dict.fromkeys(keys, some), keys)
                time.sleep(0.05)

        threading.Thread(target=write, daemon=True).start()
