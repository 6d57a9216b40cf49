"""The log of edits: who did what to which faces. A face's id is never given again, whoever wrote the log."""

from __future__ import annotations

import json
import sqlite3

from scaf_gui.core.edits import Edit
from scaf_gui.core.face import Author
from scaf_gui.io import rows

#: remembers [highest id of a face, last entry] of the log as far as it was read
HIGHEST = "highest_id"
#: so many entries are read in a few milliseconds
LONG_LOG = 2000
#: of the entries after one: highest id where they name one face, where they name several, and the last entry. An entry
#: that is no JSON says nothing.
HIGHEST_LOGGED = """
SELECT (SELECT coalesce(max(CAST(ltrim(faces, '[ ') AS INTEGER)), 0) FROM edit_log
        WHERE id > ? AND instr(faces, ',') = 0),
       (SELECT coalesce(max(one.value), 0)
        FROM edit_log, json_each(CASE json_valid(faces) WHEN 1 THEN faces ELSE '[]' END) AS one
        WHERE edit_log.id > ? AND instr(faces, ',') AND one.type = 'integer'),
       (SELECT coalesce(max(id), 0) FROM edit_log)
"""


def write(connection: sqlite3.Connection, edit: Edit) -> int:
    """Put an edit down, within the caller's transaction; returns its number."""
    values = (rows.text_in(edit.title), rows.text_in(_who(edit)), Author.now("").when, json.dumps(edit.face_ids))
    done = connection.execute("INSERT INTO edit_log (title, author, written, faces) VALUES (?, ?, ?, ?)", values)
    assert done.lastrowid is not None
    return done.lastrowid


def _who(edit: Edit) -> str:
    """Whose label an edit writes; "" where it writes none."""
    for change in edit.changes:
        before, after = (face.label if face is not None else None for face in (change.before, change.after))
        if after is not None and after != before:
            return after.author.who
    return ""
