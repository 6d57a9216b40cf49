"""The landmark panel: every landmark of the current face by name, and the six attributes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import ATTRIBUTES, Face, Flag, Prediction, State
from scaf_gui.core.scheme import Scheme
from scaf_gui.gui import theme
from scaf_gui.gui.act import ATTRIBUTE_TIPS
from scaf_gui.gui.canvas.shown import UNSURE_ABOVE
from scaf_gui.gui.flag_legend import FlagLegend
from scaf_gui.gui.group_button import GroupButton
from scaf_gui.gui.key_names import as_here

Index = QModelIndex | QPersistentModelIndex
_COLUMNS = ("Landmark", "Flag", "Error %", "Set by")
_ROW_TOO = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
_FLAG_NAMES = {Flag.VISIBLE: "visible", Flag.OCCLUDED: "occluded", Flag.MISSING: "missing"}
#: short names of the attributes, in their order
_ATTRIBUTE_TITLES = ("Pose", "Expression", "Light", "Make-up", "Occlusion", "Blur")


class LandmarkModel(QAbstractTableModel):
    """One row per landmark of the scheme."""

    def __init__(self, parent: QObject | None = None):
        super().__init__(parent)
        self._scheme: Scheme | None = None
        self._face: Face | None = None
        self._prediction: Prediction | None = None
        self._expected: FloatArray | None = None

    def show(
        self,
        scheme: Scheme | None,
        face: Face | None,
        prediction: Prediction | None,
        expected: FloatArray | None = None,
    ) -> None:
        """Show another face; the rows stay while the scheme stays."""
        if scheme is not self._scheme:
            self.beginResetModel()
            self._scheme = scheme
            self.endResetModel()
        self._face, self._prediction = face, prediction
        self._expected = expected
        if self.rowCount():
            self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, len(_COLUMNS) - 1))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008
        return 0 if parent.isValid() or self._scheme is None else self._scheme.num_landmarks

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008
        return len(_COLUMNS)

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return _COLUMNS[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return (
                "Name in the landmark scheme",
                "Visible, occluded or missing",
                "How far off the model's landmark is expected to be, in % of the distance between the eyes.\n"
                "Contours and other curves: across them. Above 3 % it is ringed on the face.",
                "hand: placed by a person; model: from the prediction",
            )[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if self._scheme is None:
            return None
        landmark, column = index.row(), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(landmark, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._where(landmark)
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._colour(landmark, column)
        return None

    def _flag(self, landmark: int) -> Flag | None:
        label = self._face.label if self._face is not None else None
        return Flag(int(label.flags[landmark])) if label is not None and not self._awaits(landmark) else None

    def _awaits(self, landmark: int) -> bool:
        """Whether a landmark of a face that is being placed by hand has not had its turn: nobody said it is missing."""
        label = self._face.label if self._face is not None else None
        if label is None or label.based_on or self._accepted():
            return False
        return bool(label.flags[landmark] == Flag.MISSING and not label.placed[landmark])

    def _text(self, landmark: int, column: int) -> str:
        assert self._scheme is not None
        label = self._face.label if self._face is not None else None
        match column:
            case 0:
                return self._scheme.names[landmark].replace("_", " ")
            case 1:
                flag = self._flag(landmark)
                return _FLAG_NAMES[flag] if flag is not None else "to place" if self._awaits(landmark) else ""
            case 2:
                return self._error(landmark)
        if label is not None and label.placed[landmark]:
            return "hand"
        by_model = self._prediction is not None if label is None else bool(label.based_on)
        return "model" if by_model else ""

    def _error(self, landmark: int) -> str:
        """The expected error, while it is the model's landmark that is shown."""
        label = self._face.label if self._face is not None else None
        by_person = label is not None and (label.placed[landmark] or self._accepted())
        return "" if self._expected is None or by_person else f"~{self._expected[landmark]:.1f}"

    def _accepted(self) -> bool:
        return self._face is not None and self._face.state is State.LABELLED

    def _where(self, landmark: int) -> str:
        assert self._scheme is not None
        label = self._face.label if self._face is not None else None
        points = label.points if label is not None else self._prediction.points if self._prediction else None
        name = f"{landmark}: {self._scheme.names[landmark]}"
        if points is None or not np.isfinite(points[landmark]).all():
            return name
        return f"{name} at ({points[landmark][0]:.1f}, {points[landmark][1]:.1f})"

    def _colour(self, landmark: int, column: int) -> object:
        if column == 1 and self._flag(landmark) in (Flag.OCCLUDED, Flag.MISSING):
            return theme.colour("warning")
        if column == 3 and self._text(landmark, 3) == "hand":
            return theme.colour("labelled")
        if column == 2 and self._expected is not None and self._expected[landmark] > UNSURE_ABOVE:
            return theme.colour("warning")
        return theme.colour("text" if column == 0 else "muted")


class LandmarkPanel(QWidget):
    """Says which landmark was chosen in the list and which attribute was toggled.

    The list comes last: it alone gives way to what grows and folds below, so that no button moves under the mouse.

    :param above: shown above the list
    """

    chosen = Signal(int)
    attribute_toggled = Signal(int)

    def __init__(self, parent: QWidget | None = None, above: QWidget | None = None):
        super().__init__(parent)
        self.model = LandmarkModel(self)
        self._shown_id: int | None = None
        self.title = QLabel("Landmarks", self)
        theme.set_role(self.title, "heading")
        self.groups = GroupButton(self)
        self.summary = QLabel(self)
        theme.set_role(self.summary, "muted")
        self.table = QTableView(self)
        self.table.setModel(self.model)
        self._set_up_table()
        self.attributes = self._make_attributes()
        head = QHBoxLayout()
        head.setContentsMargins(14, 0, 12, 0)
        head.addWidget(self.title)
        head.addWidget(self.groups)
        head.addStretch(1)
        head.addWidget(self.summary)
        grid = QGridLayout()
        grid.setContentsMargins(12, 2, 12, 4)
        grid.setSpacing(5)
        for place, button in enumerate(self.attributes):
            grid.addWidget(button, place // 3, place % 3)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 10, 0, 6)
        box.setSpacing(6)
        box.addLayout(head)
        box.addLayout(grid)
        if above is not None:
            box.addWidget(above)
        inset = QHBoxLayout()
        inset.setContentsMargins(8, 0, 0, 0)
        inset.addWidget(self.table)
        box.addLayout(inset, 1)
        box.addWidget(FlagLegend(self))
        self.table.selectionModel().currentRowChanged.connect(self._choose)
        theme.news().changed.connect(self.table.viewport().update)
        self.show_face(None, None, None)

    def _set_up_table(self) -> None:
        table = self.table
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(22)
        table.setShowGrid(False)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # by mouse it does not take the keys away from the canvas
        table.setTabKeyNavigation(False)
        table.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # sides and numbers stand at the ends of names
        table.setWordWrap(False)  # or a name is cut once for each line that it would take
        table.setAccessibleName("Landmarks of this face")
        header = table.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        header.setMinimumSectionSize(40)
        for column, width in ((1, 64), (2, 53), (3, 54)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            table.setColumnWidth(column, width)

    def _make_attributes(self) -> tuple[QPushButton, ...]:
        made = []
        for place, (key, title) in enumerate(zip(ATTRIBUTES, _ATTRIBUTE_TITLES, strict=True)):
            tip = ATTRIBUTE_TIPS[key].capitalize()
            button = QPushButton(title, self)
            button.setCheckable(True)
            button.setToolTip(as_here(f"{tip}: WFLW attribute '{key}' (Alt+{place + 1})"))
            theme.set_role(button, "chip")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys to the canvas
            button.clicked.connect(lambda _checked, place=place: self.attribute_toggled.emit(place))
            made.append(button)
        return tuple(made)

    def show_face(
        self,
        scheme: Scheme | None,
        face: Face | None,
        prediction: Prediction | None,
        expected: FloatArray | None = None,
    ) -> None:
        """Show what is known of a face.

        :param expected: (num_landmarks,) expected errors of the prediction in %, as on the canvas
        """
        self.model.show(scheme, face, prediction, expected)
        shown_id = face.id if face is not None else None
        if shown_id != self._shown_id:  # of another face from the first landmark on
            self._shown_id = shown_id
            self.table.scrollToTop()
        self.groups.show_scheme(scheme)
        for place, button in enumerate(self.attributes):
            button.setEnabled(face is not None)
            button.setChecked(face is not None and face.attributes[place])
        placed = int(face.label.placed.sum()) if face is not None and face.label is not None else 0
        count = scheme.num_landmarks if scheme is not None else 0
        self.summary.setText(f"{placed} of {count} by hand" if count else "")

    def show_selected(self, landmarks: Sequence[int]) -> None:
        """Follow the canvas's selection without answering it. :param landmarks: the one that keys act from first"""
        selection = self.table.selectionModel()
        selection.blockSignals(True)
        if landmarks:
            self.table.selectRow(landmarks[0])
            for landmark in landmarks[1:]:
                selection.select(self.model.index(landmark, 0), _ROW_TOO)
            self.table.scrollTo(self.model.index(landmarks[0], 0))
        else:
            self.table.clearSelection()
        selection.blockSignals(False)
        self.table.viewport().update()

    def _choose(self, current: QModelIndex) -> None:
        if current.isValid():
            self.chosen.emit(current.row())
