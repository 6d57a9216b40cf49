"""Writing an export all at once, reading label files with care, and finding images by name."""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats.base import stem_of

#: in an export: {name in the export: image}, of names that had to change
NAMES_FILE = "names.json"
#: no picture is that large: a coordinate beyond is a mistake of the file
FARTHEST = 1e6
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def write_folder(out: Path, files: Iterable[tuple[str, bytes]], overwrite: bool) -> tuple[Path, ...]:
    """Write (relative path, content) under ``out``: into a folder beside, which is then renamed.

    Where ``out`` has content already and may be overwritten, each file replaces its namesake in one step.

    :raises LabelFileError: ``out`` cannot be written. A new folder has not appeared then; of an
        existing one, each file is either the old one or the new one, whole
    """
    out = Path(os.path.abspath(out))  # noqa: PTH100 - resolve() would follow links the user chose
    if os.path.lexists(out) and not out.is_dir():
        raise LabelFileError("is a file; choose a folder to export to", out)
    try:
        filled = out.is_dir() and any(out.iterdir())
        if filled and not overwrite:
            raise LabelFileError("is not empty; choose another folder, or allow overwriting", out)
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = out.with_name(f".export-{uuid.uuid4().hex[:12]}")
        try:
            names = _write_all(beside, files)
            if filled:
                for name in names:
                    target = out / name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    (beside / name).replace(target)
            else:
                if out.is_dir():
                    out.rmdir()
                beside.rename(out)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise LabelFileError(f"cannot be written ({error.strerror})", out) from error
    return tuple(out / name for name in names)


def _write_all(folder: Path, files: Iterable[tuple[str, bytes]]) -> list[str]:
    folder.mkdir()
    names = []
    for name, content in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        names.append(name)
    return names


def names_file(
    out: Path, renamed: Mapping[str, str], rewritten: Sequence[str] | None = None
) -> list[tuple[str, bytes]]:
    """The mapping file to go with an export, where there is anything to map.

    :param rewritten: the files that the export writes, where others of an earlier export stay in the
        folder and keep their entries; ``None``: nothing of an earlier export stays
    """
    earlier = (out / NAMES_FILE).is_file()
    kept = read_names(out) if earlier and rewritten is not None else {}
    merged = {name: image for name, image in kept.items() if name not in (rewritten or ())} | dict(renamed)
    return [(NAMES_FILE, json.dumps(merged, indent=1).encode("ascii"))] if merged or earlier else []


def read_names(folder: Path) -> dict[str, str]:
    """The mapping file of an export; empty where there is none.

    :raises LabelFileError: it is there, but broken
    """
    path = folder / NAMES_FILE
    if not path.is_file():
        return {}
    try:
        data = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise LabelFileError(f"is not JSON ({error.msg})", path, error.lineno) from error
    except RecursionError as error:
        raise LabelFileError("is not a mapping of names", path) from error
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        raise LabelFileError("is not a mapping of names", path)
    return data


def read_text(path: Path, limit: int = 512_000_000) -> str:
    """The text of a label file, UTF-8 with or without a mark.

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


def number(text: str) -> float | None:
    """A plain decimal number that can be a pixel coordinate, else ``None`` (so for nan, inf, 1_000)."""
    if _NUMBER.fullmatch(text) is None:
        return None
    value = float(text)
    return value if abs(value) <= FARTHEST else None


def escape_reason(name: str) -> str | None:
    """Why a relative path is refused: it is empty, absolute, or leads out of its folder."""
    if "\x00" in name or not name.strip("/."):
        return "is no file name"
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:[\\/]", name):
        return "is an absolute path; a path within the image folder is wanted"
    if ".." in re.split(r"[\\/]", name):
        return "leads out of the image folder"
    return None


class ImageFinder:
    """Finds the image that a label file means, by path, then by name alone where that is unique."""

    def __init__(self, images: Sequence[str]):
        self._images = frozenset(images)
        self._by_stem = _grouped(images, stem_of)
        self._by_name = _grouped(images, lambda image: PurePosixPath(image).name)
        self._by_stem_name = _grouped(images, lambda image: PurePosixPath(stem_of(image)).name)

    def by_path(self, name: str) -> tuple[str | None, str]:
        """(image, "") of a path with suffix, or (None, reason)."""
        for form in (name, name.replace("\\", "/")):
            if form in self._images:
                return form, ""
        return _only(self._by_name.get(PurePosixPath(name.replace("\\", "/")).name, []))

    def by_stem(self, stem: str) -> tuple[str | None, str]:
        """(image, "") of a path without suffix, or (None, reason)."""
        found = self._by_stem.get(stem)
        return _only(found if found else self._by_stem_name.get(PurePosixPath(stem).name, []))


def _grouped(images: Sequence[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for image in images:
        groups[key(image)].append(image)
    return groups


def _only(found: Sequence[str]) -> tuple[str | None, str]:
    if len(found) == 1:
        return found[0], ""
    return None, "there is no image of that name" if not found else f"{len(found)} images have that name"
