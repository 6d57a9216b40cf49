"""What an image file says of itself before it is decoded: kind, size, orientation, and whether it is whole.

OpenCV decodes the pixels; this module answers what OpenCV does not: the size without decoding, the
orientation where a decoder ignores it, and whether the end of the file is missing (older OpenCV
versions fill the rest of a truncated JPEG with gray and say nothing).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO


class HeaderError(Exception):
    """Why a file is no image that can be read; fit to follow the file's name."""


@dataclass(frozen=True)
class Header:
    """``width`` and ``height`` in pixels as stored; ``orientation`` is EXIF's, 1 to 8 (1: upright)."""

    kind: str
    width: int
    height: int
    orientation: int = 1

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the upright image."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)


#: files that people take for images which OpenCV reads: (offset, bytes, what to say)
_FOREIGN = (
    (4, b"ftypheic", "is an HEIC image, which cannot be read: convert it to JPEG or PNG"),
    (4, b"ftypheix", "is an HEIC image, which cannot be read: convert it to JPEG or PNG"),
    (4, b"ftypmif1", "is an HEIF image, which cannot be read: convert it to JPEG or PNG"),
    (4, b"ftypavif", "is an AVIF image, which cannot be read: convert it to JPEG or PNG"),
    (4, b"ftyp", "is a video or another media file, not an image"),
    (0, b"8BPS", "is a Photoshop file, which cannot be read: convert it to JPEG or PNG"),
    (0, b"%PDF", "is a PDF document, not an image"),
    (0, b"PK\x03\x04", "is a ZIP archive, not an image"),
)


def read_header(file: BinaryIO) -> Header:
    """The header of an image file opened for reading.

    :raises HeaderError: the file is empty, cut off in its header, or not an image of a known kind
    """
    start = file.read(16)
    if not start:
        raise HeaderError("is empty (zero bytes)")
    for magic, parse in _PARSERS:
        if re.match(magic, start, re.DOTALL):
            file.seek(0)
            try:
                header = parse(file)
            except (struct.error, IndexError) as error:
                raise HeaderError("is truncated: it ends within its header") from error
            if header.width < 1 or header.height < 1:
                raise HeaderError(f"is damaged: its header says {header.width} x {header.height} pixels")
            return header
    for offset, magic, reason in _FOREIGN:
        if start[offset : offset + len(magic)] == magic:
            raise HeaderError(reason)
    if len(start) < 8:
        raise HeaderError(f"is too short to be an image ({len(start)} bytes)")
    if start.isascii() and not re.search(rb"[\x00-\x08\x0e-\x1f]", start):
        raise HeaderError("is a text file, not an image, whatever its name says")
    raise HeaderError("is not an image of a kind that can be read, whatever its name says")


def is_whole(kind: str, data: bytes) -> bool:
    """Whether an image file reaches to its end; damage in the middle is left to the decoder to find."""
    check = _WHOLE.get(kind)
    return check is None or check(data)


def _read(file: BinaryIO, layout: str) -> tuple[int, ...]:
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _jpeg(file: BinaryIO) -> Header:
    file.seek(2)
    orientation = 1
    while True:
        (lead,) = _read(file, "B")
        if lead != 0xFF:
            raise HeaderError("is damaged: a JPEG marker is missing in its header")
        marker = 0xFF
        while marker == 0xFF:
            (marker,) = _read(file, "B")
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            continue
        (length,) = _read(file, ">H")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            _, height, width = _read(file, ">BHH")
            return Header("jpeg", width, height, orientation)
        if marker in (0xD9, 0xDA):
            raise HeaderError("is damaged: it holds no picture size")
        if marker == 0xE1:
            block = file.read(length - 2)
            if block.startswith(b"Exif\x00\x00"):
                orientation = _exif_orientation(block[6:])
        else:
            file.seek(length - 2, 1)


_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def _jpeg_whole(data: bytes) -> bool:
    """Follow the markers to the end-of-image one; what comes after it (previews, notes) does not count."""
    if data.endswith(b"\xff\xd9"):  # nearly always, and looking through 6 MB would take 5 ms
        return True
    at = 2
    while True:
        found = _MARKER.search(data, at)
        if found is None:
            return False
        marker = data[found.start() + 1]
        if marker == 0xD9:
            return True
        at = found.end()
        if marker not in (0x01, 0xD8):
            if at + 2 > len(data):
                return False
            at += int.from_bytes(data[at : at + 2], "big")


def _png(file: BinaryIO) -> Header:
    file.seek(8)
    width = height = 0
    orientation = 1
    while True:
        head = file.read(8)
        if len(head) < 8:
            break
        length, name = struct.unpack(">I4s", head)
        if name == b"IHDR":
            width, height = _read(file, ">II")
            file.seek(length - 8 + 4, 1)
        elif name == b"eXIf":
            orientation = _exif_orientation(file.read(length))
            file.seek(4, 1)
        elif name == b"IEND":
            break
        else:
            file.seek(length + 4, 1)
    if not width:
        raise struct.error
    return Header("png", width, height, orientation)


def _png_whole(data: bytes) -> bool:
    at = 8
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if name == b"IEND":
            return True
        at += length + 12
    return False


def _webp(file: BinaryIO) -> Header:
    file.seek(12)
    size: tuple[int, int] | None = None
    orientation = 1
    while True:
        head = file.read(8)
        if len(head) < 8:
            break
        name, length = struct.unpack("<4sI", head)
        next_at = file.tell() + length + (length & 1)
        if name == b"VP8X":
            block = file.read(10)
            size = int.from_bytes(block[4:7], "little") + 1, int.from_bytes(block[7:10], "little") + 1
            if not block[0] & 0x08:  # no EXIF further on
                break
        elif name == b"VP8 " and size is None:
            width, height = struct.unpack_from("<HH", file.read(10), 6)
            size = width & 0x3FFF, height & 0x3FFF
            break
        elif name == b"VP8L" and size is None:
            (bits,) = struct.unpack_from("<I", file.read(5), 1)
            size = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
            break
        elif name == b"EXIF":
            block = file.read(length)
            orientation = _exif_orientation(block.removeprefix(b"Exif\x00\x00"))
            break
        file.seek(next_at)
    if size is None:
        raise struct.error
    return Header("webp", *size, orientation)


def _bmp(file: BinaryIO) -> Header:
    file.seek(14)
    (length,) = _read(file, "<I")
    width, height = _read(file, "<HH") if length == 12 else _read(file, "<ii")
    return Header("bmp", width, abs(height))


def _gif(file: BinaryIO) -> Header:
    file.seek(6)
    return Header("gif", *_read(file, "<HH"))


def _pnm(file: BinaryIO) -> Header:
    text = re.sub(rb"#[^\n]*", b"", file.read(4096))
    found = re.match(rb"P[1-6]\s+([0-9]{1,9})\s+([0-9]{1,9})\s", text)
    if found is None:
        raise HeaderError("is damaged: its header holds no picture size")
    return Header("pnm", int(found[1]), int(found[2]))


_WIDTH, _HEIGHT, _ORIENTATION = 256, 257, 274
_OFFSETS, _COUNTS = (273, 324), (279, 325)  # of strips, of tiles


def _tiff(file: BinaryIO) -> Header:
    tags = _tiff_tags(file)
    if _WIDTH not in tags or _HEIGHT not in tags:
        raise HeaderError("is damaged: it holds no picture size")
    return Header("tiff", tags[_WIDTH][0], tags[_HEIGHT][0], _valid(tags.get(_ORIENTATION, (1,))[0]))


def _tiff_whole(data: bytes) -> bool:
    tags = _tiff_tags(BytesIO(data))
    for offsets, counts in zip(_OFFSETS, _COUNTS, strict=True):
        pairs = zip(tags.get(offsets, ()), tags.get(counts, ()), strict=False)
        if any(offset + count > len(data) for offset, count in pairs):
            return False
    return True


def _exif_orientation(block: bytes) -> int:
    """The orientation in an EXIF block (a small TIFF file); 1 where there is none or it is broken."""
    try:
        return _valid(_tiff_tags(BytesIO(block)).get(_ORIENTATION, (1,))[0])
    except (struct.error, HeaderError, IndexError):
        return 1


def _valid(orientation: int) -> int:
    return orientation if 1 <= orientation <= 8 else 1


def _tiff_tags(file: BinaryIO) -> dict[int, tuple[int, ...]]:
    """Whole-number tags of the first directory (TIFF 6.0, section 2)."""
    mark = file.read(4)
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(mark)
    if order is None:
        raise HeaderError("is a TIFF file of a kind that cannot be read (BigTIFF?)")
    (at,) = _read(file, order + "I")
    file.seek(at)
    (count,) = _read(file, order + "H")
    entries = file.read(12 * count)
    tags: dict[int, tuple[int, ...]] = {}
    for place in range(count):
        tag, kind, many, value = struct.unpack_from(order + "HHI4s", entries, 12 * place)
        letter = {1: "B", 3: "H", 4: "I"}.get(kind)
        if letter is None or not 0 < many <= 1_000_000:
            continue
        layout = f"{order}{many}{letter}"
        length = struct.calcsize(layout)
        if length > 4:
            file.seek(struct.unpack(order + "I", value)[0])
            value = file.read(length)
        tags[tag] = struct.unpack(layout, value[:length])
    return tags


def _webp_whole(data: bytes) -> bool:
    return int.from_bytes(data[4:8], "little") + 8 <= len(data)


_PARSERS: tuple[tuple[bytes, Callable[[BinaryIO], Header]], ...] = (
    (rb"\xff\xd8\xff", _jpeg),
    (rb"\x89PNG\r\n\x1a\n", _png),
    (rb"RIFF....WEBP", _webp),
    (rb"BM", _bmp),
    (rb"GIF8[79]a", _gif),
    (rb"P[1-6]\s", _pnm),
    (rb"II[*+]\x00|MM\x00[*+]", _tiff),
)
_WHOLE: dict[str, Callable[[bytes], bool]] = {
    "jpeg": _jpeg_whole,
    "png": _png_whole,
    "webp": _webp_whole,
    "tiff": _tiff_whole,
}
