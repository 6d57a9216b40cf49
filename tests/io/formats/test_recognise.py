"""What a label file is told by: every format's own exports, files of other programs, and those that say nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scaf_gui.core.scheme import load_scheme
from scaf_gui.io.formats import LabelledFace, formats
from scaf_gui.io.formats.recognise import recognise
from scaf_gui.session.project import schemes


@pytest.mark.parametrize("format_id", list(formats()))
@pytest.mark.parametrize("expected", ["300w", "csv", "labelme", ""])
def test_exports_of_every_format(tmp_path: Path, format_id: str, expected: str) -> None:
    """The folder, and each file in it that holds labels."""
    format_ = formats()[format_id]
    scheme = load_scheme(schemes()["wflw-98" if format_id == "wflw" else "300w-68"])
    points = np.random.default_rng(0).uniform(5, 60, (scheme.num_landmarks, 2))
    flags = np.zeros(scheme.num_landmarks, np.uint8)
    faces = [LabelledFace(f"set a/{name}.png", points, flags, image_size=(64, 64)) for name in "ab"]
    for variant in (*format_.variants, "") if format_.variants else ("",):
        out = tmp_path / f"out {variant}"
        report = format_.write(out, faces, scheme, variant=variant)
        (out / "README.md").write_text("Labels")
        assert recognise(out, expected) == format_id, variant
        for path in report.files:
            if path.stat().st_size and path.suffix != ".md" and path.name not in ("names.json", "states.json"):
                assert recognise(path, expected) == format_id, path


def test_the_expected_kind_of_file_comes_first(tmp_path: Path) -> None:
    (tmp_path / "a.pts").write_text("version: 1")
    (tmp_path / "b.json").write_text('{"version": "5", "shapes": []}')
    (tmp_path / "notes.txt").write_text("Photos of last summer")
    assert recognise(tmp_path) == "300w"
    assert recognise(tmp_path, "labelme") == recognise(tmp_path, "coco") == "labelme"
    assert recognise(tmp_path, "wflw") == "300w", "notes are no list"
    (tmp_path / "a.pts").unlink()
    (tmp_path / "z.txt").write_text("1.0 " * 196 + "x.jpg")
    assert recognise(tmp_path, "wflw") == "wflw", "notes beside a list do not hide it"


def test_what_says_nothing(tmp_path: Path) -> None:
    assert recognise(tmp_path) is None and recognise(tmp_path / "none") is None
    for name, text in (("a.json", "{}"), ("b.xml", "<x/>"), ("c.csv", "x,y\n1,2"), ("d.txt", "a b c"), ("e.jpg", "")):
        (tmp_path / name).write_text(text)
        assert recognise(tmp_path / name) is None
    assert recognise(tmp_path) is None
