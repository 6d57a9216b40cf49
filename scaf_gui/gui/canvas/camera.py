"""Where the canvas looks: how image pixels become screen pixels. No Qt.

Scene coordinates are image pixels with the centre of the top-left pixel at (0, 0); screen
coordinates are pixels of the viewport with its top-left corner at (0, 0).
"""

from __future__ import annotations

from dataclasses import dataclass

#: screen pixels per image pixel, at most
LARGEST = 64.0
#: at the smallest scale the longer side of the image still has this many screen pixels
SMALLEST_SIDE = 48.0


@dataclass(frozen=True)
class Camera:
    """``screen = scene * scale - (left, top)``.

    The shift is kept at whole screen pixels, so that the image does not shimmer while it is moved.
    """

    scale: float = 1.0
    left: int = 0
    top: int = 0

    def to_screen(self, x: float, y: float) -> tuple[float, float]:
        return x * self.scale - self.left, y * self.scale - self.top

    def to_scene(self, x: float, y: float) -> tuple[float, float]:
        return (x + self.left) / self.scale, (y + self.top) / self.scale

    def zoomed(self, scale: float, x: float, y: float) -> Camera:
        """The camera at another scale that shows the same scene point at screen point (x, y)."""
        scene_x, scene_y = self.to_scene(x, y)
        return Camera(scale, round(scene_x * scale - x), round(scene_y * scale - y))

    def moved(self, dx: float, dy: float) -> Camera:
        """The camera after the image was pulled by (dx, dy) screen pixels."""
        return Camera(self.scale, round(self.left - dx), round(self.top - dy))

    def held(self, image: tuple[int, int], view: tuple[int, int]) -> Camera:
        """The camera kept where the image (width, height) cannot get lost from the view (width, height).

        The scale stays within its limits, the centre of the view stays over the image.
        """
        scale = min(max(self.scale, SMALLEST_SIDE / max(image)), LARGEST)
        camera = self if scale == self.scale else self.zoomed(scale, view[0] / 2, view[1] / 2)
        left, top = (
            min(max(shift + size / 2, -0.5 * scale), (side - 0.5) * scale) - size / 2
            for shift, size, side in ((camera.left, view[0], image[0]), (camera.top, view[1], image[1]))
        )
        return Camera(scale, round(left), round(top))


def fitted(
    x: float, y: float, width: float, height: float, view: tuple[int, int], fill: float = 1.0, largest: float = LARGEST
) -> Camera:
    """The camera that shows a scene rectangle in the middle of the view.

    :param fill: which share of the view it may take
    :param largest: the largest scale to use
    """
    across, down = max(view[0], 1), max(view[1], 1)
    scale = min(fill * across / max(width, 1e-6), fill * down / max(height, 1e-6), largest)
    return Camera(scale, round((x + width / 2) * scale - across / 2), round((y + height / 2) * scale - down / 2))
