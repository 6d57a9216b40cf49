"""The other landmarks follow the one that is dragged: preview and trails; what is made of it is up to the canvas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import Flag
from scaf_gui.core.following import Gain, gain
from scaf_gui.core.shape import ShapeModel
from scaf_gui.gui.canvas import ink, style
from scaf_gui.gui.canvas.shown import Shown
from scaf_gui.gui.canvas.sprites import stamp

#: held at the press, it gives this one drag the other way round: alone where the shape follows, and the reverse
OPPOSITE = Qt.KeyboardModifier.AltModifier
#: gives what is known of the shape, and the expected error of each landmark shown
Source = Callable[[], tuple[ShapeModel | None, FloatArray | None]]
#: followers that were moved by less, screen pixels, leave no trail
_SHORTEST = 1.5


class Shaping:
    """Works out once, at the press, who follows; each move is then one product.

    ``enabled``, ``strength`` (1: to the most probable shape) and ``source`` may be set at any time and count from the
    next press on. Without a source nothing follows.
    """

    def __init__(self) -> None:
        self.enabled, self.strength = True, 1.0
        self.source: Source | None = None
        self.trails = Trails()
        self._gain: Gain | None = None
        self._start: Shown | None = None
        self._landmark = 0

    def begin(self, shown: Shown | None, landmark: int, opposite: bool) -> None:
        """A landmark was pressed; what is shown now is what its followers start from."""
        self.end()
        if shown is None or self.source is None or self.enabled == opposite:
            return
        present = shown.flags != Flag.MISSING
        model, spread = self.source()
        if model is not None and len(model.reference) != len(shown.points):
            model = None
        if spread is not None and len(spread) != len(shown.points):
            spread = None
        held, free = shown.human & present, ~shown.human & present
        moved = None if shown.ghost is None else shown.points - shown.ghost
        self._gain = gain(model, shown.points, landmark, held, free, spread, self.strength, moved)
        self._start, self._landmark = shown, landmark

    @property
    def follows(self) -> bool:
        """Whether anything follows the landmark that is held."""
        return self._gain is not None

    def follow(self, x: float, y: float) -> Shown | None:
        """What is to be shown with the dragged landmark at (x, y), image pixels; ``None`` where nothing follows."""
        if self._gain is None or self._start is None:
            return None
        before = self._start.points
        dx, dy = x - before[self._landmark, 0], y - before[self._landmark, 1]
        points = self._gain.moved(before, dx, dy)
        points[self._landmark] = x, y  # exactly, whatever sums do
        moved = self._gain.movable
        self.trails.show_moves(before[moved], points[moved])
        return self._start.with_points(points, moved, np.arange(len(points)) == self._landmark)

    def end(self) -> None:
        """Nothing is held any more."""
        self._gain = self._start = None
        self.trails.show_moves(np.empty((0, 2)), np.empty((0, 2)))


class Trails(QGraphicsItem):
    """Where the followers come from: a line from there, while the drag lasts."""

    def __init__(self) -> None:
        super().__init__()
        self.setZValue(0.5)
        self._moves = np.empty((0, 2, 2))

    def show_moves(self, before: FloatArray, after: FloatArray) -> None:
        """:param before, after: (N, 2) image pixels"""
        if not len(self._moves) and not len(before):
            return
        around = np.concatenate([self._moves.reshape(-1, 2), before, after])
        self._moves = np.stack([before, after], axis=1)
        low, high = around.min(axis=0), around.max(axis=0)
        pad = 0.05 * float((high - low).max()) + 4.0  # lines and rings are some screen pixels wide
        self.update(QRectF(low[0] - pad, low[1] - pad, high[0] - low[0] + 2 * pad, high[1] - low[1] + 2 * pad))

    @property
    def moves(self) -> FloatArray:
        """(N, 2, 2): from where to where, image pixels."""
        return self._moves

    def boundingRect(self) -> QRectF:  # noqa: N802
        return QRectF(-1e7, -1e7, 2e7, 2e7)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if not len(self._moves):
            return
        view = painter.worldTransform()
        linear = np.array([[view.m11(), view.m12()], [view.m21(), view.m22()]])
        moves = self._moves @ linear + np.array([view.dx(), view.dy()])
        moves = moves[np.linalg.norm(moves[:, 1] - moves[:, 0], axis=1) >= _SHORTEST]
        if not len(moves):
            return
        painter.save()
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        lines = ink.lines(moves)
        painter.setPen(style.pen(style.FAINT_HALO, 3.0))
        painter.drawLines(lines)
        painter.setPen(style.pen(style.MOVED, 1.3))
        painter.drawLines(lines)
        stamp(painter, moves[:, 0], "circle", 2.0, style.MOVED, 1.0, filled=False)
        painter.restore()
