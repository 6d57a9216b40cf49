"""CSV with a header: one line per face, or one per landmark. See docs/formats.md."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from scaf_gui.core.arrays import ByteArray, FloatArray
from scaf_gui.core.face import ATTRIBUTES, Attributes, Box, BoxSource, Flag, as_attributes
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats import files
from scaf_gui.io.formats.base import FaceFormat, FaceState, Holds, LabelledFace, Unmatched, register
from scaf_gui.io.formats.folder import ExportFolder, SafeNames
from scaf_gui.io.formats.marks import landmark_numbers
from scaf_gui.io.formats.problems import STRICT, Problems, each_file
from scaf_gui.io.formats.rows import csv_rows, csv_writer

_FACE = ("image", "face", "state", "box_x", "box_y", "box_width", "box_height", *ATTRIBUTES)
_LONG = ("landmark", "x", "y", "flag")
_FLAGS = {flag.name.lower(): flag for flag in Flag}


@register
class CsvFormat(FaceFormat):
    """Everything the program knows of a face, in a table that any program reads."""

    id = "csv"
    title = "CSV"
    holds = Holds(
        "one line per face or landmark",
        "0-based, all digits",
        box="yes",
        occluded=True,
        missing=True,
        attributes=True,
        state=True,
    )
    variants: ClassVar[Mapping[str, str]] = {"wide": "One line per face", "long": "One line per landmark"}
    patterns = ("*.csv",)

    def save(
        self, folder: ExportFolder, faces: Iterable[LabelledFace], scheme: Scheme, split: str = "", variant: str = ""
    ) -> Iterator[None]:
        """``labels.csv``; empty cells where a landmark is missing, or a face has no box."""
        names = SafeNames(folder, (face.image for face in faces))
        with TextIOWrapper(folder.open(f"labels{'_' * bool(split)}{split}.csv"), "utf-8", newline="") as file:
            writer = csv_writer(file)
            wide = [f"{name}_{part}" for name in scheme.names for part in ("x", "y", "flag")]
            writer.writerow([*_FACE, *(_LONG if variant == "long" else wide)])
            for face in faces:
                if folder.leaves_out(face, self.why_not(face, scheme)):
                    continue
                name = names.safe(face.image)
                _write(writer, face, name, scheme, variant == "long")
                folder.image(face.image, f"{self.image_folder}/{name}")
                folder.count(face, self.holds.state)
                yield

    def scan(
        self, source: Path, scheme: Scheme, images: Sequence[str], problems: Problems = STRICT
    ) -> Iterator[LabelledFace | Unmatched]:
        finder = files.ImageFinder(images)

        def of_file(path: Path) -> Iterator[LabelledFace | Unmatched]:
            names = files.read_names(path.parent)
            rows = csv_rows(path, problems, what="are in the header")
            line, header = next(rows, (1, []))
            columns = _Columns.of([title.strip().lower() for title in header], scheme, path, line)
            used = Counter[str]()
            for group, torn in _groups(rows, columns, path, problems):
                with problems:
                    line, first = group[0]
                    name = files.checked_name(columns.text(first, "image"), path, line)
                    named, where = names.get(name, name), files.place(path.name, line)
                    known, reason = finder.by_path(named)
                    points, flags, box, attributes, state = _face(columns, group, known or name, path, scheme)
                    if torn and len(group) < scheme.num_landmarks:
                        raise LabelFileError("a line of this face, or next to it, cannot be read", path, line)
                    if known is None:
                        yield Unmatched(where, f"{name}: {reason}")
                        continue
                    used[known] += 1
                    index = columns.text(first, "face")
                    number = int(index) if re.fullmatch("[1-9][0-9]{0,3}", index) else used[known]
                    yield LabelledFace(known, points, flags, box, attributes, number, state, where=where, named=named)

        yield from each_file(files.label_files(source, ".csv", "CSV file"), of_file, problems)


def _write(writer: Any, face: LabelledFace, name: str, scheme: Scheme, long: bool) -> None:
    box = face.box_or_tight() if face.plain_box is not None else ("",) * 4
    attributes = ("",) * 6 if face.attributes is None else tuple(map(int, face.attributes))
    head = [name, face.face_index, str(face.state), *box, *attributes]
    gone = set(face.missing)
    cells = [
        ("", "", "missing") if place in gone else (x, y, Flag(flag).name.lower())
        for place, ((x, y), flag) in enumerate(zip(face.points.tolist(), face.flags.tolist(), strict=True))
    ]
    if long:
        writer.writerows([*head, scheme.names[place], *cell] for place, cell in enumerate(cells))
    else:
        writer.writerow([*head, *(value for cell in cells for value in cell)])


@dataclass(frozen=True)
class _Columns:
    """Where in a row what stands. ``landmarks``: (x, y, flag or None) columns per landmark; None in the long form."""

    titles: dict[str, int]
    landmarks: tuple[tuple[int, int, int | None], ...] | None

    @staticmethod
    def of(header: list[str], scheme: Scheme, path: Path, line: int) -> _Columns:
        titles = {title: place for place, title in enumerate(header)}
        if "image" not in titles:
            raise LabelFileError("is no CSV of labels: its header has no column 'image'", path, line)
        if len(titles) < len(header):
            raise LabelFileError("has two columns of the same name", path, line)
        if {"landmark", "x", "y"} <= set(titles):
            return _Columns(titles, None)
        names = [
            title[:-2] for title in titles if title.endswith("_x") and title != "box_x" and f"{title[:-2]}_y" in titles
        ]
        numbers = landmark_numbers(names, _lower(scheme))
        if len(set(numbers.values())) != scheme.num_landmarks:
            raise LabelFileError(
                f"has columns NAME_x and NAME_y for {len(names)} landmarks, of which {len(numbers)} are among the "
                f"{scheme.num_landmarks} of {scheme.id}",
                path,
                line,
            )
        by_landmark = {landmark: name for name, landmark in numbers.items()}
        return _Columns(
            titles,
            tuple(
                (titles[f"{name}_x"], titles[f"{name}_y"], titles.get(f"{name}_flag"))
                for _, name in sorted(by_landmark.items())
            ),
        )

    def text(self, row: list[str], title: str) -> str:
        place = self.titles.get(title)
        return "" if place is None else row[place].strip() if title != "image" else row[place]


def _lower(scheme: Scheme) -> Scheme:
    from dataclasses import replace

    return replace(scheme, names=tuple(name.lower() for name in scheme.names))


#: (line, fields) of the rows of a face
_Group = list[tuple[int, list[str]]]


def _groups(
    rows: Iterator[tuple[int, list[str]]], columns: _Columns, path: Path, problems: Problems
) -> Iterator[tuple[_Group, bool]]:
    """The rows of each face, and whether one that cannot be read, among them or next to them, may have been its too.

    It is one row, or in the long form those that follow each other with the same face.
    """
    group: _Group = []
    key, torn, seen = ("", ""), False, problems.count
    for line, row in rows:
        if columns.landmarks is not None:
            yield [(line, row)], False
            continue
        torn |= problems.count > seen
        this = columns.text(row, "image"), columns.text(row, "face")
        if group and this != key:
            lost = problems.count > seen
            yield group, torn
            group, torn = [], lost
        key, seen = this, problems.count
        group.append((line, row))
        if len(group) > 10_000:
            raise LabelFileError("has more than 10,000 landmarks of one face; nothing behind it is read", path, line)
    if group:
        yield group, torn or problems.count > seen


def _face(
    columns: _Columns, group: _Group, image: str, path: Path, scheme: Scheme
) -> tuple[FloatArray, ByteArray, Box | None, Attributes | None, FaceState]:
    """Points, flags, box, attributes and state."""
    line, first = group[0]
    points = np.full((scheme.num_landmarks, 2), np.nan)
    flags = np.full(scheme.num_landmarks, Flag.MISSING, np.uint8)
    if columns.landmarks is not None:
        cells = [
            (landmark, first[x], first[y], "" if flag is None else first[flag], line)
            for landmark, (x, y, flag) in enumerate(columns.landmarks)
        ]
    else:
        named = [columns.text(row, "landmark") for _, row in group]
        numbers = landmark_numbers(named, scheme)
        cells = []
        for name, (at, row) in zip(named, group, strict=True):
            if name not in numbers:
                raise LabelFileError(f"'{name[:40]}' is no landmark of {scheme.id}", path, at)
            x_text, y_text, flag_text = (columns.text(row, title) for title in ("x", "y", "flag"))
            cells.append((numbers[name], x_text, y_text, flag_text, at))
        if len(set(named)) < len(named):
            raise LabelFileError(f"has a landmark of {image} twice", path, line)
    for landmark, x_text, y_text, flag_text, at in cells:
        flag = _FLAGS.get(flag_text.strip().lower() or ("visible" if x_text.strip() else "missing"))
        if flag is None:
            raise LabelFileError(f"'{flag_text[:40]}' is none of {', '.join(_FLAGS)}", path, at)
        if flag is Flag.MISSING:
            continue
        x, y = files.number(x_text.strip()), files.number(y_text.strip())
        if x is None or y is None:
            raise LabelFileError(
                f"'{x_text[:20]}, {y_text[:20]}' are no pixel coordinates of {scheme.names[landmark]}", path, at
            )
        points[landmark], flags[landmark] = (x, y), flag
    return points, flags, *_of_face(columns, first, path, line)


def _of_face(
    columns: _Columns, row: list[str], path: Path, line: int
) -> tuple[Box | None, Attributes | None, FaceState]:
    sides = [columns.text(row, f"box_{side}") for side in ("x", "y", "width", "height")]
    box = None
    if any(sides):
        values = [files.number(side) for side in sides]
        if None in values or not (values[2] or 0) > 0 or not (values[3] or 0) > 0:
            raise LabelFileError(
                f"'{', '.join(sides)[:60]}' is no box: x, y and a positive width and height", path, line
            )
        x, y, width, height = (value or 0.0 for value in values)
        box = Box(x, y, width, height, BoxSource.FILE)
    told = [columns.text(row, name) for name in ATTRIBUTES]
    if any(told) and not set(told) <= {"0", "1"}:
        raise LabelFileError(f"'{', '.join(told)[:60]}' are no attributes: six of 0 or 1", path, line)
    state = columns.text(row, "state") or "reviewed"
    if state not in set(FaceState):
        raise LabelFileError(f"'{state[:40]}' is none of {', '.join(FaceState)}", path, line)
    return box, as_attributes([text == "1" for text in told]) if any(told) else None, FaceState(state)
