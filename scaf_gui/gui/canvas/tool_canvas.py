"""The canvas with its tools: loupe, selections of several landmarks, drags along a curve, placing by clicks."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QWidget

from scaf_gui.core.arrays import BoolArray, FloatArray
from scaf_gui.core.curves import curve_of
from scaf_gui.core.face import Face, Prediction
from scaf_gui.core.scheme import Scheme
from scaf_gui.gui.canvas import selection, style
from scaf_gui.gui.canvas.canvas import Canvas
from scaf_gui.gui.canvas.drag import Drag
from scaf_gui.gui.canvas.gestures import CurveDrag, Gesture, Moved, Rubber, Transform
from scaf_gui.gui.canvas.loupe import Loupe
from scaf_gui.gui.canvas.placing import Picture

#: the loupe stays so long after a nudge
LINGER_MS = 1500
_SHIFT, _CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


class ToolCanvas(Canvas):
    """Adds gestures upon several landmarks to :class:`Canvas`; previews only, as there.

    - ``pointsMoved(Moved)``: a gesture upon several landmarks was let go
    - ``nudged()``: the arrow keys have moved something, which was announced just before
    - ``groupSelected(frozenset of landmarks)``: several landmarks are selected, or none of that kind any more
    - ``loupeTurned(factor)``, ``reachTurned(share of the face)``: the wheel has changed it
    - ``placingLeft()``: Escape has ended placing
    """

    pointsMoved = Signal(object)  # noqa: N815
    nudged = Signal()
    groupSelected = Signal(object)  # noqa: N815
    loupeTurned = Signal(float)  # noqa: N815
    reachTurned = Signal(float)  # noqa: N815
    placingLeft = Signal()  # noqa: N815

    _held: Gesture | None = None
    _group: frozenset[int] = frozenset()
    _scheme: Scheme | None = None
    _part = ""  # the handle under the cursor
    _double: int | None = None  # a second press upon this landmark, which selects its group when it stays a click
    #: whether the loupe is wanted, whether Tab enlarges, whether a plain drag takes neighbours along, and how far
    loupe_on, walk_zoom, along, reach = True, False, False, 0.25
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
        """As :meth:`Canvas.show_face`; several selected landmarks stay selected while the face stays."""
        if not self.is_busy:
            same = face is not None and self._face is not None and face.id == self._face.id
            if not same or scheme is not self._scheme:
                self.select_group(frozenset())
            self._scheme = scheme
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
        for area in self.loupe.aim(place, (at.x(), at.y()), self._extent()):
            if not area.isEmpty():
                self.viewport().update(area.toAlignedRect())

    # -- several landmarks

    @property
    def group(self) -> frozenset[int]:
        """Several selected landmarks; empty while there is only one, or none."""
        return self._group

    def select_group(self, landmarks: frozenset[int], *, add: bool = False) -> None:
        """Select several landmarks. :param add: beside those that are selected"""
        count = 0 if self._shown is None else len(self._shown.points)
        chosen = frozenset(i for i in landmarks if 0 <= i < count)
        if add:
            chosen |= self._group or (frozenset() if self._selected is None else {self._selected})
        if self.is_busy or chosen == self._group:
            return
        self._group = chosen
        if chosen and self._selected not in chosen:
            super()._choose(min(chosen))
        self.groupSelected.emit(chosen)
        self.viewport().update()

    def select_group_of(self, landmark: int, *, add: bool = False) -> None:
        """Select the group that a landmark belongs to."""
        if self._scheme is not None:
            found = next((group for group in self._scheme.groups if landmark in group.landmarks), None)
            self._choose(landmark)
            self.select_group(frozenset(found.landmarks if found is not None else (landmark,)), add=add)

    def _choose(self, landmark: int | None) -> None:
        if self._group and landmark not in self._group and self._held is None:
            self.select_group(frozenset())
        super()._choose(landmark)

    def chosen(self) -> BoolArray:
        """(num_landmarks,) bool: the selected landmarks, be it one or several."""
        mask = np.zeros(0 if self._shown is None else len(self._shown.points), dtype=np.bool_)
        mask[sorted(self._group) or ([] if self._selected is None else [self._selected])] = True
        return mask

    def select_next(self, step: int = 1) -> None:
        """Walk the landmarks in anatomical order, group by group; enlarging where that is wished."""
        if self.box_selected or self._shown is None or self._scheme is None:
            super().select_next(step)
            return
        walk = self._scheme.walk
        at = walk.index(self._selected) + step if self._selected in walk else (0 if step > 0 else -1)
        self._group = frozenset() if self._group and not self.is_busy else self._group
        self.select(walk[at % len(walk)])
        if self.walk_zoom:
            self.zoom_to(self._selected)
        self.viewport().update()

    def zoom_to(self, landmark: int | None) -> None:
        """Show the surroundings of a landmark, a sixth of the face to each side."""
        place = self.position(landmark)
        bounds = self._shown.bounds() if self._shown is not None else None
        if place is None or bounds is None or self.is_busy:
            return
        side = max(bounds[2], bounds[3]) / 3
        self._fit = None
        self._fit_rectangle(place[0] - side / 2, place[1] - side / 2, side, side)

    def nudge(self, dx: float, dy: float) -> None:
        """Move the selected landmarks, or the box's handle, by so many image pixels."""
        if self.is_busy or self._shown is None:
            return
        if len(self._group) < 2 or self.box_selected:
            had = self.position(self._selected) is not None and not self.box_selected
            self._lingering.start()
            super().nudge(dx, dy)
            if had:
                self.nudged.emit()
            return
        chosen = self.chosen() & np.isfinite(self._shown.points).all(axis=1)
        points = np.where(chosen[:, None], self._shown.points + np.array([dx, dy]), self._shown.points)
        self.pointsMoved.emit(Moved(points, chosen, chosen, "Move"))
        self.nudged.emit()

    # -- placing by clicks

    def show_picture(self, picture: Picture | None) -> None:
        """While there is a picture, each click places the selected landmark."""
        self.picture = picture
        self.viewport().setCursor(Qt.CursorShape.CrossCursor) if picture is not None else self.viewport().unsetCursor()
        self.viewport().update()

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
                self.select_group(held.inside(self._shown.points), add=True)
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
        box = selection.frame(self._shown.points, self._group, self.zoom)
        part = selection.part_at(box, self.zoom, *place) if box is not None else None
        if part is not None and part[0] != "move":
            self._held = Transform(screen, place, self._shown.points, self.chosen(), *part)
        elif event.modifiers() & _SHIFT:
            if landmark is not None:
                self._toggle(landmark)
            self._held = Rubber(screen, place)
        elif part is not None and (landmark is None or landmark in self._group):
            self._held = Transform(screen, place, self._shown.points, self.chosen(), *part)
        elif landmark is not None and control != self.along and self._on_curve(landmark):
            self._choose(landmark)
            fixed = self._shown.human.copy()
            fixed[landmark] = False
            assert self._scheme is not None
            self._held = CurveDrag(screen, place, self._shown.points, self._scheme, landmark, fixed, self.reach)
        return self._held is not None

    def _on_curve(self, landmark: int) -> bool:
        return self._scheme is not None and curve_of(self._scheme, landmark) is not None

    def _toggle(self, landmark: int) -> None:
        """Add one landmark to the selection, or take it out."""
        now = self._group or (frozenset() if self._selected is None else frozenset({self._selected}))
        self.select_group(now ^ {landmark})

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
        if self._held is None and self._group and self._shown is not None and not self.is_busy:
            self._show_part(event.position())

    def _show_part(self, spot: QPointF) -> None:
        """Let the cursor say what a press would do with the selection."""
        assert self._shown is not None
        box = selection.frame(self._shown.points, self._group, self.zoom)
        part = selection.part_at(box, self.zoom, *self._scene_point(spot)) if box is not None else None
        name = "" if part is None else part[0]
        if name != self._part:
            self._part = name
            cursors = {"move": Qt.CursorShape.SizeAllCursor, "rotate": Qt.CursorShape.PointingHandCursor}
            cursor = cursors.get(name, Qt.CursorShape.SizeFDiagCursor)
            self.viewport().setCursor(cursor) if name else self.viewport().unsetCursor()
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
            active = self._held.kind if isinstance(self._held, Transform) else self._part
            selection.paint(painter, view, self._shown, self._group, self.zoom, active=active)
        if isinstance(self._held, CurveDrag):
            selection.paint_reach(painter, view, self._shown.points, self._held.weights)
        if isinstance(self._held, Rubber) and self._held.travelled:
            painter.setPen(style.pen(style.SELECTED, 1.5 / self.zoom, dashed=True))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(QPointF(*self._held.start), QPointF(*self._held.end)).normalized())
        if self.picture is not None:
            self.picture.paint(painter, self._shown, self._selected, self._extent())
        self.loupe.paint(painter, view, self._image, self._shown, self._magnified())
