"""Open a project for a command, and drive the session's generators to their ends."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from scaf_gui.cli.output import Progress
from scaf_gui.errors import ScafError
from scaf_gui.session.session import Session
from scaf_gui.settings import Settings

Result = TypeVar("Result")


@contextmanager
def opened(path: Path, progress: Progress) -> Iterator[Session]:
    """The project, closed in any case: what was done so far is kept."""
    from scaf_gui.session.project import open_project

    session = open_project(path, Settings())
    progress.say(session.notice)
    try:
        yield session
    except BaseException:
        with suppress(ScafError):  # what went wrong first is what is told
            session.close()
        raise
    session.close()


def drive(session: Session, title: str, work: Generator[Any, None, Result], progress: Progress) -> Result:
    """Take in all that a generator of the session yields; returns what it returns."""
    total = 0

    def take(event: Any) -> None:
        nonlocal total
        progress.say(session.take(event))
        left = getattr(event, "remaining", None)
        if left is not None:
            total = max(total, left + 1)
            progress(title, total - left, total)
        elif hasattr(event, "steps"):
            show_training(event, progress)

    return _exhaust(work, take, progress)


def follow(title: str, work: Generator[tuple[int, int], None, Result], progress: Progress) -> Result:
    """Run a job that says how much of how much is done; returns what it returns."""
    return _exhaust(work, lambda so_far: progress(title, *so_far), progress)


def _exhaust(work: Generator[Any, None, Result], take: Callable[[Any], object], progress: Progress) -> Result:
    try:
        while True:
            take(next(work))
    except StopIteration as end:
        result: Result = end.value
        return result
    finally:
        work.close()
        progress.clear()


def show_training(event: Any, progress: Progress) -> None:
    """A training step: epoch, loss and time left."""
    if event.note:
        progress.say(event.note)
    note = f"epoch {event.epoch}/{event.epochs}, loss {event.loss:.4g}, {event.seconds_left:.0f} s left"
    progress("Training", event.step, event.steps, note)


def restore(session: Session) -> None:
    """Bring back the predictions that an earlier run has cached. Needs no torch."""
    from scaf_gui.session.prefill import cached

    if session.model is not None:
        for batch in cached(session.work.to_predict, session.wanted, session.model, session.cache, {}):
            session.take(batch)


def find_boxes(session: Session, progress: Progress) -> list[str]:
    """Search the photos that have not been searched; returns the images without a box."""
    drive(session, "Finding faces", session.find_boxes(), progress)
    return list(dict.fromkeys(face.image for face in session.document if face.box is None and face.label is None))
