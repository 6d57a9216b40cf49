"""An open project on the main thread: document, store, queue and model move together here.

Everything public is called on the main thread, but for :meth:`Session.read`, :meth:`Session.wanted`
and the bodies of the generators, which run on workers. A generator touches nothing of the session:
it gets frozen jobs and yields frozen events, which the main thread hands to :meth:`Session.take`::

    generator = session.prefill()            # on the main thread: freezes what it needs
    worker = Worker(lambda: generator)       # its body runs on the worker's
    worker.yielded.connect(session.take)     # Progress and other foreign values are ignored
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from scaf_gui.core.arrays import ByteArray
from scaf_gui.core.document import Changed, Document
from scaf_gui.core.edits import Edit
from scaf_gui.core.foreseen import Foreseen
from scaf_gui.core.history import History, Step
from scaf_gui.core.queue import Queue
from scaf_gui.errors import FolderError
from scaf_gui.paths import project_companions
from scaf_gui.session import boxes, images, intake, models, prefill, refresh
from scaf_gui.session.agenda import Agenda
from scaf_gui.session.blind import Blind
from scaf_gui.session.check import LabelCheck
from scaf_gui.session.events import (
    BoxBatch,
    HashesFound,
    ImagesMoved,
    ModelInfo,
    PrefillBatch,
    RefreshResult,
    SimilarFound,
    TrainingSnapshot,
)
from scaf_gui.session.expected import Expected
from scaf_gui.session.instant import Instant
from scaf_gui.session.shape import Shapes
from scaf_gui.session.similar import SIMILAR, Similar, find_similar
from scaf_gui.session.snapshot import take_snapshot
from scaf_gui.session.workload import Workload

if TYPE_CHECKING:
    from scaf_gui.io.store import ProjectStore

#: called on a worker's thread: ids of the faces to do first
Wanted = Callable[[], Sequence[int]]


class Session:
    """One open project. Made by :func:`scaf_gui.session.project.new_project` and ``open_project``.

    Attributes (read them; to be set are only ``current``, ``user`` and those of ``agenda`` and ``instant``):

    - ``document`` faces, predictions, undo; subscribe to it to learn what changed
    - ``store`` the project file; ``path`` where it lies; ``scheme``; ``folder`` the image folder
    - ``queue`` (core ``Queue``) the order of work: a frozen value that is replaced as a whole;
      ``agenda.on_change`` (a callable or ``None``) is called then
    - ``agenda`` keeps the queue; its ``acquisition`` and ``discard`` may be set
    - ``instant`` learns from each accepted face at once; ``instant.enabled`` may be set
    - ``model`` the model that pre-fills (``ModelInfo``), own or starter; ``None``: there is none; ``models``: history
    - ``expected`` expected errors of predictions, calibrated on faces drawn at random, and the finish line
    - ``shapes`` how errors of landmarks hang together, for drags that the shape follows
    - ``check`` the label check: slips in labels, what is fine as it is, how faces were accepted
    - ``similar`` which photos look alike, once they have been found
    - ``problems`` one line by face id: no face found, image unreadable
    - ``notice`` one sentence about how the project was opened ("" if there is nothing to say)
    - ``user`` name written into labels
    - ``companions`` folder of models/ and cache.h5
    """

    def __init__(self, store: ProjectStore, user: str = "user", notice: str = ""):
        self.store = store
        self.scheme = store.scheme
        self.path = store.path
        self.companions = project_companions(self.path)
        self.folder: Path = store.image_folder
        self.user = user
        self.problems: dict[int, str] = {}
        faces = store.faces()
        history = History(store.undo_stack(user, faces), store.join_last)
        self.document = Document(self.scheme, faces, self._commit, store.highest_id(), history)
        self.agenda = Agenda(self.document, store)
        model, model_note = models.current_model(store, self.companions, self.scheme)
        self.notice = "; ".join(note for note in (notice, store.found, model_note, store.journal_note) if note)
        #: what the generators work through and with
        self.work = Workload(self.document, store, model)
        self.box_source = str(store.get("boxes", "detector"))
        self.cache = prefill.CacheDoor(self.companions / "cache.h5")
        self.predictors = prefill.PredictorDoor()
        self.similar = Similar(self.document, store.get(SIMILAR))
        self._refreshing = Lock()
        self._closed = False
        # before the agenda: it asks whether a face stood where it did by chance, as it was when it was labelled
        self.expected = Expected(self.document, store, self.agenda, self.work, self.companions)
        self.document.subscribe(self._was_looked_at)
        self.document.subscribe(self.agenda.document_changed)
        self.agenda.on_ahead = self._ahead_changed
        self._ahead_changed()
        # after all others: they see a label together with the prediction that it was made from
        self.instant = Instant(self.document, self.agenda, self.work)
        self.check = LabelCheck(self.document, store, lambda: self.folder, self._foreseen)
        self.blind = Blind(self.document, store, self.agenda.seed)
        self.shapes = Shapes(self.document, self.work, self.expected)

    def _commit(self, edit: Edit, step: Step) -> None:
        self.store.commit(edit, step, self.user)

    def _foreseen(self, face_id: int) -> Foreseen | None:
        """What the label check may hold against the landmarks of a face: nothing that is kept back from a person."""
        prediction = None if self.blind.hides(face_id) else self.document.shown(face_id)
        return self.expected.foreseen(prediction, self.shapes.model) if prediction is not None else None

    def _was_looked_at(self, changed: Changed) -> None:
        for face_id in changed.face_ids:
            if changed.part == "face" and intake.CHANGED in self.problems.get(face_id, ""):
                del self.problems[face_id]

    def _ahead_changed(self) -> None:
        self.work.come_next(self.agenda.ahead, self.agenda.current)

    @property
    def model(self) -> ModelInfo | None:
        """The model that pre-fills, own or starter."""
        return self.work.model

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """The project's own models, oldest first."""
        return models.history(self.store, self.companions)

    @property
    def queue(self) -> Queue:
        return self.agenda.queue

    @property
    def current(self) -> int | None:
        """The face being worked on; setting it puts it and its successors first in all background work."""
        return self.agenda.current

    @current.setter
    def current(self, face_id: int | None) -> None:
        self.agenda.current = face_id

    def edit(self, edit: Edit, by: object = None) -> None:
        """Apply an edit: durable before it shows. Raises :class:`EditError`; then nothing has happened."""
        self.document.apply(edit, by)

    def undo(self, by: object = None) -> Edit | None:
        """Take the last edit back; returns what was performed (its faces are worth showing), ``None`` if none."""
        return self.document.undo(by)

    def redo(self, by: object = None) -> Edit | None:
        return self.document.redo(by)

    def next_face(self, after: int | None = None) -> int | None:
        """The face that waits behind ``after`` (default: the current one) in the queue; ``None``: all done."""
        return self.agenda.next_face(after)

    def wanted(self) -> tuple[int, ...]:
        """Current face, the next one, and some more: what background work does first. Safe on any thread."""
        return self.agenda.ahead

    def read(self, image: str) -> ByteArray:
        """An image of the project, (height, width, 3) uint8 RGB, upright. Safe on any thread.

        :raises ImageError, FolderError: it cannot be read, or the whole folder is gone
        """
        from scaf_gui.io.images import read_image

        folder = self.folder
        if not folder.is_dir():
            raise FolderError("the image folder is gone; say where it is now", folder)
        return read_image(folder / image)

    def snapshot(self) -> TrainingSnapshot:
        """The labelled faces and the pool as they are now, for :meth:`refresh`."""
        return take_snapshot(self)

    def find_boxes(self, wanted: Wanted | None = None) -> Generator[BoxBatch, None, int]:
        """Find faces in all photos that have no box yet (by the project's box source), wanted ones first.

        Yields small batches, a wanted face's at once; returns the number of photos. Nothing to do: ends at once.
        """
        names = tuple(dict.fromkeys(face.image for face in self.document))
        return boxes.find_boxes(
            self.work.to_search, wanted or self.wanted, self.box_source, self.folder, self.scheme, names
        )

    def prefill(self, wanted: Wanted | None = None, device: str = "auto") -> Generator[PrefillBatch, None, int]:
        """Predict every face that has a box and no prediction of the current model, wanted ones first.

        Cached predictions come first. Faces that get a box while it runs are taken in. It ends when all
        is done; start it again after new boxes (:meth:`take`), a drawn box or a new model. Without a
        model it ends at once. Returns the number of faces predicted.
        """
        return prefill.prefill(
            self.work.to_predict,
            wanted or self.wanted,
            self.model,
            self.scheme,
            self.folder,
            self.cache,
            self.predictors,
            device,
        )

    def refresh(
        self,
        snapshot: TrainingSnapshot,
        mode: str = "quick",
        preset: str = "default",
        seed: int | None = None,
        device: str = "auto",
        max_seconds: float | None = None,
        judge: bool = True,
    ) -> Generator[Any, None, RefreshResult]:
        """Train on the snapshot, judge old against new, score a sample of the pool.

        Yields :class:`RefreshStarted`, the trainer's ``Progress`` values, one :class:`RefreshResult`, a
        :class:`PrefillBatch` of the wanted faces and :class:`PoolScored`; returns the :class:`RefreshResult`.

        :param judge: ``False`` trains on every label and takes the new model without comparison
        :raises TooFewLabelsError, TrainingError, DeviceError, CheckpointError: nothing has changed; TrainingError
            also while another refresh of this session runs
        """
        plan = refresh.Plan(mode, preset, snapshot.seed if seed is None else seed, device, max_seconds, judge)
        run = refresh.refresh(snapshot, plan, self.wanted, self.cache, self.predictors)
        return refresh.alone(run, self._refreshing)

    def hash_images(self, wanted: Wanted | None = None) -> Generator[HashesFound | ImagesMoved, None, int]:
        """Content hashes of the images that have none, by which moved images are found again.

        Images that are not where they were are looked for first.
        """
        first = {self.document.face(i).image for i in (wanted or self.wanted)() if i in self.document}
        names = dict.fromkeys([*first, *(face.image for face in self.document)])
        return images.hash_images(self.folder, tuple(names), self.store.image_stamps())

    def find_similar(self) -> Generator[SimilarFound, None, tuple[tuple[str, ...], ...]]:
        """Which photos are near-identical, by what they look like; fingerprints are cached."""
        images: dict[str, int] = {}
        for face in self.document:
            images.setdefault(face.image, face.id)
        return find_similar(self.folder, images, self.cache, self.store.get(SIMILAR))

    def take(self, event: object, by: object = None) -> str:
        """Take in what a generator yielded or returned: boxes, hashes, predictions, scores, a model.

        Never touches a label or a box of a person's. Returns a line for the status bar where a person should know
        ("No face found in a.jpg: draw a box around it"), else "". Values of other types are ignored.
        """
        return intake.take(self, event, by)

    def relocate(self, folder: Path) -> str:
        """Look for the images in another folder: by relative path, then by content. Returns a summary.

        :raises FolderError: the folder holds none of them; nothing has changed
        """
        return intake.relocate(self, folder)

    def close(self) -> None:
        """Save where we are and fold the log into the one file. Idempotent. Stop the workers first."""
        if self._closed:
            return
        self._closed = True
        try:
            self.agenda.save()
            self.blind.save()
            self.store.keep_copy()
        finally:
            self.store.close()
