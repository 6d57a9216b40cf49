"""The queue as a Qt list model: rows of face ids, filtered, with dividers above those set aside and done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from enum import IntEnum

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QPixmap

from scaf_gui.core.document import Document
from scaf_gui.core.face import Face, State
from scaf_gui.core.queue import Queue
from scaf_gui.gui.thumbnails import Thumbnails

Index = QModelIndex | QPersistentModelIndex
#: stand for the dividers among the rows; face ids are positive
ASIDE, DONE = -1, -2
#: what a divider says: title, second line, tool tip
DIVIDERS = {
    ASIDE: (
        "Set aside: likely outliers",
        "Come last, never hidden",
        "The faces that the model finds strangest are often bad boxes, hidden faces or no faces at all.\n"
        "They come last, but stay in the queue.",
    ),
    DONE: ("Done", "Labelled or skipped", "Choose a face to look at it again."),
}
#: what a person reads for each state
STATE_NAMES = {
    State.UNLABELLED: "To do",
    State.STARTED: "Started",
    State.LABELLED: "Labelled",
    State.SKIPPED: "Skipped",
}
#: filters by key, with their titles; the counts come from the model
FILTERS = {"all": "All", "waiting": "To do", "labelled": "Labelled", "skipped": "Skipped", "set_aside": "Set aside"}
_WAITING = (State.UNLABELLED, State.STARTED)


class Role(IntEnum):
    """What the delegate asks for."""

    FACE = Qt.ItemDataRole.UserRole + 1
    PIXMAP = Qt.ItemDataRole.UserRole + 2
    SCORE = Qt.ItemDataRole.UserRole + 3
    CURRENT = Qt.ItemDataRole.UserRole + 4
    UNREADABLE = Qt.ItemDataRole.UserRole + 5
    SUBTITLE = Qt.ItemDataRole.UserRole + 6
    EXPECTED = Qt.ItemDataRole.UserRole + 7
    DRAWN = Qt.ItemDataRole.UserRole + 8
    PLACE = Qt.ItemDataRole.UserRole + 9  # (which face of its photo, of how many), None where there is one
    ALIKE = Qt.ItemDataRole.UserRole + 10  # how many photos are near-identical to it


class QueueModel(QAbstractListModel):
    """Observes a document and a queue; holds nothing but the order of the rows.

    What only looks different is announced by ``touched`` (row): for each ``dataChanged`` a list view
    would lay out all of its rows again.
    """

    touched = Signal(int)

    def __init__(self, thumbnails: Thumbnails, parent: QObject | None = None):
        super().__init__(parent)
        self.thumbnails = thumbnails
        self._document: Document | None = None
        self._queue = Queue()
        self._rows: list[int] = []
        self._row_of: dict[int, int] = {}
        self._filter, self._text = "all", ""
        self._current: int | None = None
        #: expected mean error of a face's prediction in %, ``None`` without one
        self.expected: Callable[[int], float | None] = lambda _: None
        #: how many photos are near-identical to an image
        self.alike: Callable[[str], int] = lambda _: 0
        thumbnails.ready.connect(lambda face_id: self.touch([face_id]))

    # -- what is shown ---------------------------------------------------------------------------

    def show(self, document: Document | None, queue: Queue) -> None:
        """Show another document or another order."""
        self._document, self._queue = document, queue
        self._rebuild()

    def set_filter(self, key: str, text: str = "") -> None:
        """Show only a part: a key of :data:`FILTERS`, and a part of the file's name."""
        if (key, text) != (self._filter, self._text):
            self._filter, self._text = key, text.casefold()
            self._rebuild()

    def set_current(self, face_id: int | None) -> None:
        old, self._current = self._current, face_id
        self.touch([face for face in (old, face_id) if face is not None])

    def touch(self, face_ids: Iterable[int]) -> None:
        """Redraw the rows of some faces."""
        for face_id in face_ids:
            row = self._row_of.get(face_id)
            if row is not None:
                self.touched.emit(row)

    def refilter(self) -> bool:
        """States have changed: rows may come or go; whether they did."""
        if self._filter == "all" or self._filtered() == self._rows:
            return False
        self._rebuild()
        return True

    def counts(self) -> dict[str, int]:
        """How many faces each filter would show."""
        states = Counter(face.state for face in self._document) if self._document is not None else Counter()
        return {
            "all": states.total(),
            "waiting": sum(states[state] for state in _WAITING),
            "labelled": states[State.LABELLED],
            "skipped": states[State.SKIPPED],
            "set_aside": len(self._queue.set_aside),
        }

    def face_order(self) -> list[int]:
        """Faces in the order of their rows."""
        return [face_id for face_id in self._rows if face_id > 0]

    def row_of(self, face_id: int | None) -> int | None:
        return None if face_id is None else self._row_of.get(face_id)

    def face_at(self, row: int) -> int | None:
        """The face of a row; ``None`` for the divider and beyond the end."""
        face_id = self._rows[row] if 0 <= row < len(self._rows) else DONE
        return face_id if face_id > 0 else None

    def divider_at(self, row: int) -> tuple[str, str, str] | None:
        return DIVIDERS.get(self._rows[row]) if 0 <= row < len(self._rows) else None

    # -- Qt's side -------------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008
        return 0 if parent.isValid() else len(self._rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if self.face_at(index.row()) is None:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        face = self._face(index.row())
        if face is None:
            divider = self.divider_at(index.row())
            parts: dict[int, int] = {Qt.ItemDataRole.DisplayRole: 0, Role.SUBTITLE: 1, Qt.ItemDataRole.ToolTipRole: 2}
            wanted = parts.get(role)
            return divider[wanted] if divider is not None and wanted is not None else None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return face.image.rsplit("/", 1)[-1].replace("\n", " ")
            case Qt.ItemDataRole.ToolTipRole:
                return self._tip(face)
            case Qt.ItemDataRole.AccessibleTextRole:
                place = self._place(face)
                parts_said = [face.image, STATE_NAMES[face.state]]
                parts_said += [f"face {place[0]} of {place[1]}"] if place else []
                parts_said += ["drawn at random"] if self._is_drawn(face) else []
                return ", ".join(parts_said)
            case Role.FACE:
                return face
            case Role.PIXMAP:
                return self._pixmap(face)
            case Role.SCORE:
                return (self._queue.scores or {}).get(face.id)
            case Role.EXPECTED:
                return self.expected(face.id) if face.state in _WAITING else None
            case Role.DRAWN:
                return self._is_drawn(face)
            case Role.PLACE:
                return self._place(face)
            case Role.ALIKE:
                return self.alike(face.image)
            case Role.CURRENT:
                return face.id == self._current
            case Role.UNREADABLE:
                return self.thumbnails.unreadable(face.id)
        return None

    def _face(self, row: int) -> Face | None:
        face_id = self.face_at(row)
        if face_id is None or self._document is None or face_id not in self._document:
            return None
        return self._document.face(face_id)

    def _place(self, face: Face) -> tuple[int, int] | None:
        beside = self._document.beside(face.image) if self._document is not None else ()
        return ([other.id for other in beside].index(face.id) + 1, len(beside)) if len(beside) > 1 else None

    def _is_drawn(self, face: Face) -> bool:
        return face.id in self._queue.drawn

    def _pixmap(self, face: Face) -> QPixmap | None:
        return self.thumbnails.get(face.id, face.image, face.box)

    def _tip(self, face: Face) -> str:
        place, alike = self._place(face), self.alike(face.image)
        lines = [face.image, STATE_NAMES[face.state]]
        if place is not None:
            lines.append(f"Face {place[0]} of {place[1]} in this photo")
        if alike:
            lines.append(f"{alike} near-identical photo{'' if alike == 1 else 's'}: Shift+S on this face skips them")
        expected = self.expected(face.id) if face.state in _WAITING else None
        if expected is not None:
            lines.append(f"Expected error of the pre-filled landmarks: about {expected:.1f} %")
        if self._is_drawn(face):
            lines.append("Drawn at random: keeps the estimate honest")
        scores = self._queue.scores or {}
        score = scores.get(face.id)
        if score is not None:
            surer = sum(other < score for other in scores.values())
            lines.append(
                f"Score {score:.5g}: the model is less sure than of {100 * surer // len(scores)} % of the faces"
            )
        if face.id in self._queue.set_aside:
            lines.append("Set aside as a likely outlier")
        if self.thumbnails.unreadable(face.id):
            lines.append("The image cannot be read")
        return "\n".join(lines)

    # -- rows ------------------------------------------------------------------------------------

    def _rebuild(self) -> None:
        self.beginResetModel()
        self._rows = self._filtered()
        self._row_of = {face_id: row for row, face_id in enumerate(self._rows) if face_id > 0}
        self.endResetModel()

    def _filtered(self) -> list[int]:
        document = self._document
        if document is None:
            return []
        aside = self._queue.set_aside
        ordered = [document.face(face_id) for face_id in self._queue.order if face_id in document]
        known = {face.id for face in ordered}
        # after a new order, what is labelled or skipped stands in the queue no more
        done = [face for face in document if face.id not in known]
        rows = [face.id for face in ordered if face.id not in aside and self._passes(face)]
        for divider, faces in ((ASIDE, [f for f in ordered if f.id in aside]), (DONE, done)):
            part = [face.id for face in faces if self._passes(face)]
            rows += [divider, *part] if part else []
        return rows

    def _passes(self, face: Face) -> bool:
        if self._text and self._text not in face.image.casefold():
            return False
        match self._filter:
            case "waiting":
                return face.state in _WAITING
            case "labelled":
                return face.state is State.LABELLED
            case "skipped":
                return face.state is State.SKIPPED
            case "set_aside":
                return face.id in self._queue.set_aside
        return True
