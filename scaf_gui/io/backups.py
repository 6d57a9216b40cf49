"""Copies of a project as it was after its last sessions, for the day on which its file is damaged or lost.

They lie in ``NAME.scaf-data/copies`` as ``0007 (1234 edits).scaf``: numbered as they were made, whatever the clock
says. Each is a whole project.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from scaf_gui.io.leftovers import free_name, take_name
from scaf_gui.paths import project_companions

#: so many are kept, the last ones
KEPT = 3
#: a copy is made only where room for so many more is left: labels to come go first
ROOM = 10
_NAME = re.compile(r"(\d{4,}) \((\d+) edits?\)\.scaf")


def copies(path: Path) -> list[Path]:
    """The copies of a project, oldest first; its own file need not be there."""
    folder = project_companions(path) / "copies"
    try:
        found = [entry for entry in folder.iterdir() if _NAME.fullmatch(entry.name)]
    except OSError:
        return []
    return sorted(found, key=lambda entry: int(entry.name.split()[0]))


def keep_copy(connection: sqlite3.Connection, path: Path) -> Path | None:
    """Copy an open project, unless nothing has been edited since the last copy; older ones go.

    :returns: the copy of the present state; ``None`` where nothing was ever edited, or there is no room for one
    """
    try:
        (edits,) = connection.execute("SELECT coalesce(max(id), 0) FROM edit_log").fetchone()
    except sqlite3.Error:
        return None
    there = copies(path)
    last, known = (int(part) for part in _parts(there[-1])) if there else (0, 0)
    if edits == known:
        return there[-1] if there else None
    copy = project_companions(path) / "copies" / f"{last + 1:04d} ({edits} edit{'s' * (edits != 1)}).scaf"
    try:
        if shutil.disk_usage(path.parent).free < ROOM * path.stat().st_size:
            return None
        copy.parent.mkdir(parents=True, exist_ok=True)
        write_copy(connection, copy)
    except (OSError, sqlite3.Error):
        return None
    half = copy.parent.glob(".*.new*")  # of a program that was killed while it copied
    for old in (*there[: 1 - KEPT], *half):
        with suppress(OSError):
            old.unlink()
    return copy


def write_copy(connection: sqlite3.Connection, copy: Path) -> None:
    """Write an open database, with what is still in its log, into a new file: beside, then renamed.

    :raises OSError, sqlite3.Error: it could not be written, or there is something of that name already
    """
    beside = free_name(copy.with_name(f".{copy.name}.new"))
    try:
        with closing(sqlite3.connect(beside)) as target:
            target.execute("PRAGMA synchronous = FULL")
            connection.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")  # it says that no log belongs to it
        take_name(beside, copy)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def advice(path: Path) -> str:
    """What a person whose project is damaged or gone can do."""
    there = copies(path)
    if not there:
        return "go back to a copy of it"
    _, edits = _parts(there[-1])
    return f"put {there[-1]} in its place, a copy from after {edits} edits"


def _parts(copy: Path) -> tuple[str, str]:
    found = _NAME.fullmatch(copy.name)
    assert found is not None
    return found[1], found[2]
