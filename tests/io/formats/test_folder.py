"""Exports appear whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats import LabelledFace, formats
from scaf_gui.io.formats.folder import ExportFolder


def write_folder(out: Path, content: Iterable[tuple[str, bytes]], overwrite: bool) -> tuple[Path, ...]:
    """Write (relative path, content) under ``out``, all at once."""
    with ExportFolder(out, overwrite) as folder:
        for name, data in content:
            folder.write(name, data)
    return folder.report().files


def content(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_new_folder_appears_with_everything_in_it(tmp_path: Path) -> None:
    files = write_folder(tmp_path / "deep" / "out", [("a", b"1"), ("b/c", b"2")], False)
    assert files == (tmp_path / "deep" / "out" / "a", tmp_path / "deep" / "out" / "b" / "c")
    assert content(tmp_path) == {"deep/out/a": b"1", "deep/out/b/c": b"2"}
    (tmp_path / "empty").mkdir()
    write_folder(tmp_path / "empty", [("a", b"3")], False)
    assert content(tmp_path / "empty") == {"a": b"3"}


def test_a_full_folder_is_refused_or_files_are_replaced_one_by_one(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_folder(out, [("a", b"1"), ("b", b"2")], False)
    with pytest.raises(LabelFileError, match="out: is not empty"):
        write_folder(out, [("a", b"3")], False)
    assert content(out) == {"a": b"1", "b": b"2"}
    write_folder(out, [("a", b"3"), ("d/c", b"4")], True)
    assert content(out) == {"a": b"3", "b": b"2", "d/c": b"4"}
    assert content(tmp_path / "out replaced") == {"a": b"1"}


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_failure_on_the_way_leaves_no_trace(tmp_path: Path, overwrite: bool) -> None:
    out = tmp_path / "out"
    if overwrite:
        write_folder(out, [("a", b"old")], False)
    before = content(tmp_path)

    def breaks() -> Iterator[tuple[str, bytes]]:
        yield "a", b"new"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_folder(out, breaks(), overwrite)
    assert content(tmp_path) == before
    with pytest.raises(LabelFileError, match="cannot be written"):
        write_folder(out, [("a", b"new"), ("x" * 400, b"name too long")], overwrite)
    assert content(tmp_path) == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == (["out"] if overwrite else [])


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("precious")
    for overwrite in (False, True):
        with pytest.raises(LabelFileError, match="is a file"):
            write_folder(tmp_path / "out", [("a", b"1")], overwrite)
        with pytest.raises(LabelFileError, match="cannot be written"):
            write_folder(tmp_path / "out" / "below", [("a", b"1")], overwrite)
    assert (tmp_path / "out").read_text() == "precious"


def test_an_export_over_an_earlier_one_keeps_its_mapping_right(tmp_path: Path, five: Scheme) -> None:
    pts = formats()["300w"]

    def face(image: str, value: float) -> LabelledFace:
        return LabelledFace(image, np.full((5, 2), value), np.zeros(5, np.uint8))

    out = tmp_path / "out"
    pts.write(out, [face("a.jpg", 1), face("a.png", 2), face("b.jpg", 3), face("b.png", 4)], five)
    pts.write(out, [face("a.jpg", 5), face("a.png", 6)], five, overwrite=True)
    found = pts.read(out, five, ["a.jpg", "a.png", "b.jpg", "b.png"])
    assert not found.unmatched
    by_image = {f.image: f.points[0, 0] for f in found.faces}
    assert by_image["a.png"] == 6 and by_image["b.png"] == 4
