"""WFLW ``list_98pt_rect_attr``: one line per face with 98 landmarks, a rectangle, six attributes and the image.

See docs/formats.md.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, ClassVar

import numpy as np

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import Attributes, Box, BoxSource, as_attributes
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats import files
from scaf_gui.io.formats.base import (
    FaceFormat,
    Holds,
    LabelledFace,
    Unmatched,
    register,
)
from scaf_gui.io.formats.folder import ExportFolder, SafeNames
from scaf_gui.io.formats.problems import STRICT, Problems, each_file

NUM_LANDMARKS = 98
_NUM_COORDINATES = 2 * NUM_LANDMARKS
#: names of WFLW's lists of the faces with one attribute, in the order of ``core.face.ATTRIBUTES``
SUBSETS = ("largepose", "expression", "illumination", "makeup", "occlusion", "blur")
_OFFICIAL_LISTS = "WFLW_annotations/list_98pt_rect_attr_train_test/"
_OFFICIAL_SUBSETS = "WFLW_annotations/list_98pt_test/"


@register
class WflwFormat(FaceFormat):
    """WFLW's format; it holds 98 landmarks, a rectangle and six attributes, but no flags of landmarks."""

    id = "wflw"
    title = "WFLW list"
    holds = Holds("one line per face", "0-based, six decimals", box="whole pixels", attributes=True)
    schemes = ("wflw-98",)
    variants: ClassVar[Mapping[str, str]] = {
        "rect-attr": "With rectangle and attributes",
        "plain": "Landmarks only",
        "official": "Folders of WFLW, and lists by attribute",
    }
    image_folder = "WFLW_images"
    patterns = ("list_98pt*.txt", "*.txt")

    def save(
        self, folder: ExportFolder, faces: Iterable[LabelledFace], scheme: Scheme, split: str = "", variant: str = ""
    ) -> Iterator[None]:
        """One list file, with the official folders also one per attribute.

        Names with spaces are replaced by safe ones, listed in ``names.json``.
        """
        _check_scheme(scheme, folder.out)
        names = SafeNames(folder, (face.image for face in faces), spaces=False)
        prefix = _OFFICIAL_LISTS if variant == "official" else ""
        kind = "" if variant == "plain" else "_rect_attr"
        subsets = [f"{_OFFICIAL_SUBSETS}list_98pt_{split or 'train'}_{name}.txt" for name in SUBSETS]
        used = Counter[str]()
        folder.label_folders = {prefix, _OFFICIAL_SUBSETS} if prefix else {""}
        with contextlib.ExitStack() as stack:
            lists = [stack.enter_context(folder.open(f"{prefix}list_98pt{kind}_{split or 'train'}.txt"))]
            if prefix:
                whole = f"{_OFFICIAL_SUBSETS}list_98pt_{split or 'train'}.txt"
                lists += [stack.enter_context(folder.open(name)) for name in (whole, *subsets)]
            for face in faces:
                if folder.leaves_out(face, self.why_not(face, scheme)):
                    continue
                self._add(lists, face, names.safe(face.image), variant == "plain")
                folder.image(face.image, f"{self.image_folder}/{names.safe(face.image)}")
                used[face.image] += 1
                folder.count(face, self.holds.state, used[face.image])
                yield

    @staticmethod
    def _add(lists: Sequence[BinaryIO], face: LabelledFace, name: str, plain: bool) -> None:
        """A face's line into the list, and into those of its attributes, which hold the landmarks alone."""
        lists[0].write((_line(face, name, plain) + "\n").encode("utf-8"))
        if len(lists) > 1:
            short = (_line(face, name, True) + "\n").encode("utf-8")
            lists[1].write(short)
            for held, file in zip(face.attributes or (), lists[2:], strict=False):
                if held:
                    file.write(short)

    def scan(
        self, source: Path, scheme: Scheme, images: Sequence[str], problems: Problems = STRICT
    ) -> Iterator[LabelledFace | Unmatched]:
        """A list file, or the lists in a folder; the sibling format without rectangle is read too."""
        _check_scheme(scheme, source)
        finder = files.ImageFinder(images)
        used, start = Counter[str](), problems.count

        def of_file(path: Path) -> Iterator[LabelledFace | Unmatched]:
            names, states = files.read_names(path.parent), files.ListedStates(path, problems, start)
            full = "rect_attr" in path.name
            for line, text in files.read_lines(path, problems):
                if not text.strip():
                    continue
                with problems:
                    points, box, attributes, name, full = _parse(path, line, text, full)
                    named, where = names.get(name, name), files.place(path.name, line)
                    image, reason = finder.by_path(named)
                    if image is None:
                        yield Unmatched(where, f"{name}: {reason}")
                        continue
                    used[image] += 1
                    number, flags = used[image], np.zeros(NUM_LANDMARKS, np.uint8)
                    state = states.of(image, number, line)
                    yield LabelledFace(image, points, flags, box, attributes, number, state, where=where, named=named)

        yield from each_file(_list_files(source), of_file, problems)


def _line(face: LabelledFace, name: str, plain: bool) -> str:
    """207 (or 197) fields, single spaces; the rectangle is in whole pixels around a plain box, or the landmarks."""
    fields = [f"{value:.6f}" for value in face.points.ravel().tolist()]
    if plain:
        return " ".join([*fields, name])
    low, high = face.points.min(axis=0), face.points.max(axis=0)
    if face.plain_box is not None:
        box = face.plain_box
        low, high = np.array([box.x, box.y]), np.array([box.x + box.width, box.y + box.height])
    fields += [str(int(value)) for value in (*np.floor(low), *np.ceil(high))]
    fields += [str(int(value)) for value in face.attributes or (False,) * 6]
    return " ".join([*fields, name])


def _parse(path: Path, line: int, text: str, full: bool) -> tuple[FloatArray, Box | None, Attributes | None, str, bool]:
    """One line, and whether there are rectangles and attributes for certain. The name may hold spaces.

    :param full: that is so; else a line is taken as it looks
    """
    fields = text.split(None, _NUM_COORDINATES + 10)
    extra = [files.number(field) for field in fields[_NUM_COORDINATES:-1]]
    whole = len(fields) == _NUM_COORDINATES + 11 and None not in extra
    full |= whole
    if not full:
        fields = text.split(None, _NUM_COORDINATES)
    if len(fields) <= _NUM_COORDINATES or (full and not whole):
        raise LabelFileError(
            f"has {len(fields)} fields where 207 are wanted: 196 coordinates, a rectangle, 6 attributes, the image",
            path,
            line,
        )
    values = [files.number(field) for field in fields[:_NUM_COORDINATES]]
    for place, value in enumerate(values):
        if value is None:
            raise LabelFileError(f"field {place + 1}, '{fields[place][:40]}', is no pixel coordinate", path, line)
    points = np.array(values, np.float64).reshape(NUM_LANDMARKS, 2)
    name = files.checked_name(fields[-1].strip(), path, line)
    if not full:
        return points, None, None, name, full
    return points, _box(extra[:4], path, line), _attributes(extra[4:], path, line), name, full


def _box(corners: Sequence[float | None], path: Path, line: int) -> Box | None:
    x0, y0, x1, y1 = (value or 0.0 for value in corners)
    if x0 == x1 or y0 == y1:
        return None  # an empty rectangle says nothing
    if x1 < x0 or y1 < y0:
        raise LabelFileError("the rectangle's right or lower edge lies before its left or upper one", path, line)
    return Box(x0, y0, x1 - x0, y1 - y0, BoxSource.FILE)


def _attributes(values: Sequence[float | None], path: Path, line: int) -> Attributes:
    for value in values:
        if value not in (0.0, 1.0):
            raise LabelFileError(f"an attribute is {value:g} where 0 or 1 is wanted", path, line)
    return as_attributes(value == 1.0 for value in values)


def _list_files(source: Path) -> Iterator[Path | Unmatched]:
    """The file itself; in a folder, its lists with rectangles, else those without."""
    if source.is_file():
        yield source
        return
    if not source.is_dir():
        raise LabelFileError("does not exist", source)
    every = sorted(source.rglob("list_98pt*.txt"))
    # the subsets repeat faces of the list that they are of
    for pattern in (r"list_98pt_rect_attr.*", r"list_98pt_[^_]+", r"list_98pt.*"):
        if found := [path for path in every if re.fullmatch(pattern, path.stem)]:
            for path in found:
                if files.leads_out(path, source):
                    yield Unmatched(path.name, "is a link that leads out of the folder")
                else:
                    yield path
            return
    raise LabelFileError("holds no WFLW list (list_98pt_rect_attr*.txt)", source)


def _check_scheme(scheme: Scheme, path: Path) -> None:
    if scheme.num_landmarks != NUM_LANDMARKS:
        raise LabelFileError(f"WFLW holds 98 landmarks, the scheme {scheme.id} has {scheme.num_landmarks}", path)
