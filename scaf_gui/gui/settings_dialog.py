"""All settings, one row each: made of the table in ``scaf_gui.settings``, so that a new row appears by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from scaf_gui.errors import ScafError
from scaf_gui.gui import theme
from scaf_gui.gui.detector_choice import DetectorChoice
from scaf_gui.settings import SETTINGS, Setting, Settings, login_name

_WIDTH, _HEIGHT = 700, 560


@dataclass(frozen=True)
class _Editor:
    """The widget of a row, and how its value is read and written; ``trouble``: why it cannot be saved, or ""."""

    widget: QWidget
    get: Callable[[], Any]
    put: Callable[[Any], object]
    trouble: Callable[[], str] = lambda: ""


class SettingsDialog(QDialog):
    """Pages of rows; nothing counts before OK. ``applied`` carries the keys that have another value then."""

    applied = Signal(object)

    def __init__(self, settings: Settings, parent: QWidget | None = None):
        super().__init__(parent)
        self.setWindowTitle("Settings")
        self.setMinimumSize(_WIDTH, _HEIGHT)
        self._settings = settings
        self._rows = {row.key: row for row in SETTINGS if row.page}
        self.editors: dict[str, _Editor] = {}
        heading = QLabel("Settings", self)
        theme.set_role(heading, "title")
        self.pages = QListWidget(self)
        self.pages.setAccessibleName("Pages")
        self.pages.setObjectName("pages")
        self.pages.setFixedWidth(132)
        self._stack = QStackedWidget(self)
        for page in dict.fromkeys(row.page for row in self._rows.values()):
            self.pages.addItem(page)
            self._stack.addWidget(self._make_page([row for row in self._rows.values() if row.page == page]))
        self.pages.currentRowChanged.connect(self._stack.setCurrentIndex)
        self.pages.setCurrentRow(0)
        self.trouble = QLabel(self)
        self.trouble.setWordWrap(True)
        self.trouble.setTextFormat(Qt.TextFormat.PlainText)
        theme.set_role(self.trouble, "error")
        kinds = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel | kinds.RestoreDefaults, self)
        self.ok = buttons.button(kinds.Ok)
        theme.set_role(self.ok, "primary")
        self.defaults = buttons.button(kinds.RestoreDefaults)
        self.defaults.setAutoDefault(False)
        self.defaults.clicked.connect(self._restore)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        row = QHBoxLayout()
        row.setSpacing(18)
        row.addWidget(self.pages)
        row.addWidget(self._stack, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(22, 18, 22, 16)
        box.setSpacing(12)
        box.addWidget(heading)
        box.addLayout(row, 1)
        box.addWidget(self.trouble)
        box.addWidget(buttons)
        for key, editor in self.editors.items():
            editor.put(settings[key])
        self.say("")

    def show_page(self, page: str) -> None:
        found = self.pages.findItems(page, Qt.MatchFlag.MatchExactly)
        if found:
            self.pages.setCurrentItem(found[0])

    def say(self, trouble: str) -> None:
        self.trouble.setText(trouble)
        self.trouble.setVisible(bool(trouble))

    def accept(self) -> None:
        """Save what was changed; stay, and say why, where that cannot be."""
        changed = []
        for key, editor in self.editors.items():
            if editor.get() == self._settings[key]:
                continue
            if trouble := editor.trouble():
                self.show_page(self._rows[key].page)
                self.say(trouble)
                editor.widget.setFocus()
                return
            changed.append(key)
        saved = []
        try:
            for key in changed:
                self._settings[key] = self.editors[key].get()
                saved.append(key)
        except (ScafError, ValueError) as error:
            self.say(str(error))
            if saved:
                self.applied.emit(saved)
            return
        if saved:
            self.applied.emit(saved)
        super().accept()

    def _restore(self) -> None:
        """Put the defaults into the rows of the page that is shown; OK saves them."""
        page = self.pages.currentItem().text()
        for key, row in self._rows.items():
            if row.page == page:
                self.editors[key].put(row.default)
        self.say("")

    def _make_page(self, rows: list[Setting]) -> QWidget:
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 14, 0)
        column.setSpacing(4)
        for place, row in enumerate(rows):
            if place:
                column.addSpacing(12)
            editor = self._make_editor(row)
            self.editors[row.key] = editor
            editor.widget.setAccessibleName(row.title)
            editor.widget.setAccessibleDescription(row.help)
            if not isinstance(editor.widget, QCheckBox):
                name = QLabel(row.title, page)
                name.setBuddy(editor.widget)
                column.addWidget(name)
            column.addWidget(editor.widget)
            note = QLabel(row.help, page)
            note.setWordWrap(True)
            theme.set_role(note, "muted")
            if isinstance(editor.widget, QCheckBox):
                note.setContentsMargins(24, 0, 0, 0)
            column.addWidget(note)
        column.addStretch(1)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(page)
        return area

    def _make_editor(self, row: Setting) -> _Editor:
        """The widget that fits the kind of value."""
        if row.choices:
            combo = QComboBox(self)
            for place, value in enumerate(row.choices):
                combo.addItem(row.names[place] if place < len(row.names) else str(value).capitalize() or "None", value)
            return _Editor(combo, combo.currentData, lambda value: combo.setCurrentIndex(combo.findData(value)))
        if isinstance(row.default, bool):
            check = QCheckBox(row.title, self)
            return _Editor(check, check.isChecked, check.setChecked)
        if isinstance(row.default, int | float):
            return self._make_number(row)
        if row.kind == "detector":
            detector = DetectorChoice(self)
            detector.changed.connect(lambda: self.say(""))
            return _Editor(
                detector,
                lambda: detector.value,
                lambda value: setattr(detector, "value", value),
                detector.open_trouble,
            )
        if row.kind == "folder":
            return self._make_folder(row)
        line = QLineEdit(self)
        if row.key == "user_name":
            line.setPlaceholderText(login_name())
        return _Editor(line, lambda: line.text().strip(), line.setText)

    def _make_number(self, row: Setting) -> _Editor:
        """A share is shown in per cent."""
        spin = QDoubleSpinBox(self)
        low, bound = row.limits or (-1e9, 1e9)
        scale = 100.0 if row.kind == "share" else 1.0
        spin.setDecimals(0 if scale == 100.0 else 1)
        step = 1.0 if scale == 100.0 else 0.1
        highest = int((bound * scale - 1e-9) / step) * step  # the bound itself is not allowed
        spin.setRange(low * scale, highest)
        spin.setSingleStep(5 if scale == 100.0 else 0.5)
        spin.setSuffix(" %" if scale == 100.0 else "")
        spin.lineEdit().setTextMargins(7, 0, 7, 0)
        spin.setMaximumWidth(90)
        kept = {"value": row.default}

        def get() -> Any:
            """The very value that was put, as long as what is shown of it was not changed."""
            if abs(spin.value() - kept["value"] * scale) < 0.5 * step:
                return kept["value"]
            return type(row.default)(round(spin.value() / scale, 6))

        def put(value: float) -> None:
            kept["value"] = value
            spin.setValue(value * scale)

        return _Editor(spin, get, put)

    def _make_folder(self, row: Setting) -> _Editor:
        whole = QWidget(self)
        line = QLineEdit(whole)
        line.setAccessibleName(row.title)
        browse = QPushButton("Choose…", whole)
        browse.setAutoDefault(False)
        layout = QHBoxLayout(whole)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(line, 1)
        layout.addWidget(browse)
        whole.setFocusProxy(line)

        def choose() -> None:
            if name := QFileDialog.getExistingDirectory(self, row.title, line.text()):
                line.setText(name)

        def trouble() -> str:
            name = line.text().strip()
            if name and not Path(name).expanduser().is_dir():
                return f"{name} is not a folder. Choose one that is there, or leave the field empty."
            return ""

        browse.clicked.connect(choose)
        line.textChanged.connect(lambda _: self.say(""))
        return _Editor(whole, lambda: line.text().strip(), line.setText, trouble)
