"""The rows of a planned import: what is done with each entry of the files; what is broken and conflicts first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from scaf_gui.gui import theme
from scaf_gui.session.importing import ImportPlan, Kind, Row

_TITLES = ("What", "Image", "In the files", "Why")
_COLOURS = {
    Kind.BROKEN: "error",
    Kind.CONFLICT: "warning",
    Kind.LEFT_OUT: "warning",
    Kind.ADDED: "labelled",
    Kind.NEW: "labelled",
    Kind.CHANGED: "labelled",
    Kind.SAME: "muted",
}
_Index = QModelIndex | QPersistentModelIndex


class ImportTable(QAbstractTableModel):
    """Makes a cell when it is looked at, so that 100,000 rows cost nothing."""

    def __init__(self, parent: Any = None):
        super().__init__(parent)
        self._rows: tuple[Row, ...] = ()
        self._replace = False

    def show_plan(self, plan: ImportPlan | None, replace: bool) -> None:
        self.beginResetModel()
        self._rows, self._replace = plan.rows if plan else (), replace
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's
        return 0 if parent.isValid() else len(_TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:  # noqa: N802 - Qt's
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _TITLES[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: _Index, role: int = 0) -> Any:
        row = self._rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return (self._what(row), row.image, row.where, row.note)[index.column()].replace("\n", "\\n")
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 0:
            return theme.colour(_COLOURS[row.kind])
        return None

    def text(self, rows: Iterable[int]) -> str:
        """Rows as text for other programs: one a line, cells divided by tabs."""
        cells = ([str(self.index(row, column).data()) for column in range(len(_TITLES))] for row in rows)
        return "\n".join("\t".join(row) for row in cells)

    def trouble(self) -> str:
        """What cannot be read, and what is left out, with where it stands: one a line, to be mended one by one."""
        wanted = (row for row in self._rows if row.kind in (Kind.BROKEN, Kind.LEFT_OUT))
        return "\n".join(f"{row.where}: {row.note}".replace("\n", "\\n") for row in wanted)

    def _what(self, row: Row) -> str:
        if row.kind is Kind.CONFLICT:
            return "replaced" if self._replace else "kept"
        return row.kind.value


class ImportView(QTableView):
    """The table as it is shown; chosen rows can be copied."""

    def __init__(self, table: ImportTable, parent: QWidget | None = None):
        super().__init__(parent)
        self._table = table
        self.setModel(table)
        self.setAccessibleName("What would be imported")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # the line stands at the end
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(24)
        self.setMinimumHeight(190)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setStretchLastSection(True)
        for column, width in enumerate((112, 160, 220)):
            header.resizeSection(column, width)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's
        """Copy whole rows: Qt itself would copy one cell."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        if rows and event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self._table.text(rows))
        else:
            super().keyPressEvent(event)
