from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from scaf_gui import paths
from scaf_gui.core.geometry import Square, crop_transform, transform
from scaf_gui.core.scheme import load_scheme
from scaf_gui.errors import ImageError
from scaf_gui.learning import predictor as predictor_module
from scaf_gui.session import contest
from scaf_gui.session.events import SnapshotFace

SCHEME = load_scheme(paths.resource_folder() / "schemes" / "five-5.json")
POINTS = np.array([[30.0, 40.0], [90.0, 40.0], [60.0, 60.0], [45.0, 90.0], [75.0, 90.0]])
SQUARE = Square(60.0, 60.0, 128.0)


class Off:
    """Predicts the true landmarks, moved to the right by so many pixels; 60 pixels are 100 %."""

    crop_size = 128

    def __init__(self, pixels: float, *given: Any, **more: Any) -> None:
        self.pixels = pixels

    def predict(self, crops: Any) -> SimpleNamespace:
        rng = np.random.default_rng(0)
        noise = rng.normal(0.0, 0.02, (len(crops), 5))
        moved = np.stack([POINTS + np.stack([self.pixels + n, np.zeros(5)], axis=1) for n in noise])
        return SimpleNamespace(
            points_crop=transform(crop_transform(SQUARE, 128), moved.reshape(-1, 2)).reshape(-1, 5, 2)
        )


def face(face_id: int) -> SnapshotFace:
    return SnapshotFace(face_id, f"{face_id}.png", SQUARE, POINTS, np.ones(5, bool), np.ones(5, bool), "")


def read(name: str) -> np.ndarray:
    if name == "2.png":
        raise ImageError("cannot be read", name)
    return np.zeros((128, 128, 3), np.uint8)


def held(monkeypatch: pytest.MonkeyPatch, by_share: dict[float, float], refines: bool = True) -> contest.Outcome:
    """The old model is off by 3 pixels (5 %), the new ones by so many pixels at each share."""
    monkeypatch.setattr(predictor_module, "Predictor", Off)
    trained: Any = SimpleNamespace(checkpoint=by_share[1.0], between=by_share.__getitem__ if refines else None)
    faces = [face(number) for number in (1, 2, 3)]
    return contest.hold(faces, read, Off(3.0), trained, SimpleNamespace(), SCHEME)  # type: ignore[arg-type]


def test_the_mixture_with_the_most_proven_gain_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = held(monkeypatch, {1.0: 3.6, 0.6: 1.2, 0.3: 2.4})
    assert outcome.share == 0.6 and outcome.checkpoint == 1.2 and outcome.found is not None
    assert outcome.found.faces == 2, "an image that cannot be read judges nobody"
    assert (outcome.found.old, outcome.found.new) == pytest.approx((5.0, 2.0), abs=0.05)


def test_a_model_trained_from_another_beginning_has_no_mixtures(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = held(monkeypatch, {1.0: 3.6}, refines=False)
    assert outcome.share == 1.0 and outcome.found is not None and outcome.found.proven < 0


def test_without_a_readable_image_there_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictor_module, "Predictor", Off)
    trained: Any = SimpleNamespace(checkpoint=1.0, between=None)
    gone = [replace(face(2), face_id=5)]
    assert contest.hold(gone, read, Off(3.0), trained, SimpleNamespace(), SCHEME).found is None  # type: ignore[arg-type]


def corrected(monkeypatch: pytest.MonkeyPatch, by_share: dict[float, float], known: set[int]) -> contest.Outcome:
    """As ``held``, where seven labels teach at once; of the faces in ``known`` the old prediction is at hand."""
    monkeypatch.setattr(predictor_module, "Predictor", Off)
    trained: Any = SimpleNamespace(checkpoint=by_share[1.0], between=None)
    said = {number: POINTS + np.array([3.0, 0.0]) for number in known}
    teachers = [replace(face(number), when=str(number), predicted=said.get(number)) for number in range(1, 8)]
    return contest.hold(teachers[2:6], read, Off(3.0), trained, SimpleNamespace(), SCHEME, teachers)  # type: ignore[arg-type]


def test_the_old_model_is_judged_with_what_it_learnt_since(monkeypatch: pytest.MonkeyPatch) -> None:
    """5 % as it is, but its correction, from five other labels, takes most of that away: 2 / (5 + 2) is left."""
    alone, together = held(monkeypatch, {1.0: 2.2}, refines=False), corrected(monkeypatch, {1.0: 2.2}, set())
    assert alone.found is not None and together.found is not None
    assert alone.found.proven > 0 and not alone.found.learnt
    assert together.found.learnt and together.found.faces == 4
    assert together.found.old == pytest.approx(5.0 * 2 / 7, abs=0.1)
    close = corrected(monkeypatch, {1.0: 3.1}, set()).found
    assert close is not None and close.proven < 0, "worse as it is, and worse as it would be shown"


def test_what_a_model_knows_by_heart_does_not_help_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says the faces it was trained on perfectly, so they teach no correction: it is shown as it is elsewhere."""

    class ByHeart(Off):
        def predict(self, crops: Any) -> SimpleNamespace:
            found = super().predict(crops)
            for points, crop in zip(found.points_crop, crops, strict=True):
                if crop[64, 64, 0] in (1, 7):
                    points[:] = transform(crop_transform(SQUARE, 128), POINTS)
            return found

    monkeypatch.setattr(predictor_module, "Predictor", ByHeart)
    trained: Any = SimpleNamespace(checkpoint=2.2, between=None)
    teachers = [replace(face(number), when=str(number)) for number in (1, 3, 4, 7)]

    def numbered(name: str) -> np.ndarray:
        return np.full((128, 128, 3), int(name.split(".")[0]), np.uint8)

    found = contest.hold(teachers[1:3], numbered, Off(3.0), trained, SimpleNamespace(), SCHEME, teachers).found  # type: ignore[arg-type]
    assert found is not None and found.learnt
    assert found.old == pytest.approx(5.0 * 2 / 5, abs=0.1), "three others teach the old one's correction"
    assert found.new == pytest.approx(2.2 / 0.6, abs=0.1) and found.proven < 0


def test_the_new_model_is_corrected_by_the_same_labels_as_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a held-out face by the six others, one of which cannot be read: 2 / (5 + 2) of its error is left."""
    found = corrected(monkeypatch, {1.0: 2.2}, set()).found
    assert found is not None and found.new == pytest.approx(2.2 / 0.6 * 2 / 7, abs=0.1)
    assert found.proven > 0, "of two that err alike the one with less to correct wins"


def test_what_the_old_model_has_said_already_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def predict(self: Off, crops: Any) -> SimpleNamespace:
        asked.append(len(crops))
        return plain(self, crops)

    plain = Off.predict
    monkeypatch.setattr(Off, "predict", predict)
    one, other = corrected(monkeypatch, {1.0: 2.2}, {1, 2, 7}), corrected(monkeypatch, {1.0: 2.2}, set())
    # held-out faces, and 1 and 7 (2 cannot be read); by the old model these only where it has not said them before
    assert asked == [4, 4, 2, 4, 2, 4, 2]
    assert one.found is not None and other.found is not None and one.found.old < other.found.old
