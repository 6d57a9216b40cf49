"""The hand-over of jobs from the main thread to a worker: frozen jobs, behind one lock.

The main thread adds and removes jobs while a generator works through them; a job stays until the
main thread has taken in its result, so that a cancelled worker loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from threading import Lock
from typing import Generic, TypeVar

Job = TypeVar("Job")


class Worklist(Generic[Job]):
    """Jobs by face id, in the order in which they came."""

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._jobs)

    def put(self, jobs: Mapping[int, Job]) -> None:
        """Add jobs; one of a face that has one already takes its place."""
        with self._lock:
            self._jobs.update(jobs)

    def remove(self, face_ids: Iterable[int]) -> None:
        with self._lock:
            for face_id in face_ids:
                self._jobs.pop(face_id, None)

    def clear(self) -> None:
        with self._lock:
            self._jobs.clear()

    def get(self, face_id: int) -> Job | None:
        with self._lock:
            return self._jobs.get(face_id)

    def any(self, test: Callable[[Job], bool]) -> bool:
        """Whether a job passes a test."""
        with self._lock:
            return any(map(test, self._jobs.values()))

    def pick(self, wanted: Sequence[int], count: int, done: dict[int, Job]) -> tuple[dict[int, Job], int]:
        """Up to ``count`` jobs, those of ``wanted`` first, and how many others are left.

        :param done: jobs the worker has finished; those whose result has been taken in, and those that
            have changed since and are due again, are deleted from it
        """
        chosen: dict[int, Job] = {}
        with self._lock:
            for face in [face for face, job in done.items() if self._jobs.get(face) != job]:
                del done[face]
            for face in chain(wanted, self._jobs):
                if len(chosen) == count:
                    break
                if face in self._jobs and face not in done:
                    chosen[face] = self._jobs[face]
            return chosen, len(self._jobs) - len(done) - len(chosen)
