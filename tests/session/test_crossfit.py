from __future__ import annotations

import numpy as np
import pytest

from scaf_gui import paths
from scaf_gui.core.corrector import MOST_FACES, Pair, corrected_points, fit
from scaf_gui.core.geometry import Square
from scaf_gui.core.scheme import load_scheme
from scaf_gui.session import crossfit
from scaf_gui.session.events import SnapshotFace

SCHEME = load_scheme(paths.resource_folder() / "schemes" / "five-5.json")
POINTS = np.array([[0.0, 0.0], [100.0, 0.0], [50.0, 50.0], [20.0, 90.0], [80.0, 90.0]])
HABIT = np.array([4.0, -3.0])


def face(face_id: int, moved: np.ndarray = HABIT, when: str = "") -> SnapshotFace:
    """A face that is labelled by so much beside what the model says of it."""
    noise = np.random.default_rng(face_id).normal(0.0, 0.5, (5, 2))
    known = np.ones(5, bool)
    return SnapshotFace(
        face_id, f"{face_id}.jpg", Square(50, 50, 200), POINTS + moved + noise, known, known, when or f"{face_id:04d}"
    )


def said(faces: list[SnapshotFace]) -> dict[int, np.ndarray]:
    return {one.face_id: POINTS + np.random.default_rng(one.face_id + 1000).normal(0, 0.5, (5, 2)) for one in faces}


def test_a_correction_never_comes_from_the_face_s_own_label() -> None:
    """What is shown of a face stays the same whatever its own label says."""
    faces = [face(number) for number in range(1, 7)]
    points = said(faces)
    shown, corrected = crossfit.corrected_by_others(points, points, faces, SCHEME)
    assert corrected
    strange = [face(1, moved=np.array([40.0, 40.0])), *faces[1:]]
    again, _ = crossfit.corrected_by_others({1: points[1]}, points, strange, SCHEME)
    np.testing.assert_array_equal(again[1], shown[1])
    others = [Pair(points[one.face_id], one.points, one.placed) for one in faces[1:]]
    np.testing.assert_array_equal(shown[1], corrected_points(points[1], fit(others, SCHEME, "")))
    distance = np.linalg.norm(np.stack([shown[one.face_id] - one.points for one in faces]), axis=2)
    assert distance.mean() < 2.6 < np.hypot(*HABIT)


def test_of_many_faces_a_tenth_is_left_out_at_a_time() -> None:
    faces = [face(number) for number in range(1, 41)]
    points = said(faces)
    shown, _ = crossfit.corrected_by_others(points, points, faces, SCHEME)
    strange = [face(one.face_id, moved=np.array([40.0, 40.0])) if one.face_id % 10 == 1 else one for one in faces]
    again, _ = crossfit.corrected_by_others(points, points, strange, SCHEME)
    same = {number for number in shown if np.array_equal(shown[number], again[number])}
    assert same == {1, 11, 21, 31}


@pytest.mark.parametrize("count", [1, 2])
def test_with_too_few_others_nothing_is_corrected(count: int) -> None:
    faces = [face(number) for number in range(1, count + 1)]
    points = said(faces)
    shown, corrected = crossfit.corrected_by_others(points, points, faces, SCHEME)
    assert not corrected and all(shown[number] is points[number] for number in points)


def test_faces_that_the_model_says_nothing_of_are_passed_over() -> None:
    faces = [face(number) for number in range(1, 5)]
    points = said(faces[:1])
    shown, corrected = crossfit.corrected_by_others(points, points, faces, SCHEME)
    assert not corrected and list(shown) == [1]


def test_teachers_are_those_labelled_last() -> None:
    faces = [face(number, when=f"{1000 - number}") for number in range(1, MOST_FACES + 11)]
    there = [one.face_id for one in crossfit.teachers(faces)]
    assert there == list(range(MOST_FACES, 0, -1)), "oldest first, and only so many"
