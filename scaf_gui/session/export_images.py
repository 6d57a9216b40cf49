"""The images that go with an export: copied, linked to, or cut out around each face."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np

from scaf_gui.core.arrays import ByteArray


@dataclass(frozen=True)
class Crop:
    """The square that is cut out of an image: its top-left pixel and its side."""

    image: str
    x: int
    y: int
    side: int


class ExportImages:
    """Writes images into an export; a photo with several faces is read once."""

    def __init__(self, images: Path, how: str, crops: Mapping[str, Crop]):
        self._images, self._how, self._crops = images, how, crops
        self._last: tuple[str, ByteArray] = ("", np.zeros((1, 1, 3), np.uint8))

    def __call__(self, image: str, target: Path) -> None:
        from scaf_gui.io import image_files
        from scaf_gui.io.images import read_image

        if self._how == "copy":
            image_files.copy_upright(self._images / image, target)
        elif self._how == "link":
            image_files.link(self._images / image, target)
        else:
            crop = self._crops[image]
            if self._last[0] != crop.image:
                self._last = crop.image, read_image(self._images / crop.image)
            image_files.write_crop(self._last[1], crop.x, crop.y, crop.side, target)


def crop_table(crops: Mapping[str, Crop]) -> bytes:
    """Where each crop lies in its image: add x and y to come back."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("crop", "image", "x", "y", "side"))
    writer.writerows((name, crop.image, crop.x, crop.y, crop.side) for name, crop in crops.items())
    return text.getvalue().encode("utf-8", "backslashreplace")
