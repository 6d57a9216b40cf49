"""The queue panel: filter, counts and the list of faces."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QVBoxLayout,
    QWidget,
)

from scaf_gui.core.document import Document
from scaf_gui.core.queue import Queue
from scaf_gui.gui import theme
from scaf_gui.gui.key_names import as_here
from scaf_gui.gui.queue_delegate import ROW, QueueDelegate
from scaf_gui.gui.queue_model import FILTERS, QueueModel
from scaf_gui.gui.thumbnails import Load, Thumbnails

#: counting 10,000 faces takes some milliseconds: not more often than this
COUNT_MS = 120
#: so many rows beside the current one stay in sight: where one comes from, and what is next
BEFORE, AFTER = 1, 3


class QueuePanel(QWidget):
    """Shows the queue, and says which face was chosen. ``left``: the person is through with what is above the list."""

    chosen = Signal(int)
    left = Signal()

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setObjectName("queuePanel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.thumbnails = Thumbnails(self)
        self.model = QueueModel(self.thumbnails, self)
        self._current: int | None = None
        self._make()
        # changes come in bursts: count, and take a new order, once after each
        self._recount = QTimer(self)
        self._recount.setSingleShot(True)
        self._recount.setInterval(COUNT_MS)
        self._recount.timeout.connect(self._show_counts)
        self._reorder = QTimer(self)
        self._reorder.setSingleShot(True)
        self._reorder.setInterval(COUNT_MS)
        self._reorder.timeout.connect(self._take_order)
        self._coming: tuple[Document | None, Queue] = (None, Queue())
        self.model.touched.connect(lambda row: self.view.update(self.model.index(row)))
        theme.news().changed.connect(self.view.viewport().update)
        self._show_counts()

    def _make(self) -> None:
        self.title = QLabel("Queue", self)
        theme.set_role(self.title, "heading")
        self.count = QLabel(self)
        theme.set_role(self.count, "muted")
        self.filter = QComboBox(self)
        self.filter.setAccessibleName("Filter by state")
        self.filter.setToolTip("Which faces to list")
        for key, title in FILTERS.items():
            self.filter.addItem(title, key)
        theme.set_role(self.filter, "quiet")
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Find by file name")
        self.search.setToolTip(as_here("A part of the name (Ctrl+F); Return goes to the first one, Esc lists all"))
        self.search.setAccessibleName("Find by file name")
        self.search.setClearButtonEnabled(True)
        self.view = QListView(self)
        self.view.setModel(self.model)
        self.view.setItemDelegate(QueueDelegate(self.view))
        self.view.setUniformItemSizes(True)
        self.view.setMouseTracking(True)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.view.verticalScrollBar().setSingleStep(ROW // 2)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setAccessibleName("Queue of faces")
        self.empty = QLabel(self)
        self.empty.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        theme.set_role(self.empty, "muted")

        top = QHBoxLayout()
        top.addWidget(self.title)
        top.addStretch(1)
        top.addWidget(self.filter)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 10, 0, 0)
        box.setSpacing(6)
        head = QVBoxLayout()
        head.setContentsMargins(14, 0, 10, 0)
        head.setSpacing(6)
        head.addLayout(top)
        head.addWidget(self.count)
        head.addWidget(self.search)
        box.addLayout(head)
        box.addWidget(self.empty)
        box.addWidget(self.view, 1)

        self.filter.currentIndexChanged.connect(self._refilter)
        self.search.textChanged.connect(self._refilter)
        self.search.returnPressed.connect(self._choose_first)
        self.search.installEventFilter(self)
        self.filter.activated.connect(lambda _: self.left.emit())
        self.view.clicked.connect(self._choose)
        self.view.activated.connect(self._choose)
        self.view.verticalScrollBar().valueChanged.connect(self._tell_visible)

    # -- observing -------------------------------------------------------------------------------

    def open(
        self,
        document: Document | None,
        queue: Queue,
        load: Load | None,
        expected: Callable[[int], float | None] | None = None,
    ) -> None:
        """Show another project, or none.

        :param expected: expected mean error in % of a face's prediction, by its id; ``None`` without one
        """
        self.model.expected = expected or (lambda _: None)
        self.thumbnails.start(load)
        self._current = None
        self.model.set_current(None)
        self.show_queue(document, queue)

    def show_queue(self, document: Document | None, queue: Queue, soon: bool = False) -> None:
        """Show a new order; the current row stays in sight.

        :param soon: together with other changes that come meanwhile
        """
        self._coming = document, queue
        if not soon:
            self._take_order()
        elif not self._reorder.isActive():
            self._reorder.start()

    def _take_order(self) -> None:
        self._reorder.stop()
        self.model.show(*self._coming)
        self._reveal()
        self._show_counts()

    def show_current(self, face_id: int | None) -> None:
        self._current = face_id
        self.model.set_current(face_id)
        self._reveal()

    def faces_changed(self, face_ids: Iterable[int], states: bool = True) -> None:
        """Redraw some rows.

        :param states: their states may have changed: count again, too
        """
        self.model.touch(face_ids)
        if states and not self._recount.isActive():
            self._recount.start()

    def looks_changed(self) -> None:
        """Near-identical photos were found: draw what is in sight anew."""
        self.view.viewport().update()

    def expected_changed(self) -> None:
        """Every expected error may be another one: draw what is in sight anew."""
        self.view.viewport().update()

    def _reveal(self) -> None:
        row = self.model.row_of(self._current)
        if row is not None:
            self.view.setCurrentIndex(self.model.index(row))
            around = () if self.view.underMouse() else (row - BEFORE, row + AFTER)  # or a second click hits another row
            for near in (*around, row):
                index = self.model.index(min(max(near, 0), self.model.rowCount() - 1))
                self.view.scrollTo(index, QAbstractItemView.ScrollHint.EnsureVisible)
        self._tell_visible()

    def _tell_visible(self) -> None:
        first = self.view.indexAt(self.view.viewport().rect().topLeft()).row()
        count = self.view.viewport().height() // ROW + 2
        rows = range(max(first, 0), max(first, 0) + count)
        faces = (self.model.face_at(row) for row in rows)
        self.thumbnails.show_only(frozenset(face for face in faces if face is not None))

    def _show_counts(self) -> None:
        counts = self.model.counts()
        for row, (key, title) in enumerate(FILTERS.items()):
            self.filter.setItemText(row, f"{title}  {counts[key]:,}")
        self.count.setText(f"{counts['labelled']:,} of {counts['all']:,} labelled")
        if self.model.refilter():
            self._reveal()
        self._show_empty()

    def _show_empty(self) -> None:
        empty = self.model.rowCount() == 0
        self.empty.setVisible(empty)
        self.empty.setText("No face here." if len(self._coming[1]) else "No faces yet.")

    def _refilter(self) -> None:
        self.model.set_filter(str(self.filter.currentData()), self.search.text().strip())
        self._show_empty()
        self._reveal()

    def find_by_name(self) -> None:
        """Let the person type a part of a file's name."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if watched is self.search and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            if event.type() == QEvent.Type.KeyPress:
                self.search.clear()
                self.left.emit()
            event.accept()
            return True
        return super().eventFilter(watched, event)

    def _choose_first(self) -> None:
        """Go to the first face that is listed, unless the present one is listed, too."""
        if self.model.row_of(self._current) is not None:
            self.left.emit()
            return
        faces = (self.model.face_at(row) for row in range(self.model.rowCount()))
        first = next((face for face in faces if face is not None), None)
        if first is not None:
            self.chosen.emit(first)

    def _choose(self, index: QModelIndex) -> None:
        face_id = self.model.face_at(index.row())
        if face_id is not None:
            self.chosen.emit(face_id)
