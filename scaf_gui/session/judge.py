"""Whether a new model is better than the old one, on faces that neither has been trained on.

Which faces are held out follows from the face's id and the project's seed, so a face that is held out once
stays held out; see docs/decisions.md, "Judging a refreshed model".
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

import numpy as np

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.metrics import landmark_errors
from scaf_gui.core.scheme import Scheme
from scaf_gui.session.events import SnapshotFace

#: share of the labelled faces that is held out, and how many at least and at most
SHARE, LEAST, MOST = 0.2, 3, 60
#: with fewer labels than this, only just-corrected faces are held out
PLENTY = 8
#: a landmark that a person took over is known to about this many % of the normaliser: what needs no drag
TOLERANCE = 3.0


def lot(face_id: int, seed: int) -> float:
    """The face's place in [0, 1): the same for good, and as good as random."""
    digest = hashlib.blake2b(f"{seed}:{face_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def held_out(faces: Sequence[SnapshotFace], seen: Collection[int], seed: int) -> tuple[int, ...]:
    """Ids of the labelled faces to judge by, none of which is in ``seen``.

    :param seen: faces that the old model, or one it started from, was trained on
    :returns: empty where no fair comparison is possible: nothing is new to the old model, or fewer
        than two labels would be left to train on
    """
    fresh = [face for face in faces if face.face_id not in seen]
    newest = sorted(fresh, key=lambda face: (face.when, face.face_id), reverse=True)
    if len(faces) < PLENTY:
        count = min(max(1, len(faces) // 4), len(faces) - 2)
        return tuple(face.face_id for face in newest[: max(count, 0)])
    drawn = sorted((lot(face.face_id, seed), face.face_id) for face in fresh)
    # by chance half of ten labels may be drawn: never more than a quarter
    most = min(MOST, max(LEAST, len(faces) // 4))
    reserved = [face_id for place, face_id in drawn if place < SHARE][:most]
    for face in newest:
        if len(reserved) >= LEAST:
            break
        if face.face_id not in reserved:
            reserved.append(face.face_id)
    return tuple(reserved)


def face_error(points: FloatArray, face: SnapshotFace, scheme: Scheme) -> float:
    """NME in % of a prediction (num_landmarks, 2) for one labelled face.

    A landmark that the person took over from a prediction says only that it was near enough, so there
    an error counts by what it exceeds :data:`TOLERANCE`; otherwise the model whose prediction was
    accepted would always seem perfect.
    """
    truth = np.where(face.known[:, None], face.points, np.nan)
    errors = landmark_errors(points, truth, scheme)
    errors = np.where(face.placed, errors, np.maximum(errors - TOLERANCE, 0.0))
    return float(np.nanmean(errors)) if face.known.any() else 0.0


def mean_error(predicted: Sequence[FloatArray], faces: Sequence[SnapshotFace], scheme: Scheme) -> float:
    """Mean of :func:`face_error` over faces."""
    return float(np.mean([face_error(p, f, scheme) for p, f in zip(predicted, faces, strict=True)]))


def verdict(old: float, new: float, count: int) -> tuple[bool, str]:
    """Whether the new model takes over (a tie: it does), and the sentence that says so."""
    faces = f"{count} held-out face{'' if count == 1 else 's'}"
    if new <= old:
        return True, f"The new model takes over: {new:.1f} % against {old:.1f} % for the old one on {faces}"
    return False, f"Kept the old model: {old:.1f} % against {new:.1f} % for the new one on {faces}"
