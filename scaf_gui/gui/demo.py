"""A whole session without a display: the real window, drawn offscreen, worked by a simulated hand.

On the sample faces, whose true landmarks are known: create, pre-fill, correct by mouse, accept,
refresh, reorder, export. Leaves a picture of the window after each stage, and the labels.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEventLoop, QPoint, QPointF, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from scaf_gui import paths
from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import State
from scaf_gui.core.metrics import landmark_errors, needs_drag, nme
from scaf_gui.errors import ScafError
from scaf_gui.gui import theme
from scaf_gui.gui.opener import SAMPLE_FACES, sample_folder
from scaf_gui.gui.run import SWITCH_SECONDS, make_application
from scaf_gui.gui.window import MainWindow
from scaf_gui.session.exchange import export_labels
from scaf_gui.session.project import new_project
from scaf_gui.session.session import Session
from scaf_gui.session.truth import read_truth
from scaf_gui.settings import Settings

#: faces that are corrected, and landmarks that are dragged at most on each
FACES, DRAGS = 6, 10
#: the whole session shall take less than three minutes on two cores
TRAINING_SECONDS = 40.0
PATIENCE = 100.0


class Hand:
    """Moves mouse and keys in a window as a person would."""

    def __init__(self, window: MainWindow):
        self.window = window
        self.canvas = window.workspace.canvas

    def wait(self, until: Callable[[], bool], seconds: float = PATIENCE) -> bool:
        """Let the event loop run until something holds; ``False`` when it took too long."""
        end = time.monotonic() + seconds
        while not until():
            if time.monotonic() > end:
                return False
            loop = QEventLoop()
            QTimer.singleShot(20, loop.quit)
            loop.exec()
        return True

    def screen(self, x: float, y: float) -> QPoint:
        """Where a point of the image lies on the canvas's viewport."""
        return self.canvas.mapFromScene(QPointF(x, y))

    def drag(self, landmark: int, x: float, y: float) -> None:
        """Take a landmark where it is drawn and let it go at (x, y) image pixels."""
        place = self.canvas.position(landmark)
        if place is None:
            return
        self.canvas.select(landmark)  # where two lie close together, the selected one is taken
        port, left = self.canvas.viewport(), Qt.MouseButton.LeftButton
        start, end = self.screen(*place), self.screen(x, y)
        QTest.mouseMove(port, start)
        QTest.mousePress(port, left, Qt.KeyboardModifier.NoModifier, start)
        for share in (0.4, 0.8, 1.0):
            QTest.mouseMove(port, start + (end - start) * share)
        QTest.mouseRelease(port, left, Qt.KeyboardModifier.NoModifier, end)

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        self.canvas.setFocus()
        QTest.keyClick(self.canvas, key, modifier)

    def picture(self, path: Path) -> None:
        """Save the window as it looks now."""
        QApplication.processEvents()
        if not self.window.grab().save(str(path)):
            raise ScafError(f"{path}: cannot be written")


class Demo:
    """The stages of the session, in order."""

    def __init__(self, window: MainWindow, session: Session, truth: dict[str, FloatArray], out: Path):
        self.window, self.session, self.truth, self.out = window, session, truth, out
        self.hand = Hand(window)
        self.lines: list[str] = []
        self.drags: list[int] = []
        self.errors: list[float] = []
        self._outcome: list[object] = []

    def run(self) -> None:
        """Everything; raises where a stage does not come to its end."""
        self._prefill()
        self._correct()
        self._refresh()
        self._export()

    def _say(self, line: str) -> None:
        self.lines.append(line)
        print(line, flush=True)

    def _expect(self, until: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        if not self.hand.wait(until, seconds):
            raise ScafError(f"{what} took more than {seconds:.0f} s")

    def _prefill(self) -> None:
        start, document = time.monotonic(), self.session.document
        shown = self.window.project.navigator
        self._expect(lambda: shown.on_canvas()[1] is not None, "the first pre-fill")
        first = time.monotonic() - start
        background = self.window.project.background
        self._expect(lambda: background is None or not background.is_busy(), "pre-filling the sample")
        filled = [face for face in document if document.prediction(face.id) is not None]
        found = [nme(document.prediction(f.id).points, self.truth[f.image], self.session.scheme) for f in filled]  # type: ignore[union-attr]
        self.hand.picture(self.out / "1-prefilled.png")
        self._say(
            f"Pre-filled   {len(filled)} of {len(document)} faces, the first after {first:.1f} s; "
            f"NME {np.mean(found):.1f} % inter-ocular"
        )

    def _correct(self) -> None:
        start, document, scheme = time.monotonic(), self.session.document, self.session.scheme
        for number in range(FACES):
            face_id = self.session.current
            if face_id is None:
                break
            face, truth = document.face(face_id), self.truth[document.face(face_id).image]
            prediction = document.shown(face_id)
            shown = self.hand.canvas.position
            points = prediction.points if prediction is not None else truth
            off = needs_drag(points, truth, scheme)
            worst = np.argsort(-np.where(off, landmark_errors(points, truth, scheme), -1.0))
            chosen = [int(i) for i in worst[:DRAGS] if off[i]]
            for landmark in chosen:
                self.hand.drag(landmark, *truth[landmark])
            if number == 0:
                self.hand.picture(self.out / "2-correcting.png")
            if chosen and shown(chosen[0]) is None:
                raise ScafError("a dragged landmark is not shown")
            self.drags.append(len(chosen))
            self.hand.press(Qt.Key.Key_Return)
            label = document.face(face.id).label
            if label is None or document.face(face.id).state is not State.LABELLED:
                raise ScafError(f"{face.image} was not accepted")
            self.errors.append(nme(label.points, truth, scheme))
        self.hand.picture(self.out / "3-accepted.png")
        self._say(
            f"Corrected    {len(self.drags)} faces with {np.mean(self.drags):.1f} drags each "
            f"in {time.monotonic() - start:.1f} s; NME of the labels {np.mean(self.errors):.1f} %"
        )

    def _refresh(self) -> None:
        background = self.window.project.background
        if background is None:
            return
        start, before, queue = time.monotonic(), self.session.current, self.session.queue
        background.refresh_options = {"max_seconds": TRAINING_SECONDS}
        background.refresh_ended.connect(lambda outcome, kind: self._outcome.append(outcome))
        self.hand.press(Qt.Key.Key_R)
        panel = self.window.workspace.training
        self._expect(lambda: len(panel.plot.points()) > 12 or bool(self._outcome), "the start of training")
        self.hand.picture(self.out / "4-training.png")
        self._expect(lambda: bool(self._outcome), "refreshing the model", PATIENCE + TRAINING_SECONDS)
        self._expect(lambda: not background.is_busy(), "scoring the rest of the queue")
        outcome = self._outcome[0]
        self.hand.picture(self.out / "5-reordered.png")
        self._say(f"Refreshed    in {time.monotonic() - start:.0f} s. {getattr(outcome, 'message', outcome)}")
        waiting = set(self.session.agenda.waiting())
        was, now = ([face for face in order if face in waiting] for order in (queue.order, self.session.queue.order))
        moved = sum(a != b for a, b in zip(was, now, strict=True))
        stayed = "the current face stayed" if self.session.current == before else "the current face moved"
        self._say(
            f"Reordered    {moved} of {len(waiting)} places changed, {stayed}, "
            f"{len(self.session.queue.set_aside)} set aside"
        )

    def _export(self) -> None:
        summary = export_labels(self.session, "300w", self.out / "labels", overwrite=True)
        self._say(f"Exported     {summary.report.written} faces to {self.out / 'labels'}")


def run_demo(out: Path) -> int:
    """Run the session; leaves ``out/*.png``, ``out/labels`` and ``out/sample.scaf``. Returns the exit code."""
    began = time.monotonic()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    sys.setswitchinterval(SWITCH_SECONDS)
    application = make_application()
    settings = Settings(out / "settings.json")
    theme.apply(application, str(settings["theme"]))
    session = _make_session(out, settings)
    window = MainWindow(settings)
    try:
        window.show()
        window.show_session(session)
        window.project.navigator.double_press = 0.0  # this hand is quicker than any
        demo = Demo(window, session, _truth(session), out)
        demo.run()
    finally:
        window.close()
        window.deleteLater()
        application.processEvents()
    print(f"Done         in {time.monotonic() - began:.0f} s. Pictures of the window: {out}{os.sep}*.png", flush=True)
    return 0


def _make_session(out: Path, settings: Settings) -> Session:
    """A new project on the sample; what an earlier run has left there is replaced."""
    from scaf_gui.samples.folder import write_sample_folder

    write_sample_folder(sample_folder(), SAMPLE_FACES)
    out.mkdir(parents=True, exist_ok=True)
    path = out / "sample.scaf"
    for old in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        old.unlink(missing_ok=True)
    shutil.rmtree(paths.project_companions(path), ignore_errors=True)
    return new_project(path, sample_folder(), settings=settings)


def _truth(session: Session) -> dict[str, FloatArray]:
    """True landmarks of the sample by image, (68, 2) float64, image pixels."""
    from scaf_gui.samples.folder import write_truth_folder

    folder = paths.cache_folder() / "sample-truth"
    write_truth_folder(folder, SAMPLE_FACES)
    images = tuple(dict.fromkeys(face.image for face in session.document))
    found = read_truth(folder, session.scheme, images)
    return {image: faces[0].points for image, faces in found.items()}
