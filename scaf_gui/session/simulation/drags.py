"""How many drags labelling takes: what each face's pre-fill needed when its turn came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.corrector import Pair, corrected_points, fit
from scaf_gui.core.metrics import needs_drag
from scaf_gui.core.scheme import Scheme
from scaf_gui.session.simulation.faces import TrueFace
from scaf_gui.session.simulation.trainings import Said

#: a landmark needs a drag from so many % of the normaliser on
LIMITS = (3.0, 5.0)
#: with nothing but the model's pre-fill; with every labelled face correcting the next ones at once
KINDS = ("", "_updated")


def begun(faces: Sequence[TrueFace]) -> dict[str, float]:
    """Of the first round: before there is any model, every landmark has to be placed."""
    landmarks = sum(int(face.known.sum()) for face in faces)
    return {
        f"{column}_{limit:g}{kind}": value
        for limit in LIMITS
        for kind in KINDS
        for column, value in (("met", landmarks / len(faces)), ("total", float(landmarks)))
    }


def met(
    faces: Sequence[TrueFace], said: Mapping[str, Said], scheme: Scheme, earlier: Mapping[str, float]
) -> dict[str, float]:
    """Of a later round.

    :param faces: those labelled in it, in their order
    :param said: what the model of the round before says of them
    :param earlier: the round before's own figures
    """
    shown = {"": [said[face.id].points for face in faces], "_updated": _updated(faces, said, scheme)}
    figures = {}
    for kind in KINDS:
        for limit in LIMITS:
            pairs = zip(shown[kind], faces, strict=True)
            drags = float(sum(needs_drag(points, face.points, scheme, limit).sum() for points, face in pairs))
            figures[f"met_{limit:g}{kind}"] = drags / len(faces)
            figures[f"total_{limit:g}{kind}"] = drags + earlier[f"total_{limit:g}{kind}"]
    return figures


def _updated(faces: Sequence[TrueFace], said: Mapping[str, Said], scheme: Scheme) -> list[FloatArray]:
    """Pre-fills as the window shows them: corrected by what the round's faces so far have taught.

    The person at work drags the landmarks that are off by more than 3 % and takes the others over.
    """
    pairs: list[Pair] = []
    shown: list[FloatArray] = []
    for face in faces:
        predicted = said[face.id].points
        corrector = fit(pairs, scheme, "")
        points = predicted if corrector is None else corrected_points(predicted, corrector)
        shown.append(points)
        dragged = needs_drag(points, face.points, scheme, LIMITS[0])
        left = np.where(face.known[:, None], points, np.nan)
        pairs.append(Pair(predicted, np.where(dragged[:, None], face.points, left), dragged))
    return shown
