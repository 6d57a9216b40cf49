"""Folders of rendered faces with their true landmarks."""

from __future__ import annotations

from pathlib import Path

import cv2

from scaf_gui.io.formats.pts import pts_text
from scaf_gui.samples.render import render_face


def render_folder(folder: Path, count: int, seed: int, side: int, name: str) -> Path:
    """``images/`` and ``truth/`` (68 points) of the same faces, numbered from 1.

    :param seed: of face 0, which is not rendered; :param name: of an image, with ``{}`` for its number
    """
    (folder / "images").mkdir()
    (folder / "truth").mkdir()
    for number in range(1, count + 1):
        face = render_face(seed + number, side)
        image = folder / "images" / name.format(number)
        cv2.imwrite(str(image), cv2.cvtColor(face.image, cv2.COLOR_RGB2BGR))
        (folder / "truth" / f"{image.stem}.pts").write_text(pts_text(face.landmarks_68), encoding="ascii")
    return folder
