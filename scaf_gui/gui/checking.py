"""Joins the label check with the window: the hint before a face is accepted, the list, and going there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from scaf_gui.core.document import Changed
from scaf_gui.core.face import Face, Prediction
from scaf_gui.gui.navigator import Navigator
from scaf_gui.gui.workspace import Workspace
from scaf_gui.session.check import Alarm, image_size
from scaf_gui.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence


class Checking(QObject):
    """Says calmly what looks odd of the face on the canvas. Nothing here keeps anybody from accepting it."""

    def __init__(self, workspace: Workspace, navigator: Navigator, parent: QObject | None = None):
        super().__init__(parent)
        self._bar, self._panel, self._canvas = workspace.face_bar, workspace.check, workspace.canvas
        self._navigator = navigator
        self._session: Session | None = None
        self._alarms: list[Alarm] = []
        self._face_id: int | None = None  # of the face that was shown last
        self._size: tuple[str, tuple[int, int] | None] = ("", None)
        self._looked = 0
        self._wanted: tuple[int, tuple[int, ...]] | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._check)
        navigator.shown.connect(self._shown)
        navigator.arrived.connect(self._soon.start)
        self._panel.chosen.connect(self._go)
        self._panel.checked.connect(self._check)
        self._bar.odd.clicked.connect(self._look)
        self._bar.fine.clicked.connect(self._fine)

    def open(self, session: Session | None) -> None:
        """Follow another project, or none; before its first face is shown."""
        self._session = session
        self._size = ("", None)
        self._wanted = None
        self._panel.open(session)
        self._show([])
        if session is not None:
            session.document.subscribe(self._document_changed)
            self._panel.learn()

    def _document_changed(self, changed: Changed) -> None:
        if changed.part == "face":
            self._panel.face_changed(changed.face_ids)
            if not self._navigator.is_leaving:  # else once the next face is painted
                self._learn()

    def _shown(self, face: Face | None, prediction: Prediction | None) -> None:
        session = self._session
        if session is None or face is None:
            self._show([])
            return
        session.check.shown(face.id, face.label is not None or prediction is not None)
        self._select_wanted()
        if face.id != self._face_id:
            self._face_id = face.id
            self._show([])
        if not self._navigator.is_reading:  # else when its image has arrived
            self._soon.start()  # the face is painted first

    def _learn(self) -> None:
        """Statistics of all labels take two processors a tenth of a second: not while a person waits for an image."""
        if not self._navigator.is_reading:
            self._panel.learn()

    def _check(self) -> None:
        """Check what is on the canvas by now."""
        self._learn()
        session, (face, prediction) = self._session, self._navigator.on_canvas()
        if session is None or face is None:
            return
        if face.image != self._size[0]:
            self._size = face.image, image_size(session.folder / face.image)
        placing = face.label is not None and not face.label.based_on and (face.label.flags == 2).any()
        self._show([] if placing else session.check.face(face, prediction, self._size[1]))

    def _show(self, alarms: list[Alarm]) -> None:
        if [alarm.finding for alarm in alarms] != [alarm.finding for alarm in self._alarms]:
            self._looked = 0
        self._alarms = alarms
        self._bar.show_findings([alarm.finding.reason for alarm in alarms])

    def _look(self) -> None:
        """Select what the hint is about; again: the next one."""
        landmarks = [i for alarm in self._alarms for i in alarm.finding.landmarks]
        if landmarks:
            self._canvas.select(landmarks[self._looked % len(landmarks)])
            self._looked += 1
        self._canvas.setFocus()

    def _fine(self) -> None:
        if self._session is not None:
            for alarm in self._alarms:
                self._session.check.set_fine(alarm)
        self._check()
        self._canvas.setFocus()

    def _go(self, face_id: int, landmarks: Sequence[int]) -> None:
        self._wanted = (face_id, tuple(landmarks))
        self._navigator.go_to(face_id)
        self._select_wanted()

    def _select_wanted(self) -> None:
        """Select what a finding is about, once its face is on the canvas: its image may still be on the way."""
        face = self._canvas.face
        if self._wanted is None or face is None or face.id != self._wanted[0]:
            return
        landmarks, self._wanted = self._wanted[1], None
        if len(landmarks) > 1:
            self._canvas.select_group(frozenset(landmarks))
        elif landmarks:
            self._canvas.select(landmarks[0])
