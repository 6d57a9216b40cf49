"""Which cursor says that something is pulled along a direction of the screen."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt

#: by eighths of a turn, clockwise from rightwards; the other half is the same
_CURSORS = (
    Qt.CursorShape.SizeHorCursor,
    Qt.CursorShape.SizeFDiagCursor,
    Qt.CursorShape.SizeVerCursor,
    Qt.CursorShape.SizeBDiagCursor,
)


def pulling(dx: float, dy: float, turn: float = 0.0) -> Qt.CursorShape:
    """The cursor of a pull along (dx, dy), x to the right, y down.

    :param turn: by which the image is shown turned, radians, clockwise, where the direction is one of the image
    """
    if dx == dy == 0:
        return Qt.CursorShape.SizeAllCursor
    return _CURSORS[round((math.atan2(dy, dx) + turn) / (math.pi / 4)) % 4]
