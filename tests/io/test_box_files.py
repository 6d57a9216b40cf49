"""Boxes from WFLW's lists, 300-W's MATLAB files and CSV tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaf_gui.core.face import Box, BoxSource
from scaf_gui.core.geometry import crop_square, landmark_box
from scaf_gui.errors import LabelFileError
from scaf_gui.io.box_files import read_boxes
from tests.io.test_matlab import CELLS, STRUCTS

IMAGES = ("a/one.jpg", "a/two words.png", "b/three.jpg")


def box(x: float, y: float, width: float, height: float) -> Box:
    return Box(x, y, width, height, BoxSource.FILE)


def written(tmp_path: Path, text: str, name: str = "boxes.txt") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def wflw_line(rectangle: str, name: str) -> str:
    return " ".join(["1.500000 2.500000"] * 98 + [rectangle, "0 0 1 0 0 0", name])


def test_wflw_rectangles_several_faces_in_the_order_of_the_list(tmp_path: Path) -> None:
    lines = ["10 20 60 90", "200 20 240 61"]
    text = "\n".join([wflw_line(lines[0], "a/one.jpg"), "", wflw_line("1 2 3 4", "a/two words.png")])
    found = read_boxes("wflw", written(tmp_path, f"{text}\n{wflw_line(lines[1], 'one.jpg')}\n"), IMAGES)
    assert found.boxes == {
        "a/one.jpg": (box(10, 20, 50, 70), box(200, 20, 40, 41)),
        "a/two words.png": (box(1, 2, 2, 2),),
    }
    assert found.unmatched == ()


@pytest.mark.parametrize(
    "text",
    [
        "a/one.jpg,10,20.5,30,40\nb/three.jpg, 1 ,2,3,4\n",
        "\ufeffimage,x,y,width,height\r\na/one.jpg,10,20.5,30,40\r\n\r\nb/three.jpg,1,2,3,4",
        'Height,note,X,Y,Width,Image\n40,"x, y",10,20.5,30,one.jpg\n4,,1,2,3,"b\\three.jpg"\n',
    ],
)
def test_csv_with_and_without_a_header(tmp_path: Path, text: str) -> None:
    found = read_boxes("csv", written(tmp_path, text), IMAGES)
    assert found.boxes == {"a/one.jpg": (box(10, 20.5, 30, 40),), "b/three.jpg": (box(1, 2, 3, 4),)}


@pytest.mark.parametrize("data", [STRUCTS, CELLS])
def test_the_matlab_files_of_300w_count_from_one(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bounding_boxes.mat"
    path.write_bytes(data)
    found = read_boxes("mat", path, ("trainset/image_0018.png", "other.png"))
    assert found.boxes == {"trainset/image_0018.png": (box(9, 19, 100.5, 120.25), box(200, 19, 100, 110))}
    assert found.unmatched == (("bounding_boxes.mat, entry 3", "7.png: there is no image of that name"),)


def test_a_box_around_the_landmarks_gives_the_crop_of_the_landmarks() -> None:
    import numpy as np

    points = np.array([[10.0, 20.0], [60.0, 90.0], [30.0, 40.0]])
    assert crop_square(box(10, 20, 50, 70)) == crop_square(landmark_box(points))


def test_what_has_no_image_is_told_and_the_rest_is_taken(tmp_path: Path) -> None:
    found = read_boxes("csv", written(tmp_path, "none.jpg,1,2,3,4\na/one.jpg,1,2,3,4\n"), IMAGES)
    assert list(found.boxes) == ["a/one.jpg"]
    assert found.unmatched == (("boxes.txt, line 1", "none.jpg: there is no image of that name"),)


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("csv", "a/one.jpg,1,2,3,4\n../one.jpg,1,2,3,4", "line 2: .*leads out of the image folder"),
        ("csv", "/tmp/one.jpg,1,2,3,4", "line 1: .*absolute path"),
        ("csv", "C:\\one.jpg,1,2,3,4", "line 1: .*absolute path"),
        ("csv", "a/one.jpg,1,2,3", "line 1: has 4 columns; image, x, y, width, height are needed"),
        ("csv", "a/one.jpg,1,2,nan,4", "line 1: 'nan' is no coordinate"),
        ("csv", "a/one.jpg,1,2,3,1e99", "line 1: '1e99' is no coordinate"),
        ("csv", "a/one.jpg,1,2,0,4", "line 1: the box's size 0 x 4 is not positive"),
        ("csv", '"a/one.jpg,1,2,3,4', "line 1: is no line of a CSV table"),
        ("csv", "none.jpg,1,2,3,4", "holds no box for any image of the folder, such as none.jpg"),
        ("csv", "", "holds no box for any image of the folder"),
        ("wflw", wflw_line("1 2 3 4", "../one.jpg"), "line 1: .*leads out"),
        ("wflw", "\n" + wflw_line("5 2 3 4", "a/one.jpg"), "line 2: the rectangle 5 2 3 4 has no size"),
        ("wflw", wflw_line("5 2 x 4", "a/one.jpg"), "line 1: 'x' is no coordinate"),
        ("wflw", "1 2 3 a/one.jpg", "line 1: has 4 fields instead of 207"),
        ("wflw", " ".join(["1 2"] * 98 + ["a/one.jpg"]), "line 1: has 197 fields .*hold no rectangles"),
        ("mat", "text", "is no MAT file"),
    ],
)
def test_every_refusal_names_file_and_line(tmp_path: Path, kind: str, text: str, reason: str) -> None:
    with pytest.raises(LabelFileError, match=rf"boxes.txt.*{reason}"):
        read_boxes(kind, written(tmp_path, text), IMAGES)


def test_a_matlab_file_of_something_else(tmp_path: Path) -> None:
    renamed = tmp_path / "y.mat"
    from tests.io.test_matlab import plain

    renamed.write_bytes(plain(STRUCTS).replace(b"bounding_boxes", b"bounding_foxes"))
    with pytest.raises(LabelFileError, match=r"y.mat: has no variable 'bounding_boxes', but bounding_foxes, note"):
        read_boxes("mat", renamed, IMAGES)
    renamed.write_bytes(plain(STRUCTS).replace(b"imgName", b"ImgName"))
    with pytest.raises(LabelFileError, match=r"y.mat: entry 1: has no text 'imgName'"):
        read_boxes("mat", renamed, IMAGES)


def test_a_long_list_is_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    with path.open("w") as file:
        file.writelines(f"{number}.jpg,1,2,{number + 1},4\n" for number in range(20_000))
    found = read_boxes("csv", path, [f"{number}.jpg" for number in range(20_000)])
    assert len(found.boxes) == 20_000 and found.boxes["19999.jpg"][0].width == 20_000
