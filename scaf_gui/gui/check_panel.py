"""The label check in the window: findings of the whole project, below the canvas; click one to go there."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from scaf_gui.core.typical import LEAST_FACES
from scaf_gui.gui import theme
from scaf_gui.gui.messages import describe
from scaf_gui.gui.worker import Worker
from scaf_gui.session.check import Alarm, Statistics
from scaf_gui.session.session import Session

_ROLE = Qt.ItemDataRole.UserRole


class CheckPanel(QWidget):
    """Hidden until it is asked for. Findings are as of the last check; those of a face leave when its label changes."""

    chosen = Signal(int, object)  # face id, landmarks
    checked = Signal()  # new statistics are in use

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session: Session | None = None
        self._alarms: list[Alarm] = []
        self.worker = Worker(self)
        self.worker.yielded.connect(self._progressed)
        self.worker.returned.connect(self._checked)
        self.worker.failed.connect(lambda error: self._say(describe(error)))
        self.worker.finished.connect(self.progress_hidden)
        self._quiet = Worker(self)  # statistics for the hints, without a list
        self._quiet.returned.connect(self._learnt)
        self.title = QLabel("Label check", self)
        theme.set_role(self.title, "heading")
        self.summary = QLabel(self)
        theme.set_role(self.summary, "muted")
        self.progress = QProgressBar(self)
        self.progress.setTextVisible(False)
        self.progress.setFixedWidth(120)
        self.progress.hide()
        self.show_fine = QCheckBox("Show those that are fine", self)
        self.fine = QPushButton("Fine as it is", self)
        self.fine.setToolTip("Do not show this finding again while the landmarks stay as they are")
        self.again = QPushButton("Check again", self)
        self.hide_button = QToolButton(self)
        self.hide_button.setToolTip("Hide the label check")
        self.list = self._make_list()
        self._lay_out()
        self.show_fine.toggled.connect(lambda _: self._fill())
        self.fine.clicked.connect(self.toggle_fine)
        self.again.clicked.connect(self.check)
        self.hide_button.clicked.connect(self.hide)
        self.list.currentItemChanged.connect(lambda *_: self._choose())
        self.list.itemClicked.connect(lambda *_: self._choose())
        theme.news().changed.connect(self._dress)
        self._dress()
        self.hide()

    def _make_list(self) -> QTreeWidget:
        made = QTreeWidget(self)
        made.setHeaderLabels(["Face", "What", "Why"])
        made.setRootIsDecorated(False)
        made.setUniformRowHeights(True)
        made.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        made.setAccessibleName("Findings of the label check")
        header = made.header()
        header.setStretchLastSection(True)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        made.setColumnWidth(0, 180)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)  # what is wrong is never cut short
        return made

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(14, 0, 8, 0)
        head.setSpacing(8)
        head.addWidget(self.title)
        self.summary.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # never widens the window
        head.addWidget(self.summary, 1)
        head.addWidget(self.progress)
        for widget in (self.show_fine, self.fine, self.again, self.hide_button):
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            head.addWidget(widget)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 8, 0, 0)
        box.setSpacing(6)
        box.addLayout(head)
        box.addWidget(self.list, 1)
        self.setMinimumHeight(190)
        self.setMaximumHeight(230)

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(600, 200)

    # -- a project -------------------------------------------------------------------------------

    def open(self, session: Session | None) -> None:
        """Follow another project, or none."""
        for worker in (self.worker, self._quiet):
            worker.cancel()
            worker.wait()
        self._session = session
        self._alarms = []
        self._fill()
        if session is None:
            self.hide()

    def check(self) -> None:
        """Check every labelled face, off the main thread; shows the panel."""
        session = self._session
        if session is None:
            return
        self.show()
        if self.worker.is_running:
            return
        generator = session.check.project()
        self.progress.setValue(0)
        self.progress.show()
        self._say("Checking…")
        self.worker.start(lambda: generator)

    def learn(self) -> None:
        """Make the statistics for the hints anew where many labels have come."""
        session = self._session
        if session is None or self._quiet.is_running or self.worker.is_running or not session.check.due():
            return
        generator = session.check.statistics()
        self._quiet.start(lambda: generator)

    def face_changed(self, face_ids: Sequence[int]) -> None:
        """Labels have changed: what was found of them before may be mended."""
        gone = set(face_ids)
        left = [alarm for alarm in self._alarms if alarm.face_id not in gone]
        if len(left) != len(self._alarms):
            self._alarms = left
            self._fill()

    # -- what was found --------------------------------------------------------------------------

    @property
    def current(self) -> Alarm | None:
        item = self.list.currentItem()
        alarm = item.data(0, _ROLE) if item is not None else None
        return alarm if isinstance(alarm, Alarm) else None

    def toggle_fine(self) -> None:
        """Mark the chosen finding as fine, or as worth a look again."""
        alarm, session = self.current, self._session
        if alarm is None or session is None:
            return
        session.check.set_fine(alarm, not session.check.is_fine(alarm))
        item = self.list.currentItem()
        at = self.list.indexOfTopLevelItem(item) if item is not None else 0
        self._fill()
        item = self.list.topLevelItem(min(at, self.list.topLevelItemCount() - 1))
        if item is not None:
            self.list.blockSignals(True)  # stays where the person is; going on is theirs
            self.list.setCurrentItem(item)
            self.list.blockSignals(False)
        self._name_button()
        self.checked.emit()

    def _fill(self) -> None:
        session = self._session
        self.list.blockSignals(True)
        self.list.clear()
        fine = 0
        for alarm in self._alarms:
            is_fine = session is not None and session.check.is_fine(alarm)
            fine += is_fine
            if is_fine and not self.show_fine.isChecked():
                continue
            item = QTreeWidgetItem([alarm.image, alarm.title, alarm.finding.reason + (" (fine)" if is_fine else "")])
            item.setData(0, _ROLE, alarm)
            item.setToolTip(0, alarm.image)
            item.setToolTip(2, alarm.finding.reason)
            item.setIcon(1, theme.icon("check", "labelled") if is_fine else theme.icon("warning", "warning"))
            self.list.addTopLevelItem(item)
        self.list.blockSignals(False)
        self._name_button()
        self.show_fine.setVisible(bool(fine) or self.show_fine.isChecked())  # leaves its room to the summary
        shown = len(self._alarms) - fine
        if session is not None and self._alarms:
            faces = len({alarm.face_id for alarm in self._alarms if not session.check.is_fine(alarm)})
            self._say(f"{shown} finding{'s' * (shown != 1)} in {faces} face{'s' * (faces != 1)}")

    def _name_button(self) -> None:
        alarm, session = self.current, self._session
        self.fine.setEnabled(alarm is not None)
        is_fine = alarm is not None and session is not None and session.check.is_fine(alarm)
        self.fine.setText("Worth a look again" if is_fine else "Fine as it is")

    def _choose(self) -> None:
        self._name_button()
        alarm = self.current
        if alarm is not None:
            self.chosen.emit(alarm.face_id, alarm.finding.landmarks)

    def _say(self, text: str) -> None:
        self.summary.setText(text)
        self.summary.setToolTip(text)

    def progress_hidden(self) -> None:
        self.progress.hide()

    def _progressed(self, event: object) -> None:
        if isinstance(event, tuple):
            self.progress.setMaximum(max(1, event[1]))
            self.progress.setValue(event[0])

    def _checked(self, outcome: object) -> None:
        session = self._session
        if session is None or not isinstance(outcome, tuple):
            return
        alarms, statistics = outcome
        session.check.use(statistics)
        self._alarms = alarms
        self._fill()
        if not statistics.labels:
            self._say("No face is finished yet")
        elif not alarms:
            count = statistics.labels
            many = f"{count} labelled face{'s' * (count != 1)}"
            few = f"{count} face{'s' * (count != 1)}; shapes are compared from {LEAST_FACES} on"
            self._say(f"Nothing found in {many if statistics.typical is not None else few}")
        self.checked.emit()

    def _learnt(self, statistics: object) -> None:
        if self._session is not None and isinstance(statistics, Statistics):
            self._session.check.use(statistics)
            self.checked.emit()

    def _dress(self) -> None:
        self.hide_button.setIcon(theme.icon("close", "muted"))
        self._fill()
