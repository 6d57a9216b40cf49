"""The bar below the canvas: which face this is, and the two things one does with it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from scaf_gui.core.face import Face, State
from scaf_gui.gui import theme
from scaf_gui.gui.queue_model import STATE_NAMES


class FaceBar(QWidget):
    """Says "accept" and "skip" for those who do not know the keys yet."""

    accept_asked = Signal()
    skip_asked = Signal()

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.name = QLabel(self)
        self.name.setTextFormat(Qt.TextFormat.PlainText)
        self.name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.state = QLabel(self)
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        theme.set_role(self.state, "muted")
        self.skip = QPushButton("Skip", self)
        self.skip.setToolTip("Put this face aside and go to the next one (S)")
        self.accept = QPushButton("Accept and next", self)
        self.accept.setToolTip("Stand for these landmarks and go to the next face (Return)")
        theme.set_role(self.accept, "primary")
        for button in (self.skip, self.accept):
            # a click must not take the keys away from the canvas
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setIconSize(QSize(16, 16))
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 7, 12, 7)
        row.setSpacing(8)
        row.addWidget(self.name, 1)
        row.addWidget(self.state)
        row.addSpacing(6)
        row.addWidget(self.skip)
        row.addWidget(self.accept)
        self.accept.clicked.connect(self.accept_asked)
        self.skip.clicked.connect(self.skip_asked)
        theme.news().changed.connect(self._dress)
        self._dress()
        self.show_face(None, False)

    def show_face(self, face: Face | None, acceptable: bool, which: str = "") -> None:
        """
        :param acceptable: whether there are landmarks to stand for
        :param which: "face 2 of 3" where the photo has several
        """
        name = "" if face is None else face.image.replace("\n", " ")
        self.name.setText(f"{name}  ·  {which}" if which else name)
        self.name.setToolTip("" if face is None else face.image)
        state = None if face is None else face.state
        # "to do" goes without saying
        self.state.setText("" if state in (None, State.UNLABELLED) else STATE_NAMES[state])
        theme.set_role(self.state, "good" if state is State.LABELLED else "muted")
        self.accept.setEnabled(face is not None and acceptable)
        self.skip.setEnabled(face is not None)

    def _dress(self) -> None:
        self.accept.setIcon(theme.icon("check", "on_accent"))
        self.skip.setIcon(theme.icon("skip", "muted"))
