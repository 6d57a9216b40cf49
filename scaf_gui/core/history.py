"""Undo and redo: two stacks of edits. They survive saving, refreshing and changing the face; undo survives closing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import StrEnum

from scaf_gui.core.edits import Change, Edit
from scaf_gui.core.face import Face


class Step(StrEnum):
    """Why an edit is performed."""

    DONE = "done"  # somebody did it just now
    UNDONE = "undone"  # it is the inverse of the last one, which is taken back
    REDONE = "redone"  # it was taken back before
    FOUND = "found"  # a machine found it: no part of undo


class History:
    """Edits done and edits taken back; a new edit empties the latter.

    :param done: what an earlier session did, oldest first
    :param on_join: called when the last two edits were made one
    """

    def __init__(self, done: Iterable[Edit] = (), on_join: Callable[[], None] | None = None) -> None:
        self._done: list[Edit] = list(done)
        self._undone: list[Edit] = []
        self._on_join = on_join

    @property
    def to_undo(self) -> Edit | None:
        """The edit that undo would take back."""
        return self._done[-1] if self._done else None

    @property
    def before_last(self) -> Edit | None:
        """The edit that the next undo but one would take back."""
        return self._done[-2] if len(self._done) > 1 else None

    @property
    def to_redo(self) -> Edit | None:
        """The edit that redo would do again."""
        return self._undone[-1] if self._undone else None

    def did(self, edit: Edit) -> None:
        """An edit was performed: it can be undone, and what was undone before can no longer be redone."""
        self._done.append(edit)
        self._undone.clear()

    def join_last(self) -> None:
        """Make the last two edits one, with the title of the first: steps of a gesture that took several.

        Nothing happens unless the second goes on from where the first left the same faces.
        """
        if len(self._done) < 2:
            return
        first, second = self._done[-2:]
        if first.face_ids != second.face_ids:
            return
        pairs = tuple(zip(first.changes, second.changes, strict=True))
        if all(one.after is not None and one.after == two.before for one, two in pairs):
            self._done[-2:] = [Edit(first.title, tuple(Change(one.before, two.after) for one, two in pairs))]
            if self._on_join is not None:
                self._on_join()

    def undone(self) -> None:
        """The last edit was taken back."""
        self._undone.append(self._done.pop())

    def redone(self) -> None:
        """The edit that was undone last was performed again."""
        self._done.append(self._undone.pop())

    def rebase(self, changes: Iterable[Change]) -> None:
        """Carry what a machine found of faces (box, moved image) into every edit that still has the old.

        One pass for all: an import is one edit of thousands of faces, and boxes are found for as many.
        """
        found = {change.face_id: change for change in changes if change.before is not None}

        def carried(face: Face | None) -> Face | None:
            change = found.get(face.id) if face is not None else None
            if face is None or change is None or change.before is None or change.after is None:
                return face
            return replace(
                face,
                box=change.after.box if face.box == change.before.box else face.box,
                image=change.after.image if face.image == change.before.image else face.image,
            )

        def rebased(edit: Edit) -> Edit:
            if found.keys().isdisjoint(edit.face_ids):
                return edit
            new = (Change(carried(c.before), carried(c.after)) if c.face_id in found else c for c in edit.changes)
            return replace(edit, changes=tuple(new))

        self._done = [rebased(edit) for edit in self._done]
        self._undone = [rebased(edit) for edit in self._undone]
