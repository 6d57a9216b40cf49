"""Disks that are full or read-only, for tests: real ones where the machine allows it, else a limit of the system's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """No file may grow beyond so many bytes: writing fails with EFBIG, as on a disk without room."""
    resource = pytest.importorskip("resource", reason="this system has no limit for files")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A file system of ``size`` bytes at ``folder``; left out where it may not be mounted."""
    folder.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def make_read_only(folder: Path) -> None:
    """Of a :func:`small_disk`: from now on nothing can be written on it."""
    _mount("-o", "remount,ro", str(folder))


def _mount(*words: str) -> None:
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only an administrator of Linux may mount a disk")
    done = subprocess.run(["mount", *words], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("no disk may be mounted here")
