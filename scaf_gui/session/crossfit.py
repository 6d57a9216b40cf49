"""What would be shown of labelled faces if they were not labelled: corrected by what the *other* labels teach.

What is shown is a model's prediction and, on top, the correction that :mod:`scaf_gui.session.instant` fits to the
labels. To judge what is shown on a labelled face, its own label must have taught neither the model nor the correction:
the correction is fitted to the others, those among them that the model was trained on, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.corrector import MOST_FACES, Pair, corrected_points, fit
from scaf_gui.core.scheme import Scheme
from scaf_gui.session.events import SnapshotFace

#: faces are left out in at most so many parts: beyond that a correction has enough others to learn from
PARTS = 10


def teachers(faces: Sequence[SnapshotFace]) -> list[SnapshotFace]:
    """The faces that a model's correction is learnt from: those labelled last, oldest first."""
    return sorted(faces, key=lambda face: face.when)[-MOST_FACES:]


def corrected_by_others(
    points: Mapping[int, FloatArray],
    predicted: Mapping[int, FloatArray],
    teachers: Sequence[SnapshotFace],
    scheme: Scheme,
) -> tuple[dict[int, FloatArray], bool]:
    """Correct one model's predictions by labels of other faces (cross-fitting).

    :param points: predictions to correct, by face id: (num_landmarks, 2) image pixels
    :param predicted: the model's predictions of the ``teachers``, alike; those without are passed over
    :returns: what would be shown, by face id, and whether anything was corrected
    """
    pairs = {face.face_id: _pair(face, predicted[face.face_id]) for face in teachers if face.face_id in predicted}
    shown, corrected = dict(points), False
    places = sorted(points)
    for part in (places[start::PARTS] for start in range(min(PARTS, len(places)))):
        corrector = fit([pair for face_id, pair in pairs.items() if face_id not in part], scheme, "")
        if corrector is None:
            continue
        corrected = True
        shown.update({face_id: corrected_points(points[face_id], corrector) for face_id in part})
    return shown, corrected


def _pair(face: SnapshotFace, predicted: FloatArray) -> Pair:
    return Pair(predicted, np.where(face.known[:, None], face.points, np.nan), face.placed)
