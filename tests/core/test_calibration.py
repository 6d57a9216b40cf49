"""Expected errors against data drawn from the very model that is fitted, and against what cannot be known."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from scaf_gui.core.calibration import (
    ACROSS,
    TOLERANCE,
    Calibration,
    Evidence,
    Signal,
    calibrate,
    perfect_magnitude,
    taken_over,
)

LANDMARKS = 20
INNER = np.zeros(LANDMARKS, bool)
PRIOR = Calibration(np.array([1.0, -1.5, -1.0, -2.0]), np.zeros(LANDMARKS), 0.3)
TRUTH = Calibration(np.array([1.6, -2.0, -0.5, -2.5]), np.linspace(-0.3, 0.3, LANDMARKS), 0.2)


def signals(count: int, seed: int) -> list[Signal]:
    rng = np.random.default_rng(seed)
    quality = rng.normal(-0.3, 0.25, count)
    return [
        Signal(np.exp(q / 2 + rng.normal(-0.1, 0.2, LANDMARKS)), float(np.exp(q + rng.normal(0, 0.05))))
        for q in quality
    ]


def faces(count: int, seed: int, taken: bool = False, truth: Calibration = TRUTH) -> list[Evidence]:
    """Errors as the model says: Gamma of shape 2, a face's own log-normal factor on top."""
    rng = np.random.default_rng(seed + 1000)
    found = []
    for signal in signals(count, seed):
        own = np.exp(rng.normal(0, truth.spread) - truth.spread**2 / 2)
        errors = own * rng.gamma(2.0, truth.landmarks(signal) / 2.0)
        found.append(Evidence(signal, errors, errors > TOLERANCE if taken else np.ones(LANDMARKS, bool), INNER))
    return found


def off(fitted: Calibration, truth: Calibration = TRUTH) -> float:
    """Mean relative difference to the true expected errors of other faces."""
    others = signals(200, 77)
    return float(np.mean([abs(fitted.face(s) / truth.face(s) - 1) for s in others]))


def test_no_evidence_leaves_the_prior() -> None:
    assert calibrate([], PRIOR) is PRIOR
    unknown = Evidence(signals(1, 0)[0], np.full(LANDMARKS, np.nan), np.ones(LANDMARKS, bool), INNER)
    assert calibrate([unknown, replace(faces(1, 0)[0], weight=0.0)], PRIOR) is PRIOR


def test_more_faces_bring_it_nearer_to_the_truth() -> None:
    by_count = [np.mean([off(calibrate(faces(n, seed), PRIOR)) for seed in range(6)]) for n in (2, 10, 60)]
    assert off(PRIOR) > 0.3 > by_count[0] > by_count[1] > by_count[2]
    assert by_count[1] < 0.15 and by_count[2] < 0.1
    fitted = calibrate(faces(60, 3), PRIOR)
    # the landmarks of a face, each Gamma of shape 2, leave some spread in their mean too
    spread = np.hypot(TRUTH.spread, np.sqrt(1 / (2 * LANDMARKS)))
    assert fitted.faces == 60 and fitted.spread == pytest.approx(spread, abs=0.06)
    assert np.corrcoef(fitted.offsets, TRUTH.offsets)[0, 1] > 0.6


def test_older_faces_weigh_less() -> None:
    new, old = faces(5, 1), [replace(one, weight=0.1, errors=one.errors * 5) for one in faces(5, 2)]
    mixed, alone = calibrate(new + old, PRIOR), calibrate(new, PRIOR)
    even = calibrate(new + [replace(one, weight=1.0) for one in old], PRIOR)
    signal = signals(1, 9)[0]
    assert alone.face(signal) < mixed.face(signal) < even.face(signal)
    assert mixed.faces == pytest.approx(5.5)


def test_landmarks_taken_over_are_not_taken_for_perfect() -> None:
    good = replace(TRUTH, coefficients=TRUTH.coefficients - np.array([1.8, 0.0, 0.0, 0.0]))
    accepted = faces(40, 5, taken=True, truth=good)
    assert np.mean([one.placed for one in accepted]) < 0.45
    honest = calibrate(accepted, PRIOR)
    everywhere = np.ones(LANDMARKS, bool)
    zero = [replace(one, errors=np.where(one.placed, one.errors, 0.0), placed=everywhere) for one in accepted]
    blind = calibrate(zero, PRIOR)
    assert off(honest, good) < 0.15 < 0.25 < off(blind, good)


@pytest.mark.parametrize("mean", [0.3, 2.0, 9.0, 40.0])
def test_expectation_under_a_limit_is_that_of_drawn_errors(mean: float) -> None:
    rng = np.random.default_rng(0)
    errors = rng.gamma(2.0, mean / 2.0, 400_000)
    across = errors * np.abs(np.sin(np.arctan(np.tan(rng.uniform(0, np.pi, errors.shape)) / 2)))
    assert across.mean() / errors.mean() == pytest.approx(ACROSS, abs=0.01)
    found = taken_over(np.array([mean, mean]), np.array([False, True]))
    assert found[0] == pytest.approx(errors[errors <= TOLERANCE].mean(), rel=0.03)
    assert found[1] == pytest.approx(errors[across <= TOLERANCE].mean(), rel=0.2)


def test_a_slip_of_the_hand_does_not_decide() -> None:
    clean = faces(10, 4)
    wild = replace(clean[0], errors=np.full(LANDMARKS, 1e6))
    assert off(calibrate([wild, *clean[1:]], PRIOR)) < 0.6


def test_the_share_within_a_limit_is_the_one_found() -> None:
    found = faces(4000, 8)
    expected = np.array([TRUTH.face(one.signal) for one in found])
    wide = replace(TRUTH, spread=float(np.std([np.log(one.errors.mean()) for one in found] - np.log(expected))))
    for percent in (3.0, 5.0, 8.0):
        share = float(np.mean([one.errors.mean() <= percent for one in found]))
        assert float(wide.within(expected, percent).mean()) == pytest.approx(share, abs=0.02)


def test_survives_the_project_file_and_refuses_others() -> None:
    again = Calibration.from_json(json.loads(json.dumps(TRUTH.to_json())))
    signal = signals(1, 2)[0]
    assert again.face(signal) == pytest.approx(TRUTH.face(signal), rel=1e-3)
    for wrong in ({}, {**TRUTH.to_json(), "format": 2}, {**TRUTH.to_json(), "coefficients": [1, 2]}):
        with pytest.raises(ValueError, match="calibration"):
            Calibration.from_json(wrong)


def test_empty_and_broken_heatmaps_are_expected_to_be_far_off_and_finite() -> None:
    good = TRUTH.face(signals(1, 2)[0])
    for strength in (np.zeros(LANDMARKS), np.full(LANDMARKS, np.nan)):
        value = TRUTH.face(Signal(strength, None))
        assert np.isfinite(value) and value > 3 * good


def test_a_perfect_heatmap_has_the_perfect_magnitude() -> None:
    y, x = np.mgrid[:31, :31] - 15
    heatmap = np.exp(-(x**2 + y**2) / (2 * 2.0**2))
    assert perfect_magnitude(2.0, 5) == pytest.approx(heatmap[13:18, 13:18].sum())
