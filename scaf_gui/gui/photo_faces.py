"""The faces of one photo: going from one to the next, drawing, adding and taking them out."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from scaf_gui.core.face import Face
from scaf_gui.gui.canvas import Canvas
from scaf_gui.gui.editor import Editor
from scaf_gui.gui.messages import MessageStrip
from scaf_gui.gui.navigator import Navigator
from scaf_gui.gui.predict_again import PredictAgain
from scaf_gui.gui.queue_panel import QueuePanel
from scaf_gui.session.session import Session


class PhotoFaces(QObject):
    """Turns what is done with boxes on the canvas into edits, and says where a person may want them back.

    :param say: writes a line into the status bar
    :param undo: takes the last edit back
    :param work_on: starts the background work that a new box asks for
    """

    def __init__(
        self,
        canvas: Canvas,
        editor: Editor,
        navigator: Navigator,
        queue: QueuePanel,
        messages: MessageStrip,
        say: Callable[[str], object],
        undo: Callable[[], object],
        work_on: Callable[[], object],
        parent: QObject | None = None,
    ):
        super().__init__(parent)
        self._canvas, self._editor, self._go, self._queue, self._messages = canvas, editor, navigator, queue, messages
        self._say, self._undo, self._work_on = say, undo, work_on
        self.again = PredictAgain(canvas, editor, navigator, say, work_on, self)
        self._session: Session | None = None
        canvas.boxDrawn.connect(lambda *box: self._changed(editor.set_box(*box)))
        canvas.boxChanged.connect(lambda *box: self._changed(editor.change_box(*box)))
        canvas.faceDrawn.connect(self._face_drawn)
        canvas.facePicked.connect(navigator.go_to)

    def open(self, session: Session | None) -> None:
        self._session = session
        self.again.open(session)
        panel = self._queue
        panel.model.alike = (lambda image: len(session.similar.others(image))) if session is not None else lambda _: 0
        if session is not None:
            session.similar.on_change = panel.looks_changed

    def _beside(self) -> tuple[tuple[Face, ...], int]:
        """All faces of the photo, and the place of the current one among them."""
        face, _ = self._go.on_canvas()
        if self._session is None or face is None:
            return (), 0
        faces = self._session.document.beside(face.image)
        return faces, [other.id for other in faces].index(face.id)

    def place(self, face: Face | None) -> str:
        """Which face of its photo it is, "face 2 of 5"; "" where there is only one."""
        if self._session is None or face is None:
            return ""
        beside = [other.id for other in self._session.document.beside(face.image)]
        return f"face {beside.index(face.id) + 1} of {len(beside)}" if len(beside) > 1 else ""

    def step(self, step: int = 1) -> None:
        """The next face of the photo, round and round."""
        faces, at = self._beside()
        if len(faces) > 1:
            self._go.go_to(faces[(at + step) % len(faces)].id)
        elif faces:
            self._say("This photo has no other face; Shift+B adds one")

    def draw(self, what: str) -> None:
        """Let a box be drawn: for this face ("box") or one more ("face")."""
        self._canvas.setFocus()
        self._canvas.begin_box(what)

    def change(self) -> None:
        """Give this face's box its handles; without a box, draw one."""
        self._canvas.setFocus()
        face, _ = self._go.on_canvas()
        if face is not None and face.box is None:
            self._canvas.begin_box()
        else:
            self._canvas.approach_box()
            self._canvas.select_box()

    def delete(self) -> None:
        """Take the current face out and go to its neighbour; of the only face, box and label go."""
        self._canvas.finish_gesture()
        faces, at = self._beside()
        if not faces:
            return
        face = faces[at]
        if len(faces) == 1 and face.box is None and face.label is None:
            self._say("There is nothing to delete: this photo has neither a box nor a label")
            return
        if len(faces) > 1:  # first, so that the photo stays in sight
            self._go.go_to(faces[at + 1 if at + 1 < len(faces) else at - 1].id)
        if not self._editor.delete_face(face.id):
            self._go.go_to(face.id)
        elif face.label is not None:
            self._messages.can_undo("Deleted the face, and with it the label you gave it.", self._undo)
        else:
            self._say("Face deleted; Ctrl+Z brings it back")

    def not_a_face(self) -> None:
        """Throw the current box out as a false detection, and go on."""
        self._canvas.finish_gesture()
        faces, at = self._beside()
        if not faces:
            return
        face = faces[at]
        session = self._session
        following = session.next_face(face.id) if session is not None else None
        if self._editor.not_a_face(face.id):
            self._say("Not a face: taken out; Ctrl+Z brings it back")
            if following is not None:
                self._go.go_to(following)
            else:
                self._go.next_waiting()

    def skip_similar(self) -> None:
        """Skip the photos that look like this one; this one stays."""
        self._canvas.finish_gesture()
        face, _ = self._go.on_canvas()
        count = self._editor.skip_similar()
        if count and face is not None and self._session is not None:
            photos = len(self._session.similar.others(face.image))
            self._messages.can_undo(
                f"Skipped {count} face{'' if count == 1 else 's'} in {photos} near-identical "
                f"photo{'' if photos == 1 else 's'}. This one stays, and so does what was begun.",
                self._undo,
            )

    def _changed(self, done: bool) -> None:
        if done:
            self._work_on()
        else:
            self._go.show_again()

    def _face_drawn(self, x: float, y: float, width: float, height: float) -> None:
        added = self._editor.add_face(x, y, width, height)
        if added is not None:
            self._go.go_to(added)
            self._work_on()
