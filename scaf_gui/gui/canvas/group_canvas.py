"""The canvas with several landmarks selected: which they are, the frame around them, and the walk."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent

from scaf_gui.core.arrays import BoolArray, FloatArray
from scaf_gui.core.face import Face, Prediction
from scaf_gui.core.scheme import Scheme
from scaf_gui.gui.canvas import selection
from scaf_gui.gui.canvas.canvas import Canvas
from scaf_gui.gui.canvas.cursors import pulling
from scaf_gui.gui.canvas.gestures import Moved


class GroupCanvas(Canvas):
    """Adds to :class:`Canvas` the selection of several landmarks; previews only, as there.

    - ``pointsMoved(Moved)``: a gesture upon several landmarks was let go
    - ``nudged()``: the arrow keys have moved something, which was announced just before
    - ``groupSelected(frozenset of landmarks)``: several landmarks are selected, or none of that kind any more
    """

    pointsMoved = Signal(object)  # noqa: N815
    nudged = Signal()
    groupSelected = Signal(object)  # noqa: N815

    _group: frozenset[int] = frozenset()
    _scheme: Scheme | None = None
    _part = ""  # the handle under the cursor
    walk_zoom = False  #: whether Tab enlarges the surroundings of the landmark it goes to

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
        self._landmarks.set_grouped(len(chosen) > 1)
        self._leave_part()
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
        if self._group and landmark not in self._group and not self.is_busy:
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
        self.select_group(frozenset())
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
            super().nudge(dx, dy)
            if had:
                self.nudged.emit()
            return
        chosen = self.chosen() & np.isfinite(self._shown.points).all(axis=1)
        points = np.where(chosen[:, None], self._shown.points + np.array([dx, dy]), self._shown.points)
        self.pointsMoved.emit(Moved(points, chosen, chosen, "Move"))
        self.nudged.emit()

    def _toggle(self, landmark: int) -> None:
        """Add one landmark to the selection, or take it out."""
        now = self._group or (frozenset() if self._selected is None else frozenset({self._selected}))
        self.select_group(now ^ {landmark})

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        super().mouseMoveEvent(event)
        if self._group and self._shown is not None and not self.is_busy:
            self._show_part(event.position())

    def _leave_part(self) -> None:
        if self._part:
            self._part = ""
            self.viewport().unsetCursor()

    def _show_part(self, spot: QPointF) -> None:
        """Let the cursor say what a press would do with the selection."""
        assert self._shown is not None
        box = selection.frame(self._shown.points, self._group, self.zoom, self.turn)
        place = self._scene_point(spot)
        part = selection.part_at(box, self.zoom, *place, self.turn) if box is not None else None
        name, cursor = "" if part is None else part[0], Qt.CursorShape.SizeAllCursor
        if part is not None and name == "rotate":
            cursor = Qt.CursorShape.PointingHandCursor
        elif part is not None and name == "scale":  # the frame is upright on the screen, however the image is turned
            across = self._camera.to_screen(*part[1])
            aside, below = np.sign(spot.x() - across[0]), np.sign(spot.y() - across[1])
            cursor = pulling(aside or 1.0, below or 1.0)
        if name:
            self.viewport().setCursor(cursor)
        if name != self._part:
            self._part = name
            if not name:
                self.viewport().unsetCursor()
            self.viewport().update()
