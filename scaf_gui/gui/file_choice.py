"""A list of choices, one of which is a file of the user's, named below it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget


class FileChoice(QWidget):
    """``changed``: something was chosen.

    :param choices: titles and what stands for them
    :param own: which of them needs the file
    :param names: of the list, of the file, and of the dialog that looks for it
    :param example: what a file may be called
    :param files: filter of that dialog
    """

    changed = Signal()

    def __init__(
        self,
        choices: list[tuple[str, str]],
        own: str,
        names: tuple[str, str, str],
        example: str,
        files: str,
        parent: QWidget | None = None,
    ):
        super().__init__(parent)
        self._own, self._dialog, self._files = own, names[2], files
        self.kind = QComboBox(self)
        self.kind.setAccessibleName(names[0])
        for title, kind in choices:
            self.kind.addItem(title, kind)
        self.file = QLineEdit(self)
        self.file.setPlaceholderText(example)
        self.file.setAccessibleName(names[1])
        self._browse = QPushButton("Choose…", self)
        self._browse.setAutoDefault(False)
        self._browse.clicked.connect(self._choose)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.file, 1)
        row.addWidget(self._browse)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.kind)
        column.addLayout(row)
        self.setFocusProxy(self.kind)
        self.kind.currentIndexChanged.connect(self._show)
        self.file.textChanged.connect(self.changed)
        self._show()

    @property
    def is_own(self) -> bool:
        """Whether a file is needed."""
        return bool(self.kind.currentData() == self._own)

    def _show(self) -> None:
        self.file.setVisible(self.is_own)
        self._browse.setVisible(self.is_own)
        self.changed.emit()

    def _choose(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, self._dialog, self.file.text(), self._files)
        if name:
            self.file.setText(name)
