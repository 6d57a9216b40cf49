"""Write labels that other tools read: format, which faces, in which sets, with which images, and where."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import QCheckBox, QDialogButtonBox, QFileDialog, QLabel, QLineEdit, QWidget

from scaf_gui.core.face import State
from scaf_gui.errors import ScafError, UsageError
from scaf_gui.gui import theme
from scaf_gui.gui.exchange_form import ExchangeForm
from scaf_gui.io.formats import FaceFormat, formats
from scaf_gui.session.exchange import (
    IMAGES,
    INCLUDE,
    ExportOptions,
    ExportSummary,
    export_scheme,
    export_steps,
)
from scaf_gui.session.session import Session

_SPLITS = {"": "One set", "80/20": "80 % train, 20 % test", "80/10/10": "80 % train, 10 % val, 10 % test"}
_SPLIT_BY = {"image": "Images at random", "subject": "By person, where names tell"}


class ExportDialog(ExchangeForm):
    """Stays open after writing, so that the result can be read and another format chosen."""

    def __init__(self, session: Session, parent: QWidget | None = None):
        super().__init__("Export labels", "Export", QDialogButtonBox.StandardButton.Close, parent)
        self.setMinimumWidth(740)
        self._session = session
        self.summary: ExportSummary | None = None
        self.format = self.choice("Format", {id_: format_.title for id_, format_ in self._offered().items()})
        self.scheme = self.choice("Landmarks", {})
        self.variant = self.choice("Written as", {})
        self.kept = QLabel(self)
        self.kept.setWordWrap(True)
        self.kept.setMinimumHeight(2 * self.kept.fontMetrics().lineSpacing() + 2)
        theme.set_role(self.kept, "muted")
        self.row("", self.kept)
        self.include = self.choice("Faces", self._counted())
        self.split = self.choice("Sets", _SPLITS)
        self.split.setEditable(True)
        self.seed = QLineEdit("0", self)
        self.seed.setValidator(QIntValidator(0, 999_999, self.seed))
        self.seed.setMaximumWidth(90)
        self.seed.setToolTip("Another number draws another division")
        self.seed.setAccessibleName("Seed of the division")
        self.split_by = self.choice("Divided", _SPLIT_BY, QLabel("Seed", self), self.seed)
        self.images = self.choice("Images", IMAGES)
        self.out = self.path_row("Folder", ("Choose…", self._browse))
        self.overwrite = QCheckBox("Replace files of an earlier export", self)
        self.row("", self.overwrite)
        self.body.addWidget(self.outcome, 1)
        self.outcome.setMinimumHeight(54)
        self.action_button.setEnabled(self.format.count() > 0)
        self.action_button.clicked.connect(self.write)
        self.format.currentIndexChanged.connect(self._follow_format)
        self.include.currentIndexChanged.connect(lambda _: self._announce())
        self.split.currentTextChanged.connect(self._follow_split)
        self.worker.yielded.connect(self._show_progress)
        self.worker.returned.connect(self._written)
        self.worker.failed.connect(self._failed)
        self.worker.finished.connect(lambda: self.action_button.setEnabled(True))
        self._follow_format()
        self._follow_split()

    def _offered(self) -> dict[str, FaceFormat]:
        """Formats that the project's landmarks can go into."""
        offered = {}
        for id_, format_ in formats().items():
            if self._schemes(format_):
                offered[id_] = format_
        return offered

    def _schemes(self, format_: FaceFormat) -> dict[str, str]:
        """The landmarks that a format can be written in, the expected ones first."""
        found: dict[str, str] = {}
        for wanted in (None, self._session.scheme.id, "300w-68", *format_.schemes):
            if format_.schemes and wanted is not None and wanted not in format_.schemes:
                continue
            try:
                target = export_scheme(self._session.scheme, format_, wanted)
            except (ScafError, OSError):
                continue  # the project's landmarks do not lead there
            note = "" if target.id == self._session.scheme.id else " (made from those of the project)"
            found.setdefault(target.id, f"{target.num_landmarks} · {target.title}{note}")
        return found

    def _counts(self) -> dict[str, int]:
        """How many faces each choice takes."""
        document = self._session.document
        reviewed = len(document.with_state(State.LABELLED))
        labelled = sum(face.label is not None for face in document)
        every = labelled + sum(
            face.label is None and face.state is not State.SKIPPED and document.prediction(face.id) is not None
            for face in document
        )
        return {"reviewed": reviewed, "labelled": labelled, "all": every}

    def _counted(self) -> dict[str, str]:
        counts = self._counts()
        return {value: f"{title} ({counts[value]:,})" for value, title in INCLUDE.items()}

    def _empty(self) -> str:
        """What to do where the choice has no face; "" where it has."""
        counts = self._counts()
        if counts[str(self.include.currentData())]:
            return ""
        more = " or choose other faces above" if any(counts.values()) else ""
        return f"Nothing to export yet: accept a face first{more}."

    def _follow_format(self) -> None:
        format_id = str(self.format.currentData() or "")
        if not format_id:
            return self.say("muted", "The landmarks of this project lead to no format that can be written.")
        format_ = formats()[format_id]
        for box, choices in ((self.scheme, self._schemes(format_)), (self.variant, format_.variants)):
            box.clear()
            for value, title in choices.items():
                box.addItem(title, value)
            box.setEnabled(box.count() > 1)
        if not format_.variants:
            self.variant.addItem(format_.holds.written_as, "")
        self.kept.setText(kept(format_))
        self.out.setText(str(self._session.path.with_name(f"{self._session.path.stem} {format_id}")))
        return self._announce()

    def _announce(self) -> None:
        self.say("muted", self._empty() or "A README beside the labels says what they are.")

    def _follow_split(self) -> None:
        divided = bool(self._shares())
        self.split_by.setEnabled(divided)
        self.seed.setEnabled(divided)

    def _shares(self) -> str:
        """The shares chosen, or typed as 70/30."""
        text = self.split.currentText().strip()
        return next((value for value, title in _SPLITS.items() if title == text), text)

    def _browse(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Folder for the labels", str(Path(self.out.text()).parent))
        if name:
            self.out.setText(name)

    def write(self) -> None:
        """Write the labels on a thread, and say how it went."""
        if self.worker.is_running:
            return
        self.summary = None
        if empty := self._empty():
            self.say("warning", empty)
            return
        format_id = str(self.format.currentData())
        options = ExportOptions(
            format_id,
            str(self.include.currentData()),
            str(self.scheme.currentData()),
            str(self.variant.currentData() or ""),
            str(self.images.currentData()),
            self._shares(),
            str(self.split_by.currentData()),
            int(self.seed.text() or 0),
            self.overwrite.isChecked(),
        )
        try:
            if not self.out.text().strip():
                raise UsageError("choose a folder to export to")
            work = export_steps(self._session, Path(self.out.text().strip()).expanduser(), options)
        except (ScafError, OSError) as error:
            self.fail(error)
            return
        self.action_button.setEnabled(False)
        self.progress.setRange(0, 0)
        self.progress.show()
        self.say("muted", "Writing…")
        self.worker.start(lambda: work)

    def _show_progress(self, step: tuple[int, int]) -> None:
        done, total = step
        self.progress.setRange(0, total)
        self.progress.setValue(done)

    def _written(self, summary: ExportSummary) -> None:
        self.progress.hide()
        self.summary = summary
        self.say("good" if summary.report.written else "warning", told(summary, Path(self.out.text().strip())))

    def _failed(self, error: BaseException) -> None:
        filled = "is not empty" in str(error) and not self.overwrite.isChecked()
        self.fail(error, " (or tick “Replace”)" if filled else "")


def kept(format_: FaceFormat) -> str:
    """One line on what of a face the format keeps, and what not."""
    holds = format_.holds
    parts = {
        "occluded landmarks": holds.occluded,
        "missing landmarks": holds.missing,
        "boxes": bool(holds.box),
        "attributes": holds.attributes,
    }
    yes, no = [what for what, held in parts.items() if held], [what for what, held in parts.items() if not held]
    text = f"Coordinates {holds.base}. "
    text += f"Keeps {', '.join(yes)}" if yes else "Keeps landmarks alone"
    text += f"; loses {', '.join(no)}." if no else "."
    return text + ("" if holds.missing else " Faces with a missing landmark are left out and listed.")


def told(summary: ExportSummary, out: Path) -> str:
    """One or two lines about what was written."""
    report = summary.report
    text = f"Wrote {report.written:,} face{'s' if report.written != 1 else ''} to {out}"
    if summary.splits:
        text += f" ({', '.join(f'{count:,} {name}' for name, count in summary.splits.items())})"
    if report.images:
        text += f", with {report.images:,} images"
    if summary.predicted:
        text += f", {summary.predicted:,} of them predictions that nobody has looked at"
    if report.kept is not None:
        text += f"\nWhat was there before is kept in {report.kept}"
    if report.left_out:
        image, reason = report.left_out[0]
        text += f"\n{len(report.left_out):,} left out: {image}: {reason}"
    return text
