"""No key is ever without an answer: whatever an act cannot do, or does unseen, is said in the status bar."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from scaf_gui.core.face import Prediction
from scaf_gui.gui.acts import ACTS
from scaf_gui.gui.window import MainWindow
from scaf_gui.session.project import new_project
from scaf_gui.session.session import Session
from scaf_gui.settings import Settings

pytestmark = pytest.mark.usefixtures("dressed", "no_leaks")
Opener = Callable[[Session, Settings], MainWindow]
#: these ask for a file in a window of the system's, or end what is tested
ELSEWHERE = {"open_folder", "open_project", "close_project", "quit"}
#: what each of these does cannot be seen on a canvas that has the focus already
NO_ANSWER = {"focus_canvas"}


@pytest.fixture
def scheme_of_one(tmp_path: Path) -> Path:
    path = tmp_path / "tip.json"
    path.write_text(json.dumps({"id": "tip", "landmarks": ["tip"], "flip_pairs": []}))
    return path


def predict(session: Session) -> None:
    count = session.scheme.num_landmarks
    spots = np.random.default_rng(1).uniform(60, 130, (count, 2))
    session.document.set_predictions({face.id: Prediction(spots, np.ones(count), "model") for face in session.document})


def look(window: MainWindow) -> QImage:
    QApplication.processEvents()
    return window.grab().toImage()


def silent(window: MainWindow, *, no_face: bool = False) -> list[str]:
    """The acts after which neither the window looks otherwise nor anything is said nor a dialog is up."""
    found, canvas = [], window.workspace.canvas
    session = window.session
    assert session is not None
    at = session.current
    for act in ACTS:
        if act.id in ELSEWHERE | NO_ANSWER:
            continue
        window.project.navigator._show(None) if no_face else window.project.navigator.go_to(at)
        while canvas.cancel_gesture():
            pass
        window.project.precision.place(False)
        canvas.select(None)
        window.messages.clear()
        window.status.say("")
        before = look(window)
        window.actions_by_id[act.id].trigger()
        dialogs = [w for w in QApplication.topLevelWidgets() if w.isVisible() and w is not window]
        for dialog in dialogs:
            dialog.close()
        if not dialogs and not window.status.remark and not window.messages.messages() and look(window) == before:
            found.append(act.id)
    return found


def test_of_a_face_that_is_placed_blind(open_quietly: Opener, faces_folder: Path, tmp_path: Path, qtbot: QtBot) -> None:
    settings = Settings()
    settings["blind_share"] = 0.5
    session = new_project(tmp_path / "p.scaf", faces_folder, boxes="whole", settings=settings, use_starter=False)
    predict(session)
    window = open_quietly(session, settings)
    drawn = next(face.id for face in session.document if session.blind.hides(face.id))
    window.project.navigator.go_to(drawn)
    qtbot.waitUntil(lambda: window.workspace.canvas.face is not None and window.workspace.canvas.face.id == drawn)
    assert silent(window) == []


def test_where_nothing_is_predicted(quiet_window: MainWindow) -> None:
    assert silent(quiet_window) == []


def test_of_a_face_of_one_landmark(
    open_quietly: Opener, faces_folder: Path, tmp_path: Path, scheme_of_one: Path
) -> None:
    session = new_project(
        tmp_path / "p.scaf", faces_folder, str(scheme_of_one), boxes="whole", settings=Settings(), use_starter=False
    )
    predict(session)
    window = open_quietly(session, Settings())
    assert silent(window) == []
    window.workspace.canvas.select(0)
    assert say_of(window, "mirror") == "This scheme names no pairs of landmarks, so there is no other side"
    window.actions_by_id["show_skeleton"].trigger()
    assert "pairs" not in window.status.text(), "what was said of another act is gone"


def test_without_any_face(quiet_window: MainWindow) -> None:
    assert silent(quiet_window, no_face=True) == []
    assert quiet_window.session is not None and quiet_window.session.document.history.to_undo is None


def say_of(window: MainWindow, act: str) -> str:
    window.status.say("")
    window.actions_by_id[act].trigger()
    return window.status.text()


def test_why_the_prediction_is_not_shown(
    open_quietly: Opener, faces_folder: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    settings = Settings()
    session = new_project(tmp_path / "p.scaf", faces_folder, boxes="whole", settings=settings, use_starter=False)
    window = open_quietly(session, settings)
    canvas, face_id = window.workspace.canvas, session.current
    assert face_id is not None
    assert say_of(window, "show_ghost") == "Nothing is predicted of this face: there is no model yet"
    assert canvas.ghost, "it is on, for faces of which there is one"
    assert "not shown" in say_of(window, "show_ghost") and not canvas.ghost
    session.blind.share = 1.0
    predict(session)
    window.project.navigator.show_again()
    kept_back = "The prediction of this face is kept back, as it is placed without one"
    for act in ("show_ghost", "confidence", "next_doubt", "snap"):
        assert say_of(window, act) == kept_back
    assert window.project.blind is not None
    say_of(window, "reset")
    assert "predicted landmarks" in say_of(window, "reset")
    window.actions_by_id["show_ghost"].trigger()
    assert "These are the predicted landmarks" in say_of(window, "show_ghost")
    canvas.select(3)
    canvas.nudge(4.0, 0.0)
    assert say_of(window, "show_ghost").startswith("Prediction: not shown")
    assert say_of(window, "show_ghost") == "Ready", "it is seen, so nothing needs to be said"


def test_a_mark_that_is_not_there_is_not_taken_back(quiet_window: MainWindow) -> None:
    session, canvas = quiet_window.session, quiet_window.workspace.canvas
    assert session is not None
    predict(session)
    quiet_window.project.navigator.show_again()
    canvas.select(3)
    assert say_of(quiet_window, "visible") == "Nothing to take back: contour 03 is not marked"
    assert session.document.history.to_undo is None, "and the face is not begun by that"
    canvas.select_group(frozenset({3, 4}))
    assert say_of(quiet_window, "visible") == "Nothing to take back: 2 landmarks are not marked"


def test_switches_say_how_they_stand(quiet_window: MainWindow) -> None:
    assert say_of(quiet_window, "loupe") == "Loupe: off"
    assert say_of(quiet_window, "loupe_more") == "The loupe is off: M switches it on"
    assert say_of(quiet_window, "loupe") == "Loupe: on"
    assert say_of(quiet_window, "loupe_more").startswith("Loupe: ")
    assert say_of(quiet_window, "walk_zoom") == "Zoom While Walking: on"
    assert say_of(quiet_window, "fall_off") == "Drag Neighbours Along: on"
