"""Asked once per folder: where the project goes, which landmarks, how the faces are found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from scaf_gui.core.scheme import Scheme
from scaf_gui.gui import theme
from scaf_gui.gui.detector_choice import DetectorChoice
from scaf_gui.gui.scheme_choice import SchemeChoice

#: box source -> what it means to a person
_SOURCES = (
    ("detector", "Find the faces in the photos", "A face detector looks in the background; you can start at once."),
    ("whole", "Every image is one face", "For images that are already cropped around the face."),
    ("landmarks", "Take them from landmark files", "A folder of .pts files named like the images."),
    ("file", "Take them from a file of boxes", "A WFLW list, a .mat file of 300-W, or a CSV table of boxes."),
)
#: suffix -> kind of box file; any other is a WFLW list
_KINDS = {".mat": "mat", ".csv": "csv"}
#: so much of the folder's name is shown at most, pixels
_NAME_WIDTH = 480


@dataclass(frozen=True)
class NewProject:
    """What was chosen, as :func:`scaf_gui.session.project.new_project` takes it."""

    path: Path
    scheme_id: str
    boxes: str
    detector: str = "mtcnn"


class NewProjectDialog(QDialog):
    """Filled in from the start, so that Enter is enough."""

    def __init__(
        self,
        folder: Path,
        images: int,
        path: Path,
        schemes: list[Scheme],
        parent: QWidget | None = None,
        detector: str = "mtcnn",
    ):
        """:param detector: the one that the settings name"""
        super().__init__(parent)
        self.setWindowTitle("New project")
        self.setMinimumWidth(560)
        name = folder.name or str(folder)
        title = QLabel(self)
        theme.set_role(title, "title")
        title.ensurePolished()  # a long name does not widen the dialog beyond the screen
        shown = title.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, _NAME_WIDTH)
        title.setText(f"New project from “{shown}”")
        title.setTextFormat(Qt.TextFormat.PlainText)
        title.setToolTip(name if shown != name else "")
        count = QLabel(f"{images:,} image{'s' if images != 1 else ''}. They are only read, never changed.", self)
        theme.set_role(count, "muted")

        self.path = QLineEdit(str(path), self)
        self.path.setAccessibleName("Project file")
        browse = QPushButton("Change…", self)
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse_path)
        self.scheme = SchemeChoice(schemes, self)
        self._sources = QButtonGroup(self)
        self.detector = DetectorChoice(self)
        self.detector.value = detector
        self.landmark_folder = QLineEdit(self)
        self.landmark_folder.setPlaceholderText("Folder of .pts files")
        self.landmark_folder.setAccessibleName("Folder of landmark files")
        self._browse_landmarks = QPushButton("Choose…", self)
        self._browse_landmarks.setAutoDefault(False)
        self._browse_landmarks.clicked.connect(self._choose_landmarks)
        self.box_file = QLineEdit(self)
        self.box_file.setPlaceholderText("list_98pt_rect_attr_….txt, bounding_boxes_….mat, boxes.csv")
        self.box_file.setAccessibleName("File of boxes")
        self._browse_boxes = QPushButton("Choose…", self)
        self._browse_boxes.setAutoDefault(False)
        self._browse_boxes.clicked.connect(self._choose_boxes)
        self.trouble = QLabel(self)
        self.trouble.setWordWrap(True)
        self.trouble.setTextFormat(Qt.TextFormat.PlainText)
        theme.set_role(self.trouble, "error")

        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self._name("Project file", self.path), 0, 0)
        grid.addWidget(self.path, 0, 1)
        grid.addWidget(browse, 0, 2)
        landmarks = self._name("Landmarks", self.scheme)
        landmarks.setMinimumHeight(self.scheme.kind.sizeHint().height())  # level with the list, not with the file below
        grid.addWidget(landmarks, 1, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self.scheme, 1, 1, 1, 2)
        grid.addWidget(self._name("Faces"), 2, 0, Qt.AlignmentFlag.AlignTop)
        grid.addLayout(self._make_sources(), 2, 1, 1, 2)

        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.create_button = buttons.addButton("Create project", QDialogButtonBox.ButtonRole.AcceptRole)
        self.create_button.setDefault(True)
        theme.set_role(self.create_button, "primary")
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        box = QVBoxLayout(self)
        box.setContentsMargins(22, 18, 22, 16)
        box.setSpacing(4)
        box.addWidget(title)
        box.addWidget(count)
        box.addSpacing(14)
        box.addLayout(grid)
        box.addSpacing(6)
        box.addWidget(self.trouble)
        box.addWidget(buttons)
        self.path.textChanged.connect(self._check)
        self.scheme.changed.connect(self._check)
        self.landmark_folder.textChanged.connect(self._check)
        self.box_file.textChanged.connect(self._check)
        self.detector.changed.connect(self._check)
        self._sources.idClicked.connect(self._check)
        self._check()
        self.create_button.setFocus()

    def choice(self) -> NewProject:
        """What the fields say now."""
        path = Path(self.path.text().strip()).expanduser()
        source = _SOURCES[self._sources.checkedId()][0]
        boxes = f"landmarks:{self.landmark_folder.text().strip()}" if source == "landmarks" else source
        if source == "file":
            name = self.box_file.text().strip()
            boxes = f"{_KINDS.get(Path(name).suffix.lower(), 'wflw')}:{name}"
        path = path.with_suffix(".scaf") if path.name else path
        return NewProject(path, self.scheme.value, boxes, self.detector.value)

    def accept(self) -> None:
        """Look into the detector's file before anything is made."""
        trouble = self.detector.open_trouble() if self.choice().boxes == "detector" else ""
        if trouble:
            self._say(trouble)
        else:
            super().accept()

    def choose_source(self, source: str) -> None:
        """Pick a way of finding faces: "detector", "whole", "landmarks" or "file"."""
        place = [key for key, _, _ in _SOURCES].index(source)
        self._sources.button(place).setChecked(True)
        self._check()

    def _name(self, text: str, buddy: QWidget | None = None) -> QLabel:
        label = QLabel(text, self)
        theme.set_role(label, "muted")
        if buddy is not None:
            label.setBuddy(buddy)
        return label

    def _make_sources(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(2)
        for place, (_, title, text) in enumerate(_SOURCES):
            radio = QRadioButton(title, self)
            radio.setChecked(place == 0)
            self._sources.addButton(radio, place)
            note = QLabel(text, self)
            theme.set_role(note, "muted")
            note.setContentsMargins(24, 0, 0, 5)
            column.addWidget(radio)
            column.addWidget(note)
            if place == 0:
                indented = QHBoxLayout()
                indented.setContentsMargins(24, 0, 0, 8)
                indented.addWidget(self.detector)
                column.addLayout(indented)
        row = QHBoxLayout()
        row.setContentsMargins(24, 0, 0, 0)
        for field, browse in ((self.landmark_folder, self._browse_landmarks), (self.box_file, self._browse_boxes)):
            row.addWidget(field, 1)
            row.addWidget(browse)
        column.addLayout(row)
        return column

    def _check(self) -> None:
        """Say what is missing instead of letting Create fail."""
        source = _SOURCES[self._sources.checkedId()][0]
        landmarks, file = source == "landmarks", source == "file"
        self.detector.setVisible(source == "detector")
        for widget in (self.landmark_folder, self._browse_landmarks):
            widget.setVisible(landmarks)
        for widget in (self.box_file, self._browse_boxes):
            widget.setVisible(file)
        trouble = ""
        path = self.choice().path
        if not self.path.text().strip():
            trouble = "Say where the project file goes."
        elif path.exists():
            trouble = f"{path.name} is there already: choose another name, or cancel and open it as a project."
        elif scheme := self.scheme.trouble():
            trouble = scheme
        elif landmarks and not (given := self.landmark_folder.text().strip()):
            trouble = "Choose the folder of the landmark files."
        elif landmarks and not Path(given).is_dir():
            trouble = f"{given} is not a folder. Choose the folder of the landmark files."
        elif file and not (given := self.box_file.text().strip()):
            trouble = "Choose the file of the boxes."
        elif file and not Path(given).is_file():
            trouble = f"{given} is not a file. Choose the file of the boxes."
        elif source == "detector":
            trouble = self.detector.trouble()
        self._say(trouble)

    def _say(self, trouble: str) -> None:
        self.trouble.setText(trouble)
        self.trouble.setVisible(bool(trouble))
        self.create_button.setEnabled(not trouble)

    def _browse_path(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Project file", self.path.text(), "SCAF project (*.scaf)")
        if name:
            self.path.setText(name)

    def _choose_boxes(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self, "File of boxes", self.box_file.text(), "Boxes (*.txt *.mat *.csv);;All files (*)"
        )
        if name:
            self.box_file.setText(name)

    def _choose_landmarks(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Folder of .pts files", self.landmark_folder.text())
        if name:
            self.landmark_folder.setText(name)
