"""The lower half of the canvas: one image, zoomed and moved."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QCursor,
    QInputDevice,
    QMouseEvent,
    QNativeGestureEvent,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsScene, QGraphicsView, QLabel, QWidget

from scaf_gui.core.arrays import ByteArray, FloatArray
from scaf_gui.gui.canvas.camera import LARGEST, Camera, fitted, fitted_points
from scaf_gui.gui.canvas.image_item import ImageItem
from scaf_gui.gui.canvas.lights import Lights
from scaf_gui.gui.canvas.look import Look
from scaf_gui.gui.canvas.pyramid import Pyramid

#: one notch of the wheel
ZOOM_STEP = 1.2
#: share of the view that a face may take
FACE_FILL = 0.72
#: a small face is not blown up further than this when it is fitted
FACE_LARGEST = 12.0

_NOTE = (
    "QLabel { background: rgba(16, 20, 24, 225); color: #f2f5f8; border: 1px solid rgba(255, 255, 255, 40);"
    " border-radius: 8px; padding: 10px 16px; font-size: 14px; }"
)


class ImageView(QGraphicsView):
    """Shows one image; scene coordinates are image pixels, pixel centres at whole numbers.

    The wheel zooms about the cursor, dragging with the right or middle button moves the image. What was
    fitted stays fitted while the window is resized, until the person zooms or moves.
    """

    zoomChanged = Signal(float)  # noqa: N815
    cursorMoved = Signal(float, float)  # noqa: N815

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setScene(QGraphicsScene(self))
        self.scene().setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self.scene().setSceneRect(-1e7, -1e7, 2e7, 2e7)  # fixed, so that it is never measured
        self.setInteractive(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.MinimalViewportUpdate)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontAdjustForAntialiasing)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(160, 120)
        self.viewport().setMouseTracking(True)
        self.set_background("#0e1014")
        self._image = ImageItem()
        self.scene().addItem(self._image)
        self._lights = Lights(self._image, self)
        self._camera = Camera()
        self._fit: str | None = "image"
        self._pull: QPointF | None = None  # where the image was last taken, screen pixels
        self._message = self._note("canvasMessage")
        self._hint = self._note("canvasHint")

    # -- what is shown

    def set_background(self, colour: str) -> None:
        """The colour around the image."""
        self.setBackgroundBrush(QColor(colour))

    def set_message(self, text: str | None) -> None:
        """Say something in the middle of the canvas; ``None`` takes it away."""
        self._say(self._message, text)

    def set_hint(self, text: str | None) -> None:
        """Say something at the upper edge, where it hides no face; ``None`` takes it away."""
        self._say(self._hint, text)

    def set_look(self, look: Look) -> None:
        """Change how the photo is painted, in the loupe too; the photo itself stays as it is."""
        self._image.set_look(look)
        self.viewport().update()

    def _put_image(self, image: ByteArray | Pyramid | None, keep_view: bool) -> None:
        self._image.set_image(image)
        if keep_view and image is not None:
            self._look(self._camera)
        else:
            self.fit_image()

    # -- where it looks

    @property
    def zoom(self) -> float:
        """Screen pixels per image pixel."""
        return self._camera.scale

    @property
    def is_image_fitted(self) -> bool:
        """Whether the whole image is shown, until the person zooms or moves."""
        return self._fit == "image"

    def fit_image(self) -> None:
        """Show the whole image; a small one is enlarged up to 8 times."""
        self._fit = "image"
        if self._image.size is not None:
            width, height = self._image.size
            self._look(fitted(-0.5, -0.5, width, height, self._extent(), 0.98, 8.0, self.turn))
        else:
            self._look(Camera(turn=self.turn))

    def _fit_rectangle(self, x: float, y: float, width: float, height: float) -> None:
        self._look(fitted(x, y, width, height, self._extent(), FACE_FILL, FACE_LARGEST, self.turn))

    def _fit_points(self, points: FloatArray) -> None:
        self._look(fitted_points(points, self._extent(), FACE_FILL, FACE_LARGEST, self.turn))

    @property
    def turn(self) -> float:
        """The angle in radians by which the image is shown turned, clockwise; coordinates stay those of the image."""
        return self._camera.turn

    def turn_to(self, turn: float) -> None:
        """Show the image turned about the middle of the view; what was fitted is fitted again."""
        if turn != self.turn:
            width, height = self._extent()
            self._camera = self._camera.turned(turn, width / 2, height / 2)
            self._refit()

    def _refit(self) -> None:
        """Fit again what was fitted, after the view got another size."""
        if self._fit == "image":
            self.fit_image()
        else:
            self._look(self._camera)

    def zoom_by(self, factor: float, about: QPointF | None = None) -> None:
        """Zoom about a screen point; without one about the cursor, or the middle when it is elsewhere."""
        if about is None:
            about = QPointF(self.viewport().mapFromGlobal(QCursor.pos()))
            if not self.viewport().rect().contains(about.toPoint()) or not self.underMouse():
                about = QPointF(self.viewport().rect().center())
        self._fit = None
        self._look(self._camera.zoomed(min(self._camera.scale * factor, LARGEST), about.x(), about.y()))

    def _move_by(self, dx: float, dy: float) -> None:
        self._fit = None
        self._look(self._camera.moved(dx, dy))

    def _look(self, camera: Camera) -> None:
        if self._image.size is not None:
            camera = camera.held(self._image.size, self._extent())
        zoomed = camera.scale != self._camera.scale
        self._camera = camera
        a, b = camera.linear()
        # All of the view is in its transform: a scene without extent at the screen's corner leaves nothing to scroll.
        self.setTransform(QTransform(a, b, -b, a, -camera.left, -camera.top))
        self.setSceneRect(QRectF(*camera.to_scene(0, 0), 1e-6 / camera.scale, 1e-6 / camera.scale))
        self._camera_changed()
        self.viewport().update()
        if zoomed:
            self.zoomChanged.emit(camera.scale)

    def _camera_changed(self) -> None:
        """For those who draw in screen pixels."""

    def _extent(self) -> tuple[int, int]:
        return max(self.viewport().width(), 1), max(self.viewport().height(), 1)

    def _scene_point(self, screen: QPointF) -> tuple[float, float]:
        return self._camera.to_scene(screen.x(), screen.y())

    # -- events

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        if event.oldSize().isValid() and self._fit is None:  # what was in the middle stays there
            grown = event.size() - event.oldSize()
            self._camera = self._camera.moved(grown.width() / 2, grown.height() / 2)
        self._refit()
        self._place_notes()

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        touchpad = event.device().type() == QInputDevice.DeviceType.TouchPad
        if touchpad and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._move_by(event.pixelDelta().x(), event.pixelDelta().y())
        else:  # with Alt held, platforms turn the wheel sideways
            turned = event.angleDelta().y() or event.angleDelta().x()
            self.zoom_by(ZOOM_STEP ** (turned / 120), event.position())
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:  # noqa: N802
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom_by(1.0 + event.value(), event.position())
            return True
        return super().viewportEvent(event)

    def _start_pull(self, screen: QPointF) -> None:
        self._pull = screen
        self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)

    def _follow_pull(self, event: QMouseEvent) -> None:
        if self._pull is not None:
            step = event.position() - self._pull
            whole = step.toPoint()  # what is less than a pixel is kept for the next step
            self._pull += QPointF(whole)
            self._move_by(whole.x(), whole.y())

    def _end_pull(self) -> None:
        self._pull = None
        self.viewport().unsetCursor()

    # -- notes upon the image

    def _note(self, name: str) -> QLabel:
        label = QLabel(self.viewport())
        label.setObjectName(name)
        label.setStyleSheet(_NOTE)
        label.setWordWrap(True)
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        label.hide()
        return label

    def _say(self, label: QLabel, text: str | None) -> None:
        label.setText(text or "")
        self._message.setVisible(bool(self._message.text()))
        said = self._message.text().startswith(self._hint.text())  # the same thing twice is one time too many
        self._hint.setVisible(bool(self._hint.text()) and not said)
        self._place_notes()

    def _place_notes(self) -> None:
        width, height = self._extent()
        for label, middle in ((self._message, True), (self._hint, False)):
            # the text's width plus padding, in as many lines as it needs
            natural = label.fontMetrics().boundingRect(label.text()).width() + 44
            across = min(natural, 460, max(width - 32, 60))
            down = label.heightForWidth(across)
            label.setGeometry((width - across) // 2, (height - down) // 2 if middle else 14, across, down)

    def _scene_area(self) -> QRectF:
        """What the view shows, in image pixels; of a turned view the largest square in its middle."""
        width, height = self._extent()
        if self.turn:
            x, y = self._camera.to_scene(width / 2, height / 2)
            side = min(width, height) / (self.zoom * (abs(np.cos(self.turn)) + abs(np.sin(self.turn))))
            return QRectF(x - side / 2, y - side / 2, side, side)
        left, top = self._camera.to_scene(0, 0)
        return QRectF(left, top, width / self.zoom, height / self.zoom)

    def _sees(self, x: float, y: float) -> bool:
        """Whether a place in the image is in sight."""
        return QRectF(0, 0, *self._extent()).contains(*self._camera.to_screen(x, y))
