"""A face and what is known of it: box, label (a person's), prediction (a model's).

Coordinates everywhere: ``(x, y)``, pixels of the upright image, 0-based, the centre of the
top-left pixel is (0, 0).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import IntEnum, StrEnum

import numpy as np

from scaf_gui.core.arrays import BoolArray, ByteArray, FloatArray, frozen
from scaf_gui.errors import EditError

#: WFLW's attributes of a face, in its order
ATTRIBUTES = ("pose", "expression", "illumination", "make_up", "occlusion", "blur")
Attributes = tuple[bool, bool, bool, bool, bool, bool]


def as_attributes(values: Iterable[bool]) -> Attributes:
    """Six truth values in the order of :data:`ATTRIBUTES`."""
    pose, expression, light, make_up, occlusion, blur = values
    return pose, expression, light, make_up, occlusion, blur


class Flag(IntEnum):
    """What can be said of a landmark besides where it is."""

    VISIBLE = 0
    OCCLUDED = 1
    MISSING = 2


class State(StrEnum):
    """How far a person is with a face."""

    UNLABELLED = "unlabelled"
    STARTED = "started"
    LABELLED = "labelled"
    SKIPPED = "skipped"


class BoxSource(StrEnum):
    """Where a bounding box came from; each source has its own way into the crop rule."""

    DETECTOR = "detector"
    POINTS = "points"  # the square that a detector's eyes, nose and mouth lead to
    WHOLE = "whole"
    LANDMARKS = "landmarks"
    DRAWN = "drawn"
    FILE = "file"


@dataclass(frozen=True)
class Box:
    """A bounding box in image pixels: ``x, y`` is the top-left corner; may reach out of the image."""

    x: float
    y: float
    width: float
    height: float
    source: BoxSource = BoxSource.DRAWN
    confidence: float = 1.0

    def __post_init__(self) -> None:
        if not (self.width > 0 and self.height > 0 and np.isfinite([self.x, self.y, self.width, self.height]).all()):
            raise EditError(f"a bounding box needs a positive size, not {self.width:g} x {self.height:g}")

    @property
    def centre(self) -> tuple[float, float]:
        """(x, y), image pixels."""
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True)
class Author:
    """Who wrote something, and when (ISO 8601, UTC)."""

    who: str
    when: str

    @staticmethod
    def now(who: str) -> Author:
        """Somebody, at this moment."""
        return Author(who, datetime.now(UTC).isoformat(timespec="seconds"))


@dataclass(frozen=True, eq=False)
class Label:
    """Landmarks that a person stands for (placed, corrected, accepted or imported).

    ``points`` (num_landmarks, 2) float64, image pixels; NaN only where the flag is missing.
    ``flags`` (num_landmarks,) uint8 of :class:`Flag`.
    ``placed`` (num_landmarks,) bool: put there by hand, not taken over from a prediction.
    ``based_on``: the id of the model whose prediction was the starting point, or "".
    """

    points: FloatArray
    flags: ByteArray
    placed: BoolArray
    author: Author
    based_on: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", frozen(self.points))
        object.__setattr__(self, "flags", frozen(self.flags, np.uint8))
        object.__setattr__(self, "placed", frozen(self.placed, np.bool_))
        count = len(self.points)
        if self.points.shape != (count, 2) or self.flags.shape != (count,) or self.placed.shape != (count,):
            raise EditError(f"a label needs points (L, 2), flags (L,) and placed (L,), not {self.points.shape}")
        if not np.isfinite(self.points[self.flags != Flag.MISSING]).all():
            raise EditError("a landmark that is not missing needs finite coordinates")

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Label)
            and np.array_equal(self.points, other.points, equal_nan=True)
            and np.array_equal(self.flags, other.flags)
            and np.array_equal(self.placed, other.placed)
            and (self.author, self.based_on) == (other.author, other.based_on)
        )

    @property
    def num_landmarks(self) -> int:
        return len(self.points)

    def with_point(self, landmark: int, x: float, y: float) -> Label:
        """The label with one landmark put somewhere by hand (a missing one becomes visible)."""
        points, flags, placed = self.points.copy(), self.flags.copy(), self.placed.copy()
        points[landmark] = x, y
        placed[landmark] = True
        if flags[landmark] == Flag.MISSING:
            flags[landmark] = Flag.VISIBLE
        return replace(self, points=points, flags=flags, placed=placed)

    def with_flag(self, landmark: int, flag: Flag) -> Label:
        """The label with another flag of a landmark, which stays where it is."""
        flags = self.flags.copy()
        flags[landmark] = flag
        return replace(self, flags=flags)

    @staticmethod
    def from_points(
        points: FloatArray, author: Author, flags: ByteArray | None = None, *, placed: bool = True, based_on: str = ""
    ) -> Label:
        """A label of (num_landmarks, 2) points; rows of NaN become missing."""
        given = np.asarray(points, dtype=np.float64)
        if flags is None:
            flags = np.where(np.isfinite(given).all(axis=1), Flag.VISIBLE, Flag.MISSING).astype(np.uint8)
        return Label(given, flags, np.full(len(given), placed), author, based_on)


@dataclass(frozen=True, eq=False)
class Prediction:
    """Landmarks that a model believes in. Never a label until a person accepts it.

    ``points`` (num_landmarks, 2) float64, image pixels; ``magnitude`` (num_landmarks,) float64: the heatmap's
    sum in the NNM window around each peak. ``scores``: acquisition scores, larger is less sure. ``looks``: 2 where
    the points are the mean of two looks at the face.
    """

    points: FloatArray
    magnitude: FloatArray
    model_id: str
    scores: dict[str, float] = field(default_factory=dict)
    looks: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", frozen(self.points))
        object.__setattr__(self, "magnitude", frozen(self.magnitude))
        if self.points.shape != (len(self.magnitude), 2):
            raise EditError(f"a prediction needs points (L, 2) and magnitude (L,), not {self.points.shape}")


@dataclass(frozen=True)
class Face:
    """One face of one image, and all that people have said of it. Predictions live elsewhere.

    ``image`` is the path relative to the project's image folder, with forward slashes.
    """

    id: int
    image: str
    box: Box | None = None
    label: Label | None = None
    attributes: Attributes = (False,) * 6
    state: State = State.UNLABELLED

    @property
    def is_human(self) -> bool:
        """Whether a person has put anything into this face's landmarks."""
        return self.label is not None
