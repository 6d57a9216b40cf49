"""Faces cut once and kept as JPEG in one file, with an index beside it; both are read through memory maps.

A pack is a folder: ``faces.bin`` (JPEG after JPEG), ``index.bin`` (one :data:`RECORD` per face) and
``pack.json`` (what it was made of, and how far that has come). It may be deleted at any time.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from scaf_gui.core.arrays import ByteArray
from scaf_gui.errors import InputError
from scaf_gui.replace import replace_by

#: where a face's JPEG lies, and which pixels of it (x0, y0, x1, y1; half open) the image really had
RECORD = np.dtype([("offset", "<u8"), ("length", "<u4"), ("real", "<i2", (4,))])
_QUALITY = 93


class PackWriter:
    """Appends faces to a pack; what was not yet noted in ``pack.json`` is cut off when it is opened again.

    :raises InputError: the folder cannot be written to
    """

    def __init__(self, folder: Path, about: dict[str, Any]) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            noted = read_notes(folder)
            if noted is None or noted["about"] != about:
                noted = {"about": about, "faces": 0, "bytes": 0, "sources": {}}
                for name in ("faces.bin", "index.bin"):
                    # not emptied: a run that still reads the old faces keeps them
                    (folder / name).unlink(missing_ok=True)
            self.notes: dict[str, Any] = noted
            self._faces = (folder / "faces.bin").open("ab")
            self._index = (folder / "index.bin").open("ab")
            self._faces.truncate(noted["bytes"])
            self._index.truncate(noted["faces"] * RECORD.itemsize)
            self._write_notes()
        except OSError as error:
            raise _unwritable(folder, error) from error

    def add(self, surrounding: ByteArray, real: tuple[int, int, int, int]) -> None:
        """:param surrounding: (side, side, 3) uint8 RGB"""
        coded = cv2.imencode(".jpg", surrounding[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
        record = np.array([(self.notes["bytes"], len(coded), real)], RECORD)
        try:
            self._faces.write(coded)
            self._index.write(record.tobytes())
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        self.notes["bytes"] += len(coded)
        self.notes["faces"] += 1

    def save(self, finished: bool = False) -> None:
        """Note how far it has come."""
        self.notes["finished"] = finished
        try:
            for stream in (self._faces, self._index):
                stream.flush()
            self._write_notes()
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def close(self) -> None:
        for stream in (self._faces, self._index):
            try:
                stream.close()
            except OSError as error:
                raise _unwritable(self.folder, error) from error

    def _write_notes(self) -> None:
        beside = self.folder / f".pack.{os.getpid()}.part"
        beside.write_text(json.dumps(self.notes), encoding="utf-8")
        replace_by(beside, self.folder / "pack.json")


class FacePack:
    """A finished pack. Threads may read at the same time; memory is the page cache's.

    :raises InputError: there is none, or it is damaged
    """

    def __init__(self, folder: Path) -> None:
        noted = read_notes(folder)
        if noted is None:
            raise InputError("holds no faces; name SOURCE folders or shards", folder)
        self.folder, self.notes = folder, noted
        self.side = int(noted["about"]["side"])
        self._count = int(noted["faces"])
        try:
            if (folder / "faces.bin").stat().st_size < noted["bytes"]:
                raise ValueError
            self._index = np.memmap(folder / "index.bin", RECORD, "r", shape=(self._count,)) if self._count else None
            self._bytes = np.memmap(folder / "faces.bin", np.uint8, "r") if self._count else None
        except (OSError, ValueError) as error:
            raise InputError("is damaged; delete this folder, it will be made again", folder) from error

    def __len__(self) -> int:
        return self._count

    def face(self, number: int) -> tuple[ByteArray, tuple[int, int, int, int]]:
        """(side, side, 3) uint8 RGB, and the part (x0, y0, x1, y1) that is not black filling."""
        if self._index is None or self._bytes is None:
            raise IndexError(number)
        record = self._index[number]
        at, length = int(record["offset"]), int(record["length"])
        image = cv2.imdecode(self._bytes[at : at + length], cv2.IMREAD_COLOR)
        if image is None:
            raise InputError("is damaged; delete this folder, it will be made again", self.folder)
        x0, y0, x1, y1 = (int(value) for value in record["real"])
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8), (x0, y0, x1, y1)


def is_finished(folder: Path, about: dict[str, Any]) -> bool:
    """Whether a pack holds all faces of the sources it is about."""
    noted = read_notes(folder)
    return noted is not None and noted["about"] == about and bool(noted.get("finished"))


def read_notes(folder: Path) -> dict[str, Any] | None:
    """``pack.json``, ``None`` where there is none; a damaged one counts as none."""
    try:
        noted = json.loads((folder / "pack.json").read_text(encoding="utf-8"))
        return noted if isinstance(noted, dict) and {"about", "faces", "bytes", "sources"} <= set(noted) else None
    except (OSError, ValueError):
        return None


def _unwritable(folder: Path, error: OSError) -> InputError:
    return InputError(f"the pack of faces cannot be written ({error.strerror or error}); free some space", folder)
