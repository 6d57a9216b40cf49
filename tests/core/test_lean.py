"""How far labels lean, from faces whose pull is known."""

from __future__ import annotations

import numpy as np
import pytest

from scaf_gui.core.lean import LEAST, Accepted, lean, verdict

GROUPS = {"eye": (0, 1), "mouth": (2, 3, 4)}


def faces(count: int, mean: float, *, blind: bool, seed: int = 0, spread: float = 0.2) -> list[Accepted]:
    rng = np.random.default_rng(seed)
    means = mean + rng.normal(0, spread, count)
    return [Accepted(np.abs(m + rng.normal(0, 0.1, 5)), blind, 0.0 if blind else 0.6) for m in means]


def test_a_pull_is_told_with_its_interval() -> None:
    found = lean(faces(60, 1.0, blind=False) + faces(20, 1.8, blind=True, seed=1), GROUPS)
    assert (found.shown, found.blind) == (60, 20)
    whole = found.whole
    assert whole.difference == pytest.approx(0.8, abs=0.15)
    assert whole.low is not None and whole.high is not None and whole.difference is not None
    assert 0 < whole.low < whole.difference < whole.high < 1.3
    assert found.untouched == pytest.approx(0.6)
    assert found.within == pytest.approx(1.0)
    assert verdict(found) == (
        f"Accepted landmarks lie {whole.difference:.1f} % closer to the model than those placed blind "
        f"({whole.low:.1f} to {whole.high:.1f} %)"
    )
    assert lean(faces(60, 1.0, blind=False) + faces(20, 1.8, blind=True, seed=1), GROUPS) == found, "the same each time"


def test_the_interval_holds_what_it_says() -> None:
    """Of 95 % intervals, about so many hold the true difference."""
    held = 0
    for seed in range(60):
        found = lean(faces(30, 1.0, blind=False, seed=2 * seed) + faces(15, 1.5, blind=True, seed=2 * seed + 1), GROUPS)
        assert found.whole.low is not None and found.whole.high is not None
        held += found.whole.low <= 0.5 <= found.whole.high
    assert held >= 50


def test_no_pull_is_not_made_up() -> None:
    found = lean(faces(40, 1.5, blind=False, seed=3) + faces(12, 1.5, blind=True, seed=4), GROUPS)
    assert verdict(found).startswith("No lean towards the model can be told: ")
    away = lean(faces(40, 2.5, blind=False, seed=3) + faces(12, 1.5, blind=True, seed=4), GROUPS)
    assert "farther from the model" in verdict(away)


def test_few_faces_are_said_to_be_few() -> None:
    found = lean(faces(40, 1.0, blind=False) + faces(3, 2.0, blind=True), GROUPS)
    assert found.lacking == (0, LEAST - 3)
    assert verdict(found) == "Not enough blind faces yet: 3 of 10"
    assert found.whole.difference is not None and found.whole.low is None
    found = lean(faces(12, 2.0, blind=True), GROUPS)
    assert verdict(found) == "Not enough faces accepted after a pre-fill yet: 0 of 10"
    assert (found.whole.shown, found.untouched) == (None, None)
    assert verdict(lean([], GROUPS)) == "Not enough blind faces yet: 0 of 10"


def test_groups_are_compared_by_themselves_and_gaps_left_out() -> None:
    rows = faces(15, 1.0, blind=False) + faces(15, 1.0, blind=True)
    pull = np.array([2, 2, 0, 0, 0])
    pulled = [Accepted(f.distances + pull if f.blind else f.distances, f.blind) for f in rows]
    gone = np.full(5, np.nan)
    pulled += [Accepted(gone, True), Accepted(np.array([1.0, np.nan, np.nan, np.nan, np.nan]), True)]
    found = lean(pulled, GROUPS)
    assert found.blind == 16, "a face of which nothing is known does not count"
    assert found.groups["eye"].difference == pytest.approx(2.0, abs=0.3)
    assert found.groups["mouth"].difference == pytest.approx(0.0, abs=0.2)
    assert Accepted(gone, True).mean != Accepted(gone, True).mean
