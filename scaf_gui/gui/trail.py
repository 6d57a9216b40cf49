"""The faces a person has been at, for going back and forth again. Knows no Qt."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence

Rows = Callable[[], Sequence[int]]

#: faces that are remembered
KEPT = 1000


class Trail:
    """Where "previous" goes back to, and where "next" then goes forth again; faces are known by their ids."""

    def __init__(self) -> None:
        self._been: list[int] = []  # the last one last
        self._ahead: list[int] = []  # what was gone back from, the last one last

    def clear(self) -> None:
        """Another project: nobody has been anywhere."""
        self._been.clear()
        self._ahead.clear()

    def leave(self, at: int | None) -> None:
        """A face is left for one of choice: :meth:`back` comes back to it, and there is nothing ahead."""
        _push(self._been, at)
        self._ahead.clear()

    def back(self, at: int | None, known: Container[int], rows: Rows) -> int | None:
        """Where one came from; without that the row above; ``None`` where there is none. :meth:`forth` comes back.

        :param at: the face that is left
        :param known: the faces there are; others are forgotten
        :param rows: gives the faces as they are listed, which takes a while where they are many
        """
        face_id = _pop(self._been, at, known) or _beside(rows(), at, -1)
        if face_id is not None:
            _push(self._ahead, at)
        return face_id

    def forth(self, at: int | None, known: Container[int], rows: Rows) -> int | None:
        """Where :meth:`back` came from; without that the row below; ``None`` where there is none."""
        face_id = _pop(self._ahead, at, known) or _beside(rows(), at, 1)
        if face_id is not None:
            _push(self._been, at)
        return face_id


def _beside(order: Sequence[int], at: int | None, step: int) -> int | None:
    """The face so many rows further; the first where the one left is not listed."""
    if at not in order:
        return order[0] if order else None
    row = order.index(at) + step
    return order[row] if 0 <= row < len(order) else None


def _push(faces: list[int], face_id: int | None) -> None:
    if face_id is not None:
        faces.append(face_id)
        del faces[:-KEPT]


def _pop(faces: list[int], at: int | None, known: Container[int]) -> int | None:
    while faces:
        face_id = faces.pop()
        if face_id in known and face_id != at:
            return face_id
    return None
