"""Move, turn, scale and mirror landmarks: pure functions, image pixels."""

from __future__ import annotations

import numpy as np

from scaf_gui.core.arrays import BoolArray, FloatArray
from scaf_gui.errors import EditError


def extent(points: FloatArray) -> tuple[float, float, float, float] | None:
    """(x, y, width, height) around points (N, 2); rows of NaN do not count; ``None`` when no row is known."""
    known = points[np.isfinite(points).all(axis=1)]
    if not len(known):
        return None
    (x0, y0), (x1, y1) = known.min(axis=0), known.max(axis=0)
    return float(x0), float(y0), float(x1 - x0), float(y1 - y0)


def similarity(
    points: FloatArray, chosen: BoolArray, centre: tuple[float, float], degrees: float = 0.0, scale: float = 1.0
) -> FloatArray:
    """Points (num_landmarks, 2) with the chosen ones turned (clockwise as seen) and scaled about ``centre``.

    :raises EditError: the scale is not positive, or not finite
    """
    if not (np.isfinite([degrees, scale, *centre]).all() and scale > 0):
        raise EditError(f"landmarks cannot be scaled by {scale:g} and turned by {degrees:g} degrees")
    angle = np.deg2rad(degrees)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    moved = points.copy()
    moved[chosen] = (points[chosen] - centre) @ np.array([[cos, sin], [-sin, cos]]) + centre
    return moved


def shifted(points: FloatArray, weights: FloatArray, dx: float, dy: float) -> FloatArray:
    """Points (num_landmarks, 2), each moved by its share, (num_landmarks,) 0 to 1, of (dx, dy)."""
    moved: FloatArray = points + weights[:, None] * np.array([dx, dy])
    return moved


def mirror_axis(points: FloatArray, flip: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
    """The face's axis: the line that mirrors the landmarks best (least squares) onto their flip partners.

    Over the pairs of which both sides are known, and the known landmarks on the middle line, with
    points ``s`` and partners ``t`` about their common mean, a reflection at angle ``a`` maximises
    ``cos 2a * sum(sx tx - sy ty) + sin 2a * sum(sx ty + sy tx)``.

    :param points: (num_landmarks, 2) image pixels, NaN where unknown
    :returns: a point of the axis (2,) and its direction (2,), of length 1
    :raises EditError: no pair is known, or all its landmarks fall together
    """
    partner = np.asarray(flip, dtype=np.intp)
    if (partner == np.arange(len(partner))).all():
        raise EditError("this scheme names no pairs of landmarks, so there is no other side")
    finite = np.isfinite(points.sum(axis=1))
    known: BoolArray = np.asarray(finite & finite[partner])
    if not (known & (partner != np.arange(len(partner)))).any():
        raise EditError("there is no pair of landmarks with both sides in place, so there is nothing to mirror by")
    source, target = points[known], points[partner[known]]
    middle = source.mean(axis=0)
    source, target = source - middle, target - middle
    cosine = float((source[:, 0] * target[:, 0] - source[:, 1] * target[:, 1]).sum())
    sine = float((source[:, 0] * target[:, 1] + source[:, 1] * target[:, 0]).sum())
    if np.hypot(cosine, sine) <= 1e-9 * float((source**2).sum()) or not np.hypot(cosine, sine) > 0:
        raise EditError("the landmarks of both sides fall together, so the face's axis is not known")
    angle = np.arctan2(sine, cosine) / 2
    return middle, np.array([np.cos(angle), np.sin(angle)])


def side_of(points: FloatArray, flip: tuple[int, ...], landmark: int) -> BoolArray:
    """Which landmarks lie on the same side of the face as one that has a partner; (num_landmarks,) bool.

    Of each pair the one further to that side counts, so crossing the axis does not matter.

    :raises EditError: as :func:`mirror_axis`, or the landmark is on the middle line
    """
    if flip[landmark] == landmark and any(other != this for this, other in enumerate(flip)):
        raise EditError("this landmark is on the middle of the face: select one of the side to mirror")
    middle, direction = mirror_axis(points, flip)
    across = (points - middle) @ np.array([-direction[1], direction[0]])
    partner = np.asarray(flip, dtype=np.intp)
    # an unknown partner lies beyond the axis: then the landmark's own side decides
    lead = across - np.where(np.isfinite(across[partner]), across[partner], -across)
    sign = np.sign(lead[landmark])
    if not sign:
        raise EditError("this landmark and its partner fall together, so its side is not known")
    return np.asarray((np.sign(lead) == sign) & (partner != np.arange(len(partner))))


def mirrored(points: FloatArray, flip: tuple[int, ...], sources: BoolArray) -> tuple[FloatArray, BoolArray]:
    """The partners of the sources put where the face's axis mirrors the sources.

    :param sources: (num_landmarks,) bool; those without a partner or without a place are left out
    :returns: the points, and which of them were put somewhere
    :raises EditError: as :func:`mirror_axis`
    """
    middle, direction = mirror_axis(points, flip)
    partner = np.asarray(flip, dtype=np.intp)
    given = sources & (partner != np.arange(len(partner))) & np.isfinite(points).all(axis=1)
    reflection = 2 * np.outer(direction, direction) - np.eye(2)
    moved, put = points.copy(), np.zeros(len(points), dtype=np.bool_)
    moved[partner[given]] = (points[given] - middle) @ reflection + middle
    put[partner[given]] = True
    return moved, put
