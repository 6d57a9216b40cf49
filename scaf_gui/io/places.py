"""Where a project's images are, as its file remembers it: the folder, and the content of each image."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

from scaf_gui.io import rows


def folder_values(path: Path, folder: Path) -> dict[str, str]:
    """Both ways from a project file to its image folder, as JSON: names that are not UTF-8 come through."""
    absolute = os.path.abspath(folder)  # noqa: PTH100
    try:
        relative = Path(os.path.relpath(absolute, path.parent)).as_posix()
    except ValueError:  # another drive
        relative = None
    values = {"image_folder": absolute, "image_folder_relative": relative, "path": str(path)}
    return {key: json.dumps(value) for key, value in values.items()}


def remember(connection: sqlite3.Connection, values: Mapping[str, str]) -> None:
    """Write down what :func:`folder_values` made, within the caller's transaction."""
    connection.executemany("INSERT OR REPLACE INTO project VALUES (?, ?)", list(values.items()))


def find_folder(path: Path, value: Callable[[str], str]) -> Path:
    """The folder at its old place, unless project and folder were moved or copied together.

    :param value: gives what :func:`folder_values` made, by its key
    """
    absolute = Path(json.loads(value("image_folder")))
    relative = json.loads(value("image_folder_relative"))
    was_at = json.loads(value("path"))
    if relative is not None and (str(path) != was_at or not absolute.is_dir()):
        together = Path(os.path.normpath(path.parent / relative))
        if together.is_dir():
            return together
    return absolute


def move_stamps(connection: sqlite3.Connection, moved: Mapping[str, str]) -> None:
    """Let what is known of images' content go with them, within the caller's transaction.

    All are taken up before any is put down: the new name of one may be the old name of another.

    :param moved: {old: new} relative path
    """
    ask = "SELECT hash, size, mtime FROM image WHERE name = ?"
    stamps = {new: connection.execute(ask, (rows.text_in(old),)).fetchone() for old, new in moved.items()}
    connection.executemany("DELETE FROM image WHERE name = ?", [(rows.text_in(name),) for name in {*moved, *stamps}])
    values = [(rows.text_in(name), *stamp) for name, stamp in stamps.items() if stamp is not None]
    connection.executemany("INSERT INTO image VALUES (?, ?, ?, ?)", values)
