"""Random views of a face: geometry as one affine, light, and erased patches.

Crops are (side, side, 3) uint8 RGB; nothing is changed in place but arrays made here.
"""

from __future__ import annotations

import cv2
import numpy as np

from scaf_gui.core.arrays import ByteArray, FloatArray
from scaf_gui.learning.presets import Augmentation


def random_affine(
    side: int, size: int, crop_side: float, augmentation: Augmentation, rng: np.random.Generator
) -> tuple[FloatArray, bool]:
    """From pixels of the surroundings to pixels of the crop, and whether the view is mirrored.

    :param side: side of the surroundings, whose centre is the crop's centre
    :param size: side of the view made
    :param crop_side: side of the unchanged crop, in pixels of the surroundings
    """
    a = augmentation
    angle, shear = np.deg2rad(rng.uniform(-a.degrees, a.degrees)), np.tan(np.deg2rad(rng.uniform(-a.shear, a.shear)))
    low, high = np.log(a.scale)
    scale = size / crop_side * np.exp(rng.uniform(low, high))
    shift = rng.uniform(-a.shift, a.shift, 2) * size
    mirrored = bool(rng.random() < a.flip)
    cos, sin = np.cos(angle), np.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]]) @ np.array([[1.0, shear], [0.0, 1.0]]) * scale
    if mirrored:
        linear = linear @ np.diag([-1.0, 1.0])
    centre = np.full(2, (side - 1) / 2)
    moved = np.full(2, (size - 1) / 2) + shift - linear @ centre
    return np.hstack([linear, moved[:, None]]), mirrored


def change_light(crop: ByteArray, augmentation: Augmentation, rng: np.random.Generator) -> ByteArray:
    """Contrast, brightness, gamma and channel balance through one table; sometimes gray or blurred."""
    if augmentation.light > 0:
        crop = np.asarray(cv2.LUT(crop, _light_table(augmentation.light, rng)), np.uint8)
    if rng.random() < augmentation.gray:
        crop = np.repeat(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    if rng.random() < augmentation.blur:
        side = crop.shape[0]
        low = int(side * rng.uniform(0.3, 0.8))
        small = cv2.resize(crop, (low, low), interpolation=cv2.INTER_AREA)
        crop = np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)
    return crop


def _light_table(strength: float, rng: np.random.Generator) -> ByteArray:
    """(256, 1, 3) uint8: what each value of each channel becomes."""
    values = np.linspace(0.0, 1.0, 256)[:, None] ** np.exp(rng.uniform(-strength, strength))
    contrast = np.exp(rng.uniform(-strength, strength))
    balance = np.exp(rng.uniform(-strength, strength, 3) / 3)
    changed = (values - 0.5) * contrast * balance + 0.5 + rng.uniform(-strength, strength) / 2
    return np.asarray(np.clip(changed * 255.0, 0, 255), np.uint8)[:, None, :]


def erase(crop: ByteArray, augmentation: Augmentation, rng: np.random.Generator) -> ByteArray:
    """Random erasing (Zhong et al. 2020): one rectangle of noise or of one colour."""
    if rng.random() >= augmentation.erasing:
        return crop
    side = crop.shape[0]
    height, width = (side * rng.uniform(0.1, 0.45, 2)).astype(int)
    y, x = rng.integers(0, side - height), rng.integers(0, side - width)
    erased = crop.copy()
    if rng.random() < 0.5:
        erased[y : y + height, x : x + width] = rng.integers(0, 256, 3)
    else:
        erased[y : y + height, x : x + width] = rng.integers(0, 256, (height, width, 3))
    return erased
