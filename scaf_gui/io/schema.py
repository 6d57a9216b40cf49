"""The project file's tables, their version, and how older versions become the present one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from scaf_gui.errors import ProjectError
from scaf_gui.io import undo_log
from scaf_gui.io.leftovers import free_name

#: "SCAF", at byte 68 of the file: what makes a SQLite database a project
APPLICATION_ID = 0x53434146
#: in ``PRAGMA user_version``; raise it together with a row of :data:`MIGRATIONS`
VERSION = 2

CREATE = (
    # what the project is: scheme, image folder
    "CREATE TABLE project (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    # what the program remembers (current model, queue), as JSON
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE image (name TEXT PRIMARY KEY, hash TEXT NOT NULL, size INTEGER NOT NULL, mtime REAL NOT NULL)",
    # points: float64 little-endian x, y, x, y ...; flags and placed: one byte a landmark
    """CREATE TABLE face (
        id INTEGER PRIMARY KEY,
        image TEXT NOT NULL,
        box_x REAL, box_y REAL, box_width REAL, box_height REAL, box_source TEXT, box_confidence REAL,
        points BLOB, flags BLOB, placed BLOB, author TEXT, written TEXT, based_on TEXT,
        attributes INTEGER NOT NULL DEFAULT 0,
        state TEXT NOT NULL
    )""",
    "CREATE INDEX face_image ON face (image)",
    "CREATE TABLE edit_log (id INTEGER PRIMARY KEY, title TEXT NOT NULL, author TEXT NOT NULL, "
    "written TEXT NOT NULL, faces TEXT NOT NULL)",
    # older programs of this version know nothing of these, and do not mind them
    *undo_log.CREATE,
)


def _add_placed(connection: sqlite3.Connection) -> None:
    """1 to 2: tell landmarks put by hand from those taken over. Older labels count as put by hand."""
    connection.execute("ALTER TABLE face ADD COLUMN placed BLOB")
    connection.execute("ALTER TABLE face ADD COLUMN based_on TEXT")
    rows = connection.execute("SELECT id, flags FROM face WHERE points IS NOT NULL").fetchall()
    connection.executemany(
        "UPDATE face SET placed = ?, based_on = '' WHERE id = ?",
        [(b"\x01" * len(flags), face_id) for face_id, flags in rows],
    )


#: from each older version to the next
MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {1: _add_placed}


def create_tables(connection: sqlite3.Connection) -> None:
    """Make an empty database a project, within the caller's transaction."""
    for statement in CREATE:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def version_of(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, path: Path) -> Path | None:
    """Bring a project to the present version: a copy beside it first, then all steps in one transaction.

    :returns: the copy (``NAME.scaf.version-1``), ``None`` where there was nothing to do
    :raises ProjectError: a step failed or there is no step; the project is as it was
    """
    version = version_of(connection)
    if version == VERSION:
        return None
    if version not in MIGRATIONS:
        raise ProjectError(f"has schema version {version}, which this program cannot migrate", path)
    copy = free_name(path.with_name(f"{path.name}.version-{version}"))
    try:
        _copy_to(connection, copy)
        connection.execute("BEGIN IMMEDIATE")
        while version < VERSION:
            MIGRATIONS[version](connection)
            version += 1
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise ProjectError(
            f"could not be migrated to version {VERSION} ({error}); nothing was changed", path
        ) from error
    return copy


def _copy_to(connection: sqlite3.Connection, copy: Path) -> None:
    try:
        with closing(sqlite3.connect(copy)) as target:
            connection.backup(target)
    except sqlite3.Error:
        copy.unlink(missing_ok=True)  # half a copy
        raise
