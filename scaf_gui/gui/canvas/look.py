"""How a photo is shown: brightness, contrast, gamma, local contrast, gray. Only what is painted is changed. No Qt.

The photo itself is never written to: the model and every label see it as it is in the file.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from scaf_gui.core.arrays import ByteArray

#: of the adaptive histogram equalisation (CLAHE): tiles per side, and how steep a tile's curve may get
TILES, CLIP = 8, 4.0
#: (lowest, highest, neutral) by field, for those that are numbers
RANGES: dict[str, tuple[float, float, float]] = {
    "brightness": (-1.0, 1.0, 0.0),
    "contrast": (-1.0, 1.0, 0.0),
    "gamma": (0.25, 4.0, 1.0),
    "local": (0.0, 1.0, 0.0),
}


@dataclass(frozen=True)
class Look:
    """What is done to each pixel on its way to the screen.

    With every channel value ``v`` in 0 to 1::

        v' = clip(0.5 + 4 ** contrast * (v ** (1 / gamma) - 0.5) + brightness / 2, 0, 1)

    Before that the luminance Y (of YCrCb) becomes ``(1 - local) Y + local CLAHE(Y)``, and where ``gray`` is set,
    all three channels become Y. CLAHE: contrast limited adaptive histogram equalisation (Zuiderveld 1994),
    :data:`TILES` x :data:`TILES` tiles, clip limit :data:`CLIP`.
    """

    brightness: float = 0.0
    contrast: float = 0.0
    gamma: float = 1.0
    local: float = 0.0
    gray: bool = False

    @property
    def is_neutral(self) -> bool:
        """Whether the photo is shown as it is."""
        return self == Look()

    def curve(self) -> ByteArray:
        """(256,) uint8: what becomes of each value."""
        return _curve(self.brightness, self.contrast, self.gamma)

    def applied(self, rgb: ByteArray, light: ByteArray | None = None) -> ByteArray:
        """The pixels as they are shown; ``rgb`` itself is not written to.

        :param rgb: (rows, columns, 3) uint8
        :param light: (rows, columns) uint8, the luminance after :func:`local_light`; needed where ``local`` is set
        """
        shown = rgb
        if light is not None and self.local > 0:
            tones = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb))
            even = np.asarray(cv2.addWeighted(cv2.extractChannel(tones, 0), 1 - self.local, light, self.local, 0.0))
            if self.gray:
                shown = np.asarray(cv2.cvtColor(even, cv2.COLOR_GRAY2RGB), dtype=np.uint8)
            else:
                cv2.insertChannel(even, tones, 0)
                shown = np.asarray(cv2.cvtColor(tones, cv2.COLOR_YCrCb2RGB), dtype=np.uint8)
        elif self.gray:
            shown = np.asarray(cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), dtype=np.uint8)
        if (self.brightness, self.contrast, self.gamma) == (0.0, 0.0, 1.0):
            return shown
        return np.asarray(cv2.LUT(shown, self.curve()), dtype=np.uint8)

    def to_json(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @staticmethod
    def from_json(value: Any) -> Look:
        """What was kept; the neutral one for whatever is not understood."""
        if not isinstance(value, dict):
            return Look()
        known: dict[str, float] = {}
        for name, (low, high, neutral) in RANGES.items():
            number = value.get(name, neutral)
            fits = isinstance(number, int | float) and not isinstance(number, bool) and low <= number <= high
            known[name] = float(number) if fits else neutral
        return Look(**known, gray=value.get("gray") is True)


@lru_cache(maxsize=8)
def _curve(brightness: float, contrast: float, gamma: float) -> ByteArray:
    values = np.arange(256) / 255
    shown = 0.5 + 4.0**contrast * (values ** (1 / gamma) - 0.5) + brightness / 2
    curve: ByteArray = np.rint(255 * np.clip(shown, 0, 1)).astype(np.uint8)
    curve.setflags(write=False)
    return curve


def local_light(image: ByteArray) -> ByteArray:
    """The luminance with its contrast made even from place to place.

    :param image: (rows, columns, 3) uint8 RGB
    :returns: (rows, columns) uint8
    """
    light = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)  # the same weights as those of YCrCb's Y
    return np.asarray(cv2.createCLAHE(CLIP, (TILES, TILES)).apply(light), dtype=np.uint8)
