"""Faces without pre-fill through the real window: placed by clicks, kept blind, counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import Prediction, State
from scaf_gui.gui.lean_window import LeanWindow
from scaf_gui.gui.window import MainWindow
from scaf_gui.session.project import new_project
from scaf_gui.session.session import Session
from scaf_gui.session.truth import read_truth
from scaf_gui.settings import Settings

pytestmark = pytest.mark.usefixtures("dressed", "no_leaks")
Key = Qt.Key
LEFT, NONE, CONTROL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(
    open_quietly: Callable[[Session, Settings], MainWindow], faces_folder: Path, truth_folder: Path, tmp_path: Path
) -> MainWindow:
    """An open project with half of the faces drawn and all of them predicted, some pixels off."""
    settings = Settings()
    settings["blind_share"] = 0.5
    session = new_project(tmp_path / "p.scaf", faces_folder, boxes="whole", settings=settings, use_starter=False)
    for face in session.document:
        points = read_truth(truth_folder, session.scheme, [face.image])[face.image][0].points + 3.0
        session.document.set_predictions({face.id: Prediction(points, np.ones(68), "model")})
    return open_quietly(session, settings)


def session_of(window: MainWindow) -> Session:
    assert window.session is not None
    return window.session


def key(window: MainWindow, which: Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
    QTest.keyClick(window.workspace.canvas, which, modifiers)


def split(window: MainWindow) -> tuple[list[int], list[int]]:
    """Ids of the faces that are drawn, and of the others."""
    session = session_of(window)
    ids = [face.id for face in session.document]
    return [i for i in ids if session.blind.hides(i)], [i for i in ids if not session.blind.hides(i)]


def go(window: MainWindow, face_id: int, qtbot: QtBot) -> FloatArray:
    """To a face; returns what is predicted of it."""
    window.project.navigator.go_to(face_id)
    canvas = window.workspace.canvas
    qtbot.waitUntil(lambda: canvas.face is not None and canvas.face.id == face_id, timeout=20_000)
    prediction = session_of(window).document.shown(face_id)
    assert prediction is not None
    return prediction.points


def click(window: MainWindow, place: FloatArray) -> None:
    canvas = window.workspace.canvas
    x, y = canvas._camera.to_screen(*place)
    QTest.mouseClick(canvas.viewport(), LEFT, NONE, QPoint(round(x), round(y)))


def test_a_drawn_face_is_placed_by_clicks_and_marked(window: MainWindow, qtbot: QtBot) -> None:
    session, canvas = session_of(window), window.workspace.canvas
    drawn, others = split(window)
    face_id = next(i for i in drawn if i != session.current)
    predicted = go(window, face_id, qtbot)
    assert canvas._shown is not None
    assert np.isnan(canvas._shown.points).all(), "nothing of the prediction is drawn"
    assert window.project.precision.placing
    assert canvas.selected == session.scheme.walk[0]
    assert not window.workspace.face_bar.accept.isEnabled()
    assert "Without pre-fill" in canvas._hint.text()
    canvas.ghost = True
    for landmark in session.scheme.walk:
        assert canvas.selected == landmark
        if landmark == session.scheme.walk[-1]:
            assert canvas._hint.text() == "1 landmark left to place by hand"
        click(window, predicted[landmark] - 3.0)
    assert canvas._shown.ghost is None, "no ghost of it, either"
    assert not window.project.precision.placing, "all are placed"
    label = session.document.face(face_id).label
    assert label is not None and label.placed.all() and label.based_on == ""
    key(window, Key.Key_Return)
    assert session.document.face(face_id).state is State.LABELLED
    assert face_id in session.blind.placed
    assert session.store.get(f"lean/{face_id}")["note"] == "placed without seeing a prediction"
    found = session.blind.lean()
    assert found.blind == 1 and found.whole.blind is not None and found.whole.blind > 1
    go(window, face_id, qtbot)
    assert window.workspace.face_bar.state.text() == "Labelled, blind"
    key(window, Key.Key_Z, CONTROL)
    assert session.document.face(face_id).state is State.STARTED
    assert session.blind.placed == ()
    assert others


def test_a_face_accepted_half_placed_says_so_and_can_be_had_back(window: MainWindow, qtbot: QtBot) -> None:
    session, canvas = session_of(window), window.workspace.canvas
    face_id = next(i for i in split(window)[0] if i != session.current)
    predicted = go(window, face_id, qtbot)
    for landmark in session.scheme.walk[:3]:
        click(window, predicted[landmark])
    key(window, Key.Key_X)
    assert canvas._hint.text() == "64 landmarks left to place by hand", "one is skipped, which is an answer"
    key(window, Key.Key_Return)
    assert session.document.face(face_id).state is State.LABELLED
    assert "64 landmarks not placed" in window.status.text()
    key(window, Key.Key_Z, CONTROL)
    assert session.current == face_id and session.document.face(face_id).state is State.STARTED
    qtbot.waitUntil(lambda: canvas.face is not None and canvas.face.id == face_id, timeout=20_000)
    assert session.blind.hides(face_id), "nothing was seen of its prediction"
    assert window.project.precision.placing and canvas.selected == session.scheme.walk[4], "it goes on where it was"


def test_placing_ends_with_the_face(window: MainWindow, qtbot: QtBot) -> None:
    drawn, others = split(window)
    go(window, drawn[0] if drawn[0] != session_of(window).current else drawn[1], qtbot)
    assert window.project.precision.placing
    go(window, others[0], qtbot)
    assert not window.project.precision.placing
    assert window.workspace.face_bar.accept.isEnabled()
    assert np.isfinite(window.workspace.canvas._shown.points).all()  # type: ignore[union-attr]
    key(window, Key.Key_Return)
    record = session_of(window).store.get(f"lean/{others[0]}")
    assert record["blind"] is False


def test_the_pre_fill_can_be_asked_for(window: MainWindow, qtbot: QtBot) -> None:
    session = session_of(window)
    face_id = next(i for i in split(window)[0] if i != session.current)
    predicted = go(window, face_id, qtbot)
    click(window, predicted[session.scheme.walk[0]])
    key(window, Key.Key_Backspace, CONTROL)
    assert session.document.face(face_id).label is None
    assert not window.project.precision.placing
    assert np.allclose(window.workspace.canvas._shown.points, predicted)  # type: ignore[union-attr]
    key(window, Key.Key_Return)
    assert session.blind.lean().shown == 1
    assert session.blind.placed == ()


def test_a_pre_fill_that_was_looked_at_is_written_down_at_once(window: MainWindow, qtbot: QtBot) -> None:
    session = session_of(window)
    face_id = next(i for i in split(window)[1] if i != session.current)
    assert session.store.get(f"seen/{face_id}") is None
    go(window, face_id, qtbot)
    qtbot.waitUntil(lambda: session.store.get(f"seen/{face_id}") is True)
    hidden_one = next(i for i in split(window)[0] if i != session.current)
    go(window, hidden_one, qtbot)
    qtbot.wait(20)
    assert session.store.get(f"seen/{hidden_one}") is None


def test_no_heatmap_of_a_face_that_is_placed_blind(window: MainWindow, qtbot: QtBot) -> None:
    face_id = next(i for i in split(window)[0] if i != session_of(window).current)
    go(window, face_id, qtbot)
    assert window.project.insight._job() is None


def test_a_neighbour_in_the_photo_does_not_give_it_away(window: MainWindow, qtbot: QtBot) -> None:
    session = session_of(window)
    drawn, others = split(window)
    predicted = go(window, others[0], qtbot)
    editor = window.project.editor
    assert editor.set_box(60.0, 60.0, 100.0, 100.0)
    added = editor.add_face(5.0, 5.0, 60.0, 60.0)
    assert added is not None and added != others[0]
    session.document.set_predictions({added: Prediction(predicted / 3, np.ones(68), "model")})
    session.blind.share = 1.0
    session.blind._seen.discard(added)
    window.project.navigator.show_again()
    others_shown = window.workspace.canvas._others
    assert [other.points for other in others_shown if other.face_id == added] == [None]
    assert drawn


def test_the_switch_and_the_report(window: MainWindow, qtbot: QtBot) -> None:
    action = window.actions_by_id["blind"]
    assert action.isChecked()
    key(window, Key.Key_F8)
    (dialog,) = window.findChildren(LeanWindow)
    assert dialog.blind.isChecked() and dialog.blind.text() == "Let 50\u00a0% of the faces come without a pre-fill"
    dialog.close()
    qtbot.waitUntil(lambda: not window.findChildren(LeanWindow))
    action.trigger()
    assert window.settings["blind_share"] == 0.0
    assert session_of(window).blind.share == 0.0
    window.actions_by_id["lean"].trigger()
    (dialog,) = window.findChildren(LeanWindow)
    assert "Not enough blind faces yet" in dialog.verdict.text()
    assert not dialog.blind.isChecked() and dialog.blind.text() == "Let one face in twenty come without a pre-fill"
    dialog.blind.click()
    assert window.settings["blind_share"] == 0.05
    assert action.isChecked()
    assert session_of(window).blind.share == 0.05
    dialog.close()
