"""Bad input at the real window: held and doubled keys, broken gestures, other screens, tiny and huge schemes."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QImage, QKeyEvent, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import Face, Flag, Prediction, State
from scaf_gui.gui.acts import ACTS, REPEATING
from scaf_gui.gui.demo import Hand
from scaf_gui.gui.window import MainWindow
from scaf_gui.gui.worker import Worker
from scaf_gui.io.formats import formats
from scaf_gui.session.exchange import export_labels
from scaf_gui.session.project import new_project, open_project
from scaf_gui.session.session import Session
from scaf_gui.settings import Settings

pytestmark = pytest.mark.usefixtures("dressed", "no_leaks")
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
Key = Qt.Key


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing works in the background: what is predicted, the tests say."""
    monkeypatch.setattr("scaf_gui.gui.project_view.ProjectView._begin_work", lambda self: None)
    monkeypatch.setattr("scaf_gui.gui.project_view.ProjectView._work_on", lambda self: None)


@pytest.fixture
def window(
    qtbot: QtBot, dressed: QApplication, quiet: None, faces_folder: Path, tmp_path: Path
) -> Iterator[MainWindow]:
    """An open project, all of whose faces are predicted."""
    made = MainWindow(Settings())
    made.show()
    made.show_session(
        new_project(tmp_path / "p.scaf", faces_folder, boxes="whole", settings=made.settings, use_starter=False)
    )
    ready(made, qtbot)
    predict_all(opened(made))
    yield made
    made.close()
    made.deleteLater()


def ready(window: MainWindow, qtbot: QtBot) -> None:
    canvas = window.workspace.canvas
    qtbot.waitUntil(lambda: canvas._image.size is not None and canvas._image._pyramid.is_whole, timeout=20_000)  # type: ignore[union-attr]
    window.activateWindow()
    canvas.setFocus()
    qtbot.waitUntil(canvas.hasFocus)


def opened(window: MainWindow) -> Session:
    assert window.session is not None
    return window.session


def current(window: MainWindow) -> Face:
    session = opened(window)
    assert session.current is not None
    return session.document.face(session.current)


def spots(count: int) -> FloatArray:
    """A grid of places within an image of 192 x 192 pixels."""
    side = int(np.ceil(np.sqrt(count)))
    grid = np.stack(np.meshgrid(*[np.linspace(30, 160, side)] * 2), axis=-1).reshape(-1, 2)
    return grid[:count] if count > 1 else np.array([[96.0, 96.0]])


def predict_all(session: Session) -> None:
    count = session.scheme.num_landmarks
    made = Prediction(spots(count), np.ones(count), "model")
    session.document.set_predictions({face.id: made for face in session.document})


def hold(window: MainWindow, landmark: int, dx: int, dy: int) -> tuple[QPoint, FloatArray]:
    """Press a landmark and move it so many screen pixels; where the cursor is, and the place it came from."""
    canvas = window.workspace.canvas
    canvas.select(landmark)
    place = np.array(canvas.position(landmark))
    start = Hand(window).screen(*place)
    QTest.mousePress(canvas.viewport(), LEFT, NONE, start)
    end = start + QPoint(dx, dy)
    QTest.mouseMove(canvas.viewport(), start + QPoint(dx // 2, dy // 2))
    QTest.mouseMove(canvas.viewport(), end)
    return end, place


def hold_key(window: MainWindow, key: Key, repeats: int) -> None:
    """A key that is held down: one press, repeats by the system, one release."""
    canvas = window.workspace.canvas
    QTest.keyPress(canvas, key)
    for _ in range(repeats):
        event = QKeyEvent(QEvent.Type.KeyPress, key.value, NONE, "", True)
        QApplication.sendEvent(canvas.window().windowHandle(), event)
    QTest.keyRelease(canvas, key)


# -- keys --------------------------------------------------------------------------------------------


def test_a_held_return_accepts_one_face(window: MainWindow) -> None:
    session, first = opened(window), current(window)
    hold_key(window, Key.Key_Return, 12)
    assert [face.id for face in session.document.with_state(State.LABELLED)] == [first.id]
    hold_key(window, Key.Key_S, 12)
    assert len(session.document.with_state(State.SKIPPED)) == 1


def test_a_repeat_that_looks_like_another_press_accepts_no_other_face(window: MainWindow) -> None:
    """X11 sends a held key as releases and presses of the same time; Qt may miss that they are one."""
    session, canvas = opened(window), window.workspace.canvas

    def sends(kind: QEvent.Type, when: int) -> bool:
        event = QKeyEvent(kind, Key.Key_Return.value, NONE)
        event.setTimestamp(when)
        event.ignore()
        QApplication.sendEvent(canvas, event)
        return event.isAccepted()

    assert not sends(QEvent.Type.ShortcutOverride, 1000), "the first press is an act's"
    sends(QEvent.Type.KeyRelease, 1660)
    assert sends(QEvent.Type.ShortcutOverride, 1660), "kept from the acts"
    sends(QEvent.Type.KeyRelease, 1700)
    assert not sends(QEvent.Type.ShortcutOverride, 1760), "pressed again by a hand"
    assert not session.document.with_state(State.LABELLED)


def test_only_harmless_acts_repeat(window: MainWindow) -> None:
    repeating = {name for name, action in window.actions_by_id.items() if action.autoRepeat()}
    assert repeating == REPEATING & {act.id for act in ACTS} == REPEATING


def test_held_arrows_move_on_in_one_step_of_undo(window: MainWindow) -> None:
    canvas, session = window.workspace.canvas, opened(window)
    canvas.shaping.enabled = False
    canvas.select(30)
    before = np.array(canvas.position(30))
    hold_key(window, Key.Key_Right, 14)
    label = current(window).label
    assert label is not None
    np.testing.assert_allclose(label.points[30] - before, (15.0, 0.0))
    assert session.document.history.to_undo is not None
    assert session.document.history.to_undo.title.startswith("Move nose bridge 03")
    QTest.keyClick(canvas, Key.Key_Z, CONTROL)
    assert current(window).label is None


def test_whoever_closes_the_window_never_waits_for_a_thread(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, begun, go_on = opened(window), threading.Event(), threading.Event()
    background = window.project.background
    assert background is not None

    def loads() -> Generator[None, None, str]:  # as torch does: nothing can cut it short
        begun.set()
        assert go_on.wait(20)
        return "CPU"
        yield

    background.probe.start(loads)
    assert begun.wait(20)
    seen: list[tuple[bool, bool]] = []
    wait = Worker.wait

    def waits(self: Worker, ms: int | None = None) -> bool:
        if self is background.probe:
            open_project(session.path).close()  # free for the next window already
            seen.append((window.isVisible(), session._closed))
            go_on.set()
        return wait(self, ms)

    monkeypatch.setattr(Worker, "wait", waits)
    window.close()
    assert seen == [(False, True)], "hidden, and the file closed, before anything was waited for"


def test_whoever_closes_a_project_never_looks_at_a_frozen_window(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, faces_folder: Path
) -> None:
    session, begun, go_on = opened(window), threading.Event(), threading.Event()
    background = window.project.background
    assert background is not None

    def trains() -> Generator[None, None, None]:
        begun.set()
        assert go_on.wait(20)
        yield

    background.refresh.start(trains)
    assert begun.wait(20)
    window.close_project()  # would never return if it waited
    assert session._closed and window.start_screen.isVisible()
    other = new_project(tmp_path / "q.scaf", faces_folder, boxes="whole", settings=window.settings, use_starter=False)
    window.show_session(other)
    assert background.refresh.is_running, "another project waits for nothing, either"
    threading.Timer(0.3, go_on.set).start()
    window.close_project()
    window.show_session(open_project(session.path))
    assert go_on.is_set(), "the same one waits: its cache is for one at a time"


def test_a_double_press_does_not_accept_a_face_that_nobody_has_seen(window: MainWindow, qtbot: QtBot) -> None:
    session, canvas = opened(window), window.workspace.canvas
    window.project.navigator.double_press = 0.6
    first = current(window)
    QTest.keyClick(canvas, Key.Key_Return)
    second = current(window)
    QTest.keyClick(canvas, Key.Key_Return)
    assert current(window) == second and second.id != first.id
    assert [face.id for face in session.document.with_state(State.LABELLED)] == [first.id]
    assert "Pressed twice" in window.status.text()
    QTest.mouseDClick(window.workspace.face_bar.accept, LEFT)
    QTest.keyClick(canvas, Key.Key_S)
    assert current(window) == second
    qtbot.wait(700)
    QTest.keyClick(canvas, Key.Key_Return)
    assert len(session.document.with_state(State.LABELLED)) == 2
    # one that was gone to in another way is meant
    QTest.keyClick(canvas, Key.Key_PageDown)
    QTest.keyClick(canvas, Key.Key_Return)
    assert len(session.document.with_state(State.LABELLED)) == 3


# -- broken gestures ---------------------------------------------------------------------------------


def test_a_drag_may_leave_the_window_and_come_back(window: MainWindow) -> None:
    canvas = window.workspace.canvas
    canvas.shaping.enabled = False
    end, start = hold(window, 30, 20, 0)
    for spot in (QPoint(-400, -300), QPoint(5000, 4000), end):
        QTest.mouseMove(canvas.viewport(), spot)
        QApplication.sendEvent(canvas.viewport(), QEvent(QEvent.Type.Leave))
    assert current(window).label is None, "nothing is written while it is held"
    QTest.mouseRelease(canvas.viewport(), LEFT, NONE, end)
    label = current(window).label
    assert label is not None
    np.testing.assert_allclose(label.points[30] - start, (20 / canvas.zoom, 0.0), atol=1e-6)


def test_a_dialog_in_mid_drag_loses_nothing(window: MainWindow, qtbot: QtBot) -> None:
    canvas, session = window.workspace.canvas, opened(window)
    zoom = canvas.zoom
    end, start = hold(window, 30, 24, 10)
    window.commands.shortcuts()
    dialog = QApplication.activeModalWidget()
    assert dialog is not None
    qtbot.waitUntil(lambda: not canvas.is_busy)
    label = current(window).label
    assert label is not None and label.placed[30]
    np.testing.assert_allclose(label.points[30] - start, np.array([24, 10]) / zoom, atol=1e-6)
    log = len(session.store.edit_log())
    QTest.mouseRelease(canvas.viewport(), LEFT, NONE, end + QPoint(50, 50))  # it may come, or not
    assert len(session.store.edit_log()) == log
    dialog.close()
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is None)


def test_another_window_in_front_in_mid_drag_loses_nothing(window: MainWindow, qtbot: QtBot) -> None:
    canvas = window.workspace.canvas
    hold(window, 30, 24, 10)
    other = MainWindow(Settings())
    qtbot.addWidget(other)
    other.show()
    other.activateWindow()
    qtbot.waitUntil(lambda: not canvas.hasFocus())
    assert not canvas.is_busy
    label = current(window).label
    assert label is not None and label.placed[30]
    QTest.mouseMove(canvas.viewport(), QPoint(10, 10))
    assert canvas.position(30) == tuple(label.points[30])
    other.close()


def test_closing_in_mid_drag_asks_nothing_and_loses_nothing(window: MainWindow, tmp_path: Path) -> None:
    face, zoom = current(window), window.workspace.canvas.zoom
    _, start = hold(window, 30, 24, 10)
    window.close()
    assert QApplication.activeModalWidget() is None
    session = open_project(tmp_path / "p.scaf")
    label = session.document.face(face.id).label
    session.close()
    assert label is not None
    np.testing.assert_allclose(label.points[30] - start, np.array([24, 10]) / zoom, atol=1e-6)


def test_a_model_that_arrives_meanwhile_neither_moves_what_is_held_nor_the_label(window: MainWindow) -> None:
    canvas, session, face = window.workspace.canvas, opened(window), current(window)
    end, start = hold(window, 30, 24, 10)
    old = session.document.prediction(face.id)
    assert old is not None
    newer = replace(old, points=old.points + 15.0, model_id="newer")
    session.document.set_predictions({one.id: newer for one in session.document})
    held = np.array(canvas.position(30))
    np.testing.assert_allclose(held - start, np.array([24, 10]) / canvas.zoom, atol=1e-6)
    QTest.mouseRelease(canvas.viewport(), LEFT, NONE, end)
    label = current(window).label
    assert label is not None and label.based_on == "model"
    np.testing.assert_allclose(label.points[30], held)
    # a face without a label shows what the new model says
    QTest.keyClick(canvas, Key.Key_PageDown)
    assert window.project.navigator.on_canvas()[1] == newer


def test_what_the_bar_says_never_moves_the_canvas(window: MainWindow, qtbot: QtBot) -> None:
    place, bar = window.workspace, window.workspace.face_bar
    sizes, zoom = place.splitter.sizes(), place.canvas.zoom
    reasons = ["Left eye corner and right eye corner look exchanged, and this line is very long indeed", "b"]
    bar.show_findings(reasons)
    qtbot.wait(30)
    assert bar.odd.isVisible() and bar.odd.text().startswith("Left eye") and "+1" in bar.odd.text()
    bar.show_doubt(12, begun=True)
    qtbot.wait(30)
    assert bar.odd.isVisible() and "+1" in bar.odd.text() and reasons[0] in bar.odd.toolTip()
    assert bar.accept.geometry().right() <= bar.width() and bar.odd.geometry().right() < bar.fine.geometry().left()
    assert place.splitter.sizes() == sizes and place.canvas.zoom == zoom
    bar.show_doubt(0)
    window.resize(window.minimumSize())
    qtbot.wait(30)
    assert bar.accept.geometry().right() <= bar.width() and bar.accept.width() >= bar.accept.sizeHint().width()


# -- undo --------------------------------------------------------------------------------------------


def test_undo_goes_back_across_faces_and_across_a_new_model(window: MainWindow, qtbot: QtBot) -> None:
    session, canvas = opened(window), window.workspace.canvas
    hand, seen = Hand(window), []
    for _ in range(3):
        face = current(window)
        seen.append(face.id)
        qtbot.waitUntil(lambda: canvas._image.size is not None)
        place = canvas.position(8)
        assert place is not None
        hand.drag(8, place[0] + 5, place[1])
        assert current(window).label is not None, canvas.position(8)
        hand.press(Key.Key_Return)
    labels = {face_id: session.document.face(face_id).label for face_id in seen}
    # what a refresh does to the document: other predictions, another order
    old = session.document.prediction(seen[0])
    assert old is not None
    newer = replace(old, points=old.points + 7.0, model_id="newer")
    session.document.set_predictions({face.id: newer for face in session.document})
    for face_id in reversed(seen):
        assert session.document.face(face_id).label == labels[face_id], "a label is not the model's business"
        hand.press(Key.Key_Z, CONTROL)  # accepted
        assert session.current == face_id and session.document.face(face_id).state is State.STARTED
        hand.press(Key.Key_Z, CONTROL)  # dragged
        assert session.document.face(face_id).label is None
    for face_id in seen:
        hand.press(Key.Key_Y, CONTROL)
        hand.press(Key.Key_Y, CONTROL)
        assert session.current == face_id and session.document.face(face_id).state is State.LABELLED
    assert {face_id: session.document.face(face_id).label for face_id in seen} == labels


# -- screens -----------------------------------------------------------------------------------------


def rendered(window: MainWindow, ratio: float) -> QImage:
    """The canvas as it looks on a screen of another scale."""
    port = window.workspace.canvas.viewport()
    image = QImage(port.size() * ratio, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    painter = QPainter(image)
    port.render(painter, QPoint())
    painter.end()
    return image


def test_from_one_screen_to_another_of_a_different_scale(window: MainWindow) -> None:
    canvas = window.workspace.canvas
    canvas.select(30)
    place, zoom = canvas.position(30), canvas.zoom
    first = rendered(window, 1.0)
    fine = rendered(window, 2.0)
    assert (fine.width(), fine.height()) == (2 * first.width(), 2 * first.height())
    again = rendered(window, 1.0)
    assert again == first, "back on the first screen nothing is left of the other's sharpness"
    # in the middle of a drag, too
    hold(window, 30, 24, 10)
    rendered(window, 2.0)
    canvas.finish_gesture()
    assert canvas.zoom == zoom
    moved = np.array(canvas.position(30)) - np.array(place)
    np.testing.assert_allclose(moved, np.array([24, 10]) / zoom, atol=1e-6)
    # everything is twice as large, nothing is elsewhere
    half = fine.scaled(first.size(), Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
    one, other = (np.frombuffer(i.constBits(), np.uint8).reshape(i.height(), -1, 4)[..., :3].astype(int)
                  for i in (first, half.convertToFormat(QImage.Format.Format_RGB32)))  # fmt: skip
    assert np.abs(one - other).mean() < 6.0


# -- schemes of one landmark and of many ---------------------------------------------------------------


def scheme_file(folder: Path, count: int) -> Path:
    path = folder / f"of{count}.json"
    text = {"id": f"of{count}", "landmarks": [f"p{i}" for i in range(count)], "flip_pairs": []}
    if count >= 20:
        starts = range(0, count, 20)
        text["groups"] = [{"name": f"curve {i}", "landmarks": [*range(i, min(i + 20, count))]} for i in starts]
    if count > 1:
        text["normaliser"] = [0, count - 1]
    path.write_text(json.dumps(text))
    return path


@pytest.mark.parametrize("count", [1, 500])
def test_a_scheme_of_any_size(
    quiet: None, dressed: QApplication, qtbot: QtBot, faces_folder: Path, tmp_path: Path, count: int
) -> None:
    """Every gesture, the panel, flags, undo and each export that can hold it."""
    window = MainWindow(Settings())
    window.show()
    scheme = scheme_file(tmp_path, count)
    window.show_session(
        new_project(tmp_path / "p.scaf", faces_folder, scheme_id=str(scheme), boxes="whole", settings=window.settings)
    )
    ready(window, qtbot)
    session, canvas, hand = opened(window), window.workspace.canvas, Hand(window)
    predict_all(session)
    last = count - 1
    assert window.workspace.landmarks.table.model().rowCount() >= count
    for follows in (False, True):
        canvas.shaping.enabled = follows
        place = canvas.position(last)
        assert place is not None
        hand.drag(last, place[0] + 6, place[1] - 3)
        label = current(window).label
        assert label is not None
        np.testing.assert_allclose(label.points[last], (place[0] + 6, place[1] - 3), atol=1.0)
    for key in (Key.Key_Right, Key.Key_O, Key.Key_O, Key.Key_X, Key.Key_V, Key.Key_Tab, Key.Key_T, Key.Key_G, Key.Key_L,
                Key.Key_K, Key.Key_M):  # fmt: skip
        hand.press(key)
    hand.press(Key.Key_A, CONTROL)
    assert len(canvas.group) == count
    for action in ("spread", "mirror", "snap", "select_group", "place", "place", "level", "heatmap", "confidence"):
        if action in window.actions_by_id:
            window.actions_by_id[action].trigger()
    hand.press(Key.Key_Escape)
    hand.press(Key.Key_Escape)
    while session.document.history.to_undo is not None:
        hand.press(Key.Key_Z, CONTROL)
    assert current(window).label is None
    for _ in range(2):
        qtbot.waitUntil(lambda: canvas._image.size is not None)
        hand.press(Key.Key_Return)
    assert len(session.document.with_state(State.LABELLED)) == 2
    window.actions_by_id["check"].trigger()
    qtbot.waitUntil(lambda: not window.workspace.check.worker.is_running, timeout=20_000)
    written = 0
    for kind, known in formats().items():
        if not known.schemes:
            summary = export_labels(session, kind, tmp_path / kind)
            assert summary.report.written == 2
            written += 1
    assert written
    labels = [face.label for face in session.document.with_state(State.LABELLED)]
    assert all(label is not None and (label.flags == Flag.VISIBLE).all() for label in labels)
    window.close()
    window.deleteLater()
