"""The shape follows a drag: real mouse events on a real canvas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from scaf_gui.core.edits import move_shape
from scaf_gui.core.face import Face, Flag, State
from scaf_gui.gui.canvas import Canvas
from scaf_gui.gui.canvas.shaping import Shaping
from tests.gui.canvas.stage import LEFT, POINTS, SCHEME, Heard, Mouse, make_label, make_prediction, make_scheme

UNTOUCHED = Face(9, "photo.png")
PREDICTION = make_prediction(POINTS)


class Followed:
    """What the canvas said of followed drags."""

    def __init__(self, canvas: Canvas):
        self.moves: list[tuple[int, np.ndarray]] = []
        canvas.shapeMoved.connect(lambda landmark, points: self.moves.append((landmark, points)))


@pytest.fixture
def followed(canvas: Canvas) -> Followed:
    canvas.shaping.source = lambda: (None, None)
    canvas.show_face(UNTOUCHED, PREDICTION, SCHEME)
    return Followed(canvas)


def drag(mouse: Mouse, landmark: int, dx: int, dy: int, let_go: bool = True) -> None:
    spot = mouse.at(*mouse.canvas._shown.points[landmark])  # type: ignore[union-attr]
    mouse.press(spot)
    for share in (0.5, 1.0):
        mouse.move(mouse.at(*(POINTS[landmark] + np.array([dx, dy]) * share)))
    if let_go:
        mouse.release(mouse.at(*(POINTS[landmark] + [dx, dy])))


def test_the_others_follow_while_the_drag_lasts(canvas: Canvas, mouse: Mouse, followed: Followed) -> None:
    drag(mouse, 1, 12, 8, let_go=False)
    shown = canvas._shown
    assert shown is not None
    assert (shown.points[0] != POINTS[0]).any()
    assert len(canvas.shaping.trails.moves)
    assert list(shown.human) == [False, True, False, False, False]
    assert not followed.moves


def test_letting_go_says_it_once(canvas: Canvas, mouse: Mouse, followed: Followed, heard: Heard) -> None:
    drag(mouse, 1, 12, 8)
    assert not heard.moved
    ((landmark, points),) = followed.moves
    assert landmark == 1
    np.testing.assert_allclose(points[1], POINTS[1] + [12, 8], atol=1.5)
    assert (points[[0, 2]] != POINTS[[0, 2]]).any()
    assert not len(canvas.shaping.trails.moves)


def test_escape_takes_all_of_them_back(canvas: Canvas, mouse: Mouse, followed: Followed) -> None:
    drag(mouse, 1, 12, 8, let_go=False)
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert canvas._shown is not None
    np.testing.assert_array_equal(canvas._shown.points, POINTS)
    mouse.release(mouse.at(*POINTS[1]))
    assert not followed.moves
    assert not len(canvas.shaping.trails.moves)


def test_switched_off_the_landmark_moves_alone(canvas: Canvas, mouse: Mouse, followed: Followed, heard: Heard) -> None:
    canvas.shaping.enabled = False
    drag(mouse, 1, 12, 8)
    assert not followed.moves
    assert len(heard.moved) == 1


@pytest.mark.parametrize("enabled", [True, False])
def test_alt_gives_one_drag_the_other_way_round(
    canvas: Canvas, mouse: Mouse, followed: Followed, heard: Heard, enabled: bool
) -> None:
    canvas.shaping.enabled = enabled
    spot = mouse.at(*POINTS[1])
    QTest.mousePress(canvas.viewport(), LEFT, Qt.KeyboardModifier.AltModifier, spot)
    mouse.move(mouse.at(*(POINTS[1] + 10)))
    mouse.release(mouse.at(*(POINTS[1] + 10)))
    assert (len(followed.moves), len(heard.moved)) == ((0, 1) if enabled else (1, 0))


def test_placed_and_missing_landmarks_stay(canvas: Canvas, mouse: Mouse, followed: Followed) -> None:
    label = make_label(POINTS, placed=False)
    flags, placed = label.flags.copy(), label.placed.copy()
    flags[3], placed[0] = Flag.MISSING, True
    canvas.show_face(replace(UNTOUCHED, label=replace(label, flags=flags, placed=placed)), None, SCHEME)
    drag(mouse, 1, 12, 8)
    ((_, points),) = followed.moves
    np.testing.assert_array_equal(points[[0, 3]], POINTS[[0, 3]])
    assert (points[2] != POINTS[2]).any()


def test_of_an_accepted_face_nothing_follows(canvas: Canvas, mouse: Mouse, followed: Followed, heard: Heard) -> None:
    face = replace(UNTOUCHED, label=make_label(POINTS, placed=False), state=State.LABELLED)
    canvas.show_face(face, PREDICTION, SCHEME)
    drag(mouse, 1, 12, 8)
    assert not followed.moves
    assert len(heard.moved) == 1


def test_a_model_that_arrives_meanwhile_waits_for_the_end(canvas: Canvas, mouse: Mouse, followed: Followed) -> None:
    drag(mouse, 1, 12, 8, let_go=False)
    before = canvas._shown
    canvas.show_face(UNTOUCHED, make_prediction(POINTS + 30), SCHEME)
    canvas.shaping.source = None
    assert canvas._shown is before
    mouse.release(mouse.at(*(POINTS[1] + [12, 8])))
    ((_, points),) = followed.moves
    assert np.abs(points - POINTS).max() < 15


def test_a_press_without_a_move_moves_nothing(mouse: Mouse, followed: Followed, heard: Heard) -> None:
    spot = mouse.at(*POINTS[1])
    mouse.press(spot)
    mouse.release(spot)
    assert not followed.moves
    assert not heard.moved


def test_a_face_thrown_off_comes_along_once_others_say_so(canvas: Canvas, mouse: Mouse) -> None:
    """The whole prediction is 50 pixels off: six landmarks are placed, and the next takes the last three along."""
    canvas.shaping.source = lambda: (None, None)
    true = np.random.default_rng(2).uniform(60.0, 140.0, (10, 2))
    placed = np.arange(10) < 6
    points = np.where(placed[:, None], true, true - 50.0)
    label = replace(make_label(points), placed=placed)
    canvas.show_face(replace(UNTOUCHED, label=label), make_prediction(true - 50.0), make_scheme(10))
    mouse.press(mouse.at(*points[6]))
    mouse.move(mouse.at(*(points[6] + 25.0)))
    mouse.move(mouse.at(*true[6]))
    shown = canvas._shown
    assert shown is not None
    np.testing.assert_allclose(shown.points[7:], true[7:], atol=6.0)
    np.testing.assert_array_equal(shown.points[placed], true[placed])
    mouse.release(mouse.at(*true[6]))


def test_a_single_landmark_and_places_outside_the_image(canvas: Canvas, mouse: Mouse, heard: Heard) -> None:
    canvas.shaping.source = lambda: (None, None)
    canvas.show_face(UNTOUCHED, make_prediction(POINTS[1:2]), make_scheme(1))
    mouse.press(mouse.at(*POINTS[1]))
    mouse.move(mouse.at(-20, -10))
    mouse.release(mouse.at(-20, -10))
    ((landmark, x, y),) = heard.moved
    assert landmark == 0
    assert x < -15
    assert y < -5


def test_followers_may_leave_the_image(canvas: Canvas, mouse: Mouse, followed: Followed) -> None:
    drag(mouse, 0, -45, -40)
    ((_, points),) = followed.moves
    assert points[0, 0] < 0
    assert np.isfinite(points).all()


def test_five_hundred_landmarks_follow(canvas: Canvas, mouse: Mouse) -> None:
    canvas.shaping.source = lambda: (None, None)
    angle = np.linspace(0, 2 * np.pi, 500, endpoint=False)
    points = np.column_stack([100 + 60 * np.cos(angle), 75 + 50 * np.sin(angle)])
    followed = Followed(canvas)
    canvas.show_face(UNTOUCHED, make_prediction(points), make_scheme(500))
    canvas.select(125)
    mouse.press(mouse.at(*points[125]))
    mouse.move(mouse.at(*(points[125] + 9)))
    mouse.release(mouse.at(*(points[125] + 9)))
    ((_, after),) = followed.moves
    assert (np.abs(after - points).max(axis=1) > 1).sum() > 20


def test_statistics_of_another_scheme_are_not_used() -> None:
    from scaf_gui.core.shape import ShapeModel
    from scaf_gui.gui.canvas.shown import shown

    shaping = Shaping()
    shaping.source = lambda: (ShapeModel(np.eye(3, 2), np.eye(6)), np.ones(3))
    shaping.begin(shown(UNTOUCHED, PREDICTION, SCHEME), 1, opposite=False)
    assert shaping.follows


def test_the_edit_moves_only_what_may_move() -> None:
    """Whatever the canvas says: placed, missing and accepted landmarks stay, followers are not placed by hand."""
    label = make_label(POINTS, placed=False)
    flags, placed = label.flags.copy(), label.placed.copy()
    flags[3], placed[0] = Flag.MISSING, True
    face = replace(UNTOUCHED, label=replace(label, flags=flags, placed=placed), state=State.STARTED)
    edit = move_shape(face, None, 1, POINTS + 5, "me", "nose")
    assert edit is not None
    after = edit.changes[0].after
    assert after is not None
    assert after.label is not None
    np.testing.assert_array_equal(after.label.points, np.add(POINTS, [[0], [5], [5], [0], [5]]))
    assert list(after.label.placed) == [True, True, False, False, False]
    assert edit.title == "Move nose, shape follows"
    done = move_shape(replace(face, state=State.LABELLED), None, 1, POINTS + 5, "me")
    assert done is not None
    assert done.changes[0].after is not None
    assert done.changes[0].after.label is not None
    np.testing.assert_array_equal(done.changes[0].after.label.points, np.add(POINTS, [[0], [5], [0], [0], [0]]))
    assert move_shape(UNTOUCHED, None, 1, POINTS, "me") is None
