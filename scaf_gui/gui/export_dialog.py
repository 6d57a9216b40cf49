"""Write labels that other tools read: format, which faces, folder, and a line about what was written."""

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
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from scaf_gui.errors import FolderError, ScafError
from scaf_gui.gui import theme
from scaf_gui.gui.messages import describe
from scaf_gui.session.exchange import ExportSummary, export_labels, export_scheme
from scaf_gui.session.session import Session


class ExportDialog(QDialog):
    """Stays open after writing, so that the result can be read and another format chosen."""

    def __init__(self, session: Session, parent: QWidget | None = None):
        super().__init__(parent)
        self._session = session
        self.setWindowTitle("Export labels")
        self.setMinimumWidth(560)
        title = QLabel("Export labels", self)
        theme.set_role(title, "title")
        self.format = QComboBox(self)
        self.format.setAccessibleName("Format")
        self.include = QComboBox(self)
        self.include.setAccessibleName("Faces")
        self.out = QLineEdit(self)
        self.out.setAccessibleName("Folder")
        browse = QPushButton("Choose…", self)
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        self.overwrite = QCheckBox("Replace files of an earlier export", self)
        self.result_line = QLabel(self)
        self.result_line.setWordWrap(True)
        self.result_line.setTextFormat(Qt.TextFormat.PlainText)
        self.result_line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        for row, (name, widget) in enumerate(
            (("Format", self.format), ("Faces", self.include), ("Folder", self.out), ("", self.overwrite))
        ):
            label = QLabel(name, self)
            theme.set_role(label, "muted")
            grid.addWidget(label, row, 0)
            grid.addWidget(widget, row, 1, 1, 1 if widget is self.out else 2)
        grid.addWidget(browse, 2, 2)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.write_button = buttons.addButton("Export", QDialogButtonBox.ButtonRole.ActionRole)
        self.write_button.setDefault(True)
        theme.set_role(self.write_button, "primary")
        self.write_button.clicked.connect(self.write)
        buttons.rejected.connect(self.reject)
        box = QVBoxLayout(self)
        box.setContentsMargins(22, 18, 22, 16)
        box.setSpacing(10)
        box.addWidget(title)
        box.addLayout(grid)
        box.addWidget(self.result_line)
        box.addWidget(buttons)
        self._fill()
        self.format.currentIndexChanged.connect(self._follow_format)
        self._follow_format()

    def _fill(self) -> None:
        from scaf_gui.core.face import State
        from scaf_gui.io.formats import formats

        for format_id, format_ in formats().items():
            try:
                target = export_scheme(self._session.scheme, format_)
            except ScafError:
                continue  # this scheme's landmarks do not lead to the format's
            self.format.addItem(f"{format_.title} · {target.num_landmarks} landmarks", (format_id, target.id))
        self._add_other_schemes()
        labelled = len(self._session.document.with_state(State.LABELLED))
        waiting = len(self._session.agenda.waiting())
        self.include.addItem(f"Labelled faces only ({labelled:,})", "labelled")
        self.include.addItem(f"All, predictions too ({labelled + waiting:,})", "all")
        self.write_button.setEnabled(self.format.count() > 0)

    def _add_other_schemes(self) -> None:
        """98 landmarks also go out as 68."""
        from scaf_gui.io.formats import formats

        for format_id, format_ in formats().items():
            for other in format_.schemes:
                try:
                    target = export_scheme(self._session.scheme, format_, other)
                except ScafError:
                    continue
                choice = (format_id, target.id)
                known = [tuple(self.format.itemData(place)) for place in range(self.format.count())]
                if choice not in known:
                    self.format.addItem(f"{format_.title} · {target.num_landmarks} landmarks", choice)

    def _follow_format(self) -> None:
        format_id = str((self.format.currentData() or ("labels", ""))[0])
        self.out.setText(str(self._session.path.with_name(f"{self._session.path.stem} {format_id}")))
        self.result_line.setText("")

    def _browse(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Folder for the labels", str(Path(self.out.text()).parent))
        if name:
            self.out.setText(name)

    def write(self) -> ExportSummary | None:
        """Write the labels, and say how it went."""
        format_id, scheme_id = self.format.currentData()
        out = Path(self.out.text().strip()).expanduser()
        try:
            summary = export_labels(
                self._session,
                format_id,
                out,
                include=str(self.include.currentData()),
                scheme_id=scheme_id,
                overwrite=self.overwrite.isChecked(),
            )
        except (ScafError, OSError) as error:
            theme.set_role(self.result_line, "error")
            hint = "" if self.overwrite.isChecked() or not isinstance(error, FolderError) else " (or tick “Replace”)"
            self.result_line.setText(describe(error) + hint)
            return None
        theme.set_role(self.result_line, "good")
        self.result_line.setText(told(summary, out))
        return summary


def told(summary: ExportSummary, out: Path) -> str:
    """One or two lines about what was written."""
    report = summary.report
    text = f"Wrote {report.written:,} face{'s' if report.written != 1 else ''} to {out}"
    if summary.predicted:
        text += f", {summary.predicted:,} of them predictions that nobody has looked at"
    if report.left_out:
        image, reason = report.left_out[0]
        text += f"\n{len(report.left_out):,} left out: {image}: {reason}"
    return text
