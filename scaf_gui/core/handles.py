"""Taking a bounding box by its corners, sides or middle: pure geometry, in any frame of pixels.

A handle is a pair of signs: (-1, -1) the top left corner, (1, 0) the right side, (0, 0) the box as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence

#: (x, y, width, height); (x, y) is the top left corner
Rectangle = tuple[float, float, float, float]
Handle = tuple[int, int]

WHOLE: Handle = (0, 0)
#: the eight places on the outline, clockwise from the top left
OUTLINE: tuple[Handle, ...] = ((-1, -1), (0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0))
#: in the order in which a key steps through them
HANDLES: tuple[Handle, ...] = (WHOLE, *OUTLINE)
NAMES: dict[Handle, str] = {
    (0, 0): "the box",
    (-1, -1): "the top left corner",
    (0, -1): "the top",
    (1, -1): "the top right corner",
    (1, 0): "the right side",
    (1, 1): "the bottom right corner",
    (0, 1): "the bottom",
    (-1, 1): "the bottom left corner",
    (-1, 0): "the left side",
}
#: no side can be pulled shorter than this, image pixels
SMALLEST = 4.0


def handle_place(box: Rectangle, handle: Handle) -> tuple[float, float]:
    """Where a handle lies on the outline; the whole box's is its centre."""
    x, y, width, height = box
    return x + width * (1 + handle[0]) / 2, y + height * (1 + handle[1]) / 2


def handle_at(box: Rectangle, x: float, y: float, reach: float) -> Handle | None:
    """What of a box is taken at (x, y): a corner, a side, all of it (inside), or nothing (``None``).

    :param reach: how far from the outline it can be taken; inwards at most a quarter of the box's side, so that
        a small box still has an inside
    """
    left, top, width, height = box
    if not (left - reach <= x <= left + width + reach and top - reach <= y <= top + height + reach):
        return None
    return _side(x - left, width, reach), _side(y - top, height, reach)


def _side(distance: float, length: float, reach: float) -> int:
    inwards = min(reach, length / 4)
    if distance <= inwards:
        return -1
    return 1 if distance >= length - inwards else 0


def pulled(box: Rectangle, handle: Handle, dx: float, dy: float, image: tuple[float, float] | None = None) -> Rectangle:
    """The box after a handle was pulled by (dx, dy). What is not held stays where it is.

    No side gets shorter than :data:`SMALLEST` (or than it was).

    :param image: (width, height) of the image: the box's centre does not leave it by a pull
    """
    x, y, width, height = box
    spans = (None, None) if image is None else image
    x, width = _pull(x, width, handle[0], dx, spans[0], handle == WHOLE)
    y, height = _pull(y, height, handle[1], dy, spans[1], handle == WHOLE)
    return x, y, width, height


def _pull(start: float, length: float, sign: int, step: float, span: float | None, whole: bool) -> tuple[float, float]:
    """One axis: where the box begins there, and how long it is."""
    end = start + length
    shortest = min(SMALLEST, length)
    # pixel centres are whole numbers: the image reaches from -0.5 to span - 0.5
    low, high = (float("-inf"), float("inf")) if span is None else (-0.5, span - 0.5)
    if whole:
        centre = start + length / 2
        return start + min(max(centre + step, min(low, centre)), max(high, centre)) - centre, length
    if sign < 0:
        moved = min(max(start + step, min(2 * low - end, start)), max(2 * high - end, start), end - shortest)
        return moved, end - moved
    if sign > 0:
        moved = max(min(end + step, max(2 * high - start, end)), min(2 * low - start, end), start + shortest)
        return start, moved - start
    return start, length


def overlaps(box: Rectangle, other: Rectangle) -> bool:
    """Whether two rectangles have an area in common."""
    x, y, width, height = box
    left, top, across, down = other
    return x < left + across and left < x + width and y < top + down and top < y + height


def smallest_around(boxes: Sequence[Rectangle], x: float, y: float) -> int | None:
    """Which of the boxes that hold (x, y) is the smallest, as its place in ``boxes``; ``None``: none holds it."""
    around = [
        (width * height, place)
        for place, (left, top, width, height) in enumerate(boxes)
        if left <= x <= left + width and top <= y <= top + height
    ]
    return min(around)[1] if around else None
