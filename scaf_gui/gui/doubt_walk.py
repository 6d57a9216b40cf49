"""From one doubtful landmark to the next: what the model is least sure of is looked at first."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QObject

from scaf_gui.core.doubt import Trail, doubt, doubtful
from scaf_gui.core.face import Face, Prediction, State
from scaf_gui.gui.canvas import Canvas
from scaf_gui.gui.face_bar import FaceBar
from scaf_gui.gui.hints import why_no_prediction
from scaf_gui.gui.navigator import Navigator
from scaf_gui.session.session import Session

#: of so many faces it is remembered what was looked at
_FACES = 200


class DoubtWalk(QObject):
    """Selects landmarks and says how many are left. It never accepts: that stays with the person."""

    def __init__(
        self, canvas: Canvas, navigator: Navigator, bar: FaceBar, say: Callable[[str], object], parent: QObject
    ):
        super().__init__(parent)
        self._canvas, self._navigator, self._bar, self._say = canvas, navigator, bar, say
        self._session: Session | None = None
        self._trails: dict[tuple[int, str], Trail] = {}  # by face and model
        self._key: tuple[int, str] | None = None
        self._order: tuple[int, ...] = ()
        self._accepted = False
        navigator.shown.connect(self._shown)
        canvas.landmarkSelected.connect(self._selected)
        bar.doubt.clicked.connect(self.forward)

    def open(self, session: Session | None) -> None:
        """Another project, or none."""
        self._session = session
        self._trails.clear()
        self._shown(None, None)

    def handlers(self) -> dict[str, Callable[..., object]]:
        """By act id."""
        return {"next_doubt": self.forward, "previous_doubt": self.back}

    @property
    def left(self) -> tuple[int, ...]:
        """The landmarks of the face on the canvas that are worth a look, the one most likely off first."""
        return self._trail().left(self._order)

    def _trail(self) -> Trail:
        if self._key is None:
            return Trail()
        if self._key not in self._trails:
            self._trails[self._key] = Trail()
            while len(self._trails) > _FACES:
                del self._trails[next(iter(self._trails))]
        return self._trails[self._key]

    def _shown(self, face: Face | None, prediction: Prediction | None) -> None:
        session = self._session
        self._key, self._order = None, ()
        self._accepted = face is not None and face.state is State.LABELLED
        if session is not None and face is not None and prediction is not None and not self._accepted:
            self._key = face.id, prediction.model_id
            human = np.zeros(session.scheme.num_landmarks, dtype=np.bool_)
            if face.label is not None:
                human = face.label.placed
            self._order = doubtful(doubt(session.expected.across(prediction), human))
        self._tell()

    def _selected(self, landmark: int | None) -> None:
        """Whoever selects a landmark looks at it."""
        if landmark is not None and self._key is not None:
            self._trail().look(landmark, self._order)
            self._tell()

    def forward(self) -> None:
        """To the landmark most likely off that nobody has looked at; after the last one: say that Return accepts."""
        canvas = self._canvas
        if canvas.is_busy:
            return
        canvas.setFocus()
        if self._key is None:
            face, session = self._navigator.on_canvas()[0], self._session
            why = why_no_prediction(session, face) if session is not None else ""
            self._say("This face is accepted" if self._accepted else why)
            return
        again = self._trail().ended
        landmark = self._trail().forward(self._order)
        if landmark is not None:
            self._go(landmark)
            return
        canvas.select(None)
        if canvas.walk_zoom:
            canvas.fit_face()
        if again or not self._trail().begun:
            self._say("No landmark of this face is worth a look: Return accepts it")
        else:
            self._say("Every doubtful landmark is looked at: Return accepts this face, Q begins anew")
        self._tell()

    def back(self) -> None:
        """To the landmark that was looked at before."""
        canvas = self._canvas
        if canvas.is_busy:
            return
        canvas.setFocus()
        landmark = self._trail().back()
        if landmark is None:
            self._say("The walk over doubtful landmarks began here")
        else:
            self._go(landmark)

    def _go(self, landmark: int) -> None:
        canvas = self._canvas
        canvas.select_group(frozenset())
        canvas.select(landmark)
        if canvas.walk_zoom:
            canvas.zoom_to(landmark)
        self._tell()

    def _tell(self) -> None:
        """On the face's bar, and by faint rings on the canvas."""
        trail = self._trail()
        self._canvas.show_looked(frozenset(trail.looked))
        self._bar.show_doubt(len(trail.left(self._order)), begun=trail.begun, ended=trail.ended)
