"""Fingerprints of images: the same picture in another file is found, another picture is not."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from scaf_gui.errors import ImageError
from scaf_gui.io.similar import LIMIT, WORDS, file_fingerprint, fingerprint, group_alike
from scaf_gui.samples.render import render_face
from tests.jobs import finish


def grouped(fingerprints: np.ndarray, limit: int = LIMIT) -> tuple[tuple[int, ...], ...]:
    groups: tuple[tuple[int, ...], ...] = finish(group_alike(fingerprints, limit))[0]
    return groups


def bits_apart(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.bitwise_count(a ^ b).sum())


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    return render_face(5, 256).image


def test_other_files_of_a_picture_are_alike_and_other_faces_are_not(face: np.ndarray, tmp_path: Path) -> None:
    bgr = cv2.cvtColor(face, cv2.COLOR_RGB2BGR)
    small = cv2.resize(bgr, (140, 140), interpolation=cv2.INTER_AREA)
    dark = (bgr * 0.6).astype(np.uint8)
    other = cv2.cvtColor(render_face(6, 256).image, cv2.COLOR_RGB2BGR)
    prints = []
    for name, image in (("a.png", bgr), ("b.jpg", bgr), ("c.png", small), ("d.png", dark), ("e.png", other)):
        cv2.imwrite(str(tmp_path / name), image, [cv2.IMWRITE_JPEG_QUALITY, 50] if name.endswith("jpg") else [])
        prints.append(file_fingerprint(tmp_path / name))
    assert prints[0].shape == (WORDS,) and prints[0].dtype == np.uint64
    assert max(bits_apart(prints[0], p) for p in prints[1:4]) <= LIMIT < bits_apart(prints[0], prints[4])
    assert grouped(np.stack(prints)) == ((0, 1, 2, 3),)


def test_a_picture_turned_upright_by_exif_is_compared_upright(face: np.ndarray) -> None:
    assert bits_apart(fingerprint(face), fingerprint(np.ascontiguousarray(face[::-1]))) > LIMIT


def test_what_is_alike_to_one_of_a_group_joins_it() -> None:
    chain = np.zeros((4, WORDS), np.uint64)
    chain[1, 0], chain[2, 0], chain[3, 3] = 0b11, 0b1111, 2**64 - 1
    assert grouped(chain, 2) == ((0, 1, 2),)
    assert grouped(chain, 1) == ()
    assert grouped(chain[:0]) == ()


def test_grouping_agrees_with_comparing_one_by_one() -> None:
    rng = np.random.default_rng(4)
    base = rng.integers(0, 2**63, (300, WORDS), dtype=np.uint64)
    base = np.concatenate([base, base[rng.integers(0, 300, 290)]])  # more rows than one step takes
    base[300:, 1] ^= np.uint64(1) << rng.integers(0, 64, 290).astype(np.uint64)
    groups = grouped(base, 4)
    together = {(a, b) for group in groups for a in group for b in group if a < b}
    near = {(a, b) for a in range(len(base)) for b in range(a + 1, len(base)) if bits_apart(base[a], base[b]) <= 4}
    assert near <= together and near
    assert len({place for group in groups for place in group}) == sum(map(len, groups))


def test_a_file_that_is_no_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"a\.jpg"):
        file_fingerprint(tmp_path / "a.jpg")
