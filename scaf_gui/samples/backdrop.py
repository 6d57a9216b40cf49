"""Backgrounds: soft gradients, out-of-focus lights and rooms, all out of focus."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_GRID = 160  # painted small, then enlarged: it is blurred anyway


def paint_backdrop(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Background (size, size, 3), sRGB in 0..1; the same picture at every size."""
    base = _color(rng)
    other = np.clip(base * rng.uniform(0.55, 1.25) + rng.normal(0, 0.05, 3), 0.02, 0.98)
    angle = rng.uniform(0, 2 * np.pi)
    at = (np.arange(_GRID) + 0.5) / _GRID - 0.5
    ramp = np.clip(0.5 + np.cos(angle) * at[None, :] + np.sin(angle) * at[:, None], 0, 1)
    canvas = (base + (other - base) * ramp[..., None]).astype(np.float32)
    kind = float(rng.uniform())
    if kind > 0.25:
        for _ in range(int(rng.integers(4, 16))):
            _shape(canvas, rng, round_only=kind > 0.75)
    canvas = cv2.GaussianBlur(canvas, (0, 0), float(rng.uniform(2.5, 9.0)))
    canvas *= np.float32(1 - 0.25 * rng.uniform()) + 0.1
    large = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(large, 0, 1), np.float32)


def _color(rng: np.random.Generator) -> NDArray[np.float64]:
    hue, value, chroma = rng.uniform(), rng.uniform(0.18, 0.88), rng.uniform(0.0, 0.45)
    wheel = 0.5 + 0.5 * np.cos(2 * np.pi * (hue + np.array([0.0, 1 / 3, 2 / 3])))
    return np.asarray(value * (1 - chroma + chroma * wheel), np.float64)


def _shape(canvas: NDArray[np.float32], rng: np.random.Generator, round_only: bool) -> None:
    """One blob of light or piece of furniture, in place."""
    color = tuple(float(c) for c in _color(rng))
    x, y = (int(v) for v in rng.integers(0, _GRID, 2))
    wide, tall = (int(v) for v in rng.integers(6, 60, 2))
    layer = canvas.copy()
    if round_only or rng.uniform() < 0.4:
        cv2.circle(layer, (x, y), max(4, wide // 3), color, -1, cv2.LINE_AA)
    else:
        cv2.rectangle(layer, (x - wide, y - tall), (x + wide, y + tall), color, -1)
    canvas += np.float32(rng.uniform(0.3, 0.9)) * (layer - canvas)
