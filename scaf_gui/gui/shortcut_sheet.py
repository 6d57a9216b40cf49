"""Every key on one sheet, from the table of acts."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from scaf_gui.gui import theme
from scaf_gui.gui.actions import shortcut_rows

_COLUMNS = 3
_MOUSE = "Mouse"
#: key caps are one line high, also beside two lines of text
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class ShortcutSheet(QDialog):
    """Keys by menu, in columns of about the same height; what is typed narrows them down."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        self.resize(1120, 640 if parent is None else max(480, min(900, parent.height() - 80)))
        self._sections: list[_Section] = []
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Find an act or a key")
        self.search.setAccessibleName("Find an act or a key")
        self.search.setClearButtonEnabled(True)
        self.search.setMaximumWidth(260)
        self.search.textChanged.connect(self.show_only)
        self.nothing = QLabel("No act and no key is called so.", self)
        theme.set_role(self.nothing, "muted")
        self.nothing.hide()
        sheet = QWidget(self)
        columns = QHBoxLayout(sheet)
        columns.setSpacing(28)
        columns.setContentsMargins(0, 0, 8, 0)
        sections: dict[str, list[tuple[str, str, str]]] = {}
        for row in shortcut_rows():  # a menu goes on below its submenus
            sections.setdefault(row[0], []).append(row)
        lines = {title: len(rows) * (1 + (title == _MOUSE)) for title, rows in sections.items()}
        most = sum(lines.values()) / _COLUMNS + 2 * len(lines) / _COLUMNS
        column, height = QVBoxLayout(), 0
        columns.addLayout(column, 1)
        for title, rows in sections.items():
            if height and height + lines[title] / 2 > most and columns.count() < _COLUMNS:
                column.addStretch(1)
                column, height = QVBoxLayout(), 0
                columns.addLayout(column, 1)
            height += lines[title] + 2
            self._sections.append(_Section(title, rows, sheet))
            column.addWidget(self._sections[-1])
        column.addStretch(1)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setWidget(sheet)
        heading = QLabel("Keyboard shortcuts", self)
        theme.set_role(heading, "title")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        box = QVBoxLayout(self)
        box.setContentsMargins(22, 18, 22, 14)
        head = QHBoxLayout()
        head.addWidget(heading)
        head.addStretch(1)
        head.addWidget(self.search, 1)
        box.addLayout(head)
        box.addWidget(self.nothing)
        box.addWidget(area, 1)
        box.addWidget(buttons)
        self.search.setFocus()

    def show_only(self, words: str) -> None:
        """Show the rows that have these words in what they say; all of them without a word."""
        hits = [section.show_only(words.casefold().split()) for section in self._sections]
        self.nothing.setHidden(any(hits))


class _Section(QWidget):
    """One menu's rows."""

    def __init__(self, title: str, rows: list[tuple[str, str, str]], parent: QWidget):
        super().__init__(parent)
        self._rows: list[tuple[str, QLabel, QLabel]] = []
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 4)
        grid.setVerticalSpacing(3)
        grid.setHorizontalSpacing(12)
        grid.setColumnMinimumWidth(0, 160)
        grid.setColumnStretch(1, 1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        head = QLabel(title, self)
        theme.set_role(head, "heading")
        grid.addWidget(head, 0, 0, 1, 2)
        wide = title == _MOUSE  # what the mouse does takes a sentence
        for place, (_, keys, text) in enumerate(rows, start=1):
            cap = QLabel(keys, self)
            cap.setObjectName("keyCap")
            cap.setTextFormat(Qt.TextFormat.PlainText)
            what = QLabel(text.rstrip("…"), self)
            what.setWordWrap(True)
            theme.set_role(what, "muted")
            grid.addWidget(cap, 2 * place - 1, 0, 1, 2 if wide else 1, _LEFT)
            grid.addWidget(what, 2 * place if wide else 2 * place - 1, 0 if wide else 1, 1, 2 if wide else 1)
            self._rows.append((f"{title} {keys} {text}".casefold(), cap, what))

    def show_only(self, words: list[str]) -> bool:
        """Whether a row has them all."""
        shown = False
        for text, *labels in self._rows:
            hit = all(word in text for word in words)
            shown = shown or hit
            for label in labels:
                label.setVisible(hit)
        self.setVisible(shown)
        return shown
