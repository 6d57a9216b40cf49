"""300-W .pts: the bytes strict readers want, leniency towards others' files, and exact errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scaf_gui.core.face import Flag
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats import LabelledFace, formats
from scaf_gui.io.formats.pts import pts_text, read_pts

PTS = formats()["300w"]
COORDINATES = arrays(np.float64, (5, 2), elements=st.floats(-9999, 99999))


def face(image: str, index: int = 1, shift: float = 0.0) -> LabelledFace:
    return LabelledFace(image, np.arange(10.0).reshape(5, 2) + shift, np.zeros(5, np.uint8), face_index=index)


def written(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_the_bytes(tmp_path: Path, five: Scheme) -> None:
    points = np.array([[0, 0], [335.820955, 239.86451], [-7.25, 1e-7], [0.1234567, 2], [99998, 1]])
    PTS.write(tmp_path / "out", [LabelledFace("a.jpg", points, np.zeros(5, np.uint8))], five)
    assert (tmp_path / "out" / "a.pts").read_bytes() == (
        b"version: 1\nn_points:  5\n{\n1.000000 1.000000\n336.820955 240.864510\n-6.250000 1.000000\n"
        b"1.123457 3.000000\n99999.000000 2.000000\n}"
    )
    text = pts_text(points)
    assert len(text.split("\n")) == 5 + 4


def test_one_file_per_face(tmp_path: Path, five: Scheme) -> None:
    faces = [face("a.jpg"), face("d/b.jpg", 1), face("d/b.jpg", 2), face("c d.png"), face("é\n.jpg")]
    report = PTS.write(tmp_path / "out", faces, five)
    names = ["a.pts", "c d.pts", "d/b_1.pts", "d/b_2.pts", "é\n.pts"]
    assert written(tmp_path / "out") == sorted([*names, "names.json"])
    assert report.written == 5 and report.left_out == () and report.renamed == {}
    assert sorted(report.files) == sorted(tmp_path / "out" / name for name in [*names, "names.json"])


def test_missing_landmarks_are_never_written_as_numbers(tmp_path: Path, five: Scheme) -> None:
    flags = np.array([0, Flag.OCCLUDED, 0, 0, 0], np.uint8)
    occluded = LabelledFace("seen.jpg", np.ones((5, 2)), flags)
    gone = LabelledFace("gone.jpg", np.ones((5, 2)), np.array([0, 0, Flag.MISSING, 0, 0], np.uint8))
    unknown = LabelledFace("nan.jpg", np.full((5, 2), np.nan), np.zeros(5, np.uint8))
    report = PTS.write(tmp_path / "out", [occluded, gone, unknown], five)
    assert written(tmp_path / "out") == ["seen.pts"]
    assert report.left_out == (
        ("gone.jpg", "1 of its landmarks is missing (nose_tip)"),
        ("nan.jpg", "5 of its landmarks are missing (left_eye, right_eye, nose_tip ...)"),
    )


def test_names_that_clash_are_told_apart_and_found_again(tmp_path: Path, five: Scheme) -> None:
    images = ["a.jpg", "a.png", "b.jpg", "b_1.jpg", "B.jpg"]
    faces = [
        face("a.jpg"),
        face("a.png", shift=1),
        face("b.jpg", 1, 2),
        face("b.jpg", 2, 3),
        face("b_1.jpg", shift=4),
        face("B.jpg", shift=5),
    ]
    report = PTS.write(tmp_path / "out", faces, five)
    assert report.written == 6 and len({name.casefold() for name in written(tmp_path / "out")}) == 7
    names = json.loads((tmp_path / "out" / "names.json").read_text())
    assert report.renamed and report.renamed.items() <= names.items()
    found = PTS.read(tmp_path / "out", five, images)
    assert found.unmatched == ()
    assert {(f.image, f.face_index): f.points[0, 0] for f in found.faces} == pytest.approx(
        {(f.image, f.face_index): f.points[0, 0] for f in faces}
    )


def test_a_label_never_goes_to_an_image_that_only_has_a_similar_name(tmp_path: Path, five: Scheme) -> None:
    """``a_1.jpg`` is not part of the export, but there when it is read."""
    PTS.write(tmp_path / "out", [face("a.jpg", 1), face("a.jpg", 2, 5.0)], five)
    report = PTS.read(tmp_path / "out", five, ["a.jpg", "a_1.jpg", "a_2.jpg"])
    assert [(f.image, f.face_index, f.points[0, 0]) for f in report.faces] == [("a.jpg", 1, 0.0), ("a.jpg", 2, 5.0)]


@settings(max_examples=40)
@given(points=st.lists(COORDINATES, min_size=1, max_size=4))
def test_what_is_exported_comes_back(tmp_path_factory: pytest.TempPathFactory, five: Scheme, points: list) -> None:
    out = tmp_path_factory.mktemp("pts") / "out"
    faces = [
        LabelledFace(f"{k // 2}/x.jpg", p, np.zeros(5, np.uint8), face_index=k % 2 + 1) for k, p in enumerate(points)
    ]
    PTS.write(out, faces, five)
    report = PTS.read(out, five, [f"{k}/x.jpg" for k in range(3)])
    assert report.unmatched == ()
    found = {(f.image, f.face_index): f.points for f in report.faces}
    assert len(found) == len(faces)
    for given_face in faces:
        np.testing.assert_allclose(found[given_face.image, given_face.face_index], given_face.points, atol=1e-6, rtol=0)


def test_other_programs_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.pts"
    path.write_bytes(
        b"\xef\xbb\xbf// made by hand\r\nVersion: 1\r\nn_points: 3 # three\r\n\r\n{\r\n1\t2\r\n  3.125   -4. \r\n%x\r\n"
        b"1e2 .5 // here\r\n}\r\n\r\n# end\r\n"
    )
    assert read_pts(path).tolist() == [[0, 1], [2.125, -5], [99, -0.5]]
    path.write_bytes(b"{\n1 2\n}")
    assert read_pts(path).tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", None, "it has no '{'"),
        ("hello\n", 1, "is not a .pts file"),
        ("version: 1\nn_points: many\n{\n}", 2, "whole number"),
        ("version: 1\nn_points: 2\n{\n1 2\n3\n}", 5, "1 values where x and y"),
        ("version: 1\nn_points: 2\n{\n1 2\n3 4 5\n}", 5, "3 values where x and y"),
        ("version: 1\nn_points: 2\n{\n1 2\n3 x\n}", 5, "'3 x' are no pixel coordinates"),
        ("version: 1\nn_points: 2\n{\n1 2\nnan 4\n}", 5, "no pixel coordinates"),
        ("version: 1\nn_points: 2\n{\n1 2\n1_0 4\n}", 5, "no pixel coordinates"),
        ("version: 1\nn_points: 2\n{\n1 2\n1e300 4\n}", 5, "no pixel coordinates"),
        ("version: 1\nn_points: 2\n{\n1 2\n3 4", 5, "truncated"),
        ("version: 1\nn_points: 2\n{\n1 2\n3 4\n}\nmore", 7, "behind the closing brace"),
        ("version: 1\nn_points: 3\n{\n1 2\n3 4\n}", None, "announces 3 landmarks, but holds 2"),
        ("version: 1\nn_points: 2\n{\n1 2\n3 4\n}", None, "holds 2 landmarks, the project's scheme has 5"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, five: Scheme, text: str, line: int | None, reason: str) -> None:
    path = tmp_path / "bad.pts"
    path.write_text(text)
    with pytest.raises(LabelFileError, match=reason.replace("{", r"\{")) as caught:
        PTS.read(tmp_path, five, ["bad.jpg"])
    assert caught.value.path == path
    assert caught.value.line == line
    assert "bad.pts" in str(caught.value)


def test_files_that_are_no_text(tmp_path: Path, five: Scheme) -> None:
    path = tmp_path / "bad.pts"
    path.write_bytes(b"version: 1\n\xff\xfe\x00")
    with pytest.raises(LabelFileError, match=r"bad.pts, line 2: is not UTF-8 text"):
        PTS.read(path, five, [])
    with path.open("wb") as file:
        file.truncate(5_000_000)
    with pytest.raises(LabelFileError, match="too large"):
        PTS.read(path, five, [])


GOOD = pts_text(np.arange(10.0).reshape(5, 2)).encode()


@settings(max_examples=200)
@given(
    cut=st.integers(0, len(GOOD)),
    hits=st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=6),
    tail=st.binary(max_size=20),
)
def test_garbled_files_are_read_or_refused(tmp_path: Path, five: Scheme, cut: int, hits: list, tail: bytes) -> None:
    data = bytearray(GOOD)
    for place, value in hits:
        data[place] = value
    path = tmp_path / "x.pts"
    path.write_bytes(bytes(data[:cut]) + tail)
    try:
        report = PTS.read(tmp_path, five, ["x.jpg"])
    except LabelFileError as error:
        assert "x.pts" in str(error)
        assert len(str(error).split("\n")) == 1
    else:
        assert report.faces[0].points.shape == (5, 2)
        assert np.isfinite(report.faces[0].points).all()


@given(data=st.text(alphabet="{}0123456789.:\n -enptsvrio_#", max_size=80))
def test_texts_that_resemble_the_format_are_read_or_refused(tmp_path: Path, data: str) -> None:
    path = tmp_path / "x.pts"
    path.write_text(data)
    try:
        assert read_pts(path).shape[1] == 2
    except LabelFileError as error:
        assert "x.pts" in str(error)


def test_images_are_found_by_path_then_by_name(tmp_path: Path, five: Scheme) -> None:
    for name in ("sub/a.pts", "b_2.pts", "deep/c.pts", "twice.pts", "nobody.pts", "photo_1.pts"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(GOOD)
    images = [
        "sub/a.jpg",
        "other/a.jpg",
        "b.jpg",
        "else/c.png",
        "x/twice.jpg",
        "y/twice.jpg",
        "photo_1.jpg",
        "photo.jpg",
    ]
    report = PTS.read(tmp_path, five, images)
    assert [(f.image, f.face_index) for f in report.faces] == [
        ("b.jpg", 2),
        ("else/c.png", 1),
        ("photo_1.jpg", 1),
        ("sub/a.jpg", 1),
    ]
    assert report.unmatched == (
        ("nobody.pts", "there is no image of that name"),
        ("twice.pts", "2 images have that name"),
    )
    assert all(f.attributes is None for f in report.faces), "the format does not speak of them"


def test_sources_without_labels(tmp_path: Path, five: Scheme) -> None:
    with pytest.raises(LabelFileError, match=r"holds no \.pts file"):
        PTS.read(tmp_path, five, [])
    with pytest.raises(LabelFileError, match="does not exist"):
        PTS.read(tmp_path / "gone", five, [])


def test_an_image_path_that_leads_out_is_left_out(tmp_path: Path, five: Scheme) -> None:
    report = PTS.write(tmp_path / "out", [face("../a.jpg"), face("/etc/a.jpg"), face("b.jpg")], five)
    assert report.written == 1
    assert [image for image, _ in report.left_out] == ["../a.jpg", "/etc/a.jpg"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]
