"""The CSV file of results: a row for each finished cell on each test set; appended under a lock, never rewritten."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from scaf_gui.errors import InputError, LabelFileError
from scaf_gui.io.files import locked

#: what tells a row from every other
SETTINGS = (
    "pool", "pool_faces", "scheme", "boxes", "preset", "preset_hash", "skips", "schedule", "base", "max_seconds",
    "acquisition", "first", "add", "sample", "labels", "seed", "test",
)  # fmt: skip
#: what was measured. ``met_*``: drags per face that the faces labelled since the round before needed when they came
#: up; ``total_*``: drags to label all faces so far; ``*_updated``: the same where every labelled face corrects the
#: next pre-fills at once
FIGURES = (
    "faces", "found", "nme", "failure_8", "failure_10", "auc_8", "auc_10", "drags_3", "drags_5",
    "met_3", "met_5", "total_3", "total_5", "met_3_updated", "met_5_updated", "total_3_updated", "total_5_updated",
)  # fmt: skip
CIRCUMSTANCES = ("steps", "train_seconds", "device", "threads", "version", "torch", "model", "finished")
COLUMNS = (*SETTINGS, *FIGURES, *CIRCUMSTANCES)

Row = dict[str, str]
Key = tuple[str, ...]


def key_of(row: Mapping[str, str]) -> Key:
    return tuple(row[name] for name in SETTINGS)


class Results:
    """Rows by key; of two rows with one key the later counts. Several processes may add to one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows: dict[Key, Row] = {}
        self._size = -1
        self.refresh()

    @property
    def rows(self) -> tuple[Row, ...]:
        return tuple(self._rows.values())

    def __contains__(self, settings: object) -> bool:
        return isinstance(settings, dict) and key_of(settings) in self._rows

    def refresh(self) -> None:
        """Read what others have added.

        :raises LabelFileError: the file is not such a file
        """
        try:
            size = self.path.stat().st_size
            if size == self._size:
                return
            data = self.path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise LabelFileError(f"cannot be read ({error.strerror})", self.path) from error
        whole = data[: data.rfind(b"\n") + 1]  # what a killed process has left of a line does not count
        reader = csv.reader(io.StringIO(whole.decode("utf-8", "replace"), newline=""))
        header = next(reader, None)
        if header is not None and tuple(header) != COLUMNS:
            raise LabelFileError(
                "is not a file of results with this version's columns; choose another --out", self.path
            )
        rows: dict[Key, Row] = {}
        for values in reader:
            if len(values) != len(COLUMNS):
                raise LabelFileError(f"has {len(values)} fields, not {len(COLUMNS)}", self.path, reader.line_num)
            row = dict(zip(COLUMNS, values, strict=True))
            rows[key_of(row)] = row
        self._rows, self._size = rows, size

    def add(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Append rows, all or none, safe on the disk when this returns.

        :raises InputError: the file cannot be written
        """
        if not rows:
            return
        with locked(self.path.with_name(f".{self.path.name}.lock"), wait=None):
            try:
                with self.path.open("ab+") as stream:
                    end = _whole(stream)
                    text = _text(rows, header=end == 0)
                    try:
                        stream.write(text)
                        stream.flush()
                        os.fsync(stream.fileno())
                    except OSError:
                        os.ftruncate(stream.fileno(), end)
                        raise
            except OSError as error:
                raise InputError(f"cannot be written ({error.strerror})", self.path) from error
        self.refresh()


def _whole(stream: io.BufferedRandom) -> int:
    """Cut off an unfinished last line; returns the size that is left."""
    stream.seek(0)
    end = stream.read().rfind(b"\n") + 1
    stream.truncate(end)
    stream.seek(end)
    return end


def _text(rows: Iterable[Mapping[str, object]], header: bool) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    if header:
        writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_shown(row.get(name, "")) for name in COLUMNS])
    return stream.getvalue().encode()


def _shown(value: object) -> object:
    return f"{value:.6g}" if isinstance(value, float) else value
