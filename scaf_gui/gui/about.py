"""What this is: version, licence, what it stands on, device."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from scaf_gui import __version__, paths
from scaf_gui.gui import theme


class About(QDialog):
    """Says what a bug report needs."""

    def __init__(self, device: str, parent: QWidget | None = None):
        super().__init__(parent)
        self.setWindowTitle("About SCAF GUI")
        logo = QLabel(self)
        logo.setPixmap(theme.picture("scaf-gui", 64, ratio=self.devicePixelRatioF()))
        title = QLabel(f"SCAF GUI {__version__}", self)
        theme.set_role(title, "title")
        lines = (
            "Label facial landmarks with a model that learns from every correction.",
            "MIT licence. Qt and PySide6 are used under the LGPL 3.",
            f"Device: {device or 'not known yet'}",
            f"Settings: {paths.config_folder()}",
        )
        text = QLabel("\n\n".join(lines), self)
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        theme.set_role(text, "muted")
        words = QVBoxLayout()
        words.addWidget(title)
        words.addSpacing(6)
        words.addWidget(text)
        row = QHBoxLayout()
        row.setSpacing(20)
        row.addWidget(logo, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        box = QVBoxLayout(self)
        box.setContentsMargins(22, 20, 22, 16)
        box.setSpacing(14)
        box.addLayout(row)
        box.addWidget(buttons)
