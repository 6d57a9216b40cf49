"""The canvas with its tools: loupe, drags of a selection or along a curve, rubber band, placing by clicks."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QWidget

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.curves import curve_of
from scaf_gui.core.face import Face, Prediction
from scaf_gui.core.scheme import Scheme
from scaf_gui.gui.canvas import ink, selection, style
from scaf_gui.gui.canvas.drag import Drag
from scaf_gui.gui.canvas.gestures import CurveDrag, Gesture, Moved, Rubber, Transform
from scaf_gui.gui.canvas.group_canvas import GroupCanvas
from scaf_gui.gui.canvas.loupe import Loupe
from scaf_gui.gui.canvas.placing import Picture

#: the loupe stays so long after a nudge
LINGER_MS = 1500
_SHIFT, _CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


class ToolCanvas(GroupCanvas):
    """Adds the loupe and gestures upon several landmarks; previews only.

    - ``loupeTurned(factor)``, ``reachTurned(share of the face)``: the wheel has changed it
    - ``placingLeft()``: Escape has ended placing
    """

    loupeTurned = Signal(float)  # noqa: N815
    reachTurned = Signal(float)  # noqa: N815
    placingLeft = Signal()  # noqa: N815

    _held: Gesture | None = None
    _double: int | None = None  # a second press upon this landmark, which selects its group when it stays a click
    #: whether the loupe is wanted, whether a plain drag takes neighbours along, and how far
    loupe_on, along, reach = True, False, 0.25
    loupe: Loupe | None = None
    picture: Picture | None = None  # while landmarks are placed by clicks

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.loupe = Loupe()
        self._lingering = QTimer(self)
        self._lingering.setSingleShot(True)
        self._lingering.setInterval(LINGER_MS)
        self._lingering.timeout.connect(self._aim)

    # -- what is shown

    def show_face(
        self, face: Face | None, prediction: Prediction | None, scheme: Scheme, expected: FloatArray | None = None
    ) -> None:
        """As :meth:`GroupCanvas.show_face`, with the loupe upon it."""
        super().show_face(face, prediction, scheme, expected)
        self._aim()

    def _camera_changed(self) -> None:
        super()._camera_changed()
        self._aim()

    def _mark(self) -> None:
        super()._mark()
        if isinstance(self._held, CurveDrag) and self._held.travelled:  # nothing may cover the place where it goes
            self._landmarks.mark(selected=self._selected, hovered=None, dragged=True)
        self._aim()

    def _preview(self, landmark: int, x: float, y: float) -> None:
        super()._preview(landmark, x, y)
        self._aim()

    def _preview_all(self, made: Moved | None) -> None:
        """Draw what a gesture makes of the landmarks; ``None``: as they were before it."""
        if self._before is None:
            return
        self._shown = self._before if made is None else self._before.with_points(made.points, made.moved, made.placed)
        self._landmarks.preview_all(self._shown)
        if not isinstance(self._held, CurveDrag) or made is None:  # else the box around the selection goes with it
            self.viewport().update()
        self._aim()

    # -- the loupe

    def use_loupe(self, on: bool) -> None:
        self.loupe_on = on
        self._aim()

    def pin_loupe(self, corner: str) -> None:
        """Keep the loupe in a corner of the canvas; "" lets it go with the landmark."""
        if self.loupe is not None:
            self.loupe.corner = corner
            self._aim()

    def turn_loupe(self, notches: float) -> None:
        """Enlarge more or less."""
        if self.loupe is not None:
            self.loupeTurned.emit(self.loupe.turned(notches))
            self.viewport().update(self.loupe.area().toAlignedRect())

    def _magnified(self) -> int | None:
        """The landmark that is to be shown enlarged."""
        if self._drag is not None:
            return self._drag.landmark if self._drag.moved else None
        if isinstance(self._held, CurveDrag):
            return self._held.landmark if self._held.travelled else None
        if self._held is not None or self.loupe is None:
            return None
        return self._selected if self.loupe.corner or self._lingering.isActive() else None

    def _aim(self) -> None:
        if self.loupe is None:  # not made yet
            return
        place = self.position(self._magnified()) if self.loupe_on and self._image.size is not None else None
        at = self.viewportTransform().map(QPointF(*(place or (0.0, 0.0))))
        others = self.screen_points() if place is not None else None
        for area in self.loupe.aim(place, (at.x(), at.y()), self._extent(), others):
            if not area.isEmpty():
                self.viewport().update(area.toAlignedRect())

    def nudge(self, dx: float, dy: float) -> None:
        """As :meth:`GroupCanvas.nudge`; the loupe shows a single landmark for a while."""
        if not self.is_busy and self._shown is not None and (len(self._group) < 2 or self.box_selected):
            self._lingering.start()
        super().nudge(dx, dy)

    def nudge_seen(self, dx: float, dy: float) -> None:
        """As :meth:`nudge`, in a direction of the screen: of a turned view another one than the image's."""
        self.nudge(*(part * self.zoom for part in self._camera.direction(dx, dy)) if self.turn else (dx, dy))

    # -- placing by clicks

    def show_picture(self, picture: Picture | None) -> None:
        """While there is a picture, each click places the selected landmark."""
        self.picture = picture
        self.viewport().setCursor(Qt.CursorShape.CrossCursor) if picture is not None else self.viewport().unsetCursor()
        self.viewport().update()

    def _hover_box(self, screen: QPointF, beside: bool) -> None:
        if self.picture is None:
            super()._hover_box(screen, beside)
        else:  # a press places a landmark, wherever it is
            self.viewport().setCursor(Qt.CursorShape.CrossCursor)

    # -- gestures

    @property
    def is_busy(self) -> bool:
        return self._held is not None or super().is_busy

    def finish_gesture(self) -> None:
        held, self._held, double, self._double = self._held, None, self._double, None
        if held is not None:
            self._let_go(held)
        clicked = self._drag is not None and not self._drag.moved
        super().finish_gesture()
        if double is not None and clicked:
            self.select_group_of(double, add=self._adding)

    _adding = False

    def _let_go(self, held: Gesture) -> None:
        self.viewport().unsetCursor()
        self._renewed.clear()
        made = held.result
        if isinstance(held, Rubber) and self._shown is not None:
            if held.travelled:
                # a single landmark is always selected after some work: only a selection of several is added to
                self.select_group(held.inside(self._shown.points), add=len(self._group) > 1)
        elif made is not None:
            self.pointsMoved.emit(made)
        elif not held.travelled and isinstance(held, Transform | CurveDrag):
            place = self._camera.to_screen(*held.start)
            self._choose(self._landmark_at(QPointF(*place)))
            self.select_group(frozenset())
        self._show_pending()
        self._mark()
        self.viewport().update()

    def cancel_gesture(self) -> bool:
        if self._held is not None:
            self._held = None
            self._renewed.clear()
            self.viewport().unsetCursor()
            self._preview_all(None)
            self._show_pending()
            self._mark()
            return True
        if super().cancel_gesture():
            return True
        if self._group:
            self.select_group(frozenset())
            return True
        if self.picture is not None:
            self.placingLeft.emit()
            return True
        return False

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if event.button() == Qt.MouseButton.LeftButton and self._image.size is not None and self._shown is not None:
            self.finish_gesture()  # its release never came
            if not (self._drawing or self.box_selected) and self._take(event):
                event.accept()
                return
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self.mousePressEvent(event)  # may be the beginning of a drag; it counts when it stays a click
        landmark = self._landmark_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and landmark is not None and self.picture is None:
            self._double, self._adding = landmark, bool(event.modifiers() & _SHIFT)

    def _take(self, event: QMouseEvent) -> bool:
        """Begin one of this class's gestures; whether the press is one."""
        assert self._shown is not None
        spot = event.position()
        place, screen = self._scene_point(spot), (spot.x(), spot.y())
        landmark = self._landmark_at(spot)
        control = bool(event.modifiers() & _CONTROL)
        self._before = self._shown
        if self.picture is not None and self._selected is not None and not control:
            self._drag = Drag(self._selected, None, place, screen)
            self._follow(place, screen)
            return True
        box = selection.frame(self._shown.points, self._group, self.zoom, self.turn)
        part = selection.part_at(box, self.zoom, *place, self.turn) if box is not None else None
        if part is not None and part[0] != "move":
            self._held = Transform(screen, place, self._shown.points, self.chosen(), *part)
        elif event.modifiers() & _SHIFT:
            if landmark is not None:
                self._toggle(landmark)
            self._held = Rubber(screen, place, self.turn)
        elif part is not None and (landmark is None or landmark in self._group):
            self._held = Transform(screen, place, self._shown.points, self.chosen(), *part)
        elif landmark is not None and control != self.along and self._on_curve(landmark):
            self._choose(landmark)
            fixed = self._shown.human.copy()
            fixed[landmark] = False
            assert self._scheme is not None
            self._held = CurveDrag(screen, place, self._shown.points, self._scheme, landmark, fixed, self.reach)
        if isinstance(self._held, Transform):  # the handle is meant, not a landmark below it
            self._hovered = None
            self._mark()
        return self._held is not None

    def _on_curve(self, landmark: int) -> bool:
        return self._scheme is not None and curve_of(self._scheme, landmark) is not None

    def _follow_gesture(self, event: QMouseEvent) -> bool:
        if self._held is None:
            return super()._follow_gesture(event)
        spot = event.position()
        if self._held.follow(self._scene_point(spot), (spot.x(), spot.y())):
            if isinstance(self._held, CurveDrag):
                self.viewport().setCursor(Qt.CursorShape.BlankCursor)
                self._mark()
            self._preview_all(self._held.result)
        return True

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        super().mouseMoveEvent(event)
        if self.picture is not None and self.picture.dodge(event.position(), self._extent()):
            self.viewport().update()

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        notches = (event.angleDelta().y() or event.angleDelta().x()) / 120
        spot = event.position()
        if self._held is not None:
            if self._held.turn(notches) and isinstance(self._held, CurveDrag):
                self.reach = self._held.reach
                self.reachTurned.emit(self.reach)
                self.viewport().update()
                self._preview_all(self._held.result)
        elif self.loupe is not None and self.loupe.middle is not None and self._wheel_is_loupe(event, spot):
            self.turn_loupe(notches)
        else:
            super().wheelEvent(event)
        event.accept()

    def _wheel_is_loupe(self, event: QWheelEvent, spot: QPointF) -> bool:
        assert self.loupe is not None
        if self._drag is not None:
            return not event.modifiers() & _CONTROL  # with it the canvas zooms as ever
        return self.loupe.contains(spot.x(), spot.y())

    def _escapes(self, event: object) -> bool:
        begun = bool(self._group) or self.picture is not None
        escape = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape
        return (escape and begun) or super()._escapes(event)  # type: ignore[arg-type]

    # -- painting

    def drawForeground(self, painter: QPainter, rect: QRectF | object) -> None:  # noqa: N802
        """Draw the tools upon everything else, in the same paint."""
        if self._shown is None or self.loupe is None:
            return
        view = self.viewportTransform()
        if self._group:
            around, held = (self._shown, self._group, self.zoom), self._held
            if isinstance(held, Transform):  # its frame goes with the handle that is held
                going = {"active": held.kind, "before": held.points, "carried": held.carried}
                selection.paint(painter, view, *around, **going)  # type: ignore[arg-type]
            else:
                selection.paint(painter, view, *around, active=self._part)
        if isinstance(self._held, CurveDrag):
            selection.paint_reach(painter, view, self._shown.points, self._held.weights)
        if isinstance(self._held, Rubber) and self._held.travelled:
            painter.setPen(style.pen(style.SELECTED, 1.5 / self.zoom, dashed=True))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolygon(ink.polygon(self._held.corners()))
        if self.picture is not None:
            self.picture.paint(painter, self._shown, self._selected, self._extent())
        self.loupe.paint(painter, view, self._image, self._shown, self._magnified())
