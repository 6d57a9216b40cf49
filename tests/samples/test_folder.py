"""Sample folders: whole or absent, reused, never mixed with other people's files."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from scaf_gui.errors import FolderError
from scaf_gui.samples.folder import write_sample_folder, write_truth_folder
from scaf_gui.samples.render import render_face

SIZE = 96


def read(path: Path) -> np.ndarray:
    image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert image is not None
    return image


def test_pictures_and_truth_share_stems_and_faces(tmp_path: Path) -> None:
    pictures = write_sample_folder(tmp_path / "échantillon 顔", 2, 1000, SIZE)
    truths = write_truth_folder(tmp_path / "truth", 2, 1000, SIZE)
    assert [p.name for p in pictures] == ["face_0001.jpg", "face_0002.jpg"]
    assert [p.stem for p in truths] == [p.stem for p in pictures]
    for index, (picture, truth) in enumerate(zip(pictures, truths, strict=True)):
        face = render_face(1000 + index, SIZE)
        assert np.abs(read(picture).astype(int) - face.image).mean() < 4
        lines = truth.read_bytes().decode("ascii").split("\n")
        assert lines[:3] == ["version: 1", "n_points:  68", "{"] and lines[-1] == "}" and len(lines) == 72
        points = np.array([[float(v) for v in line.split(" ")] for line in lines[3:-1]])
        assert np.allclose(points - 1, face.landmarks_68, atol=1e-6)


def test_truth_of_98(tmp_path: Path) -> None:
    (path,) = write_truth_folder(tmp_path / "truth", 1, 1000, SIZE, 98)
    lines = path.read_text(encoding="ascii").split("\n")
    assert lines[1] == "n_points:  98" and len(lines) == 102


def test_complete_folder_is_reused(tmp_path: Path) -> None:
    folder = tmp_path / "sample"
    paths = write_sample_folder(folder, 2, 1000, SIZE)
    before = [(p.stat().st_mtime_ns, p.stat().st_ino) for p in paths]
    assert write_sample_folder(folder, 2, 1000, SIZE) == paths
    assert [(p.stat().st_mtime_ns, p.stat().st_ino) for p in paths] == before


def test_missing_and_empty_pictures_come_back(tmp_path: Path) -> None:
    folder = tmp_path / "sample"
    paths = write_sample_folder(folder, 3, 1000, SIZE)
    whole = [p.read_bytes() for p in paths]
    paths[0].unlink()
    paths[1].write_bytes(b"")
    write_sample_folder(folder, 3, 1000, SIZE)
    assert [p.read_bytes() for p in paths] == whole
    assert sorted(p.name for p in folder.iterdir()) == [".sample.json", *(p.name for p in paths)]


def test_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "holiday"
    folder.mkdir()
    (folder / "face_0001.jpg").write_bytes(b"mine")
    with pytest.raises(FolderError, match="holiday"):
        write_sample_folder(folder, 2, 1000, SIZE)
    assert [p.name for p in folder.iterdir()] == ["face_0001.jpg"]
    assert (folder / "face_0001.jpg").read_bytes() == b"mine"


def test_folder_of_other_faces_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "sample"
    write_sample_folder(folder, 1, 1000, SIZE)
    with pytest.raises(FolderError):
        write_sample_folder(folder, 1, 1001, SIZE)


def test_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "sample").write_text("a file")
    with pytest.raises(FolderError, match="sample"):
        write_sample_folder(tmp_path / "sample", 1, 1000, SIZE)


def test_a_kill_leaves_no_half_folder(tmp_path: Path) -> None:
    folder = tmp_path / "sample"
    code = (
        "from pathlib import Path; from scaf_gui.samples.folder import write_sample_folder; "
        f"write_sample_folder(Path({str(folder)!r}), 500, 1000, {SIZE})"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob(".sample.partial-*/face_0002.jpg")):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()
    assert not folder.exists()
    assert len(write_sample_folder(folder, 2, 1000, SIZE)) == 2
    assert all(read(p).shape == (SIZE, SIZE, 3) for p in folder.glob("*.jpg"))


def test_failure_cleans_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(seed: int, size: int) -> None:
        raise MemoryError

    monkeypatch.setattr("scaf_gui.samples.folder.render_face", broken)
    with pytest.raises(MemoryError):
        write_sample_folder(tmp_path / "sample", 1, 1000, SIZE)
    assert list(tmp_path.iterdir()) == []
