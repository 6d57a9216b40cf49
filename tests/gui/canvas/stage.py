"""Faces to put on a canvas, and a mouse with real events."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from scaf_gui.core.arrays import ByteArray, FloatArray
from scaf_gui.core.face import Author, Face, Label, Prediction, State
from scaf_gui.core.scheme import Scheme
from scaf_gui.gui.canvas import Canvas

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def make_scheme(count: int) -> Scheme:
    """Landmarks along one open curve."""
    names = tuple(f"point_{i:02d}" for i in range(count))
    edges = tuple((i, i + 1) for i in range(count - 1))
    return Scheme("line", "Line", names, (), frozenset(), edges, tuple(range(count)), None, {})


def make_label(points: FloatArray, *, placed: bool = True) -> Label:
    return Label.from_points(points, Author("tester", "2024-01-01T00:00:00+00:00"), placed=placed)


def make_prediction(points: FloatArray) -> Prediction:
    return Prediction(points, np.ones(len(points)), "model")


POINTS = np.array([[40.0, 30.0], [80.5, 60.25], [120.0, 100.0], [160.0, 40.0], [30.0, 110.0]])
SCHEME = make_scheme(len(POINTS))
FACE = Face(7, "photo.png", label=make_label(POINTS), state=State.STARTED)


def face_with(points: FloatArray, face_id: int = 7) -> Face:
    return replace(FACE, id=face_id, label=make_label(points))


class Mouse:
    """Real mouse events at scene positions, sent to the viewport."""

    def __init__(self, canvas: Canvas):
        self.canvas = canvas

    def at(self, x: float, y: float) -> QPoint:
        """The screen pixel nearest to a scene point."""
        screen_x, screen_y = self.canvas._camera.to_screen(x, y)
        return QPoint(round(screen_x), round(screen_y))

    def press(self, spot: QPoint, button: Qt.MouseButton = LEFT) -> None:
        QTest.mousePress(self.canvas.viewport(), button, NONE, spot)

    def move(self, spot: QPoint) -> None:
        QTest.mouseMove(self.canvas.viewport(), spot)
        QApplication.processEvents()

    def release(self, spot: QPoint, button: Qt.MouseButton = LEFT) -> None:
        QTest.mouseRelease(self.canvas.viewport(), button, NONE, spot)


class Heard:
    """What the canvas announced."""

    def __init__(self, canvas: Canvas):
        self.moved: list[tuple[int, float, float]] = []
        self.selected: list[int | None] = []
        self.boxes: list[tuple[float, ...]] = []
        canvas.landmarkMoved.connect(lambda landmark, x, y: self.moved.append((landmark, x, y)))
        canvas.landmarkSelected.connect(self.selected.append)
        canvas.boxDrawn.connect(lambda *box: self.boxes.append(box))


def noise(width: int, height: int) -> ByteArray:
    return np.random.default_rng(3).integers(0, 255, (height, width, 3), dtype=np.uint8)


def pixels(canvas: Canvas) -> ByteArray:
    """(height, width, 3) uint8 RGB of the canvas, painted anew as a whole."""
    QApplication.processEvents()
    image = canvas.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def on_screen(canvas: Canvas) -> ByteArray:
    """What stands in the window now, with only the regions repainted that were asked for."""
    QApplication.processEvents()
    screen = canvas.screen().grabWindow(canvas.winId()).toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(screen.constBits(), dtype=np.uint8).reshape(screen.height(), screen.bytesPerLine())
    return rows[:, : 3 * screen.width()].reshape(screen.height(), screen.width(), 3).copy()
