"""A disk that fills up, or cannot be written: nothing half-written appears, nothing that was there is lost."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from scaf_gui.core.face import Box, BoxSource, Prediction
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import LabelFileError
from scaf_gui.io.cache import ProjectCache
from scaf_gui.io.formats import FaceFormat, LabelledFace, formats
from scaf_gui.io.formats.folder import ExportFolder
from tests.disks import files_end_at, make_read_only, small_disk


@pytest.fixture(params=list(formats()))
def format_(request: pytest.FixtureRequest) -> FaceFormat:
    return formats()[str(request.param)]


@pytest.fixture
def scheme(format_: FaceFormat, scheme_68: Scheme, scheme_98: Scheme) -> Scheme:
    return scheme_98 if format_.schemes else scheme_68


def faces(scheme: Scheme, count: int) -> list[LabelledFace]:
    rng = np.random.default_rng(1)
    flags = np.zeros(scheme.num_landmarks, np.uint8)
    box = Box(0, 0, 500, 500, BoxSource.FILE)
    return [
        LabelledFace(f"{k}.jpg", rng.uniform(0, 500, (scheme.num_landmarks, 2)), flags, box, image_size=(640, 480))
        for k in range(count)
    ]


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_labels_that_do_not_fit(tmp_path: Path, format_: FaceFormat, scheme: Scheme) -> None:
    """A new folder does not appear; of an older export every file stays as it was."""
    few = faces(scheme, 2)
    format_.write(tmp_path / "old", few, scheme)
    before = content(tmp_path)
    for out in ("new", "old"):
        with (
            files_end_at(1000),
            pytest.raises(LabelFileError, match=rf"{out}: cannot be written \(File too large\)$"),
        ):
            format_.write(tmp_path / out, faces(scheme, 30), scheme, overwrite=True)
        assert content(tmp_path) == before and [path.name for path in tmp_path.iterdir()] == ["old"]
    assert len(list(format_.scan(tmp_path / "old", scheme, ["0.jpg", "1.jpg"]))) == 2


def test_a_disk_that_is_full(tmp_path: Path, format_: FaceFormat, scheme: Scheme) -> None:
    """With images that do not fit, and with labels that do not."""
    with small_disk(tmp_path / "disk", 60_000) as disk:
        many = faces(scheme, 200)
        with pytest.raises(LabelFileError, match=r"out: cannot be written \(No space left on device\)$"):
            format_.write(disk / "out", many, scheme)
        assert not list(disk.iterdir())

        def place(image: str, path: Path) -> None:
            cv2.imwrite(str(path.with_suffix(".bmp")), np.zeros((80, 80, 3), np.uint8))
            path.write_bytes(path.with_suffix(".bmp").read_bytes())

        with (
            pytest.raises(LabelFileError, match=r"out: cannot be written \(No space left on device\)$"),
            ExportFolder(disk / "out", place=place) as folder,
        ):
            for _ in format_.save(folder, many[:20], scheme):
                pass
        assert not list(disk.iterdir())


def test_a_disk_that_is_read_only(tmp_path: Path, format_: FaceFormat, scheme: Scheme) -> None:
    with small_disk(tmp_path / "disk", 500_000) as disk:
        format_.write(disk / "old", faces(scheme, 2), scheme)
        before = content(disk)
        make_read_only(disk)
        for out in ("old", "new"):
            with pytest.raises(LabelFileError, match=rf"{out}: cannot be written \(Read-only file system\)$"):
                format_.write(disk / out, faces(scheme, 3), scheme, overwrite=True)
        assert content(disk) == before


def test_a_folder_that_cannot_be(tmp_path: Path, format_: FaceFormat, scheme: Scheme) -> None:
    """Below a file: nobody can write there, not even an administrator."""
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(LabelFileError, match=r"out: cannot be written: file is a file, not a folder$"):
        format_.write(tmp_path / "file" / "out", faces(scheme, 2), scheme)
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_the_cache_does_without_room(tmp_path: Path) -> None:
    """Nothing is raised, the process lives on, and what is of no use makes room for the labels."""
    many = {face: np.full(50, float(face)) for face in range(400)}
    keys = dict.fromkeys(many, "box")
    said = Prediction(np.zeros((68, 2)), np.ones(68), "m")
    path = tmp_path / "cache.h5"
    with ProjectCache(path) as cache:
        cache.put_features("m", {1: many[1]}, {1: "box"})
    for size in (path.stat().st_size + 500, 1000):
        with files_end_at(size):
            for _ in range(3):
                with ProjectCache(path) as cache:
                    cache.put_features("m", many, keys)
                    cache.put_predictions("m", {1: said}, keys)
                assert cache.problem == "nothing is cached: File too large"
        assert not path.exists()
    with ProjectCache(path) as cache:
        cache.put_features("m", many, keys)
        assert len(cache.features("m", keys)) == 400 and not cache.problem
