"""Reading label files with care: text line by line, numbers, names that may not lead out, images by name."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath

from scaf_gui.errors import LabelFileError
from scaf_gui.io.folder import natural_key
from scaf_gui.io.formats.base import FaceState, LabelledFace, Unmatched, stem_of
from scaf_gui.io.formats.problems import STRICT, Problems

#: in an export: {name in the export: image}, of names that had to change
NAMES_FILE = "names.json"
#: in an export: [[image, number of the face, "started" or "predicted"]], where the labels themselves cannot say it
STATES_FILE = "states.json"
#: no picture is that large: a coordinate beyond is a mistake of the file
FARTHEST = 1e6
#: no line of a label file is that long: a thousand landmarks take 30,000 bytes
LONGEST_LINE = 4_000_000
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def read_names(folder: Path) -> dict[str, str]:
    """The mapping file of an export; empty where there is none.

    :raises LabelFileError: it is there, but broken
    """
    path = folder / NAMES_FILE
    data = _beside(path)
    if data is None:
        return {}
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        raise LabelFileError("is not a mapping of names", path)
    return data


def read_states(folder: Path) -> dict[tuple[str, int], FaceState]:
    """Which faces of an export no person stands for, by image and number of the face.

    :raises LabelFileError: the file is there, but broken
    """
    path = folder / STATES_FILE
    data = _beside(path)
    if data is None:
        return {}
    try:
        if not isinstance(data, list):
            raise TypeError
        return {(str(image), int(number)): FaceState(state) for image, number, state in data}
    except (TypeError, ValueError) as error:
        raise LabelFileError("is not a list of [image, number of the face, state]", path) from error


class ListedStates:
    """States of faces that count by their place in a list: unknown behind a line of it that cannot be read.

    :param start: problems there were before the first list was opened
    :raises LabelFileError: what goes with the list is broken
    """

    def __init__(self, path: Path, problems: Problems, start: int):
        self._path, self._problems, self._start = path, problems, start
        self._states = read_states(path.parent)
        self._images = {image for image, _ in self._states}

    def of(self, image: str, number: int, line: int) -> FaceState:
        """:raises LabelFileError: of some face of the image no person stands for the landmarks, maybe of this one"""
        if self._problems.count > self._start and image in self._images:
            reason = f"a line before it cannot be read, so {STATES_FILE} does not tell whose landmarks these are"
            raise LabelFileError(reason, self._path, line)
        return self._states.get((image, number), FaceState.REVIEWED)


def _beside(path: Path) -> object:
    """The JSON of a file that goes with an export, ``None`` where there is none."""
    if not path.is_file():
        return None
    if leads_out(path, path.parent):
        raise LabelFileError("is a link that leads out of the folder", path)
    return parse_json(read_text(path), path)


def parse_json(text: str, path: Path) -> object:
    """A JSON value; :raises LabelFileError: it is none (names the line)."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise LabelFileError(f"is not JSON ({error.msg})", path, error.lineno) from error
    except (RecursionError, ValueError) as error:  # a number of more than 4,300 digits is a ValueError
        raise LabelFileError("is not JSON that a label file would hold", path) from error


def read_text(path: Path, limit: int = 64_000_000) -> str:
    """The text of a small label file, UTF-8 with or without a mark.

    :raises LabelFileError: unreadable, too large, or not text (names the line)
    """
    try:
        if path.stat().st_size > limit:
            raise LabelFileError(f"is larger than {limit} bytes, too large for such a label file", path)
        data = path.read_bytes()
    except OSError as error:
        raise LabelFileError(f"cannot be read ({error.strerror})", path) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise LabelFileError("is not UTF-8 text", path, line) from error


def read_lines(path: Path, problems: Problems = STRICT) -> Iterator[tuple[int, str]]:
    """(1-based number, text without its end) of each line of a list, however long the list is.

    :param problems: takes in a line that is not UTF-8 text or far too long; it is empty then
    :raises LabelFileError: unreadable, or a line that nobody takes in (names it)
    """
    try:
        with path.open("rb") as file:
            number = 0
            while raw := file.readline(LONGEST_LINE):
                number += 1
                text = ""
                with problems:
                    text = _decoded(raw, path, number)
                yield number, text
                while len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
                    raw = file.readline(LONGEST_LINE)
    except OSError as error:
        raise LabelFileError(f"cannot be read ({error.strerror})", path) from error


def _decoded(raw: bytes, path: Path, number: int) -> str:
    if len(raw) == LONGEST_LINE:
        raise LabelFileError(f"is longer than {LONGEST_LINE} bytes, which no label is", path, number)
    try:
        return raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise LabelFileError("is not UTF-8 text", path, number) from error


def number(text: str) -> float | None:
    """A plain decimal number that can be a pixel coordinate, else ``None`` (so for nan, inf, 1_000)."""
    if _NUMBER.fullmatch(text) is None:
        return None
    value = float(text)
    return value if abs(value) <= FARTHEST else None


def coordinate(value: object) -> float | None:
    """A number of a JSON or HDF5 file as a pixel coordinate, else ``None`` (so for NaN, infinities, true)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if -FARTHEST <= value <= FARTHEST else None


def escape_reason(name: str) -> str | None:
    """Why a relative path is refused: it is empty, absolute, or leads out of its folder."""
    if "\x00" in name or not name.strip("/."):
        return "is no file name"
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        return "is an absolute path; a path within the image folder is wanted"
    if ".." in re.split(r"[\\/]", name):
        return "leads out of the image folder"
    return None


def checked_name(name: object, path: Path, where: int | str) -> str:
    """An image's name from a label file.

    :param where: the line, or the place in the file
    :raises LabelFileError: it is none, or may lead out of the image folder
    """
    if not isinstance(name, str):
        raise refusal(f"the image's name {str(name)[:80]!r} is no text", path, where)
    reason = escape_reason(name)
    if reason is not None:
        raise refusal(f"the image's name {name[:80]!r} {reason}", path, where)
    return name


def refusal(reason: str, path: Path, where: int | str) -> LabelFileError:
    """An error at a line (a number) or at a place in a structured file (a text)."""
    if isinstance(where, int):
        return LabelFileError(reason, path, where)
    return LabelFileError(f"{where}: {reason}", path)


def place(name: str, where: int | str) -> str:
    """The same place in words, for the list of what cannot be used."""
    return f"{name}, line {where}" if isinstance(where, int) else f"{name}, {where}"


def leads_out(path: Path, folder: Path) -> bool:
    """Whether a file in a folder is a link to somewhere outside of it."""
    try:
        return not path.resolve().is_relative_to(folder.resolve())
    except OSError:  # a ring of links
        return True


def label_files(source: Path, suffix: str, what: str) -> Iterator[Path | Unmatched]:
    """The file itself, or every one of that suffix in a folder and below, in natural order; no link out is followed.

    :raises LabelFileError: there is none
    """
    if source.is_file():
        yield source
        return
    if not source.is_dir():
        raise LabelFileError("does not exist", source)
    found = [
        os.path.relpath(os.path.join(folder, name), source)  # noqa: PTH118 - a Path for each of 100,000 is slow
        for folder, _, names in os.walk(source)
        for name in names
        if name.lower().endswith(suffix) and not name.startswith(".") and name not in (NAMES_FILE, STATES_FILE)
    ]
    if not found:
        raise LabelFileError(f"holds no {what}", source)
    for name in sorted(found, key=lambda name: natural_key(name.replace(os.sep, "/"))):
        path = source / name
        if path.is_symlink() and leads_out(path, source):
            yield Unmatched(name, "is a link that leads out of the folder")
        else:
            yield path


def by_image(faces: Iterable[LabelledFace]) -> Iterator[tuple[str, list[LabelledFace]]]:
    """Faces that follow each other image by image, grouped."""
    group: list[LabelledFace] = []
    for face in faces:
        if group and face.image != group[0].image:
            yield group[0].image, group
            group = []
        group.append(face)
    if group:
        yield group[0].image, group


class ImageFinder:
    """Finds the image that a label file means, by path, then by the end of the path where that is unique.

    The tables of names are made when the first image is not found by its path: most files need none of them.
    """

    def __init__(self, images: Sequence[str], is_plain: bool = False):
        self._images = frozenset(images)
        self._is_plain = is_plain

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        return _grouped(self._images, stem_of)

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        return _grouped(self._images, lambda image: image.rpartition("/")[2])

    @cached_property
    def _by_stem_name(self) -> dict[str, list[str]]:
        return _grouped(self._images, lambda image: stem_of(image).rpartition("/")[2])

    def by_path(self, name: str) -> tuple[str | None, str]:
        """(image, "") of a path with suffix, or (None, reason)."""
        if name in self._images:
            return name, ""
        name = name.replace("\\", "/")
        if name in self._images:
            return name, ""
        found = self._by_name.get(name.rpartition("/")[2])
        if found is None and not name.isascii():
            return self._composed(name, ImageFinder.by_path)
        return _only(_closest(name, found or []))

    def by_stem(self, stem: str) -> tuple[str | None, str]:
        """(image, "") of a path without suffix, or (None, reason)."""
        found = self._by_stem.get(stem)
        if found:
            return _only(found)
        candidates = self._by_stem_name.get(PurePosixPath(stem).name)
        if candidates is None and not stem.isascii():
            return self._composed(stem, ImageFinder.by_stem)
        return _only(_closest(stem, candidates or [], stem_of))

    def _composed(
        self, name: str, find: Callable[[ImageFinder, str], tuple[str | None, str]]
    ) -> tuple[str | None, str]:
        """Look for a name in the other way to write its letters: a Mac may store é as e and an accent."""
        name = unicodedata.normalize("NFC", name)
        if self._plain is None:
            return _only([])
        image, reason = find(self._plain[0], name)
        return _only(self._plain[1][image]) if image is not None else (None, reason)

    @cached_property
    def _plain(self) -> tuple[ImageFinder, dict[str, list[str]]] | None:
        """A finder of the names with their letters composed, and the images by those names; not of itself once more."""
        if self._is_plain:
            return None
        names = _grouped(self._images, lambda image: unicodedata.normalize("NFC", image))
        return ImageFinder(tuple(names), is_plain=True), names


def _closest(name: str, candidates: Sequence[str], key: Callable[[str], str] = str) -> Sequence[str]:
    """Of images of the same name, those whose folders agree with the wanted ones for longest, from the end."""
    if len(candidates) < 2:
        return candidates
    wanted = name.split("/")[::-1]

    def shared(candidate: str) -> int:
        parts = key(candidate).split("/")[::-1]
        return next((k for k, (a, b) in enumerate(zip(wanted, parts, strict=False)) if a != b), len(wanted))

    best = max(map(shared, candidates))
    return [candidate for candidate in candidates if shared(candidate) == best]


def _grouped(images: Iterable[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for image in images:
        groups[key(image)].append(image)
    return groups


def _only(found: Sequence[str]) -> tuple[str | None, str]:
    if len(found) == 1:
        return found[0], ""
    return None, "there is no image of that name" if not found else f"{len(found)} images have that name"
