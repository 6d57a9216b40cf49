"""From one face to the next: what is on the canvas first, what is on the disk when, and a photo that becomes sharp."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import MethodType
from typing import Any

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from scaf_gui.core import edits
from scaf_gui.core.face import Prediction, State
from scaf_gui.gui.canvas.tool_canvas import ToolCanvas
from scaf_gui.gui.demo import Hand
from scaf_gui.gui.project_view import ProjectView
from scaf_gui.gui.window import MainWindow
from scaf_gui.session.project import new_project, open_project
from scaf_gui.settings import Settings

pytestmark = pytest.mark.usefixtures("dressed", "no_leaks")
COUNT = 7
#: the window below does without it
WORK_ON = ProjectView._work_on


@pytest.fixture(scope="module")
def photos(faces_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos so large that a glance at them pays."""
    folder = tmp_path_factory.mktemp("large")
    for path in sorted(faces_folder.glob("*.jpg"))[:COUNT]:
        image = cv2.resize(cv2.imread(str(path)), (2808, 2808), interpolation=cv2.INTER_CUBIC)
        assert cv2.imwrite(str(folder / path.name), image, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return folder


class Frames:
    """What the canvas has drawn: of which face, whether its photo was whole (``None``: no photo), and the view."""

    def __init__(self) -> None:
        self.seen: list[tuple[int | None, bool | None, tuple[float, ...]]] = []

    def drawn(self, of: ToolCanvas) -> None:
        photo, view = of._image._pyramid, of._camera
        whole = None if photo is None else photo.is_whole
        self.seen.append((of.face.id if of.face else None, whole, (view.scale, view.left, view.top)))


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch) -> Frames:
    """To be made before the window, as Qt remembers its methods."""
    made, draw = Frames(), ToolCanvas.drawForeground

    def drawn(of: ToolCanvas, *arguments: Any) -> None:
        draw(of, *arguments)
        made.drawn(of)

    monkeypatch.setattr(ToolCanvas, "drawForeground", drawn)
    return made


@pytest.fixture
def window(
    qtbot: QtBot,
    dressed: QApplication,
    frames: Frames,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[MainWindow]:
    monkeypatch.setattr("scaf_gui.gui.project_view.ProjectView._begin_work", lambda self: None)
    monkeypatch.setattr("scaf_gui.gui.project_view.ProjectView._work_on", lambda self: None)
    made = MainWindow(Settings())
    made.show()
    made.show_session(
        new_project(tmp_path / "p.scaf", photos, boxes="whole", settings=made.settings, use_starter=False)
    )
    session = made.session
    assert session is not None
    points = np.random.default_rng(0).uniform(800, 1900, (68, 2))
    session.document.set_predictions({f.id: Prediction(points, np.ones(68), "model") for f in session.document})
    pictures = made.project.navigator._pictures
    qtbot.waitUntil(lambda: len(pictures.copies._kept) == COUNT and not pictures._looking, timeout=30_000)
    made.workspace.canvas.viewport().repaint()
    frames.seen.clear()
    yield made
    made.close()
    made.deleteLater()


def test_a_photo_never_shown_is_there_in_the_first_frame_and_becomes_sharp_in_place(
    window: MainWindow, qtbot: QtBot, frames: Frames
) -> None:
    hand, session = Hand(window), window.session
    assert session is not None
    order = window.workspace.queue.model.face_order()
    far = order[-1]
    assert window.project.navigator._pictures.get(session.document.face(far).image) is None  # it was not read ahead
    window.project.navigator.go_to(far)
    # painted before anything else happens: no empty canvas, no other face
    assert [frame[:2] for frame in frames.seen] == [(far, False)]
    assert not window.workspace.canvas._message.isVisible()
    qtbot.waitUntil(lambda: frames.seen[-1][1] is True, timeout=20_000)
    assert {frame[2] for frame in frames.seen} == {frames.seen[0][2]}  # the view has not moved
    assert all(frame[0] == far for frame in frames.seen)
    # a drag begun on the small copy holds while the whole photo arrives
    near = order[-2]
    window.project.navigator._pictures._kept.clear()
    window.project.navigator.go_to(near)
    hand.drag(30, 1000.0, 1200.0)
    label = session.document.face(near).label
    assert label is not None
    # taken and let go at whole screen pixels
    np.testing.assert_allclose(label.points[30], (1000, 1200), atol=1.0 / window.workspace.canvas.zoom + 1e-6)


def test_a_photo_that_has_changed_on_the_disk_is_not_shown_as_it_was(
    window: MainWindow, qtbot: QtBot, frames: Frames, photos: Path
) -> None:
    session = window.session
    assert session is not None
    far = window.workspace.queue.model.face_order()[-1]
    path = photos / session.document.face(far).image
    before = path.read_bytes()
    assert cv2.imwrite(str(path), np.full((2808, 2808, 3), 200, np.uint8))
    try:
        window.project.navigator.go_to(far)
        assert not any(shown is not None for _, shown, _ in frames.seen)
        canvas = window.workspace.canvas
        qtbot.waitUntil(lambda: canvas._image._pyramid is not None, timeout=20_000)
        shown = canvas._image._pyramid
        assert shown is not None and abs(int(shown.level(3)[50, 50, 0]) - 200) < 3
    finally:
        path.write_bytes(before)


def test_the_photo_that_comes_is_looked_at_before_the_face_that_is_left_is_saved(
    window: MainWindow, qtbot: QtBot, frames: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    navigator, session = window.project.navigator, window.session
    assert session is not None
    pictures, order = navigator._pictures, list[str]()
    left, coming = session.current, session.next_face()
    assert left is not None and coming is not None
    pictures._kept.clear()
    pictures.copies.clear()
    glance, edit = pictures._glance, type(session).edit
    assert glance is not None

    def looked(image: str, on_read: Any) -> Any:
        order.append(image)
        return glance(image, on_read)

    def saved(self: Any, *arguments: Any, **named: Any) -> Any:
        assert pictures.is_read.wait(10)
        order.append("saved")
        return edit(self, *arguments, **named)

    monkeypatch.setattr(pictures, "_glance", looked)
    monkeypatch.setattr(type(session), "edit", saved)
    pictures.is_read.clear()
    window.project.accept()
    assert order == [session.document.face(coming).image, "saved"] and session.current == coming
    assert session.document.face(left).state is State.LABELLED
    qtbot.waitUntil(lambda: bool(frames.seen) and frames.seen[-1][:2] == (coming, True), timeout=20_000)
    assert order[2:] == []  # and looked at once


def test_other_work_waits_for_a_photo_on_the_way_to_the_canvas(
    window: MainWindow, qtbot: QtBot, frames: Frames, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    navigator, session = window.project.navigator, window.session
    assert session is not None
    last, other = window.workspace.queue.model.face_order()[-2:]
    at_work: list[object] = []  # what was on the canvas when other work might begin
    background = window.project.background
    assert background is not None
    monkeypatch.setattr(background, "start", lambda: at_work.append(frames.seen[-1][:2] if frames.seen else None))
    work_on = MethodType(WORK_ON, window.project)
    navigator.moved.connect(lambda _: work_on())
    navigator.arrived.connect(work_on)
    navigator._pictures.copies.clear()
    navigator._pictures._kept.clear()
    navigator.go_to(last)
    assert navigator.is_reading and at_work == []
    qtbot.waitUntil(lambda: bool(at_work), timeout=20_000)
    assert at_work == [(last, False)] and not navigator.is_reading  # painted, not yet sharp
    qtbot.waitUntil(lambda: frames.seen[-1][1] is True, timeout=20_000)
    assert len(at_work) == 1
    # one that cannot be read holds nothing up
    pictures = navigator._pictures
    qtbot.waitUntil(lambda: not (pictures._asked or pictures._looking), timeout=20_000)
    path = photos / session.document.face(other).image
    before = path.read_bytes()
    path.write_bytes(before[:5000])
    try:
        pictures._kept.clear()
        navigator.go_to(other)
        qtbot.waitUntil(lambda: len(at_work) == 2, timeout=20_000)
        assert not navigator.is_reading and "is truncated" in window.workspace.canvas._message.text()
    finally:
        path.write_bytes(before)


def test_accepting_writes_then_paints_then_waits_for_the_disk(
    window: MainWindow, frames: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = window.session
    assert session is not None
    hand, first = Hand(window), session.current
    told: list[str] = []
    fsync = os.fsync

    def synced(file: int) -> None:
        fsync(file)
        assert frames.seen and frames.seen[-1][0] == session.current != first  # the next face has been painted
        told.append("disk")

    monkeypatch.setattr(os, "fsync", synced)
    session.document.subscribe(lambda changed: told.append("written") if changed.part == "face" else None)
    hand.press(Qt.Key.Key_Return)
    assert told == ["written", "disk"]  # all before the next event
    assert first is not None and session.document.face(first).state is State.LABELLED
    hand.press(Qt.Key.Key_S)  # skipping is no other
    assert told == ["written", "disk"] * 2


def test_a_disk_that_does_not_take_the_label_is_said_aloud_and_the_label_stays(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, messages = window.session, window.project.messages
    assert session is not None and session.current is not None
    hand, first = Hand(window), session.current

    def broken(_file: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", broken)
        hand.press(Qt.Key.Key_Return)
    texts = [message.text for message in messages.messages()]
    assert any("may not have reached the disk (Input/output error)" in text for text in texts)
    assert session.document.face(first).state is State.LABELLED and session.current != first
    hand.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    hand.press(Qt.Key.Key_Return)
    assert session.document.face(first).state is State.LABELLED


_KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from PySide6.QtCore import Qt
from scaf_gui.core.face import Prediction
from scaf_gui.gui.canvas.tool_canvas import ToolCanvas
from scaf_gui.gui.demo import Hand
from scaf_gui.gui.project_view import ProjectView
from scaf_gui.gui.run import make_application
from scaf_gui.gui.window import MainWindow
from scaf_gui.io import database
from scaf_gui.session.project import new_project
from scaf_gui.settings import Settings

ProjectView._begin_work = ProjectView._work_on = lambda self: None
killing, draw = set(), ToolCanvas.drawForeground

def die(*_, **__):
    print(canvas.face.id, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

def drawn(of, *arguments):
    draw(of, *arguments)
    if "painted" in killing and of.face.id != first:
        die()

ToolCanvas.drawForeground = drawn
application = make_application()
window = MainWindow(Settings())
window.show()
window.show_session(
    new_project(Path(sys.argv[2]), Path(sys.argv[1]), boxes="whole", settings=window.settings, use_starter=False)
)
hand, canvas, session = Hand(window), window.workspace.canvas, window.session
assert hand.wait(lambda: canvas._image.size is not None, 20)
assert hand.wait(lambda: not window.project.navigator._pictures._asked, 20)  # the next photo has been read ahead
points = np.random.default_rng(0).uniform(30, 160, (68, 2))
session.document.set_predictions({face.id: Prediction(points, np.ones(68), "model") for face in session.document})
window.project.navigator.double_press = 0.0
canvas.shaping.enabled = False
first = session.current
hand.drag(30, 100.0, 120.0)
label = session.document.face(first).label
print(first, *label.points[30], flush=True)

killing.add(sys.argv[3])
if sys.argv[3] == "flushing":
    database.flush = die
hand.press(Qt.Key.Key_Return)
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
@pytest.mark.parametrize("when", ["painted", "flushing"])
def test_killed_while_the_next_face_is_painted_the_label_is_there(
    faces_folder: Path, tmp_path: Path, when: str
) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", _KILLED, str(faces_folder), str(tmp_path / "p.scaf"), when]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    first, x, y, shown = done.stdout.split()
    assert shown != first
    session = open_project(tmp_path / "p.scaf", settings=Settings())
    face = session.document.face(int(first))
    assert face.state is State.LABELLED and face.label is not None and face.label.placed[30]
    np.testing.assert_array_equal(face.label.points[30], (float(x), float(y)))
    assert [title for title, *_ in session.store.edit_log()][-1].startswith("Accept")
    session.close()


def test_what_was_accepted_is_learnt_from_once_the_next_face_is_painted(
    window: MainWindow, qtbot: QtBot, frames: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    navigator, session, canvas = window.project.navigator, window.session, window.workspace.canvas
    assert session is not None
    order: list[object] = []
    learn = session.instant.learn
    drawn = Frames.drawn

    def noted(of: Frames, *arguments: Any) -> None:
        drawn(of, *arguments)
        order.append(of.seen[-1][:2])

    def learnt() -> None:
        if not session.instant._waits:
            order.append("learn")
        learn()

    monkeypatch.setattr(Frames, "drawn", noted)
    monkeypatch.setattr(session.instant, "learn", learnt)
    # its small copy is at hand
    qtbot.keyClick(canvas, Qt.Key.Key_Return)
    first = session.current
    assert order[:2] == [(first, False), "learn"] or order[:2] == [(first, True), "learn"]
    # nothing of the photo is at hand: it is waited for
    qtbot.waitUntil(lambda: not navigator._pictures._asked and not navigator._pictures._looking, timeout=20_000)
    navigator.double_press = 0.0
    navigator._pictures.copies.clear()
    navigator._pictures._kept.clear()
    order.clear()
    qtbot.keyClick(canvas, Qt.Key.Key_Return)
    second = session.current
    assert second != first and navigator.is_reading and "learn" not in order
    qtbot.waitUntil(lambda: "learn" in order, timeout=20_000)
    assert order[order.index("learn") - 1] == (second, False) and order.count("learn") == 1
    # the last one: there is no next face to wait for
    for face in session.document:
        if face.state is not State.LABELLED and face.id != session.current:
            session.edit(edits.skip(face))
    order.clear()
    qtbot.keyClick(canvas, Qt.Key.Key_Return)
    assert session.next_face() is None and order.count("learn") == 1
