"""Predict Again in the real window: the model looks where the landmarks are, and what nobody placed goes there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.edits import set_box
from scaf_gui.core.face import Box, Face, Prediction
from scaf_gui.core.geometry import landmark_box
from scaf_gui.gui.predict_again import PredictAgain
from scaf_gui.gui.window import MainWindow
from scaf_gui.io.formats.pts import read_pts
from scaf_gui.session.events import ModelInfo
from scaf_gui.session.project import new_project
from scaf_gui.session.session import Session
from scaf_gui.settings import Settings

LEFT, NONE, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
TRUTH = np.random.default_rng(3).uniform(60.0, 140.0, (68, 2))


@pytest.fixture
def window(quiet_window: MainWindow) -> MainWindow:
    """A face with a box and a prediction 40 pixels off; nothing works in the background."""
    session = session_of(quiet_window)
    session.work.model = ModelInfo("m", "", own=False, title="m")
    session.edit(set_box(face_of(quiet_window), Box(10, 10, 80, 80)))
    predict(session, TRUTH - 40.0)
    return quiet_window


def session_of(window: MainWindow) -> Session:
    assert window.session is not None
    return window.session


def face_of(window: MainWindow) -> Face:
    session = session_of(window)
    assert session.current is not None
    return session.document.face(session.current)


def predict(session: Session, points: FloatArray) -> None:
    assert session.current is not None
    session.document.set_predictions({session.current: Prediction(points, np.ones(len(points)), "m")})


def again(window: MainWindow) -> PredictAgain:
    return window.project.photo.again


def press(window: MainWindow) -> None:
    QTest.keyClick(window.workspace.canvas, Qt.Key.Key_G, SHIFT)


def points_of(window: MainWindow) -> FloatArray:
    label = face_of(window).label
    assert label is not None
    return label.points


def remark(window: MainWindow) -> str:
    return window.project.status.remark


def place(window: MainWindow, *landmarks: int) -> None:
    for landmark in landmarks:
        assert window.project.editor.move(landmark, *TRUTH[landmark])


def test_what_is_placed_stays_the_rest_is_predicted_anew_and_undo_takes_both_back(
    window: MainWindow, qtbot: QtBot
) -> None:
    place(window, 30, 8)
    before = face_of(window)
    press(window)
    assert face_of(window).box == landmark_box(points_of(window))
    np.testing.assert_array_equal(points_of(window), before.label.points)  # type: ignore[union-attr]
    predict(session_of(window), TRUTH + 1.0)
    qtbot.waitUntil(lambda: points_of(window)[0, 0] > TRUTH[0, 0] - 2.0)
    assert np.abs(points_of(window) - TRUTH).max() < 2.5
    np.testing.assert_array_equal(points_of(window)[[30, 8]], TRUTH[[30, 8]])
    assert remark(window) == "Predicted again; what you placed has stayed"
    label = face_of(window).label
    assert label is not None
    assert label.placed.sum() == 2, "what is predicted is nobody's"
    window.project.undo()
    assert face_of(window) == before
    window.project.redo()
    assert np.abs(points_of(window) - TRUTH).max() < 2.5


def test_a_landmark_placed_while_the_model_looks_stays_and_is_a_step_of_its_own(
    window: MainWindow, qtbot: QtBot
) -> None:
    place(window, 30)
    press(window)
    place(window, 8)
    predict(session_of(window), TRUTH + 1.0)
    qtbot.waitUntil(lambda: points_of(window)[0, 0] > TRUTH[0, 0] - 2.0)
    np.testing.assert_array_equal(points_of(window)[[30, 8]], TRUTH[[30, 8]])
    titles = []
    while session_of(window).document.history.to_undo is not None and len(titles) < 3:
        edit = session_of(window).undo()
        assert edit is not None
        titles.append(edit.title)
    assert titles[0] == titles[2] == "Predict again"
    assert titles[1].startswith("Move")


def test_undo_before_the_answer_comes_leaves_all_as_it_was(window: MainWindow, qtbot: QtBot) -> None:
    place(window, 30)
    before = face_of(window)
    press(window)
    window.project.undo()
    predict(session_of(window), TRUTH + 1.0)
    qtbot.wait(20)
    assert face_of(window) == before


def test_nothing_moves_while_a_landmark_is_held(window: MainWindow, qtbot: QtBot) -> None:
    canvas, port = window.workspace.canvas, window.workspace.canvas.viewport()
    place(window, 30)
    press(window)
    here = QPoint(*(round(value) for value in canvas._camera.to_screen(*points_of(window)[12])))
    there = here + QPoint(9, 0)
    QTest.mousePress(port, LEFT, NONE, here)
    held = points_of(window).copy()
    predict(session_of(window), TRUTH + 1.0)
    qtbot.wait(20)
    np.testing.assert_array_equal(points_of(window), held)
    QTest.mouseMove(port, there)
    QTest.mouseRelease(port, LEFT, NONE, there)
    qtbot.waitUntil(lambda: points_of(window)[0, 0] > TRUTH[0, 0] - 2.0)


def test_a_face_that_nobody_has_touched_is_predicted_from_where_it_was_predicted(window: MainWindow) -> None:
    press(window)
    assert face_of(window).box == landmark_box(TRUTH - 40.0)
    assert face_of(window).label is None
    assert session_of(window).work.to_predict.get(face_of(window).id) is not None


def test_where_it_cannot_it_says_why(window: MainWindow) -> None:
    place(window, 30)
    press(window)
    press(window)
    assert "around these landmarks already" in remark(window)
    assert window.project.editor.accept()
    press(window)
    assert "accepted" in remark(window)
    assert window.project.editor.reset()
    press(window)
    assert "Nothing is predicted of this face yet" in remark(window)


def test_without_a_model_it_says_so(quiet_window: MainWindow) -> None:
    press(quiet_window)
    assert "no model yet" in remark(quiet_window)


def test_a_far_drag_offers_it_until_it_is_done(window: MainWindow, qtbot: QtBot) -> None:
    def hint() -> str:
        return window.project._hint

    assert "Shift+G" not in hint()
    place(window, 30)
    assert hint() == "Far off? Shift+G predicts this face again"
    press(window)
    predict(session_of(window), TRUTH + 1.0)
    qtbot.waitUntil(lambda: "Shift+G" not in hint())


@pytest.fixture
def real(
    qtbot: QtBot, dressed: QApplication, faces_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MainWindow]:
    """The starter predicts a rendered face from a box that misses it, and does not find it by itself."""
    for module in ("crops", "predictor"):
        monkeypatch.setattr(f"scaf_gui.learning.{module}.elsewhere", lambda *_: None)
    made = MainWindow(Settings())
    session = new_project(tmp_path / "p.scaf", faces_folder, boxes="whole", settings=made.settings)
    for event in session.find_boxes():
        session.take(event)
    face = next(iter(session.document))
    assert face.box is not None
    session.document.take_in(set_box(face, Box(face.box.x + 55, face.box.y - 10, 120, 120)))
    session.current = face.id
    made.show()
    made.show_session(session)
    made.workspace.canvas.setFocus()
    yield made
    made.close()
    made.deleteLater()


def test_one_drag_and_the_starter_finds_the_face(real: MainWindow, qtbot: QtBot, truth_folder: Path) -> None:
    session = session_of(real)
    face = face_of(real)
    truth = read_pts(truth_folder / Path(face.image).with_suffix(".pts").name, 68)
    qtbot.waitUntil(lambda: session.document.prediction(face.id) is not None, timeout=60_000)
    real.workspace.canvas.shaping.enabled = False

    def off(points: FloatArray) -> float:
        return float(np.linalg.norm(points - truth, axis=1).mean())

    missed = session.document.prediction(face.id)
    assert missed is not None
    assert real.project._hint.startswith("Far off? Put one landmark right")
    worst = int(np.linalg.norm(missed.points - truth, axis=1).argmax())
    assert real.project.editor.move(worst, *truth[worst])
    started = points_of(real)
    press(real)
    qtbot.waitUntil(lambda: not np.array_equal(points_of(real), started), timeout=60_000)
    assert off(points_of(real)) < 0.5 * off(started)
    np.testing.assert_array_equal(points_of(real)[worst], truth[worst])
