"""Folders and .tar shards as sources of images."""

from __future__ import annotations

import io
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from scaf_gui.errors import FolderError, InputError
from scaf_gui.io.shards import Shard, open_shards


def tar(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def test_images_of_a_shard_in_its_order(tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar", {"f/2.webp": b"two", "f/1.JPG": b"one", "f/readme.txt": b"no", "f/._1.jpg": b"no"})
    found = list(Shard(path).images())
    assert [(Path(name).name, data) for name, data in found] == [("2.webp", b"two"), ("1.JPG", b"one")]
    assert found[0][0].startswith(str(path)), "an error about it names the shard"


def test_images_of_a_folder_and_those_below(tmp_path: Path) -> None:
    for name in ("10.png", "9.png", "b/1.jpg", ".hidden/1.jpg", "notes.txt", "p.scaf-data/1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    assert [data.decode() for _, data in Shard(tmp_path).images()] == ["9.png", "10.png", "b/1.jpg"]


def test_many_members_need_no_memory_each(tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar", {f"{number}.jpg": b"x" for number in range(3000)})
    images = Shard(path).images()
    for _ in range(500):
        next(images)
    tracemalloc.start()
    assert sum(1 for _ in images) == 2500
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 50_000, "20 bytes a member at most"


def test_what_is_no_source(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"nowhere: does not exist"):
        open_shards([tmp_path / "nowhere"])
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 something else entirely")
    with pytest.raises(InputError, match=r"a\.zip: is neither a folder nor"):
        open_shards([tmp_path / "a.zip"])


def test_a_truncated_shard_says_so_after_its_whole_images(tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar", {"1.jpg": b"x" * 5000, "2.jpg": b"y" * 5000})
    path.write_bytes(path.read_bytes()[:7000])
    images = Shard(path).images()
    assert len(next(images)[1]) == 5000
    with pytest.raises(InputError, match=r"a\.tar: is damaged or truncated"):
        next(images)
