"""All background work of an open project, in one place: boxes, pre-fill, refresh, hashing.

Each kind runs on a worker of its own. Pre-fill gives way to training: while a model is refreshed it
only serves the faces that come next, and the pool waits.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from scaf_gui.gui.messages import describe
from scaf_gui.gui.status import counted
from scaf_gui.gui.worker import Worker
from scaf_gui.session import bridging
from scaf_gui.session.events import (
    BoxBatch,
    HashesFound,
    PoolScored,
    PrefillBatch,
    RefreshResult,
    RefreshStarted,
    SimilarFound,
)
from scaf_gui.session.session import Session

#: added to the niceness of worker threads (Linux), so that the window goes first
NICENESS = 10


class Background(QObject):
    """Runs a session's generators and hands what they yield to the session."""

    work = Signal(str, str)  # name of a work and what it is at; "" when it has ended
    remark = Signal(str)  # one line for the status bar
    trouble = Signal(object)  # an exception
    device_known = Signal(object)  # "CPU, bfloat16: no CUDA device"
    model_changed = Signal()
    refresh_began = Signal()
    refresh_stage = Signal(str)
    refresh_progress = Signal(object)  # learning.training.Progress
    refresh_judged = Signal(object)  # RefreshResult
    refresh_ended = Signal(object, str)  # RefreshResult or a sentence, and its kind

    def __init__(self, session: Session, device: str = "auto", parent: QObject | None = None):
        super().__init__(parent)
        self._session = session
        self._device = device
        self._stopped = False
        self._box_total = self._fill_total = 0
        self._training = False  # between the click and the verdict
        self._trains = ""  # what the status line calls it
        self._needs_hashes = self._needs_similar = True
        self._halted: set[Worker] = set()  # stopped by the person or by an error: not started again by themselves
        self.refresh_options: dict[str, Any] = {}
        self.boxes = self._worker(self._boxes_yielded, self._boxes_ended)
        self.prefill = self._worker(self._prefill_yielded, self._prefill_ended)
        self.hashing = self._worker(self._hashes_yielded, self._hashing_ended)
        self.similar = self._worker(self._similar_yielded, lambda: self.work.emit("similar", ""))
        self.refresh = self._worker(self._refresh_yielded, self._refresh_done)
        self.refresh.returned.connect(lambda result: self.refresh_ended.emit(result, ""))
        self.refresh.failed.connect(lambda error: self.refresh_ended.emit(describe(error), "error"))
        self.refresh.cancelled.connect(self._refresh_cancelled)
        self.probe = Worker(self)
        self.probe.returned.connect(self.device_known)
        self.probe.failed.connect(self.trouble)

    def _worker(self, take: Any, ended: Any) -> Worker:
        worker = Worker(self)
        worker.yielded.connect(take)
        worker.failed.connect(lambda error: self._failed(worker, error))
        worker.finished.connect(ended)
        return worker

    def _failed(self, worker: Worker, error: object) -> None:
        self._halted.add(worker)
        if worker is not self.refresh:  # the panel says how a refresh ended
            self.trouble.emit(error)

    # -- asked from outside ----------------------------------------------------------------------

    def start(self, again: bool = False) -> None:
        """Begin whatever there is to do; to be called once the first image is painted, and after changes.

        :param again: also what was cancelled, or has failed, before
        """
        if self._stopped:
            return
        if again:
            self._halted.clear()
        self._start_boxes()
        if self._idle(self.refresh) and bridging.due(self._session):
            self.start_refresh()  # takes seconds: from the first label on, a new scheme is pre-filled
        self._start_prefill()
        if not self.boxes.is_running and not self.prefill.is_running:
            self._start_hashing()

    def start_device(self) -> None:
        """Load torch off the main thread, and say which device it will use."""
        if not self._stopped and not self.probe.is_running:
            wanted = self._device
            self.probe.start(lambda: _device(wanted))

    def start_refresh(self, thorough: bool = False) -> None:
        """Train on the labels as they are now: refine the model in use, or thoroughly, from the best start."""
        if self._stopped or self.refresh.is_running:
            return
        how = {"mode": "full", "preset": "thorough"} if thorough else {}
        generator = self._session.refresh(
            self._session.snapshot(), **{"device": self._device, **how, **self.refresh_options}
        )
        self._training = True
        self._trains = "Training thoroughly" if thorough else "Refreshing the model"
        self.work.emit("refresh", self._trains)
        self.refresh_began.emit()
        self.refresh.start(lambda: politely(generator, training=True))
        self._yield_to_training()

    def find_moved(self) -> None:
        """Look for images that are not where they were."""
        self._start_hashing()

    def cancel(self) -> bool:
        """Stop what runs; nothing is lost. Whether anything ran."""
        running = [worker for worker in self._workers() if worker.is_running]
        self._halted.update(running)
        self.cancel_refresh()
        for worker in running:
            worker.cancel()
        return bool(running)

    def cancel_refresh(self) -> None:
        """Stop training after the step it is at, which may take seconds: said at once."""
        if self.refresh.is_running:
            self.refresh.cancel()
            self.refresh_stage.emit("Stopping after this step…")
            self.work.emit("refresh", "Stopping…")

    def is_busy(self) -> bool:
        return any(worker.is_running for worker in self._workers())

    def halt(self) -> None:
        """Cancel everything for good, without waiting: nothing is handed to the session any more."""
        self._stopped = True
        self.blockSignals(True)
        self.cancel()
        self.probe.cancel()

    def stop(self) -> None:
        """:meth:`halt`, wait until the threads have ended (one may be loading torch, which takes seconds), and go."""
        self.halt()
        for worker in self.workers():
            worker.wait()
        self.deleteLater()

    @property
    def companions(self) -> Path:
        """The folder of models and cache that the work writes to."""
        return self._session.companions

    def workers(self) -> tuple[Worker, ...]:
        """All there are."""
        return (*self._workers(), self.probe)

    def _workers(self) -> tuple[Worker, ...]:
        return (self.refresh, self.prefill, self.boxes, self.hashing, self.similar)

    # -- boxes -----------------------------------------------------------------------------------

    def _start_boxes(self) -> None:
        if not self._idle(self.boxes) or not len(self._session.work.to_search):
            return
        self._box_total = len(self._session.work.to_search)
        self.work.emit("boxes", "Finding faces…")
        generator = self._session.find_boxes()
        self.boxes.start(lambda: politely(generator))

    def _boxes_yielded(self, event: object) -> None:
        self._take(event)
        if isinstance(event, BoxBatch):
            self.work.emit("boxes", counted("Finding faces", self._box_total - event.remaining, self._box_total))
        self._start_prefill()

    def _boxes_ended(self) -> None:
        self.work.emit("boxes", "")
        self._continue()

    # -- pre-fill --------------------------------------------------------------------------------

    def _start_prefill(self) -> None:
        session = self._session
        if not self._idle(self.prefill) or session.model is None or not len(session.work.to_predict):
            return
        if self._training and not self._next_are_missing():
            return
        self._fill_total = 0
        if session.work.owes_first_look():  # a second look at the next face is not worth a word
            self.work.emit("prefill", "Pre-filling…")
        generator = session.prefill(device=self._device)
        self.prefill.start(lambda: politely(generator))

    def _prefill_yielded(self, event: object) -> None:
        self._take(event)
        if isinstance(event, PrefillBatch):
            # faces found meanwhile join in, so the total is counted anew each time
            self._fill_total += len(event.predictions) + len(event.failed)
            if self._session.work.owes_first_look():
                total = self._fill_total + event.remaining
                self.work.emit("prefill", counted("Pre-filling", self._fill_total, total))
            if event.note:
                self.remark.emit(event.note)
        self._yield_to_training()

    def _prefill_ended(self) -> None:
        self.work.emit("prefill", "")
        self._continue()

    def _yield_to_training(self) -> None:
        if self._training and self.prefill.is_running and not self._next_are_missing():
            self.prefill.cancel()

    def _next_are_missing(self) -> bool:
        jobs = self._session.work.to_predict
        return any(jobs.get(face_id) is not None for face_id in self._session.wanted())

    # -- refresh ---------------------------------------------------------------------------------

    def _refresh_yielded(self, event: object) -> None:
        match event:
            case RefreshStarted():
                self.device_known.emit(event.device)
                held = f", {event.held_out} held out" if event.held_out else ""
                labels = f"{event.labels} label{'' if event.labels == 1 else 's'}"
                self.refresh_stage.emit(f"Training on {labels}{held}")
            case RefreshResult():
                self._training = False
                self._take(event)
                self.model_changed.emit()
                self.refresh_judged.emit(event)
                self.work.emit("refresh", "Scoring the queue")
            case PrefillBatch() | PoolScored():
                self._take(event)
            case _:
                self.refresh_progress.emit(event)
                left = getattr(event, "seconds_left", None)
                steps, step = getattr(event, "steps", 0), getattr(event, "step", 0)
                self.work.emit("refresh", counted(self._trains, step, steps, left))

    def _refresh_cancelled(self) -> None:
        if not self._stopped:
            self.refresh_ended.emit("Cancelled. The model you had stays.", "muted")

    def _refresh_done(self) -> None:
        self._training = False
        self._halted.discard(self.prefill)
        self.work.emit("refresh", "")
        self._continue()

    # -- hashing ---------------------------------------------------------------------------------

    def _start_hashing(self) -> None:
        if not self._idle(self.hashing) or not self._needs_hashes:
            return
        self._needs_hashes = False
        self.work.emit("hashing", "Fingerprinting the images…")
        generator = self._session.hash_images()
        self.hashing.start(lambda: politely(generator))

    def _hashes_yielded(self, event: object) -> None:
        self._take(event)
        if isinstance(event, HashesFound) and event.remaining:
            self.work.emit("hashing", f"Fingerprinting the images, {event.remaining:,} left")

    def _hashing_ended(self) -> None:
        self.work.emit("hashing", "")
        if self._idle(self.similar) and self._needs_similar:
            self._needs_similar = False
            generator = self._session.find_similar()
            self.similar.start(lambda: politely(generator))

    def _similar_yielded(self, event: object) -> None:
        self._take(event)
        if isinstance(event, SimilarFound) and event.groups is None:
            left = f", {event.remaining:,} left" if event.remaining else ""
            self.work.emit("similar", f"Comparing the images{left}")

    # --------------------------------------------------------------------------------------------

    def _take(self, event: object) -> None:
        line = self._session.take(event, by=self)
        if line and not isinstance(event, RefreshResult):
            self.remark.emit(line)

    def _continue(self) -> None:
        """Something has ended: start what waited for it."""
        if not self.refresh.is_running:
            self.start()

    def _idle(self, worker: Worker) -> bool:
        return not (self._stopped or worker.is_running or worker in self._halted)


def _device(wanted: str) -> Generator[object, None, str]:
    """Imports torch on the thread it runs on; returns which device will be used, and why."""
    step_back()
    yield None
    from scaf_gui.learning.loading import load_libraries

    load_libraries()
    from scaf_gui.learning.device import choose_device

    why = choose_device(wanted).why
    if not gc.get_freeze_count():
        # torch's half a million objects are there to stay: looking for garbage among them, now and again, would hold
        # the window up for a fifth of a second
        gc.freeze()
    return why


def politely(generator: Generator[Any, Any, Any], training: bool = False) -> Generator[Any, Any, Any]:
    """Run a generator so that the window keeps a processor to itself."""
    step_back()
    if training:
        import torch

        torch.set_num_threads(training_threads())
    return (yield from generator)


def training_threads() -> int:
    """All processors where training stands back by its niceness (Linux), all but one elsewhere; at least one."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return max(1, (os.cpu_count() or 2) - 1)


def step_back() -> None:
    """Lower this thread's priority; only Linux knows a niceness per thread, and Qt's priorities do nothing there."""
    if sys.platform == "linux":
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        except OSError:
            return
