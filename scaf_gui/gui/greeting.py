"""What a new person needs to know, said once: with the first landmarks that ever come to the canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from scaf_gui.core.face import Face, Prediction, State
from scaf_gui.errors import ScafError
from scaf_gui.gui.key_names import as_here
from scaf_gui.settings import Settings

if TYPE_CHECKING:
    from scaf_gui.gui.window import MainWindow

#: the key of the settings
KEY = "greeted"
TEXT = (
    "Drag what is off: landmarks that you have not placed follow. Return accepts the face and shows the next; "
    "Ctrl+Z takes anything back. All is saved as you go."
)


class Greeting(QObject):
    """Waits for the first face with landmarks; goes with the first edit, and never comes again."""

    def __init__(self, window: MainWindow, settings: Settings):
        super().__init__(window)
        self._window, self._settings = window, settings
        if not settings[KEY]:
            window.project.navigator.shown.connect(self._shown)

    def _shown(self, face: Face | None, prediction: Prediction | None) -> None:
        if prediction is None or face is None or face.label is not None:
            return
        window = self._window
        window.project.navigator.shown.disconnect(self._shown)
        if window.session is not None and not window.session.document.with_state(State.LABELLED):  # else they know
            window.messages.say_until_edited(as_here(TEXT), "All keys", window.actions_by_id["shortcuts"].trigger)
        try:
            self._settings[KEY] = True
        except ScafError:  # then it is said once more
            return
