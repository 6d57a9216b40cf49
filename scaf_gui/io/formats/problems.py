"""What of label files cannot be read: kept in words, entry by entry, while reading goes on behind each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from scaf_gui.errors import LabelFileError

if TYPE_CHECKING:
    from scaf_gui.io.formats.base import LabelledFace, Unmatched

#: so many problems are kept in words, the rest is counted
LISTED = 1000
#: so many entries may all be broken in a file that is of the format nevertheless
_FEW = 10


class Problems:
    """Around the reading of one entry (a file, a line, a face): an entry that cannot be read is noted and left behind.

    ::

        for line, text in lines:
            with problems:
                yield parsed(line, text)  # a LabelFileError ends this entry, not the loop

    ``count``: how many there were; ``listed``: (file or file and line, what is wrong) of the first of them; ``first``
    as it was raised.

    :param source: the file or folder that is read: the files are named as they are seen from there
    """

    def __init__(self, source: Path):
        self._folder = source if source.is_dir() else source.parent
        self.count = 0
        self.listed: list[tuple[str, str]] = []
        self.first: LabelFileError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> bool | None:
        if not isinstance(error, LabelFileError):
            return None
        self.first = self.first or error
        self.count += 1
        if self.count <= LISTED:
            self.listed.append((self._place(error), error.reason))
        return True

    def fold(self, start: int) -> None:
        """Make one problem of all since ``start``, a former count: of a file or folder of which nothing can be read.

        Of a few it makes none: they may be broken in ways of their own.
        """
        folded = self.count - start
        if folded <= _FEW:
            return
        self.count = start + 1
        if start < len(self.listed):
            where, reason = self.listed[start]
            self.listed[start:] = [(where, f"{reason}; none of {folded:,} entries can be read")]

    def only(self) -> LabelFileError | None:
        """The problem as an error where it is the only one."""
        if self.first is None or self.count != 1:
            return None
        return LabelFileError(self.listed[0][1], self.first.path, self.first.line)

    def _place(self, error: LabelFileError) -> str:
        path = error.path or self._folder
        name = path.relative_to(self._folder).as_posix() if path.is_relative_to(self._folder) else str(path)
        return name if error.line is None else f"{name}, line {error.line}"


class _Strict(Problems):
    """The first problem is raised."""

    def __init__(self) -> None:
        super().__init__(Path())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> bool | None:
        return None


#: reading ends at the first problem
STRICT = _Strict()


def each_file(
    paths: Iterable[Path | Unmatched],
    read: Callable[[Path], Iterator[LabelledFace | Unmatched]],
    problems: Problems,
) -> Iterator[LabelledFace | Unmatched]:
    """What is read of label files, one after the other, past those that cannot be."""
    for path in paths:
        if not isinstance(path, Path):
            yield path
            continue
        start, readable = problems.count, False
        with problems:
            for found in read(path):
                readable = True
                yield found
        if not readable:
            problems.fold(start)
