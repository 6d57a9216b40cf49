"""Listing image folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaf_gui.errors import FolderError
from scaf_gui.io.folder import natural_key, scan_images


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def test_relative_paths_in_natural_order(tmp_path: Path) -> None:
    touch(tmp_path, "b/2.jpg", "b/10.JPG", "b/1.jpeg", "a10.png", "a9.png", "A11.tif", "z.webp", "notes.txt", "b/1.pts")
    assert scan_images(tmp_path) == ("a9.png", "a10.png", "A11.tif", "b/1.jpeg", "b/2.jpg", "b/10.JPG", "z.webp")
    assert scan_images(tmp_path, recursive=False) == ("a9.png", "a10.png", "A11.tif", "z.webp")


def test_hidden_files_and_project_folders_are_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", ".hidden.jpg", ".thumbs/b.jpg", "faces.scaf-data/crop.png", "folder.jpg/c.jpg")
    assert scan_images(tmp_path) == ("a.jpg", "folder.jpg/c.jpg")


def test_names_of_any_kind(tmp_path: Path) -> None:
    names = ["ünï cödé.jpg", "line\nbreak.jpg", "猫/顔 1.jpg"]
    touch(tmp_path, *names)
    assert sorted(scan_images(tmp_path)) == sorted(names)


@pytest.mark.skipif(os.name == "nt", reason="names are bytes on POSIX only")
def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9.jpg"
    try:
        with open(raw, "wb"):  # noqa: PTH123 - the name is bytes
            pass
    except OSError:
        pytest.skip("this file system has no such names")
    (name,) = scan_images(tmp_path)
    assert (tmp_path / name).exists()


def test_links_that_lead_back_up_end(tmp_path: Path) -> None:
    touch(tmp_path, "a/b.jpg")
    (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "a" / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert scan_images(tmp_path) == ("a/b.jpg",)


def test_bad_folders(tmp_path: Path) -> None:
    touch(tmp_path, "notes.txt")
    with pytest.raises(FolderError, match="holds no images"):
        scan_images(tmp_path)
    with pytest.raises(FolderError, match="missing: does not exist"):
        scan_images(tmp_path / "missing")
    with pytest.raises(FolderError, match=r"notes.txt: is not a folder"):
        scan_images(tmp_path / "notes.txt")


@given(st.lists(st.text(st.characters(blacklist_characters="\x00", blacklist_categories=()), max_size=12), max_size=8))
def test_any_names_can_be_sorted(names: list[str]) -> None:
    backwards = list(reversed(names))
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)
