"""A file for HDF5 whose writes never fail while the library works, but are told of afterwards.

The HDF5 library does not survive a disk that fills up: objects that it cannot write stay open, and the process dies
of a segmentation fault when they are let go (HDF5 1.14 and 2.0). It is therefore given this file object: the first
write that fails is kept in :attr:`SteadyFile.error`, and what follows is dropped. Whoever uses it asks afterwards.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_FAILURES = (OSError, RuntimeError, KeyError, ValueError, TypeError)


class SteadyFile:
    """Bytes by place, as ``h5py.File(this, driver="fileobj")`` wants them; a context manager that closes it.

    :param mode: "r+b" or "w+b"
    :raises OSError: it cannot be opened
    """

    def __init__(self, path: Path, mode: str):
        self._file: io.FileIO = io.FileIO(path, mode)
        self.error: OSError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        try:
            self._file.close()
        except OSError as error:  # some network drives tell only now that they are full
            self.error = self.error or error

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; zeros stand for what was dropped or lies behind the end."""
        view = memoryview(buffer).cast("B")
        done = 0
        while done < len(view):
            count = self._file.readinto(view[done:])
            if not count:
                break
            done += count
        view[done:] = bytes(len(view) - done)
        return len(view)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        done = 0
        try:
            while self.error is None and done < len(view):
                done += self._file.write(view[done:])
        except OSError as error:
            self.error = error
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        try:
            if self.error is None:
                self._file.truncate(size)
        except OSError as error:
            self.error = error
        return size if size is not None else self._file.tell()

    def flush(self) -> None:
        pass


@contextmanager
def new_hdf5(path: Path, **options: Any) -> Iterator[tuple[Any, SteadyFile]]:
    """A new HDF5 file to be filled, and the file beneath it, whose ``error`` may be looked at meanwhile.

    :raises OSError: it could not be written, whatever the library made of that
    """
    import h5py

    with SteadyFile(path, "w+b") as beneath:
        try:
            with h5py.File(beneath, "w", driver="fileobj", **options) as file:
                yield file, beneath
        except _FAILURES as error:
            if beneath.error is not None:
                raise beneath.error from error
            raise
    if beneath.error is not None:
        raise beneath.error
