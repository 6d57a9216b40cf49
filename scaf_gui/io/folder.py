"""Listing the images of a folder, by name alone: no file is opened."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from scaf_gui.errors import FolderError
from scaf_gui.io.images import IMAGE_SUFFIXES

_PROJECT_DATA = ".scaf-data"  # paths.project_companions
_DIGITS = re.compile(r"([0-9]+)")


def scan_images(folder: Path | str, recursive: bool = True) -> tuple[str, ...]:
    """Images under a folder as relative paths with forward slashes, in natural order (2 before 10).

    Hidden files and folders are left out, and so are sub-folders that may not be read, projects'
    own folders and folders met before (links that lead back up).

    :raises FolderError: the folder is missing, unreadable or holds no image
    """
    folder = Path(folder)
    try:
        names = list(_walk(folder, "", recursive, set(), top=True))
    except FileNotFoundError as error:
        raise FolderError("does not exist (any more)", folder) from error
    except NotADirectoryError as error:
        raise FolderError("is not a folder", folder) from error
    except OSError as error:
        raise FolderError(f"cannot be read ({error.strerror})", folder) from error
    if not names:
        raise FolderError("holds no images (JPEG, PNG, WebP, TIFF, BMP, GIF or PNM)", folder)
    return tuple(sorted(names, key=natural_key))


def natural_key(path: str) -> tuple[object, ...]:
    """Sort key of a relative path: folder by folder, numbers by value, letters regardless of case."""
    parts = tuple(
        tuple(int(piece) if place % 2 else piece.casefold() for place, piece in enumerate(_DIGITS.split(part)))
        for part in path.split("/")
    )
    return parts, path


def _walk(folder: Path, prefix: str, recursive: bool, seen: set[tuple[int, int]], top: bool = False) -> Iterator[str]:
    try:
        status = folder.stat()
        entries = list(os.scandir(folder))
    except OSError:
        if top:
            raise
        return
    if (status.st_dev, status.st_ino) in seen:
        return
    seen.add((status.st_dev, status.st_ino))
    for entry in entries:
        name = entry.name
        suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - a Path for each of 10,000 files is slow
        if name.startswith(".") or _is_hidden(entry):
            continue
        if suffix in IMAGE_SUFFIXES and entry.is_file():
            yield prefix + name
        elif recursive and not name.endswith(_PROJECT_DATA) and entry.is_dir():
            yield from _walk(folder / name, f"{prefix}{name}/", recursive, seen)


def _is_hidden(entry: os.DirEntry[str]) -> bool:
    """Windows marks hidden files by an attribute."""
    if os.name != "nt":
        return False
    attributes = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0)
    return bool(attributes & stat.FILE_ATTRIBUTE_HIDDEN)
