"""Images found again by path, then by content."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from scaf_gui.io.folder import scan_images
from scaf_gui.io.images import content_hash
from scaf_gui.io.moved import Stamp, find_moved


def stamps_of(folder: Path) -> dict[str, Stamp]:
    return {
        name: (content_hash(folder / name), (folder / name).stat().st_size, (folder / name).stat().st_mtime)
        for name in scan_images(folder)
    }


def fill(folder: Path, *names: str) -> dict[str, Stamp]:
    rng = np.random.default_rng(len(names))
    for place, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(rng.bytes(100 + place // 2))  # pairs of equal size
    return stamps_of(folder)


def test_what_is_in_its_place_has_not_moved(tmp_path: Path) -> None:
    stamps = fill(tmp_path, "a.jpg", "b.jpg")
    assert find_moved(stamps, stamps, tmp_path, scan_images(tmp_path)) == {}


def test_renamed_files_are_found_by_content(tmp_path: Path) -> None:
    stamps = fill(tmp_path, "1.jpg", "2.jpg", "3.jpg", "4.jpg")
    (tmp_path / "2.jpg").rename(tmp_path / "two.jpg")
    (tmp_path / "deep").mkdir()
    (tmp_path / "4.jpg").rename(tmp_path / "deep" / "4.jpg")
    moved = find_moved(stamps, stamps, tmp_path, scan_images(tmp_path))
    assert moved == {"2.jpg": "two.jpg", "4.jpg": "deep/4.jpg"}


def test_lost_files_and_files_never_hashed_are_not_guessed(tmp_path: Path) -> None:
    stamps = fill(tmp_path, "1.jpg", "2.jpg", "3.jpg")
    (tmp_path / "1.jpg").unlink()
    (tmp_path / "2.jpg").rename(tmp_path / "two.jpg")
    known = list(stamps)
    del stamps["2.jpg"]
    assert find_moved(known, stamps, tmp_path, scan_images(tmp_path)) == {}


def test_files_renumbered_onto_each_others_names_follow_their_content(tmp_path: Path) -> None:
    """The labels belong to the picture, not to the name."""
    stamps = fill(tmp_path, "1.jpg", "x.jpg", "2.jpg")  # 1 and 2 differ in size
    (tmp_path / "1.jpg").rename(tmp_path / "t")
    (tmp_path / "2.jpg").rename(tmp_path / "1.jpg")
    (tmp_path / "t").rename(tmp_path / "2.jpg")
    moved = find_moved(stamps, stamps, tmp_path, scan_images(tmp_path))
    assert moved == {"1.jpg": "2.jpg", "2.jpg": "1.jpg"}


def test_an_edited_image_stays_where_it_is(tmp_path: Path) -> None:
    stamps = fill(tmp_path, "1.jpg", "2.jpg")
    (tmp_path / "1.jpg").write_bytes(b"brightened")
    assert find_moved(stamps, stamps, tmp_path, scan_images(tmp_path)) == {}


def test_copies_are_given_out_once(tmp_path: Path) -> None:
    stamps = fill(tmp_path / "old", "a.jpg")
    shutil.copy(tmp_path / "old" / "a.jpg", tmp_path / "old" / "b.jpg")
    stamps = stamps_of(tmp_path / "old")
    (tmp_path / "new").mkdir()
    for old, new in (("a.jpg", "x.jpg"), ("b.jpg", "y.jpg")):
        shutil.copy(tmp_path / "old" / old, tmp_path / "new" / new)
    moved = find_moved(stamps, stamps, tmp_path / "new", scan_images(tmp_path / "new"))
    assert moved == {"a.jpg": "x.jpg", "b.jpg": "y.jpg"}
