"""A small table of the project's models, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from scaf_gui.session.events import ModelInfo

_COLUMNS = ("Made", "Labels", "NME", "")


class ModelHistory(QTableWidget):
    """When each model was made, on how many labels, and how far off it was when it was judged.

    ``chosen`` tells the model whose row was selected (``ModelInfo``).
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None):
        super().__init__(0, len(_COLUMNS), parent)
        self.setHorizontalHeaderLabels(_COLUMNS)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(22)
        self.setShowGrid(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        # by mouse it does not take the keys away from the canvas
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedHeight(116)
        self.setAccessibleName("Models of this project")
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        self._models: list[ModelInfo] = []
        self.itemSelectionChanged.connect(self._tell)

    def show_models(self, models: Sequence[ModelInfo], current: str) -> None:
        """:param current: id of the model in use"""
        self.clearSelection()
        self._models = sorted(models, key=lambda m: m.created, reverse=True)
        self.setRowCount(len(models))
        for row, model in enumerate(self._models):
            error = "" if model.error is None else f"{model.error:.1f} %"
            labels = str(len(model.trained_on)) if model.own else "starter"
            texts = (_when(model.created), labels, error, "in use" if model.id == current else "")
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(f"{model.title}\n{model.id}\nSelect it to see how it learnt")
                self.setItem(row, column, item)

    def _tell(self) -> None:
        rows = {item.row() for item in self.selectedItems()}
        if len(rows) == 1:
            self.chosen.emit(self._models[rows.pop()])


def _when(created: str) -> str:
    """ISO time as a short local one; other text as it is."""
    try:
        return datetime.fromisoformat(created).astimezone().strftime("%d %b %H:%M")
    except ValueError:
        return created
