"""A photo in several sizes, and what of it a view shows. No Qt.

Painting a 24-megapixel photo into a window of one megapixel reads every pixel of the photo unless
a smaller copy is at hand; each level halves the one before, and is made when it is first needed.
"""

from __future__ import annotations

import sys

import cv2
import numpy as np
import numpy.typing as npt

from scaf_gui.core.arrays import ByteArray

#: from this many screen pixels per image pixel on, pixels are drawn as squares
SQUARES_FROM = 4.0


class Pyramid:
    """The levels of one image (height, width, 3) uint8 RGB."""

    def __init__(self, image: ByteArray):
        self.height, self.width = image.shape[:2]
        self._levels = [np.ascontiguousarray(image)]

    def level(self, index: int) -> ByteArray:
        """The image with each side halved ``index`` times (rounded up, at least 1 pixel)."""
        while len(self._levels) <= index:
            above = self._levels[-1]
            size = ((above.shape[1] + 1) // 2, (above.shape[0] + 1) // 2)
            self._levels.append(np.asarray(cv2.resize(above, size, interpolation=cv2.INTER_AREA), dtype=np.uint8))
        return self._levels[index]

    def level_for(self, scale: float) -> int:
        """The smallest level that still has a pixel for each screen pixel at ``scale``."""
        most = int(np.log2(max(self.width, self.height, 1)))
        return int(np.clip(np.floor(-np.log2(scale)), 0, most))

    def view(
        self, scale: float, left: float, top: float, width: int, height: int
    ) -> tuple[int, int, npt.NDArray[np.uint32]] | None:
        """What a view of ``width`` x ``height`` screen pixels shows of the image.

        Screen pixel (i, j) has its centre at (i + 0.5, j + 0.5) and shows scene point
        ``(i + 0.5 + left) / scale, (j + 0.5 + top) / scale``; the centre of the image's top-left pixel
        is scene point (0, 0).

        :returns: the screen position (x, y) of the picture's top-left pixel, and the picture
            (rows, columns) uint32 0xffRRGGBB; ``None`` when the image is out of sight
        """
        x0, x1 = _covered(scale, left, width, self.width)
        y0, y1 = _covered(scale, top, height, self.height)
        if x0 >= x1 or y0 >= y1:
            return None
        source = self.level(self.level_for(scale))
        u = _positions(scale, left, x0, x1, source.shape[1] / self.width)
        v = _positions(scale, top, y0, y1, source.shape[0] / self.height)
        if scale >= SQUARES_FROM:
            return x0, y0, _squares(source, u, v)
        return x0, y0, _smooth(source, u, v)


def _covered(scale: float, shift: float, view: int, side: int) -> tuple[int, int]:
    """First and one past the last screen pixel whose centre lies over the image, along one axis."""
    first = int(np.ceil(-0.5 * scale - shift - 0.5))
    end = int(np.ceil((side - 0.5) * scale - shift - 0.5))
    return max(first, 0), min(max(end, first + 1), view)


def _positions(scale: float, shift: float, start: int, end: int, ratio: float) -> npt.NDArray[np.float64]:
    """Where the centres of screen pixels fall in a level, in its pixels, from the outer edge of its first one."""
    scene = (np.arange(start, end) + 0.5 + shift) / scale
    return np.asarray((scene + 0.5) * ratio, dtype=np.float64)


def _squares(source: ByteArray, u: npt.NDArray[np.float64], v: npt.NDArray[np.float64]) -> npt.NDArray[np.uint32]:
    """Nearest neighbour: whole columns, then whole rows, are repeated."""
    columns = np.clip(np.floor(u), 0, source.shape[1] - 1).astype(np.intp)
    rows = np.clip(np.floor(v), 0, source.shape[0] - 1).astype(np.intp)
    part = _packed(source[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    return np.asarray(part.take(columns - columns[0], axis=1).take(rows - rows[0], axis=0), dtype=np.uint32)


def _smooth(source: ByteArray, u: npt.NDArray[np.float64], v: npt.NDArray[np.float64]) -> npt.NDArray[np.uint32]:
    """Bilinear. Only the part in sight is handed on: OpenCV warps no image of more than 32,767 pixels a side."""
    rows, columns = source.shape[:2]
    column = min(max(int(u[0]) - 2, 0), columns - 1)
    row = min(max(int(v[0]) - 2, 0), rows - 1)
    part = source[row : max(int(v[-1]) + 2, row + 1), column : max(int(u[-1]) + 2, column + 1)]
    step_u = float(u[1] - u[0]) if len(u) > 1 else 1.0
    step_v = float(v[1] - v[0]) if len(v) > 1 else 1.0
    matrix = np.array([[step_u, 0.0, u[0] - 0.5 - column], [0.0, step_v, v[0] - 0.5 - row]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(part, matrix, (len(u), len(v)), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return _packed(np.asarray(warped, dtype=np.uint8))


def _packed(rgb: ByteArray) -> npt.NDArray[np.uint32]:
    """(rows, columns, 3) RGB as (rows, columns) 0xffRRGGBB, the native order of Qt's 32-bit images."""
    pixels = np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2BGRA))
    if sys.byteorder == "little":
        return pixels.view(np.uint32)[..., 0]
    return np.ascontiguousarray(pixels[..., ::-1]).view(np.uint32)[..., 0]
