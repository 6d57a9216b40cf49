"""What the log of edits says of ids: a face's id is never given again, whoever wrote the log."""

from __future__ import annotations

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
