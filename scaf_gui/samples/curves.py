"""The feature curves of a face after its expression: outline, lids, brows, lips, nose.

Everything lives in the face plane of `identity.py` (centimetres, x right, y down). The curves are
the one source for relief, paint and landmarks alike, which is why the landmarks are exact.
`side` is -1 for the eye and brow at the left of the image, +1 for the right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scaf_gui.samples.identity import Expression, FaceSpec, Identity

Floats = NDArray[np.float64]

HEAD_TOP = -11.8


def smooth_curve(x: NDArray[np.floating], knots_x: list[float], knots_y: list[float]) -> Floats:
    """Monotone-friendly cubic Hermite curve through knots, constant outside them."""
    kx, ky = np.asarray(knots_x, np.float64), np.asarray(knots_y, np.float64)
    step = np.diff(kx)
    slope = np.diff(ky) / step
    tangent = np.zeros_like(ky)
    same = slope[1:] * slope[:-1] > 0
    # Harmonic means keep the curve from overshooting its knots (Fritsch and Butland, 1984).
    total = np.where(same, slope[1:] + slope[:-1], 1.0)
    tangent[1:-1] = np.where(same, 2 * slope[1:] * slope[:-1] / total, 0.0)
    tangent[0], tangent[-1] = slope[0], slope[-1]
    at = np.clip(np.asarray(x, np.float64), kx[0], kx[-1])
    cell = np.clip(np.searchsorted(kx, at) - 1, 0, len(step) - 1)
    h = step[cell]
    t = (at - kx[cell]) / h
    result: Floats = (
        ky[cell] * (1 + 2 * t) * (1 - t) ** 2
        + tangent[cell] * h * t * (1 - t) ** 2
        + ky[cell + 1] * t * t * (3 - 2 * t)
        + tangent[cell + 1] * h * t * t * (t - 1)
    )
    return result


@dataclass(frozen=True)
class Eye:
    """One eye opening; `t` runs from the inner corner (0) to the outer corner (1)."""

    side: int
    inner: tuple[float, float]
    outer: tuple[float, float]
    upper: float
    lower: float
    iris: tuple[float, float]
    iris_radius: float
    closure: float

    @property
    def center(self) -> tuple[float, float]:
        """Middle between the corners."""
        return ((self.inner[0] + self.outer[0]) / 2, (self.inner[1] + self.outer[1]) / 2)

    def t_of(self, x: NDArray[np.floating]) -> NDArray[np.floating]:
        """Place along the eye of a face-plane x."""
        t: NDArray[np.floating] = (x - self.inner[0]) / (self.outer[0] - self.inner[0])
        return t

    def _line(self, t: NDArray[np.floating]) -> NDArray[np.floating]:
        line: NDArray[np.floating] = self.inner[1] + (self.outer[1] - self.inner[1]) * t
        return line

    def upper_lid(self, t: NDArray[np.floating]) -> NDArray[np.floating]:
        """Y of the upper lid's edge."""
        bow = np.clip(4 * t * (1 - t), 0, 1) ** 0.72 * (1 + 0.22 * (0.45 - t))
        lowered = self.upper * (1 - self.closure) - (self.lower + 0.06) * self.closure
        # Lids meet, they do not cross.
        lid: NDArray[np.floating] = np.minimum(self._line(t) - lowered * bow, self.lower_lid(t))
        return lid

    def lower_lid(self, t: NDArray[np.floating]) -> NDArray[np.floating]:
        """Y of the lower lid's edge."""
        bow = np.clip(4 * t * (1 - t), 0, 1) ** 0.78 * (1 + 0.35 * (t - 0.5))
        lid: NDArray[np.floating] = self._line(t) + (self.lower + 0.07 * self.closure) * bow
        return lid


@dataclass(frozen=True)
class Brow:
    """One eyebrow; `t` runs from its inner end (0) to its outer end (1)."""

    side: int
    inner_x: float
    outer_x: float
    inner_y: float
    arch: float
    outer_y: float
    thickness: float

    def t_of(self, x: NDArray[np.floating]) -> NDArray[np.floating]:
        """Place along the brow of a face-plane x."""
        t: NDArray[np.floating] = (x - self.inner_x) / (self.outer_x - self.inner_x)
        return t

    def x_of(self, t: NDArray[np.floating]) -> NDArray[np.floating]:
        """Face-plane x at a place along the brow."""
        x: NDArray[np.floating] = self.inner_x + (self.outer_x - self.inner_x) * t
        return x

    def upper_edge(self, t: NDArray[np.floating]) -> Floats:
        """Y of the upper edge."""
        return smooth_curve(
            t,
            [0.0, 0.27, 0.55, 0.81, 1.0],
            [
                self.inner_y,
                self.inner_y - 0.62 * self.arch,
                self.inner_y - self.arch,
                self.inner_y - 0.45 * self.arch + 0.12 * (self.outer_y - self.inner_y),
                self.outer_y,
            ],
        )

    def lower_edge(self, t: NDArray[np.floating]) -> Floats:
        """Y of the lower edge; the brow tapers to its outer end."""
        taper = smooth_curve(t, [0.0, 0.25, 0.6, 0.85, 1.0], [0.92, 1.0, 0.8, 0.48, 0.10])
        return self.upper_edge(t) + self.thickness * taper


@dataclass(frozen=True)
class Mouth:
    """The lips; `f` runs from the left corner (-1) to the right corner (+1)."""

    half_width: float
    y: float
    corner_lift: float
    skew: float
    upper_lip: float
    lower_lip: float
    open_up: float
    open_down: float

    INNER = 0.86  # the inner corners lie at this fraction of the half width

    def middle(self, f: NDArray[np.floating]) -> NDArray[np.floating]:
        """Y of the line where closed lips meet."""
        line: NDArray[np.floating] = (
            self.y - self.corner_lift * f * f - self.skew * f * np.abs(f) + 0.05 * np.cos(3 * f)
        )
        return line

    def _gap(self, f: NDArray[np.floating]) -> NDArray[np.floating]:
        gap: NDArray[np.floating] = np.clip(1 - (f / self.INNER) ** 2, 0, 1) ** 0.75
        return gap

    def inner_upper(self, f: NDArray[np.floating]) -> NDArray[np.floating]:
        """Y of the upper lip's inner edge."""
        edge: NDArray[np.floating] = self.middle(f) - self.open_up * self._gap(f)
        return edge

    def inner_lower(self, f: NDArray[np.floating]) -> NDArray[np.floating]:
        """Y of the lower lip's inner edge."""
        edge: NDArray[np.floating] = self.middle(f) + self.open_down * self._gap(f)
        return edge

    def outer_upper(self, f: NDArray[np.floating]) -> Floats:
        """Y of the upper lip's outer edge, with the cupid's bow."""
        shape = smooth_curve(np.abs(f), [0.0, 0.12, 0.27, 0.65, 1.0], [0.80, 0.86, 1.0, 0.60, 0.0])
        return np.asarray(self.inner_upper(f) - self.upper_lip * shape, np.float64)

    def outer_lower(self, f: NDArray[np.floating]) -> Floats:
        """Y of the lower lip's outer edge."""
        shape = smooth_curve(np.abs(f), [0.0, 0.12, 0.3, 0.65, 0.88, 1.0], [1.0, 0.99, 0.92, 0.60, 0.25, 0.0])
        return np.asarray(self.inner_lower(f) + self.lower_lip * shape, np.float64)


@dataclass(frozen=True)
class Nose:
    """Places of the nose on the midline, and its half width at the wings."""

    root_y: float
    tip_y: float
    base_y: float
    wing_y: float
    half_width: float
    protrusion: float


@dataclass(frozen=True)
class Outline:
    """The head's outline seen from the front."""

    half_width: float
    chin: float
    power: float
    fullness: float

    def half_width_at(self, y: NDArray[np.floating]) -> Floats:
        """Half width of the head at a height; 0 at the crown and at the chin."""
        y = np.asarray(y, np.float64)
        down = np.clip(y / self.chin, 0, 1)
        up = np.clip(y / HEAD_TOP, 0, 1)
        jaw = (1 - down**self.power) ** (1 / self.fullness)
        skull = (1 + 0.36 * up * (1 - up)) * (1 - up**2.7) ** (1 / 2.25)
        return np.asarray(self.half_width * np.where(y > 0, jaw, skull), np.float64)


@dataclass(frozen=True)
class Features:
    """All feature curves of one face."""

    outline: Outline
    eyes: tuple[Eye, Eye]
    brows: tuple[Brow, Brow]
    nose: Nose
    mouth: Mouth
    smile: float


def face_features(spec: FaceSpec) -> Features:
    """Apply the expression to the identity."""
    who, mood = spec.identity, spec.expression
    return Features(
        outline=Outline(
            half_width=who.half_width,
            chin=who.chin + 0.72 * mood.mouth_open,
            power=who.jaw_power,
            fullness=who.jaw_fullness,
        ),
        eyes=(_eye(who, mood, -1), _eye(who, mood, 1)),
        brows=(_brow(who, mood, -1), _brow(who, mood, 1)),
        nose=_nose(who, mood),
        mouth=_mouth(who, mood),
        smile=mood.smile,
    )


def _eye(who: Identity, mood: Expression, side: int) -> Eye:
    squint = max(mood.smile, 0.0)
    inner_x = who.eye_half_distance - who.eye_half_length
    outer_x = who.eye_half_distance + who.eye_half_length
    center_y = 0.08
    return Eye(
        side=side,
        inner=(side * inner_x, center_y + who.eye_tilt / 2),
        outer=(side * outer_x, center_y - who.eye_tilt / 2),
        upper=who.eye_height * (1 + 0.16 * mood.brow_raise - 0.12 * squint),
        lower=0.29 * (1 - 0.32 * squint),
        iris=(side * who.eye_half_distance + mood.gaze_x, -0.07 + mood.gaze_y),
        iris_radius=0.585,
        closure=mood.eye_closure,
    )


def _brow(who: Identity, mood: Expression, side: int) -> Brow:
    lift = 0.55 * mood.brow_raise
    knit = mood.brow_knit
    inner_y = who.brow_y + 0.28 - 0.8 * lift + 0.25 * knit
    return Brow(
        side=side,
        inner_x=side * (1.28 - 0.15 * knit),
        outer_x=side * (who.eye_half_distance + 2.85),
        inner_y=inner_y,
        arch=who.brow_arch + 0.3 * lift - 0.15 * knit,
        outer_y=inner_y + 0.42 - 2.0 * who.brow_tilt * 0.5,
        thickness=who.brow_thickness,
    )


def _nose(who: Identity, mood: Expression) -> Nose:
    lift = 0.12 * max(mood.smile, 0.0)
    length = who.nose_length
    return Nose(
        root_y=-0.18,
        tip_y=3.62 * length,
        base_y=4.74 * length - 0.05 * lift,
        wing_y=4.28 * length - lift,
        half_width=1.5 * who.nose_width * (1 + 0.07 * max(mood.smile, 0.0)),
        protrusion=who.nose_protrusion,
    )


def _mouth(who: Identity, mood: Expression) -> Mouth:
    smile, opening = mood.smile, mood.mouth_open
    thin = 1 - 0.16 * max(smile, 0.0) - 0.08 * min(opening, 1.5)
    # A grin pulls the lips apart sideways; a gape pulls the corners in.
    stretch = 1 + 0.20 * smile - 0.07 * opening * (1 - max(smile, 0.0))
    return Mouth(
        half_width=who.mouth_half_width * stretch,
        y=who.mouth_y + 0.10 * max(smile, 0.0) + 0.10 * opening,
        corner_lift=0.62 * smile - 0.05,
        skew=mood.smile_skew,
        upper_lip=who.upper_lip * thin,
        lower_lip=who.lower_lip * thin,
        open_up=0.012 + 0.22 * opening,
        open_down=0.012 + 0.80 * opening,
    )
