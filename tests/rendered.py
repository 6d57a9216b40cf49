"""Folders of rendered faces with their true landmarks, rendered once for all processes that run the tests."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import cv2
import pytest

from scaf_gui.io.formats.pts import pts_text
from scaf_gui.samples.render import render_face


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """A temporary folder that all processes of this run have in common."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def render_folder(folder: Path, count: int, seed: int, side: int, name: str) -> Path:
    """``images/`` and ``truth/`` (68 points) of the same faces, numbered from 1; only to be read.

    :param folder: is left alone where it is there already: it is whole, as it gets its name last
    :param seed: of face 0, which is not rendered; :param name: of an image, with ``{}`` for its number
    """
    if folder.exists():
        return folder
    beside = Path(tempfile.mkdtemp(dir=folder.parent))
    _render(beside, count, seed, side, name)
    try:
        beside.rename(folder)
    except OSError:
        if not folder.exists():
            raise
        shutil.rmtree(beside)  # another process was quicker
    return folder


def _render(folder: Path, count: int, seed: int, side: int, name: str) -> None:
    (folder / "images").mkdir()
    (folder / "truth").mkdir()
    for number in range(1, count + 1):
        face = render_face(seed + number, side)
        image = folder / "images" / name.format(number)
        cv2.imwrite(str(image), cv2.cvtColor(face.image, cv2.COLOR_RGB2BGR))
        (folder / "truth" / f"{image.stem}.pts").write_text(pts_text(face.landmarks_68), encoding="ascii")
