"""A person's whole session through the real window: real files, real worker threads, real (small) training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from scaf_gui.core.face import State
from scaf_gui.core.metrics import nme
from scaf_gui.gui.demo import Hand
from scaf_gui.gui.export_dialog import ExportDialog
from scaf_gui.gui.import_dialog import ImportDialog
from scaf_gui.gui.window import MainWindow
from scaf_gui.session.events import RefreshResult
from scaf_gui.session.models import starter
from scaf_gui.session.project import new_project
from scaf_gui.session.truth import read_truth
from scaf_gui.settings import Settings

pytestmark = pytest.mark.usefixtures("dressed", "no_leaks")
WAIT = 120_000


@pytest.fixture
def window(qtbot: QtBot, dressed: QApplication) -> Iterator[MainWindow]:
    made = MainWindow(Settings())
    made.show()
    yield made
    made.close()
    made.deleteLater()


def open_faces(window: MainWindow, folder: Path, path: Path, boxes: str = "detector") -> None:
    window.show_session(new_project(path, folder, boxes=boxes, settings=window.settings))


def idle(window: MainWindow) -> bool:
    background = window.project.background
    return background is not None and not background.is_busy()


def prefilled(window: MainWindow) -> bool:
    return window.project.navigator.on_canvas()[1] is not None


def pixels_shown(window: MainWindow) -> bool:
    return window.workspace.canvas._image.size is not None


def wait(qtbot: QtBot, until: Callable[[], bool]) -> None:
    qtbot.waitUntil(until, timeout=WAIT)


def accept_faces(window: MainWindow, qtbot: QtBot, count: int) -> None:
    hand = Hand(window)
    for _ in range(count):
        wait(qtbot, lambda: prefilled(window) and pixels_shown(window))
        hand.press(Qt.Key.Key_Return)


def test_a_whole_session(
    window: MainWindow, qtbot: QtBot, faces_folder: Path, truth_folder: Path, tmp_path: Path
) -> None:
    open_faces(window, faces_folder, tmp_path / "p.scaf")
    session = window.session
    assert session is not None
    assert starter(session.scheme) is not None, "the shipped starter is missing"
    # the image comes first, the pre-fill when it is ready
    wait(qtbot, lambda: pixels_shown(window))
    assert not prefilled(window)
    wait(qtbot, lambda: prefilled(window))
    truth = {
        image: faces[0].points for image, faces in read_truth(truth_folder, session.scheme, images(window)).items()
    }

    first = session.current
    assert first is not None
    face, prediction = window.project.navigator.on_canvas()
    assert face is not None and prediction is not None and face.label is None
    assert nme(prediction.points, truth[face.image], session.scheme) < 10

    # a drag by mouse is one edit, durable at once
    hand = Hand(window)
    target = truth[face.image][30] + (6.0, 3.0)
    hand.drag(30, *target)
    label = session.document.face(first).label
    assert label is not None and label.placed.sum() == 1 and label.placed[30]
    np.testing.assert_allclose(label.points[30], target, atol=1.0)
    # the others follow, but nobody has placed them
    gone = np.abs(label.points - prediction.points).max(axis=1)
    assert 0 < gone[29] < gone[30]
    assert session.document.face(first).state is State.STARTED
    log = [title for title, *_ in session.store.edit_log() if title != "Find faces"]
    assert log == ["Move nose bridge 03, shape follows"]

    # accept goes to the next face; undo comes back
    hand.press(Qt.Key.Key_Return)
    assert session.document.face(first).state is State.LABELLED and session.current != first
    hand.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert session.current == first and session.document.face(first).state is State.STARTED
    hand.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert session.document.face(first).label is None
    hand.press(Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    hand.press(Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert session.document.face(first).state is State.LABELLED
    assert not window.workspace.training.button.isEnabled()
    qtbot.waitUntil(lambda: "1 of 2" in window.workspace.training.reason.text())
    window.project.navigator.next_waiting()

    # three labels, then one click refreshes the model; work goes on meanwhile
    accept_faces(window, qtbot, 2)
    wait(qtbot, lambda: idle(window))
    background = window.project.background
    assert background is not None
    background.refresh_options = {"max_seconds": 2.0}
    at, order = session.current, session.queue.order
    outcomes: list[object] = []
    background.refresh_ended.connect(lambda outcome, kind: outcomes.append(outcome))
    qtbot.waitUntil(window.workspace.training.button.isEnabled)
    qtbot.mouseClick(window.workspace.training.button, Qt.MouseButton.LeftButton)
    wait(qtbot, lambda: len(window.workspace.training.plot.points()) > 0 or bool(outcomes))
    moved = session.document.prediction(at).points[8] + (4.0, 0.0)  # type: ignore[arg-type,union-attr]
    hand.drag(8, *moved)
    meanwhile = session.document.face(at).label  # type: ignore[arg-type]
    assert meanwhile is not None
    wait(qtbot, lambda: bool(outcomes))
    assert isinstance(outcomes[0], RefreshResult) and outcomes[0].old_error is not None
    assert outcomes[0].message in window.workspace.training.outcome.text()
    wait(qtbot, lambda: idle(window))
    # the queue is another one, the current face is where it was, and its label is untouched
    assert session.current == at and session.queue.order != order and session.queue.scores
    assert session.document.face(at).label == meanwhile  # type: ignore[arg-type]
    qtbot.waitUntil(lambda: window.workspace.queue.model.face_order()[0] == at)

    # labels that other tools read
    dialog = ExportDialog(session, window)
    dialog.out.setText(str(tmp_path / "labels"))
    dialog.write()
    wait(qtbot, lambda: dialog.summary is not None)
    dialog.close()
    assert dialog.summary is not None and dialog.summary.report.written == 3
    assert "Wrote 3 faces" in dialog.outcome.text()
    assert len(list((tmp_path / "labels").glob("*.pts"))) == 3
    dialog.deleteLater()

    # and back in: nothing new, nothing in conflict
    again = ImportDialog(session, window)
    again.source.setText(str(tmp_path / "labels"))
    wait(qtbot, lambda: again.plan is not None)
    assert "3 are there already" in again.outcome.text() and not again.action_button.isEnabled()
    again.source.setText(str(truth_folder))
    assert again.plan is None and not again.action_button.isEnabled()
    wait(qtbot, lambda: again.plan is not None)
    assert "4 new" in again.outcome.text() and "in conflict" in again.outcome.text()
    again.action_button.click()
    assert again.summary is not None and again.summary.imported == 4
    assert len(session.document.with_state(State.LABELLED)) == 7
    again.deleteLater()
    window.project.undo()
    assert len(session.document.with_state(State.LABELLED)) == 3
    assert session.document.face(at).label == meanwhile  # type: ignore[arg-type]


def images(window: MainWindow) -> tuple[str, ...]:
    assert window.session is not None
    return tuple(dict.fromkeys(face.image for face in window.session.document))


def test_closing_while_training_loses_nothing_and_the_last_drag_is_there(
    window: MainWindow, qtbot: QtBot, faces_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "p.scaf"
    open_faces(window, faces_folder, path)
    accept_faces(window, qtbot, 3)
    session, background = window.session, window.project.background
    assert session is not None and background is not None
    qtbot.waitUntil(lambda: not window.workspace.training.why_not())
    window.project.refresh_model()
    wait(qtbot, lambda: len(window.workspace.training.plot.points()) > 0)
    wait(qtbot, lambda: prefilled(window))
    face_id = session.current
    assert face_id is not None
    Hand(window).drag(20, 50.0, 40.0)
    window.close()
    assert not background.is_busy() or background.refresh.wait(0)
    assert not path.with_name("p.scaf-wal").exists()
    assert not list((session.companions / "models").glob("*")) if (session.companions / "models").exists() else True

    again = MainWindow(Settings())
    again.show()
    again.opener.open_project(path)
    assert again.session is not None and again.session.current == face_id
    label = again.session.document.face(face_id).label
    assert label is not None and label.placed[20]
    np.testing.assert_allclose(label.points[20], (50.0, 40.0), atol=1.0)
    assert len(again.session.document.with_state(State.LABELLED)) == 3
    again.close()
    again.deleteLater()


def test_the_last_drag_is_taken_back_after_opening_again(
    window: MainWindow, qtbot: QtBot, faces_folder: Path, tmp_path: Path
) -> None:
    """The menu names it, and undo goes to its face, though another one is shown."""
    open_faces(window, faces_folder, tmp_path / "p.scaf", boxes="whole")
    wait(qtbot, lambda: prefilled(window) and pixels_shown(window))
    session = window.session
    assert session is not None and session.current is not None
    face_id = session.current
    before = session.document.face(face_id)
    Hand(window).drag(20, 50.0, 40.0)
    title = session.document.history.to_undo.title if session.document.history.to_undo else ""
    assert title.startswith("Move ") and session.document.face(face_id) != before
    window.project.navigator.go_to(session.next_face())
    window.close()

    again = MainWindow(Settings())
    again.show()
    again.opener.open_project(tmp_path / "p.scaf")
    assert again.session is not None and again.session.current != face_id
    again.commands.name_undo()
    assert again.actions_by_id["undo"].text().startswith(f"Undo: {title[:20]}")
    again.project.undo()
    assert again.session.document.face(face_id) == before and again.session.current == face_id
    again.project.undo()
    assert "Nothing to undo" in again.status.text()
    again.close()
    again.deleteLater()


def test_cancelling_a_refresh_keeps_the_model_and_says_so(
    window: MainWindow, qtbot: QtBot, faces_folder: Path, tmp_path: Path
) -> None:
    open_faces(window, faces_folder, tmp_path / "p.scaf")
    accept_faces(window, qtbot, 3)
    session, panel = window.session, window.workspace.training
    assert session is not None and session.model is not None
    before = session.model.id
    qtbot.waitUntil(lambda: not panel.why_not())
    window.project.refresh_model()
    wait(qtbot, lambda: len(panel.plot.points()) > 0)
    assert panel.cancel.isVisible() and not panel.button.isVisible()
    qtbot.mouseClick(panel.cancel, Qt.MouseButton.LeftButton)
    assert panel.stage.text() == "Stopping after this step…", "a step may take seconds"
    assert "Stopping…" in window.status.text()
    wait(qtbot, panel.button.isVisible)
    assert "Stopping" not in window.status.text()
    assert "Cancelled" in panel.outcome.text() and session.model.id == before


def test_predictions_that_arrive_while_a_landmark_is_held_do_not_move_it(
    window: MainWindow, qtbot: QtBot, faces_folder: Path, tmp_path: Path
) -> None:
    from dataclasses import replace

    open_faces(window, faces_folder, tmp_path / "p.scaf", boxes="whole")
    wait(qtbot, lambda: prefilled(window) and idle(window))
    session, canvas, hand = window.session, window.workspace.canvas, Hand(window)
    assert session is not None and session.current is not None
    face_id = session.current
    old = session.document.prediction(face_id)
    place = canvas.position(30)
    assert old is not None and place is not None
    canvas.select(30)
    start = hand.screen(*place)
    qtbot.mousePress(canvas.viewport(), Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(canvas.viewport(), start + (hand.screen(place[0] + 9, place[1]) - start))
    session.document.set_predictions({face_id: replace(old, points=old.points + 15.0, model_id="newer")})
    held = canvas.position(30)
    assert held is not None and abs(held[0] - place[0] - 9) < 1.5 and abs(held[1] - place[1]) < 1.5
    qtbot.mouseRelease(canvas.viewport(), Qt.MouseButton.LeftButton, pos=hand.screen(place[0] + 9, place[1]))
    label = session.document.face(face_id).label
    assert label is not None and label.based_on == old.model_id
    np.testing.assert_allclose(label.points[30], held, atol=1.0)
    # what follows starts from the prediction that was on the screen, not from the one that came meanwhile
    assert np.abs(label.points[8] - old.points[8]).max() < 9.0


def test_skip_next_previous_and_the_list(window: MainWindow, qtbot: QtBot, faces_folder: Path, tmp_path: Path) -> None:
    open_faces(window, faces_folder, tmp_path / "p.scaf", boxes="whole")
    session, hand = window.session, Hand(window)
    assert session is not None
    order = session.queue.order
    wait(qtbot, lambda: pixels_shown(window))
    assert session.current == order[0]
    hand.press(Qt.Key.Key_S)
    assert session.document.face(order[0]).state is State.SKIPPED and session.current == order[1]
    hand.press(Qt.Key.Key_PageDown)
    hand.press(Qt.Key.Key_PageDown)
    assert session.current == order[3]
    hand.press(Qt.Key.Key_PageUp)
    hand.press(Qt.Key.Key_PageUp)
    assert session.current == order[1]
    hand.press(Qt.Key.Key_PageDown)
    assert session.current == order[2]
    row = window.workspace.queue.model.row_of(order[5])
    assert row is not None
    view = window.workspace.queue.view
    qtbot.mouseClick(
        view.viewport(),
        Qt.MouseButton.LeftButton,
        pos=view.visualRect(window.workspace.queue.model.index(row)).center(),
    )
    assert session.current == order[5] and window.workspace.canvas.hasFocus()
    wait(qtbot, lambda: idle(window))


def test_a_box_drawn_by_hand_is_pre_filled(
    window: MainWindow, qtbot: QtBot, faces_folder: Path, tmp_path: Path
) -> None:
    open_faces(window, faces_folder, tmp_path / "p.scaf", boxes="whole")
    wait(qtbot, lambda: prefilled(window) and idle(window))
    session, canvas, hand = window.session, window.workspace.canvas, Hand(window)
    assert session is not None and session.current is not None
    before = session.document.prediction(session.current)
    hand.press(Qt.Key.Key_F, Qt.KeyboardModifier.ShiftModifier)
    hand.press(Qt.Key.Key_B)
    left, start, end = Qt.MouseButton.LeftButton, hand.screen(40, 30), hand.screen(150, 160)
    qtbot.mousePress(canvas.viewport(), left, pos=start)
    qtbot.mouseMove(canvas.viewport(), (start + end) / 2)
    qtbot.mouseMove(canvas.viewport(), end)
    qtbot.mouseRelease(canvas.viewport(), left, pos=end)
    box = session.document.face(session.current).box
    assert box is not None and box.source == "drawn" and abs(box.x - 40) < 2 and abs(box.width - 110) < 3
    wait(qtbot, lambda: prefilled(window) and idle(window))
    assert session.document.prediction(session.current) is not before


def test_flags_and_attributes(window: MainWindow, qtbot: QtBot, faces_folder: Path, tmp_path: Path) -> None:
    open_faces(window, faces_folder, tmp_path / "p.scaf", boxes="whole")
    wait(qtbot, lambda: prefilled(window) and idle(window))
    session, panel, hand = window.session, window.workspace.landmarks, Hand(window)
    assert session is not None and session.current is not None
    hand.press(Qt.Key.Key_O)
    assert "Select a landmark first" in window.status.text()
    panel.table.selectRow(12)
    assert window.workspace.canvas.selected == 12
    hand.press(Qt.Key.Key_O)
    assert panel.model.index(12, 1).data() == "occluded"
    hand.press(Qt.Key.Key_O)
    assert panel.model.index(12, 1).data() == "visible"
    hand.press(Qt.Key.Key_X)
    assert panel.model.index(12, 1).data() == "missing"
    qtbot.mouseClick(panel.attributes[4], Qt.MouseButton.LeftButton)
    face = session.document.face(session.current)
    assert face.attributes == (False, False, False, False, True, False)
    window.project.undo()
    assert not panel.attributes[4].isChecked()
