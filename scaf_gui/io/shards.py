"""Sources of unlabelled images: folders and ``.tar`` shards, read one image after the other."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scaf_gui.errors import FolderError, InputError
from scaf_gui.io.folder import natural_key
from scaf_gui.io.images import IMAGE_SUFFIXES


@dataclass(frozen=True)
class Shard:
    """A folder (with all below it) or a ``.tar`` file of images."""

    path: Path

    def __post_init__(self) -> None:
        if not self.path.exists():
            raise FolderError("does not exist; name folders or .tar shards of faces", self.path)
        if not self.path.is_dir() and not _is_tar(self.path):
            raise InputError("is neither a folder nor an uncompressed .tar file", self.path)

    def fingerprint(self) -> str:
        """Changes where the shard was replaced; of a folder, where something was added to its top."""
        status = self.path.stat()
        size = 0 if self.path.is_dir() else status.st_size
        return f"{self.path.resolve()}:{size}:{status.st_mtime_ns}"

    def images(self) -> Iterator[tuple[str, bytes]]:
        """Name and bytes of each image, in a fixed order. At no time are all of them, or all names, in memory.

        :raises InputError: the shard is truncated, or a file cannot be read
        """
        return self._of_tar() if self.path.is_file() else self._of_folder(self.path)

    def _of_tar(self) -> Iterator[tuple[str, bytes]]:
        try:
            with tarfile.open(self.path, "r:") as archive:
                while (member := archive.next()) is not None:
                    # The archive would remember every member that it has passed.
                    archive.members = []  # type: ignore[attr-defined]
                    stream = archive.extractfile(member) if member.isfile() and _is_image(member.name) else None
                    if stream is not None:
                        yield f"{self.path}/{member.name}", stream.read()
        except (tarfile.TarError, OSError) as error:
            raise InputError(f"is damaged or truncated ({error}); the images before were used", self.path) from error

    def _of_folder(self, folder: Path) -> Iterator[tuple[str, bytes]]:
        """Files of a folder, then its sub-folders; one folder's names are in memory at a time."""
        try:
            with os.scandir(folder) as entries:
                found = sorted(((e.name, e.is_dir()) for e in entries if not e.name.startswith(".")), key=_natural)
        except OSError as error:
            raise InputError(f"cannot be read ({error.strerror})", folder) from error
        for name, is_folder in found:
            if not is_folder and _is_image(name):
                try:
                    data = (folder / name).read_bytes()
                except OSError:
                    data = b""  # counted as broken by whoever decodes it
                yield str(folder / name), data
        for name, is_folder in found:
            if is_folder and not name.endswith(".scaf-data"):
                yield from self._of_folder(folder / name)


def open_shards(paths: list[Path]) -> tuple[Shard, ...]:
    """:raises InputError: one of them is no folder and no ``.tar`` file"""
    return tuple(Shard(Path(path)) for path in paths)


def _natural(entry: tuple[str, bool]) -> tuple[object, ...]:
    return natural_key(entry[0])


def _is_image(name: str) -> bool:
    base = os.path.basename(name)  # noqa: PTH119 - called for millions of members
    return os.path.splitext(base)[1].lower() in IMAGE_SUFFIXES and not base.startswith(".")  # noqa: PTH122


def _is_tar(path: Path) -> bool:
    try:
        with tarfile.open(path, "r:"):
            return True
    except (tarfile.TarError, OSError):
        return False
