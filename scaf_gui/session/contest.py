"""Old model against new on the held-out faces: the new one at several distances from where it started.

What is compared is what is shown: predictions with the correction that learns from each face at once, where that is
on. See docs/decisions.md, "Judging a refreshed model" and "What is judged is what is shown".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scaf_gui.core.arrays import ByteArray, FloatArray
from scaf_gui.core.geometry import crop_transform, inverse, transform
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import ImageError
from scaf_gui.session import crossfit, judge
from scaf_gui.session.events import SnapshotFace

if TYPE_CHECKING:
    from scaf_gui.learning.checkpoint import Checkpoint
    from scaf_gui.learning.device import Device
    from scaf_gui.learning.predictor import Predictor
    from scaf_gui.learning.training import TrainResult

#: how far from the weights at the start to the trained ones; 1 is the model as trained
SHARES = (1.0, 0.6, 0.3)
_BATCH = 16

Read = Callable[[str], ByteArray]


@dataclass(frozen=True)
class Outcome:
    """``checkpoint``: the best of the new ones, ``share`` of the way from start to trained weights.

    ``found`` is ``None`` where no image could be read.
    """

    checkpoint: Checkpoint
    share: float
    found: judge.Comparison | None


def hold(
    faces: Sequence[SnapshotFace],
    read: Read,
    old: Predictor,
    trained: TrainResult,
    device: Device,
    scheme: Scheme,
    teachers: Sequence[SnapshotFace] | None = None,
) -> Outcome:
    """Judge the trained model and, where it refined another one, models between start and end.

    Of them the one is taken whose gain is proven best; the smallest step that helps is often the safest.

    :param faces: held out: neither the old model nor the new one was trained on them
    :param teachers: the faces that corrections are learnt from, oldest first (:func:`crossfit.teachers`), each model's
        from what it says of them itself. ``None``: nothing is corrected
    """
    from scaf_gui.learning.predictor import Predictor

    held = _Faces(faces, read)
    best = Outcome(trained.checkpoint, 1.0, None)
    points, taught = held.predict(old), False
    if not points:
        return best
    others = _Faces([face for face in teachers or () if face.face_id not in points], read)
    if teachers is not None:
        said = others.said()
        said |= others.predict(old, but=said)
        points, taught = crossfit.corrected_by_others(points, {**said, **points}, teachers, scheme)
    before = held.errors(points, scheme)
    for share in SHARES if trained.between is not None else SHARES[:1]:
        checkpoint = trained.checkpoint
        if share != 1.0 and trained.between is not None:
            checkpoint = trained.between(share)
        new = Predictor(checkpoint, device, scheme, scores=())
        points, learnt = held.predict(new), False
        if teachers is not None:
            said = {**others.predict(new), **points}
            points, learnt = crossfit.corrected_by_others(points, said, teachers, scheme)
        after = held.errors(points, scheme)
        both = [face_id for face_id in before if face_id in after]
        found = judge.compare([before[face_id] for face_id in both], [after[face_id] for face_id in both])
        if best.found is None or found.proven > best.found.proven:
            best = Outcome(checkpoint, share, replace(found, learnt=taught or learnt))
    return best


class _Faces:
    """Labelled faces whose image can be read, cut once for all models that see crops of the same size."""

    def __init__(self, faces: Sequence[SnapshotFace], read: Read) -> None:
        self._faces, self._read = faces, read
        self._cut: dict[int, list[tuple[SnapshotFace, ByteArray]]] = {}

    def said(self) -> dict[int, FloatArray]:
        """What the model in use has said already, (num_landmarks, 2) image pixels by face id."""
        return {face.face_id: face.predicted for face in self._faces if face.predicted is not None}

    def predict(self, predictor: Predictor, but: Collection[int] = ()) -> dict[int, FloatArray]:
        """(num_landmarks, 2) image pixels by face id, of all faces but those named."""
        size, points = predictor.crop_size, {}
        crops = [(face, crop) for face, crop in self._crops(size) if face.face_id not in but]
        for at in range(0, len(crops), _BATCH):
            part = crops[at : at + _BATCH]
            points_crop = predictor.predict([crop for _, crop in part]).points_crop
            for (face, _), found in zip(part, points_crop, strict=True):
                points[face.face_id] = transform(inverse(crop_transform(face.square, size)), found)
        return points

    def errors(self, points: Mapping[int, FloatArray], scheme: Scheme) -> dict[int, FloatArray]:
        """(num_landmarks,) errors in % by face id; see :func:`judge.face_errors`."""
        by_id = {face.face_id: face for face in self._faces}
        return {face_id: judge.face_errors(found, by_id[face_id], scheme) for face_id, found in points.items()}

    def _crops(self, size: int) -> list[tuple[SnapshotFace, ByteArray]]:
        from scaf_gui.learning.crops import cut_crop

        if size not in self._cut:
            good = []
            for face in self._faces:
                try:
                    good.append((face, cut_crop(self._read(face.image), face.square, size)))
                except ImageError:
                    continue
            self._cut[size] = good
        return self._cut[size]
