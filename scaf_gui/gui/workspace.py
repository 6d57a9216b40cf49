"""Where things are while a project is open: queue, canvas, landmarks and training. Layout only."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from scaf_gui.core.queue import Queue
from scaf_gui.gui import theme
from scaf_gui.gui.canvas import Canvas
from scaf_gui.gui.check_panel import CheckPanel
from scaf_gui.gui.face_bar import FaceBar
from scaf_gui.gui.finish_line import FinishLineView
from scaf_gui.gui.landmark_panel import LandmarkPanel
from scaf_gui.gui.queue_panel import QueuePanel
from scaf_gui.gui.reconstruction_panel import ReconstructionPanel
from scaf_gui.gui.shape_bar import ShapeBar
from scaf_gui.gui.training_panel import TrainingPanel

_LEFT, _RIGHT = 252, 296
#: so much narrower they may be made; at the right, a line of texts takes nearly all of it
_LESS = {_LEFT: 32, _RIGHT: 12}


class Workspace(QWidget):
    """Three columns; the outer ones keep their width when the window grows."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.queue = QueuePanel(self)
        self.canvas = Canvas(self)
        self.shape_bar = ShapeBar(self.canvas.shaping, self)
        self.landmarks = LandmarkPanel(self, self.shape_bar)
        self.training = TrainingPanel(self)
        self.finish = FinishLineView(self)
        self.face_bar = FaceBar(self)
        self.check = CheckPanel(self)
        self.reconstruction = ReconstructionPanel(self)
        middle = QWidget(self)
        rows = QVBoxLayout(middle)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        stage = QHBoxLayout()
        stage.setSpacing(0)
        stage.addWidget(self.canvas, 1)
        stage.addWidget(self.reconstruction)
        rows.addLayout(stage, 1)
        rows.addWidget(self.face_bar)
        rows.addWidget(self.check)
        side = QWidget(self)
        side.setObjectName("sidePanel")
        side.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        line = QFrame(side)
        theme.set_role(line, "line")
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.landmarks, 1)
        column.addWidget(line)
        column.addWidget(self.training)
        column.addWidget(self.finish)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        for place, (widget, width) in enumerate(((self.queue, _LEFT), (middle, 0), (side, _RIGHT))):
            self.splitter.addWidget(widget)
            self.splitter.setStretchFactor(place, 0 if width else 1)
            if width:
                widget.setMinimumWidth(width - _LESS[width])
        self.splitter.setSizes([_LEFT, 720, _RIGHT])
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.splitter)
        for first, second in (
            (self.canvas, self.queue.view),
            (self.queue.view, self.queue.filter),
            (self.queue.filter, self.queue.search),
            (self.queue.search, self.landmarks.table),
        ):
            QWidget.setTabOrder(first, second)
        self.queue.left.connect(self.canvas.setFocus)
        self.canvas.groupSelected.connect(self._show_group)
        theme.news().changed.connect(self._dress)
        self._dress()

    def empty(self) -> None:
        """Show nothing of a project any more; the canvas is the navigator's."""
        self.queue.open(None, Queue(), None)
        self.finish.open(None)
        self.shape_bar.open(None)
        self.landmarks.show_face(None, None, None)
        self.face_bar.show_face(None, False)

    def _show_group(self, group: frozenset[int]) -> None:
        lead = self.canvas.selected
        first = () if lead is None else (lead,)
        self.landmarks.show_selected((*first, *sorted(group - {lead})))

    def _dress(self) -> None:
        self.canvas.set_background(theme.palette()["canvas"])
