"""Small copies of large photos: where things are in them, whether they are of the file as it is, and their memory."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from scaf_gui.errors import ImageError
from scaf_gui.io import copies, images
from scaf_gui.io.copies import SmallCopies, stamp_of
from scaf_gui.io.images import read_image, small_copy

#: no multiples of eight
SIZE = 3203, 2101


def ramps(shade: int = 60, size: tuple[int, int] = SIZE) -> np.ndarray:
    """(height, width, 3) RGB: red grows to the right, green downwards."""
    across, down = np.meshgrid(np.linspace(0, 255, size[0]), np.linspace(0, 255, size[1]))
    return np.stack([across, down, np.full_like(across, shade)], axis=-1).astype(np.uint8)


def written(path: Path, image: np.ndarray, orientation: int = 1) -> Path:
    done, data = cv2.imencode(path.suffix, image[..., ::-1])
    assert done
    plain = data.tobytes()
    if orientation > 1:
        tiff = b"MM\x00*" + struct.pack(">IH", 8, 1) + struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
        block = b"Exif\x00\x00" + tiff + struct.pack(">HI", 0, 0)
        plain = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + plain[2:]
    path.write_bytes(plain)
    return path


@pytest.mark.parametrize(("suffix", "orientation"), [(".jpg", 1), (".jpg", 3), (".jpg", 6), (".jpg", 8), (".png", 1)])
def test_a_copy_shows_everything_where_the_whole_photo_has_it(tmp_path: Path, suffix: str, orientation: int) -> None:
    path = written(tmp_path / f"photo{suffix}", ramps(), orientation)
    kept = SmallCopies()
    read, again = kept.read(path), kept.get(path)
    assert read is not None and again is not None
    whole = read_image(path)
    for small, size in (read, again):
        assert size == whole.shape[1::-1] and 700 <= max(small.shape) < 1400
        expected = cv2.resize(whole, small.shape[1::-1], interpolation=cv2.INTER_AREA)
        apart = (small.astype(int) - expected)[1:-1, 1:-1]
        one_pixel = 255 / min(small.shape[:2])  # by so much a ramp would differ that is one small pixel aside
        assert np.abs(apart.mean(axis=(0, 1))).max() < 0.5 and np.median(np.abs(apart)) <= max(1.0, 2 * one_pixel)


def test_a_copy_is_never_that_of_an_older_file(tmp_path: Path) -> None:
    path = written(tmp_path / "photo.jpg", ramps(60))
    kept = SmallCopies()
    assert kept.read(path) is not None
    state = path.stat()
    written(tmp_path / "other.jpg", ramps(200)).replace(path)
    assert path in kept and kept.get(path) is None and path not in kept and kept.nbytes == 0
    newer = kept.read(path)
    assert newer is not None and 190 < np.median(newer[0][..., 2]) < 210
    # as many bytes as before, only the time is another
    os.utime(path, ns=(state.st_atime_ns, path.stat().st_mtime_ns + 1))
    assert kept.get(path) is None
    assert kept.read(path) is not None
    path.unlink()
    assert kept.get(path) is None and kept.read(path) is None


def test_a_photo_that_changes_while_it_is_read_leaves_no_copy_to_be_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "photo.jpg", ramps(60))

    def slow(of: Path, side: int = 0) -> copies.Copy | None:
        found = small_copy(of, side)
        written(path, ramps(200))
        return found

    monkeypatch.setattr(copies, "small_copy", slow)
    kept = SmallCopies()
    assert kept.read(path) is not None
    assert kept.get(path) is None


def test_those_used_last_are_kept(tmp_path: Path) -> None:
    paths = [written(tmp_path / f"{n}.jpg", ramps(30 * n)) for n in range(4)]
    first = SmallCopies()
    first.read(paths[0])
    kept = SmallCopies(most_bytes=3 * first.nbytes + first.nbytes // 2)
    for path in paths[:3]:
        kept.read(path)
    assert kept.get(paths[0]) is not None  # used again
    kept.read(paths[3])
    assert [path in kept for path in paths] == [True, False, True, True]
    assert 0 < kept.nbytes <= 3.5 * first.nbytes
    kept.put(paths[3], stamp_of(paths[3]), np.zeros((700, 900, 3), np.uint8), SIZE)  # instead of the one before
    assert len(kept._kept) == 3 and kept.nbytes == sum(len(one.data) for one in kept._kept.values())
    kept.clear()
    assert kept.nbytes == 0 and paths[0] not in kept


def test_what_is_read_at_once_needs_no_copy(tmp_path: Path) -> None:
    kept = SmallCopies()
    for name, size in (("a.jpg", (1600, 1200)), ("b.png", (1200, 900)), ("long.png", (20_000, 100))):
        assert (kept.read(written(tmp_path / name, ramps(9, size))) is None) == (name != "long.png")
    (tmp_path / "no.jpg").write_bytes(b"nothing")
    assert kept.read(tmp_path / "no.jpg") is None
    large = written(tmp_path / "cut.jpg", ramps())
    large.write_bytes(large.read_bytes()[:-500])
    with pytest.raises(ImageError, match="truncated"):
        kept.read(large)
    assert large not in kept


def test_a_small_face_is_cut_from_more_pixels_and_one_copy_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "photo.jpg", ramps())
    decoded: list[int] = []
    decode = images._decode
    monkeypatch.setattr(images, "_decode", lambda *a: decoded.append(a[3] if len(a) > 3 else 1) or decode(*a))
    kept = SmallCopies()
    large = kept.read(path, 1500)
    assert large is not None and max(large[0].shape) >= 1500 and decoded == [2]
    small = kept.read(path, 600)
    assert small is not None and 700 <= max(small[0].shape) < 1400 and decoded == [2]
    larger = kept.read(path, 1500)
    assert larger is not None and decoded == [2, 2]
