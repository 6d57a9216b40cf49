"""The act that predicts a face again from where its landmarks are."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from scaf_gui.core.edits import Edit
from scaf_gui.core.face import State
from scaf_gui.errors import ScafError
from scaf_gui.gui.canvas import Canvas
from scaf_gui.gui.editor import Editor
from scaf_gui.gui.hints import why_no_prediction
from scaf_gui.gui.navigator import Navigator
from scaf_gui.session import again
from scaf_gui.session.session import Session


class PredictAgain(QObject):
    """Asks, and takes the answer in when it comes: never while something is held.

    :param say: writes a line into the status bar
    :param work_on: starts the background work that a new box asks for
    """

    def __init__(
        self,
        canvas: Canvas,
        editor: Editor,
        navigator: Navigator,
        say: Callable[[str], object],
        work_on: Callable[[], object],
        parent: QObject | None = None,
    ):
        super().__init__(parent)
        self._canvas, self._editor, self._say, self._work_on = canvas, editor, say, work_on
        self._session: Session | None = None
        self._asked: Edit | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._take_over)
        navigator.shown.connect(self._shown)

    def open(self, session: Session | None) -> None:
        self._session, self._asked = session, None

    def ask(self) -> None:
        """Let the model look where the landmarks are now; says why where it cannot."""
        self._canvas.finish_gesture()
        session, (face, shown) = self._session, self._editor.shown()
        if session is None or face is None:
            return
        if face.state is State.LABELLED:
            self._say("This face is accepted: all its landmarks are yours")
            return
        if session.model is None or session.blind.hides(face.id) or (shown is None and face.label is None):
            self._say(why_no_prediction(session, face))
            return
        if not session.scheme.spans_the_face:
            self._say("These landmarks do not say where the face is: change its box instead, with E")
            return
        asked = again.look_there(session, face, shown)
        if asked is None:
            self._say("The box is around these landmarks already: move one that is off first")
        elif self._editor.perform(asked):
            self._asked = asked if face.label is not None else None
            self._say("Predicting again from these landmarks; what you placed stays")
            self._work_on()

    def _shown(self, *_: object) -> None:
        if self._asked is not None and not self._canvas.is_busy:
            self._soon.start(0)  # not in the middle of the change that is being told of

    def _take_over(self) -> None:
        session, asked = self._session, self._asked
        if session is None or asked is None or self._canvas.is_busy:
            return
        if again.is_outdated(session, asked):
            self._asked = None
            return
        if session.document.prediction(asked.face_ids[0]) is None:
            return
        self._asked = None
        try:
            edit = again.take_over(session, asked)
            if edit is not None:
                session.edit(edit, by=self)
                again.join(session, asked)
                self._say("Predicted again; what you placed has stayed")
        except (ScafError, OSError) as error:
            self._editor.refused.emit(error)
