"""Bounding boxes from files: WFLW's lists, the MATLAB files of 300-W, CSV tables.

All of them go around a face's landmarks, brow to chin, which is what :attr:`BoxSource.FILE` stands for. Several boxes
of an image are several faces, in the order of the file.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scaf_gui.core.face import Box, BoxSource
from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats import files

#: one box of a file: where it stands (a line, or the place in words), the image's name, the box
_Row = tuple[int | str, str, Box]
#: boxes without an image that are told of one by one
_TOLD = 1000
_COLUMNS = ("image", "x", "y", "width", "height")


@dataclass(frozen=True)
class FileBoxes:
    """Boxes by image; ``unmatched``: place and reason of those whose image is not there, the first thousand of them;
    ``num_unmatched``: how many those are in all."""

    boxes: dict[str, tuple[Box, ...]]
    unmatched: tuple[tuple[str, str], ...]
    num_unmatched: int = 0


def read_boxes(kind: str, path: Path, images: Sequence[str]) -> FileBoxes:
    """The boxes of a file for the images of a folder.

    :param kind: a key of :data:`BOX_FILES`
    :param images: relative paths; an image is found by its path, then by the end of it where that is unique
    :raises LabelFileError: the file is malformed (names the line), a name in it leads out of the folder, or it holds
        no box for any of the images
    """
    finder = files.ImageFinder(images)
    found: dict[str, list[Box]] = defaultdict(list)
    unmatched: list[tuple[str, str]] = []
    num_unmatched = 0
    for where, name, box in BOX_FILES[kind](path):
        name = files.checked_name(name, path, where)
        image, reason = finder.by_path(name)
        if image is None:
            # 300-W's files name .jpg what may lie there as .png
            image = finder.by_stem(name.rpartition(".")[0])[0] if "." in name else finder.by_stem(name)[0]
        if image is None:
            num_unmatched += 1
            if num_unmatched <= _TOLD:
                unmatched.append((files.place(path.name, where), f"{name}: {reason}"))
        else:
            found[image].append(box)
    if not found:
        example = f", such as {unmatched[0][1]}" if unmatched else ""
        raise LabelFileError(f"holds no box for any image of the folder{example}", path)
    return FileBoxes({image: tuple(boxes) for image, boxes in found.items()}, tuple(unmatched), num_unmatched)


def _wflw(path: Path) -> Iterator[_Row]:
    """Rectangles of ``list_98pt_rect_attr_*.txt``: fields 197 to 200 of 207."""
    for line, text in files.read_lines(path):
        if not text.strip():
            continue
        fields = text.split(maxsplit=206)
        if len(fields) != 207:
            some = "196 coordinates, 4 of the rectangle, 6 attributes and a name"
            hint = "; the lists without rect_attr in their names hold no rectangles" if len(fields) == 197 else ""
            raise LabelFileError(f"has {len(fields)} fields instead of 207 ({some}){hint}", path, line)
        yield line, fields[206].strip(), _corners(fields[196:200], path, line, 0.0)


def _csv(path: Path) -> Iterator[_Row]:
    """Columns image, x, y, width, height; a first line that names them may order them otherwise, and have others."""
    places = tuple(range(5))
    first = True
    for line, text in files.read_lines(path):
        if not text.strip():
            continue
        try:
            fields = [field.strip() for field in next(csv.reader([text], strict=True))]
        except (csv.Error, StopIteration) as error:
            raise LabelFileError(f"is no line of a CSV table ({error})", path, line) from error
        if first:
            first = False
            names = [field.lower() for field in fields]
            if all(column in names for column in _COLUMNS):
                places = tuple(names.index(column) for column in _COLUMNS)
                continue
        if len(fields) <= max(places):
            raise LabelFileError(f"has {len(fields)} columns; {', '.join(_COLUMNS)} are needed", path, line)
        name, *values = (fields[place] for place in places)
        x, y, width, height = (_number(value, path, line) for value in values)
        if width <= 0 or height <= 0:
            raise LabelFileError(f"the box's size {width:g} x {height:g} is not positive", path, line)
        yield line, name, Box(x, y, width, height, BoxSource.FILE)


def _mat(path: Path) -> Iterator[_Row]:
    """``bounding_boxes`` of 300-W: a struct (array, or cell of structs) with ``imgName`` and ``bb_ground_truth``.

    Corners x1, y1, x2, y2, 1-based as in MATLAB. ``bb_detector``, of a detector of another rule, is not read.
    """
    from scaf_gui.io.matlab import read_mat

    variables = read_mat(path)
    if "bounding_boxes" not in variables:
        there = ", ".join(sorted(variables)) or "nothing"
        raise LabelFileError(f"has no variable 'bounding_boxes', but {there}", path)
    entries = list(_structs(variables["bounding_boxes"]))
    for number, entry in enumerate(entries, start=1):
        where = f"entry {number}"
        name, box = entry.get("imgName"), entry.get("bb_ground_truth")
        if not isinstance(name, str):
            raise files.refusal("has no text 'imgName'", path, where)
        if not isinstance(box, np.ndarray) or box.size != 4:
            raise files.refusal("'bb_ground_truth' is not four numbers", path, where)
        yield where, name.strip(), _corners([f"{value!r}" for value in box.ravel().tolist()], path, where, 1.0)


def _structs(value: Any) -> Iterator[dict[str, Any]]:
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict):
            yield item
        elif isinstance(item, list):
            yield from _structs(item)


def _corners(texts: Sequence[str], path: Path, where: int | str, base: float) -> Box:
    x0, y0, x1, y1 = (_number(text, path, where) - base for text in texts)
    if x1 <= x0 or y1 <= y0:
        raise files.refusal(f"the rectangle {' '.join(texts)} has no size", path, where)
    return Box(x0, y0, x1 - x0, y1 - y0, BoxSource.FILE)


def _number(text: str, path: Path, where: int | str) -> float:
    value = files.number(text)
    if value is None:
        raise files.refusal(f"'{text[:40]}' is no coordinate of a box", path, where)
    return value


#: how to read each kind of box file
BOX_FILES: dict[str, Callable[[Path], Iterator[_Row]]] = {"wflw": _wflw, "mat": _mat, "csv": _csv}
