"""A project whose image folder is gone: says so once, and lets the person say where the images are now."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from scaf_gui.errors import ScafError
from scaf_gui.gui.messages import MessageStrip
from scaf_gui.session.session import Session


class MissingFolder(QObject):
    """:param found: called after the session has taken a new folder over"""

    def __init__(self, messages: MessageStrip, found: Callable[[], None], parent: QObject, window: QWidget):
        super().__init__(parent)
        self._messages, self._found, self._window = messages, found, window
        self._session: Session | None = None
        self._told = False

    def open(self, session: Session | None) -> None:
        self._session, self._told = session, False

    def tell(self, error: BaseException) -> None:
        """The folder is not there; every image that is asked for notices anew."""
        if not self._told:
            self._told = True
            self._messages.error(error, "Locate folder…", self._locate)

    def relocate(self, folder: Path) -> None:
        """The images are in this folder now; an error says what is wrong with it, and asks again."""
        if self._session is None:
            return
        try:
            line = self._session.relocate(folder)
        except (ScafError, OSError) as error:
            self._messages.error(error, "Locate folder…", self._locate)
            return
        self._told = False
        self._messages.clear()
        self._messages.info(line)
        self._found()

    def _locate(self) -> None:
        if self._session is None:
            return
        name = QFileDialog.getExistingDirectory(self._window, "Where are the images now?", str(Path.home()))
        if name:
            self.relocate(Path(name))
