"""Opening a project's SQLite database: what is checked, locked and set before any row is read."""

from __future__ import annotations

import os
import sqlite3
import struct
from contextlib import suppress
from pathlib import Path
from weakref import WeakValueDictionary, finalize

from scaf_gui.errors import NewerProjectError, NotAProjectError, ProjectError, ProjectLockedError
from scaf_gui.io import backups, schema
from scaf_gui.io.files import wait_for_disk
from scaf_gui.io.leftovers import free_name, settle, take_name

_MAGIC = b"SQLite format 3\x00"
_BUSY_SECONDS = 1.0


class Connection(sqlite3.Connection):
    """A connection that can be referred to weakly.

    ``handle``: the file once more, to learn whether it has a name left; to be closed after the connection, as on POSIX
    closing any descriptor of a file gives its locks away. ``found``: what was odd when it was opened, "" for nothing.
    """

    handle: finalize[[int], Connection] | None = None
    number: int = -1
    found: str = ""


#: projects open in this process, by device and inode. On POSIX, closing any other descriptor of a file
#: gives its locks away: a project that is open here must not even be looked at.
_HERE: WeakValueDictionary[tuple[int, int], Connection] = WeakValueDictionary()


def connect(path: Path) -> tuple[Connection, str]:
    """Open an existing project for this process alone, check it, migrate it, choose the journal.

    :returns: the connection (autocommit) and a note where the write-ahead log cannot be had
    :raises ProjectError: or one of its kinds, saying why; the file is then as it was
    """
    identity = identity_of(path)
    if identity in _HERE:
        raise _locked(path)
    _check_file(path)
    found = settle(path)
    connection = _open(path)
    try:
        connection.found = found
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA synchronous = FULL")
        # a Mac's disk keeps what it was given in its own memory, unless told not to; nothing elsewhere
        connection.execute("PRAGMA fullfsync = ON")
        connection.execute("PRAGMA checkpoint_fullfsync = ON")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
        _check_content(connection, path)
        schema.migrate(connection, path)
        note = _choose_journal(connection)
        if identity is not None:
            _HERE[identity] = connection
        if os.name != "nt":  # there, an open file keeps its name
            handle = os.open(path, os.O_RDONLY)
            connection.handle = finalize(connection, os.close, handle)
            connection.number = handle
        return connection, note
    except sqlite3.Error as error:
        connection.close()
        raise explained(error, path) from error
    except ProjectError:
        connection.close()
        raise


def create(path: Path, rows: dict[str, str]) -> None:
    """Write a new project with these values in its table ``project``: beside, then renamed.

    :raises ProjectError: the file exists or cannot be written
    """
    if os.path.lexists(path):
        raise ProjectError("exists already; open it, or choose another name", path)
    beside = free_name(path.with_name(path.name + ".new"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = _open(beside)
        try:
            connection.execute("BEGIN")
            schema.create_tables(connection)
            connection.executemany("INSERT INTO project VALUES (?, ?)", list(rows.items()))
            connection.execute("COMMIT")
        finally:
            connection.close()
        take_name(beside, path)
    except FileExistsError as error:
        raise ProjectError("exists already; open it, or choose another name", path) from error
    except (OSError, sqlite3.Error) as error:
        raise explained(error, path) from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def close(connection: Connection, path: Path) -> None:
    """Fold the log into the one file, so that it can be copied, and let go of it.

    :raises ProjectError: the log could not be folded in (disk full); then ``-wal`` stays beside and counts
    """
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if _HERE.get(identity_of(path) or (0, 0)) is connection:  # else the log's name may be another project's by now
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise ProjectError(
            f"is saved, but partly in {path.name}-wal beside it, as the disk has no room ({error}): keep both "
            "together, free some space, and open it again",
            path,
        ) from error
    finally:
        abandon(connection)


def flush(path: Path, anew: bool = False) -> None:
    """Wait until the write-ahead log, as far as it has been written, is on the disk.

    SQLite does the same at the end of a synchronous transaction, and holds no lock on this file.

    :param anew: write it once more first: after a failure a system may take for written what is not
    :raises OSError: the disk, or a server, did not take it
    """
    with open(os.path.realpath(path) + "-wal", "r+b", buffering=0) as log:  # noqa: PTH123 - where SQLite has it
        if anew:
            written = log.read()
            log.seek(0)
            log.write(written)
        wait_for_disk(log.fileno())


def abandon(connection: Connection) -> None:
    """Let go of a project as it is."""
    for identity in [identity for identity, other in _HERE.items() if other is connection]:
        del _HERE[identity]
    connection.close()
    if connection.handle is not None:
        connection.handle()


def rescue(connection: Connection, path: Path) -> Path | None:
    """Write an open project anew if its file was deleted, or another took its name: it would be gone once it is closed.

    :returns: where; the old name if that is free. ``None`` where the file still has a name, moved as it may be
    :raises ProjectError: it cannot be written
    """
    if connection.handle is None or os.fstat(connection.number).st_nlink > 0:
        return None
    copy = path
    if os.path.lexists(path):
        copy = free_name(path.with_name(f"{path.stem} (rescued){path.suffix}"))
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        backups.write_copy(connection, copy)
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ProjectError(
            f"was deleted or replaced while open, and cannot be written anew ({reason}): export your labels before you "
            "close the project",
            path,
        ) from error
    return copy


def identity_of(path: Path) -> tuple[int, int] | None:
    """What tells a file from another that has taken its name; ``None`` if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def explained(error: Exception, path: Path) -> ProjectError:
    """What SQLite or the system says, in words that help."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return _locked(path)
    if code == sqlite3.SQLITE_NOTADB:
        return NotAProjectError("is not a project of this program", path)
    if code == sqlite3.SQLITE_CORRUPT:
        return _damaged(path, str(error))
    if code == sqlite3.SQLITE_FULL:
        return ProjectError("could not be written: the disk is full; free some space and repeat the last step", path)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return _read_only(path)
    if isinstance(error, OSError):
        return ProjectError(f"cannot be written ({error.strerror})", path)
    return ProjectError(f"cannot be used ({error})", path)


def _open(path: Path) -> Connection:
    return sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, factory=Connection)


def _check_file(path: Path) -> None:
    """Look at the first bytes, so that nothing is done to a file that is no project."""
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except FileNotFoundError as error:
        raise ProjectError("does not exist", path) from error
    except IsADirectoryError as error:
        raise NotAProjectError("is a folder; a project is a file NAME.scaf", path) from error
    except OSError as error:
        if path.is_dir():
            raise NotAProjectError("is a folder; a project is a file NAME.scaf", path) from error
        raise ProjectError(f"cannot be read ({error.strerror})", path) from error
    if not head:
        raise NotAProjectError("is empty (zero bytes), not a project", path)
    if not head.startswith(_MAGIC[: len(head)]):
        raise NotAProjectError("is not a project of this program", path)
    if len(head) < 100:
        raise _damaged(path, "it is cut off")
    (version,) = struct.unpack_from(">I", head, 60)
    (application,) = struct.unpack_from(">I", head, 68)
    if application != schema.APPLICATION_ID:
        raise NotAProjectError("is a database of another program, not a project", path)
    _check_version(version, path)
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        raise _read_only(path)


def _check_content(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise _damaged(path, str(found).splitlines()[-1])
    _check_version(schema.version_of(connection), path)


def _check_version(version: int, path: Path) -> None:
    if version > schema.VERSION:
        raise NewerProjectError(
            f"was written by a newer version of this program (its schema is {version}, this one knows "
            f"{schema.VERSION}); update the program to open it",
            path,
        )


def _choose_journal(connection: sqlite3.Connection) -> str:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode == "wal":
        return ""
    connection.execute("PRAGMA journal_mode = DELETE")
    return "This file system has no write-ahead log: a rollback journal is used, as safe but slower."


def _locked(path: Path) -> ProjectLockedError:
    return ProjectLockedError("is open in another window or program; close it there first", path)


def _damaged(path: Path, detail: str) -> ProjectError:
    return ProjectError(f"is damaged ({detail}); nothing was changed: {backups.advice(path)}", path)


def _read_only(path: Path) -> ProjectError:
    return ProjectError("or its folder is read-only; copy the project to where you may write and open it there", path)
