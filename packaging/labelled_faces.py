"""Labelled faces of a folder as examples: 300-W's layout, each with the crop by its true landmarks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from scaf_gui.core.arrays import ByteArray, FloatArray
from scaf_gui.core.geometry import crop_square, landmark_box
from scaf_gui.core.scheme import Scheme
from scaf_gui.io import images
from scaf_gui.io.formats.pts import read_pts
from scaf_gui.learning.examples import Example


def read_image(name: str) -> ByteArray:
    """(H, W, 3) uint8 RGB, upright, by the name that an example gives."""
    return images.read_image(Path(name))


def example(image: str, points: FloatArray, scheme: Scheme) -> Example:
    """A face with its true box: the tight box of the true landmarks (num_landmarks, 2), image pixels."""
    square = crop_square(landmark_box(points, scheme.face_box))
    return Example(image, square, points, np.ones(len(points), bool))


def labelled_faces(folder: Path, scheme: Scheme) -> list[Example]:
    """Every face of a folder of ``.pts`` files with their images beside them, true boxes."""
    found = []
    for label in sorted(folder.glob("*.pts")):
        image = next(p for p in (label.with_suffix(s) for s in (".jpg", ".png")) if p.exists())
        found.append(example(str(image), read_pts(label, scheme.num_landmarks), scheme))
    if not found:
        raise SystemExit(f"{folder}: no .pts files")
    return found
