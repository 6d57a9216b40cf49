"""Reading MATLAB's MAT files of version 5 (saved with -v5, -v6 or -v7): numbers, texts, cells and structs.

After "MAT-File Format" (The MathWorks). What else such files can hold (sparse matrices, objects, functions) is
refused. Nothing in the file is executed, and its arrays may not claim more than it holds.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from scaf_gui.errors import LabelFileError

#: largest file, and largest size of what is compressed in it
_LARGEST = 256_000_000
_DEEPEST = 8
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
_MATRIX, _COMPRESSED = 14, 15
_CELL, _STRUCT, _CHAR = 1, 2, 4


class _BrokenError(Exception):
    """What is wrong with the file, in a few words."""


def read_mat(path: Path) -> dict[str, Any]:
    """The variables of a MAT file by name.

    Numbers become float64 arrays of their shape, texts ``str``, cell arrays lists, struct arrays lists of dictionaries
    by field (both in MATLAB's order, column by column); a variable of a kind that is not read becomes ``None``.

    :raises LabelFileError: not such a file, damaged, or of version 7.3 (which is HDF5)
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise LabelFileError(f"is larger than {_LARGEST} bytes, too large for a list of boxes", path)
        data = path.read_bytes()
    except OSError as error:
        raise LabelFileError(f"cannot be read ({error.strerror})", path) from error
    if data[:19] == b"MATLAB 7.3 MAT-file" or data[:4] == b"\x89HDF":
        raise LabelFileError("is a MAT file of version 7.3; save it in MATLAB with -v7", path)
    order = {b"IM": "<", b"MI": ">"}.get(data[126:128])
    if order is None:
        raise LabelFileError("is no MAT file of version 5", path)
    try:
        return dict(_variables(data[128:], order))
    except _BrokenError as error:
        raise LabelFileError(f"is a damaged MAT file ({error})", path) from error


def _variables(data: bytes, order: str) -> Iterator[tuple[str, Any]]:
    left = _LARGEST
    for kind, content in _elements(data, order):
        if kind == _COMPRESSED:
            try:
                unpacker = zlib.decompressobj()
                unpacked = unpacker.decompress(content, left)
            except zlib.error as error:
                raise _BrokenError(str(error)) from error
            if unpacker.unconsumed_tail:
                raise _BrokenError("it grows too large when it is unpacked")
            left = max(1, left - len(unpacked))
            kind, content = next(_elements(unpacked, order), (0, b""))
        if kind == _MATRIX:
            yield _matrix(content, order, 0)


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """(type, content) of each element; each begins at a multiple of eight bytes, but for compressed ones."""
    at = 0
    while at + 8 <= len(data):
        first, size = struct.unpack_from(order + "II", data, at)
        if first >> 16:  # a small one: size, type and content within eight bytes
            kind, size, start = first & 0xFFFF, first >> 16, at + 4
            if size > 4:
                raise _BrokenError("a small element is too large")
            at += 8
        else:
            kind, start = first, at + 8
            at = start + size if kind == _COMPRESSED else start + -(-size // 8) * 8
        if start + size > len(data):
            raise _BrokenError("it ends too early")
        yield kind, data[start : start + size]


def _matrix(data: bytes, order: str, depth: int) -> tuple[str, Any]:
    """(name, value) of an array."""
    if depth > _DEEPEST:
        raise _BrokenError("it is nested too deeply")
    if not data:  # an empty cell
        return "", np.empty(0)
    parts = _elements(data, order)
    flags, shape, name = _part(parts), _part(parts), _part(parts)
    if len(flags[1]) < 4:
        raise _BrokenError("an array has no class")
    kind = struct.unpack_from(order + "I", flags[1])[0] & 0xFF
    dimensions = tuple(int(size) for size in _values(shape, order))
    if any(size < 0 for size in dimensions):
        raise _BrokenError("an array has a negative size")
    count, title = math.prod(dimensions), _text(name, order)
    if kind == _CELL:
        return title, [_below(parts, order, depth) for _ in range(_counted(count, data))]
    if kind == _STRUCT:
        length = int(next(iter(_values(_part(parts), order)), 0))
        names = _part(parts)[1]
        if length <= 0:
            raise _BrokenError("a struct has fields without names")
        fields = [names[at : at + length].split(b"\0")[0].decode("latin-1") for at in range(0, len(names), length)]
        rows = range(_counted(count * max(1, len(fields)), data) // max(1, len(fields)))
        return title, [{field: _below(parts, order, depth) for field in fields} for _ in rows]
    if kind == _CHAR:
        return title, _text(_part(parts), order)
    if 6 <= kind <= 15:
        values = np.asarray(_values(_part(parts), order), np.float64)
        if len(values) != count:
            raise _BrokenError(f"an array of {count} numbers holds {len(values)}")
        return title, values.reshape(dimensions, order="F")
    return title, None


def _below(parts: Iterator[tuple[int, bytes]], order: str, depth: int) -> Any:
    kind, content = _part(parts)
    if kind != _MATRIX:
        raise _BrokenError("a cell or field holds no array")
    return _matrix(content, order, depth + 1)[1]


def _part(parts: Iterator[tuple[int, bytes]]) -> tuple[int, bytes]:
    found = next(parts, None)
    if found is None:
        raise _BrokenError("it ends too early")
    return found


def _counted(count: int, data: bytes) -> int:
    """A number of elements, each of which takes at least eight bytes."""
    if count * 8 > len(data):
        raise _BrokenError(f"an array claims {count} elements")
    return count


def _values(part: tuple[int, bytes], order: str) -> Any:
    kind, content = part
    if kind not in _NUMBERS:
        raise _BrokenError(f"numbers are of type {kind}")
    dtype = np.dtype(order + _NUMBERS[kind])
    return np.frombuffer(content[: len(content) // dtype.itemsize * dtype.itemsize], dtype)


def _text(part: tuple[int, bytes], order: str) -> str:
    kind, content = part
    encoding = _TEXTS.get(kind)
    if encoding is None:
        raise _BrokenError(f"a text is of type {kind}")
    if encoding in ("utf-16", "utf-32"):
        encoding += "-le" if order == "<" else "-be"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise _BrokenError("a text is none") from error
