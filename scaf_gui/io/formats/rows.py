"""Rows of CSV files, one at a time, with their lines."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats.files import read_lines


def csv_writer(file: TextIO) -> Any:
    """Commas, LF, quotes only where they are needed."""
    return csv.writer(file, lineterminator="\n")


def csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(1-based line, fields) of each row that is not empty; names may hold line breaks in quotes.

    :raises LabelFileError: unreadable, not UTF-8, or quotes are not closed (names the line)
    """
    reader = csv.reader((text + "\n" for _, text in read_lines(path)), strict=True)
    try:
        for row in reader:
            if row and any(field.strip() for field in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise LabelFileError(f"is not CSV ({error})", path, reader.line_num) from error
