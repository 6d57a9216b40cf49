"""WFLW ``list_98pt_rect_attr``: one line per face with 98 landmarks, a rectangle, six attributes and the image.

See docs/formats.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import Box, BoxSource
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats import files
from scaf_gui.io.formats.base import Attributes, ExportReport, ImportReport, LabelledFace, register, why_left_out

NUM_LANDMARKS = 98
FILE_NAME = "list_98pt_rect_attr_train.txt"
_NUM_COORDINATES = 2 * NUM_LANDMARKS


@register
class WflwFormat:
    """WFLW's format; it holds 98 landmarks, a rectangle and six attributes, but no flags of landmarks."""

    id = "wflw"
    title = "WFLW list_98pt_rect_attr, one line per face"
    schemes: tuple[str, ...] = ("wflw-98",)

    def write(
        self, out: Path, faces: Iterable[LabelledFace], scheme: Scheme, *, overwrite: bool = False
    ) -> ExportReport:
        """One list file; names with spaces are replaced by safe ones, listed in ``names.json``."""
        _check_scheme(scheme, out)
        left_out: list[tuple[str, str]] = []
        lines: list[str] = []
        names = _SafeNames()
        faces = list(faces)
        for face in faces:
            names.reserve(face.image)
        for face in faces:
            reason = why_left_out(face, scheme) or files.escape_reason(face.image)
            if reason is not None:
                left_out.append((face.image, reason))
                continue
            lines.append(_line(face, names.safe(face.image)))
        content = "".join(line + "\n" for line in lines).encode("utf-8")
        written = files.write_folder(out, [(FILE_NAME, content), *files.names_file(out, names.renamed)], overwrite)
        return ExportReport(len(lines), written, tuple(left_out), names.renamed)

    def read(self, source: Path, scheme: Scheme, images: Sequence[str]) -> ImportReport:
        """A list file, or the lists in a folder; the sibling format without rectangle is read too."""
        _check_scheme(scheme, source)
        finder = files.ImageFinder(images)
        faces: list[LabelledFace] = []
        unmatched: list[tuple[str, str]] = []
        used = Counter[str]()
        for path in _list_files(source):
            names = files.read_names(path.parent)
            full = True if "rect_attr" in path.name else None
            for line, text in enumerate(files.read_text(path).split("\n"), 1):
                if not text.strip():
                    continue
                points, box, attributes, name, full = _parse(path, line, text, full)
                image, reason = finder.by_path(names.get(name, name))
                if image is None:
                    unmatched.append((f"{path.name}, line {line}", f"{name}: {reason}"))
                    continue
                used[image] += 1
                flags = np.zeros(NUM_LANDMARKS, np.uint8)
                faces.append(LabelledFace(image, points, flags, box, attributes, used[image]))
        return ImportReport(tuple(faces), tuple(unmatched))


def _line(face: LabelledFace, name: str) -> str:
    """207 fields, single spaces; the rectangle is in whole pixels around the box from a file, or the landmarks."""
    low, high = face.points.min(axis=0), face.points.max(axis=0)
    if face.box is not None and face.box.source is BoxSource.FILE:
        low = np.array([face.box.x, face.box.y])
        high = low + np.array([face.box.width, face.box.height])
    fields = [f"{value:.6f}" for value in face.points.ravel().tolist()]
    fields += [str(int(value)) for value in (*np.floor(low), *np.ceil(high))]
    fields += [str(int(value)) for value in face.attributes or (False,) * 6]
    return " ".join([*fields, name])


def _parse(
    path: Path, line: int, text: str, full: bool | None
) -> tuple[FloatArray, Box | None, Attributes | None, str, bool]:
    """One line. ``full``: with rectangle and attributes, or not; ``None``: as it looks. The name may hold spaces."""
    fields = text.split(None, _NUM_COORDINATES + 10)
    extra = [files.number(field) for field in fields[_NUM_COORDINATES:-1]]
    whole = len(fields) == _NUM_COORDINATES + 11 and None not in extra
    if full is None:
        full = whole
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
    name = fields[-1].strip()
    reason = files.escape_reason(name)
    if reason is not None:
        raise LabelFileError(f"the image's name '{name[:80]}' {reason}", path, line)
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
    pose, expression, light, make_up, occlusion, blur = (value == 1.0 for value in values)
    return pose, expression, light, make_up, occlusion, blur


def _list_files(source: Path) -> list[Path]:
    """The file itself; in a folder, its lists with rectangles, else those without."""
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise LabelFileError("does not exist", source)
    for pattern in ("list_98pt_rect_attr*.txt", "list_98pt*.txt"):
        if found := sorted(source.rglob(pattern)):
            return found
    raise LabelFileError("holds no WFLW list (list_98pt_rect_attr*.txt)", source)


def _check_scheme(scheme: Scheme, path: Path) -> None:
    if scheme.num_landmarks != NUM_LANDMARKS:
        raise LabelFileError(f"WFLW holds 98 landmarks, the scheme {scheme.id} has {scheme.num_landmarks}", path)


class _SafeNames:
    """Image names without white space or signs that break lines, each still one of a kind."""

    def __init__(self) -> None:
        self.renamed: dict[str, str] = {}
        self._taken: set[str] = set()
        self._known: dict[str, str] = {}

    def reserve(self, image: str) -> None:
        """No safe name of another image may be the real name of this one."""
        self._taken.add(image.casefold())

    def safe(self, image: str) -> str:
        if image not in self._known:
            name = "".join("_" if sign.isspace() or not sign.isprintable() else sign for sign in image)
            if name != image:
                path, number = PurePosixPath(name), 1
                while name.casefold() in self._taken:
                    number += 1
                    name = str(path.with_name(f"{path.stem}-{number}{path.suffix}"))
                self._taken.add(name.casefold())
                self.renamed[name] = image
            self._known[image] = name
        return self._known[image]
