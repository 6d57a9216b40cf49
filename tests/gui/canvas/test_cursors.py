"""Cursors of pulls."""

from __future__ import annotations

import math

import pytest
from PySide6.QtCore import Qt

from scaf_gui.gui.canvas.cursors import pulling

_HOR, _VER = Qt.CursorShape.SizeHorCursor, Qt.CursorShape.SizeVerCursor
_FALLING, _RISING = Qt.CursorShape.SizeFDiagCursor, Qt.CursorShape.SizeBDiagCursor


@pytest.mark.parametrize(
    ("direction", "degrees", "expected"),
    [
        ((1, 0), 0, _HOR),
        ((0, -1), 0, _VER),
        ((1, 1), 0, _FALLING),
        ((-1, -1), 0, _FALLING),
        ((1, -1), 0, _RISING),
        ((1, 0), 90, _VER),
        ((1, 0), 45, _FALLING),
        ((1, 0), -45, _RISING),
        ((1, 1), 50, _VER),
        ((0, 1), 170, _VER),
        ((0, 0), 30, Qt.CursorShape.SizeAllCursor),
    ],
)
def test_the_cursor_points_along_the_pull(direction: tuple[int, int], degrees: float, expected: object) -> None:
    assert pulling(*direction, math.radians(degrees)) == expected
