"""An open project in the window: joins session, background work and panels, and takes them apart again."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.document import Changed
from scaf_gui.core.edits import Edit
from scaf_gui.core.face import Face, Flag, Prediction
from scaf_gui.core.point_edits import left_to_place
from scaf_gui.errors import FolderError, ScafError
from scaf_gui.gui.background import Background
from scaf_gui.gui.blind_faces import BlindFaces
from scaf_gui.gui.checking import Checking
from scaf_gui.gui.editor import Editor
from scaf_gui.gui.hints import hint
from scaf_gui.gui.image_aids import ImageAids
from scaf_gui.gui.insight import Insight
from scaf_gui.gui.key_names import as_here
from scaf_gui.gui.leaving import Leaving
from scaf_gui.gui.level_view import LevelView
from scaf_gui.gui.messages import MessageStrip, describe
from scaf_gui.gui.missing_folder import MissingFolder
from scaf_gui.gui.model_sign import ModelSign
from scaf_gui.gui.navigator import Navigator
from scaf_gui.gui.photo_faces import PhotoFaces
from scaf_gui.gui.precision import Precision
from scaf_gui.gui.status import Status
from scaf_gui.gui.thumbnails import loader
from scaf_gui.gui.workspace import Workspace
from scaf_gui.session.session import Session
from scaf_gui.settings import Settings

#: background work begins so long after the first image was put on the canvas: it shall be painted first
AFTER_PAINT_MS = 40
#: and at the latest so long after opening, if there is no image to wait for
LATEST_MS = 1500


class ProjectView(QObject):
    """Everything that depends on the open session; between two sessions it is idle."""

    def __init__(
        self, workspace: Workspace, status: Status, messages: MessageStrip, settings: Settings, parent: QWidget
    ):
        super().__init__(parent)
        self.workspace, self.status, self.messages, self.settings = workspace, status, messages, settings
        self.session: Session | None = None
        self.background: Background | None = None
        self.leaving = Leaving(self)
        self.editor = Editor(self)
        self.navigator = Navigator(workspace.canvas, workspace.queue.model, self)
        self.precision = Precision(workspace.canvas, self.editor, settings, status.say, self)
        self.photo = PhotoFaces(
            workspace.canvas, self.editor, self.navigator, workspace.queue, messages, status.say,
            self.undo, self.work_on, self,
        )  # fmt: skip
        self.checking = Checking(workspace, self.navigator, self)
        self.aids = ImageAids(workspace.canvas, workspace, status.say, self)
        self.level = LevelView(workspace.canvas, self.navigator, settings, status.say, self)
        self.blind = BlindFaces(self.navigator, self.editor, self.precision, settings, status.say, parent)
        self.insight = Insight(workspace, self.navigator, settings, status.say, self)
        self.model = ModelSign(workspace.training, workspace.finish, status, self)
        self.missing = MissingFolder(messages, self._folder_found, self, parent)
        # the navigator last: it shows the first face
        self._parts = (
            self.missing, self.checking, self.insight, self.aids, self.level, self.blind, self.navigator
        )  # fmt: skip
        self._hint = ""
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._begin_work)
        self._wire()

    def _wire(self) -> None:
        place, go, edit = self.workspace, self.navigator, self.editor
        place.queue.chosen.connect(go.go_to)
        place.queue.chosen.connect(lambda _: place.canvas.setFocus())
        place.canvas.landmarkMoved.connect(self._landmark_moved)
        place.canvas.shapeMoved.connect(self._shape_moved)
        place.canvas.landmarkSelected.connect(
            lambda landmark: place.landmarks.show_selected(() if landmark is None else (landmark,))
        )
        place.landmarks.chosen.connect(place.canvas.select)
        place.landmarks.groups.chosen.connect(self.precision.select_group)
        place.landmarks.attribute_toggled.connect(edit.toggle_attribute)
        place.face_bar.accept_asked.connect(self.accept)
        place.face_bar.skip_asked.connect(self.skip)
        place.training.refresh_asked.connect(self.refresh_model)
        place.training.cancel_asked.connect(self.cancel_training)
        edit.refused.connect(self._refused)
        go.moved.connect(place.queue.show_current)
        go.moved.connect(lambda _: self._came())
        go.arrived.connect(self._came)
        go.shown.connect(self._shown)
        go.painted.connect(self._painted)
        go.folder_gone.connect(self.missing.tell)
        go.image_gone.connect(lambda: self.background.find_moved() if self.background else None)
        go.finished.connect(self._finished)

    # -- opening and closing ---------------------------------------------------------------------

    def open(self, session: Session) -> None:
        """Show a session; background work begins when its first image has been painted."""
        self.leaving.wait(session.companions)  # its cache is for one at a time
        self.session = session
        session.document.subscribe(self._document_changed)
        session.agenda.on_change = self._queue_changed
        self.editor.open(session, self.navigator.on_canvas)
        self.precision.open(session)
        self.photo.open(session)
        self._open_list(session)
        session.expected.on_change = self._expected_changed
        self.background = self._make_background(session)
        self.workspace.finish.open(session.expected)
        self.workspace.shape_bar.open(session.shapes, lambda: self.navigator.on_canvas()[1])
        self.model.open(session)
        self._show_hint()
        if session.notice and session.folder.is_dir():
            self.messages.warning(session.notice)
        self._later.start(LATEST_MS)
        for part in self._parts:
            part.open(session)

    def close(self) -> None:
        """Stop the work, close the file. Nothing is lost, nothing is asked, no thread is waited for."""
        session, self.session = self.session, None
        self._later.stop()
        if session is None:
            return
        if self.background is not None:
            self.leaving.add(self.background)
            self.background = None
        try:
            self._empty(session)
        finally:  # whatever goes wrong with a panel
            try:
                session.close()
            except (ScafError, OSError) as error:
                self.messages.error(error)

    def _empty(self, session: Session) -> None:
        self.workspace.canvas.finish_gesture()
        session.agenda.on_change = session.expected.on_change = None
        for part in (*self._parts, self.precision, self.editor, self.photo, self.model):
            part.open(None)
        self.workspace.empty()
        self.status.clear()

    def _open_list(self, session: Session) -> None:
        load = loader(session.folder, self.navigator.copies, self.navigator.give_way)
        self.workspace.queue.open(session.document, session.queue, load, session.expected.face)

    def _make_background(self, session: Session) -> Background:
        made = Background(session, str(self.settings["device"]), self)
        training = self.workspace.training
        made.work.connect(self.status.show_work)
        made.work.connect(lambda *_: self._show_hint())
        made.remark.connect(self.status.say)
        made.trouble.connect(self._trouble)
        made.device_known.connect(self.status.show_device)
        made.model_changed.connect(self._show_model)
        made.model_changed.connect(self.insight.refresh)
        made.refresh_began.connect(training.begin)
        made.refresh_stage.connect(training.show_stage)
        made.refresh_progress.connect(training.show_progress)
        made.refresh_judged.connect(lambda result: training.show_judged(result))
        made.refresh_ended.connect(self._refresh_ended)
        return made

    def _painted(self) -> None:
        if self._later.isActive():
            self._later.start(AFTER_PAINT_MS)

    def _begin_work(self) -> None:
        if self.background is not None and self.session is not None and self.session.folder.is_dir():
            self.background.start_device()  # first: it loads torch soonest, as it does not step back
            self.background.start(again=True)

    def _came(self) -> None:
        """A face has come to the canvas, or will when its image is read: what is less urgent waits for that."""
        if self.session is not None and not self.navigator.is_reading:
            self.session.instant.catch_up()
        self._work_on()

    def _work_on(self) -> None:
        """There may be something to do for another face; not before the first image, or the next face, is painted."""
        busy = self._later.isActive() or self.navigator.is_reading or self.navigator.is_leaving
        if self.background is not None and not busy:
            self.background.start()

    def work_on(self) -> None:
        if self.background is not None:
            self.background.start(again=True)

    # -- what a person asks for ------------------------------------------------------------------

    def accept(self) -> None:
        """Stand for what is shown, and go on."""
        left = left_to_place(self.editor.shown()[0])
        if self._go_on(self.editor.accept) and left:
            self.status.say(f"Accepted with {left} landmark{'' if left == 1 else 's'} not placed; Ctrl+Z goes back")

    def skip(self) -> None:
        self._go_on(self.editor.skip)

    def _go_on(self, act: Callable[[], bool]) -> bool:
        """Be done with the face on the canvas, and show the next one; whether it is."""
        if self.navigator.just_came:
            self.status.say("Pressed twice: this face only just came, look at it first")
            return False
        if self.session is None:
            return False
        self.session.instant.put_off()  # the next face is painted first
        with self.editor.saved_after():
            with self.navigator.leaving():
                done = act()
            if done:
                self.navigator.next_waiting()
        self._came()
        return done

    def undo(self) -> None:
        self._travel("Undone", self.session.undo if self.session else None)

    def redo(self) -> None:
        self._travel("Done again", self.session.redo if self.session else None)

    def refresh_model(self, thorough: bool = False) -> None:
        """Train on the labels as they are; says why where it cannot."""
        self.model.count()  # it may be a moment behind
        reason = self.workspace.training.why_not()
        if reason:
            self.status.say(reason)
        elif self.background is not None:
            self.background.start_refresh(thorough)

    def cancel_training(self) -> None:
        if self.background is not None:
            self.background.cancel_refresh()

    def flag(self, flag: Flag) -> None:
        self.editor.flag_all([int(i) for i in self.workspace.canvas.chosen().nonzero()[0]], flag)

    def _folder_found(self) -> None:
        """The session reads another folder now."""
        if self.session is not None:
            self._open_list(self.session)
            self.navigator.reload()
            self._begin_work()

    def _travel(self, verb: str, act: object) -> None:
        """Undo or redo, and go where it happened."""
        if not callable(act) or self.session is None:
            return
        self.workspace.canvas.finish_gesture()
        try:
            edit: Edit | None = act(self)
        except (ScafError, OSError) as error:
            self._refused(error)
            return
        if edit is None:
            self.status.say("Nothing to undo" if verb == "Undone" else "Nothing to do again")
            return
        self.status.say(f"{verb}: {edit.title}")
        if self.navigator.current not in edit.face_ids:
            self.navigator.go_to(next((i for i in edit.face_ids if i in self.session.document), None))

    # -- what happens ----------------------------------------------------------------------------

    def _shape_moved(self, landmark: int, points: FloatArray) -> None:
        if not self.editor.move_shape(landmark, points):
            self.navigator.show_again()

    def _landmark_moved(self, landmark: int, x: float, y: float) -> None:
        if not self.editor.move(landmark, x, y):
            self.navigator.show_again()
        else:
            self.precision.go_on(landmark)

    def _document_changed(self, changed: Changed) -> None:
        if self.session is None:
            return
        self.workspace.queue.faces_changed(changed.face_ids, changed.part == "face")
        self.navigator.document_changed(changed)
        self.workspace.finish.refresh()
        if changed.part == "face":
            self.model.count_soon()
            if changed.by is not self.background:
                self.messages.edited()
                self._work_on()

    def _expected_changed(self) -> None:
        self.workspace.queue.expected_changed()
        self.workspace.finish.refresh()
        if not self.navigator.is_leaving:
            self.navigator.show_again()  # its rings and figures say the same as the list

    def _queue_changed(self) -> None:
        if self.session is not None:
            self.workspace.queue.show_queue(self.session.document, self.session.queue, soon=True)

    def _shown(self, face: Face | None, prediction: Prediction | None) -> None:
        session = self.session
        scheme = session.scheme if session is not None else None
        expected = session.expected.across(prediction) if session is not None else None
        self.workspace.landmarks.show_face(scheme, face, prediction, expected)
        has_points = prediction is not None or (face is not None and face.label is not None)
        blind = session is not None and face is not None and face.id in session.blind.placed
        self.workspace.face_bar.show_face(face, has_points, self.photo.place(face), blind=blind)
        canvas = self.workspace.canvas
        by_hand = face is not None and not has_points and session is not None and session.model is None
        if by_hand and canvas.selected is None and not (canvas.is_busy or canvas.box_selected):
            canvas.select(0)
        self.precision.face_shown()
        self._show_hint()

    def _show_hint(self) -> None:
        """Say on the canvas what this face waits for; only changes are sent, so that its own hints stay."""
        face, prediction = self.navigator.on_canvas()
        text = hint(self.session, face, prediction, self.background.boxes.is_running if self.background else False)
        if text != self._hint:
            self._hint = text
            self.workspace.canvas.set_hint(as_here(text) or None)

    def _show_model(self) -> None:
        self.model.show()
        self._show_hint()

    def _refresh_ended(self, outcome: object, kind: str) -> None:
        self.workspace.training.end(outcome, kind)  # type: ignore[arg-type]
        self._show_model()

    def _finished(self) -> None:
        self.messages.info("Every face is labelled or skipped. Write the labels out with File › Export Labels.")

    def _refused(self, what: object) -> None:
        if isinstance(what, BaseException):
            self.messages.error(what)
        else:
            self.status.say(str(what))

    def _trouble(self, error: BaseException) -> None:
        if isinstance(error, FolderError):
            return self.missing.tell(error)
        return self.messages.error(describe(error))
