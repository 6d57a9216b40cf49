"""The other faces of the photo, as the canvas shows them. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import Box, Face, Prediction, State
from scaf_gui.core.geometry import tight_box
from scaf_gui.core.handles import Rectangle, smallest_around


@dataclass(frozen=True, eq=False)
class Neighbour:
    """A face beside the one that is worked on.

    ``points`` (num_landmarks, 2) float64, image pixels, NaN or ``None`` where nothing is known; ``human``: they
    are a person's. ``number``: which face of its photo it is, from 1.
    """

    face_id: int
    number: int
    box: Box | None
    points: FloatArray | None
    human: bool
    state: State
    edges: tuple[tuple[int, int], ...]

    def bounds(self) -> Rectangle | None:
        """Where a click means this face: its box, else around its landmarks."""
        if self.box is not None:
            return self.box.x, self.box.y, self.box.width, self.box.height
        if self.points is None or not (self.points == self.points).all(axis=1).any():
            return None
        return tight_box(self.points)


def neighbours(
    faces: Sequence[Face],
    current: int | None,
    shown: Callable[[int], Prediction | None],
    edges: tuple[tuple[int, int], ...],
) -> tuple[Neighbour, ...]:
    """All faces of a photo but the current one.

    :param faces: every face of the photo, in the order in which they are numbered
    :param shown: the prediction of a face as it is shown, by its id
    :param edges: the scheme's skeleton
    """
    found = []
    for number, face in enumerate(faces, start=1):
        if face.id == current:
            continue
        prediction = None if face.label is not None else shown(face.id)
        points = prediction.points if prediction is not None else None
        if face.label is not None:
            points = face.label.points
        found.append(Neighbour(face.id, number, face.box, points, face.label is not None, face.state, edges))
    return tuple(found)


def neighbour_at(others: Sequence[Neighbour], x: float, y: float, current: Rectangle | None = None) -> Neighbour | None:
    """The neighbour that a click at (x, y) image pixels means; of boxes inside each other the smallest.

    :param current: where the face that is worked on lies; a click inside it means a neighbour only where that one
        is smaller
    """
    there = [(other, bounds) for other in others if (bounds := other.bounds()) is not None]
    place = smallest_around([bounds for _, bounds in there] + ([current] if current is not None else []), x, y)
    return there[place][0] if place is not None and place < len(there) else None
