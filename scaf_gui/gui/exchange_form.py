"""What the dialogs of import and export share: a title, rows of choices, a line about the outcome, and a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from scaf_gui.gui import theme
from scaf_gui.gui.messages import describe
from scaf_gui.gui.worker import Worker


class ExchangeForm(QDialog):
    """Rows of a name and a choice; below them what happened, or would; reading and writing run on a thread."""

    def __init__(self, title: str, action: str, close: QDialogButtonBox.StandardButton, parent: QWidget | None):
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setMinimumWidth(640)
        heading = QLabel(title, self)
        theme.set_role(heading, "title")
        self.worker = Worker(self)
        self.grid = QGridLayout()
        self.grid.setHorizontalSpacing(14)
        self.grid.setVerticalSpacing(8)
        self.grid.setColumnStretch(1, 1)
        self.outcome = QLabel(self)
        self.outcome.setWordWrap(True)
        self.outcome.setTextFormat(Qt.TextFormat.PlainText)
        self.outcome.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.outcome.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.progress = QProgressBar(self)
        self.progress.setTextVisible(False)
        # its place is kept, so that nothing jumps when it comes and goes
        policy = self.progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(policy)
        self.progress.hide()
        buttons = QDialogButtonBox(close, self)
        self.action_button = buttons.addButton(action, QDialogButtonBox.ButtonRole.ActionRole)
        self.action_button.setDefault(True)
        theme.set_role(self.action_button, "primary")
        buttons.rejected.connect(self.reject)
        self.body = QVBoxLayout()
        self.body.setSpacing(10)
        box = QVBoxLayout(self)
        box.setContentsMargins(22, 18, 22, 16)
        box.setSpacing(10)
        box.addWidget(heading)
        box.addLayout(self.grid)
        box.addLayout(self.body, 1)
        box.addWidget(self.progress)
        box.addWidget(buttons)

    def row(self, name: str, *parts: QWidget) -> None:
        """A line of the form; the first part takes the room there is."""
        label = QLabel(name, self)
        theme.set_role(label, "muted")
        if name:
            label.setBuddy(parts[0])
            parts[0].setAccessibleName(name)
        place = self.grid.rowCount()
        self.grid.addWidget(label, place, 0)
        layout = QHBoxLayout()
        layout.setSpacing(8)
        for number, part in enumerate(parts):
            layout.addWidget(part, 0 if number else 1)
        self.grid.addLayout(layout, place, 1)

    def choice(self, name: str, choices: Mapping[str, str], *parts: QWidget) -> QComboBox:
        """A row to choose from: value to title; further parts stand beside it."""
        box = QComboBox(self)
        for value, title in choices.items():
            box.addItem(title, value)
        self.row(name, box, *parts)
        return box

    def path_row(self, name: str, *buttons: tuple[str, Callable[[], None]]) -> QLineEdit:
        """A row for a path, with buttons that open file dialogs."""
        line = QLineEdit(self)
        made = []
        for text, slot in buttons:
            button = QPushButton(text, self)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _=False, slot=slot: slot())
            made.append(button)
        self.row(name, line, *made)
        return line

    def say(self, role: str, text: str) -> None:
        theme.set_role(self.outcome, role)
        self.outcome.setText(text)

    def fail(self, error: BaseException, hint: str = "") -> None:
        """Show what went wrong; nothing was read or written then."""
        self.progress.hide()
        self.say("error", describe(error) + hint)

    def done(self, result: int) -> None:
        self.worker.cancel()
        super().done(result)
