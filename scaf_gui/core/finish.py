"""The finish line: how many of the unseen faces are good already, and what more labels would bring."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: exponents of published learning curves: error ~ labels ** -c with c about 0.1 (SCAF, 50 to 3148 labels: 0.05;
#: 3FabRec: 0.07; small training runs: 0.1 to 0.2)
_EXPONENT, _EXPONENT_SLACK = 0.1, 0.1
#: a curve needs so many models, of which the last has seen this many times the labels of the first
LEAST_MODELS, LEAST_GROWTH = 3, 1.5


def wilson(share: float, count: float, z: float = 1.645) -> tuple[float, float]:
    """Interval around a share found in a random sample of ``count`` (Wilson 1927); by default of 90 %."""
    if count <= 0:
        return 0.0, 1.0
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    reach = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, centre - reach), min(1.0, centre + reach)


@dataclass(frozen=True)
class Judged:
    """A model of the project: its mean error in % on ``faces`` faces that it was not trained on."""

    labels: int
    error: float
    faces: int


@dataclass(frozen=True)
class LearningCurve:
    """``error ~ labels ** -exponent``, with the standard deviation of what is known of the exponent."""

    exponent: float
    deviation: float
    labels: int

    def factor(self, more: int) -> float:
        """What the error is multiplied by after ``more`` labels."""
        return float((1 + more / self.labels) ** -self.exponent)


def learning_curve(judged: Sequence[Judged], spread: float) -> LearningCurve | None:
    """The power law through a project's models; ``None`` where they do not tell enough to speak of a gain.

    Least squares in logarithms, each model weighted by the faces it was judged on, with a normal prior on
    the exponent from published curves. Silent with fewer than three models, without a growth by half, and
    where the exponent is not at least twice its standard deviation, or the project's own slope is not falling.

    :param spread: standard deviation of the log error of a face
    """
    points = [one for one in judged if one.labels > 0 and one.error > 0 and one.faces > 0]
    if len(points) < LEAST_MODELS:
        return None
    sizes = np.array([one.labels for one in points], dtype=np.float64)
    if sizes.max() < LEAST_GROWTH * sizes.min():
        return None
    weight = np.array([one.faces for one in points]) / max(spread, 0.05) ** 2
    x, y = np.log(sizes), np.log([one.error for one in points])
    x = x - (weight * x).sum() / weight.sum()
    certain = float((weight * x * x).sum())
    own = -float((weight * x * y).sum()) / certain
    prior = 1 / _EXPONENT_SLACK**2
    exponent = (certain * own + prior * _EXPONENT) / (certain + prior)
    deviation = (certain + prior) ** -0.5
    if own <= 0 or exponent < 2 * deviation:
        return None
    return LearningCurve(exponent, deviation, int(points[-1].labels))


@dataclass(frozen=True)
class Gain:
    """What ``labels`` more labels would bring: mean error and share of good faces then, in % and 0 to 1."""

    labels: int
    expected: float
    share: float


@dataclass(frozen=True)
class FinishLine:
    """How far the project is.

    ``unseen`` faces wait and are predicted; ``expected``: their mean expected error in %; ``share`` (0 to 1) of them
    is expected to be within ``percent``, between ``low`` and ``high`` with 90 % confidence, as far as the
    ``calibrated`` faces drawn at random tell; ``None`` while these are too few, by ``lacking``. ``gain``: ``None``
    where the project's models do not tell.
    """

    unseen: int
    expected: float
    percent: float
    calibrated: int
    share: float | None = None
    low: float | None = None
    high: float | None = None
    gain: Gain | None = None
    lacking: int = 0
