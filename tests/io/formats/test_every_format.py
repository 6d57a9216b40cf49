"""What every registered format has to do: come back as it went out, refuse what is broken, read nothing outside."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scaf_gui.core.face import Box, BoxSource, Flag
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats import FaceState, LabelledFace, formats, table
from scaf_gui.io.formats.folder import ExportFolder

DOCS = Path(__file__).resolve().parents[3] / "docs" / "formats.md"
ALL = list(formats())
IMAGES = ["a.jpg", "b c/ü.png", "b c/a.jpg", "x\n,\"'&<>.jpg"]
ATTRIBUTES = (True, False, False, True, False, True)


@pytest.fixture(params=ALL)
def format_id(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def scheme_for(format_id: str, scheme_68: Scheme, scheme_98: Scheme) -> Scheme:
    return scheme_98 if formats()[format_id].schemes else scheme_68


def variants(format_id: str) -> list[str]:
    """Those that are meant to be read again: negative coordinates say nothing of where a landmark is."""
    return [name for name in formats()[format_id].variants if name != "merl-rav"] or [""]


@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_what_is_exported_comes_back(
    tmp_path_factory: pytest.TempPathFactory, format_id: str, scheme_68: Scheme, scheme_98: Scheme, data: st.DataObject
) -> None:
    """To 1e-6 pixels, with every flag, box, attribute and state that the format says it holds."""
    format_, scheme = formats()[format_id], scheme_for(format_id, scheme_68, scheme_98)
    count, holds = scheme.num_landmarks, format_.holds
    given_faces = []
    for image in data.draw(st.lists(st.sampled_from(IMAGES), min_size=1, max_size=3, unique=True)):
        for number in range(1, data.draw(st.integers(1, 2)) + 1):
            points = data.draw(arrays(np.float64, (count, 2), elements=st.floats(-9999, 99999)))
            choice = [Flag.VISIBLE, Flag.OCCLUDED, *([Flag.MISSING] if holds.missing else [])]
            flags = data.draw(arrays(np.uint8, count, elements=st.sampled_from([int(flag) for flag in choice])))
            flags[0] = Flag.VISIBLE
            points[flags == Flag.MISSING] = np.nan
            box = Box(*data.draw(st.tuples(*[st.floats(-99, 999)] * 2)), 100.25, 90.5, BoxSource.FILE)
            attributes = data.draw(st.tuples(*[st.booleans()] * 6))
            state = data.draw(st.sampled_from(FaceState))
            given_faces.append(LabelledFace(image, points, flags, box, attributes, number, state, (640, 480)))
    for variant in variants(format_id):
        out = tmp_path_factory.mktemp("out") / "out"
        report = format_.write(out, given_faces, scheme, variant=variant)
        assert (report.written, report.left_out) == (len(given_faces), ())
        read = format_.read(out, scheme, IMAGES)
        assert read.unmatched == ()
        found = {(face.image, face.face_index): face for face in read.faces}
        assert len(found) == len(read.faces) == len(given_faces)
        for face in given_faces:
            back = found[face.image, face.face_index]
            np.testing.assert_allclose(back.points, face.points, rtol=0, atol=1e-6 if holds.exact else 0.5)
            assert back.state is face.state
            if holds.occluded:
                assert (back.flags == face.flags).all()
            elif holds.missing:
                assert ((back.flags == Flag.MISSING) == (face.flags == Flag.MISSING)).all()
            if holds.box == "yes":
                sides = [[b.x, b.y, b.width, b.height] for b in (back.box, face.box) if b is not None]
                np.testing.assert_allclose(sides[0], sides[1], rtol=0, atol=2e-6)
            if holds.attributes and variant != "plain":
                assert back.attributes == face.attributes


def one_face(scheme: Scheme, image: str = "a.jpg", index: int = 1) -> LabelledFace:
    points = np.arange(2.0 * scheme.num_landmarks).reshape(-1, 2) / 3
    box = Box(1, 2, 50, 60, BoxSource.FILE)
    flags = np.zeros(scheme.num_landmarks, np.uint8)
    return LabelledFace(image, points, flags, box, ATTRIBUTES, index, image_size=(64, 48))


def main_file(out: Path) -> Path:
    return next(path for path in sorted(out.rglob("*")) if path.is_file() and path.name not in ("names.json",))


def test_truncated_and_garbled_files_are_read_or_refused(
    tmp_path: Path, format_id: str, scheme_68: Scheme, scheme_98: Scheme
) -> None:
    """Never anything but a LabelFileError of one line that names the file; what is read is finite."""
    format_, scheme = formats()[format_id], scheme_for(format_id, scheme_68, scheme_98)
    format_.write(tmp_path / "out", [one_face(scheme), one_face(scheme, "b.jpg")], scheme)
    path = main_file(tmp_path / "out")
    whole = path.read_bytes()
    rng = np.random.default_rng(5)
    refused = 0
    for trial in range(60):
        data = bytearray(whole)
        if trial % 2:
            for place in rng.integers(0, len(data), 4):
                data[place] = rng.integers(0, 256)
        else:
            del data[int(rng.integers(0, len(data) - 3)) :]
        path.write_bytes(bytes(data))
        try:
            report = format_.read(path, scheme, ["a.jpg", "b.jpg"])
        except LabelFileError as error:
            refused += 1
            assert path.name in str(error) and "\n" not in str(error)
        else:
            for face in report.faces:
                assert np.isfinite(face.points[face.flags != Flag.MISSING]).all()
    assert refused > 15
    for content in (b"", b"\x00" * 50, b"\xff\xfe\xfa", b"[" * 100_000, b"<a>" * 50_000, b'{"a":' * 50_000):
        path.write_bytes(content)
        try:
            assert not format_.read(path, scheme, ["a.jpg"]).faces
        except LabelFileError as error:
            assert path.name in str(error)


BAD_NUMBERS = ("nan", "inf", "-inf", "1e999", "1e7", "-99999999", "0x10", "one", "")


@pytest.mark.parametrize("bad", BAD_NUMBERS)
def test_coordinates_that_cannot_be(
    tmp_path: Path, format_id: str, bad: str, scheme_68: Scheme, scheme_98: Scheme
) -> None:
    format_, scheme = formats()[format_id], scheme_for(format_id, scheme_68, scheme_98)
    face = one_face(scheme)
    points = np.array(face.points)
    points[3, 0] = 4321.0
    moved = LabelledFace("a.jpg", points, face.flags, face.box, image_size=(64, 48))
    format_.write(tmp_path / "out", [moved], scheme)
    path = main_file(tmp_path / "out")
    if format_id == "hdf5":
        import h5py

        try:
            value = float(bad or "nan")
        except ValueError:
            return
        with h5py.File(path, "r+") as file:
            file["landmarks"][0, 3, 0] = value
    else:
        text = path.read_text("utf-8")
        number = next(n for n in ("4322.000000", "4321.500000", "4321.5", "4321.000000", "4321.0", "4321") if n in text)
        path.write_text(text.replace(number, bad), "utf-8")
        if format_id == "csv" and bad == "":
            bad = "empty"
    with pytest.raises(LabelFileError) as caught:
        format_.read(path, scheme, ["a.jpg"])
    assert path.name in str(caught.value)
    assert re.search(r"line \d+|\[\d+\]|row \d+|JSON", str(caught.value)), str(caught.value)


@pytest.mark.parametrize("name", ["../a.jpg", "/a.jpg", "C:\\a.jpg", "x/../../a.jpg", "..\\a.jpg", "\\\\host\\a.jpg"])
def test_names_that_lead_out_of_the_folder(
    tmp_path: Path, format_id: str, name: str, scheme_68: Scheme, scheme_98: Scheme
) -> None:
    """They are never written, and refused where a file holds them (LabelMe's own are taken by their last part)."""
    format_, scheme = formats()[format_id], scheme_for(format_id, scheme_68, scheme_98)
    report = format_.write(tmp_path / "p" / "out", [one_face(scheme, name)], scheme)
    assert report.written == 0 and len(report.left_out) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["p"]
    if format_id in ("300w", "labelme"):
        return  # files are found by their own names there
    format_.write(tmp_path / "in", [one_face(scheme, "UNSAFE.jpg")], scheme)
    path = main_file(tmp_path / "in")
    if format_id == "hdf5":
        import h5py

        with h5py.File(path, "r+") as file:
            file["image"][0] = name
    else:
        written = name.replace("\\", "\\\\") if format_id == "coco" else name
        path.write_text(path.read_text("utf-8").replace("UNSAFE.jpg", written), "utf-8")
    with pytest.raises(LabelFileError, match=r"leads out|absolute path") as caught:
        format_.read(path, scheme, ["a.jpg"])
    assert re.search(r"line \d+|\[\d+\]|row \d+", str(caught.value))


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_out_of_the_folder_are_not_followed(
    tmp_path: Path, format_id: str, scheme_68: Scheme, scheme_98: Scheme
) -> None:
    format_, scheme = formats()[format_id], scheme_for(format_id, scheme_68, scheme_98)
    format_.write(tmp_path / "elsewhere", [one_face(scheme)], scheme)
    secret = main_file(tmp_path / "elsewhere")
    (tmp_path / "chosen").mkdir()
    (tmp_path / "chosen" / secret.name).symlink_to(secret)
    report = format_.read(tmp_path / "chosen", scheme, ["a.jpg"])
    assert report.faces == () and "link that leads out" in report.unmatched[0][1]
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "sub").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    before = {path: path.read_bytes() for path in (tmp_path / "elsewhere").rglob("*") if path.is_file()}
    with (
        pytest.raises(LabelFileError, match="link that leads out"),
        ExportFolder(tmp_path / "full", overwrite=True) as folder,
    ):
        folder.write(f"sub/{secret.name}", b"overwritten")
    assert {path: path.read_bytes() for path in (tmp_path / "elsewhere").rglob("*") if path.is_file()} == before


def test_labels_of_another_number_of_landmarks(
    tmp_path: Path, format_id: str, scheme_68: Scheme, scheme_98: Scheme, five: Scheme
) -> None:
    format_, scheme = formats()[format_id], scheme_for(format_id, scheme_68, scheme_98)
    format_.write(tmp_path / "out", [one_face(scheme)], scheme)
    if format_id in ("dlib", "cvat", "labelme"):  # landmarks by name, and some may be missing
        return
    with pytest.raises(LabelFileError):
        format_.read(tmp_path / "out", five, ["a.jpg"])


def test_faces_without_image_are_listed(tmp_path: Path, format_id: str, scheme_68: Scheme, scheme_98: Scheme) -> None:
    format_, scheme = formats()[format_id], scheme_for(format_id, scheme_68, scheme_98)
    format_.write(tmp_path / "out", [one_face(scheme), one_face(scheme, "gone.jpg")], scheme)
    report = format_.read(tmp_path / "out", scheme, ["a.jpg", "unlabelled.jpg"])
    assert [face.image for face in report.faces] == ["a.jpg"] and report.faces[0].where
    assert len(report.unmatched) == 1 and "no image of that name" in report.unmatched[0][1]


def test_the_table_of_the_documents_is_that_of_the_registry() -> None:
    assert table() in DOCS.read_text(encoding="utf-8")
    for format_ in formats().values():
        assert f"## {format_.title}" in DOCS.read_text(encoding="utf-8"), format_.id
