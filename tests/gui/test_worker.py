"""The generator adapter: order, threads, cancelling, failing, and dying in every order."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Generator

import pytest
from PySide6.QtCore import QObject, QThread, QTimer
from pytestqt.qtbot import QtBot

from scaf_gui.errors import TrainingError
from scaf_gui.gui import worker as worker_module
from scaf_gui.gui.worker import IN_FLIGHT, Worker


class Log:
    """Everything a worker says, with the thread it said it on."""

    def __init__(self, worker: Worker):
        self.said: list[tuple[str, object]] = []
        self.threads: set[int] = set()
        worker.yielded.connect(lambda item: self._note("yielded", item))
        worker.returned.connect(lambda value: self._note("returned", value))
        worker.failed.connect(lambda error: self._note("failed", error))
        worker.cancelled.connect(lambda: self._note("cancelled", None))
        worker.finished.connect(lambda: self._note("finished", None))

    def _note(self, what: str, value: object) -> None:
        self.said.append((what, value))
        self.threads.add(threading.get_ident())

    @property
    def kinds(self) -> list[str]:
        return [what for what, _ in self.said]


def count(to: int, where: list[int] | None = None, pause: float = 0.0) -> Generator[int, None, str]:
    for number in range(to):
        if where is not None:
            where.append(threading.get_ident())
        time.sleep(pause)
        yield number
    return "done"


def test_items_arrive_in_order_on_the_main_thread(qtbot: QtBot) -> None:
    worker, ran_on = Worker(), []
    log = Log(worker)
    with qtbot.waitSignal(worker.finished):
        worker.start(lambda: count(50, ran_on))
        assert worker.is_running
    assert [value for what, value in log.said if what == "yielded"] == list(range(50))
    assert log.said[-2:] == [("returned", "done"), ("finished", None)]
    assert log.threads == {threading.get_ident()}
    assert set(ran_on).isdisjoint(log.threads)
    assert not worker.is_running


def test_a_failure_keeps_its_traceback(qtbot: QtBot) -> None:
    def stumbles() -> Generator[int, None, None]:
        yield 1
        raise TrainingError("loss is not a number")

    worker = Worker()
    log = Log(worker)
    with qtbot.waitSignal(worker.finished):
        worker.start(stumbles)
    assert log.kinds == ["yielded", "failed", "finished"]
    error = log.said[1][1]
    assert isinstance(error, TrainingError)
    assert "stumbles" in "".join(traceback.format_exception(error))


def test_a_factory_that_fails_is_a_failure(qtbot: QtBot) -> None:
    def broken() -> Generator[int, None, None]:
        raise OSError("no such model")

    worker = Worker()
    with qtbot.waitSignal(worker.failed) as failed:
        worker.start(broken)
    assert isinstance(failed.args[0], OSError)


def test_cancel_closes_the_generator_between_items(qtbot: QtBot) -> None:
    closed = threading.Event()

    def endless() -> Generator[int, None, None]:
        try:
            while True:
                time.sleep(0.001)
                yield 0
        finally:
            closed.set()

    worker = Worker()
    log = Log(worker)
    worker.start(endless)
    qtbot.waitUntil(lambda: "yielded" in log.kinds)
    with qtbot.waitSignal(worker.finished):
        worker.cancel()
        heard = len(log.said)
    assert closed.is_set()
    assert log.kinds[heard:] == ["cancelled", "finished"]


def test_a_result_that_comes_after_cancel_is_not_delivered(qtbot: QtBot) -> None:
    go_on = threading.Event()

    def last_step() -> Generator[int, None, str]:
        go_on.wait(5)
        return "too late"
        yield 0

    worker = Worker()
    log = Log(worker)
    worker.start(last_step)
    worker.cancel()
    with qtbot.waitSignal(worker.finished):
        go_on.set()
    assert log.kinds == ["cancelled", "finished"]


def test_cancel_when_the_result_is_already_queued(qtbot: QtBot) -> None:
    worker = Worker()
    log = Log(worker)
    worker.start(lambda: count(0))
    assert worker.wait(5000)
    with qtbot.waitSignal(worker.finished):
        worker.cancel()
    assert log.kinds == ["cancelled", "finished"]


def test_a_fast_generator_waits_for_the_event_loop(qtbot: QtBot) -> None:
    made: list[int] = []
    worker = Worker()
    worker.start(lambda: count(1000, made))
    time.sleep(0.2)  # the event loop does not turn meanwhile
    assert len(made) <= IN_FLIGHT + 1
    with qtbot.waitSignal(worker.returned):
        pass
    assert len(made) == 1000


def test_the_event_loop_turns_while_items_pour_in(qtbot: QtBot) -> None:
    worker, beats = Worker(), []
    timer = QTimer()
    timer.timeout.connect(lambda: beats.append(time.perf_counter()))
    timer.start(5)
    with qtbot.waitSignal(worker.finished, timeout=10_000):
        worker.start(lambda: count(2000))
    timer.stop()
    assert len(beats) > 2


def test_wait_does_not_wait_for_itself(qtbot: QtBot) -> None:
    worker = Worker()
    log = Log(worker)
    worker.start(lambda: count(100))
    assert worker.wait(5000)
    qtbot.waitUntil(lambda: "finished" in log.kinds)
    assert log.kinds.count("yielded") == 100


def test_wait_gives_up_in_time(qtbot: QtBot) -> None:
    worker = Worker()
    worker.start(lambda: count(1, pause=0.3))
    assert not worker.wait(20)
    with qtbot.waitSignal(worker.finished):
        worker.cancel()
    assert worker.wait(0)


def test_one_generator_at_a_time_and_again_afterwards(qtbot: QtBot) -> None:
    worker = Worker()
    with qtbot.waitSignal(worker.finished):
        worker.start(lambda: count(3, pause=0.01))
        with pytest.raises(RuntimeError, match="busy"):
            worker.start(lambda: count(1))
    with qtbot.waitSignal(worker.returned) as again:
        worker.start(lambda: count(1))
    assert again.args == ["done"]
    qtbot.waitUntil(lambda: not worker.is_running)


def test_the_next_one_may_start_in_the_handler_of_the_last(qtbot: QtBot) -> None:
    worker, results = Worker(), []

    def chain(value: object) -> None:
        results.append(value)
        if len(results) < 3:
            worker.start(lambda: count(1))

    worker.returned.connect(chain)
    worker.start(lambda: count(1))
    qtbot.waitUntil(lambda: len(results) == 3)


def test_an_owner_may_be_destroyed_while_it_runs(qtbot: QtBot) -> None:
    closed, started = threading.Event(), threading.Event()

    def endless() -> Generator[int, None, None]:
        try:
            while True:
                started.set()
                time.sleep(0.002)
                yield 0
        finally:
            closed.set()

    owner = QObject()
    worker = Worker(owner)
    worker.start(endless)
    assert started.wait(5)
    with qtbot.waitSignal(owner.destroyed):
        owner.deleteLater()
    assert closed.is_set()
    del worker
    qtbot.waitUntil(lambda: not worker_module._running)


def test_threads_are_not_left_behind(qtbot: QtBot) -> None:
    worker = Worker()
    for _ in range(20):
        with qtbot.waitSignal(worker.finished):
            worker.start(lambda: count(2))
    qtbot.waitUntil(lambda: not worker_module._running)
    assert worker.findChildren(QThread) == []
    assert threading.active_count() < 10
