"""The pictures of the guide, one method each: a simulated hand works the real window until it looks as it should."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from guide_palette import reduced

if TYPE_CHECKING:
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtWidgets import QWidget

    from scaf_gui.core.arrays import FloatArray
    from scaf_gui.gui.window import MainWindow

#: seconds in which the window comes to rest
PATIENCE = 300.0


class Photographer:
    """One method for each picture, named as its file."""

    def __init__(self, window: MainWindow, out: Path, only: str | None):
        from scaf_gui.gui.demo import Hand

        self.window, self.out, self.only = window, out, only
        self.hand = Hand(window)
        self.canvas = window.workspace.canvas
        assert window.session is not None
        self.session = window.session
        window.project.navigator.double_press = 0.0

    def all(self) -> None:
        background = self.window.project.background
        assert background is not None
        self.until(lambda: self.session.document.prediction(self.session.current or 0) is not None)
        self.until(lambda: not background.is_busy())
        shots: list[Callable[[], None]] = [
            self.overview, self.loupe, self.shape, self.fall_off, self.selection, self.flags, self.doubt, self.heatmap,
            self.level, self.aids, self.check, self.faces, self.placing,
        ]  # fmt: skip
        for shot in shots:
            name = shot.__name__
            if self.only in (None, name):
                self.fresh()
                shot()
                print(f"{name}.png", flush=True)

    def until(self, what: Callable[[], bool]) -> None:
        if not self.hand.wait(what, PATIENCE):
            raise SystemExit("the window did not come to rest")

    def rest(self, seconds: float = 0.3) -> None:
        self.hand.wait(lambda: False, seconds)

    def fresh(self) -> None:
        """The first face as the model predicts it, nothing selected, every view as at the start."""
        session, window = self.session, self.window
        while session.document.history.to_undo is not None and session.document.history.to_undo.title != "Find faces":
            window.project.undo()
        first = next(face for face in session.document if face.image == "face_0003.jpg")
        window.project.navigator.go_to(first.id)
        self.until(lambda: self.canvas._image.size is not None)
        self.canvas.select(None)
        self.canvas.fit_face()
        window.status.say("")
        self.rest()

    def act(self, name: str) -> None:
        action = self.window.actions_by_id[name]
        action.trigger()

    # -- taking a picture

    def take(self, name: str, widget: QWidget | None = None, width: int = 0) -> None:
        """Save what a widget, the canvas if none is named, looks like now."""
        self.rest()
        self.save(name, widget or self.canvas, width)

    def save(self, name: str, widget: QWidget, width: int = 0) -> None:
        import cv2
        import numpy as np
        from PySide6.QtGui import QImage

        seen = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
        pixels = np.frombuffer(seen.constBits(), np.uint8).reshape(seen.height(), seen.bytesPerLine())
        rgb = pixels[:, : 3 * seen.width()].reshape(seen.height(), seen.width(), 3)
        if width:
            size = width, round(seen.height() * width / seen.width())
            rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        reduced(rgb).save(str(self.out / f"guide-{name}.png"))

    @contextmanager
    def held(self, landmark: int, dx: float, dy: float, modifier: str = "NoModifier") -> Iterator[QPoint]:
        """Meanwhile a landmark is held, so many image pixels from where it was; then it is left there."""
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest

        place = self.canvas.position(landmark)
        assert place is not None
        self.canvas.select(landmark)
        port, keys = self.canvas.viewport(), getattr(Qt.KeyboardModifier, modifier)
        start, end = self.hand.screen(*place), self.hand.screen(place[0] + dx, place[1] + dy)
        QTest.mousePress(port, Qt.MouseButton.LeftButton, keys, start)
        for share in (0.3, 0.6, 1.0):
            QTest.mouseMove(port, start + (end - start) * share)
        self.rest(0.1)
        yield end
        QTest.mouseRelease(port, Qt.MouseButton.LeftButton, keys, end)

    # -- the pictures

    def overview(self) -> None:
        self.take("overview", self.window, 1100)

    def loupe(self) -> None:
        self.canvas.shaping.enabled = False
        with self.held(45, 2.0, 3.0):
            self.save("loupe", self.canvas)
        self.canvas.shaping.enabled = True

    def shape(self) -> None:
        """The lower face is predicted too short, as a face may well be; its chin is drawn down to where it is."""
        shown, chin, shaping = self.canvas._shown, 8, self.canvas.shaping
        place = self.canvas.position(chin)
        assert shown is not None and place is not None
        shaping.begin(shown, chin, False)
        shorter = shaping.follow(place[0], place[1] - 30.0)
        shaping.end()
        assert shorter is not None
        self.canvas.use_loupe(False)
        with self.predicted(shorter.points - shown.points), self.held(chin, 0.0, 30.0):
            self.save("shape", self.canvas)
        self.canvas.use_loupe(True)

    def fall_off(self) -> None:
        """A stretch of the jaw is predicted within the cheek."""
        import numpy as np

        within = np.zeros((68, 2))
        within[2:7] = np.array([20.0, -6.0]) * np.array([0.05, 0.4, 1.0, 0.4, 0.05])[:, None]
        self.canvas.use_loupe(False)
        with self.predicted(within), self.held(4, -20.0, 6.0, "ControlModifier"):
            self.save("fall-off", self.canvas)
        self.canvas.use_loupe(True)

    @contextmanager
    def predicted(self, off: FloatArray) -> Iterator[None]:
        """Meanwhile the model errs by ``off`` (num_landmarks, 2), image pixels, on the face that is shown."""
        from dataclasses import replace

        face_id, document = self.session.current, self.session.document
        assert face_id is not None
        right = document.prediction(face_id)
        assert right is not None
        document.set_predictions({face_id: replace(right, points=right.points + off)})
        self.rest(0.5)
        yield
        document.set_predictions({face_id: right})

    def selection(self) -> None:
        self.canvas.select_group_of(60)
        self.canvas.select_group_of(48, add=True)
        self.take("selection")

    def flags(self) -> None:
        self.canvas.select_group(frozenset(range(17, 22)))
        self.act("occluded")
        self.canvas.select(16)
        self.act("missing")
        self.canvas.select(19)
        self.take("flags", self.window, 1100)

    def doubt(self) -> None:
        self.act("confidence")
        self.act("next_doubt")
        self.take("doubt")
        self.act("confidence")

    def heatmap(self) -> None:
        self.canvas.select(48)
        self.act("heatmap")
        self.until(lambda: self.canvas.heat.is_shown)
        self.take("heatmap")
        for _ in range(2):
            self.act("heatmap")

    def level(self) -> None:
        """The face that is held the least upright."""
        import numpy as np

        def tilt(face_id: int) -> float:
            prediction = self.session.document.prediction(face_id)
            if prediction is None:
                return 0.0
            across = prediction.points[42:48].mean(axis=0) - prediction.points[36:42].mean(axis=0)
            return float(abs(np.arctan2(across[1], across[0])))

        self.window.project.navigator.go_to(max((face.id for face in self.session.document), key=tilt))
        self.until(lambda: self.canvas._image.size is not None)
        self.canvas.fit_face()
        self.act("level")
        self.take("level")
        self.act("level")

    def aids(self) -> None:
        from scaf_gui.gui.canvas.look import Look

        look, panel = Look(brightness=0.1, contrast=0.1, gamma=1.3, local=0.3), self.window.project.aids.panel
        self.act("image_aids")
        panel.show_look(look)
        panel.changed.emit(look)
        self.rest(1.0)
        self.take("aids", self.window, 1100)
        self.act("image_reset")
        self.act("image_aids")

    def check(self) -> None:
        """A face with two exchanged landmarks, and two that were accepted in no time."""
        left, right = self.canvas.position(36), self.canvas.position(45)
        assert left is not None and right is not None
        self.canvas.shaping.enabled = False
        self.hand.drag(36, *right)
        self.hand.drag(45, *left)
        self.canvas.shaping.enabled = True
        self.act("accept")
        for _ in range(2):
            self.until(lambda: self.window.project.navigator.on_canvas()[1] is not None)
            self.rest(0.5)
            self.act("accept")
        self.act("check")
        panel = self.window.workspace.check
        self.until(lambda: not panel.worker.is_running and panel.list.topLevelItemCount() > 0)
        first = panel.list.topLevelItem(0)
        assert first is not None
        panel.list.setCurrentItem(first)
        self.rest(2.0)  # counts and estimates come up to date
        self.take("check", self.window, 1100)
        panel.hide()

    def faces(self) -> None:
        face = next(face for face in self.session.document if face.image == "two_faces.jpg")
        self.window.project.navigator.go_to(face.id)
        self.until(lambda: self.canvas._image.size is not None)
        self.canvas.fit_image()
        self.act("change_box")
        self.take("faces")
        self.hand.press(self.key("Escape"))

    def placing(self) -> None:
        """A face whose prediction is kept back: placing begins with it."""
        session = self.session
        session.blind.share = 1.0
        face = next(face for face in session.document if session.blind.hides(face.id) and face.image != "two_faces.jpg")
        points = session.document.shown(face.id)
        assert points is not None
        self.window.project.navigator.go_to(face.id)
        self.until(lambda: self.canvas.face is face and self.canvas._image.size is not None)
        self.canvas.fit_face()
        self.rest()
        for landmark in range(5):
            self.click(*points.points[landmark])
        self.take("placing")
        session.blind.share = 0.0

    def click(self, x: float, y: float) -> None:
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest

        port, spot = self.canvas.viewport(), self.hand.screen(x, y)
        QTest.mouseMove(port, spot)
        QTest.mouseClick(port, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot)

    def key(self, name: str) -> Qt.Key:
        from PySide6.QtCore import Qt

        return Qt.Key[f"Key_{name}"]
