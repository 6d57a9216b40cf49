"""Which landmark is under the cursor. Pure functions; no Qt."""

from __future__ import annotations

import numpy as np

from scaf_gui.core.arrays import FloatArray


def nearest(
    points: FloatArray, x: float, y: float, radius: float, prefer: int | None = None, slack: float = 0.0
) -> int | None:
    """The landmark nearest to (x, y), or ``None`` when none lies within ``radius``.

    :param points: (num_landmarks, 2) float64, (x, y), any frame as long as (x, y) and ``radius`` share it;
        rows of NaN are never hit
    :param prefer: this landmark wins over one that is nearer by no more than ``slack``, so that the
        selected one of several that lie on top of each other can be taken
    """
    if not len(points):
        return None
    distance = np.hypot(points[:, 0] - x, points[:, 1] - y)
    distance[~np.isfinite(distance)] = np.inf
    best = int(distance.argmin())
    if distance[best] > radius:
        return None
    if prefer is not None and distance[prefer] <= min(radius, distance[best] + slack):
        return prefer
    return best


def spacing(points: FloatArray, edges: tuple[tuple[int, int], ...]) -> float:
    """The median length of the skeleton's edges, in the frame of ``points``; infinite without any."""
    if not edges:
        return np.inf
    first, second = np.asarray(edges, dtype=np.intp).T
    lengths = np.hypot(*(points[first] - points[second]).T)
    lengths = lengths[np.isfinite(lengths)]
    return float(np.median(lengths)) if len(lengths) else np.inf
