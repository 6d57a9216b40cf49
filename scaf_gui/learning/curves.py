"""The learning curve of a run: loss and learning rate by step, validation NME at the steps that were looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

#: points of each line that are kept with a model
KEPT = 120


class Curve:
    """Grows with the run; :meth:`to_json` thins it to a bounded size.

    ``losses`` and ``rates`` (of the head) have one value per step; ``validation`` holds (step, NME in %).
    """

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.rates: list[float] = []
        self.validation: list[tuple[int, float]] = []

    def __len__(self) -> int:
        """Steps so far."""
        return len(self.losses)

    def to_json(self) -> Mapping[str, Any]:
        """``{"steps", "loss", "rate", "validation": [[step, nme], ...]}``; loss is the mean since the point before."""
        if not self.losses:
            return {"steps": [], "loss": [], "rate": [], "validation": []}
        ends = np.unique(np.linspace(1, len(self), min(len(self), KEPT)).round().astype(int))
        starts = np.concatenate([[0], ends[:-1]])
        loss = [float(np.mean(self.losses[a:b])) for a, b in zip(starts, ends, strict=True)]
        looks = self.validation[:: -(-len(self.validation) // KEPT) or 1]
        if looks and looks[-1] != self.validation[-1]:
            looks.append(self.validation[-1])
        return {
            "steps": ends.tolist(),
            "loss": [_short(value) for value in loss],
            "rate": [_short(self.rates[end - 1]) for end in ends],
            "validation": [[step, _short(error)] for step, error in looks],
        }


def _short(value: float) -> float:
    return float(f"{value:.4g}")
