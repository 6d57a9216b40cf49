"""Cutting square crops from images: antialiased, one convention with :func:`crop_transform`."""

from __future__ import annotations

import cv2
import numpy as np

from scaf_gui.core.arrays import ByteArray, FloatArray
from scaf_gui.core.geometry import Square, crop_square, crop_transform, inverse, landmark_box, transform
from scaf_gui.core.scheme import Scheme

#: beyond this reduction the image is averaged down before the crop is cut
_MAX_SUPERSAMPLE = 6

#: a second look turns a face by no more; beyond, the first look is not to be trusted so far
_MAX_DEGREES = 45.0

#: a second look leaves a square for that of the predicted landmarks where it is off by more, a first look where it is
#: off by much more
ASTRAY, FAR_ASTRAY = 0.06, 0.15
#: what is further off is no face any more
_LOST = 1.5


def level_view(points: FloatArray, scheme: Scheme, first: Square) -> tuple[Square, float]:
    """Where to look again at a face: the square around its predicted landmarks, and the turn that levels the eyes.

    :param points: (L, 2) image pixels
    :param first: the square that they were predicted from. It stays, unturned, where the landmarks lead far from it.
    :returns: square and degrees for :func:`cut_crop`; no turn without the scheme's pair of eye corners
    """
    degrees = 0.0
    if scheme.normaliser is not None:
        dx, dy = points[scheme.normaliser[1]] - points[scheme.normaliser[0]]
        degrees = -float(np.degrees(np.arctan2(dy, dx)))
    if not abs(degrees) <= _MAX_DEGREES:
        degrees = 0.0
    turn = crop_transform(Square(0.0, 0.0, 1.0), 1, degrees)
    turned = crop_square(landmark_box(transform(turn, points), scheme.face_box))
    cx, cy = transform(inverse(turn), np.array([turned.cx, turned.cy]))
    moved = max(abs(cx - first.cx), abs(cy - first.cy))
    if not (0.5 * first.side < turned.side < 2.0 * first.side and moved < 0.5 * first.side):
        return first, 0.0
    return Square(float(cx), float(cy), turned.side), degrees


def elsewhere(points: FloatArray, scheme: Scheme, first: Square, by: float = ASTRAY) -> Square | None:
    """The square around predicted landmarks, where it is far from the one that they were predicted from.

    A box that misses the face draws the prediction with it, but not all the way: from where it lies now the network
    sees more of the face. ``None`` where the square was right, or where there is no telling.

    :param points: (L, 2) image pixels
    :param by: how far counts: of the centre as a share of the side, and of the logarithm of the side
    """
    if not scheme.spans_the_face:
        return None
    found = crop_square(landmark_box(points, scheme.face_box))
    moved = max(abs(found.cx - first.cx), abs(found.cy - first.cy)) / first.side
    resized = abs(float(np.log(found.side / first.side)))
    if not (moved < _LOST and resized < _LOST):
        return None
    return found if max(moved, resized) > by else None


def cut_crop(image: ByteArray, square: Square, size: int, degrees: float = 0.0) -> ByteArray:
    """The pixels of a square, as the network sees them.

    A landmark at ``p`` (image pixels) is at ``transform(crop_transform(square, size, degrees), p)``.

    :param image: (H, W, 3) uint8 RGB
    :param degrees: turn of the crop's content, clockwise as seen
    :returns: (size, size, 3) uint8; black where the square leaves the image
    """
    reduction = square.side / size
    factor = 1
    if reduction > _MAX_SUPERSAMPLE:
        factor = int(reduction / (_MAX_SUPERSAMPLE / 2))
        image, square = _reduced(image, square, factor, degrees)
        reduction /= factor
    # Bilinear reading skips pixels when it shrinks: read finer, then average whole blocks.
    finer = max(1, int(np.ceil(reduction - 1e-6)))
    matrix = crop_transform(square, size * finer, degrees)
    crop = warp(image, matrix, size * finer)
    if finer > 1:
        crop = np.asarray(cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
    return crop


def warp(image: ByteArray, matrix: FloatArray, size: int) -> ByteArray:
    """Bilinear (size, size, 3) through an affine from image to crop; black outside."""
    if max(image.shape[:2]) >= 32767:  # the limit of cv2's warps
        image, matrix = _window(image, matrix, size)
    warped = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(warped, np.uint8)


def _window(image: ByteArray, matrix: FloatArray, size: int) -> tuple[ByteArray, FloatArray]:
    """The part of a huge image that a crop reads, and the affine from there."""
    back = cv2.invertAffineTransform(matrix)
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]], np.float64) @ back[:, :2].T + back[:, 2]
    x0, y0 = np.maximum(np.floor(corners.min(axis=0)).astype(int) - 2, 0)
    x1, y1 = np.maximum(np.ceil(corners.max(axis=0)).astype(int) + 3, [x0 + 1, y0 + 1])
    part = image[y0:y1, x0:x1]
    if part.size == 0:
        part, x0, y0 = image[:1, :1] * 0, 10**6, 10**6
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ np.array([x0, y0], np.float64)
    return part, moved


def _reduced(image: ByteArray, square: Square, factor: int, degrees: float) -> tuple[ByteArray, Square]:
    """The square's surroundings averaged over blocks of ``factor``, and the square in there."""
    reach = square.side * (0.75 if degrees else 0.5) + 2 * factor
    height, width = image.shape[:2]
    x0 = int(np.clip(np.floor(square.cx - reach), 0, width - 1))
    y0 = int(np.clip(np.floor(square.cy - reach), 0, height - 1))
    x1 = int(np.clip(np.ceil(square.cx + reach), x0 + 1, width))
    y1 = int(np.clip(np.ceil(square.cy + reach), y0 + 1, height))
    columns, rows = -(-(x1 - x0) // factor), -(-(y1 - y0) // factor)
    part = image[y0:y1, x0:x1]
    # cv2 wants whole blocks.
    below, right = rows * factor - part.shape[0], columns * factor - part.shape[1]
    padded = cv2.copyMakeBorder(part, 0, below, 0, right, cv2.BORDER_REPLICATE)
    small = np.asarray(cv2.resize(padded, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    centre_x = (square.cx - x0 + 0.5) / factor - 0.5
    centre_y = (square.cy - y0 + 0.5) / factor - 0.5
    return small, Square(centre_x, centre_y, square.side / factor)
