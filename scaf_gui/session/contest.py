"""Old model against new on the held-out faces: the new one at several distances from where it started.

See docs/decisions.md, "Judging a refreshed model".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scaf_gui.core.arrays import ByteArray, FloatArray
from scaf_gui.core.geometry import crop_transform, inverse, transform
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import ImageError
from scaf_gui.session import judge
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
) -> Outcome:
    """Judge the trained model and, where it refined another one, models between start and end.

    Of them the one is taken whose gain is proven best; the smallest step that helps is often the safest.
    """
    from scaf_gui.learning.predictor import Predictor

    shown = _Faces(faces, read)
    best = Outcome(trained.checkpoint, 1.0, None)
    before = shown.errors(old, scheme)
    if not before:
        return best
    for share in SHARES if trained.between is not None else SHARES[:1]:
        checkpoint = trained.checkpoint
        if share != 1.0 and trained.between is not None:
            checkpoint = trained.between(share)
        after = shown.errors(Predictor(checkpoint, device, scheme, scores=()), scheme)
        found = judge.compare(before, after)
        if best.found is None or found.proven > best.found.proven:
            best = Outcome(checkpoint, share, found)
    return best


class _Faces:
    """Held-out faces whose image can be read, cut once for all models that see crops of the same size."""

    def __init__(self, faces: Sequence[SnapshotFace], read: Read) -> None:
        self._faces, self._read = faces, read
        self._cut: dict[int, list[tuple[SnapshotFace, ByteArray]]] = {}

    def errors(self, predictor: Predictor, scheme: Scheme) -> list[FloatArray]:
        """(num_landmarks,) errors in % per face; see :func:`judge.face_errors`."""
        size, errors = predictor.crop_size, []
        crops = self._crops(size)
        for at in range(0, len(crops), _BATCH):
            part = crops[at : at + _BATCH]
            points_crop = predictor.predict([crop for _, crop in part]).points_crop
            for (face, _), found in zip(part, points_crop, strict=True):
                points = transform(inverse(crop_transform(face.square, size)), found)
                errors.append(judge.face_errors(points, face, scheme))
        return errors

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
            self._faces = [face for face, _ in good]
        return self._cut[size]
