"""The live loss curve of a training run."""

from __future__ import annotations

import math

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QPen
from PySide6.QtWidgets import QWidget

from scaf_gui.gui import theme

#: enough for the eye; longer runs are thinned so that drawing stays cheap
MOST_POINTS = 600


class LossPlot(pg.PlotWidget):  # type: ignore[misc]
    """Loss by step as a line, validation NME as points on an axis of its own scale at the right."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self._losses: list[tuple[float, float]] = []
        self._errors: list[tuple[float, float]] = []
        self._every = 1
        self._seen = 0
        self.setMenuEnabled(False)
        self.setMouseEnabled(False, False)
        self.hideButtons()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Loss curve")
        item = self.getPlotItem()
        # its menu has no parent and would outlive the plot
        item.ctrlMenu.setParent(self, item.ctrlMenu.windowFlags())
        item.showGrid(x=False, y=True, alpha=0.15)
        item.getAxis("left").setWidth(40)
        item.getAxis("bottom").setHeight(22)
        item.getAxis("left").setStyle(tickLength=-3, maxTickLevel=0)
        item.getAxis("bottom").setStyle(tickLength=-3, maxTickLevel=0)
        self._line = item.plot([], [])
        self._dots = item.plot([], [])
        self._dress()
        theme.news().changed.connect(self._dress)

    def clear_curve(self) -> None:
        """Begin a new run."""
        self._losses.clear()
        self._errors.clear()
        self._every, self._seen = 1, 0
        self._draw()

    def add_loss(self, step: float, loss: float) -> None:
        """One more value; what is not a number is left out of the curve."""
        self._seen += 1
        if not math.isfinite(loss) or self._seen % self._every:
            return
        self._losses.append((step, loss))
        if len(self._losses) > MOST_POINTS:
            self._losses = self._losses[::2]
            self._every *= 2
        self._draw()

    def points(self) -> list[tuple[float, float]]:
        """What is drawn: (step, loss)."""
        return list(self._losses)

    def _draw(self) -> None:
        self._line.setData([x for x, _ in self._losses], [y for _, y in self._losses])

    def _dress(self) -> None:
        self.setBackground(theme.colour("panel"))
        pen = QPen(theme.colour("plot_train"))
        pen.setWidthF(2.0)
        pen.setCosmetic(True)
        self._line.setPen(pen)
        for side in ("left", "bottom"):
            axis = self.getPlotItem().getAxis(side)
            axis.setPen(pg.mkPen(theme.colour("line")))
            axis.setTextPen(pg.mkPen(theme.colour("muted")))
