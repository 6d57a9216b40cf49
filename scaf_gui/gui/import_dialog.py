"""Read labels of other tools: shows what would happen before it does, as one act that undo takes back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QCheckBox,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QWidget,
)

from scaf_gui.errors import ScafError
from scaf_gui.gui.exchange_form import ExchangeForm
from scaf_gui.gui.import_table import ImportTable, ImportView
from scaf_gui.io.formats import formats
from scaf_gui.io.formats.recognise import recognise
from scaf_gui.session.importing import (
    Found,
    ImportPlan,
    ImportSummary,
    Kind,
    carry_out,
    image_names,
    plan_import,
    read_labels,
)
from scaf_gui.session.session import Session

#: how long typing has to rest before files are read
_REST_MS = 250


class ImportDialog(ExchangeForm):
    """Every choice updates the preview; a label of a person's is replaced only where that is ticked.

    What cannot be read is listed first, and the button says that it would be left out.
    """

    def __init__(self, session: Session, parent: QWidget | None = None):
        super().__init__("Import labels", "Import", QDialogButtonBox.StandardButton.Cancel, parent)
        self._session = session
        self._found: Found | None = None
        self._again = False
        self._new_source = False
        self._chosen = False  # somebody said which format it is
        self.plan: ImportPlan | None = None
        self.summary: ImportSummary | None = None
        self.setMinimumWidth(820)
        self.format = self.choice("Format", {id_: format_.title for id_, format_ in formats().items()})
        self.source = self.path_row("From", ("Folder…", self._browse_folder), ("File…", self._browse_file))
        self.replace = QCheckBox("Replace my labels that are in conflict", self)
        self.row("", self.replace)
        self.table = ImportTable(self)
        self.view = ImportView(self.table, self)
        self.outcome.setMinimumHeight(40)
        self.copy_list = self._small_button("Copy list", self._copy_trouble)
        self.copy_list.setToolTip("Copy what cannot be read, and what is left out, with the reasons, one a line")
        self.read_again = self._small_button("Read again", self._reread)
        self.read_again.setToolTip("Read the files once more, after you have mended them")
        said = QHBoxLayout()
        said.setSpacing(8)
        said.addWidget(self.outcome, 1)
        for button in (self.copy_list, self.read_again):
            said.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        self.body.addLayout(said)
        self.body.addWidget(self.view, 1)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self.read)
        self.source.textChanged.connect(self._follow_source)
        self.format.currentIndexChanged.connect(self._choose_format)
        self.replace.toggled.connect(self.show_plan)
        self.action_button.clicked.connect(self.carry_out)
        self.worker.yielded.connect(lambda count: self.say("muted", f"Reading… {count:,} faces"))
        self.worker.returned.connect(self._read)
        self.worker.failed.connect(self._failed)
        self.worker.finished.connect(self._ended)
        self._follow_format()
        self._wait()
        self.source.setFocus()

    def _small_button(self, text: str, slot: Callable[[], None]) -> QPushButton:
        button = QPushButton(text, self)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: slot())
        button.hide()
        return button

    def _follow_format(self) -> None:
        format_ = formats()[str(self.format.currentData())]
        self.source.setPlaceholderText(f"A folder, or a file ({', '.join(format_.patterns)})")

    def _follow_source(self) -> None:
        """Other files may be in another format; who chooses one for these files has the last word."""
        self._new_source, self._chosen = True, False
        self._wait()

    def _choose_format(self) -> None:
        self._chosen = True
        self._follow_format()
        self._wait()

    def _reread(self) -> None:
        self._new_source = not self._chosen
        self._wait()

    def _wait(self) -> None:
        """Forget what was read; read again once nothing is typed for a moment."""
        self._found = self.plan = None
        self.table.show_plan(None, False)
        self._offer(None)
        if self.source.text().strip():
            self.say("muted", "Reading…")
            self._rest.start()
        else:
            self._rest.stop()
            self.say("muted", "Nothing is changed before you press Import.")

    def read(self) -> None:
        """Read the files on a thread."""
        if self.worker.is_running:
            self._again = True
            self.worker.cancel()
            return
        source, images = Path(self.source.text().strip()).expanduser(), image_names(self._session)
        if self._new_source:
            self._new_source = False
            self.format.blockSignals(True)
            known = self.format.findData(recognise(source, str(self.format.currentData())))
            self.format.setCurrentIndex(known if known >= 0 else self.format.currentIndex())
            self.format.blockSignals(False)
            self._follow_format()
        format_id, scheme = str(self.format.currentData()), self._session.scheme
        self.progress.setRange(0, 0)
        self.progress.show()
        self.worker.start(lambda: read_labels(format_id, source, scheme, images))

    def _ended(self) -> None:
        if self._again:
            self._again = False
            self.read()
        else:
            self.progress.hide()

    def _read(self, found: Found) -> None:
        if not self._again and not self._rest.isActive():
            self._found = found
            self.plan = plan_import(self._session, found)
            self.show_plan()

    def _failed(self, error: BaseException) -> None:
        if not self._again and not self._rest.isActive():
            self.fail(error)
            self.copy_list.hide()
            self.read_again.show()
            self.read_again.setEnabled(True)

    def show_plan(self) -> None:
        """Say what an import would do now."""
        if self.plan is None:
            return
        on_conflict = "replace" if self.replace.isChecked() else "keep"
        self.table.show_plan(self.plan, self.replace.isChecked())
        self._offer(self.plan, len(self.plan.changes(on_conflict)))
        careful = self.plan.num_broken or self.plan.count(Kind.CONFLICT)
        self.say("warning" if careful else "text", planned(self.plan, self.replace.isChecked()))

    def _offer(self, plan: ImportPlan | None, count: int = 0) -> None:
        """Let the buttons offer what can be done: ``count`` faces would change."""
        broken = plan.num_broken if plan is not None else 0
        for button in (self.copy_list, self.read_again):
            button.setEnabled(plan is not None)
        self.action_button.setText(f"Import the other {count:,}" if broken and count else "Import")
        self.action_button.setEnabled(count > 0)
        if plan is not None:
            self.read_again.setVisible(broken > 0)
            self.copy_list.setVisible(broken > 0 or plan.count(Kind.LEFT_OUT) > 0)

    def _copy_trouble(self) -> None:
        more = self.plan.num_broken - len(self._found.broken) if self.plan and self._found else 0
        QGuiApplication.clipboard().setText(self.table.trouble() + (f"\nand {more:,} more" if more else ""))

    def carry_out(self) -> None:
        """Do what is shown, as one act."""
        if self._found is None:
            return
        try:
            # a detector may have found boxes since the plan was made
            plan = plan_import(self._session, self._found)
            self.summary = carry_out(self._session, plan, "replace" if self.replace.isChecked() else "keep", self)
        except (ScafError, OSError) as error:
            self.fail(error)
            return
        self.accept()

    def _browse_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Folder of labels", str(self._session.folder))
        if name:
            self.source.setText(name)

    def _browse_file(self) -> None:
        patterns = " ".join(formats()[str(self.format.currentData())].patterns)
        name, _ = QFileDialog.getOpenFileName(
            self, "File of labels", str(self._session.folder), f"Labels ({patterns});;All files (*)"
        )
        if name:
            self.source.setText(name)


def planned(plan: ImportPlan, replace: bool) -> str:
    """What would be imported, in a line or two; one more where something cannot be read."""
    added, new = plan.count(Kind.ADDED), plan.count(Kind.NEW) + plan.count(Kind.ADDED)
    parts = [f"{new:,} new label{'s' if new != 1 else ''}"]
    if added:
        parts[0] += f" ({added:,} of faces that are not in the project yet)"
    if count := plan.count(Kind.CHANGED):
        parts.append(f"{count:,} completed")
    if count := plan.count(Kind.SAME):
        parts.append(f"{count:,} are there already")
    if count := plan.count(Kind.LEFT_OUT):
        parts.append(f"{count:,} cannot be used")
    text = ", ".join(parts) + "."
    if count := plan.count(Kind.CONFLICT):
        done = "will be replaced" if replace else "stay as they are"
        text += f"\n{count:,} in conflict with your labels, which {done}."
    return f"{_readable(plan, replace)}\n{text}" if plan.num_broken else text


def _readable(plan: ImportPlan, replace: bool) -> str:
    """How many faces can be taken in although others cannot be read."""
    count, broken = len(plan.changes("replace" if replace else "keep")), plan.num_broken
    none = "Nothing new can" if plan.count(Kind.SAME) + plan.count(Kind.CONFLICT) else "No face can"
    can = f"{count:,} faces can" if count > 1 else "One face can" if count else none
    more = broken - plan.count(Kind.BROKEN)
    listed = f"the first {broken - more:,} are listed with the reasons" if more else "listed with the reasons"
    return f"{can} be taken in. {broken:,} cannot be read, {listed}."
