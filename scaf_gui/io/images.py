"""Reading images: every one comes out as (height, width, 3) uint8 RGB, upright, or as an ImageError."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from scaf_gui.core.arrays import ByteArray
from scaf_gui.errors import ImageError
from scaf_gui.io.headers import Header, HeaderError, is_whole, read_header

#: names that count as images in a folder; what a file really is decides its content
IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif", ".ppm", ".pgm", ".pbm"}
    | {".pnm"}
)
#: about 0.9 GB once decoded: 20,000 x 15,000 pixels
MAX_PIXELS = 300_000_000
#: lets the JPEG decoder itself put red first, which saves a pass over all pixels; older versions of OpenCV lack it
_IN_RGB: int = getattr(cv2, "IMREAD_COLOR_RGB", 0)
#: a JPEG file of fewer pixels is decoded so quickly that a glance at it would only cost time
GLANCE_FROM = 6_000_000
#: of an image of fewer pixels, whatever its kind, no small copy is worth keeping
COPY_FROM = 2_000_000
#: the longer side of a glance has at least so many pixels
GLANCE_SIDE = 700


def read_image(path: Path | str) -> ByteArray:
    """Decode an image file.

    Gray images get three equal channels, 16-bit ones are scaled to 8 bits, transparency is put on
    white, animations give their first frame, EXIF's orientation is applied.

    :returns: (height, width, 3) uint8 RGB
    :raises ImageError: naming the file and why it cannot be read
    """
    path = Path(path)
    data, header = _load(path)
    return _upright(_decode(path, data, header), header)


def decode_image(data: bytes, name: Path | str) -> ByteArray:
    """As :func:`read_image`, from a file's bytes; errors call it by ``name``."""
    path = Path(name)
    header = _checked(path, data)
    return _upright(_decode(path, data, header), header)


def glance(path: Path | str, on_read: Callable[[], object] = lambda: None) -> tuple[ByteArray, tuple[int, int]] | None:
    """A large JPEG file at a fraction of its size, in about 40 % of the time that all of it takes.

    Each pixel stands for an equal part of the whole image, whose edges are those of the small one.

    :param on_read: called once the file has been read; what is left to do needs no interpreter
    :returns: (height, width, 3) uint8 RGB, upright, and (width, height) of the whole image, upright;
        ``None`` where a glance would not pay
    :raises ImageError: as :func:`read_image`
    """
    path = Path(path)
    data = _large(path, only_jpeg=True)
    return None if data is None else _reduced(path, data, GLANCE_SIDE, on_read)


def small_copy(path: Path | str, side: int = 0) -> tuple[ByteArray, tuple[int, int]] | None:
    """As :func:`glance`, also of large images of other kinds, for which all of the image is decoded.

    :param side: the longer side has at least so many pixels, and at least :data:`GLANCE_SIDE`
    :returns: as :func:`glance`; ``None`` where the image is so small that it is read at once, or cannot be read
    :raises ImageError: as :func:`read_image`
    """
    path = Path(path)
    data = _large(path)
    return None if data is None else _reduced(path, data, max(side, GLANCE_SIDE))


def _large(path: Path, only_jpeg: bool = False) -> bytes | None:
    """The bytes of an image that takes long to decode; ``None`` of others, and of what cannot be read."""
    try:
        with path.open("rb") as file:
            header = read_header(file)
            # other kinds take longer for each pixel
            least = GLANCE_FROM if header.kind == "jpeg" else COPY_FROM
            small = header.width * header.height < least or max(header.width, header.height) < 2 * GLANCE_SIDE
            if small or (only_jpeg and header.kind != "jpeg"):
                return None
            if sys.platform == "linux":  # all of it at once: a sixth less time than by the system's guesses
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)
            file.seek(0)
            return file.read()
    except (OSError, HeaderError):
        return None  # reading it will say why


def _reduced(
    path: Path, data: bytes, side: int, on_read: Callable[[], object] = lambda: None
) -> tuple[ByteArray, tuple[int, int]]:
    """An image at a half, a quarter or an eighth of its size, at least ``side`` pixels long; same edges."""
    header = _checked(path, data)
    on_read()
    longest = max(header.width, header.height)
    reduced = next((r for r in (8, 4, 2) if longest // r >= side), 1)
    if header.kind == "jpeg":
        image = _decode(path, data, header, reduced)
        if header.width % reduced or header.height % reduced:  # the last column or row reaches beyond the image
            image = _stretched(image, header.width / reduced, header.height / reduced)
        return _upright(image, header), header.size
    whole = _upright(_decode(path, data, header), header)
    return shrunk(whole, max(1, longest // side)), header.size


def shrunk(image: ByteArray, times: int) -> ByteArray:
    """An image with each side divided by ``times``, rounded; each pixel is the mean of an equal part of it."""
    if times == 1:
        return image
    height, width = image.shape[:2]
    size = max(1, round(width / times)), max(1, round(height / times))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def image_size(path: Path | str) -> tuple[int, int]:
    """(width, height) in pixels of the upright image, from the file's header alone.

    :raises ImageError: the file is missing, empty or no image
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            return read_header(file).size
    except OSError as error:
        raise _unreadable(path, error) from error
    except HeaderError as error:
        raise ImageError(str(error), path) from error


def thumbnail(path: Path | str, side: int) -> ByteArray:
    """A small version that fits into ``side`` x ``side`` pixels, never enlarged.

    JPEG files are decoded at a half, a quarter or an eighth of their size, which is several times faster.

    :returns: (height, width, 3) uint8 RGB, upright
    :raises ImageError: as :func:`read_image`
    """
    path = Path(path)
    data, header = _load(path)
    longest = max(header.width, header.height)
    reduced = next((r for r in (8, 4, 2) if header.kind == "jpeg" and longest // r >= side), 1)
    image: Any = _decode(path, data, header, reduced)
    height, width = image.shape[:2]
    scale = side / max(height, width)
    if scale < 1:
        small = max(1, round(width * scale)), max(1, round(height * scale))
        image = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    return _upright(image, header)


def content_hash(path: Path | str) -> str:
    """BLAKE2b of the file's bytes, 32 hex digits: the same picture under another name has the same.

    :raises ImageError: the file cannot be read
    """
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError as error:
        raise _unreadable(Path(path), error) from error


def _load(path: Path) -> tuple[bytes, Header]:
    """The file's bytes and header, once it is known to be whole and not too large."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    return data, _checked(path, data)


def _checked(path: Path, data: bytes) -> Header:
    """The header of an image that is whole and not too large."""
    try:
        header = read_header(BytesIO(data))
    except HeaderError as error:
        raise ImageError(str(error), path) from error
    width, height = header.size
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"is too large: {width} x {height} pixels, the limit is {MAX_PIXELS // 1_000_000} megapixels; "
            "scale it down first",
            path,
        )
    if not is_whole(header.kind, data):
        raise ImageError("is truncated: the end of the image is missing; copy it again from its source", path)
    return header


def _decode(path: Path, data: bytes, header: Header, reduced: int = 1) -> ByteArray:
    """Pixels as stored (not turned yet), (height, width, 3) uint8 RGB; ``reduced`` is for JPEG only."""
    _silence_opencv()
    if header.kind == "jpeg":
        flags = {
            1: cv2.IMREAD_COLOR,
            2: cv2.IMREAD_REDUCED_COLOR_2,
            4: cv2.IMREAD_REDUCED_COLOR_4,
            8: cv2.IMREAD_REDUCED_COLOR_8,
        }[reduced] | cv2.IMREAD_IGNORE_ORIENTATION
        if _IN_RGB:
            flags = flags & ~cv2.IMREAD_COLOR | _IN_RGB
    else:
        flags = cv2.IMREAD_UNCHANGED  # keeps 16 bits and transparency, and leaves turning to us
    try:
        image: Any = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise ImageError(f"needs more memory than there is ({header.width} x {header.height})", path) from error
        image = None
    if image is None:
        hint = "; this OpenCV cannot read GIF files, convert it to PNG" if header.kind == "gif" else ""
        raise ImageError(f"is damaged or of a rare kind: its {header.kind.upper()} data cannot be decoded{hint}", path)
    expected = header.size if header.kind == "tiff" else (header.width, header.height)
    if reduced == 1 and image.shape[1::-1] != expected:
        raise ImageError(f"is damaged: {expected[0]} x {expected[1]} pixels announced, others found", path)
    if header.kind == "jpeg" and _IN_RGB:
        return np.asarray(image, dtype=np.uint8)
    return _rgb(_eight_bits(image))


def _stretched(image: ByteArray, width: float, height: float) -> ByteArray:
    """The part of ``width`` x ``height`` pixels from the top-left edge, in as many pixels as there are."""
    rows, columns = image.shape[:2]
    x, y = width / columns, height / rows
    matrix = np.array([[x, 0.0, 0.5 * x - 0.5], [0.0, y, 0.5 * y - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    made = cv2.warpAffine(image, matrix, (columns, rows), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(made, dtype=np.uint8)


def _eight_bits(image: npt.NDArray[Any]) -> ByteArray:
    """Scale to 0..255: 16-bit images by their full range, 32-bit ones by the range of their values."""
    if image.dtype == np.uint8:
        return image
    if image.dtype == np.uint16:
        return ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)
    values = np.nan_to_num(image.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    return np.rint((values - low) * (255.0 / ((high - low) or 1.0))).astype(np.uint8)


def _rgb(image: ByteArray) -> ByteArray:
    """Gray, BGR or BGRA to RGB; transparency on white."""
    if image.ndim == 2 or image.shape[2] == 1:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)
    if image.shape[2] == 3:
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
    colour = cv2.cvtColor(image, cv2.COLOR_BGRA2RGB)
    opacity = image[:, :, 3:].astype(np.uint16)
    if (opacity == 255).all():
        return colour.astype(np.uint8, copy=False)
    return ((colour * opacity + 255 * (255 - opacity) + 127) // 255).astype(np.uint8)


def _upright(image: ByteArray, header: Header) -> ByteArray:
    """Apply EXIF's orientation (TIFF files: OpenCV has done so)."""
    if header.kind == "tiff" or header.orientation == 1:
        return image
    turned = image.swapaxes(0, 1) if header.orientation >= 5 else image
    if header.orientation in (3, 4, 7, 8):
        turned = turned[::-1]
    if header.orientation in (2, 3, 6, 7):
        turned = turned[:, ::-1]
    return np.ascontiguousarray(turned)


def _unreadable(path: Path, error: OSError) -> ImageError:
    if isinstance(error, FileNotFoundError):
        return ImageError("does not exist (any more)", path)
    if isinstance(error, IsADirectoryError):
        return ImageError("is a folder, not an image", path)
    return ImageError(f"cannot be read ({error.strerror})", path)


@cache
def _silence_opencv() -> None:
    """Keep OpenCV from writing about damaged files to standard error: ImageError says it better.

    Done at the first decoding, not at import. Newer versions have moved the function.
    """
    set_level = getattr(cv2, "setLogLevel", None) or cv2.utils.logging.setLogLevel
    set_level(0)
