"""The one adapter from a plain generator to a thread.

The generator runs on a thread of its own; what it yields and returns arrives on the main thread,
in order. Cancelling is cooperative: between two items the generator is closed, so its ``finally``
blocks run, on the thread that ran it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from typing import Any

from PySide6.QtCore import QCoreApplication, QDeadlineTimer, QObject, Qt, QThread, Signal, Slot

Factory = Callable[[], Generator[Any, Any, Any]]

#: items that may wait for the main thread; then the generator pauses, so that it cannot flood the event loop
IN_FLIGHT = 4
#: how long a destroyed owner waits for an item to end; a thread that takes longer is left to end by itself
PATIENCE_MS = 10_000

# A QThread must outlive its run; this holds those whose worker has gone.
_running: set[_Runner] = set()


def end_all() -> None:
    """Stop whatever runs, and wait as long as it takes: Qt ends a program that destroys a thread which runs."""
    for runner in tuple(_running):
        runner.stop.set()
    for runner in tuple(_running):
        runner.wait()


class _Runner(QThread):
    """Runs one generator to its end."""

    item = Signal(object)

    def __init__(self, factory: Factory):
        super().__init__()
        self.stop = threading.Event()
        self.flow = threading.Event()
        self.room = threading.Semaphore(IN_FLIGHT)
        self.outcome = "cancelled"
        self.value: Any = None
        self._factory: Factory | None = factory

    def run(self) -> None:
        try:
            self._exhaust()
        except BaseException as error:  # whatever it is, the main thread must hear of it
            self.outcome, self.value = "failed", error
        self._factory = None

    def _exhaust(self) -> None:
        if self.stop.is_set() or self._factory is None:
            return
        generator = self._factory()
        try:
            while not self.stop.is_set():
                try:
                    item = next(generator)
                except StopIteration as end:
                    if not self.stop.is_set():
                        self.outcome, self.value = "returned", end.value
                    return
                self._hand_over(item)
        finally:
            generator.close()

    def _hand_over(self, item: Any) -> None:
        while not (self.stop.is_set() or self.flow.is_set()):
            if self.room.acquire(timeout=0.05):
                break
        if not self.stop.is_set():
            self.item.emit(item)

    @Slot()
    def leave(self) -> None:
        """Go, once the run is over; on the thread that made the runner, never on its own."""
        self.wait()
        _running.discard(self)
        self.deleteLater()

    @Slot()
    def end(self) -> None:
        """Stop between items and wait, within reason."""
        self.stop.set()
        self.wait(QDeadlineTimer(PATIENCE_MS))


class Worker(QObject):
    """Runs one generator at a time; the signals arrive on the thread that owns the worker.

    After the last item exactly one of ``returned``, ``failed`` and ``cancelled`` is emitted, then
    ``finished``; by then the worker may be started again. After :meth:`cancel` nothing is yielded
    and nothing is returned any more. A failure carries the exception with its traceback.
    Destroying the worker, or quitting the application, cancels and waits.
    """

    yielded = Signal(object)
    returned = Signal(object)
    failed = Signal(object)
    cancelled = Signal()
    finished = Signal()

    def __init__(self, parent: QObject | None = None):
        super().__init__(parent)
        self._runner: _Runner | None = None

    @property
    def is_running(self) -> bool:
        return self._runner is not None

    def start(self, generator_factory: Factory) -> None:
        """Make the generator on the new thread and run it.

        :raises RuntimeError: while another one runs
        """
        if self._runner is not None:
            raise RuntimeError("this worker is still busy")
        runner = _Runner(generator_factory)
        self._runner = runner
        _running.add(runner)
        queued = Qt.ConnectionType.QueuedConnection
        runner.item.connect(self._take, queued)
        runner.finished.connect(self._end, queued)
        runner.finished.connect(runner.leave, queued)
        self.destroyed.connect(runner.end)
        if application := QCoreApplication.instance():
            application.aboutToQuit.connect(runner.end)
        runner.start(QThread.Priority.LowPriority)

    def cancel(self) -> None:
        """Ask the generator to stop after the item it is at; returns at once."""
        if self._runner is not None:
            self._runner.stop.set()

    def wait(self, ms: int | None = None) -> bool:
        """Block until the thread has ended; ``False`` when ``ms`` milliseconds were not enough.

        The signals still arrive through the event loop.
        """
        if self._runner is None:
            return True
        self._runner.flow.set()
        return self._runner.wait(QDeadlineTimer(-1 if ms is None else ms))

    @Slot(object)
    def _take(self, item: object) -> None:
        runner = self._runner
        if runner is None:
            return
        runner.room.release()
        if not runner.stop.is_set():
            self.yielded.emit(item)

    @Slot()
    def _end(self) -> None:
        runner, self._runner = self._runner, None
        if runner is None:
            return
        runner.wait()
        outcome = "cancelled" if runner.stop.is_set() and runner.outcome == "returned" else runner.outcome
        value, runner.value = runner.value, None
        if outcome == "returned":
            self.returned.emit(value)
        elif outcome == "failed":
            self.failed.emit(value)
        else:
            self.cancelled.emit()
        self.finished.emit()
