from __future__ import annotations

import json

import numpy as np

from scaf_gui.learning.curves import KEPT, Curve


def test_a_long_run_is_thinned_to_means_and_stays_small() -> None:
    curve = Curve()
    curve.losses = np.linspace(1.0, 0.0, 10_000).tolist()
    curve.rates = [1e-3] * 10_000
    curve.validation = [(step, 5.0) for step in range(10, 10_001, 10)]
    kept = curve.to_json()
    assert len(kept["steps"]) == len(kept["loss"]) == len(kept["rate"]) == KEPT and kept["steps"][-1] == 10_000
    assert np.isclose(np.mean(kept["loss"]), 0.5, atol=0.01) and kept["loss"] == sorted(kept["loss"], reverse=True)
    assert len(kept["validation"]) <= KEPT + 1 and kept["validation"][-1] == [10_000, 5.0]
    assert len(json.dumps(kept)) < 8_000


def test_a_short_run_is_kept_as_it_was() -> None:
    curve = Curve()
    assert curve.to_json()["steps"] == []
    curve.losses, curve.rates, curve.validation = [0.5, 0.25], [1e-3, 5e-4], [(2, 4.5)]
    assert curve.to_json() == {"steps": [1, 2], "loss": [0.5, 0.25], "rate": [1e-3, 5e-4], "validation": [[2, 4.5]]}
