"""An open project on the main thread: document, store, queue and model move together here.

Everything public is called on the main thread, but for :meth:`Session.read`, :meth:`Session.wanted`
and the bodies of the generators, which run on workers. A generator touches nothing of the session:
it gets frozen jobs and yields frozen events, which the main thread hands to :meth:`Session.take`::

    worker.yielded.connect(session.take)     # Progress and other foreign values are ignored
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaf_gui.core.arrays import ByteArray
from scaf_gui.core.document import Document
from scaf_gui.core.edits import Edit
from scaf_gui.core.queue import Queue
from scaf_gui.core.scheme import Scheme
from scaf_gui.session.events import (
    BoxBatch,
    HashesFound,
    ModelInfo,
    PrefillBatch,
    RefreshResult,
    TrainingSnapshot,
)

if TYPE_CHECKING:
    from scaf_gui.io.store import ProjectStore

Wanted = Callable[[], Sequence[int]]


class Session:
    """One open project. Made by :func:`scaf_gui.session.project.new_project` and ``open_project``.

    Attributes (read them, do not set them, but for ``current``, ``user``, ``acquisition`` and ``discard``):

    - ``document`` faces, predictions, undo; subscribe to it to learn what changed
    - ``store`` the project file; ``path`` where it lies; ``scheme``; ``folder`` the image folder
    - ``queue`` (core ``Queue``) the order of work; announced by ``subscribe_queue``-free polling: a new
      frozen value replaces the old one, and ``on_queue`` (a callable or ``None``) is called then
    - ``model`` the model that pre-fills (``ModelInfo``), own or starter; ``None``: there is none
    - ``notice`` one sentence about how the project was opened ("" if there is nothing to say): a moved or
      vanished image folder, a journal that is not a write-ahead log
    - ``user`` name written into labels; ``acquisition`` name of the acquisition function; ``discard`` share set aside
    - ``companions`` folder of models/ and cache.h5
    """

    document: Document
    store: ProjectStore
    scheme: Scheme
    queue: Queue
    folder: Path
    path: Path
    companions: Path
    model: ModelInfo | None
    notice: str
    user: str
    acquisition: str
    discard: float
    on_queue: Callable[[], None] | None

    @property
    def current(self) -> int | None:
        """The face being worked on; setting it puts it and its successors first in all background work."""
        raise NotImplementedError

    @current.setter
    def current(self, face_id: int | None) -> None:
        raise NotImplementedError

    def edit(self, edit: Edit, by: object = None) -> None:
        """Apply an edit: durable before it shows. Raises :class:`EditError`; then nothing has happened."""
        raise NotImplementedError

    def undo(self, by: object = None) -> Edit | None:
        """Take the last edit back; returns what was performed (its faces are worth showing), ``None`` if none."""
        raise NotImplementedError

    def redo(self, by: object = None) -> Edit | None:
        raise NotImplementedError

    def next_face(self, after: int | None = None) -> int | None:
        """The face that waits behind ``after`` (default: the current one) in the queue; ``None``: all done."""
        raise NotImplementedError

    def wanted(self) -> tuple[int, ...]:
        """Current face, the next one, and some more: what background work does first. Safe on any thread."""
        raise NotImplementedError

    def read(self, image: str) -> ByteArray:
        """An image of the project, (height, width, 3) uint8 RGB, upright. Safe on any thread.

        :raises ImageError, FolderError: it cannot be read, or the whole folder is gone
        """
        raise NotImplementedError

    def snapshot(self) -> TrainingSnapshot:
        """The labelled faces and the pool as they are now, for :meth:`refresh`."""
        raise NotImplementedError

    def find_boxes(self, wanted: Wanted | None = None) -> Generator[BoxBatch, None, int]:
        """Find faces in all photos that have no box yet (by the project's box source), wanted ones first.

        Yields small batches, a wanted face's at once; returns the number of photos. Nothing to do: ends at once.
        """
        raise NotImplementedError

    def prefill(self, wanted: Wanted | None = None, device: str = "auto") -> Generator[PrefillBatch, None, int]:
        """Predict every face that has a box and no prediction of the current model, wanted ones first.

        Cached predictions come first. Faces that get a box while it runs are taken in. It ends when all
        is done; start it again after new boxes (:meth:`take`), a drawn box or a new model. Without a
        model it ends at once. Returns the number of faces predicted.
        """
        raise NotImplementedError

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

        Yields ``learning.training.Progress`` values, then one :class:`RefreshResult`, then
        :class:`PoolScored`; returns the :class:`RefreshResult`.

        :param judge: ``False`` trains on every label and takes the new model without comparison
        :raises TooFewLabelsError, TrainingError, DeviceError, CheckpointError: nothing has changed
        """
        raise NotImplementedError

    def hash_images(self, wanted: Wanted | None = None) -> Generator[HashesFound, None, int]:
        """Content hashes of the images that have none, by which a moved folder's images are found again."""
        raise NotImplementedError

    def take(self, event: object, by: object = None) -> str:
        """Take in what a generator yielded or returned: boxes, hashes, predictions, scores, a model.

        Never touches a label or a box of a person's. Returns a line for the status bar where a person should know
        ("No face found in a.jpg: draw a box around it"), else "". Values of other types are ignored.
        """
        raise NotImplementedError

    def relocate(self, folder: Path) -> str:
        """Look for the images in another folder: by relative path, then by content. Returns a summary.

        :raises FolderError: the folder holds none of them; nothing has changed
        """
        raise NotImplementedError

    def close(self) -> None:
        """Save where we are and fold the log into the one file. Idempotent. Stop the workers first."""
        raise NotImplementedError
