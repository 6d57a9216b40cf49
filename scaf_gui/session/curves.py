"""The learning curve that is kept with a model. Nothing here loads torch."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scaf_gui.session.models import metadata

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class LearningCurve:
    """Each a line of (step, value): training loss, learning rate, and NME (%) on faces not learnt from."""

    loss: Points = ()
    rate: Points = ()
    validation: Points = ()


def learning_curve(path: Path) -> LearningCurve | None:
    """The curve in a model's file; ``None`` where the file is gone, or holds none (older models, starters)."""
    try:
        kept = metadata(path)["figures"]["curve"]
        steps = [float(step) for step in kept["steps"]]
        curve = LearningCurve(
            _points(zip(steps, kept["loss"], strict=True)),
            _points(zip(steps, kept["rate"], strict=True)),
            _points(kept["validation"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return curve if curve.loss else None


def _points(pairs: Iterable[Any]) -> Points:
    values = ((float(step), float(value)) for step, value in pairs)
    return tuple((step, value) for step, value in values if math.isfinite(step) and math.isfinite(value))
