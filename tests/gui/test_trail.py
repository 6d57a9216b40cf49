"""Going back and forth among the faces one has been at, and those of the list."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from scaf_gui.gui import trail
from scaf_gui.gui.trail import Trail

FACES = range(1, 100_000)


class Walk:
    """Somebody who goes from face to face."""

    def __init__(self, *faces: int, rows: Sequence[int] = ()):
        self.trail = Trail()
        self.at: int | None = None
        self.rows, self.known = rows, set(FACES)
        for face_id in faces:
            self.go(face_id)

    def go(self, face_id: int) -> None:
        self.trail.leave(self.at)
        self.at = face_id

    def back(self) -> int | None:
        return self._to(self.trail.back(self.at, self.known, lambda: self.rows))

    def forth(self) -> int | None:
        return self._to(self.trail.forth(self.at, self.known, lambda: self.rows))

    def _to(self, face_id: int | None) -> int | None:
        assert face_id is None or face_id != self.at
        self.at = self.at if face_id is None else face_id
        return face_id


def test_back_and_forth() -> None:
    walk = Walk(5, 2, 9, 4)
    assert [walk.back() for _ in range(5)] == [9, 2, 5, None, None]
    assert [walk.forth(), walk.forth()] == [2, 9]
    assert walk.back() == 2, "one may turn round anywhere"
    assert [walk.forth() for _ in range(4)] == [9, 4, None, None]
    assert walk.back() == 9


def test_a_new_way_forgets_what_was_ahead() -> None:
    walk = Walk(5, 2, 9)
    assert walk.back() == 2
    walk.go(7)
    assert walk.forth() is None
    assert [walk.back(), walk.back()] == [2, 5]


def test_where_nobody_has_been_the_list_is_followed() -> None:
    walk = Walk(3, rows=[1, 2, 3, 4, 5])
    assert [walk.forth() for _ in range(3)] == [4, 5, None]
    assert [walk.back() for _ in range(5)] == [4, 3, 2, 1, None], "up the list, not down again"
    assert [walk.forth() for _ in range(5)] == [2, 3, 4, 5, None]
    walk.go(1)
    assert [walk.back(), walk.back()] == [5, 4], "where one has been comes first"
    walk.rows = [8, 6, 4]  # the list is sorted anew
    assert [walk.forth(), walk.forth(), walk.forth(), walk.forth()] == [5, 1, 8, 6]


@pytest.mark.parametrize("rows", [[], [7], [7, 8]])
def test_a_face_that_is_not_listed(rows: list[int]) -> None:
    first = rows[0] if rows else None
    assert Walk(3, rows=rows).forth() == first
    assert Walk(3, rows=rows).back() == first
    assert Walk(rows=rows).forth() == first


def test_faces_that_are_gone_are_passed_over() -> None:
    walk = Walk(5, 2, 9, 4)
    walk.known = {5, 9, 4}
    assert [walk.back(), walk.back()] == [9, 5]
    walk.known = {5, 4}
    assert walk.forth() == 4


def test_a_face_is_no_way_from_itself() -> None:
    walk = Walk(5, 9, 2, 9)
    walk.known = {5, 9}  # 2 is deleted
    assert walk.back() == 5
    assert walk.forth() == 9


def test_another_project_begins_anew() -> None:
    walk = Walk(1, 2, 3)
    walk.back()
    walk.trail.clear()
    assert walk.back() is None and walk.forth() is None


def test_the_last_thousand_are_remembered() -> None:
    count = trail.KEPT + 50
    walk = Walk(*range(1, count + 1))
    assert list(iter(walk.back, None)) == list(range(count - 1, count - 1 - trail.KEPT, -1))
