"""Which format a label file is in, told from its name and its beginning, so that nobody has to know what theirs is."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path

from scaf_gui.io.formats import formats
from scaf_gui.io.formats.files import NAMES_FILE, STATES_FILE

#: so much of a file is looked at, bytes
_HEAD = 65_536
#: so many names of a folder are looked at
_NAMES = 5_000
#: so many files of a suffix are opened: one may be a read-me, or empty
_FILES = 3
_SUFFIXES = {".pts": "300w", ".h5": "hdf5", ".hdf5": "hdf5"}
#: suffix -> (what stands near the beginning, format), the first that is found counts
_SIGNS = {
    ".json": ((rb'"(shapes|imageData)"\s*:', "labelme"), (rb'"(images|annotations|categories)"\s*:', "coco")),
    ".xml": ((rb"<dataset[\s>]", "dlib"), (rb"<annotations[\s>]", "cvat")),
    ".csv": ((rb'\A(\xef\xbb\xbf)?"?image_name"?,"?scale"?,', "hrnet"), (rb"\A(\xef\xbb\xbf)?\"?image\"?,", "csv")),
    ".txt": ((rb"\A(\xef\xbb\xbf)?(\s*\S+){197}", "wflw"),),
}


def recognise(source: Path, expected: str = "") -> str | None:
    """The id of the format that a label file, or the label files of a folder, are in; ``None`` where that is not clear.

    :param expected: of several kinds of files in a folder, those of this format are looked at first
    """
    try:
        if not source.is_dir():
            return _of_file(source) if source.is_file() else None
        names = list(islice(_names(source), _NAMES))
        wanted = formats()[expected].patterns if expected in formats() else ()
        ordered = sorted(names, key=lambda path: not any(fnmatch(path.name, pattern) for pattern in wanted))
        tried = Counter[str]()
        for path in ordered:
            suffix = path.suffix.lower()
            if tried[suffix] < _FILES and (suffix in _SUFFIXES or suffix in _SIGNS):
                tried[suffix] += 1
                if found := _of_file(path):
                    return found
    except OSError:
        return None  # reading it will say what is wrong
    return None


def _names(folder: Path) -> Iterator[Path]:
    """Files of the folder and below that may hold labels, in order of their names."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if not name.startswith(".") and name not in (NAMES_FILE, STATES_FILE):
                yield Path(place) / name


def _of_file(path: Path) -> str | None:
    suffix = path.suffix.lower()
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    if suffix not in _SIGNS:
        return None
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return next((format_id for sign, format_id in _SIGNS[suffix] if re.search(sign, head)), None)
