"""Small copies of large photos, compressed, in bounded memory: what can be shown while a photo is being read."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import cv2
import numpy as np

from scaf_gui.core.arrays import ByteArray
from scaf_gui.io.images import GLANCE_SIDE, shrunk, small_copy

#: copies of some 500 photos
MOST_BYTES = 48_000_000
#: of the JPEG data that copies are kept as: some 90 kB each, unpacked within 2 ms
QUALITY = 95

#: (time of change in ns, size in bytes, inode): a file that has another one is not what was read
Stamp = tuple[int, int, int]
#: (height, width, 3) uint8 RGB, upright, and (width, height) of the whole image, whose edges are those of the small one
Copy = tuple[ByteArray, tuple[int, int]]


@dataclass(frozen=True)
class _Kept:
    stamp: Stamp
    data: bytes
    size: tuple[int, int]


class SmallCopies:
    """Copies by path, those used last are kept. Safe on any thread.

    A copy belongs to the file as it was when its reading began: once the file has changed, it is never given out.
    """

    def __init__(self, most_bytes: int = MOST_BYTES):
        self._most = most_bytes
        self._kept: OrderedDict[Path, _Kept] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def __contains__(self, path: Path) -> bool:
        """Whether there is a copy, maybe of an older state of the file; the disk is not asked."""
        with self._lock:
            return path in self._kept

    @property
    def nbytes(self) -> int:
        """Memory of all copies."""
        return self._bytes

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def get(self, path: Path) -> Copy | None:
        """The copy of a file, ``None`` where there is none, or none of its present state."""
        with self._lock:
            kept = self._kept.get(path)
        if kept is None:
            return None
        if stamp_of(path) != kept.stamp:
            self._drop(path, kept)
            return None
        with self._lock:
            if path in self._kept:
                self._kept.move_to_end(path)
        flag = getattr(cv2, "IMREAD_COLOR_RGB", 0) or cv2.IMREAD_COLOR
        image = np.asarray(cv2.imdecode(np.frombuffer(kept.data, np.uint8), flag), dtype=np.uint8)
        if flag == cv2.IMREAD_COLOR:
            image = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)
        return image, kept.size

    def read(self, path: Path, side: int = 0) -> Copy | None:
        """The copy that is kept, or one that is read now, and kept.

        :param side: the longer side of what is returned has at least so many pixels; kept is less
        :returns: ``None`` where the image is small enough to be read at once, or cannot be read
        :raises ImageError: as :func:`scaf_gui.io.images.small_copy`
        """
        found = self.get(path)
        if found is not None and max(found[0].shape) >= side:
            return found
        stamp = stamp_of(path)
        read = small_copy(path, side)
        if read is not None and found is None:
            self.put(path, stamp, *read)
        return read

    def put(self, path: Path, stamp: Stamp | None, image: ByteArray, size: tuple[int, int]) -> None:
        """Keep a copy.

        :param stamp: of the file, taken before it was read
        :param image: (height, width, 3) uint8 RGB, upright, of any size; the same edges as the whole image
        :param size: (width, height) of the whole image, upright
        """
        if stamp is None:
            return
        small = shrunk(image, max(1, max(image.shape) // GLANCE_SIDE))
        done, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        if not done:
            return
        with self._lock:
            old = self._kept.pop(path, None)
            self._kept[path] = _Kept(stamp, data.tobytes(), size)
            self._bytes += len(self._kept[path].data) - (len(old.data) if old is not None else 0)
            while self._bytes > self._most:
                self._bytes -= len(self._kept.popitem(last=False)[1].data)

    def _drop(self, path: Path, kept: _Kept) -> None:
        with self._lock:
            if self._kept.get(path) is kept:  # nobody has put a newer one there meanwhile
                del self._kept[path]
                self._bytes -= len(kept.data)


def stamp_of(path: Path) -> Stamp | None:
    """What a file is recognised by; ``None`` if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
