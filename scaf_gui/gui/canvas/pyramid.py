"""A photo in several sizes, and what of it a view shows. No Qt.

Painting a 24-megapixel photo into a window of one megapixel reads every pixel of the photo unless
a smaller copy is at hand; each level halves the one before, and is made when it is first needed.
"""

from __future__ import annotations

import sys

import cv2
import numpy as np
import numpy.typing as npt

from scaf_gui.core.arrays import ByteArray, FloatArray
from scaf_gui.gui.canvas.look import Look, local_light

#: from this many screen pixels per image pixel on, pixels are drawn as squares
SQUARES_FROM = 4.0
#: the local contrast of a level of so many pixels at most is worked out at once, within some 10 ms
QUICK = 1_500_000


class Pyramid:
    """The levels of one image (height, width, 3) uint8 RGB.

    :param size: (width, height) of the whole image, where ``image`` is only a smaller copy with the same edges: it
        takes the place of the levels that are missing, and everything stays where it is
    """

    def __init__(self, image: ByteArray, size: tuple[int, int] | None = None):
        self.width: int
        self.height: int
        self.width, self.height = size or (image.shape[1], image.shape[0])
        missing = round(np.log2(max(self.width / image.shape[1], self.height / image.shape[0], 1)))
        self._levels = [np.ascontiguousarray(image)] * (1 + missing)
        self._lights: dict[int, ByteArray] = {}  # by level: luminance with its local contrast made even

    @property
    def is_whole(self) -> bool:
        """Whether the image itself is there, not only a smaller copy."""
        return self._levels[0].shape[:2] == (self.height, self.width)

    @property
    def nbytes(self) -> int:
        """Memory of all levels."""
        return sum({id(level): level.nbytes for level in self._levels}.values())

    @property
    def most(self) -> int:
        """The highest level: one pixel along the longer side."""
        return int(np.log2(max(self.width, self.height, 1)))

    def level(self, index: int) -> ByteArray:
        """The image with each side halved ``index`` times (rounded up, at least 1 pixel)."""
        while len(self._levels) <= index:
            above = self._levels[-1]
            size = ((above.shape[1] + 1) // 2, (above.shape[0] + 1) // 2)
            self._levels.append(np.asarray(cv2.resize(above, size, interpolation=cv2.INTER_AREA), dtype=np.uint8))
        return self._levels[index]

    def level_for(self, scale: float) -> int:
        """The smallest level that still has a pixel for each screen pixel at ``scale``."""
        return int(np.clip(np.floor(-np.log2(scale)), 0, self.most))

    # -- local contrast

    def make_light(self, index: int) -> None:
        """Work the local contrast of a level out; on any thread, once the level has been made."""
        if index not in self._lights:
            self._lights[index] = local_light(self._levels[index])

    def is_lit(self, index: int) -> bool:
        return index in self._lights

    def lit(self, index: int) -> int:
        """The finest level, from ``index`` on, whose local contrast is known; that of a small one is worked out now."""
        while index not in self._lights and self._levels[0].shape[0] * self._levels[0].shape[1] >> 2 * index > QUICK:
            index += 1
        self.level(index)
        self.make_light(index)
        return index

    # -- what a view shows

    def view(
        self,
        scale: float,
        left: float,
        top: float,
        width: int,
        height: int,
        turn: float = 0.0,
        look: Look | None = None,
    ) -> tuple[int, int, npt.NDArray[np.uint32]] | None:
        """What a view of ``width`` x ``height`` screen pixels shows of the image.

        Screen pixel (i, j) has its centre at (i + 0.5, j + 0.5) and shows scene point
        ``R(-turn) (i + 0.5 + left, j + 0.5 + top) / scale``; the centre of the image's top-left pixel
        is scene point (0, 0).

        :param turn: by which the image is turned, radians, clockwise
        :param look: what is done to its pixels; ``None``: nothing
        :returns: the screen position (x, y) of the picture's top-left pixel, and the picture
            (rows, columns) uint32 0xffRRGGBB, of a turned view 0 beside the image; ``None`` when it is out of sight
        """
        index = self.level_for(scale)
        source, light = self.level(index), None
        if look is not None and look.local > 0:
            index = self.lit(index)
            source, light = self.level(index), self._lights[index]
        if turn:
            matrix = _turned(scale, left, top, turn, source.shape[1] / self.width, source.shape[0] / self.height)
            return _slanted(source, matrix, width, height, scale >= SQUARES_FROM, look, light)
        x0, x1 = _covered(scale, left, width, self.width)
        y0, y1 = _covered(scale, top, height, self.height)
        if x0 >= x1 or y0 >= y1:
            return None
        u = _positions(scale, left, x0, x1, source.shape[1] / self.width)
        v = _positions(scale, top, y0, y1, source.shape[0] / self.height)
        if scale >= SQUARES_FROM:
            return x0, y0, _squares(source, u, v, look, light)
        return x0, y0, _smooth(source, u, v, look, light)


def _covered(scale: float, shift: float, view: int, side: int) -> tuple[int, int]:
    """First and one past the last screen pixel whose centre lies over the image, along one axis."""
    first = int(np.ceil(-0.5 * scale - shift - 0.5))
    end = int(np.ceil((side - 0.5) * scale - shift - 0.5))
    return max(first, 0), min(max(end, first + 1), view)


def _positions(scale: float, shift: float, start: int, end: int, ratio: float) -> npt.NDArray[np.float64]:
    """Where the centres of screen pixels fall in a level, in its pixels, from the outer edge of its first one."""
    scene = (np.arange(start, end) + 0.5 + shift) / scale
    return np.asarray((scene + 0.5) * ratio, dtype=np.float64)


def _squares(
    source: ByteArray, u: FloatArray, v: FloatArray, look: Look | None, light: ByteArray | None
) -> npt.NDArray[np.uint32]:
    """Nearest neighbour: whole columns, then whole rows, are repeated."""
    columns = np.clip(np.floor(u), 0, source.shape[1] - 1).astype(np.intp)
    rows = np.clip(np.floor(v), 0, source.shape[0] - 1).astype(np.intp)
    area = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    part = _packed(_looked(source[area], look, None if light is None else light[area]))
    return np.asarray(part.take(columns - columns[0], axis=1).take(rows - rows[0], axis=0), dtype=np.uint32)


def _smooth(
    source: ByteArray, u: FloatArray, v: FloatArray, look: Look | None, light: ByteArray | None
) -> npt.NDArray[np.uint32]:
    """Bilinear. Only the part in sight is handed on: OpenCV warps no image of more than 32,767 pixels a side."""
    rows, columns = source.shape[:2]
    column = min(max(int(u[0]) - 2, 0), columns - 1)
    row = min(max(int(v[0]) - 2, 0), rows - 1)
    area = slice(row, max(int(v[-1]) + 2, row + 1)), slice(column, max(int(u[-1]) + 2, column + 1))
    step_u = float(u[1] - u[0]) if len(u) > 1 else 1.0
    step_v = float(v[1] - v[0]) if len(v) > 1 else 1.0
    matrix = np.array([[step_u, 0.0, u[0] - 0.5 - column], [0.0, step_v, v[0] - 0.5 - row]])

    def warped(part: ByteArray) -> ByteArray:
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        made = cv2.warpAffine(part, matrix, (len(u), len(v)), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(made, dtype=np.uint8)

    if look is None:  # four channels are warped in half the time of three, to the same values
        return _words(warped(_bgra(source[area])))
    return _packed(_looked(warped(source[area]), look, None if light is None else warped(light[area])))


def _turned(scale: float, left: float, top: float, turn: float, ratio_x: float, ratio_y: float) -> FloatArray:
    """(2, 3) from screen pixels' indices to a level's pixels' indices, of a turned view."""
    cos, sin = np.cos(turn) / scale, np.sin(turn) / scale
    across, down = left + 0.5, top + 0.5
    matrix: FloatArray = np.array(
        [
            [cos * ratio_x, sin * ratio_x, (cos * across + sin * down + 0.5) * ratio_x - 0.5],
            [-sin * ratio_y, cos * ratio_y, (cos * down - sin * across + 0.5) * ratio_y - 0.5],
        ]
    )
    return matrix


def _slanted(
    source: ByteArray,
    matrix: FloatArray,
    width: int,
    height: int,
    squares: bool,
    look: Look | None,
    light: ByteArray | None,
) -> tuple[int, int, npt.NDArray[np.uint32]] | None:
    """A turned view as a whole; only the part of the level in sight is handed on, as by :func:`_smooth`."""
    corners = matrix @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]])
    low = np.maximum(np.floor(corners.min(axis=1)).astype(int) - 2, 0)
    high = np.minimum(np.ceil(corners.max(axis=1)).astype(int) + 3, source.shape[1::-1])
    if (low >= high).any():
        return None
    area = slice(low[1], high[1]), slice(low[0], high[0])
    matrix = matrix - np.array([[0, 0, low[0]], [0, 0, low[1]]])
    method = (cv2.INTER_NEAREST if squares else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP

    def warped(part: ByteArray) -> ByteArray:
        made = cv2.warpAffine(part, matrix, (width, height), flags=method, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(made, dtype=np.uint8)

    if look is None:
        pixels = _words(warped(_bgra(source[area])))
    else:
        pixels = _packed(_looked(warped(source[area]), look, None if light is None else warped(light[area])))
    first, end = _spans(matrix, width, height, high[0] - low[0], high[1] - low[1])
    for row, (start, stop) in enumerate(zip(first.tolist(), end.tolist(), strict=True)):
        pixels[row, :start] = pixels[row, stop:] = 0
    return 0, 0, pixels


def _spans(
    matrix: FloatArray, width: int, height: int, columns: int, rows: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """For each row of a turned view the first pixel over the image and one past the last.

    :param matrix: (2, 3) from the view's pixels to the image's, which has so many columns and rows
    """
    row = np.arange(height)
    first, end = np.zeros(height), np.full(height, float(width))
    for (step, down, start), side in zip(matrix.tolist(), (columns, rows), strict=True):
        at = down * row + start  # of the row's first pixel; over the image it is from -0.5 on, below side - 0.5
        if abs(step) < 1e-9:
            end[(at < -0.5) | (at >= side - 0.5)] = 0.0
            continue
        near, far = np.sort([(-0.5 - at) / step, (side - 0.5 - at) / step], axis=0)
        first, end = np.maximum(first, np.ceil(near)), np.minimum(end, np.ceil(far))
    first = np.minimum(first, width)
    return first.astype(np.intp), np.maximum(first, end).astype(np.intp)


def _looked(rgb: ByteArray, look: Look | None, light: ByteArray | None) -> ByteArray:
    return rgb if look is None else look.applied(rgb, light)


def _packed(rgb: ByteArray) -> npt.NDArray[np.uint32]:
    """(rows, columns, 3) RGB as (rows, columns) 0xffRRGGBB, the native order of Qt's 32-bit images."""
    return _words(_bgra(np.ascontiguousarray(rgb)))


def _bgra(rgb: ByteArray) -> ByteArray:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGRA), dtype=np.uint8)


def _words(pixels: ByteArray) -> npt.NDArray[np.uint32]:
    """(rows, columns, 4) BGRA as words."""
    if sys.byteorder == "little":
        return pixels.view(np.uint32)[..., 0]
    return np.ascontiguousarray(pixels[..., ::-1]).view(np.uint32)[..., 0]
