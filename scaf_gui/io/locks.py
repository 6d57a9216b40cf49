"""One writer at a time: a lock file that the system frees when its process ends, however that happens."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from scaf_gui.errors import InputError


@contextmanager
def locked(path: Path, wanted: bool = True) -> Iterator[None]:
    """Hold ``NAME.lock`` beside a file that is going to be written.

    :param wanted: false for helpers of the process that holds it
    :raises InputError: another process is writing there
    """
    if not wanted:
        yield
        return
    lock = path.with_name(path.name + ".lock")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        # Text of a dead process stays in the file; whether it is locked, only the system says.
        stream = lock.open("a+", encoding="ascii")
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror or error})", lock) from error
    with stream:
        if not _take(stream):
            stream.seek(0)
            owner = stream.read(20).strip() or "unknown"
            raise InputError(f"is being written by another run (process {owner}); wait for it, or stop it", path)
        try:
            _sign(stream, str(os.getpid()))
            yield
        finally:
            _sign(stream, "")
    # A file that is removed while another process opens it would be locked twice: it stays, empty.


def _sign(stream: IO[str], owner: str) -> None:
    """Say who holds the lock. A full disk has no room for that, and the lock holds all the same."""
    try:
        os.ftruncate(stream.fileno(), 0)
        os.write(stream.fileno(), owner.encode("ascii"))
    except OSError:
        pass


if sys.platform == "win32":
    import msvcrt

    #: Windows lets nobody read a locked byte, and readers ask for whole buffers: far behind what they may ask for
    _FAR = 1 << 30

    def _take(stream: IO[str]) -> bool:
        stream.seek(_FAR)
        try:
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _take(stream: IO[str]) -> bool:
        try:
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
