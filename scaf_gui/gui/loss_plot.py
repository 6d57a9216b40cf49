"""The learning curve of a training run, live or of a model of the history."""

from __future__ import annotations

import math

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QPen
from PySide6.QtWidgets import QWidget

from scaf_gui.gui import theme
from scaf_gui.session.curves import LearningCurve

#: enough for the eye; longer runs are thinned so that drawing stays cheap
MOST_POINTS = 600

Points = list[tuple[float, float]]


class LossPlot(pg.PlotWidget):  # type: ignore[misc]
    """Loss by step as a line, the learning rate dashed (relative to its largest), and validation NME (%) as points
    on an axis of its own at the right, which is there only where something was measured."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self._losses: Points = []
        self._rates: Points = []
        self._errors: Points = []
        self._every = 1
        self._seen = 0
        self.setMenuEnabled(False)
        self.setMouseEnabled(False, False)
        self.hideButtons()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Learning curve")
        self.setToolTip("Line: how far off in training (loss). Points: NME on faces not learnt from, right axis.\n"
                        "Dashed: how large the steps are (learning rate).")  # fmt: skip
        item = self.getPlotItem()
        # its menu has no parent and would outlive the plot
        item.ctrlMenu.setParent(self, item.ctrlMenu.windowFlags())
        item.showGrid(x=False, y=True, alpha=0.15)
        item.setLabel("bottom", "steps")
        item.getAxis("left").setWidth(40)
        item.getAxis("bottom").setHeight(34)
        for side in ("left", "bottom", "right"):
            item.getAxis(side).setStyle(tickLength=-3, maxTickLevel=0)
        self._rate = item.plot([], [])
        self._line = item.plot([], [])
        self._beside = pg.ViewBox(enableMenu=False)
        self._beside.setMouseEnabled(False, False)
        item.scene().addItem(self._beside)
        item.getAxis("right").linkToView(self._beside)
        self._beside.setXLink(item)
        item.vb.sigResized.connect(self._align)
        self._dots = pg.PlotDataItem([], [])
        self._beside.addItem(self._dots)
        self._draw()
        self._dress()
        theme.news().changed.connect(self._dress)

    def clear_curve(self) -> None:
        """Begin a new run."""
        self._losses.clear()
        self._rates.clear()
        self._errors.clear()
        self._every, self._seen = 1, 0
        self._draw()

    def add_loss(self, step: float, loss: float, rate: float = 0.0) -> None:
        """One more step; a loss that is not a number is left out of the curve."""
        self._seen += 1
        if not math.isfinite(loss) or self._seen % self._every:
            return
        self._losses.append((step, loss))
        self._rates.append((step, rate))
        if len(self._losses) > MOST_POINTS:
            self._losses = self._losses[::2]
            self._rates = self._rates[::2]
            self._every *= 2
        self._draw()

    def add_error(self, step: float, percent: float) -> None:
        """NME in % on faces that are not learnt from."""
        if math.isfinite(percent):
            self._errors.append((step, percent))
            self._draw()

    def show_curve(self, curve: LearningCurve) -> None:
        """The curve that is kept with a model."""
        self.clear_curve()
        self._losses, self._rates, self._errors = list(curve.loss), list(curve.rate), list(curve.validation)
        self._draw()

    def points(self) -> Points:
        """What is drawn: (step, loss)."""
        return list(self._losses)

    def errors(self) -> Points:
        """What is drawn: (step, NME in %)."""
        return list(self._errors)

    def _draw(self) -> None:
        self._line.setData([x for x, _ in self._losses], [y for _, y in self._losses])
        top = max((y for _, y in self._losses), default=0.0) / (max((y for _, y in self._rates), default=0.0) or 1.0)
        self._rate.setData([x for x, _ in self._rates], [y * top for _, y in self._rates])
        self._dots.setData([x for x, _ in self._errors], [y for _, y in self._errors])
        known = len(self._losses) > 1  # else the figures would mean nothing
        for side in ("left", "bottom"):
            axis = self.getPlotItem().getAxis(side)
            if axis.style["showValues"] != known:
                axis.setStyle(showValues=known)
        self.getPlotItem().showAxis("right", bool(self._errors))
        self._align()

    def _align(self) -> None:
        self._beside.setGeometry(self.getPlotItem().vb.sceneBoundingRect())

    def _dress(self) -> None:
        self.setBackground(theme.colour("panel"))
        self._line.setPen(_pen("plot_train", 2.0))
        rate = _pen("muted", 1.0)
        rate.setStyle(Qt.PenStyle.DashLine)
        self._rate.setPen(rate)
        self._dots.setPen(_pen("plot_validation", 1.0))
        self._dots.setSymbol("o")
        self._dots.setSymbolSize(5)
        self._dots.setSymbolPen(None)
        self._dots.setSymbolBrush(theme.colour("plot_validation"))
        for side in ("left", "bottom", "right"):
            axis = self.getPlotItem().getAxis(side)
            axis.setPen(pg.mkPen(theme.colour("line")))
            axis.setTextPen(pg.mkPen(theme.colour("plot_validation" if side == "right" else "muted")))


def _pen(colour: str, width: float) -> QPen:
    pen = QPen(theme.colour(colour))
    pen.setWidthF(width)
    pen.setCosmetic(True)
    return pen
