"""Write folders of rendered faces, and of their true landmarks."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from scaf_gui.errors import FolderError
from scaf_gui.replace import rename_to, replace_by
from scaf_gui.samples.render import render_face

_Stamp = dict[str, str | int]

_STAMP = ".sample.json"
_VERSION = 1  # of the renderer: raise it when the faces of given seeds change
_STALE_SECONDS = 3600.0


def write_sample_folder(folder: Path, count: int = 24, first_seed: int = 1000, size: int = 512) -> list[Path]:
    """Write `count` rendered faces as face_0001.jpg ... and return their paths.

    A folder that already holds them is reused, missing pictures are added. Raises `FolderError` where
    the folder holds something else; nothing of it is touched.
    """

    def write(path: Path, index: int) -> None:
        image = render_face(first_seed + index, size).image
        done, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95])
        if not done:
            raise FolderError("the sample's pictures could not be encoded", path)
        data.tofile(path)

    stamp: _Stamp = {"what": "images", "first_seed": first_seed, "size": size, "version": _VERSION}
    return _fill(folder, [f"{_stem(k)}.jpg" for k in range(count)], stamp, write)


def write_truth_folder(
    folder: Path,
    count: int = 24,
    first_seed: int = 1000,
    size: int = 512,
    num_landmarks: Literal[68, 98] = 68,
) -> list[Path]:
    """Write the true landmarks of the same faces as face_0001.pts ... and return their paths.

    The files follow 300-W's `.pts` format (1-based); `num_landmarks` picks 300-W's 68 points or
    WFLW's 98. Reuse and errors as in `write_sample_folder`.
    """

    def write(path: Path, index: int) -> None:
        face = render_face(first_seed + index, size)
        landmarks = face.landmarks_68 if num_landmarks == 68 else face.landmarks_98
        path.write_bytes(_pts_text(landmarks).encode("ascii"))

    stamp: _Stamp = {
        "what": f"landmarks-{num_landmarks}",
        "first_seed": first_seed,
        "size": size,
        "version": _VERSION,
    }
    return _fill(folder, [f"{_stem(k)}.pts" for k in range(count)], stamp, write)


def _stem(index: int) -> str:
    return f"face_{index + 1:04d}"


def _pts_text(landmarks: NDArray[np.float64]) -> str:
    """A `.pts` file of 0-based landmarks (n, 2)."""
    lines = [f"{x + 1:.6f} {y + 1:.6f}" for x, y in landmarks]
    return "\n".join(["version: 1", f"n_points:  {len(landmarks)}", "{", *lines, "}"])


def _fill(
    folder: Path,
    names: list[str],
    stamp: _Stamp,
    write: Callable[[Path, int], None],
) -> list[Path]:
    """Make the folder hold the named files, each whole or absent at any moment."""
    paths = [folder / name for name in names]
    if not folder.exists():
        _write_beside(folder, names, stamp, write)
    elif not folder.is_dir():
        raise FolderError("is a file; the sample needs a folder: choose another name", folder)
    _check_stamp(folder, stamp)
    for index, path in enumerate(paths):
        if not path.exists() or path.stat().st_size == 0:
            beside = path.with_name(f".{path.name}.{os.getpid()}")
            write(beside, index)
            replace_by(beside, path)
    return paths


def _write_beside(
    folder: Path,
    names: list[str],
    stamp: _Stamp,
    write: Callable[[Path, int], None],
) -> None:
    """Write a new folder under another name, then rename it: no half-written folder is ever seen."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{folder.name}.partial-"
    for left in folder.parent.glob(f"{_escape(prefix)}*"):
        if time.time() - left.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    beside = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
    try:
        for index, name in enumerate(names):
            write(beside / name, index)
        (beside / _STAMP).write_text(json.dumps(stamp), encoding="utf-8")
        # mkdtemp makes folders private; a sample is an ordinary folder.
        beside.chmod(0o755)
        rename_to(beside, folder)
    except OSError:
        # Another process may have finished the same folder first; `_check_stamp` judges it.
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _escape(text: str) -> str:
    """Quote the characters that mean something in a glob pattern."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in text)


def _check_stamp(folder: Path, stamp: _Stamp) -> None:
    """Raise where an existing folder was not written for these faces."""
    path = folder / _STAMP
    if not path.exists() and not any(folder.iterdir()):
        path.write_text(json.dumps(stamp), encoding="utf-8")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if found != stamp:
        raise FolderError("holds other files than this sample; choose another folder or remove it", folder)
