"""The view turned until the eyes are level, face by face; labels stay in the coordinates of the image."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QObject

from scaf_gui.core.face import Face, Prediction
from scaf_gui.core.level import eyes_tilt, has_eyes
from scaf_gui.gui.canvas import Canvas
from scaf_gui.gui.navigator import Navigator
from scaf_gui.session.session import Session
from scaf_gui.settings import Settings

#: a face that is tilted by less is shown as it is: turning costs a little sharpness
LEAST = math.radians(0.75)


class LevelView(QObject):
    """Turns the canvas when a face arrives, and never under a person's hands.

    A face whose landmarks come later is turned then, unless somebody has begun to place them.
    """

    def __init__(
        self, canvas: Canvas, navigator: Navigator, settings: Settings, say: Callable[[str], object], parent: QObject
    ):
        super().__init__(parent)
        self._canvas, self._navigator, self._settings, self._say = canvas, navigator, settings, say
        self._session: Session | None = None
        self._face: int | None = None  # whose turn this is
        self._settled = False  # whether it stays as it is until another face comes
        navigator.shown.connect(self._shown)

    def open(self, session: Session | None) -> None:
        """Another project, or none."""
        self._session, self._face, self._settled = session, None, False
        self._canvas.turn_to(0.0)

    @property
    def on(self) -> bool:
        return bool(self._settings["level"])

    def switch(self, on: bool) -> None:
        """Show faces with level eyes, or photos as they are; remembered."""
        if self._settings["level"] != on:
            self._settings["level"] = on
        self._face = None
        if not on:
            self._canvas.turn_to(0.0)
            return
        self._shown(*self._navigator.on_canvas())
        if self._session is None:
            return
        if self._canvas.face is None:
            self._say("No face is shown")
        elif not has_eyes(self._session.scheme):
            self._say("This scheme has no eyes to level the photo by")
        elif not self._settled:
            self._say("The eyes have no place yet: the photo stays as it is")
        elif not self._canvas.turn:
            self._say("The eyes are level as they are")

    def _shown(self, face: Face | None, prediction: Prediction | None) -> None:
        if not self.on or self._session is None or face is None or self._canvas.is_busy:
            return
        if face.id != self._face:
            self._face, self._settled = face.id, False
            self._turn(face, prediction, otherwise=True)
        elif not self._settled and face.label is None:
            self._turn(face, prediction)

    def _turn(self, face: Face, prediction: Prediction | None, otherwise: bool = False) -> None:
        """:param otherwise: show the photo as it is where nothing is known of the eyes"""
        assert self._session is not None
        known = face.label or prediction
        tilt = eyes_tilt(known.points, self._session.scheme) if known is not None else None
        self._settled = tilt is not None
        if tilt is not None:
            self._canvas.turn_to(-tilt if abs(tilt) >= LEAST else 0.0)
        elif otherwise:
            self._canvas.turn_to(0.0)
