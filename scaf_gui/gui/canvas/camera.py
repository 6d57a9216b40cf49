"""Where the canvas looks: how image pixels become screen pixels. No Qt.

Scene coordinates are image pixels with the centre of the top-left pixel at (0, 0); screen
coordinates are pixels of the viewport with its top-left corner at (0, 0).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from scaf_gui.core.arrays import FloatArray

#: screen pixels per image pixel, at most
LARGEST = 64.0
#: at the smallest scale the longer side of the image still has this many screen pixels
SMALLEST_SIDE = 48.0


@dataclass(frozen=True)
class Camera:
    """``screen = scale * R(turn) scene - (left, top)``.

    ``turn``: the angle in radians by which the image is turned, clockwise as it is seen; :meth:`linear` gives the
    product of scale and rotation. The shift is kept at whole screen pixels, so that the image does not shimmer
    while it is moved.
    """

    scale: float = 1.0
    left: int = 0
    top: int = 0
    turn: float = 0.0

    def linear(self) -> tuple[float, float]:
        """(a, b) with ``screen = (a x - b y, b x + a y) - (left, top)``."""
        if self.turn == 0.0:
            return self.scale, 0.0
        return self.scale * math.cos(self.turn), self.scale * math.sin(self.turn)

    def to_screen(self, x: float, y: float) -> tuple[float, float]:
        a, b = self.linear()
        return a * x - b * y - self.left, b * x + a * y - self.top

    def to_scene(self, x: float, y: float) -> tuple[float, float]:
        if self.turn == 0.0:
            return (x + self.left) / self.scale, (y + self.top) / self.scale
        return self.direction(x + self.left, y + self.top)

    def direction(self, dx: float, dy: float) -> tuple[float, float]:
        """A step of (dx, dy) screen pixels in image pixels."""
        if self.turn == 0.0:
            return dx / self.scale, dy / self.scale
        a, b = self.linear()
        return (a * dx + b * dy) / self.scale**2, (a * dy - b * dx) / self.scale**2

    def showing(self, scene: tuple[float, float], x: float, y: float) -> Camera:
        """The camera that shows a scene point at screen point (x, y), as nearly as whole pixels allow."""
        a, b = self.linear()
        return replace(self, left=round(a * scene[0] - b * scene[1] - x), top=round(b * scene[0] + a * scene[1] - y))

    def zoomed(self, scale: float, x: float, y: float) -> Camera:
        """The camera at another scale that shows the same scene point at screen point (x, y)."""
        return replace(self, scale=scale).showing(self.to_scene(x, y), x, y)

    def turned(self, turn: float, x: float, y: float) -> Camera:
        """The camera at another angle that shows the same scene point at screen point (x, y)."""
        return replace(self, turn=turn).showing(self.to_scene(x, y), x, y)

    def moved(self, dx: float, dy: float) -> Camera:
        """The camera after the image was pulled by (dx, dy) screen pixels."""
        return replace(self, left=round(self.left - dx), top=round(self.top - dy))

    def held(self, image: tuple[int, int], view: tuple[int, int]) -> Camera:
        """The camera kept where the image (width, height) cannot get lost from the view (width, height).

        The scale stays within its limits, the centre of the view stays over the image.
        """
        scale = min(max(self.scale, SMALLEST_SIDE / max(image)), LARGEST)
        camera = self if scale == self.scale else self.zoomed(scale, view[0] / 2, view[1] / 2)
        if self.turn == 0.0:
            left, top = (
                min(max(shift + size / 2, -0.5 * scale), (side - 0.5) * scale) - size / 2
                for shift, size, side in ((camera.left, view[0], image[0]), (camera.top, view[1], image[1]))
            )
            return Camera(scale, round(left), round(top))
        middle = camera.to_scene(view[0] / 2, view[1] / 2)
        inside = tuple(min(max(at, -0.5), side - 0.5) for at, side in zip(middle, image, strict=True))
        if inside == middle:
            return camera
        return camera.showing((inside[0], inside[1]), view[0] / 2, view[1] / 2)


def fitted(
    x: float,
    y: float,
    width: float,
    height: float,
    view: tuple[int, int],
    fill: float = 1.0,
    largest: float = LARGEST,
    turn: float = 0.0,
) -> Camera:
    """The camera that shows a scene rectangle in the middle of the view.

    :param fill: which share of the view it may take
    :param largest: the largest scale to use
    :param turn: the angle of the camera; the rectangle's corners are in sight all the same
    """
    across, down = max(view[0], 1), max(view[1], 1)
    cos, sin = abs(math.cos(turn)), abs(math.sin(turn))
    wide, high = (width * cos + height * sin, width * sin + height * cos) if turn else (width, height)
    scale = min(fill * across / max(wide, 1e-6), fill * down / max(high, 1e-6), largest)
    return Camera(scale, turn=turn).showing((x + width / 2, y + height / 2), across / 2, down / 2)


def fitted_points(points: FloatArray, view: tuple[int, int], fill: float, largest: float, turn: float) -> Camera:
    """As :func:`fitted`, around points (N, 2) that the turned camera sees."""
    cos, sin = math.cos(turn), math.sin(turn)
    seen = points @ np.array([[cos, sin], [-sin, cos]])
    low, high = seen.min(axis=0), seen.max(axis=0)
    (x, y), (width, height) = ((low + high) / 2).tolist(), (high - low).tolist()
    across, down = max(view[0], 1), max(view[1], 1)
    scale = min(fill * across / max(width, 1e-6), fill * down / max(height, 1e-6), largest)
    return Camera(scale, turn=turn).showing((cos * x + sin * y, cos * y - sin * x), across / 2, down / 2)
