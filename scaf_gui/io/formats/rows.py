"""Rows of CSV files, one at a time, with their lines."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats.files import read_lines
from scaf_gui.io.formats.problems import STRICT, Problems


def csv_writer(file: TextIO) -> Any:
    """Commas, LF, quotes only where they are needed."""
    return csv.writer(file, lineterminator="\n")


def csv_rows(
    path: Path, problems: Problems = STRICT, fields: int | None = None, what: str = "are wanted"
) -> Iterator[tuple[int, list[str]]]:
    """(1-based line, fields) of each row that is not empty; names may hold line breaks in quotes.

    The first row is the header. A quote that is never closed spoils the row in which it stands only: reading goes on
    with the next line.

    :param problems: takes in rows that cannot be read
    :param fields: how many a row has to have, ``None``: as many as the header; ``what`` says why
    :raises LabelFileError: unreadable, not UTF-8, quotes not closed, fields too few or many (names the line)
    """
    feed = _Feed(path, problems)
    rows = csv.reader(feed, strict=True)
    header = True
    while True:
        feed.taken.clear()
        seen, row = problems.count, []
        try:
            row = next(rows)
            reason = ""
        except StopIteration:
            return
        except csv.Error as error:
            reason = f"is not CSV ({error})"
        if not reason and not (row and any(field.strip() for field in row)):
            continue
        if not reason and not header and len(row) != fields:
            reason = f"has {len(row)} fields where {fields} {what}"
        if not reason and problems.count > seen and len(feed.taken) > 1:
            reason = "goes on over a line that cannot be read"
        line = feed.taken[0][0]
        if reason and header:
            raise LabelFileError(reason, path, line)
        if reason:
            with problems:
                raise LabelFileError(reason, path, line)
            feed.again()
            rows = csv.reader(feed, strict=True)
            continue
        if header:
            header, fields = False, len(row) if fields is None else fields
        yield line, row


class _Feed:
    """The lines of a file; those of a row that went wrong are given again, but for its first."""

    def __init__(self, path: Path, problems: Problems):
        self._lines = read_lines(path, problems)
        self._waiting = deque[tuple[int, str]]()
        self.taken: list[tuple[int, str]] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        numbered = self._waiting.popleft() if self._waiting else next(self._lines)
        self.taken.append(numbered)
        return numbered[1] + "\n"

    def again(self) -> None:
        self._waiting.extendleft(reversed(self.taken[1:]))
