"""How label and prediction become what is drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scaf_gui.core.face import Box, Face, Flag, State
from scaf_gui.gui.canvas.shown import shown
from tests.gui.canvas.stage import FACE, POINTS, SCHEME, make_label, make_prediction


def test_a_prediction_alone_is_nobodys() -> None:
    seen = shown(Face(1, "a.png"), make_prediction(POINTS), SCHEME)
    assert np.array_equal(seen.points, POINTS)
    assert not seen.human.any()
    assert seen.ghost is None  # it is shown already
    assert seen.names[0] == "point 00"


def test_a_label_hides_the_prediction() -> None:
    seen = shown(FACE, make_prediction(POINTS + 9), SCHEME)
    assert np.array_equal(seen.points, POINTS)
    assert seen.human.all()
    assert np.array_equal(seen.ghost, POINTS + 9)


def test_what_was_taken_over_becomes_human_when_the_face_is_accepted() -> None:
    label = make_label(POINTS, placed=False).with_point(2, 1.0, 2.0)
    started = shown(replace(FACE, label=label), None, SCHEME)
    assert started.human.tolist() == [False, False, True, False, False]
    assert shown(replace(FACE, label=label, state=State.LABELLED), None, SCHEME).human.all()


def test_large_expected_errors_are_unsure_unless_a_person_stands_for_them() -> None:
    prediction, expected = make_prediction(POINTS), np.array([1.0, 2.9, 3.1, 9.0, 3.0])
    assert shown(Face(1, "a.png"), prediction, SCHEME, expected).unsure.tolist() == [False, False, True, True, False]
    assert not shown(FACE, prediction, SCHEME, expected).unsure.any()
    assert not shown(Face(1, "a.png"), prediction, SCHEME).unsure.any()  # nothing is known of its errors


def test_nothing_known() -> None:
    seen = shown(Face(1, "a.png"), None, SCHEME)
    assert np.isnan(seen.points).all()
    assert seen.bounds() is None
    box = Box(1, 2, 30, 40)
    assert shown(Face(1, "a.png", box), None, SCHEME).bounds() == (1, 2, 30, 40)


def test_a_face_of_which_little_is_placed_is_as_large_as_its_box() -> None:
    points = np.full_like(POINTS, np.nan)
    points[:2] = POINTS[:2]
    face = replace(FACE, box=Box(20.0, 10.0, 150.0, 110.0), label=make_label(points))
    assert shown(face, None, SCHEME).bounds() == (20.0, 10.0, 150.0, 110.0)
    points[0] = 5.0, 30.0
    assert shown(replace(face, label=make_label(points)), None, SCHEME).bounds() == (5.0, 10.0, 165.0, 110.0)
    points[:3] = POINTS[:3]
    assert shown(replace(face, label=make_label(points)), None, SCHEME).bounds() == (40.0, 30.0, 80.0, 70.0)


def test_bounds_go_around_what_has_a_place() -> None:
    points = POINTS.copy()
    points[3] = np.nan
    seen = shown(replace(FACE, label=make_label(points)), None, SCHEME)
    assert seen.bounds() == (30.0, 30.0, 90.0, 80.0)


def test_a_moved_missing_landmark_is_visible_and_nothing_else_changes() -> None:
    points = POINTS.copy()
    points[3] = np.nan
    before = shown(replace(FACE, label=make_label(points, placed=False)), None, SCHEME)
    after = before.with_point(3, 5.0, 6.0)
    assert before.flags[3] == Flag.MISSING and np.isnan(before.points[3]).all()
    assert after.flags[3] == Flag.VISIBLE and after.points[3].tolist() == [5.0, 6.0]
    assert after.human.tolist() == [False, False, False, True, False]


def test_another_schemes_landmarks_are_refused() -> None:
    with pytest.raises(ValueError, match="3 landmarks do not fit line, which has 5"):
        shown(Face(1, "a.png"), make_prediction(POINTS[:3]), SCHEME)
    with pytest.raises(ValueError, match="4 landmarks"):
        shown(replace(FACE, label=make_label(POINTS[:4])), None, SCHEME)
