"""Files that scipy.io.savemat wrote, and what damage does to them."""

from __future__ import annotations

import base64
import random
from pathlib import Path

import numpy as np
import pytest

from scaf_gui.errors import LabelFileError
from scaf_gui.io.matlab import read_mat

#: of scipy 1.17: "bounding_boxes" (three entries), "note" (a text), "size" (2, 3) uint8; compressed
STRUCTS = base64.b64decode(
    "TUFUTEFCIDUuMCBNQVQtZmlsZSBQbGF0Zm9ybTogcG9zaXgsIENyZWF0ZWQgb246IFN1biBOb3YgMjIgMjA6MzY6MDMgMjAyNgAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABSU0PAAAA1gAAAHic42NgYIhgZmBgA9IcQMzEAAGsUD4jEDND"
    "aT4gTsovzUvJzEuPT8qvSC0GqWNhEIDKGwBxZm66X2JuKgMMJCXFp6SWpCaX5BfB+OlFIDPiS4pKSzLAZjowIOxnwWI/H5QGAQEoPzM3MT01"
    "3sDA0EIvqyAdIhaAZA4bFnNYkMzhBGIFuCs/2EMZDhCKA0oLOFBmrgrUHBMIvSAaQnckOgw1f/MRMJcHau5JKF8ESutCFTRB+SBzLAj4mxXN"
    "3yC+uV5BXjrD4PMvjA+jHaF0I5QGAIgjMJ4PAAAANwAAAHic42NgYHAAYjYg5gBiFgYIYIXyGYGYD0yzMOTll6QKQPm5iSmpCmn5RQolqcUl"
    "xQwMAH++B6cPAAAAMAAAAHic42NgYLAAYjYg5gBiTgYIYIXymYCYGYgZGVgYijOrUpmgahmYGVmYgIoAOSoCRw=="
)
CELLS = base64.b64decode(
    "TUFUTEFCIDUuMCBNQVQtZmlsZSBQbGF0Zm9ybTogcG9zaXgsIENyZWF0ZWQgb246IFN1biBOb3YgMjIgMjA6MzY6MDMgMjAyNgAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABSU0PAAAA5wAAAHic42NgYMhgYWBgA9IcQMzIAAGsSHxmKM0H"
    "xEn5pXkpmXnp8Un5FanFELEERoR+Jiz6GVHMZWEQgPINgDgzN90vMTeVAQaSkuJTUktSk0vyi2D89CKQnfElRaUlGWD7HBgQ9rFgsY8PyT4B"
    "KD8zNzE9Nd7AwNBCL6sgHSIWgGQOGxZzWJDM4QRiBbgrP9hDGQ4QigNKCzhQZq4K1BwTCL0gGkJ3JDqMhjMI4A5nPgLm8kDNPQnli0BpXaiC"
    "JigfZE4EncPZggF/OLMyoIYziG+uV5CXzjD4whfGh9GOULoRSgMA3o9N7Q8AAAA3AAAAeJzjY2BgcABiNiDmAGIWBghghfIZgZgPTLMw5OWX"
    "pApA+bmJKakKaflFCiWpxSXFDAwAf74Hpw8AAAAwAAAAeJzjY2BgsABiNiDmAGJOBghghfKZgJgZiBkZWBiKM6tSmaBqGZgZWZiAigA5KgJH"
)


def plain(data: bytes, order: str = "little") -> bytes:
    """The same file without compression."""
    import zlib

    out, at = data[:128], 128
    while at < len(data):
        size = int.from_bytes(data[at + 4 : at + 8], order)  # type: ignore[arg-type]
        out += zlib.decompress(data[at + 8 : at + 8 + size])
        at += 8 + size
    return out


def written(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "boxes.mat"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("data", [STRUCTS, CELLS, plain(STRUCTS), plain(CELLS)])
def test_numbers_texts_structs_and_cells(tmp_path: Path, data: bytes) -> None:
    found = read_mat(written(tmp_path, data))
    assert list(found) == ["bounding_boxes", "note", "size"] and found["note"] == "made for tests"
    assert np.array_equal(found["size"], [[0, 1, 2], [3, 4, 5]]) and found["size"].dtype == np.float64
    entries = [entry[0] if isinstance(entry, list) else entry for entry in found["bounding_boxes"]]
    assert [entry["imgName"] for entry in entries] == ["image_0018.jpg", "image_0018.jpg", "7.png"]
    assert np.array_equal(entries[0]["bb_ground_truth"], [[10, 20, 110.5, 140.25]])
    assert list(entries[1]) == ["imgName", "bb_detector", "bb_ground_truth"]


def test_the_other_byte_order(tmp_path: Path) -> None:
    """One 1 x 2 array of doubles, big-endian."""

    def element(kind: int, content: bytes) -> bytes:
        return kind.to_bytes(4, "big") + len(content).to_bytes(4, "big") + content + b"\0" * (-len(content) % 8)

    shape = (1).to_bytes(4, "big") + (2).to_bytes(4, "big")
    body = element(6, (6).to_bytes(4, "big") + bytes(4)) + element(5, shape) + element(1, b"values")
    body += element(9, np.array([1.5, -2.0], ">f8").tobytes())
    header = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x01\x00MI"
    found = read_mat(written(tmp_path, header + element(14, body)))
    assert np.array_equal(found["values"], [[1.5, -2.0]])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is no MAT file"),
        (b"\x89HDF\r\n\x1a\n" + bytes(200), "version 7.3; save it in MATLAB with -v7"),
        (b"MATLAB 7.3 MAT-file".ljust(140), "version 7.3"),
        (plain(STRUCTS)[:600], "damaged MAT file .it ends too early"),
        (STRUCTS[:200], "damaged MAT file"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(LabelFileError, match=rf"boxes.mat: .*{reason}"):
        read_mat(written(tmp_path, data))


def test_damage_never_ends_in_anything_else(tmp_path: Path) -> None:
    chance = random.Random(5)
    for original in (plain(STRUCTS), plain(CELLS), STRUCTS):
        for _ in range(300):
            data = bytearray(original)
            for _ in range(chance.randint(1, 8)):
                data[chance.randrange(128, len(data))] = chance.choice([0, 1, 255, chance.randrange(256)])
            try:
                read_mat(written(tmp_path, bytes(data)))
            except LabelFileError as error:
                assert "boxes.mat" in str(error)
