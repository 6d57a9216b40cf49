"""Near-identical photos: a fingerprint of what an image looks like, and which fingerprints are close.

The fingerprint is a difference hash (dHash): the gray image, shrunk to :data:`SIDE` rows of one pixel more, and for
each pixel whether it is darker than its right neighbour. Size, compression, brightness and contrast hardly change it.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from scaf_gui.core.arrays import ByteArray

Bits = npt.NDArray[np.uint64]
#: rows and columns of the hash
SIDE = 16
#: 64-bit words of a fingerprint
WORDS = SIDE * SIDE // 64
#: photos that differ in no more of the 256 bits are near-identical; measured, see docs/decisions.md
LIMIT = 16
#: side of the reduced image that a fingerprint is made of, pixels
_REDUCED = 64
#: fingerprints compared with all others in one step
_ROWS = 256


def fingerprint(image: ByteArray) -> Bits:
    """The difference hash of an image, (height, width, 3) uint8 RGB: :data:`WORDS` words of 64 bits."""
    gray: Any = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small: Any = cv2.resize(gray.astype(np.float32), (SIDE + 1, SIDE), interpolation=cv2.INTER_AREA)
    return np.packbits(small[:, :-1] < small[:, 1:]).view(np.uint64)


def file_fingerprint(path: Path) -> Bits:
    """The same of an image file; a JPEG is decoded at a fraction of its size.

    :raises ImageError: it cannot be read
    """
    from scaf_gui.io.images import thumbnail

    return fingerprint(thumbnail(path, _REDUCED))


def group_alike(fingerprints: Bits, limit: int = LIMIT) -> Generator[int, None, tuple[tuple[int, ...], ...]]:
    """Put near-identical images together: those within ``limit`` bits, and those within that of one of them.

    Every pair is compared, a few hundred rows against all at a time, so memory does not grow with their square.

    :param fingerprints: (N, WORDS) uint64
    :returns: groups of at least two, as places among the fingerprints, rising; yields how many rows have been compared
    """
    count = len(fingerprints)
    parent = np.arange(count)

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = int(parent[place])
        return place

    for start in range(0, count, _ROWS):
        rows = fingerprints[start : start + _ROWS]
        distance = np.zeros((len(rows), count - start), np.uint16)
        for word in range(fingerprints.shape[1]):
            distance += np.bitwise_count(rows[:, None, word] ^ fingerprints[None, start:, word])
        for row, column in np.argwhere(distance <= limit).tolist():
            first, second = root(start + row), root(start + column)
            parent[max(first, second)] = min(first, second)
        yield min(start + _ROWS, count)
    groups: dict[int, list[int]] = {}
    for place in range(count):
        groups.setdefault(root(place), []).append(place)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)
