"""Faces without pre-fill in the window: placed by clicks, and counted for the report of the tool's own pull."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QWidget

from scaf_gui.core.face import Face, Prediction
from scaf_gui.core.point_edits import left_to_place
from scaf_gui.errors import ScafError
from scaf_gui.gui.editor import Editor
from scaf_gui.gui.hints import why_no_prediction
from scaf_gui.gui.navigator import Navigator
from scaf_gui.gui.precision import Precision
from scaf_gui.session.blind import SHARE
from scaf_gui.session.session import Session
from scaf_gui.settings import Settings


class BlindFaces(QObject):
    """Begins placing when such a face comes, and ends it with the face. ``switched(on)`` is told of the switch."""

    def __init__(
        self,
        navigator: Navigator,
        editor: Editor,
        precision: Precision,
        settings: Settings,
        say: Callable[[str], object],
        parent: QWidget | QObject,
    ):
        super().__init__(parent)
        self._navigator, self._editor, self._precision, self._settings = navigator, editor, precision, settings
        self._say = say
        self._window = parent if isinstance(parent, QWidget) else None
        self._session: Session | None = None
        self._face: int | None = None  # placing was begun for it
        self.tell: Callable[[bool], object] = lambda on: None
        navigator.shown.connect(self._shown)
        self._soon = QTimer(self)  # the face is painted first
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._save)

    def handlers(self) -> dict[str, Callable[..., object]]:
        """By act id."""
        return {"blind": self.switch, "lean": self.report, "reset": self.reset}

    def open(self, session: Session | None) -> None:
        """Another project, or none; before its first face is shown."""
        self._soon.stop()  # a session that is closed has saved
        self._session, self._face = session, None
        self.use_settings()

    def use_settings(self) -> None:
        """Take the share that is remembered."""
        if self._session is not None:
            self._session.blind.share = float(self._settings["blind_share"])
        self.tell(float(self._settings["blind_share"]) > 0)

    def switch(self, on: bool) -> None:
        """Let one face in twenty come without a pre-fill, or none; remembered."""
        if on != (float(self._settings["blind_share"]) > 0):
            self._settings["blind_share"] = SHARE if on else 0.0
        self.use_settings()

    def reset(self) -> None:
        """Show what is predicted instead of the face's label; of a face without pre-fill it is shown after all."""
        session, face = self._session, self._editor.shown()[0]
        if session is None or face is None:
            return
        revealed = session.blind.reveal(face.id)
        if revealed:
            self._precision.place(False)
            self._face = None
        if self._editor.reset():
            return
        if revealed:
            self._navigator.show_again()
        elif self._editor.shown()[1] is None:
            self._say(why_no_prediction(session, face))
        else:
            self._say("Nothing to reset: these are the predicted landmarks")

    def report(self) -> None:
        """How far accepted labels lean towards the model, in a window of its own."""
        if self._session is not None:
            from scaf_gui.gui.lean_window import LeanWindow

            dialog = LeanWindow(self._session.blind.lean(), float(self._settings["blind_share"]), self._window)
            dialog.blind.toggled.connect(self.switch)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.open()

    def _shown(self, face: Face | None, prediction: Prediction | None) -> None:
        session = self._session
        if session is None:
            return
        session.blind.shown_to(face.id if face is not None else None)
        self._soon.start()
        if self._face is not None and (face is None or face.id != self._face):
            self._face = None
            self._precision.place(False)
        if (
            face is not None
            and self._face != face.id
            and (face.label is None or left_to_place(face))
            and session.blind.hides(face.id)
            and session.document.prediction(face.id) is not None
        ):
            self._face = face.id
            self._precision.place(True)

    def _save(self) -> None:
        if self._session is not None:
            try:
                self._session.blind.save()
            except (ScafError, OSError):
                return  # tried again with the next face, and when the project is closed, which says so
