"""WFLW lists: 207 fields, single spaces, whole-number rectangle; both ways."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scaf_gui.core.face import Box, BoxSource, Flag
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats import LabelledFace, formats

WFLW = formats()["wflw"]
NAME = "list_98pt_rect_attr_train.txt"
COORDINATES = arrays(np.float64, (98, 2), elements=st.floats(-9999, 99999))
ATTRIBUTES = st.tuples(*[st.booleans()] * 6)


def points(shift: float = 0.0) -> np.ndarray:
    return np.arange(196.0).reshape(98, 2) / 3 + shift


def face(image: str, shift: float = 0.0) -> LabelledFace:
    return LabelledFace(image, points(shift), np.zeros(98, np.uint8))


def line(image: str = "a.jpg", middle: str = "0 0 66 66 1 0 0 0 0 1", count: int = 196) -> str:
    return " ".join([*(f"{v:.6f}" for v in points().ravel()[:count]), *middle.split(), image])


def test_the_line(tmp_path: Path, scheme_98: Scheme) -> None:
    given_face = LabelledFace(
        "7--Cheering/a.jpg", points(-0.5), np.zeros(98, np.uint8), None, (True, False, False, True, False, True)
    )
    report = WFLW.write(tmp_path / "out", [given_face], scheme_98)
    (text,) = (tmp_path / "out" / NAME).read_bytes().decode("ascii").splitlines(keepends=True)
    assert text.endswith("\n") and "  " not in text and "\t" not in text
    fields = text[:-1].split(" ")
    assert len(fields) == 207
    assert fields[:3] == ["-0.500000", "-0.166667", "0.166667"]
    assert [int(field) for field in fields[196:200]] == [-1, -1, 65, 65]
    assert fields[200:] == ["1", "0", "0", "1", "0", "1", "7--Cheering/a.jpg"]
    assert report.written == 1 and report.files == (tmp_path / "out" / NAME,)


def test_a_rectangle_from_a_file_is_kept(tmp_path: Path, scheme_98: Scheme) -> None:
    flags = np.zeros(98, np.uint8)
    for box, wanted in (
        (Box(-3, 4, 100, 90, BoxSource.FILE), [-3, 4, 97, 94]),
        (Box(-3, 4, 100, 90, BoxSource.DETECTOR), [0, 0, 65, 65]),
    ):
        out = tmp_path / box.source
        WFLW.write(out, [LabelledFace("a.jpg", points(), flags, box)], scheme_98)
        assert [int(v) for v in (out / NAME).read_text().split()[196:200]] == wanted


def test_unsafe_names_are_replaced_and_found_again(tmp_path: Path, scheme_98: Scheme) -> None:
    images = [
        "a b.jpg",
        "a_b.jpg",
        "a\tb.jpg",
        "line\nbreak.jpg",
        "nbsp\u00a0.jpg",
        "ls\u2028.jpg",
        "x\udcff.jpg",
        "猫.jpg",
    ]
    faces = [face(image, shift) for shift, image in enumerate(images)]
    report = WFLW.write(tmp_path / "out", faces, scheme_98)
    text = (tmp_path / "out" / NAME).read_bytes().decode("utf-8")
    assert len(text.splitlines()) == len(images)
    assert all(len(row.split()) == 207 for row in text.splitlines())
    assert set(report.renamed.values()) == set(images) - {"a_b.jpg", "猫.jpg"}
    assert json.loads((tmp_path / "out" / "names.json").read_text()) == report.renamed
    found = WFLW.read(tmp_path / "out", scheme_98, images)
    assert found.unmatched == ()
    assert [f.image for f in found.faces] == images
    assert all(np.allclose(a.points, b.points, atol=1e-6) for a, b in zip(found.faces, faces, strict=True))


def test_missing_landmarks_are_left_out(tmp_path: Path, scheme_98: Scheme) -> None:
    flags = np.zeros(98, np.uint8)
    flags[97] = Flag.MISSING
    report = WFLW.write(tmp_path / "out", [LabelledFace("a.jpg", points(), flags), face("b.jpg")], scheme_98)
    assert report.written == 1
    assert report.left_out[0][0] == "a.jpg" and "missing" in report.left_out[0][1]


@settings(max_examples=40)
@given(content=st.lists(st.tuples(COORDINATES, ATTRIBUTES), min_size=1, max_size=4))
def test_what_is_exported_comes_back(
    tmp_path_factory: pytest.TempPathFactory, scheme_98: Scheme, content: list
) -> None:
    out = tmp_path_factory.mktemp("wflw") / "out"
    flags = np.zeros(98, np.uint8)
    faces = [
        LabelledFace(f"{k // 2}/ä.jpg", p, flags, None, attributes, k % 2 + 1)
        for k, (p, attributes) in enumerate(content)
    ]
    WFLW.write(out, faces, scheme_98)
    report = WFLW.read(out, scheme_98, ["0/ä.jpg", "1/ä.jpg"])
    assert report.unmatched == ()
    for found, wanted in zip(report.faces, faces, strict=True):
        assert (found.image, found.face_index, found.attributes) == (wanted.image, wanted.face_index, wanted.attributes)
        np.testing.assert_allclose(found.points, wanted.points, atol=1e-6, rtol=0)
        if found.box is not None:
            (x0, y0), (x1, y1) = wanted.points.min(axis=0), wanted.points.max(axis=0)
            assert found.box.x <= x0 and found.box.y <= y0
            assert found.box.x + found.box.width >= x1 and found.box.y + found.box.height >= y1


def test_the_rectangle_may_be_empty(tmp_path: Path, scheme_98: Scheme) -> None:
    (tmp_path / NAME).write_text(line(middle="5 5 5 9 0 0 0 0 0 0"))
    (found,) = WFLW.read(tmp_path, scheme_98, ["a.jpg"]).faces
    assert found.box is None


def test_original_lists_are_read(tmp_path: Path, scheme_98: Scheme) -> None:
    """Names relative to WFLW_images, CRLF, blank lines; the project holds some of the images only."""
    folder = tmp_path / "WFLW_annotations" / "list_98pt_rect_attr_train_test"
    folder.mkdir(parents=True)
    rows = [line("7--Cheer/a.jpg"), "", line("7--Cheer/a.jpg"), line("8/gone.jpg"), line("9\\b.jpg"), line("c d.jpg")]
    (folder / "list_98pt_rect_attr_test.txt").write_bytes("\r\n".join(rows).encode())
    report = WFLW.read(tmp_path, scheme_98, ["WFLW_images/7--Cheer/a.jpg", "9/b.jpg", "c d.jpg"])
    assert [(f.image, f.face_index) for f in report.faces] == [
        ("WFLW_images/7--Cheer/a.jpg", 1),
        ("WFLW_images/7--Cheer/a.jpg", 2),
        ("9/b.jpg", 1),
        ("c d.jpg", 1),
    ]
    assert report.faces[0].box == Box(0, 0, 66, 66, BoxSource.FILE)
    assert report.faces[0].attributes == (True, False, False, False, False, True)
    assert report.unmatched == (("list_98pt_rect_attr_test.txt, line 4", "8/gone.jpg: there is no image of that name"),)


def test_the_sibling_format_is_read(tmp_path: Path, scheme_98: Scheme) -> None:
    (tmp_path / "list_98pt_test.txt").write_text(line("a.jpg", "") + "\n" + line("b c.jpg", ""))
    report = WFLW.read(tmp_path, scheme_98, ["a.jpg", "b c.jpg"])
    assert [(f.image, f.box, f.attributes) for f in report.faces] == [("a.jpg", None, None), ("b c.jpg", None, None)]
    assert (report.faces[0].points == np.round(points(), 6)).all()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hello", "has 1 fields where 207 are wanted"),
        (line()[:900], "fields where 207 are wanted"),
        (line(middle="0 0 66 66 1 0 0 0 0"), "206 fields where 207|fields where 207 are wanted"),
        (line().replace("1.000000 ", "one ", 1), "field 4, 'one', is no pixel coordinate"),
        (line().replace("1.000000 ", "nan ", 1), "'nan', is no pixel coordinate"),
        (line(middle="0 0 66 66 1 0 0 0 0 2"), "an attribute is 2 where 0 or 1"),
        (line(middle="9 0 3 66 1 0 0 0 0 0"), "right or lower edge"),
        (line("../../etc/passwd.jpg"), "leads out of the image folder"),
        (line("a/../../b.jpg"), "leads out of the image folder"),
        (line("..\\b.jpg"), "leads out of the image folder"),
        (line("/etc/passwd"), "absolute path"),
        (line("C:\\b.jpg"), "absolute path"),
        (line("\\\\server\\b.jpg"), "absolute path"),
        (line("."), "is no file name"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, scheme_98: Scheme, text: str, reason: str) -> None:
    path = tmp_path / NAME
    path.write_text(line() + "\n\n" + text + "\n")
    with pytest.raises(LabelFileError, match=reason) as caught:
        WFLW.read(tmp_path, scheme_98, ["a.jpg", "b.jpg"])
    assert (caught.value.path, caught.value.line) == (path, 3)
    assert len(str(caught.value).split("\n")) == 1


def test_a_list_that_ends_within_a_line(tmp_path: Path, scheme_98: Scheme) -> None:
    whole = line("image.jpg") + "\n"
    path = tmp_path / NAME
    for cut in range(1, len(whole) - len("mage.jpg\n"), 37):
        path.write_text(whole + whole[:cut])
        with pytest.raises(LabelFileError, match=r"line 2"):
            WFLW.read(path, scheme_98, ["image.jpg"])


GOOD = (line() + "\n").encode()


@settings(max_examples=150)
@given(
    cut=st.integers(0, len(GOOD)),
    hits=st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=6),
    tail=st.binary(max_size=20),
)
def test_garbled_files_are_read_or_refused(
    tmp_path: Path, scheme_98: Scheme, cut: int, hits: list, tail: bytes
) -> None:
    data = bytearray(GOOD)
    for place, value in hits:
        data[place] = value
    (tmp_path / NAME).write_bytes(bytes(data[:cut]) + tail)
    try:
        report = WFLW.read(tmp_path, scheme_98, ["a.jpg"])
    except LabelFileError as error:
        assert NAME in str(error) and error.line is not None
    else:
        for found in report.faces:
            assert np.isfinite(found.points).all() and np.isfinite([found.box.x if found.box else 0]).all()


def test_other_schemes_are_refused(tmp_path: Path, scheme_68: Scheme) -> None:
    with pytest.raises(LabelFileError, match="WFLW holds 98 landmarks, the scheme 300w-68 has 68"):
        WFLW.write(tmp_path / "out", [], scheme_68)
    with pytest.raises(LabelFileError, match="98"):
        WFLW.read(tmp_path, scheme_68, [])
    assert list(tmp_path.iterdir()) == []


def test_sources_without_labels(tmp_path: Path, scheme_98: Scheme) -> None:
    with pytest.raises(LabelFileError, match="holds no WFLW list"):
        WFLW.read(tmp_path, scheme_98, [])
    with pytest.raises(LabelFileError, match="does not exist"):
        WFLW.read(tmp_path / "gone", scheme_98, [])


def test_a_broken_mapping_file_is_named(tmp_path: Path, scheme_98: Scheme) -> None:
    (tmp_path / NAME).write_text(line())
    for text, reason in (("{\n\n", "line 3: is not JSON"), ("[1]", "not a mapping"), ('{"a": 1}', "not a mapping")):
        (tmp_path / "names.json").write_text(text)
        with pytest.raises(LabelFileError, match=rf"names.json.*{reason}|names.json, {reason}"):
            WFLW.read(tmp_path, scheme_98, ["a.jpg"])
