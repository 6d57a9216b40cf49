"""Past what is broken in a label file: everything else is read, and every problem is told of."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scaf_gui.core.face import Box, BoxSource, Flag
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats import FaceState, LabelledFace, Problems, Unmatched, formats
from scaf_gui.io.formats.problems import LISTED

IMAGES = [f"face_{k}.jpg" for k in range(6)]


def some_faces(scheme: Scheme, images: list[str] = IMAGES) -> list[LabelledFace]:
    rng = np.random.default_rng(3)
    flags = np.zeros(scheme.num_landmarks, np.uint8)
    box = Box(8, 9, 100, 110, BoxSource.FILE)
    return [
        LabelledFace(image, rng.uniform(9, 99, (scheme.num_landmarks, 2)), flags, box, image_size=(128, 120))
        for image in images
    ]


def read(format_id: str, source: Path, scheme: Scheme, images: list[str] = IMAGES) -> tuple[list, Problems]:
    problems = Problems(source)
    return list(formats()[format_id].scan(source, scheme, images, problems)), problems


def change(path: Path, pattern: str, new: str, which: int) -> int:
    """Put ``new`` in the place of the match of that number; returns its line."""
    text = path.read_text(encoding="utf-8")
    at = list(re.finditer(pattern, text))[which]
    path.write_text(text[: at.start()] + new + text[at.end() :], encoding="utf-8")
    return text.count("\n", 0, at.start()) + 1


def break_lines(out: Path) -> list[str]:
    """Of a list with a header or without: a number that is none, a line that is cut, a line that is no text."""
    (path,) = (path for path in out.iterdir() if path.suffix in (".csv", ".txt"))
    lines = path.read_bytes().split(b"\n")
    first = 1 if path.suffix == ".csv" else 0
    lines[first] = re.sub(rb"\d+\.\d+", b"nan", lines[first], count=1)
    lines[first + 2] = lines[first + 2][:200]
    lines[first + 3] = b"\xff" + lines[first + 3]
    path.write_bytes(b"\n".join(lines))
    return [f"{path.name}, line {first + k}" for k in (1, 3, 4)]


def break_pts(out: Path) -> list[str]:
    (out / "face_0.pts").write_text("version: 1\nn_points: 68\n{\n1 2\n", encoding="ascii")
    line = change(out / "face_2.pts", r"\n\d+\.\d+ ", "\ninf ", 20) + 1
    (out / "face_3.pts").write_bytes(b"\xff\xd8\xff\xe0")
    return ["face_0.pts, line 4", f"face_2.pts, line {line}", "face_3.pts, line 1"]


def break_json(out: Path) -> list[str]:
    cut = (out / "face_0.json").read_text(encoding="ascii")[:500]
    for name in ("face_0", "face_3"):
        (out / f"{name}.json").write_text(cut, encoding="ascii")
    line = cut.count("\n") + 1
    content = json.loads((out / "face_2.json").read_text(encoding="ascii"))
    content["shapes"][7]["points"] = [[1, "2"]]
    (out / "face_2.json").write_text(json.dumps(content), encoding="ascii")
    return [f"face_0.json, line {line}", "face_2.json", f"face_3.json, line {line}"]


def break_coco(out: Path) -> list[str]:
    path = out / "labels.json"
    content = json.loads(path.read_text(encoding="ascii"))
    content["annotations"][0]["keypoints"][4] = None
    content["annotations"][2]["keypoints"].pop()
    content["annotations"][3]["image_id"] = 99
    path.write_text(json.dumps(content), encoding="ascii")
    return ["labels.json"] * 3


def break_xml(out: Path) -> list[str]:
    (path,) = out.glob("*.xml")
    pattern = r"\bx='" if path.name == "labels.xml" else r'points="'
    lines = [change(path, pattern, match, place) for match, place in ((f"{pattern[-3:]}nan", 2 * 68 + 9),)]
    lines += [change(path, pattern, "gone=" + pattern[-1], 3 * 68 + 2), change(path, pattern, "gone=" + pattern[-1], 2)]
    return [f"{path.name}, line {line}" for line in sorted(lines)]


def break_hdf5(out: Path) -> list[str]:
    import h5py

    with h5py.File(out / "labels.h5", "r+") as file:
        file["flags"][0, 3] = 9
        file["landmarks"][2, 3] = np.inf
        file["boxes"][3, 2] = -4
    return ["labels.h5"] * 3


BREAK: dict[str, Callable[[Path], list[str]]] = {
    "300w": break_pts,
    "wflw": break_lines,
    "coco": break_coco,
    "hrnet": break_lines,
    "dlib": break_xml,
    "labelme": break_json,
    "cvat": break_xml,
    "csv": break_lines,
    "hdf5": break_hdf5,
}


@pytest.mark.parametrize("format_id", list(formats()))
def test_the_other_faces_are_read(tmp_path: Path, format_id: str, scheme_68: Scheme, scheme_98: Scheme) -> None:
    """Faces 0, 2 and 3 of six are broken, each in its own way."""
    format_, out = formats()[format_id], tmp_path / "out"
    scheme = scheme_98 if format_.schemes else scheme_68
    given = some_faces(scheme)
    format_.write(out, given, scheme)
    places = BREAK[format_id](out)
    found, problems = read(format_id, out, scheme)
    assert [face.image for face in found] == [IMAGES[k] for k in (1, 4, 5)]
    for face, wanted in zip(found, (given[1], given[4], given[5]), strict=True):
        assert isinstance(face, LabelledFace)
        np.testing.assert_allclose(face.points, wanted.points, atol=1e-6 if format_.holds.exact else 0.5)
    assert problems.count == 3 and sorted(where for where, _ in problems.listed) == sorted(places)
    assert all(reason and "\n" not in reason for _, reason in problems.listed)
    with pytest.raises(LabelFileError, match=re.escape(problems.listed[0][1])):
        format_.read(out, scheme, IMAGES)


@pytest.mark.parametrize("format_id", ["wflw", "hrnet", "csv", "coco", "dlib", "cvat"])
def test_a_file_of_another_kind_is_one_problem(
    tmp_path: Path, format_id: str, scheme_68: Scheme, scheme_98: Scheme
) -> None:
    """A thousand lines of prose beside a file that is right."""
    format_, scheme = formats()[format_id], scheme_98 if formats()[format_id].schemes else scheme_68
    out = tmp_path / "out"
    suffix = format_.write(out, some_faces(scheme), scheme).files[0].suffix
    prose = out / f"list_98pt_rect_attr_z{suffix}"
    prose.write_text("It was a dark and stormy night.\n" * 1000, encoding="ascii")
    found, problems = read(format_id, out, scheme)
    assert len(found) == 6 and problems.count == 1 and problems.listed[0][0].startswith(prose.name)


def test_a_file_of_other_landmarks_is_one_problem(tmp_path: Path, scheme_68: Scheme, scheme_98: Scheme) -> None:
    images = [f"{k}.jpg" for k in range(40)]
    formats()["coco"].write(tmp_path / "out", some_faces(scheme_98, images), scheme_98)
    formats()["coco"].write(tmp_path / "out" / "b", some_faces(scheme_68), scheme_68)
    found, problems = read("coco", tmp_path / "out", scheme_68, [*IMAGES, *images])
    assert len(found) == 6 and problems.listed == [
        (
            "labels.json",
            "annotations[0].keypoints: holds 98 landmarks, the project's scheme has 68; none of 40 entries can be read",
        )
    ]


@pytest.mark.parametrize(("format_id", "end"), [("coco", 0.8), ("dlib", 0.6), ("cvat", 0.6), ("hdf5", 0.7)])
def test_what_stands_before_the_cut_is_read(tmp_path: Path, format_id: str, end: float, scheme_68: Scheme) -> None:
    """A download that broke off. HDF5 keeps its tables of contents in several places: all of it, or nothing."""
    format_, out = formats()[format_id], tmp_path / "out"
    path = format_.write(out, some_faces(scheme_68), scheme_68).files[0]
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * end)])
    found, problems = read(format_id, path, scheme_68)
    assert problems.count == 1
    if format_id == "hdf5":
        assert not found
    else:
        assert 1 < len(found) < 6 and "nothing behind it is read" in problems.listed[0][1]


def test_two_images_of_one_id(tmp_path: Path, scheme_68: Scheme) -> None:
    """Of which of them are its faces? Of neither, then; and an image without a name takes its faces with it."""
    out = tmp_path / "out"
    formats()["coco"].write(out, some_faces(scheme_68), scheme_68)
    path = out / "labels.json"
    content = json.loads(path.read_text(encoding="ascii"))
    content["images"][1]["id"] = content["images"][0]["id"]
    content["images"][3]["file_name"] = None
    path.write_text(json.dumps(content), encoding="ascii")
    found, problems = read("coco", out, scheme_68)
    assert [face.image for face in found if isinstance(face, LabelledFace)] == [
        "face_2.jpg",
        "face_4.jpg",
        "face_5.jpg",
    ]
    told = [one.reason for one in found if isinstance(one, Unmatched)]
    assert told == ["its image, images[1], cannot be read", "its image, images[3], cannot be read"]
    assert [reason.split(":")[0] for _, reason in problems.listed] == [
        "images[1]",
        "images[3].file_name",
        "annotations[1].image_id",
    ]


def test_a_quote_that_is_never_closed(tmp_path: Path, scheme_68: Scheme) -> None:
    """It would swallow all that follows, up to the next quote or the end."""
    images = ['say "hi".jpg' if k == 5 else image for k, image in enumerate(IMAGES)]
    for format_id in ("csv", "hrnet"):
        out = tmp_path / format_id
        path = formats()[format_id].write(out, some_faces(scheme_68, images), scheme_68).files[0]
        lines = path.read_text(encoding="utf-8").split("\n")
        lines[2] = '"' + lines[2]
        path.write_text("\n".join(lines), encoding="utf-8")
        for names in (images, images[:5]):
            path.write_text("\n".join(lines[: 1 + len(names)]) + "\n", encoding="utf-8")
            found, problems = read(format_id, out, scheme_68, images)
            assert [face.image for face in found] == [names[0], *names[2:]]
            assert [where for where, _ in problems.listed] == [f"{path.name}, line 3"]


def test_a_face_of_which_a_line_is_lost(tmp_path: Path, scheme_68: Scheme) -> None:
    """One line per landmark: a face that lacks one would come in with a landmark that is missing. Its neighbours have
    all of theirs, so the line was none of theirs."""
    out = tmp_path / "out"
    formats()["csv"].write(out, some_faces(scheme_68), scheme_68, variant="long")
    path = out / "labels.csv"
    lines = path.read_text(encoding="utf-8").split("\n")
    lines[1 + 68 + 67] = "nonsense"  # the last of face 1
    lines[1 + 3 * 68 + 5] = lines[1 + 3 * 68 + 5].replace("visible", "seen")
    path.write_text("\n".join(lines), encoding="utf-8")
    found, problems = read("csv", out, scheme_68)
    assert [face.image for face in found] == [IMAGES[k] for k in (0, 2, 4, 5)]
    assert problems.listed == [
        ("labels.csv, line 137", "has 1 fields where 17 are in the header"),
        ("labels.csv, line 70", "a line of this face, or next to it, cannot be read"),
        ("labels.csv, line 211", "'seen' is none of visible, occluded, missing"),
    ]


@pytest.mark.parametrize("format_id", ["wflw", "hrnet"])
def test_states_that_count_by_lines(tmp_path: Path, format_id: str, scheme_68: Scheme, scheme_98: Scheme) -> None:
    """The second face of a photo is a prediction. With the first line lost it would pass for the first, a label."""
    format_, scheme = formats()[format_id], scheme_98 if format_id == "wflw" else scheme_68
    faces = some_faces(scheme, ["a.jpg", "a.jpg", "b.jpg"])
    faces[1] = replace(faces[1], face_index=2, state=FaceState.PREDICTED)
    path = next(p for p in format_.write(tmp_path / "out", faces, scheme).files if p.suffix in (".csv", ".txt"))
    found, problems = read(format_id, path, scheme, ["a.jpg", "b.jpg"])
    assert [face.state for face in found] == ["reviewed", "predicted", "reviewed"] and not problems.count
    lines = path.read_text(encoding="utf-8").split("\n")
    at = 1 if format_id == "hrnet" else 0
    lines[at] = "x" + lines[at][9:]
    path.write_text("\n".join(lines), encoding="utf-8")
    found, problems = read(format_id, path, scheme, ["a.jpg", "b.jpg"])
    assert [face.image for face in found] == ["b.jpg"] and problems.count == 2
    assert "does not tell whose landmarks these are" in problems.listed[1][1]


def test_a_cut_first_line_does_not_change_how_the_others_are_read(tmp_path: Path, scheme_98: Scheme) -> None:
    path = formats()["wflw"].write(tmp_path / "out", some_faces(scheme_98), scheme_98).files[0]
    lines = path.read_text(encoding="utf-8").split("\n")
    lines[0] = " ".join(lines[0].split(" ")[:200])
    renamed = tmp_path / "mine.txt"
    renamed.write_text("\n".join(lines), encoding="utf-8")
    found, _ = read("wflw", renamed, scheme_98)
    assert [face.image for face in found if isinstance(face, LabelledFace)] == IMAGES[1:]
    assert all(face.box is not None for face in found if isinstance(face, LabelledFace))


def test_problems_are_counted_when_they_are_too_many_to_be_listed(tmp_path: Path, five: Scheme) -> None:
    path = tmp_path / "labels.csv"
    header = ",".join(["image", *(f"{number}_{axis}" for number in range(1, 6) for axis in "xy")])
    good, bad = "a.jpg" + ",7.5" * 10, "a.jpg" + ",nan" * 10
    path.write_text("\n".join([header, good, *[bad] * 5000, good]), encoding="ascii")
    found, problems = read("csv", path, five, ["a.jpg"])
    assert len(found) == 2 and problems.count == 5000 and len(problems.listed) == LISTED
    assert all((face.flags == Flag.VISIBLE).all() for face in found)
    (tmp_path / "b.csv").write_text("\n".join([header, *[bad] * 2000]), encoding="ascii")
    found, problems = read("csv", tmp_path, five, ["a.jpg"])
    assert len(found) == 2 and problems.count == 1 + 5000, "all of b.csv is one"
    assert problems.listed[0] == (
        "b.csv, line 2",
        "'nan, nan' are no pixel coordinates of left_eye; none of 2,000 entries can be read",
    )


@pytest.mark.parametrize("format_id", list(formats()))
def test_whatever_happened_to_a_file(tmp_path: Path, format_id: str, scheme_68: Scheme, scheme_98: Scheme) -> None:
    """Bytes changed or lost at random: never an error beside the problems, and no face that was not there."""
    format_, out = formats()[format_id], tmp_path / "out"
    scheme = scheme_98 if format_.schemes else scheme_68
    format_.write(out, some_faces(scheme), scheme)
    path = next(p for p in sorted(out.iterdir()) if p.is_file() and p.name != "names.json")
    whole = path.read_bytes()
    rng = np.random.default_rng(6)
    problems_met = 0
    for trial in range(40):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), 3):
            data[place] = rng.integers(0, 256)
        if trial % 2:
            start = int(rng.integers(0, len(data)))
            del data[start : start + int(rng.integers(1, 2000))]
        path.write_bytes(bytes(data))
        found, problems = read(format_id, out, scheme)
        faces = [face for face in found if isinstance(face, LabelledFace)]
        assert len(faces) <= 6 and all(face.image in IMAGES for face in faces)
        assert all(np.isfinite(face.points[face.flags != Flag.MISSING]).all() for face in faces)
        problems_met += problems.count > 0
    assert problems_met > 3


def test_what_goes_with_the_labels_is_not_skipped(tmp_path: Path, scheme_68: Scheme) -> None:
    """Without names.json the names in the files may be those of other photos."""
    formats()["300w"].write(tmp_path / "out", some_faces(scheme_68), scheme_68)
    (tmp_path / "out" / "names.json").write_text("[", encoding="ascii")
    with pytest.raises(LabelFileError, match=r"names\.json"):
        read("300w", tmp_path / "out", scheme_68)
