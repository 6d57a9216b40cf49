"""Which face is on the canvas: going to one, showing it at once, and what comes after it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QObject, QTimer, Signal

from scaf_gui.core.document import Changed
from scaf_gui.core.face import Face, Prediction
from scaf_gui.errors import FolderError, ImageError
from scaf_gui.gui.canvas import Canvas
from scaf_gui.gui.canvas.neighbours import neighbours
from scaf_gui.gui.canvas.pyramid import Pyramid
from scaf_gui.gui.messages import describe
from scaf_gui.gui.pictures import Pictures
from scaf_gui.gui.queue_model import QueueModel
from scaf_gui.gui.trail import Trail
from scaf_gui.io.copies import SmallCopies
from scaf_gui.session.images import glance
from scaf_gui.session.session import Session

#: an image that takes longer than this is announced, a shorter wait would only flicker
PATIENCE_MS = 180
#: faces behind the current one whose images are read ahead
AHEAD = 2
#: rows of the list below and above the current one of whose photos small copies are made
ROWS_AHEAD, ROWS_BACK = 24, 8
#: a face that came so short a time ago, seconds, by accepting or skipping the one before, is not meant by the same key
DOUBLE_PRESS = 0.3


class Navigator(QObject):
    """Keeps canvas and current face together; what the canvas shows is only ever a preview of the document."""

    moved = Signal(object)  # face id on the canvas, or None
    shown = Signal(object, object)  # Face and Prediction that are drawn, each may be None
    painted = Signal()  # an image has been put on the canvas
    arrived = Signal()  # the image that was waited for is painted, or cannot be
    folder_gone = Signal(object)  # FolderError
    image_gone = Signal()  # an image is not where it was
    finished = Signal()  # no face waits any more

    def __init__(self, canvas: Canvas, model: QueueModel, parent: QObject | None = None):
        super().__init__(parent)
        self._canvas, self._rows = canvas, model
        self._session: Session | None = None
        self._pictures = Pictures(self)
        self._pictures.loaded.connect(self._loaded)
        self._pictures.failed.connect(self._failed)
        self._image: str | None = None  # the image on the canvas
        self._is_whole = True  # or only a glance at it
        #: whether a person looks at an empty canvas: the image is still being read
        self.is_reading = False
        #: whether the face on the canvas is being left; see :meth:`leaving`
        self.is_leaving = False
        #: seconds; see :data:`DOUBLE_PRESS`
        self.double_press = DOUBLE_PRESS
        self._came: tuple[int | None, float] = (None, 0.0)  # by going on to it, and when
        self._prediction: Prediction | None = None  # the prediction on the canvas
        self._trail = Trail()
        self._slow = QTimer(self)
        self._slow.setSingleShot(True)
        self._slow.setInterval(PATIENCE_MS)
        self._slow.timeout.connect(lambda: self._canvas.set_message("Reading the image…"))

    # -- a project -------------------------------------------------------------------------------

    def open(self, session: Session | None) -> None:
        """Show another project's current face, or nothing."""
        self._slow.stop()
        self._trail.clear()
        self._image = self._prediction = None
        self.is_reading = False
        self._session = session
        if session is None:
            self._pictures.start(None)
        else:
            # asked anew each time: the folder may become another one
            self._pictures.start(
                session.read,
                lambda image, on_read: glance(session.folder, image, on_read),
                lambda image: session.folder / image,
            )
        self._canvas.cancel_gesture()
        self._canvas.show_image(None)
        self._canvas.show_others(())
        self._canvas.set_message(None)
        if session is None:
            return
        current = session.current
        if current is None:
            current = next(iter(self._rows.face_order()), None)
        self._show(current)

    def reload(self) -> None:
        """Read the images anew: they lie somewhere else now."""
        self._pictures.forget()
        self._image = None
        if self._session is not None:
            self._show(self._session.current)

    @property
    def copies(self) -> SmallCopies:
        """Small copies of large photos, for whoever makes or can use them."""
        return self._pictures.copies

    def give_way(self) -> None:
        """For other threads that decode images: wait, for a moment at most, while a person waits for one."""
        self._pictures.give_way()

    # -- going somewhere -------------------------------------------------------------------------

    @property
    def current(self) -> int | None:
        return self._session.current if self._session is not None else None

    def go_to(self, face_id: int | None) -> None:
        """Show a face; "previous" will come back."""
        if self._session is None or face_id is None or face_id not in self._session.document:
            return
        if face_id == self.current:
            return
        self._trail.leave(self.current)
        self._show(face_id)

    def next(self) -> None:
        """Where "previous" came back from; without that the next row of the list, whatever its state."""
        if self._session is not None:
            self._show_other(self._trail.forth(self.current, self._session.document, self._rows.face_order))

    def previous(self) -> None:
        """Back to where one came from; without that the row above."""
        if self._session is not None:
            self._show_other(self._trail.back(self.current, self._session.document, self._rows.face_order))

    def _show_other(self, face_id: int | None) -> None:
        if face_id is not None:
            self._show(face_id)

    def next_waiting(self) -> None:
        """The next face of the queue that waits for a person."""
        session = self._session
        if session is None:
            return
        face_id = session.next_face()
        if face_id is None:
            self.finished.emit()
        if face_id is None or face_id == self.current:
            self._refresh()
            return
        self.go_to(face_id)
        self._came = face_id, time.monotonic()

    @property
    def just_came(self) -> bool:
        """Whether nobody can have looked at the face on the canvas: a key was pressed twice, or bounced."""
        face_id, when = self._came
        return face_id is not None and face_id == self.current and time.monotonic() - when < self.double_press

    @contextmanager
    def leaving(self) -> Iterator[None]:
        """Meanwhile the face on the canvas is not drawn anew when it changes: it is left right after, if all goes well.

        To be followed by :meth:`next_waiting`, whose photo is looked at already.
        """
        session = self._session
        for image in self._images([session.next_face()] if session is not None else ()):
            self._pictures.expect(image)
        self.is_leaving = True
        try:
            yield
        finally:
            self.is_leaving = False

    # -- showing ---------------------------------------------------------------------------------

    def on_canvas(self) -> tuple[Face | None, Prediction | None]:
        """The face as the document has it, and the prediction that is drawn."""
        face = self._face()
        return face, self._prediction if face is not None else None

    def document_changed(self, changed: Changed) -> None:
        """Draw the current face anew where the change concerns it."""
        session = self._session
        if session is None:
            return
        face = self._canvas.face
        if face is not None and face.id in changed.face_ids and face.id not in session.document:
            self._image = None
            self._show(session.current)
        elif self.current in changed.face_ids:
            if not self.is_leaving:
                self._refresh()
        elif face is not None and not {other.id for other in session.document.beside(face.image)}.isdisjoint(
            changed.face_ids
        ):
            self._show_others(face)
            self.shown.emit(*self.on_canvas())  # "face 2 of 3" may have become another number

    def show_again(self) -> None:
        """Take the canvas's preview back: show what the document has."""
        self._refresh()

    def _face(self) -> Face | None:
        session = self._session
        if session is None or session.current is None or session.current not in session.document:
            return None
        return session.document.face(session.current)

    def _show(self, face_id: int | None) -> None:
        session = self._session
        if session is None:
            return
        self._canvas.finish_gesture()
        session.current = face_id
        self._slow.stop()
        self.is_reading = False
        face = self._face()
        if face is None:
            self._canvas.show_image(None)
            self._canvas.set_message("No face to show." if len(session.document) else "This project has no images.")
            self._refresh()
            self.moved.emit(None)
            return
        stay = face.image == self._image and self._canvas.is_image_fitted  # all faces of the photo are in sight
        if face.image != self._image:
            pixels = self._pictures.get(face.image) or self._pictures.small(face.image)
            self._image = None
            self._canvas.show_face(None, None, session.scheme)
            self._canvas.show_others(())
            if pixels is not None:
                self._put(face.image, pixels)
            else:
                self.is_reading = True
                self._want()  # before all else: this is what takes long
                self._canvas.show_image(None)
                self._canvas.set_message(None)
                self._slow.start()
        self._refresh()
        if self._image is not None and not stay:
            self._canvas.fit_face()
        if self._image is not None:
            self._canvas.viewport().repaint()  # now: lists and panels, and the disk, come after it
        self._want()
        self.moved.emit(face_id)

    def _want(self) -> None:
        """Ask for the current image, then for those that come next in the queue, and in the list as it is shown.

        Of some more of both, small copies are made when there is time.
        """
        session = self._session
        if session is None:
            return
        coming = [i for i in session.wanted() if i != session.current]
        row = self._rows.row_of(session.current)
        rows = [] if row is None else [row + k for k in (*range(1, ROWS_AHEAD + 1), *range(-1, -ROWS_BACK - 1, -1))]
        listed = [i for i in map(self._rows.face_at, rows) if i is not None]
        below = self._rows.face_at(row + 1) if row is not None else None
        self._pictures.want(self._images((session.current, *coming[:AHEAD], below)))
        self._pictures.look_ahead(self._images((*coming, *listed)))

    def _images(self, face_ids: Iterable[int | None]) -> list[str]:
        assert self._session is not None
        document = self._session.document
        return [document.face(i).image for i in face_ids if i is not None and i in document]

    def _put(self, image: str, pixels: Pyramid) -> None:
        self._slow.stop()
        self._image, self._is_whole = image, pixels.is_whole
        self._canvas.show_image(pixels)
        self._canvas.set_message(None)
        self.painted.emit()

    def _refresh(self) -> None:
        """Show label and prediction of the current face; while something is held the canvas puts it off."""
        session = self._session
        if session is None:
            return
        face = self._face()
        prediction = session.blind.shown(face.id) if face is not None else None
        if self._image is not None or face is None:
            if not self._canvas.is_busy:
                self._prediction = prediction
            self._canvas.show_face(face, prediction, session.scheme, session.expected.across(prediction))
            self._show_others(face)
        else:
            self._prediction = prediction
        self.shown.emit(face, prediction)

    def _show_others(self, face: Face | None) -> None:
        session = self._session
        if session is None or face is None:
            self._canvas.show_others(())
            return
        document = session.document
        beside = document.beside(face.image)
        self._canvas.show_others(neighbours(beside, face.id, session.blind.shown, session.scheme.edges))

    def _loaded(self, image: str, pixels: Pyramid) -> None:
        face = self._face()
        if face is None or face.image != image:
            return
        if self._image == image:
            if pixels.is_whole and not self._is_whole:  # the same picture, sharper
                self._is_whole = True
                self._canvas.show_image(pixels, keep_view=True)
            return
        self._put(image, pixels)
        self._refresh()
        self._canvas.fit_face()
        self._canvas.viewport().repaint()  # now: other reading, and other work, come after it
        self._arrive()

    def _arrive(self) -> None:
        if self.is_reading:
            self.is_reading = False
            self.arrived.emit()

    def _failed(self, image: str, error: object) -> None:
        face = self._face()
        if face is None or face.image != image or not isinstance(error, BaseException):
            return
        self._slow.stop()
        self._image = None
        self._canvas.show_image(None)
        self._canvas.show_others(())
        self._arrive()
        if isinstance(error, FolderError):
            self._canvas.set_message("The image folder is gone.\nYour labels are safe.")
            self.folder_gone.emit(error)
            return
        reason = str(error) if isinstance(error, ImageError) else describe(error)
        self._canvas.set_message(f"{reason}\n\nPress S to skip this face.")
        if "does not exist" in reason:
            self.image_gone.emit()
