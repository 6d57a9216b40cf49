"""The real command line on disks that are full or read-only: one line that names the file, and nothing is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.disks import files_end_at, make_read_only, small_disk

FACES = 22


@pytest.fixture
def labelled(here: Path, scaf) -> Path:
    """A project whose faces all have labels."""
    scaf("create", "p.scaf", "--images", "images", "--boxes", "whole", "--scheme", "300w-68")
    scaf("import", "p.scaf", "--format", "300w", "--from", "truth")
    return here


def in_project(scaf, project: object = "p.scaf") -> int:
    return int(scaf("info", project)["states"]["labelled"])


def one_line(text: str) -> str:
    assert text.count("\n") == 1 and text.startswith("scaf-gui: ")
    return text


@pytest.mark.parametrize("format_id", ["300w", "coco", "hdf5"])
def test_images_that_do_not_fit(labelled: Path, scaf, format_id: str) -> None:
    for path in (labelled / "images").iterdir():  # noise cannot be compressed
        cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8))
    words = "export", "p.scaf", "--format", format_id, "--out", "out", "--images", "copy"
    with files_end_at(100_000):
        code, error = scaf(*words, fails=True)
    assert code == 2 and "out: cannot be written (File too large)" in one_line(error)
    assert not [path.name for path in labelled.iterdir() if "out" in path.name or path.name.startswith(".")]
    assert in_project(scaf) == FACES
    scaf(*words)


@pytest.mark.parametrize("images", ["none", "copy", "link", "crop"])
def test_an_export_to_a_full_disk(labelled: Path, scaf, images: str) -> None:
    with small_disk(labelled / "disk", 20_000) as disk:
        for format_id in ("300w", "coco", "hrnet", "dlib", "labelme", "cvat", "csv", "hdf5"):
            code, error = scaf(
                "export", "p.scaf", "--format", format_id, "--out", "disk/out", "--images", images, fails=True
            )
            assert code == 2 and "disk/out: cannot be written (No space left on device)" in one_line(error), format_id
            assert not list(disk.iterdir())
    assert in_project(scaf) == FACES


def test_an_import_on_a_full_disk(here: Path, scaf) -> None:
    """The import is refused as a whole; with room again, it is the same as ever."""
    scaf("create", "p.scaf", "--images", "images", "--boxes", "whole", "--scheme", "300w-68")
    size = (here / "p.scaf").stat().st_size
    with small_disk(here / "disk", size + 300_000) as disk:
        project = disk / "p.scaf"
        project.write_bytes((here / "p.scaf").read_bytes())
        scaf("import", project, "--format", "300w", "--from", "truth/face 1.pts")
        (disk / "others").write_bytes(bytes(shutil.disk_usage(disk).free - 16_000))
        code, error = scaf("import", project, "--format", "300w", "--from", "truth", fails=True)
        assert code == 2 and "p.scaf: could not be written: the disk is full" in one_line(error)
        (disk / "others").unlink()
        assert in_project(scaf, project) == 1
        make_read_only(disk)
        code, error = scaf("import", project, "--format", "300w", "--from", "truth", fails=True)
        assert code == 2 and "read-only" in one_line(error)
        kept = project.read_bytes()
    project = here / "kept.scaf"
    project.write_bytes(kept)
    scaf("import", project, "--format", "300w", "--from", "truth")
    assert in_project(scaf, project) == FACES


def test_a_log_that_cannot_be_folded_in_is_kept_and_counts(here: Path, scaf) -> None:
    """Labels are saved in the log already when the project file itself can grow no more."""
    scaf("create", "p.scaf", "--images", "images", "--boxes", "whole", "--scheme", "300w-68")
    many = here / "many"
    many.mkdir()
    for path in sorted((here / "truth").iterdir())[4:]:
        path.rename(many / path.name)
    scaf("import", "p.scaf", "--format", "300w", "--from", "many")
    with files_end_at((here / "p.scaf").stat().st_size + 100):
        code, error = scaf("import", "p.scaf", "--format", "300w", "--from", "truth", fails=True)
    assert code == 2 and "p.scaf: is saved, but partly in p.scaf-wal beside it" in one_line(error)
    assert in_project(scaf) == FACES
    assert not (here / "p.scaf-wal").exists()
