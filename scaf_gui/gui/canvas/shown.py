"""What the canvas shows of a face: label and prediction joined into one set of arrays. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scaf_gui.core.arrays import BoolArray, ByteArray, FloatArray, frozen
from scaf_gui.core.doubt import WORTH_A_LOOK, doubt
from scaf_gui.core.face import Box, Face, Flag, Prediction, State
from scaf_gui.core.scheme import Scheme

#: a landmark that is expected to be off by more than this many % of the normaliser is ringed
UNSURE_ABOVE = WORTH_A_LOOK


@dataclass(frozen=True, eq=False)
class Shown:
    """Landmarks as they are drawn.

    ``points`` (num_landmarks, 2) float64, image pixels, NaN where there is nothing to draw; ``flags``
    (num_landmarks,) of :class:`Flag`; ``human`` (num_landmarks,) bool: a person stands for it (placed by
    hand, or accepted with the face), the others are only predicted; ``unsure`` (num_landmarks,) bool:
    predicted, and expected to need a drag; ``doubt`` (num_landmarks,): expected error of what is predicted in %, NaN
    where a person stands for it or nothing is known; ``ghost`` (num_landmarks, 2): what was predicted, where a label
    hides it.
    """

    points: FloatArray
    flags: ByteArray
    human: BoolArray
    unsure: BoolArray
    doubt: FloatArray
    ghost: FloatArray | None
    box: Box | None
    names: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]

    def with_point(self, landmark: int, x: float, y: float) -> Shown:
        """The same with one landmark put somewhere by hand."""
        points, flags, human = self.points.copy(), self.flags.copy(), self.human.copy()
        points[landmark] = x, y
        human[landmark] = True
        if flags[landmark] == Flag.MISSING:
            flags[landmark] = Flag.VISIBLE
        errors = self.doubt.copy()
        errors[landmark] = np.nan
        return replace(self, points=frozen(points), flags=flags, human=human, doubt=errors)

    def with_points(self, points: FloatArray, moved: BoolArray, placed: BoolArray) -> Shown:
        """The same with several landmarks somewhere else; of those ``moved``, the ``placed`` ones by hand."""
        flags = np.where(moved & (self.flags == Flag.MISSING), np.uint8(Flag.VISIBLE), self.flags)
        return replace(
            self,
            points=frozen(np.where(moved[:, None], points, self.points)),
            flags=flags,
            human=self.human | (moved & placed),
            unsure=self.unsure & ~(moved & placed),
            doubt=np.where(moved & placed, np.nan, self.doubt),
        )

    def known(self) -> FloatArray:
        """(N, 2): the landmarks that have a place."""
        return self.points[np.isfinite(self.points).all(axis=1)]

    def bounds(self) -> tuple[float, float, float, float] | None:
        """(x, y, width, height) around the landmarks, with the box while most have no place yet; else the box, or
        ``None``."""
        finite = self.known()
        if self.box is not None and 0 < len(finite) < len(self.points) / 2:
            box = self.box
            finite = np.vstack([finite, [[box.x, box.y], [box.x + box.width, box.y + box.height]]])
        if len(finite) > 1:
            low, high = finite.min(axis=0), finite.max(axis=0)
            if (high > low).all():
                return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])
        return None if self.box is None else (self.box.x, self.box.y, self.box.width, self.box.height)


def shown(
    face: Face | None, prediction: Prediction | None, scheme: Scheme, expected: FloatArray | None = None
) -> Shown:
    """Join a face's label and prediction: the label is shown where there is one, else the prediction.

    :param expected: (num_landmarks,) expected errors of the prediction in % of the normaliser
    :raises ValueError: when either has not the scheme's number of landmarks
    """
    count = scheme.num_landmarks
    label = None if face is None else face.label
    for given in (label, prediction):
        if given is not None and len(given.points) != count:
            raise ValueError(f"{len(given.points)} landmarks do not fit {scheme.id}, which has {count}")
    points = np.full((count, 2), np.nan)
    flags = np.full(count, Flag.VISIBLE, dtype=np.uint8)
    human = np.zeros(count, dtype=np.bool_)
    if label is not None and face is not None:
        points, flags = label.points, label.flags
        human = label.placed | (face.state is State.LABELLED)
    elif prediction is not None:
        points = prediction.points
    errors = doubt(expected, human)
    return Shown(
        points=points,
        flags=flags,
        human=human,
        unsure=np.asarray(errors > UNSURE_ABOVE, dtype=np.bool_),
        doubt=errors,
        ghost=None if prediction is None or label is None else prediction.points,
        box=None if face is None else face.box,
        names=tuple(name.replace("_", " ") for name in scheme.names),
        edges=scheme.edges,
    )
