"""Which face detector: the one that comes with the program, or a model file of the user's."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QWidget

from scaf_gui.errors import ScafError
from scaf_gui.gui.file_choice import FileChoice

MTCNN, YUNET = "mtcnn", "yunet"
_TITLES = {MTCNN: "MTCNN, which comes with the program", YUNET: "YuNet, from a model file of yours (ONNX)"}


class DetectorChoice(FileChoice):
    """A list of detectors, and below it the file for the one that needs one."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(
            [(title, kind) for kind, title in _TITLES.items()],
            YUNET,
            ("Face detector", "YuNet model file", "YuNet model"),
            "face_detection_yunet_….onnx",
            "ONNX models (*.onnx);;All files (*)",
            parent,
        )

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
        if not self.is_own:
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
