from __future__ import annotations

import numpy as np
import pytest

from scaf_gui.core.finish import Judged, learning_curve, wilson


def test_wilson_holds_the_true_share_in_about_nine_of_ten_samples() -> None:
    rng = np.random.default_rng(0)
    for share, count in ((0.5, 10), (0.1, 20), (0.9, 40)):
        found = rng.binomial(count, share, 4000) / count
        held = np.mean([low <= share <= high for low, high in (wilson(float(s), count) for s in found)])
        assert 0.84 <= held <= 0.98, (share, count)
    assert wilson(0.0, 0) == (0.0, 1.0)
    low, high = wilson(0.0, 10)
    assert low == 0.0 and 0.15 < high < 0.35


def test_a_falling_curve_is_recognised_and_continued() -> None:
    history = [Judged(n, 12.0 * n**-0.3, 60) for n in (10, 20, 40, 80)]
    curve = learning_curve(history, 0.25)
    assert curve is not None and curve.exponent == pytest.approx(0.3, abs=0.03)
    assert curve.factor(80) == pytest.approx(2**-curve.exponent)
    assert curve.factor(0) == 1.0


@pytest.mark.parametrize(
    "history",
    [
        [],
        [Judged(10, 8.0, 5), Judged(80, 5.0, 20)],  # two models
        [Judged(10, 8.0, 20), Judged(11, 7.0, 20), Judged(12, 6.0, 20)],  # hardly more labels
        [Judged(10, 5.0, 60), Judged(20, 5.2, 60), Judged(80, 6.0, 60)],  # rising
        [Judged(10, 6.0, 2), Judged(15, 5.9, 2), Judged(20, 5.8, 2)],  # six faces in all tell nothing
    ],
)
def test_nothing_is_invented(history: list[Judged]) -> None:
    assert learning_curve(history, 0.25) is None
