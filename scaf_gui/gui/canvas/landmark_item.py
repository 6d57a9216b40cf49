"""All landmarks of a face, their skeleton, box and names: one graphics item."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from scaf_gui.core.arrays import BoolArray, FloatArray
from scaf_gui.core.face import Flag
from scaf_gui.gui.canvas import ink, style
from scaf_gui.gui.canvas.hit import spacing
from scaf_gui.gui.canvas.names import Plates, paint_names, paint_tag, plates, tag_areas
from scaf_gui.gui.canvas.scales import ERRORS, error_step
from scaf_gui.gui.canvas.selection import upright
from scaf_gui.gui.canvas.shown import Shown
from scaf_gui.gui.canvas.sprites import stamp

_EVERYWHERE = QRectF(-1e7, -1e7, 2e7, 2e7)
#: so many names that have moved are painted again one by one, more of them in one piece
_MANY = 12


class LandmarkItem(QGraphicsItem):
    """Draws one :class:`Shown`; holds no truth.

    The item claims the whole plane and asks only for those parts to be painted again that change, which
    keeps moving one landmark independent of how many there are. Everything is drawn in screen pixels.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self.setZValue(1)
        self._shown: Shown | None = None
        self._edges = np.empty((0, 2), dtype=np.intp)
        self._zoom, self._turn = 1.0, 0.0
        self._plates: Plates | None = None  # where names are, screen pixels from the scene's origin
        self._grouped = False
        self._dot = style.LARGEST_DOT
        self._selected: int | None = None
        self._hovered: int | None = None
        self._dragged = False
        self._layers = {"skeleton": True, "labels": False, "ghost": False, "confidence": False}
        self._looked: frozenset[int] = frozenset()

    # -- what is shown

    def set_shown(self, shown: Shown | None) -> None:
        """Show other landmarks."""
        self._shown = shown
        self._edges = np.asarray(shown.edges if shown else (), dtype=np.intp).reshape(-1, 2)
        self._measure()
        self.update()

    def set_zoom(self, zoom: float, turn: float = 0.0) -> None:
        """Tell how many screen pixels an image pixel has, and by how much the image is shown turned, radians."""
        self._zoom, self._turn = zoom, turn
        self._measure()

    def set_grouped(self, on: bool) -> None:
        """Tell whether several landmarks are selected: then none of them is named, nor has the cross-hair."""
        if on != self._grouped:
            self._grouped = on
            self.update()

    def _measure(self) -> None:
        self._plates = None
        gap = spacing(self._shown.points, self._shown.edges) * self._zoom if self._shown else np.inf
        self._dot = float(np.clip(style.DOT_SHARE * gap, style.SMALLEST_DOT, style.LARGEST_DOT))

    def preview(self, landmark: int, x: float, y: float) -> None:
        """Draw one landmark at (x, y) image pixels until other landmarks are shown."""
        if self._shown is not None:
            self._touch(landmark)
            before, self._shown = self._shown, self._shown.with_point(landmark, x, y)
            self._touch(landmark)
            self._carry_names(before, self._shown)

    def preview_all(self, shown: Shown) -> None:
        """Draw several landmarks elsewhere until other landmarks are shown; the rest stays as it is."""
        before, self._shown = self._shown, shown
        self._carry_names(before, shown)
        if before is None or self._is_tangled or len(before.points) != len(shown.points):
            self.update()
            return
        moved = (before.points != shown.points).any(axis=1)
        joined = self._edges[moved[self._edges].any(axis=1)].ravel()
        around = np.vstack([before.points[moved], shown.points[moved], shown.points[joined]])
        around = around[np.isfinite(around).all(axis=1)]
        if len(around):
            (left, top), (right, bottom) = around.min(axis=0), around.max(axis=0)
            pad = style.REACH / self._zoom
            self.update(QRectF(left - pad, top - pad, right - left + 2 * pad, bottom - top + 2 * pad))

    def preview_shape(self, shown: Shown) -> None:
        """Draw the same landmarks elsewhere until others are shown; dots keep their size."""
        before, self._shown = self._shown, shown
        self._carry_names(before, shown)
        if before is None or self._is_tangled:
            self.update()
            return
        changed = (before.points != shown.points).any(axis=1) & np.isfinite(shown.points).all(axis=1)
        near = changed | np.isin(np.arange(len(changed)), self._edges[changed[self._edges].any(axis=1)])
        around = np.concatenate([before.points[near], shown.points[near]])
        around = around[np.isfinite(around).all(axis=1)]
        if len(around):
            (left, top), (right, bottom) = around.min(axis=0), around.max(axis=0)
            pad = style.REACH / self._zoom
            self.update(QRectF(left - pad, top - pad, right - left + 2 * pad, bottom - top + 2 * pad))
        self._touch(self._selected)

    @property
    def _is_tangled(self) -> bool:
        """Whether moving several landmarks changes more than their surroundings: ways from a prediction."""
        return self._layers["ghost"] and self._shown is not None and self._shown.ghost is not None

    def mark(self, *, selected: int | None, hovered: int | None, dragged: bool) -> None:
        """Tell which landmark is selected, which is under the cursor, and whether the selected one moves."""
        before = {self._selected, self._hovered}
        changed = (selected, hovered, dragged) != (self._selected, self._hovered, self._dragged)
        if changed:
            self._touch(*before)
            self._selected, self._hovered, self._dragged = selected, hovered, dragged
            self._touch(selected, hovered)

    def set_looked(self, landmarks: frozenset[int]) -> None:
        """Tell which landmarks somebody has looked at: their rings are faint from then on."""
        changed = self._looked ^ landmarks
        self._looked = landmarks
        self._touch(*changed)

    def layer(self, name: str) -> bool:
        return self._layers[name]

    def set_layer(self, name: str, on: bool) -> None:
        """Show or hide "skeleton", "labels" or "ghost"; colour by "confidence" or not."""
        self._layers[name] = on
        self._plates = None
        self.update()

    # -- what must be painted again

    def boundingRect(self) -> QRectF:  # noqa: N802
        return _EVERYWHERE

    def _touch(self, *landmarks: int | None) -> None:
        """Ask for the surroundings of landmarks, with their edges and name tags, to be painted again."""
        if self._shown is None:
            return
        points = self._shown.points
        for landmark in landmarks:
            if landmark is None or landmark >= len(points):
                continue
            joined = self._edges[(self._edges == landmark).any(axis=1)].ravel()
            around = points[np.append(joined, landmark)]
            if self._layers["ghost"] and self._shown.ghost is not None:
                around = np.vstack([around, self._shown.ghost[np.append(joined, landmark)]])
            around = around[np.isfinite(around).all(axis=1)]
            if not len(around):
                continue
            (left, top), (right, bottom) = around.min(axis=0), around.max(axis=0)
            pad = style.REACH / self._zoom
            area = QRectF(left - pad, top - pad, right - left + 2 * pad, bottom - top + 2 * pad)
            if np.isfinite(points[landmark]).all() and not self._dragged:  # the name's tag
                x, y = points[landmark] * self._zoom
                for tag in tag_areas(self._shown.names[landmark], x, y):
                    below = QRectF(tag.x(), tag.y(), tag.width(), 2 * (y - tag.y()))
                    area |= QRectF(below.topLeft() / self._zoom, below.size() / self._zoom)
                if self._turn:  # the tag is upright on the screen, the image is not: as far in every direction
                    far = max(abs(x - area.left() * self._zoom), abs(area.right() * self._zoom - x)) * 1.42 / self._zoom
                    area |= QRectF(points[landmark, 0] - far, points[landmark, 1] - far, 2 * far, 2 * far)
            self.update(area)

    def _named(self) -> Plates:
        """Where names are written; none while they are off."""
        if self._plates is None:
            self._plates = {}
            if self._shown is not None and self._layers["labels"]:
                points = upright(self._shown.points, self._turn) * self._zoom
                self._plates = plates(self._shown.names, points, self._dot)
        return self._plates

    def _carry_names(self, before: Shown | None, after: Shown) -> None:
        """Names go with landmarks that are held; until these are let go, none changes sides, comes or goes."""
        if not self._layers["labels"]:
            return
        if self._plates is None or before is None or len(before.points) != len(after.points):
            self._plates = None
            self.update()
            return
        moves = upright(after.points - before.points, self._turn) * self._zoom
        moved = {i: area for i, area in self._plates.items() if moves[i].any()}
        if not moved:
            return
        carried = {
            i: (x + moves[i, 0], y + moves[i, 1], width, height)
            for i, (x, y, width, height) in moved.items()
            if np.isfinite(moves[i]).all()
        }
        self._plates = {i: area for i, area in self._plates.items() if i not in moved} | carried
        self._touch_names([*moved.values(), *carried.values()])

    def _touch_names(self, areas: list[tuple[float, float, float, float]]) -> None:
        """Ask for names there, (x, y, width, height) in screen pixels from the scene's origin, to be painted again."""
        x, y, width, height = np.array(areas).T
        ends = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]]).transpose(2, 0, 1)
        corners = upright(ends / self._zoom, -self._turn)  # (names, 4, 2)
        low, high = corners.min(axis=1) - 2 / self._zoom, corners.max(axis=1) + 2 / self._zoom
        if len(low) > _MANY:
            low, high = low.min(axis=0)[None], high.max(axis=0)[None]
        for (left, top), (right, bottom) in zip(low.tolist(), high.tolist(), strict=True):
            self.update(QRectF(left, top, right - left, bottom - top))

    # -- painting

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        shown = self._shown
        if shown is None:
            return
        view = painter.worldTransform()
        exposed = view.mapRect(option.exposedRect)
        painter.save()
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if shown.box is not None:
            box = shown.box
            ink.brackets(painter, ink.corners(box.x, box.y, box.width, box.height, view))
        points = ink.mapped(shown.points, view)
        if self._layers["ghost"] and shown.ghost is not None:
            self._paint_ghost(painter, shown, ink.mapped(shown.ghost, view), points)
        if self._layers["skeleton"]:
            self._paint_skeleton(painter, shown, points, exposed)
        near = ink.within(points, exposed, style.REACH)
        if self._dragged and self._selected is not None and self._selected < len(near):
            near[self._selected] = False  # nothing may cover the place where it goes
        if self._dot > style.SMALLEST_DOT or not self._layers["skeleton"]:  # else dots would hide a tiny face
            self._paint_dots(painter, shown, points, near)
        self._paint_marks(painter, points)
        written = self._named()
        paint_names(painter, shown.names, written, (view.dx(), view.dy()))
        named = self._hovered if self._hovered is not None or self._grouped else self._selected
        free = named is not None and not self._dragged and named not in written and named < len(points)
        if named is not None and free and np.isfinite(points[named]).all():
            x, y = points[named].tolist()
            outward_left = x < float(np.nanmean(points[:, 0]))
            width = float((widget or painter.device()).width())
            paint_tag(painter, shown.names[named], x, y, outward_left=outward_left, width=width)
        painter.restore()

    def _paint_skeleton(self, painter: QPainter, shown: Shown, points: FloatArray, exposed: QRectF) -> None:
        edges = self._edges
        ends = points[edges]
        low, high = ends.min(axis=1), ends.max(axis=1)
        drawn = (
            np.isfinite(ends).all(axis=(1, 2))
            & ~(shown.flags[edges] == Flag.MISSING).any(axis=1)
            & (low[:, 0] < exposed.right() + 3)
            & (low[:, 1] < exposed.bottom() + 3)
            & (high[:, 0] > exposed.left() - 3)
            & (high[:, 1] > exposed.top() - 3)
        )
        human = shown.human[edges].all(axis=1)
        solid, dashed = ink.lines(ends[drawn & human]), ink.lines(ends[drawn & ~human])
        painter.setPen(style.pen(style.SOFT_HALO, 3.2))
        painter.drawLines(solid)
        painter.setPen(style.pen(style.FAINT_HALO, 3.0))
        painter.drawLines(dashed)
        painter.setPen(style.pen(style.HUMAN, 1.3))
        painter.drawLines(solid)
        painter.setPen(style.pen(style.PREDICTED, 1.3, dashed=True))
        painter.drawLines(dashed)

    def _paint_dots(self, painter: QPainter, shown: Shown, points: FloatArray, near: BoolArray) -> None:
        radius = self._dot
        visible = near & (shown.flags == Flag.VISIBLE)
        occluded = near & (shown.flags == Flag.OCCLUDED)
        for human, colour, reach in ((False, style.PREDICTED, radius + 0.8), (True, style.HUMAN, radius)):
            mine = shown.human == human
            if not human and self._layers["confidence"]:
                mine = mine & np.isnan(shown.doubt)
            stamp(painter, points[visible & mine], "circle", reach, colour, 1.0 if human else 1.3, filled=human)
            stamp(painter, points[occluded & mine], "diamond", radius + 1.6, colour, 1.4)
        if self._layers["confidence"]:
            steps = error_step(shown.doubt)
            for step, (_, colour) in enumerate(ERRORS):
                mine = steps == step
                stamp(painter, points[visible & mine], "circle", radius + 0.8, colour, 2.2)
                stamp(painter, points[occluded & mine], "diamond", radius + 1.6, colour, 2.2)
        looked = np.zeros_like(shown.unsure)
        looked[[i for i in self._looked if i < len(looked)]] = True
        stamp(painter, points[near & shown.unsure & looked], "circle", 2.2 * radius, style.LOOKED, 1.2)
        stamp(painter, points[near & shown.unsure & ~looked], "circle", 2.2 * radius, style.UNSURE, 1.6)
        stamp(painter, points[near & (shown.flags == Flag.MISSING)], "cross", 3.5, style.MISSING, 1.5)

    def _paint_marks(self, painter: QPainter, points: FloatArray) -> None:
        """The ring of the landmark under the cursor, the cross-hair of the selected one."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self._hovered is not None and self._hovered < len(points) and self._hovered != self._selected:
            ink.ringed(painter, ink.circles(points[self._hovered][None], self._dot + 3.5), style.SELECTED, 1.4)
        if self._selected is None or self._selected >= len(points) or self._grouped:
            return
        here = points[self._selected][None]
        if not np.isfinite(here).all():
            return
        ink.ringed(painter, ink.circles(here, self._dot + 3.0), style.SELECTED, 1.1 if self._dragged else 1.6)
        ink.ringed(painter, ink.hairs(here, self._dot + 4.5, style.REACH - 4), style.SELECTED, 1.2)

    def _paint_ghost(self, painter: QPainter, shown: Shown, ghost: FloatArray, points: FloatArray) -> None:
        """The prediction behind the label, and how far each landmark was moved from it."""
        moved = ~(np.abs(ghost - points).max(axis=1) <= 1.0)  # of a missing landmark it is all there is
        ends = ghost[self._edges[moved[self._edges].any(axis=1)]]  # elsewhere the label lies upon it
        outline = ink.lines(ends[np.isfinite(ends).all(axis=(1, 2))])
        moves = np.stack([ghost, points], axis=1)[moved]
        ways = ink.lines(moves[np.isfinite(moves).all(axis=(1, 2))])
        painter.setPen(style.pen(style.SOFT_HALO, 2.8))
        painter.drawLines(outline + ways)
        painter.setPen(style.pen(style.MOVED, 1.0))
        painter.drawLines(ways)
        painter.setPen(style.pen(style.GHOST, 1.1))
        painter.drawLines(outline)
        here = moves[np.isfinite(moves[:, 0]).all(axis=1), 0]
        stamp(painter, here, "circle", 2.0, style.GHOST, 1.0)
