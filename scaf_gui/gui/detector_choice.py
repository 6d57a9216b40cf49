"""Which face detector: the one that comes with the program, or a model file of the user's."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from scaf_gui.errors import ScafError

MTCNN, YUNET = "mtcnn", "yunet"
_TITLES = {MTCNN: "MTCNN, which comes with the program", YUNET: "YuNet, from a model file of yours (ONNX)"}


class DetectorChoice(QWidget):
    """A list of detectors, and below it the file for the one that needs one. ``changed``: something was chosen."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.kind = QComboBox(self)
        self.kind.setAccessibleName("Face detector")
        for kind, title in _TITLES.items():
            self.kind.addItem(title, kind)
        self.file = QLineEdit(self)
        self.file.setPlaceholderText("face_detection_yunet_….onnx")
        self.file.setAccessibleName("YuNet model file")
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
        """As the setting ``detector`` holds it: "mtcnn" or "yunet:FILE"."""
        kind = str(self.kind.currentData())
        return f"{YUNET}:{self.file.text().strip()}" if kind == YUNET else kind

    @value.setter
    def value(self, value: str) -> None:
        kind, _, name = value.partition(":")
        self.file.setText(name)
        self.kind.setCurrentIndex(max(0, self.kind.findData(kind)))

    def trouble(self) -> str:
        """Why the choice cannot be used, as far as is seen at a glance; "" where nothing is."""
        if self.kind.currentData() != YUNET:
            return ""
        name = self.file.text().strip()
        if not name:
            return "Choose the YuNet model file, such as face_detection_yunet_2023mar.onnx."
        if not Path(name).expanduser().is_file():
            return f"{name} is not a file. Choose the YuNet model file."
        return ""

    def open_trouble(self) -> str:
        """As :meth:`trouble`, and the model is opened to see whether it is one."""
        if found := self.trouble():
            return found
        from scaf_gui.session.boxes import check_source

        try:
            check_source("detector", self.value)
        except ScafError as error:
            return str(error)
        return ""

    def _show(self) -> None:
        is_file = self.kind.currentData() == YUNET
        self.file.setVisible(is_file)
        self._browse.setVisible(is_file)
        self.changed.emit()

    def _choose(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self, "YuNet model", self.file.text(), "ONNX models (*.onnx);;All files (*)"
        )
        if name:
            self.file.setText(name)
