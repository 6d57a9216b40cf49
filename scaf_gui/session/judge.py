"""Whether a new model is better than the old one, on faces that neither has been trained on.

Which faces are held out follows from the face's id and the project's seed, so a face that is held out once
stays held out; see docs/decisions.md, "Judging a refreshed model".
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.metrics import landmark_errors
from scaf_gui.core.scheme import Scheme
from scaf_gui.session.events import SnapshotFace

#: share of the labelled faces that is held out, and how many at least and at most
SHARE, LEAST, MOST = 0.2, 3, 60
#: with fewer labels than this, only just-corrected faces are held out
PLENTY = 8
#: with so many labels a project's first model too is trained on a part of them, and stopped by the others
MANY = 40
#: a landmark that a person took over is known to about this many % of the normaliser: what needs no drag
TOLERANCE = 3.0
#: standard errors by which a new model must be better: of models that are no better, about one in fifty passes
MARGIN = 2.0
#: spread of the gain between faces over that between the landmarks of a face (measured: 0.16 to 0.26), and as
#: how many faces this prior knowledge counts
SPREAD, PRIOR = 0.25, 4


def lot(face_id: int, seed: int) -> float:
    """The face's place in [0, 1): the same for good, and as good as random."""
    digest = hashlib.blake2b(f"{seed}:{face_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def held_out(faces: Sequence[SnapshotFace], seen: Collection[int] | None, seed: int) -> tuple[int, ...]:
    """Ids of the labelled faces to judge by, none of which is in ``seen``.

    :param seen: faces that the old model, or one it started from, was trained on; ``None`` where there is no old
        model: then faces are held out only where the labels are :data:`MANY`, to tell when to stop training
    :returns: empty where no fair comparison is possible: nothing is new to the old model, or fewer
        than two labels would be left to train on
    """
    if seen is None and len(faces) < MANY:
        return ()
    fresh = [face for face in faces if face.face_id not in (seen or ())]
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


def face_errors(points: FloatArray, face: SnapshotFace, scheme: Scheme) -> FloatArray:
    """(num_landmarks,) errors in % of a prediction (num_landmarks, 2) for one labelled face; NaN where missing.

    A landmark that the person took over from a prediction says only that it was near enough, so there
    an error counts by what it exceeds :data:`TOLERANCE`; otherwise the model whose prediction was
    accepted would always seem perfect.
    """
    truth = np.where(face.known[:, None], face.points, np.nan)
    errors = landmark_errors(points, truth, scheme)
    return np.where(face.placed, errors, np.maximum(errors - TOLERANCE, 0.0))


@dataclass(frozen=True)
class Comparison:
    """Old against new model on the same faces, all in % of the normaliser.

    ``old``, ``new``: mean errors; ``gain``: their difference, positive where the new one is better;
    ``doubt``: the standard error of the gain, over faces. ``learnt``: compared are predictions as they are shown, with
    the correction that is learnt from labels at once.
    """

    old: float
    new: float
    gain: float
    doubt: float
    faces: int
    learnt: bool = False

    @property
    def proven(self) -> float:
        """What the gain amounts to at least, but for one case in fifty; the new model takes over above 0."""
        return self.gain - MARGIN * self.doubt


def compare(old: Sequence[FloatArray], new: Sequence[FloatArray]) -> Comparison:
    """Compare two models landmark by landmark: each sequence has one (num_landmarks,) array of errors per face.

    Of one to a handful of faces the spread between faces cannot be told, so it is estimated together with
    what the paired differences of landmarks within a face suggest (:data:`SPREAD`), which counts as so many
    faces as :data:`PRIOR` says.
    """
    gains = [first - second for first, second in zip(old, new, strict=True)]
    gains = [gain[np.isfinite(gain)] for gain in gains]
    kept = [place for place, gain in enumerate(gains) if gain.size]
    if not kept:
        return Comparison(float("nan"), float("nan"), 0.0, 0.0, 0)
    per_face = np.array([gains[place].mean() for place in kept])
    within = float(np.mean([gains[place].var() for place in kept]))
    count = len(kept)
    spread = (PRIOR * SPREAD**2 * within + float(((per_face - per_face.mean()) ** 2).sum())) / (PRIOR + count - 1)
    before, after = (float(np.mean([np.nanmean(errors[place]) for place in kept])) for errors in (old, new))
    return Comparison(before, after, float(per_face.mean()), float(np.sqrt(spread / count)), count)


def verdict(found: Comparison) -> tuple[bool, str]:
    """Whether the new model takes over, and the sentence that says so."""
    faces = f"{found.faces} held-out face{'' if found.faces == 1 else 's'}"
    more = ", both with what your corrections teach," if found.learnt else ""
    if found.proven > 0:
        said = f"The new model takes over: {found.new:.1f} % against {found.old:.1f} % for the old one{more} on {faces}"
        return True, said
    said = f"Kept the old model: {found.old:.1f} % against {found.new:.1f} % for the new one{more} on {faces}"
    if found.gain > 0:
        said += ", too close to call"
    return False, said
