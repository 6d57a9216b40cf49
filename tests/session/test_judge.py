from __future__ import annotations

import numpy as np
import pytest

from scaf_gui import paths
from scaf_gui.core.geometry import Square
from scaf_gui.core.scheme import load_scheme
from scaf_gui.session import judge
from scaf_gui.session.events import SnapshotFace

SCHEME = load_scheme(paths.resource_folder() / "schemes" / "five-5.json")
POINTS = np.array([[0.0, 0.0], [100.0, 0.0], [50.0, 50.0], [20.0, 90.0], [80.0, 90.0]])


def face(face_id: int, placed: bool = True, when: str = "") -> SnapshotFace:
    known = np.ones(5, bool)
    return SnapshotFace(
        face_id, f"{face_id}.jpg", Square(50, 50, 200), POINTS, known, np.full(5, placed), when or f"{face_id:04d}"
    )


def test_held_out_faces_stay_held_out_as_labels_come_in() -> None:
    before: set[int] = set()
    for count in range(30, 400, 37):
        now = set(judge.held_out([face(i) for i in range(1, count)], (), seed=3))
        assert before <= now or len(now) == judge.MOST
        before = now


def test_about_a_fifth_is_held_out_and_another_seed_holds_out_others() -> None:
    faces = [face(i) for i in range(1, 201)]
    first, second = judge.held_out(faces, (), seed=0), judge.held_out(faces, (), seed=1)
    assert 25 <= len(first) <= 60
    assert set(first) != set(second)


@pytest.mark.parametrize("count", [3, 5, 7, 8, 12, 60])
def test_nothing_is_held_out_that_the_old_model_has_seen(count: int) -> None:
    seen = set(range(1, count // 2 + 1))
    held = judge.held_out([face(i) for i in range(1, count + 1)], seen, seed=0)
    assert held and not seen & set(held)
    assert count - len(held) >= 2


def test_with_few_labels_the_ones_corrected_last_are_held_out() -> None:
    faces = [face(1, when="2026-01-05"), face(2, when="2026-01-09"), face(3, when="2026-01-07"), face(4)]
    assert judge.held_out(faces, (), seed=0) == (2,)


def test_at_least_three_of_eight() -> None:
    for seed in range(10):
        assert len(judge.held_out([face(i) for i in range(1, 9)], (), seed)) >= 3


def test_no_fair_comparison_without_a_new_label_or_with_two() -> None:
    faces = [face(i) for i in range(1, 21)]
    assert judge.held_out(faces, range(1, 21), seed=0) == ()
    assert judge.held_out(faces[:2], (), seed=0) == ()


def test_error_of_landmarks_put_by_hand_is_the_plain_nme() -> None:
    assert judge.face_error(POINTS + np.array([4.0, 0.0]), face(1), SCHEME) == pytest.approx(4.0)


def test_a_landmark_taken_over_counts_only_beyond_what_needs_a_drag() -> None:
    assert judge.face_error(POINTS + np.array([2.5, 0.0]), face(1, placed=False), SCHEME) == 0.0
    assert judge.face_error(POINTS + np.array([4.0, 0.0]), face(1, placed=False), SCHEME) == pytest.approx(1.0)


def test_missing_landmarks_do_not_count() -> None:
    known = np.array([True, True, False, True, True])
    truth = np.where(known[:, None], POINTS, np.nan)
    partly = SnapshotFace(1, "1.jpg", Square(50, 50, 200), truth, known, np.ones(5, bool), "")
    assert judge.face_error(POINTS + np.array([4.0, 0.0]), partly, SCHEME) == pytest.approx(4.0)


def test_a_tie_goes_to_the_new_model_and_both_numbers_are_said() -> None:
    assert judge.verdict(4.1, 4.1, 12)[0]
    kept, message = judge.verdict(4.1, 4.6, 12)
    assert not kept
    assert message == "Kept the old model: 4.1 % against 4.6 % for the new one on 12 held-out faces"
