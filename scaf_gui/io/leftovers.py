"""What a crash, or a person tidying up, left beside a project: looked at before SQLite takes it for granted.

A project that is open, or was not closed, has a write-ahead log, ``NAME.scaf-wal``, that belongs to it. SQLite
replays whatever log it finds beside a file. One that belongs to another file (an older copy was put in the place of the
project, or a new project was made where a crashed one had been) would ruin what is there, and the log too.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing, suppress
from pathlib import Path

from scaf_gui.errors import ProjectError
from scaf_gui.replace import rename_to

#: byte of a database's header, and what it holds while a write-ahead log may belong to the file
_READ_VERSION, _WITH_LOG = 19, 2
#: bytes of a file that SQLite locks, on every system; see https://www.sqlite.org/src/file/src/os.h
_LOCKED_AT, _LOCKED = 0x40000000, 512
_DIFFERENT = "its log {log} does not fit it: where you have put a copy in its place, move the log away"


def settle(path: Path) -> str:
    """Make sure that the log beside a project, if there is any, is its own.

    :param path: a database that is no other process's at the moment (then nothing is looked at)
    :returns: one sentence for the person, "" where nothing is odd
    :raises ProjectError: file and log are damaged together; neither has been touched
    """
    real = Path(os.path.realpath(path))  # where SQLite has the log
    log = real.with_name(real.name + "-wal")
    expected, size = _expects_log(real), log.stat().st_size if log.exists() else -1
    if size == 0 or (size < 0 and not expected) or _is_in_use(real):
        return ""
    if not expected:
        return _set_aside(log)
    if size < 0:
        return _keep_as_found(path, log)
    _check_together(path, real, log)
    return ""


def free_name(path: Path) -> Path:
    """The path, or one with a number where there is something already."""
    candidate, number = path, 1
    while os.path.lexists(candidate):
        number += 1
        candidate = path.with_name(f"{path.name}-{number}")
    return candidate


def take_name(beside: Path, path: Path) -> None:
    """Give a finished file its name, which nobody else has taken meanwhile.

    :raises FileExistsError: somebody has
    """
    if os.name == "nt":
        rename_to(beside, path)  # replaces nothing there
        return
    try:
        os.link(beside, path)  # a rename would replace what is there
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        beside.rename(path)
    else:
        beside.unlink()


def _expects_log(path: Path) -> bool:
    """Whether the file says that a log may belong to it. One that was closed, or made as a copy, says no."""
    try:
        with path.open("rb") as file:
            return file.read(100)[_READ_VERSION] == _WITH_LOG
    except (OSError, IndexError):
        return False


def _set_aside(log: Path) -> str:
    aside = free_name(log.with_name(log.name + ".other"))
    try:
        rename_to(log, aside)
    except OSError as error:
        raise ProjectError(
            f"cannot be opened safely: beside it lies {log.name}, the log of another file, which cannot be renamed "
            f"({error.strerror}); move it away, and open the project again",
            log.with_name(log.name.removesuffix("-wal")),
        ) from error
    return (
        f"Beside the project lay {log.name}, the log of another file of its name: it was not taken in, and is kept as "
        f"{aside.name}"
    )


def _keep_as_found(path: Path, log: Path) -> str:
    """A file that was moved or copied without its log: nothing in there is lost as long as neither is written to."""
    kept = free_name(log.with_name(log.name.removesuffix("-wal") + ".as-found"))
    try:
        shutil.copy2(path, kept)
    except OSError as error:
        kept.unlink(missing_ok=True)
        raise ProjectError(
            f"was moved or copied without {log.name}, which may hold its last labels, and there is no room to keep it "
            f"as it is ({error.strerror}); free some space, or put the two together again",
            path,
        ) from error
    return (
        f"This project was not closed, and {log.name} is not beside it. If it was moved or copied without that file, "
        f"its last labels are in there: put {kept.name}, the project as it was found, beside it under its old name"
    )


def _check_together(path: Path, real: Path, log: Path) -> None:
    """Look at copies of both: opening the file itself would write the log into it, whatever comes of that."""
    with tempfile.TemporaryDirectory(prefix="scaf-gui-", ignore_cleanup_errors=True) as name:
        copy = Path(name) / "copy.scaf"
        try:
            shutil.copyfile(real, copy)
            shutil.copyfile(log, copy.with_name(copy.name + "-wal"))
        except OSError:
            return  # no room to look: as SQLite does ever
        try:
            with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
                connection.execute("PRAGMA locking_mode = EXCLUSIVE")
                found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        except sqlite3.DatabaseError as error:
            found = str(error)
    if found != "ok":
        reason = _DIFFERENT.format(log=log.name)
        raise ProjectError(f"is damaged, or {reason} ({found.splitlines()[-1]}); nothing was changed", path)


def _is_in_use(path: Path) -> bool:
    """Whether another process has the database open for itself. (For this one, see ``database.connect``.)"""
    with suppress(OSError), path.open("r+b") as file:
        if sys.platform == "win32":
            import msvcrt

            file.seek(_LOCKED_AT)
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, _LOCKED)
            except OSError:
                return True
            file.seek(_LOCKED_AT)
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, _LOCKED)
        else:
            import fcntl

            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _LOCKED, _LOCKED_AT)
            except OSError:
                return True
    return False
