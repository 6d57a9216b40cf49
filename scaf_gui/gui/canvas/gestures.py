"""Gestures upon several landmarks, followed until they are let go. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scaf_gui.core.arrays import BoolArray, FloatArray
from scaf_gui.core.curves import fall_off
from scaf_gui.core.scheme import Scheme
from scaf_gui.core.transforms import extent, shifted, similarity
from scaf_gui.gui.canvas.drag import THRESHOLD

Pair = tuple[float, float]
#: one notch of the wheel changes the reach of a drag along a curve so much; its limits, as a share of the face
REACH_STEP, SHORTEST, LONGEST = 1.15, 0.02, 1.5
_SMALLEST_SCALE = 0.02


@dataclass(frozen=True, eq=False)
class Moved:
    """What a gesture made of the landmarks: ``points`` (num_landmarks, 2) image pixels, which of them ``moved``, and
    which of those a person ``placed`` (both (num_landmarks,) bool)."""

    points: FloatArray
    moved: BoolArray
    placed: BoolArray
    verb: str  # "Move", "Rotate": the beginning of the title; of what, the landmarks placed or moved say


class Gesture:
    """A press with the left button: a click while the cursor stays where it is.

    :param pressed: where it was pressed, screen pixels
    """

    def __init__(self, pressed: Pair):
        self.pressed, self.travelled = pressed, False

    def follow(self, place: Pair, screen: Pair) -> bool:
        """Go to ``place`` (image pixels), ``screen`` (screen pixels); whether it is more than a click by now."""
        far = max(abs(screen[0] - self.pressed[0]), abs(screen[1] - self.pressed[1]))
        self.travelled = self.travelled or far >= THRESHOLD
        if self.travelled:
            self._go(place)
        return self.travelled

    def _go(self, place: Pair) -> None:
        raise NotImplementedError

    def turn(self, notches: float) -> bool:
        """Turn the wheel meanwhile; whether that means anything here."""
        return False

    @property
    def result(self) -> Moved | None:
        """What it does to the landmarks so far."""
        return None


class Rubber(Gesture):
    """A rectangle, upright on the screen, that selects what it encloses.

    :param turn: by which the image is shown turned, radians
    """

    def __init__(self, pressed: Pair, place: Pair, turn: float = 0.0):
        super().__init__(pressed)
        self.start = self.end = place
        self._turn = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])

    def _go(self, place: Pair) -> None:
        self.end = place

    def inside(self, points: FloatArray) -> frozenset[int]:
        """The landmarks, of (num_landmarks, 2), that it encloses."""
        ends, seen = np.array([self.start, self.end]) @ self._turn, points @ self._turn
        inside = (seen >= ends.min(axis=0)) & (seen <= ends.max(axis=0))
        return frozenset(np.flatnonzero(inside.all(axis=1)).tolist())

    def corners(self) -> FloatArray:
        """(4, 2) its corners in image pixels."""
        (x0, y0), (x1, y1) = np.array([self.start, self.end]) @ self._turn
        made: FloatArray = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]) @ self._turn.T
        return made


class Transform(Gesture):
    """Moves ("move"), turns ("rotate") or scales ("scale") chosen landmarks.

    :param centre: what stays in place when they are turned or scaled, image pixels
    """

    def __init__(self, pressed: Pair, place: Pair, points: FloatArray, chosen: BoolArray, kind: str, centre: Pair):
        super().__init__(pressed)
        self.start, self.place, self.points, self.chosen, self.kind, self.centre = (
            place,
            place,
            points,
            chosen & np.isfinite(points).all(axis=1),
            kind,
            centre,
        )

    def _go(self, place: Pair) -> None:
        self.place = place

    @property
    def result(self) -> Moved | None:
        if not self.travelled or self.place == self.start:
            return None
        after = self._carried(self.points, self.chosen)
        # the whole face is put roughly right, no landmark of it is placed by that
        placed = np.zeros_like(self.chosen) if self.chosen.all() else self.chosen
        return Moved(after, self.chosen, placed, self.kind.capitalize())

    def carried(self, points: FloatArray) -> FloatArray:
        """Other places, (N, 2) image pixels, after the same motion: those of the frame around the landmarks."""
        return self._carried(points, np.ones(len(points), dtype=np.bool_)) if self.travelled else points

    def _carried(self, points: FloatArray, chosen: BoolArray) -> FloatArray:
        if self.kind == "move":
            known = np.where(chosen[:, None], points, 0.0)  # NaN times 0 stays NaN
            weights = chosen.astype(np.float64)
            after = shifted(known, weights, self.place[0] - self.start[0], self.place[1] - self.start[1])
            return np.where(chosen[:, None], after, points)
        before, now = (complex(at[0] - self.centre[0], at[1] - self.centre[1]) for at in (self.start, self.place))
        if abs(before) == 0:
            return points.copy()
        if self.kind == "rotate":
            degrees = 0.0 if abs(now) == 0 else float(np.degrees(np.angle(now / before)))
            return similarity(points, chosen, self.centre, degrees=degrees)
        along = (now * before.conjugate()).real / abs(before) ** 2  # the cursor beside the diagonal counts as upon it
        return similarity(points, chosen, self.centre, scale=max(along, _SMALLEST_SCALE))


class CurveDrag(Gesture):
    """Drags one landmark and takes its neighbours on the curve along, the less the further off.

    :param fixed: (num_landmarks,) bool: placed by hand, so they stay and end the reach on their side
    :param reach: arc length as a share of the larger side of the face
    """

    def __init__(
        self,
        pressed: Pair,
        place: Pair,
        points: FloatArray,
        scheme: Scheme,
        landmark: int,
        fixed: BoolArray,
        reach: float,
    ):
        super().__init__(pressed)
        self.start, self.place, self.points, self.scheme, self.landmark, self.reach = (
            place,
            place,
            points,
            scheme,
            landmark,
            reach,
        )
        self.fixed = fixed
        around = extent(points)
        self._size = max(around[2], around[3]) if around is not None else 0.0
        self._weigh()

    def _weigh(self) -> None:
        self.weights = fall_off(self.points, self.scheme, self.landmark, self.reach * self._size, self.fixed)

    def _go(self, place: Pair) -> None:
        self.place = place

    def turn(self, notches: float) -> bool:
        self.reach = float(np.clip(self.reach * REACH_STEP**notches, SHORTEST, LONGEST))
        self._weigh()
        return True

    @property
    def result(self) -> Moved | None:
        dx, dy = self.place[0] - self.start[0], self.place[1] - self.start[1]
        if not self.travelled or (dx, dy) == (0.0, 0.0):
            return None
        moved = self.weights > 0
        placed = np.zeros_like(moved)
        placed[self.landmark] = True
        return Moved(shifted(self.points, self.weights, dx, dy), moved, placed, "Drag")
