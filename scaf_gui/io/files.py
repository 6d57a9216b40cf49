"""Files that are replaced whole, and locks between processes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from scaf_gui.errors import InputError
from scaf_gui.replace import replace_by

_POLL = 0.05  # seconds


def replace_file(path: Path, content: bytes) -> None:
    """Write beside, then rename: the old file or the new one, never a part.

    :raises InputError: the disk is full, or the folder cannot be written
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content)
        replace_by(beside, path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise InputError(f"cannot be written ({error.strerror})", path) from error


def wait_for_disk(handle: int) -> None:
    """Return when what was written to an open file is on the disk for good.

    :raises OSError: the disk, or a server, did not take it
    """
    if sys.platform == "darwin":
        import fcntl

        # there, fsync leaves it in the disk's own memory; not every file system knows more
        with suppress(OSError):
            fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
            return
    os.fsync(handle)


@contextmanager
def locked(path: Path, wait: float | None = 0.0) -> Iterator[bool]:
    """Hold the lock that a file stands for; says whether it could be had.

    The system lets go of it when the process ends, however it ends.
    The (empty) file stays behind: to remove it would let two processes hold locks of one name.

    :param wait: seconds to try for; ``None``: until it is free
    :raises InputError: the file cannot be made
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", path) from error
    try:
        until = None if wait is None else time.monotonic() + wait
        held = _take(handle)
        while not held and (until is None or time.monotonic() < until):
            time.sleep(_POLL)
            held = _take(handle)
        yield held
    finally:
        os.close(handle)


def _take(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
