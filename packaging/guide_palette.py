"""A picture in few colours, chosen for it: a fifth of the bytes, and hardly another look."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

COLOURS = 128


def reduced(rgb: object) -> QImage:
    """A picture, (height, width, 3) uint8 RGB, in a palette of its own."""
    import cv2
    import numpy as np
    from PySide6.QtGui import QImage, qRgb

    pixels = np.asarray(rgb, dtype=np.uint8)
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(np.float32)
    random = np.random.default_rng(0)
    distinct = np.unique(lab, axis=0)  # thin lines count, however few their pixels
    some = np.concatenate(
        [lab[random.integers(0, len(lab), 20_000)], distinct[random.integers(0, len(distinct), 6_000)]]
    )
    cv2.setRNGSeed(0)
    end = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 0.5)
    _, _, centres = cv2.kmeans(some, COLOURS, None, end, 1, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    table = cv2.cvtColor(centres.round().astype(np.uint8)[None], cv2.COLOR_LAB2RGB)[0]
    parts = np.array_split(lab, len(lab) // 8_000 + 1)
    nearest = [((part[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1) for part in parts]
    index = np.concatenate(nearest).astype(np.uint8)
    height, width = pixels.shape[:2]
    rows = np.zeros((height, (width + 3) // 4 * 4), np.uint8)
    rows[:, :width] = index.reshape(height, width)
    image = QImage(rows.tobytes(), width, height, rows.shape[1], QImage.Format.Format_Indexed8)
    image.setColorTable([qRgb(*(int(v) for v in colour)) for colour in table])
    return image.copy()
