"""The canvas: an image, the landmarks of one face, and the gestures that correct them."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QHideEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QWidget

from scaf_gui.core.arrays import ByteArray, FloatArray
from scaf_gui.core.face import Face, Prediction
from scaf_gui.core.scheme import Scheme
from scaf_gui.gui.canvas import style
from scaf_gui.gui.canvas.box_view import BoxView
from scaf_gui.gui.canvas.drag import THRESHOLD, Drag
from scaf_gui.gui.canvas.hit import nearest
from scaf_gui.gui.canvas.neighbours import Neighbour
from scaf_gui.gui.canvas.pyramid import Pyramid
from scaf_gui.gui.canvas.shaping import OPPOSITE, Shaping
from scaf_gui.gui.canvas.shown import Shown

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class Canvas(BoxView):
    """Shows a face and lets its landmarks be dragged; keeps a preview, never the truth.

    A drag changes only what is drawn. When it is let go, ``landmarkMoved(landmark, x, y)`` says once where
    the landmark was put (image pixels, 0-based, pixel centres at whole numbers) on the face :attr:`face`;
    whoever listens edits the document and shows the changed face. What is to be shown is put off while a
    drag is held, and keys do nothing but Escape, so no landmark can end up on another face.

    Where others follow the landmark, ``shapeMoved(landmark, points)`` says so instead: (num_landmarks, 2) as drawn.
    """

    landmarkMoved = Signal(int, float, float)  # noqa: N815
    shapeMoved = Signal(int, object)  # noqa: N815

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setAccessibleName("Canvas")
        self._drag: Drag | None = None
        self.shaping = Shaping()
        self.scene().addItem(self.shaping.trails)
        self._pressed: QPointF | None = None  # a press beside all landmarks, until it is let go or becomes a pull
        self._before: Shown | None = None  # what a drag takes back when it is cancelled
        self._pending: dict[str, tuple[Any, ...]] = {}  # what is to be shown once nothing is held
        self._renewed: set[str] = set()  # what was shown since the last drag ended

    # -- what is shown, or will be once nothing is held

    def show_image(self, image: ByteArray | Pyramid | None, keep_view: bool = False) -> None:
        """Show an image, (height, width, 3) uint8 RGB or its levels; it must not be written to afterwards.

        :param keep_view: stay at this zoom and place, else the whole image is shown
        """
        if self.is_busy:
            self._pending["image"] = (image, keep_view)
            return
        self._renewed.add("image")
        self._put_image(image, keep_view)

    def show_face(
        self, face: Face | None, prediction: Prediction | None, scheme: Scheme, expected: FloatArray | None = None
    ) -> None:
        """Show a face's label, or its prediction where it has no label.

        :param expected: (num_landmarks,) expected errors of the prediction in %; large ones are ringed
        :raises ValueError: when label or prediction do not fit the scheme
        """
        if self.is_busy:
            self._pending["face"] = (face, prediction, scheme, expected)
            return
        self._renewed.add("face")
        super().show_face(face, prediction, scheme, expected)

    def show_others(self, others: tuple[Neighbour, ...]) -> None:
        """Show the other faces of the photo."""
        if self.is_busy:
            self._pending["others"] = (others,)
            return
        self._renewed.add("others")
        super().show_others(others)

    def select(self, landmark: int | None) -> None:
        """Select a landmark and bring it into sight; ``None`` selects none. Not while something is dragged."""
        if not self.is_busy:
            super().select(landmark)

    def select_next(self, step: int = 1) -> None:
        """Select the landmark, or while the box is selected its handle, ``step`` further on, round and round."""
        if self.box_selected:
            self._select_handle(step)
        else:
            super().select_next(step)

    def _mark(self) -> None:
        dragged = self._drag is not None and self._drag.moved
        self._landmarks.mark(selected=self._selected, hovered=self._hovered, dragged=dragged)

    def nudge(self, dx: float, dy: float) -> None:
        """Move the selected landmark, or the box's selected handle, by so many image pixels, as a drag would."""
        if self.box_selected and not self.is_busy:
            self._nudge_box(dx, dy)
            return
        place = self.position(self._selected)
        if place is None or self._selected is None or self.is_busy:
            return
        x, y = place[0] + dx, place[1] + dy
        self._preview(self._selected, x, y)
        self.landmarkMoved.emit(self._selected, x, y)

    # -- gestures

    @property
    def is_busy(self) -> bool:
        """Whether a landmark or a box is being dragged: what is to be shown waits for its end."""
        return self._drag is not None or self.is_box_held

    def finish_gesture(self) -> None:
        """End what is held as letting the button go would."""
        if self._drag is not None:
            self._end_drag(self._drag)
        elif self.is_box_held:
            self._end_box()
        self._pressed = None
        if self._pull is not None:
            self._end_pull()

    def cancel_gesture(self) -> bool:
        """Drop what is held, or leave the box; whether there was anything to drop."""
        if self._drag is not None:
            self._drag = None
            self.shaping.end()
            self._renewed.clear()
            self.viewport().unsetCursor()
            self._shown = self._before
            self._landmarks.set_shown(self._shown)
            self._mark()
            self._show_pending()
            return True
        if self._cancel_box():
            self._renewed.clear()
            self._show_pending()
            return True
        return False

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        event.accept()
        if event.button() in (Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton):
            if not self.is_busy:
                self._start_pull(event.position())
            return
        if event.button() != Qt.MouseButton.LeftButton or self._image.size is None:
            return
        self.finish_gesture()  # its release never came
        if self._press_box(event.position()):
            return
        place = self._scene_point(event.position())
        landmark = self._landmark_at(event.position())
        if landmark is None and self._selected is not None and self.position(self._selected) is None:
            landmark = self._selected  # it has no place yet: it gets this one
        if landmark is None:
            if not self._press_box(event.position(), beside=True):
                self._pressed = event.position()
            return
        screen = (event.position().x(), event.position().y())
        self._choose(landmark)
        self._before = self._shown
        self._drag = Drag(landmark, self.position(landmark), place, screen)
        self.shaping.begin(self._shown, landmark, bool(event.modifiers() & OPPOSITE))
        self._follow(place, screen)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self.mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if not self._follow_gesture(event):
            aside = self._drawing or self.box_selected
            self._hovered = None if aside else self._landmark_at(event.position())
            self._hover_box(event.position(), beside=self._hovered is None)
            self._mark()
        self.cursorMoved.emit(*self._scene_point(event.position()))

    def _follow_gesture(self, event: QMouseEvent) -> bool:
        """Move what is held with the cursor; whether anything is held."""
        place = self._scene_point(event.position())
        if self._drag is not None:
            self._follow(place, (event.position().x(), event.position().y()))
        elif self._follow_box(event.position()):
            return True
        elif self._pull is not None:
            self._follow_pull(event)
        elif self._pressed is not None:
            if (event.position() - self._pressed).manhattanLength() > 2 * THRESHOLD:
                self._start_pull(self._pressed)
                self._pressed = None
                self._follow_pull(event)
        else:
            return False
        return True

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        event.accept()
        if event.button() != Qt.MouseButton.LeftButton:
            if self._pull is not None and not self.is_busy:
                self._end_pull()
            return
        self._follow_gesture(event)  # the last move may not have been delivered
        other = None
        if self._pressed is not None:  # a click beside all landmarks
            other = self._other_at(event.position())
            self._choose(None)
            self._unselect_box()
        self.finish_gesture()
        if other is not None:
            self.facePicked.emit(other.face_id)

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        super().leaveEvent(event)
        self._hovered = None
        self._mark()

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        super().focusOutEvent(event)
        self.finish_gesture()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802
        super().hideEvent(event)
        self.finish_gesture()

    def event(self, event: QEvent) -> bool:
        # While something is held no shortcut may fire: "accept" in the middle of a drag would go to the next face.
        if event.type() == QEvent.Type.ShortcutOverride and self._keeps(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if self._escapes(event):
            self.cancel_gesture()
        elif self._enters(event):
            if not self.is_busy:
                self._place_box()
        elif not self.is_busy:
            event.ignore()  # the window may know it; scrolling, which the base class would do, makes no sense here

    def keyReleaseEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        event.ignore()  # the window wants to know

    def focusNextPrevChild(self, forward: bool) -> bool:  # noqa: N802
        return False if self.is_busy else super().focusNextPrevChild(forward)

    def _escapes(self, event: QEvent) -> bool:
        begun = self.is_busy or bool(self._drawing) or self.box_selected
        return isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape and begun

    def _keeps(self, event: QEvent) -> bool:
        """Whether a key is for the canvas alone, whatever it means to the window."""
        return self.is_busy or self._escapes(event) or self._enters(event)

    def _enters(self, event: QEvent) -> bool:
        """Whether a key puts the box that is to be drawn into the middle."""
        return isinstance(event, QKeyEvent) and event.key() in _ENTER and bool(self._drawing)

    def _landmark_at(self, screen: QPointF) -> int | None:
        if self._shown is None:
            return None
        x, y = self._scene_point(screen)
        radius, slack = style.GRAB / self.zoom, style.GRAB_SLACK / self.zoom
        return nearest(self._shown.points, x, y, radius, self._selected, slack)

    def _follow(self, place: tuple[float, float], screen: tuple[float, float]) -> None:
        drag = self._drag
        if drag is not None and (drag.follow(place, screen) or drag.start is None):
            self.viewport().setCursor(Qt.CursorShape.BlankCursor)  # the cross-hair shows the place, nothing covers it
            self._mark()
            followed = self.shaping.follow(*drag.at)
            if followed is None:
                self._preview(drag.landmark, *drag.at)
            else:
                self._preview_shape(followed)
                self._mark()

    def _end_drag(self, drag: Drag) -> None:
        self._drag = None
        self.viewport().unsetCursor()
        self._mark()
        self._renewed.clear()
        followed = self._shown if self.shaping.follows else None
        self.shaping.end()
        if drag.result is not None and followed is not None:
            self.shapeMoved.emit(drag.landmark, followed.points)
        elif drag.result is not None:
            self.landmarkMoved.emit(drag.landmark, *drag.result)
        self._show_pending()

    def _end_box(self) -> None:
        done = self._let_box_go()
        self._renewed.clear()
        if done is not None:
            done[0].emit(*done[1])
        self._show_pending()

    def _show_pending(self) -> None:
        """Show what came while something was held, unless the listeners have just shown something newer."""
        pending, self._pending = self._pending, {}
        if "image" in pending and "image" not in self._renewed:
            self.show_image(*pending["image"])
        if "others" in pending and "others" not in self._renewed:
            self.show_others(*pending["others"])
        if "face" in pending:
            face = pending["face"][0]
            shown_id, coming_id = (None if one is None else one.id for one in (self._face, face))
            if "face" not in self._renewed or shown_id != coming_id:
                self.show_face(*pending["face"])
