"""The label check in the real window: hint, list, going there, fine as it is, marks of several landmarks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from scaf_gui.core import edits
from scaf_gui.core.calibration import perfect_magnitude
from scaf_gui.core.check import RULES
from scaf_gui.core.face import Author, Flag, Label, Prediction, State
from scaf_gui.gui.window import MainWindow
from scaf_gui.session.project import new_project
from scaf_gui.session.session import Session
from scaf_gui.session.truth import read_truth
from scaf_gui.settings import Settings

pytestmark = pytest.mark.usefixtures("dressed", "no_leaks")


@pytest.fixture
def window(
    qtbot: QtBot, dressed: QApplication, faces_folder: Path, truth_folder: Path, tmp_path: Path
) -> Iterator[MainWindow]:
    """A project of true labels, all accepted, but for face 3: two neighbours of its contour are exchanged."""
    made = MainWindow(Settings())
    made.show()
    session = new_project(tmp_path / "p.scaf", faces_folder, boxes="whole", use_starter=False, settings=made.settings)
    names = tuple(face.image for face in session.document)
    truth = read_truth(truth_folder, session.scheme, names)
    for face in session.document:
        points = truth[face.image][0].points.copy()
        if face.id == 3:
            points[[4, 5]] = points[[5, 4]]
        label = Label.from_points(points, Author.now("me"))
        session.edit(edits.change_face("Label", face, replace(face, label=label, state=State.LABELLED)))
    session.current = 1
    made.show_session(session)
    qtbot.waitUntil(
        lambda: made.workspace.canvas.face is not None and made.workspace.canvas.face.id == 1, timeout=20_000
    )
    yield made
    made.close()
    made.deleteLater()


def opened(window: MainWindow) -> Session:
    assert window.session is not None
    return window.session


def on_canvas(window: MainWindow) -> int | None:
    face = window.workspace.canvas.face
    return None if face is None else face.id


def test_from_the_list_to_the_landmarks_and_fine(window: MainWindow, qtbot: QtBot) -> None:
    panel, bar = window.workspace.check, window.workspace.face_bar
    assert panel.isHidden() and bar.odd.isHidden()
    window.actions_by_id["check"].trigger()
    qtbot.waitUntil(lambda: not panel.worker.is_running, timeout=20_000)
    assert panel.isVisible()
    rows = [panel.list.topLevelItem(i) for i in range(panel.list.topLevelItemCount())]
    row = next(row for row in rows if row.text(1) == "Neighbours out of order")
    panel.list.setCurrentItem(row)
    qtbot.waitUntil(lambda: on_canvas(window) == 3, timeout=20_000)
    qtbot.waitUntil(lambda: set(np.flatnonzero(window.workspace.canvas.chosen())) == {4, 5}, timeout=20_000)
    qtbot.waitUntil(bar.odd.isVisible)
    assert "exchanged" in bar.odd.toolTip()
    assert bar.accept.isEnabled()
    before = panel.list.topLevelItemCount()
    panel.fine.click()
    assert panel.list.topLevelItemCount() == before - 1
    assert bar.odd.isHidden()
    panel.show_fine.setChecked(True)
    assert panel.list.topLevelItemCount() == before


def test_what_was_found_is_never_cut_short(window: MainWindow, qtbot: QtBot) -> None:
    panel = window.workspace.check
    panel.check()
    qtbot.waitUntil(lambda: not panel.worker.is_running and panel.list.topLevelItemCount() > 0, timeout=20_000)
    row = panel.list.topLevelItem(0)
    assert row is not None
    for rule in RULES.values():
        row.setText(1, rule.title)
        qtbot.wait(10)
        assert panel.list.columnWidth(1) >= panel.list.sizeHintForColumn(1), rule.title


def test_a_hint_never_keeps_from_accepting(window: MainWindow, qtbot: QtBot) -> None:
    session = opened(window)
    window.project.navigator.go_to(3)
    qtbot.waitUntil(lambda: on_canvas(window) == 3, timeout=20_000)
    qtbot.waitUntil(window.workspace.face_bar.odd.isVisible)
    log = len(session.store.edit_log())
    window.project.accept()
    assert len(session.store.edit_log()) == log + 1
    window.project.navigator.go_to(3)
    qtbot.waitUntil(window.workspace.face_bar.odd.isVisible, timeout=20_000)
    window.workspace.face_bar.odd.click()
    assert window.workspace.canvas.selected == 4
    window.workspace.face_bar.fine.click()
    assert window.workspace.face_bar.odd.isHidden()


def test_a_mended_face_leaves_the_list(window: MainWindow, qtbot: QtBot) -> None:
    session, panel = opened(window), window.workspace.check
    panel.check()
    qtbot.waitUntil(lambda: not panel.worker.is_running, timeout=20_000)
    face = session.document.face(3)
    assert face.label is not None
    points = face.label.points.copy()
    points[[4, 5]] = points[[5, 4]]
    session.edit(edits.set_label(face, replace(face.label, points=points), "Mend", "me"))
    assert 3 not in {alarm.face_id for alarm in panel._alarms}


def test_marks_and_attributes_by_key(window: MainWindow, qtbot: QtBot) -> None:
    session, canvas = opened(window), window.workspace.canvas
    window.activateWindow()
    canvas.setFocus()
    canvas.select_group_of(36)

    def flags() -> np.ndarray:
        label = session.document.face(1).label
        assert label is not None
        return label.flags

    QTest.keyClick(canvas, Qt.Key.Key_O)
    assert set(np.flatnonzero(flags() == Flag.OCCLUDED)) == set(range(36, 42))
    assert session.store.edit_log()[-1][0] == "Mark left eye occluded"
    QTest.keyClick(canvas, Qt.Key.Key_X)
    assert set(np.flatnonzero(flags() == Flag.MISSING)) == set(range(36, 42))
    QTest.keyClick(canvas, Qt.Key.Key_V)
    assert not flags().any()
    window.project.undo()
    assert set(np.flatnonzero(flags() == Flag.MISSING)) == set(range(36, 42))
    QTest.keyClick(canvas, Qt.Key.Key_6, Qt.KeyboardModifier.AltModifier)
    assert session.document.face(1).attributes == (False,) * 5 + (True,)


def test_a_landmark_far_from_a_sure_prediction(
    open_quietly: Callable[[Session, Settings], MainWindow],
    faces_folder: Path,
    truth_folder: Path,
    tmp_path: Path,
    qtbot: QtBot,
) -> None:
    """The chin is dragged onto the cheek: said at once, in full in the list of a small window, and gone once undone."""
    settings = Settings()
    session = new_project(tmp_path / "p.scaf", faces_folder, boxes="whole", settings=settings, use_starter=True)
    session.blind.share = 0.0
    names = tuple(face.image for face in session.document)
    truth = read_truth(truth_folder, session.scheme, names)
    sure = np.full(68, 0.95 * perfect_magnitude(2.0, 5))
    assert session.model is not None
    for face in session.document:
        points = truth[face.image][0].points
        session.document.set_predictions({face.id: Prediction(points, sure, session.model.id, {"peak": -0.95})})
    face = session.document.face(session.queue.order[0])
    points = truth[face.image][0].points
    window = open_quietly(session, settings)
    window.resize(1280, 720)
    canvas, bar, panel = window.workspace.canvas, window.workspace.face_bar, window.workspace.check
    qtbot.waitUntil(lambda: on_canvas(window) == face.id, timeout=20_000)
    assert bar.odd.isHidden()

    def on_screen(x: float, y: float) -> QPoint:
        return canvas.mapFromScene(QPointF(x + 0.5, y + 0.5))

    start, end = on_screen(*points[8]), on_screen(*points[[2, 30]].mean(axis=0))
    port = canvas.viewport()
    QTest.mousePress(port, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(port, (start + end) / 2)
    QTest.mouseMove(port, end)
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, pos=end)
    qtbot.waitUntil(bar.odd.isVisible, timeout=20_000)
    assert "from where expected" in bar.odd.toolTip()
    bar.odd.click()
    assert canvas.selected == 8
    window.project.accept()
    panel.check()
    qtbot.waitUntil(lambda: not panel.worker.is_running and panel.list.topLevelItemCount() > 0, timeout=20_000)
    rows = [panel.list.topLevelItem(i) for i in range(panel.list.topLevelItemCount())]
    row = next(row for row in rows if row.text(1) == RULES["surprising"].title)
    assert row.text(2).startswith("Contour 08 is ") and row.text(2).endswith(" %)")
    assert panel.list.columnWidth(2) >= panel.list.sizeHintForColumn(2), "its line is cut"
    window.project.undo()
    window.project.undo()
    assert session.document.face(face.id).label is None
    assert panel.list.topLevelItemCount() == 0
    qtbot.waitUntil(lambda: on_canvas(window) == face.id and bar.odd.isHidden(), timeout=20_000)


def test_the_summary_of_the_check_is_not_cut(window: MainWindow, qtbot: QtBot) -> None:
    panel = window.workspace.check
    window.resize(1280, 720)
    panel.check()
    qtbot.waitUntil(lambda: not panel.worker.is_running and panel.list.topLevelItemCount() > 0, timeout=20_000)
    assert panel.show_fine.isHidden(), "nothing is marked as fine"
    session = opened(window)
    face = session.document.face(3)
    assert face.label is not None
    points = face.label.points.copy()
    points[[4, 5]] = points[[5, 4]]
    session.edit(edits.set_label(face, replace(face.label, points=points), "Mend", "me"))
    panel.check()
    qtbot.waitUntil(lambda: not panel.worker.is_running and "Nothing found" in panel.summary.text(), timeout=20_000)
    qtbot.wait(20)
    text = panel.summary.fontMetrics().horizontalAdvance(panel.summary.text())
    assert text <= panel.summary.width(), panel.summary.text()
