"""A landmark on its way. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

#: screen pixels that the cursor must travel before a press becomes a drag
THRESHOLD = 2.0


@dataclass
class Drag:
    """A press on a landmark, followed until it is let go.

    The landmark keeps its distance from the cursor, so it does not jump when it is taken.

    :param start: where the landmark was, image pixels; ``None`` when it had no place and follows the cursor
    :param cursor: where it was taken, image pixels
    :param pressed: where it was taken, screen pixels
    """

    landmark: int
    start: tuple[float, float] | None
    cursor: tuple[float, float]
    pressed: tuple[float, float]
    moved: bool = False

    def __post_init__(self) -> None:
        self.at = self.start or self.cursor
        self.moved = self.start is None

    def follow(self, cursor: tuple[float, float], screen: tuple[float, float]) -> bool:
        """Move with the cursor (image pixels, screen pixels); whether the landmark has another place now."""
        if not self.moved:
            far = max(abs(screen[0] - self.pressed[0]), abs(screen[1] - self.pressed[1]))
            if far < THRESHOLD:
                return False
            self.moved = True
        start = self.start or self.cursor
        before = self.at
        self.at = (start[0] + (cursor[0] - self.cursor[0]), start[1] + (cursor[1] - self.cursor[1]))
        return self.at != before

    @property
    def result(self) -> tuple[float, float] | None:
        """Where the landmark was put; ``None`` when it is where it was."""
        return self.at if self.moved and self.at != self.start else None
