"""How far accepted labels lean towards the model: faces placed without seeing a prediction against the others.

Of every accepted face the distance between its label and what the model predicted is known. Where the prediction was
shown, a person who lets it draw him ends nearer to it than he would have otherwise. How much nearer, faces tell of
which the prediction was kept back. Part of the difference is no harm: a landmark that is fine is left where it is,
while a hand that places it anew spreads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.calibration import TOLERANCE

#: nothing is said with fewer faces of either kind
LEAST = 10
#: of the bootstrap
_DRAWS, _SEED = 4000, 0


@dataclass(frozen=True, eq=False)
class Accepted:
    """One accepted face. ``distances`` (num_landmarks,): from label to prediction in % of the normaliser, NaN where
    unknown; ``blind``: placed without seeing the prediction; ``untouched``: share of its landmarks that are exactly
    where the model put them."""

    distances: FloatArray
    blind: bool
    untouched: float = 0.0

    @property
    def mean(self) -> float:
        """Mean distance in %; NaN where none is known."""
        known = self.distances[np.isfinite(self.distances)]
        return float(known.mean()) if len(known) else float("nan")


@dataclass(frozen=True)
class Difference:
    """Mean distances in %, of faces shown with and without their prediction, and blind less shown.

    ``low``, ``high``: bootstrap interval of ``difference`` (95 %, percentiles); ``None`` where faces are too few.
    """

    shown: float | None
    blind: float | None
    difference: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Lean:
    """The whole report: ``shown`` and ``blind`` faces, the difference over all landmarks and by group.

    ``untouched``: share of the landmarks of shown faces that were left exactly where the model put them; ``within``:
    share of the landmarks of blind faces that came to lie within :data:`~scaf_gui.core.calibration.TOLERANCE` % of the
    prediction which nobody saw: so many could have been left. ``None`` without such faces.
    """

    shown: int
    blind: int
    whole: Difference
    groups: Mapping[str, Difference]
    untouched: float | None
    within: float | None

    @property
    def lacking(self) -> tuple[int, int]:
        """How many shown and blind faces are lacking until something can be said."""
        return max(0, LEAST - self.shown), max(0, LEAST - self.blind)


def lean(faces: Sequence[Accepted], groups: Mapping[str, Sequence[int]]) -> Lean:
    """Compare the two kinds of faces.

    :param groups: landmarks by the name of their group
    """
    faces = [face for face in faces if np.isfinite(face.distances).any()]
    shown, blind = [f for f in faces if not f.blind], [f for f in faces if f.blind]
    by_group = {
        name: _difference(*(_means([f.distances[list(rows)] for f in kind]) for kind in (shown, blind)))
        for name, rows in groups.items()
    }
    near = [face.distances[np.isfinite(face.distances)] <= TOLERANCE for face in blind]
    return Lean(
        len(shown),
        len(blind),
        _difference(*(_means([f.distances for f in kind]) for kind in (shown, blind))),
        by_group,
        float(np.mean([face.untouched for face in shown])) if shown else None,
        float(np.mean([one.mean() for one in near])) if near else None,
    )


def _means(rows: Sequence[FloatArray]) -> FloatArray:
    """(faces,) mean distance of each face that has one: landmarks of one face hang together, so faces are drawn."""
    known = [row[np.isfinite(row)] for row in rows]
    return np.array([row.mean() for row in known if len(row)])


def _difference(shown: FloatArray, blind: FloatArray) -> Difference:
    if not (len(shown) and len(blind)):
        return Difference(*(float(kind.mean()) if len(kind) else None for kind in (shown, blind)))
    made = float(blind.mean() - shown.mean())
    if min(len(shown), len(blind)) < LEAST:
        return Difference(float(shown.mean()), float(blind.mean()), made)
    rng = np.random.default_rng(_SEED)
    drawn = [kind[rng.integers(0, len(kind), (_DRAWS, len(kind)))].mean(axis=1) for kind in (blind, shown)]
    low, high = np.percentile(drawn[0] - drawn[1], [2.5, 97.5]).tolist()
    return Difference(float(shown.mean()), float(blind.mean()), made, low, high)


def verdict(found: Lean) -> str:
    """One plain sentence."""
    shown, blind = found.lacking
    if blind:
        return f"Not enough blind faces yet: {found.blind} of {LEAST}"
    if shown:
        return f"Not enough faces accepted after a pre-fill yet: {found.shown} of {LEAST}"
    whole = found.whole
    assert whole.difference is not None and whole.low is not None and whole.high is not None
    interval = f"{_signed(whole.low)} to {_signed(whole.high)} %"
    if whole.low > 0:
        return (
            f"Accepted landmarks lie {whole.difference:.1f} % closer to the model than those placed blind ({interval})"
        )
    if whole.high < 0:
        return f"Accepted landmarks lie {-whole.difference:.1f} % farther from the model than those placed blind"
    return f"No lean towards the model can be told: {_signed(whole.difference)} % ({interval})"


def _signed(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")
