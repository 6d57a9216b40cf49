"""Along the curves of a scheme: how far landmarks lie apart, what a drag takes along, and even spacing."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from scaf_gui.core.arrays import BoolArray, FloatArray, IntArray
from scaf_gui.core.scheme import Group, Scheme

#: samples of the interpolated curve between two landmarks
_SAMPLES = 32


def curve_of(scheme: Scheme, landmark: int) -> Group | None:
    """The curve that a landmark lies on: the first that names it; ``None`` for single points."""
    return next((group for group in scheme.groups if group.curve and landmark in group.landmarks), None)


def fall_off(points: FloatArray, scheme: Scheme, landmark: int, radius: float, fixed: BoolArray) -> FloatArray:
    """How much of a drag of one landmark the others take part in: 1 for itself, 0 beyond ``radius``.

    A cosine of the arc length along the landmark's curve, ``(1 + cos(pi d / r)) / 2``. A fixed landmark
    ends the reach on its side, so the curve does not break there.

    :param points: (num_landmarks, 2) before the drag, image pixels, NaN where unknown
    :param radius: image pixels along the curve
    :param fixed: (num_landmarks,) bool: these stay where they are
    :returns: (num_landmarks,) float64
    """
    weights = np.zeros(len(points))
    group = curve_of(scheme, landmark)
    if group is not None and radius > 0:
        at, count = group.landmarks.index(landmark), len(group.landmarks)
        for step in (1, -1):
            others = [
                group.landmarks[(at + step * i) % count]
                for i in range(1, count)
                if group.closed or 0 <= at + step * i < count
            ]
            _walk(points, landmark, others, radius, fixed, weights)
    weights[landmark] = 1.0
    return weights


def _walk(
    points: FloatArray, landmark: int, others: list[int], radius: float, fixed: BoolArray, weights: FloatArray
) -> None:
    """Give weights to landmarks in the order in which they follow along one side."""
    here, along, reached = points[landmark], 0.0, []
    for other in others:
        if not np.isfinite(points[other]).all():
            continue  # a gap is passed over in a straight line
        along += float(np.hypot(*(points[other] - here)))
        here = points[other]
        if along >= radius:
            break
        if fixed[other]:
            radius = along
            break
        reached.append((other, along))
    for other, distance in reached:
        if distance < radius:
            weights[other] = max(weights[other], 0.5 * (1 + np.cos(np.pi * distance / radius)))


def spread_evenly(points: FloatArray, group: Group, stay: frozenset[int], chosen: BoolArray) -> FloatArray:
    """Space landmarks evenly along their curve, between those that stay.

    The curve is interpolated smoothly (centripetal Catmull-Rom, Barry and Goldman 1988) and divided by its
    arc length. The ends of an open curve stay, of a closed one its first landmark where nothing else does.

    :param points: (num_landmarks, 2) image pixels; unknown landmarks of the group end a stretch, too
    :param stay: landmarks whose place along the curve means something (the scheme's corners)
    :param chosen: (num_landmarks,) bool: only these may be moved
    :returns: the points, moved ones included
    """
    moved = points.copy()
    ring = list(group.landmarks)
    if len(ring) < 3 or not group.curve:
        return moved

    def stays(landmark: int) -> bool:
        return landmark in stay or not chosen[landmark] or not np.isfinite(points[landmark]).all()

    if group.closed:
        start = next((i for i, landmark in enumerate(ring) if stays(landmark)), 0)
        ring = ring[start:] + ring[: start + 1]
    knots = [i for i, landmark in enumerate(ring) if i in (0, len(ring) - 1) or stays(landmark)]
    for first, last in pairwise(knots):
        stretch = ring[first : last + 1]
        if len(stretch) > 2 and np.isfinite(points[stretch]).all():
            moved[stretch[1:-1]] = _even(points[stretch])[1:-1]
    return moved


def _even(knots: FloatArray) -> FloatArray:
    """As many points (N, 2) evenly spaced along the smooth curve through them; both ends stay."""
    curve = _smooth(knots)
    lengths = np.hypot(*np.diff(curve, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    if not along[-1] > 0:
        return knots.copy()
    wanted = np.linspace(0.0, along[-1], len(knots))
    return np.column_stack([np.interp(wanted, along, curve[:, 0]), np.interp(wanted, along, curve[:, 1])])


def _smooth(knots: FloatArray) -> FloatArray:
    """Samples of the centripetal Catmull-Rom spline through (N, 2) points, which are among them."""
    ends = np.vstack([2 * knots[0] - knots[1], knots, 2 * knots[-1] - knots[-2]])
    gaps = np.maximum(np.sqrt(np.hypot(*np.diff(ends, axis=0).T)), 1e-6)
    pieces = [knots[:1]]
    for i in range(len(knots) - 1):
        p0, p1, p2, p3 = ends[i : i + 4]
        t0, t1, t2, t3 = np.concatenate([[0.0], np.cumsum(gaps[i : i + 3])])
        t = np.linspace(t1, t2, _SAMPLES + 1)[1:, None]
        a1 = ((t1 - t) * p0 + (t - t0) * p1) / (t1 - t0)
        a2 = ((t2 - t) * p1 + (t - t1) * p2) / (t2 - t1)
        a3 = ((t3 - t) * p2 + (t - t2) * p3) / (t3 - t2)
        b1 = ((t2 - t) * a1 + (t - t0) * a2) / (t2 - t0)
        b2 = ((t3 - t) * a2 + (t - t1) * a3) / (t3 - t1)
        pieces.append(((t2 - t) * b1 + (t - t1) * b2) / (t2 - t1))
    return np.vstack(pieces)


def deepest_crossing(
    points: FloatArray, pieces: list[tuple[int, int]]
) -> tuple[float, tuple[tuple[int, int], tuple[int, int]] | None]:
    """The two pieces that cross most, by the smallest distance of an end from the other piece's line."""
    best: tuple[float, tuple[tuple[int, int], tuple[int, int]] | None] = (0.0, None)
    ends = np.array(pieces)
    start, along = points[ends[:, 0]], points[ends[:, 1]] - points[ends[:, 0]]
    length = np.maximum(np.linalg.norm(along, axis=1), 1e-9)

    def side(landmark: IntArray) -> FloatArray:
        """(pieces, landmarks) signed distance of landmarks from each piece's line."""
        off = points[landmark][None] - start[:, None]
        area: FloatArray = along[:, None, 0] * off[..., 1] - along[:, None, 1] * off[..., 0]
        distance: FloatArray = area / length[:, None]
        return distance

    first, second = side(ends[:, 0]), side(ends[:, 1])
    apart = (first * second < 0) & ((first * second).T < 0)
    apart &= ~(ends[:, None, :, None] == ends[None, :, None, :]).any(axis=(2, 3))
    reach = np.minimum(np.abs(first), np.abs(second))
    depth = np.where(apart, np.minimum(reach, reach.T), 0.0)
    at = np.unravel_index(int(np.argmax(depth)), depth.shape)
    if depth[at] > 0:
        best = float(depth[at]), (pieces[int(at[0])], pieces[int(at[1])])
    return best
