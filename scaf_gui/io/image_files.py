"""Images that go out with labels: copied upright, linked, or cut out around a face."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import cv2
import numpy as np

from scaf_gui.core.arrays import ByteArray
from scaf_gui.errors import ImageError
from scaf_gui.io.headers import HeaderError, read_header
from scaf_gui.io.images import read_image


def copy_upright(source: Path, target: Path) -> None:
    """Copy an image byte by byte; one that EXIF turns is written turned, as many readers do not look at EXIF.

    :raises ImageError: it cannot be read, or turned in its format
    """
    try:
        with source.open("rb") as file:
            orientation = read_header(file).orientation
    except OSError as error:
        raise ImageError(f"cannot be read ({error.strerror})", source) from error
    except HeaderError as error:
        raise ImageError(str(error), source) from error
    if orientation == 1:
        shutil.copyfile(source, target)
    else:
        _write(target, read_image(source))


def link(source: Path, target: Path) -> None:
    """A symbolic link to the image.

    :raises ImageError: the system or the file system has no links
    """
    try:
        target.symlink_to(os.path.abspath(source))  # noqa: PTH100 - a link is kept as it is
    except (OSError, NotImplementedError) as error:
        raise ImageError("cannot be linked to here; copy the images instead", source) from error


def write_crop(image: ByteArray, x: int, y: int, side: int, target: Path) -> None:
    """Cut out a square whose top-left pixel is (x, y), without resampling; beyond the image its border is repeated.

    :param image: (height, width, 3) uint8 RGB
    """
    height, width = image.shape[:2]
    rows = np.clip(np.arange(y, y + side), 0, height - 1)
    columns = np.clip(np.arange(x, x + side), 0, width - 1)
    _write(target, image[rows[:, None], columns[None, :]])


def _write(target: Path, image: ByteArray) -> None:
    """By the suffix; JPEG at a quality that loses next to nothing."""
    suffix = target.suffix.lower()
    options = [cv2.IMWRITE_JPEG_QUALITY, 98] if suffix in (".jpg", ".jpeg", ".jpe", ".jfif") else []
    try:
        done, data = cv2.imencode(".jpg" if options else suffix, image[:, :, ::-1], options)
    except cv2.error as error:
        raise ImageError(f"cannot be written as {suffix}", target.name) from error
    if not done:
        raise ImageError(f"cannot be written as {suffix}", target.name)
    target.write_bytes(data.tobytes())
