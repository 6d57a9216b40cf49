"""Image aids and level eyes through the real window, by keys and mouse."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import Prediction
from scaf_gui.gui.aids_panel import of_step, to_step
from scaf_gui.gui.canvas.look import RANGES, Look
from scaf_gui.gui.window import MainWindow
from scaf_gui.io.images import read_image
from scaf_gui.session.project import new_project, open_project
from scaf_gui.session.session import Session
from scaf_gui.session.truth import read_truth
from scaf_gui.settings import Settings

pytestmark = pytest.mark.usefixtures("dressed", "no_leaks")
Key = Qt.Key
LEFT, NONE, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def window(quiet_window: MainWindow) -> MainWindow:
    return quiet_window


def session_of(window: MainWindow) -> Session:
    assert window.session is not None
    return window.session


def key(window: MainWindow, which: Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
    QTest.keyClick(window.workspace.canvas, which, modifiers)


def tilted(window: MainWindow, truth_folder: Path, degrees: float, face_id: int | None = None) -> FloatArray:
    """Predict true landmarks that are turned about the middle of the face, clockwise."""
    session = session_of(window)
    face = session.document.face(face_id or session.current or 0)
    points = read_truth(truth_folder, session.scheme, [face.image])[face.image][0].points
    across = points[42:48].mean(axis=0) - points[36:42].mean(axis=0)
    turn = math.radians(degrees) - math.atan2(across[1], across[0])
    cos, sin = math.cos(turn), math.sin(turn)
    middle = points.mean(axis=0)
    made: FloatArray = (points - middle) @ np.array([[cos, sin], [-sin, cos]]) + middle
    session.document.set_predictions({face.id: Prediction(made, np.ones(len(made)), "model")})
    return made


def look_on_canvas(window: MainWindow) -> Look:
    return window.workspace.canvas._image._look or Look()


# -- image aids


@pytest.mark.parametrize("name", RANGES)
def test_sliders_reach_every_value_and_the_neutral_one(name: str) -> None:
    low, high, neutral = RANGES[name]
    assert (of_step(name, 0), of_step(name, 40)) == (low, high)
    assert of_step(name, to_step(name, neutral)) == neutral
    assert [to_step(name, of_step(name, step)) for step in range(41)] == list(range(41))


def test_sliders_by_key_and_mouse_change_the_canvas_and_nothing_else(window: MainWindow) -> None:
    session, panel = session_of(window), window.project.aids.panel
    image = session.document.face(session.current or 0).image
    path = session.folder / image
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    pixels = read_image(path)
    key(window, Key.Key_I)
    assert panel.isVisible()
    assert window.actions_by_id["image_aids"].isChecked()
    slider = panel.slider("contrast")
    slider.setFocus(Qt.FocusReason.TabFocusReason)
    for _ in range(8):
        QTest.keyClick(slider, Key.Key_Right)
    panel.slider("local").setValue(40)
    QTest.mouseClick(panel.gray, LEFT, NONE, QPoint(6, panel.gray.height() // 2))
    assert look_on_canvas(window) == Look(contrast=0.4, local=1.0, gray=True)
    window.workspace.canvas.viewport().repaint()
    pyramid = window.workspace.canvas._image._pyramid
    assert pyramid is not None
    assert (pyramid.level(0) == pixels).all(), "what is kept for the canvas"
    assert (session.read(image) == pixels).all(), "what the model sees"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert session.document.history.to_undo is None
    QTest.mouseClick(panel.reset, LEFT)
    assert look_on_canvas(window).is_neutral
    assert not panel.reset.isEnabled()
    key(window, Key.Key_I)
    assert panel.isHidden()
    assert not window.actions_by_id["image_aids"].isChecked()


def test_the_sliders_can_be_dragged_out_of_the_way_but_not_off_the_canvas(window: MainWindow) -> None:
    canvas, panel = window.workspace.canvas, window.project.aids.panel
    QTest.keyClick(canvas, Qt.Key.Key_I)
    corner, spot = panel.pos(), QPoint(60, 12)
    around = QRect(canvas.mapTo(panel.parentWidget(), QPoint(0, 0)), canvas.size())
    QTest.mousePress(panel, LEFT, pos=spot)
    QTest.mouseMove(panel, spot + QPoint(-40, 30))
    assert panel.pos() == corner + QPoint(-40, 30)
    QTest.mouseMove(panel, spot + QPoint(5000, 5000))
    assert panel.geometry().bottomRight() == around.bottomRight()
    QTest.mouseMove(panel, spot + QPoint(-9000, -9000))
    assert panel.pos() == around.topLeft()
    QTest.mouseRelease(panel, LEFT, pos=spot)
    QTest.mouseMove(panel, spot + QPoint(30, 30))
    assert panel.pos() == around.topLeft()
    assert canvas.hasFocus()


def test_the_original_is_shown_while_the_key_is_held(window: MainWindow) -> None:
    canvas, panel = window.workspace.canvas, window.project.aids.panel
    key(window, Key.Key_Y)
    assert look_on_canvas(window).is_neutral
    panel.slider("brightness").setValue(30)
    look = panel.look
    assert not look.is_neutral
    for repeat in range(3):
        QTest.keyPress(canvas, Key.Key_Y)
        assert look_on_canvas(window).is_neutral, repeat
    QTest.keyRelease(canvas, Key.Key_Y)
    assert look_on_canvas(window) == look
    # the release may never come
    QTest.keyPress(canvas, Key.Key_Y)
    panel.slider("brightness").setValue(32)
    assert look_on_canvas(window) == panel.look
    QTest.keyPress(canvas, Key.Key_Y)
    window.close_project()
    assert not window.project.aids._comparing


def test_a_chip_says_that_the_photo_is_not_as_it_is(window: MainWindow) -> None:
    aids = window.project.aids
    assert aids.chip.isHidden()
    key(window, Key.Key_I)
    aids.panel.slider("gamma").setValue(30)
    assert aids.chip.isHidden(), "the sliders say so"
    QTest.mouseClick(aids.panel.close_button, LEFT)
    assert aids.chip.isVisible()
    QTest.mouseClick(aids.chip, LEFT)
    assert aids.panel.isVisible()
    key(window, Key.Key_I, SHIFT)
    key(window, Key.Key_I)
    assert aids.chip.isHidden()


def test_the_look_is_remembered_with_the_project(window: MainWindow, faces_folder: Path, tmp_path: Path) -> None:
    panel = window.project.aids.panel
    panel.slider("gamma").setValue(28)
    panel.gray.setChecked(True)
    look, path = panel.look, session_of(window).path
    window.close_project()
    assert look_on_canvas(window).is_neutral
    window.show_session(open_project(path, window.settings))
    assert panel.look == look_on_canvas(window) == look
    window.close_project()
    window.show_session(
        new_project(tmp_path / "q.scaf", faces_folder, boxes="whole", settings=window.settings, use_starter=False)
    )
    assert panel.look.is_neutral, "another project has its own"


# -- level eyes


def seen_tilt(window: MainWindow, points: FloatArray) -> float:
    """Degrees of the line through the eyes on the screen."""
    canvas = window.workspace.canvas
    left, right = (
        np.array(canvas._camera.to_screen(*points[rows].mean(axis=0))) for rows in (slice(36, 42), slice(42, 48))
    )
    return math.degrees(math.atan2(*(right - left)[::-1]))


def test_eyes_become_level_and_a_drag_stays_in_the_images_coordinates(window: MainWindow, truth_folder: Path) -> None:
    points = tilted(window, truth_folder, 28)
    canvas = window.workspace.canvas
    assert seen_tilt(window, points) == pytest.approx(28, abs=0.1)
    key(window, Key.Key_U)
    assert seen_tilt(window, points) == pytest.approx(0, abs=0.1)
    x, y = canvas._camera.to_screen(*points[30])
    start = QPoint(round(x), round(y))
    QTest.mousePress(canvas.viewport(), LEFT, NONE, start)
    QTest.mouseMove(canvas.viewport(), start + QPoint(8, 0))
    QTest.mouseMove(canvas.viewport(), start + QPoint(20, 0))
    QTest.mouseRelease(canvas.viewport(), LEFT, NONE, start + QPoint(20, 0))
    session = session_of(window)
    label = session.document.face(session.current or 0).label
    assert label is not None
    turn = math.radians(28)
    step = 20 / canvas.zoom * np.array([math.cos(turn), math.sin(turn)])
    assert label.points[30] - points[30] == pytest.approx(step, abs=0.02)
    canvas.select(30)
    key(window, Key.Key_Right, SHIFT)
    label = session.document.face(session.current or 0).label
    assert label is not None
    assert label.points[30] - points[30] == pytest.approx(step * (1 + 10 * canvas.zoom / 20), abs=0.02)
    key(window, Key.Key_U)
    assert canvas.turn == 0.0


def test_each_face_is_turned_when_it_comes_and_not_under_the_hand(
    window: MainWindow, truth_folder: Path, qtbot: QtBot
) -> None:
    canvas, session = window.workspace.canvas, session_of(window)
    key(window, Key.Key_U)
    assert canvas.turn == 0.0, "nothing is known of the eyes"
    points = tilted(window, truth_folder, -15)
    assert canvas.turn == pytest.approx(math.radians(15), abs=1e-3), "the pre-fill has come"
    canvas.select_group(frozenset(range(36, 48)))
    for _ in range(5):
        key(window, Key.Key_Down, SHIFT)
    canvas.select(36)
    for _ in range(3):
        key(window, Key.Key_Down, SHIFT)
    assert canvas.turn == pytest.approx(math.radians(15), abs=1e-3), "it stays while one works at the eyes"
    first, other = session.current, next(face.id for face in session.document if face.id != session.current)
    tilted(window, truth_folder, 40, other)
    window.project.navigator.go_to(other)
    assert canvas.turn == pytest.approx(-math.radians(40), abs=1e-3)
    third = next(face.id for face in session.document if face.id not in (first, other))
    window.project.navigator.go_to(third)
    assert canvas.turn == 0.0
    tilted(window, truth_folder, 0.3)
    assert canvas.turn == 0.0, "not worth the sharpness"
    assert window.settings["level"] is True
    assert points.shape == (68, 2)


def test_it_is_remembered(window: MainWindow) -> None:
    key(window, Key.Key_U)
    again = MainWindow(Settings())
    assert again.actions_by_id["level"].isChecked()
    again.close()
    again.deleteLater()
