"""Files of tensors: who may read them, and what a killed writer leaves."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import torch

from scaf_gui.learning.tensorfile import clear_unfinished, read_header, read_tensors, replace_file, write_tensors


def test_a_file_is_whole_and_named_as_wanted(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.safetensors"
    write_tensors(path, {"x": torch.arange(3.0)}, {"kind": "test"})
    assert read_header(path) == {"kind": "test"} and torch.equal(read_tensors(path)["x"], torch.arange(3.0))
    assert [file.name for file in path.parent.iterdir()] == ["a.safetensors"]


@pytest.mark.skipif(sys.platform == "win32", reason="files have no such permissions there")
def test_others_may_read_what_they_may_read_of_any_file(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_tensors(tmp_path / "a.safetensors", {"x": torch.zeros(1)}, {})
        replace_file(tmp_path / "a.png", b"picture")
    finally:
        os.umask(before)
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()} == {
        "a.safetensors": "0o644", "a.png": "0o644",
    }  # fmt: skip


def test_what_a_killed_writer_left_is_cleared_and_nothing_else(tmp_path: Path) -> None:
    others = ["b[1].state", ".b1.state.7.part", "b[1].state.part"]
    for name in (".b[1].state.7.part", ".b[1].state.12.part", *others):
        (tmp_path / name).write_bytes(b"half")
    clear_unfinished(tmp_path / "b[1].state")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(others)
