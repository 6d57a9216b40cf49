"""Which landmarks a new project has: a scheme that is known, or a file of the user's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from scaf_gui.core.scheme import Scheme, load_scheme
from scaf_gui.errors import ScafError

_FILE = ""


class SchemeChoice(QWidget):
    """A list of schemes, and below it the file for one of the user's own. ``changed``: something was chosen."""

    changed = Signal()

    def __init__(self, schemes: Sequence[Scheme], parent: QWidget | None = None):
        super().__init__(parent)
        self.kind = QComboBox(self)
        self.kind.setAccessibleName("Landmarks")
        for scheme in schemes:
            self.kind.addItem(scheme.title, scheme.id)
        self.kind.addItem("Landmarks of your own, from a scheme file (JSON)", _FILE)
        self.file = QLineEdit(self)
        self.file.setPlaceholderText("my-landmarks.json (see docs/schemes.md)")
        self.file.setAccessibleName("Landmark scheme file")
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
    def value(self) -> str:
        """The id of a scheme, or the path of its file."""
        return str(self.kind.currentData()) or str(Path(self.file.text().strip()).expanduser())

    def trouble(self) -> str:
        """Why the choice cannot be used; "" where nothing is. A scheme file is small: it is read."""
        if self.kind.currentData() != _FILE:
            return ""
        name = self.file.text().strip()
        if not name:
            return "Choose the file of the landmark scheme."
        if not Path(name).expanduser().is_file():
            return f"{name} is not a file. Choose the file of the landmark scheme."
        try:
            load_scheme(Path(name).expanduser())
        except ScafError as error:
            return str(error)
        return ""

    def _show(self) -> None:
        own = self.kind.currentData() == _FILE
        self.file.setVisible(own)
        self._browse.setVisible(own)
        self.changed.emit()

    def _choose(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self, "Landmark scheme", self.file.text(), "Landmark schemes (*.json);;All files (*)"
        )
        if name:
            self.file.setText(name)
