"""The shape follows in the real window: one edit, one undo step, switched by key and remembered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

import scaf_gui.learning  # noqa: F401  loaded here, or the window's thread would be at it when a test ends
from scaf_gui.core.face import Prediction
from scaf_gui.gui.window import MainWindow
from scaf_gui.session.truth import read_truth
from scaf_gui.settings import Settings

pytestmark = pytest.mark.usefixtures("dressed", "no_leaks")


@pytest.fixture
def window(face_window: MainWindow, truth_folder: Path) -> MainWindow:
    """A face is open, with a prediction some pixels off."""
    session, canvas = face_window.session, face_window.workspace.canvas
    assert session is not None and canvas.face is not None
    truth = read_truth(truth_folder, session.scheme, (canvas.face.image,))[canvas.face.image][0].points
    session.document.set_predictions({canvas.face.id: Prediction(truth + 4.0, np.ones(len(truth)), "m")})
    canvas.fit_face()
    return face_window


def drag(window: MainWindow, landmark: int, by: QPoint) -> None:
    canvas = window.workspace.canvas
    canvas.select(landmark)
    x, y = canvas._camera.to_screen(*canvas._shown.points[landmark])  # type: ignore[union-attr]
    spot = QPoint(round(x), round(y))
    QTest.mousePress(canvas.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot)
    QTest.mouseMove(canvas.viewport(), spot + by)
    QTest.mouseRelease(canvas.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot + by)


def points(window: MainWindow) -> np.ndarray:
    face, prediction = window.project.navigator.on_canvas()
    assert face is not None
    assert prediction is not None
    return face.label.points if face.label is not None else prediction.points


def test_one_drag_is_one_step_of_undo(window: MainWindow) -> None:
    before = points(window).copy()
    drag(window, 8, QPoint(-30, -30))
    face, _ = window.project.navigator.on_canvas()
    assert face is not None
    assert face.label is not None
    assert list(np.flatnonzero(face.label.placed)) == [8]
    assert ((points(window) != before).any(axis=1)).sum() > 10
    assert window.session is not None
    edit = window.session.document.history.to_undo
    assert edit is not None
    assert edit.title.endswith(", shape follows")
    window.project.undo()
    np.testing.assert_array_equal(points(window), before)
    assert window.session.document.history.to_undo is None


def test_what_was_placed_or_pinned_stays(window: MainWindow) -> None:
    drag(window, 8, QPoint(-30, -30))
    window.workspace.canvas.select(30)
    window.actions_by_id["pin"].trigger()
    before = points(window).copy()
    drag(window, 57, QPoint(20, 20))
    after = points(window)
    np.testing.assert_array_equal(after[[8, 30]], before[[8, 30]])
    assert ((after != before).any(axis=1)).sum() > 5
    assert window.session is not None
    window.workspace.canvas.select(30)
    window.actions_by_id["pin"].trigger()
    edit = window.session.document.history.to_undo
    assert edit is not None
    assert edit.title.startswith("Unpin")


def test_one_key_switches_it_and_it_is_remembered(window: MainWindow) -> None:
    canvas = window.workspace.canvas
    canvas.setFocus()
    QTest.keyClick(canvas, Qt.Key.Key_W)
    bar = window.workspace.shape_bar
    assert not canvas.shaping.enabled
    assert not bar.check.isChecked()
    assert not bar.slider.isEnabled()
    assert Settings()["shape"] is False
    before = points(window).copy()
    drag(window, 8, QPoint(-30, -30))
    assert list(np.flatnonzero((points(window) != before).any(axis=1))) == [8]
    bar.check.click()
    assert canvas.shaping.enabled
    assert window.actions_by_id["follow_shape"].isChecked()


def test_the_strength_is_set_by_the_slider_and_remembered(window: MainWindow) -> None:
    bar, canvas = window.workspace.shape_bar, window.workspace.canvas
    before = points(window).copy()
    drag(window, 8, QPoint(-30, -30))
    whole = np.linalg.norm(points(window)[9] - before[9])
    window.project.undo()
    bar.slider.setValue(3)
    assert bar.value.text() == "30 %"
    assert Settings()["shape_strength"] == pytest.approx(0.3)
    drag(window, 8, QPoint(-30, -30))
    assert np.linalg.norm(points(window)[9] - before[9]) == pytest.approx(0.3 * whole, rel=0.05)
    assert canvas.shaping.strength == pytest.approx(0.3)


def test_without_a_project_nothing_follows(window: MainWindow) -> None:
    window.close_project()
    assert window.workspace.canvas.shaping.source is None
