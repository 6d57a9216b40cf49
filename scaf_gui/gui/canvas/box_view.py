"""The upper middle of the canvas: bounding boxes. The face's own can be drawn and changed, others can be picked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QPen
from PySide6.QtWidgets import QGraphicsRectItem, QWidget

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import Face, Prediction
from scaf_gui.core.handles import HANDLES, NAMES, WHOLE, Handle, Rectangle, handle_at, overlaps, pulled
from scaf_gui.core.scheme import Scheme
from scaf_gui.gui.canvas import style
from scaf_gui.gui.canvas.box_drag import BoxDrag
from scaf_gui.gui.canvas.box_item import BoxItem
from scaf_gui.gui.canvas.camera import fitted
from scaf_gui.gui.canvas.cursors import pulling
from scaf_gui.gui.canvas.drag import THRESHOLD
from scaf_gui.gui.canvas.face_view import FaceView
from scaf_gui.gui.canvas.neighbour_item import NeighbourItem
from scaf_gui.gui.canvas.neighbours import Neighbour, neighbour_at

_DRAWING = {
    "box": "Drag a rectangle around the face, from brows to chin. Return puts one in the middle, Esc draws none.",
    "face": "Drag a rectangle around one more face, from brows to chin. Return puts one in the middle, Esc adds none.",
}
#: so long must the larger side of a box be on the screen that its handles leave the face free
_APART = 90.0
#: and it takes this share of the view when it is shown anew: below the hint
_BOX_FILL = 0.72
#: the landmarks are this faint while the box is changed
_FAINT = 0.35


class BoxView(FaceView):
    """Shows the face's box and the other faces of the photo, with previews of what a gesture makes of the box.

    All four signals speak of image pixels, and of the face on the canvas but for ``facePicked(face id)``:

    - ``boxDrawn(x, y, width, height)``: a box was drawn for this face
    - ``faceDrawn(x, y, width, height)``: a box was drawn for one more face of the photo
    - ``boxChanged(x, y, width, height)``: this face's box was moved or pulled, once per gesture
    - ``facePicked(face id)``: another face of the photo was clicked
    """

    boxDrawn = Signal(float, float, float, float)  # noqa: N815
    faceDrawn = Signal(float, float, float, float)  # noqa: N815
    boxChanged = Signal(float, float, float, float)  # noqa: N815
    facePicked = Signal(int)  # noqa: N815

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self._rubber = QGraphicsRectItem()
        rubber_pen = QPen(style.pen(style.SELECTED, 1.5, dashed=True))
        rubber_pen.setCosmetic(True)  # the rectangle is drawn in image pixels
        self._rubber.setPen(rubber_pen)
        self._rubber.setZValue(2)
        self._rubber.hide()
        self._box_item = BoxItem()
        self._neighbour_item = NeighbourItem()
        for item in (self._rubber, self._box_item, self._neighbour_item):
            self.scene().addItem(item)
        self._others: tuple[Neighbour, ...] = ()
        self._hint_text: str | None = None
        self._drawing = ""  # a key of _DRAWING while the next drag draws a box
        self._box_start: tuple[float, float] | None = None
        self._box_selected = False
        self._handle: Handle = WHOLE  # what the arrow keys move while the box is selected
        self._edge: Handle | None = None  # what of the box is under the cursor
        self._box_drag: BoxDrag | None = None

    # -- what is shown

    def show_face(
        self, face: Face | None, prediction: Prediction | None, scheme: Scheme, expected: FloatArray | None = None
    ) -> None:
        """As :meth:`FaceView.show_face`; with another face, what was begun with a box ends."""
        if face is None or self._face is None or face.id != self._face.id:
            self._leave_drawing()  # the box was meant for the face before
            self._unselect_box()
        super().show_face(face, prediction, scheme, expected)
        if self._box_rectangle() is None:
            self._unselect_box()
        self._mark_box()

    def show_others(self, others: tuple[Neighbour, ...]) -> None:
        """Show the other faces of the photo."""
        self._others = others
        self._neighbour_item.set_others(others)
        self._mark_box()

    def set_hint(self, text: str | None) -> None:
        """Say something at the upper edge; while a box is drawn or changed, how that is done stands there instead."""
        self._hint_text = text
        super().set_hint(self._box_hint() or text)

    def _box_hint(self) -> str | None:
        if self._drawing:
            return _DRAWING[self._drawing]
        if self._box_selected:
            return (
                f"Drag the box, a side or a corner. The arrow keys move {NAMES[self._handle]}, Tab goes on, Esc ends."
            )
        return None

    @property
    def skeleton(self) -> bool:
        """Whether the curves that join landmarks are shown."""
        return self._landmarks.layer("skeleton")

    @skeleton.setter
    def skeleton(self, on: bool) -> None:
        self._landmarks.set_layer("skeleton", on)
        self._neighbour_item.set_skeleton(on)

    # -- what a person can begin

    @property
    def is_box_held(self) -> bool:
        """Whether a box is being drawn or pulled by the mouse just now."""
        return self._box_start is not None or self._box_drag is not None

    @property
    def box_selected(self) -> bool:
        """Whether the box has its handles: then mouse and arrow keys change it instead of landmarks."""
        return self._box_selected

    def begin_box(self, what: str = "box") -> None:
        """Let the next drag draw a bounding box: for this face ("box") or for one more ("face")."""
        if self._image.size is None or self.is_box_held:
            return
        self._unselect_box()
        self._drawing = what
        self.set_hint(self._hint_text)
        self.viewport().setCursor(Qt.CursorShape.CrossCursor)

    def approach_box(self) -> None:
        """Show the whole box, so large that its handles leave the face free; the view stays where it does already."""
        box = self._box_rectangle()
        if box is None or self.is_box_held:
            return
        x, y, width, height = box
        seen = all(self._sees(x + across, y + down) for across in (0, width) for down in (0, height))
        if not seen or max(width, height) * self.zoom < _APART:
            self._fit = None
            self._look(fitted(*box, self._extent(), _BOX_FILL, turn=self.turn))

    def select_box(self) -> None:
        """Give the face's box its handles; the arrow keys move it, then."""
        if self._box_rectangle() is None or self._image.size is None or self._drawing:
            return
        self._choose(None)
        if not self._box_selected:
            self._box_selected, self._handle = True, WHOLE
            self._landmarks.setOpacity(_FAINT)
        self.set_hint(self._hint_text)
        self._mark_box()

    def _select_handle(self, step: int) -> None:
        self._handle = HANDLES[(HANDLES.index(self._handle) + step) % len(HANDLES)]
        self.set_hint(self._hint_text)
        self._mark_box()

    def _nudge_box(self, dx: float, dy: float) -> None:
        box = self._box_rectangle()
        if box is None or self._image.size is None:
            return
        after = pulled(box, self._handle, dx, dy, self._image.size)
        if after != box:
            self._preview_box(after)
            self.boxChanged.emit(*after)

    def _place_box(self) -> None:
        """Put the box that is to be drawn into the middle of what is seen, for the arrow keys to fit."""
        area, size = self._scene_area(), self._image.size
        if size is None:
            return
        area = area.intersected(QRectF(-0.5, -0.5, *size))
        side = max(0.4 * min(area.width(), area.height()), 8.0)
        drawn = self.boxDrawn if self._drawing == "box" else self.faceDrawn
        self._leave_drawing()
        drawn.emit(area.center().x() - side / 2, area.center().y() - side / 2, side, side)
        self.select_box()

    # -- gestures; the canvas says when

    def _press_box(self, screen: QPointF, beside: bool = False) -> bool:
        """A press of the left button; whether it is for a box.

        :param beside: no landmark lies there, so that the outline of the box may be meant
        """
        place = self._scene_point(screen)
        if self._drawing:
            self._box_start = place
            return True
        handle, box, size = self._handle_under(screen, beside), self._box_rectangle(), self._image.size
        if handle is None or box is None or size is None:
            return False
        self.select_box()
        self._handle = handle
        self._box_drag = BoxDrag(handle, box, place, (screen.x(), screen.y()), size)
        self.set_hint(self._hint_text)
        self._mark_box()
        return True

    def _follow_box(self, screen: QPointF) -> bool:
        """Move what is held with the cursor; whether a box is held."""
        place = self._scene_point(screen)
        if self._box_start is not None:
            self._rubber.setRect(QRectF(QPointF(*self._box_start), QPointF(*place)).normalized())
            self._rubber.show()
        elif self._box_drag is not None:
            if self._box_drag.follow(place, (screen.x(), screen.y())):
                self._preview_box(self._box_drag.at)
        else:
            return False
        return True

    def _let_box_go(self) -> tuple[Any, Rectangle] | None:
        """The button was released: the signal to be sent, and the box; ``None`` where nothing was done."""
        if self._box_drag is not None:
            result, self._box_drag = self._box_drag.result, None
            return None if result is None else (self.boxChanged, result)
        area = self._rubber.rect() if self._rubber.isVisible() else QRectF()
        drawn = self.boxDrawn if self._drawing == "box" else self.faceDrawn
        box = (area.x(), area.y(), area.width(), area.height())
        large = min(box[2], box[3]) * self.zoom >= 2 * THRESHOLD
        if large and self._image.size is not None and not overlaps(box, (-0.5, -0.5, *self._image.size)):
            self._box_start = None  # beside the photo there is no face: try again
            self._rubber.hide()
            return None
        self._leave_drawing()
        return (drawn, box) if large else None

    def _cancel_box(self) -> bool:
        """Drop what is held, stop drawing, or give the box its handles back; whether there was anything."""
        if self._box_drag is not None:
            start, self._box_drag = self._box_drag.start, None
            self._preview_box(start)
        elif self._drawing:
            self._leave_drawing()
        elif self._box_selected:
            self._unselect_box()
        else:
            return False
        return True

    def _hover_box(self, screen: QPointF, beside: bool) -> None:
        """Nothing is held: show what a press would take.

        :param beside: no landmark lies there
        """
        if self._drawing:
            return
        self._edge = self._handle_under(screen, beside)
        other = self._other_at(screen) if beside and self._edge is None else None
        self._neighbour_item.set_hovered(None if other is None else other.face_id)
        if self._edge is not None:
            self.viewport().setCursor(pulling(*self._edge, self.turn))
        elif other is not None:
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        else:
            self.viewport().unsetCursor()
        self._mark_box()

    def _other_at(self, screen: QPointF) -> Neighbour | None:
        return neighbour_at(self._others, *self._scene_point(screen), self._box_rectangle())

    # --

    def _box_rectangle(self) -> Rectangle | None:
        box = self._shown.box if self._shown is not None else None
        return None if box is None else (box.x, box.y, box.width, box.height)

    def _handle_under(self, screen: QPointF, beside: bool) -> Handle | None:
        box = self._box_rectangle()
        if box is None or not (self._box_selected or beside):
            return None
        reach = style.GRAB if self._box_selected else style.BOX_GRAB
        handle = handle_at(box, *self._scene_point(screen), reach / self.zoom)
        return handle if self._box_selected or handle != WHOLE else None

    def _preview_box(self, box: Rectangle) -> None:
        if self._shown is None or self._shown.box is None:
            return
        x, y, width, height = box
        self._shown = replace(self._shown, box=replace(self._shown.box, x=x, y=y, width=width, height=height))
        self._landmarks.set_shown(self._shown)
        self._mark_box()

    def _mark_box(self) -> None:
        # beside other faces, the one that is worked on has a whole outline
        shown = self._box_selected or self._edge is not None or bool(self._others)
        active = self._handle if self._box_selected else None
        box = self._box_rectangle() if shown else None
        self._box_item.show_box(box, handles=self._box_selected, near=self._edge is not None, active=active)

    def _leave_drawing(self) -> None:
        if not self._drawing:
            return
        self._drawing, self._box_start = "", None
        self._rubber.hide()
        self.set_hint(self._hint_text)
        self.viewport().unsetCursor()

    def _unselect_box(self) -> None:
        self._edge = None
        if self._box_selected:
            self._box_selected = False
            self._landmarks.setOpacity(1.0)
            self.set_hint(self._hint_text)
            self.viewport().unsetCursor()
        self._mark_box()

    def _choose(self, landmark: int | None) -> None:
        if landmark is not None:
            self._unselect_box()
        super()._choose(landmark)
