"""Undo and redo: two stacks of edits. It survives saving, refreshing and changing the face."""

from __future__ import annotations

from dataclasses import replace

from scaf_gui.core.edits import Change, Edit
from scaf_gui.core.face import Face


class History:
    """Edits done and edits taken back; a new edit empties the latter."""

    def __init__(self) -> None:
        self._done: list[Edit] = []
        self._undone: list[Edit] = []

    @property
    def to_undo(self) -> Edit | None:
        """The edit that undo would take back."""
        return self._done[-1] if self._done else None

    @property
    def to_redo(self) -> Edit | None:
        """The edit that redo would do again."""
        return self._undone[-1] if self._undone else None

    def did(self, edit: Edit) -> None:
        self._done.append(edit)
        self._undone.clear()

    def undone(self) -> None:
        self._undone.append(self._done.pop())

    def redone(self) -> None:
        self._done.append(self._undone.pop())

    def rebase(self, before: Face, after: Face) -> None:
        """Carry what a machine found of a face (box, moved image) into every edit that still has the old one."""

        def carried(face: Face | None) -> Face | None:
            if face is None or face.id != before.id:
                return face
            return replace(
                face,
                box=after.box if face.box == before.box else face.box,
                image=after.image if face.image == before.image else face.image,
            )

        def rebased(edit: Edit) -> Edit:
            if before.id not in edit.face_ids:
                return edit
            return replace(edit, changes=tuple(Change(carried(c.before), carried(c.after)) for c in edit.changes))

        self._done = [rebased(edit) for edit in self._done]
        self._undone = [rebased(edit) for edit in self._undone]
