"""Every key on one sheet, from the table of acts."""

from __future__ import annotations

from itertools import groupby

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from scaf_gui.gui import theme
from scaf_gui.gui.actions import shortcut_rows


class ShortcutSheet(QDialog):
    """Two columns of keys by menu."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        self.resize(880, 600)
        sheet = QWidget(self)
        columns = QHBoxLayout(sheet)
        columns.setSpacing(36)
        sections = [(title, list(rows)) for title, rows in groupby(shortcut_rows(), key=lambda row: row[0])]
        half = sum(len(rows) + 2 for _, rows in sections) / 2
        column, height = QVBoxLayout(), 0
        columns.addLayout(column, 1)
        for title, rows in sections:
            if height >= half and columns.count() == 1:
                column.addStretch(1)
                column, height = QVBoxLayout(), 0
                columns.addLayout(column, 1)
            height += len(rows) + 2
            column.addWidget(_section(title, rows, sheet))
        column.addStretch(1)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setWidget(sheet)
        title = QLabel("Keyboard shortcuts", self)
        theme.set_role(title, "title")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        box = QVBoxLayout(self)
        box.setContentsMargins(22, 18, 22, 14)
        box.addWidget(title)
        box.addWidget(area, 1)
        box.addWidget(buttons)


def _section(title: str, rows: list[tuple[str, str, str]], parent: QWidget) -> QWidget:
    section = QWidget(parent)
    grid = QGridLayout(section)
    grid.setContentsMargins(0, 0, 0, 10)
    grid.setVerticalSpacing(5)
    grid.setHorizontalSpacing(14)
    grid.setColumnMinimumWidth(0, 150)
    grid.setColumnStretch(1, 1)
    head = QLabel(title, section)
    theme.set_role(head, "heading")
    grid.addWidget(head, 0, 0, 1, 2)
    for place, (_, keys, text) in enumerate(rows, start=1):
        cap = QLabel(keys, section)
        cap.setObjectName("keyCap")
        cap.setTextFormat(Qt.TextFormat.PlainText)
        what = QLabel(text.rstrip("…"), section)
        what.setWordWrap(True)
        theme.set_role(what, "muted")
        grid.addWidget(cap, place, 0, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(what, place, 1)
    return section
