"""What undo needs of the last edits, in the project file: faces as they were before each. It survives a crash.

:func:`note` runs within the transaction that writes the edit itself. Only what was *before* is kept: what was after is
the present face, or what was before the next edit of it. A digest of what was after is kept beside, so that nothing is
taken back to which others have added something: an older version of this program, another one, a hand in the file.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable

from scaf_gui.core.edits import Change, Edit
from scaf_gui.core.face import Face
from scaf_gui.core.history import Step
from scaf_gui.errors import EditError
from scaf_gui.io import rows

#: edits that are kept, and faces in them: the older ones go
MOST_EDITS = 200
MOST_FACES = 5_000
#: so many more edits are let in before the oldest are taken out
_SLACK = 20

CREATE = (
    # edit: its id in edit_log; faces: how many; who: the user of the program
    "CREATE TABLE IF NOT EXISTS undo_edit (edit INTEGER PRIMARY KEY, faces INTEGER NOT NULL, who TEXT NOT NULL)",
    # a face before an edit, in the columns of the table face (image NULL: there was none); a digest of it afterwards
    """CREATE TABLE IF NOT EXISTS undo_face (
        edit INTEGER NOT NULL, place INTEGER NOT NULL, after BLOB,
        id INTEGER NOT NULL,
        image TEXT,
        box_x REAL, box_y REAL, box_width REAL, box_height REAL, box_source TEXT, box_confidence REAL,
        points BLOB, flags BLOB, placed BLOB, author TEXT, written TEXT, based_on TEXT,
        attributes INTEGER,
        state TEXT
    )""",
    "CREATE INDEX IF NOT EXISTS undo_face_edit ON undo_face (edit)",
    "CREATE INDEX IF NOT EXISTS undo_face_id ON undo_face (id)",
    # the last entry of edit_log that is known here
    "CREATE TABLE IF NOT EXISTS undo_seen (only INTEGER PRIMARY KEY CHECK (only = 1), edit INTEGER NOT NULL)",
)
_COLUMNS = rows.COLUMNS.split(", ")
_BOX = _COLUMNS[2:8]
_INSERT = f"INSERT INTO undo_face (edit, place, after, {rows.COLUMNS}) VALUES ({', '.join('?' * (3 + len(_COLUMNS)))})"
_MOVE = "UPDATE undo_face SET image = ? WHERE id = ? AND image = ?"
_REBOX = (
    f"UPDATE undo_face SET {', '.join(f'{name} = ?' for name in _BOX)} "
    f"WHERE id = ? AND image IS NOT NULL AND {' AND '.join(f'{name} IS ?' for name in _BOX)}"
)


def note(connection: sqlite3.Connection, step: Step, number: int, edit: Edit, who: str) -> None:
    """Keep the stack of edits as the history has it after a step.

    :param number: the edit's in edit_log
    :param edit: what was performed: of an undo, the inverse
    """
    try:
        _note(connection, step, number, edit, who)
    except sqlite3.OperationalError as error:
        # a full disk is for the caller; tables of another shape must not keep a label from being written
        if "no such column" not in str(error) and "has no column" not in str(error):
            raise
        for name in ("undo_edit", "undo_face", "undo_seen"):
            connection.execute(f"DROP TABLE IF EXISTS {name}")


def _note(connection: sqlite3.Connection, step: Step, number: int, edit: Edit, who: str) -> None:
    for statement in CREATE:
        connection.execute(statement)
    if _seen(connection) != number - 1:  # somebody else has edited meanwhile
        _drop(connection, number)
    connection.execute("INSERT OR REPLACE INTO undo_seen VALUES (1, ?)", (number,))
    if step is Step.UNDONE:
        (last,) = connection.execute("SELECT coalesce(max(edit), 0) FROM undo_edit").fetchone()
        connection.execute("DELETE FROM undo_edit WHERE edit = ?", (last,))
        connection.execute("DELETE FROM undo_face WHERE edit = ?", (last,))
    elif step is Step.FOUND:
        _rebase(connection, edit.changes)
    elif len(edit.changes) > MOST_FACES:
        _drop(connection, number)
    else:
        connection.execute("INSERT INTO undo_edit VALUES (?, ?, ?)", (number, len(edit.changes), rows.text_in(who)))
        connection.executemany(_INSERT, (_row(number, place, change) for place, change in enumerate(edit.changes)))
        _shorten(connection)


def join_last(connection: sqlite3.Connection) -> None:
    """Make the last two edits one; see ``History.join_last``."""
    found = connection.execute("SELECT edit FROM undo_edit ORDER BY edit DESC LIMIT 2").fetchall()
    if len(found) < 2:
        return
    (second,), (first,) = found
    connection.execute(
        "UPDATE undo_face SET after = "
        "(SELECT after FROM undo_face AS next WHERE next.edit = ? AND next.id = undo_face.id) WHERE edit = ?",
        (second, first),
    )
    connection.execute("DELETE FROM undo_edit WHERE edit = ?", (second,))
    connection.execute("DELETE FROM undo_face WHERE edit = ?", (second,))


def stack(connection: sqlite3.Connection, faces: Iterable[Face], who: str) -> list[Edit]:
    """The edits that undo can take back, oldest first, as the history of the last session had them.

    It begins behind the last edit of somebody else, and behind one of which a face is not as that edit left it. Tables
    that cannot be read hold nothing.

    :param faces: those of the project as they are
    """
    try:
        return _stack(connection, faces, who)
    except sqlite3.Error:
        return []


def _stack(connection: sqlite3.Connection, faces: Iterable[Face], who: str) -> list[Edit]:
    (newest,) = connection.execute("SELECT coalesce(max(id), 0) FROM edit_log").fetchone()
    if _seen(connection) != newest:
        return []
    now: dict[int, Face | None] = {face.id: face for face in faces}
    done: list[Edit] = []
    heads = "SELECT edit, title, who FROM undo_edit JOIN edit_log ON edit_log.id = edit ORDER BY edit DESC LIMIT ?"
    for number, title, author in connection.execute(heads, (MOST_EDITS,)).fetchall():
        if rows.text_out(author) != who:
            break
        changes = _changes(connection, number, now)
        if changes is None:
            break
        done.append(Edit(rows.text_out(title), changes))
        now.update((change.face_id, change.before) for change in changes)
    return done[::-1]


def _changes(connection: sqlite3.Connection, number: int, now: dict[int, Face | None]) -> tuple[Change, ...] | None:
    """The changes of an edit; ``None`` where a face is not as it left it, or a row is broken."""
    changes = []
    found = connection.execute(
        f"SELECT after, {rows.COLUMNS} FROM undo_face WHERE edit = ? ORDER BY place", (number,)
    ).fetchall()
    for digest, *row in found:
        after = now.get(row[0])
        if _digest(after) != digest:
            return None
        try:
            changes.append(Change(None if row[1] is None else rows.from_row(tuple(row)), after))
        except (ValueError, TypeError, EditError):
            return None
    return tuple(changes) or None


def _row(number: int, place: int, change: Change) -> rows.Row:
    before = change.before
    kept = rows.to_row(before) if before is not None else (change.face_id, *(None,) * (len(_COLUMNS) - 1))
    return (number, place, _digest(change.after), *kept)


def _digest(face: Face | None) -> bytes | None:
    """Of what a person has said of a face: label, attributes, state. A machine changes none of these."""
    if face is None:
        return None
    label, said = face.label, [str(face.state), *map(str, face.attributes)]
    arrays = b""
    if label is not None:
        said += [label.author.who, label.author.when, label.based_on]
        arrays = label.points.astype("<f8", copy=False).tobytes() + label.flags.tobytes() + label.placed.tobytes()
    text = "\0".join(said).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(arrays + b"\0" + text, digest_size=16).digest()


def _rebase(connection: sqlite3.Connection, changes: Iterable[Change]) -> None:
    """Carry what a machine found of faces into the edits that still have the old; see ``History.rebase``."""
    both = [
        (rows.to_row(c.before), rows.to_row(c.after)) for c in changes if c.before is not None and c.after is not None
    ]
    connection.executemany(_MOVE, ((new[1], new[0], old[1]) for old, new in both if old[1] != new[1]))
    connection.executemany(_REBOX, ((*new[2:8], new[0], *old[2:8]) for old, new in both if old[2:8] != new[2:8]))


def _shorten(connection: sqlite3.Connection) -> None:
    count, faces = connection.execute("SELECT count(*), sum(faces) FROM undo_edit").fetchone()
    if count <= MOST_EDITS + _SLACK and faces <= MOST_FACES:
        return
    left = 0
    sizes = connection.execute("SELECT edit, faces FROM undo_edit ORDER BY edit DESC").fetchall()
    for kept, (number, size) in enumerate(sizes):
        left += size
        if kept == MOST_EDITS or left > MOST_FACES:
            _drop(connection, number)
            return


def _drop(connection: sqlite3.Connection, number: int) -> None:
    """Forget an edit and all before it."""
    connection.execute("DELETE FROM undo_edit WHERE edit <= ?", (number,))
    connection.execute("DELETE FROM undo_face WHERE edit <= ?", (number,))


def _seen(connection: sqlite3.Connection) -> int:
    found = connection.execute("SELECT edit FROM undo_seen").fetchone()
    return int(found[0]) if found else 0
