"""The first steps are told once: when there is something to drag, until something is edited."""

from __future__ import annotations

import numpy as np
from pytestqt.qtbot import QtBot

from scaf_gui.core.face import Prediction
from scaf_gui.gui.greeting import TEXT, Greeting
from scaf_gui.gui.key_names import as_here
from scaf_gui.gui.window import MainWindow


def test_the_first_landmarks_come_with_a_word_that_the_first_edit_takes_away(
    quiet_window: MainWindow, qtbot: QtBot
) -> None:
    window, session = quiet_window, quiet_window.session
    assert session is not None and session.current is not None
    Greeting(window, window.settings)
    assert not window.messages.messages(), "nothing to drag yet"
    points = np.random.default_rng(0).uniform(50.0, 140.0, (68, 2))
    session.document.set_predictions({session.current: Prediction(points, np.ones(68), "m")})
    qtbot.waitUntil(lambda: [message.text for message in window.messages.messages()] == [as_here(TEXT)])
    assert window.settings["greeted"]
    Greeting(window, window.settings)
    window.workspace.canvas.select(3)
    window.actions_by_id["nudge_left"].trigger()
    assert not window.messages.messages()
    window.project.navigator.go_to(session.queue.order[1])
    session.document.set_predictions({session.queue.order[1]: Prediction(points, np.ones(68), "m")})
    qtbot.waitUntil(lambda: window.project.navigator.on_canvas()[1] is not None)
    assert not window.messages.messages()


def test_who_has_labelled_before_is_told_nothing(quiet_window: MainWindow, qtbot: QtBot) -> None:
    window, session = quiet_window, quiet_window.session
    assert session is not None
    first, second = session.queue.order[:2]
    points = np.random.default_rng(0).uniform(50.0, 140.0, (68, 2))
    session.document.set_predictions({face: Prediction(points, np.ones(68), "m") for face in (first, second)})
    qtbot.waitUntil(lambda: window.project.navigator.on_canvas()[1] is not None)
    window.actions_by_id["accept"].trigger()
    Greeting(window, window.settings)
    window.project.navigator.show_again()
    qtbot.waitUntil(lambda: bool(window.settings["greeted"]))
    assert not window.messages.messages()
