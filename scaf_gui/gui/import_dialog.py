"""Read labels of other tools: shows what would happen before it does, as one act that undo takes back."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from scaf_gui.errors import ScafError
from scaf_gui.gui import theme
from scaf_gui.gui.messages import describe
from scaf_gui.session.exchange import ImportSummary, import_labels
from scaf_gui.session.session import Session


class ImportDialog(QDialog):
    """Every choice updates the preview; a label of a person's is replaced only where that is ticked."""

    def __init__(self, session: Session, parent: QWidget | None = None):
        super().__init__(parent)
        self._session = session
        self.summary: ImportSummary | None = None
        self.setWindowTitle("Import labels")
        self.setMinimumWidth(560)
        title = QLabel("Import labels", self)
        theme.set_role(title, "title")
        self.format = QComboBox(self)
        self.format.setAccessibleName("Format")
        self.source = QLineEdit(self)
        self.source.setAccessibleName("Folder or file")
        self.source.setPlaceholderText("A folder of .pts files, or a WFLW list")
        folder, file = QPushButton("Folder…", self), QPushButton("File…", self)
        folder.clicked.connect(self._browse_folder)
        file.clicked.connect(self._browse_file)
        self.replace = QCheckBox("Replace labels that are in conflict", self)
        self.preview = QLabel(self)
        self.preview.setWordWrap(True)
        self.preview.setTextFormat(Qt.TextFormat.PlainText)
        self.preview.setMinimumHeight(72)
        self.preview.setAlignment(Qt.AlignmentFlag.AlignTop)
        places = QHBoxLayout()
        places.addWidget(self.source, 1)
        for button in (folder, file):
            button.setAutoDefault(False)
            places.addWidget(button)
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        for row, name in enumerate(("Format", "From")):
            label = QLabel(name, self)
            theme.set_role(label, "muted")
            grid.addWidget(label, row, 0)
        grid.addWidget(self.format, 0, 1)
        grid.addLayout(places, 1, 1)
        grid.addWidget(self.replace, 2, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.import_button = buttons.addButton("Import", QDialogButtonBox.ButtonRole.AcceptRole)
        theme.set_role(self.import_button, "primary")
        buttons.accepted.connect(self._import)
        buttons.rejected.connect(self.reject)
        box = QVBoxLayout(self)
        box.setContentsMargins(22, 18, 22, 16)
        box.setSpacing(10)
        box.addWidget(title)
        box.addLayout(grid)
        box.addWidget(self.preview)
        box.addWidget(buttons)
        self._fill()
        self.source.textChanged.connect(self.show_preview)
        self.format.currentIndexChanged.connect(self.show_preview)
        self.replace.toggled.connect(self.show_preview)
        self.show_preview()

    def _fill(self) -> None:
        from scaf_gui.io.formats import formats

        for format_id, format_ in formats().items():
            self.format.addItem(format_.title, format_id)

    def show_preview(self) -> None:
        """Say what an import would do now."""
        theme.set_role(self.preview, "muted")
        self.import_button.setEnabled(False)
        if not self.source.text().strip():
            self.preview.setText("Nothing is changed before you press Import.")
            return
        try:
            summary = self._run(preview=True)
        except (ScafError, OSError) as error:
            theme.set_role(self.preview, "error")
            self.preview.setText(describe(error))
            return
        theme.set_role(self.preview, "text")
        self.import_button.setEnabled(summary.imported > 0)
        self.preview.setText(planned(summary))

    def _run(self, preview: bool) -> ImportSummary:
        return import_labels(
            self._session,
            str(self.format.currentData()),
            Path(self.source.text().strip()).expanduser(),
            replace_labels=self.replace.isChecked(),
            preview=preview,
            by=self,
        )

    def _import(self) -> None:
        try:
            self.summary = self._run(preview=False)
        except (ScafError, OSError) as error:
            theme.set_role(self.preview, "error")
            self.preview.setText(describe(error))
            return
        self.accept()

    def _browse_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Folder of labels", str(self._session.folder))
        if name:
            self.source.setText(name)

    def _browse_file(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "File of labels", str(self._session.folder))
        if name:
            self.source.setText(name)


def planned(summary: ImportSummary) -> str:
    """What would be imported, in a few lines."""
    conflicts = len(summary.conflicts)
    new = summary.imported - summary.replaced
    lines = [f"{new:,} new label{'s' if new != 1 else ''}"]
    if summary.added_faces:
        lines[0] += f" ({summary.added_faces:,} of faces that are not in the project yet)"
    if summary.unchanged:
        lines.append(f"{summary.unchanged:,} are there already, exactly the same")
    if conflicts:
        done = "will be replaced" if summary.replaced else "are kept as they are"
        lines.append(f"{conflicts:,} in conflict with labels of this project, which {done}")
    if summary.unmatched:
        where, reason = summary.unmatched[0]
        lines.append(f"{len(summary.unmatched):,} cannot be used: {Path(where).name}: {reason}")
    return "\n".join(lines)
