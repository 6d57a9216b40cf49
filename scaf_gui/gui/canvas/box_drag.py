"""A bounding box on its way: moved, or pulled at a corner or side. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from scaf_gui.core.handles import Handle, Rectangle, pulled
from scaf_gui.gui.canvas.drag import THRESHOLD


@dataclass
class BoxDrag:
    """A press on a box, followed until it is let go.

    :param handle: what is held
    :param start: where the box was, image pixels
    :param cursor: where it was taken, image pixels
    :param pressed: where it was taken, screen pixels
    :param image: (width, height) of the image, which the box's centre does not leave
    """

    handle: Handle
    start: Rectangle
    cursor: tuple[float, float]
    pressed: tuple[float, float]
    image: tuple[int, int]
    moved: bool = False

    def __post_init__(self) -> None:
        self.at = self.start

    def follow(self, cursor: tuple[float, float], screen: tuple[float, float]) -> bool:
        """Move with the cursor (image pixels, screen pixels); whether the box is another now."""
        if not self.moved:
            if max(abs(screen[0] - self.pressed[0]), abs(screen[1] - self.pressed[1])) < THRESHOLD:
                return False
            self.moved = True
        before = self.at
        dx, dy = cursor[0] - self.cursor[0], cursor[1] - self.cursor[1]
        self.at = pulled(self.start, self.handle, dx, dy, self.image)
        return self.at != before

    @property
    def result(self) -> Rectangle | None:
        """The box as it was put; ``None`` when it is as it was."""
        return self.at if self.moved and self.at != self.start else None
