"""The start screen: open a folder, go on with a recent project, or try the sample."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from scaf_gui.gui import theme

#: recent projects that are listed
MOST = 5


class Tile(QPushButton):
    """A large button: icon, title and a line that says what happens."""

    def __init__(self, icon: str, title: str, text: str, parent: QWidget):
        super().__init__(parent)
        self._icon = icon
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.set_role(self, "tile")
        self._sign = QLabel(self)
        head = QLabel(title, self)
        theme.set_role(head, "heading")
        self._text = text
        self._line = line = QLabel(text, self)
        line.setWordWrap(True)
        theme.set_role(line, "muted")
        for label in (self._sign, head, line):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        box = QVBoxLayout(self)
        box.setContentsMargins(18, 16, 16, 14)
        box.setSpacing(6)
        box.addWidget(self._sign)
        box.addSpacing(4)
        box.addWidget(head)
        box.addWidget(line)
        box.addStretch(1)
        self.setMinimumHeight(132)
        self.dress()

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(220, 132)

    def say(self, text: str) -> None:
        """What it is at; "" for what it is there for."""
        self._line.setText(text or self._text)

    def dress(self) -> None:
        self._sign.setPixmap(theme.picture(self._icon, 28, "accent", self.devicePixelRatioF()))


class StartScreen(QWidget):
    """Says what a person would like to begin with."""

    folder_asked = Signal()
    project_asked = Signal()
    sample_asked = Signal()
    recent_asked = Signal(object)  # Path

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setObjectName("startScreen")
        self._logo = QLabel(self)
        name = QLabel("SCAF GUI", self)
        theme.set_role(name, "big")
        what = QLabel("Label facial landmarks with a model that learns from every correction.", self)
        theme.set_role(what, "muted")
        self.folder = Tile("folder", "Open folder", "Photos of faces on your disk. Only read, never changed.", self)
        self.project = Tile("project", "Open project", "Go on with a project file (.scaf).", self)
        self.sample = Tile("face", "Try the sample", "24 rendered faces, ready in a few seconds.", self)
        self.folder.clicked.connect(self.folder_asked)
        self.project.clicked.connect(self.project_asked)
        self.sample.clicked.connect(self.sample_asked)
        self._recent_title = QLabel("Recent projects", self)
        theme.set_role(self._recent_title, "heading")
        self._recent = QVBoxLayout()
        self._rows: list[QWidget] = []
        self._recent.setSpacing(2)
        self.hint = QLabel("or drop a folder or a project anywhere in this window", self)
        theme.set_role(self.hint, "muted")

        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(name)
        words.addWidget(what)
        head = QHBoxLayout()
        head.setSpacing(20)
        head.addWidget(self._logo)
        head.addLayout(words)
        head.addStretch(1)
        tiles = QHBoxLayout()
        tiles.setSpacing(14)
        for tile in (self.folder, self.project, self.sample):
            tiles.addWidget(tile, 1)
        column = QWidget(self)
        column.setMaximumWidth(780)
        box = QVBoxLayout(column)
        box.setSpacing(0)
        box.addLayout(head)
        box.addSpacing(30)
        box.addLayout(tiles)
        box.addSpacing(12)
        box.addWidget(self.hint)
        box.addSpacing(26)
        box.addWidget(self._recent_title)
        box.addSpacing(6)
        box.addLayout(self._recent)
        across = QHBoxLayout()
        across.addStretch(1)
        across.addWidget(column, 8)
        across.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 12, 24, 24)
        outer.addStretch(2)
        outer.addLayout(across)
        outer.addStretch(3)
        theme.news().changed.connect(self._dress)
        self._dress()
        self.show_recent(())

    def show_recent(self, projects: Sequence[Path]) -> None:
        """List projects, newest first; those that are gone are left out."""
        for row in self._rows:
            self._recent.removeWidget(row)
            row.deleteLater()
        self._rows.clear()
        there = [path for path in projects if path.is_file()][:MOST]
        for path in there:
            self._rows.append(self._row(path))
            self._recent.addWidget(self._rows[-1])
        self._recent_title.setVisible(bool(there))

    def recent_buttons(self) -> list[QPushButton]:
        return [button for row in self._rows for button in row.findChildren(QPushButton)]

    def _row(self, path: Path) -> QWidget:
        row = QWidget(self)
        button = QPushButton(path.stem, row)
        button.setToolTip(str(path))
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        theme.set_role(button, "link")
        button.setMinimumWidth(150)
        button.clicked.connect(lambda: self.recent_asked.emit(path))
        where = QLabel(row)
        where.setTextFormat(Qt.TextFormat.PlainText)
        where.setText(_short(path.parent))
        theme.set_role(where, "muted")
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(12)
        line.addWidget(button)
        line.addWidget(where, 1)
        return row

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour("window"))

    def _dress(self) -> None:
        self._logo.setPixmap(theme.picture("scaf-gui", 72, ratio=self.devicePixelRatioF()))
        for tile in (self.folder, self.project, self.sample):
            tile.dress()


def _short(folder: Path) -> str:
    """The user's own folder as ``~``."""
    try:
        return "~/" + folder.relative_to(Path.home()).as_posix()
    except ValueError:
        return str(folder)
