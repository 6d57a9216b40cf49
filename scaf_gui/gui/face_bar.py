"""The bar below the canvas: which face this is, and the two things one does with it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLayout, QPushButton, QSizePolicy, QWidget

from scaf_gui.core.face import Face, State
from scaf_gui.gui import theme
from scaf_gui.gui.key_names import as_here
from scaf_gui.gui.queue_model import STATE_NAMES

#: so much of what looks odd comes before name, state and "fine", pixels
_READABLE = 140
_ACCEPT = "Accept and next"


class FaceBar(QWidget):
    """Says "accept" and "skip" for those who do not know the keys yet."""

    accept_asked = Signal()
    skip_asked = Signal()

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setObjectName("panel")
        self._reasons: tuple[str, ...] = ()
        self._name = self._doubt = ""
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.name = QLabel(self)
        self.name.setTextFormat(Qt.TextFormat.PlainText)
        self.name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.name.setMinimumWidth(80)
        self.state = QLabel(self)
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        theme.set_role(self.state, "muted")
        self.skip = QPushButton("Skip", self)
        self.skip.setToolTip("Put this face aside and go to the next one (S)")
        self.accept = QPushButton(_ACCEPT, self)
        self.accept.setToolTip("Stand for these landmarks and go to the next face (Return)")
        theme.set_role(self.accept, "primary")
        # how many landmarks are worth a look: a click goes to the next
        self.doubt = QPushButton(self)
        self.doubt.setAccessibleName("Landmarks worth a look")
        theme.set_role(self.doubt, "chip")
        # what the label check has to say: calm, and never in the way of "accept"
        self.odd = QPushButton(self)
        self.odd.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.odd.setAccessibleName("What looks odd in this face")
        theme.set_role(self.odd, "quiet")
        self.fine = QPushButton("Fine", self)
        self.fine.setToolTip("It is fine as it is: do not say so again while the landmarks stay")
        theme.set_role(self.fine, "chip")
        for button in (self.skip, self.accept, self.doubt, self.odd, self.fine):
            # a click must not take the keys away from the canvas
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setIconSize(QSize(16, 16))
        row = QHBoxLayout(self)
        row.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)  # what it says never moves the canvas beside it
        row.setContentsMargins(14, 7, 12, 7)
        row.setSpacing(8)
        row.addWidget(self.name, 1)
        row.addStretch(0)  # takes the room where the name does not fit
        row.addWidget(self.doubt)
        row.addWidget(self.odd)
        row.addWidget(self.fine)
        row.addWidget(self.state)
        row.addSpacing(6)
        row.addWidget(self.skip)
        row.addWidget(self.accept)
        self.accept.clicked.connect(self.accept_asked)
        self.skip.clicked.connect(self.skip_asked)
        theme.news().changed.connect(self._dress)
        self._dress()
        self.show_face(None, False)
        self.show_findings(())
        self.show_doubt(0)

    def show_face(self, face: Face | None, acceptable: bool, which: str = "", *, blind: bool = False) -> None:
        """
        :param acceptable: whether there are landmarks to stand for
        :param which: "face 2 of 3" where the photo has several
        :param blind: whether it was labelled without a prediction in sight
        """
        name = "" if face is None else face.image.replace("\n", " ")
        self._name = f"{name}  ·  {which}" if which else name
        self.name.setToolTip("" if face is None else face.image)
        state = None if face is None else face.state
        # "to do" goes without saying
        text = "" if state in (None, State.UNLABELLED) else STATE_NAMES[state]
        self.state.setText(f"{text}, blind" if text and blind else text)
        self.state.setToolTip("Its landmarks were placed without a pre-fill" if text and blind else "")
        theme.set_role(self.state, "good" if state is State.LABELLED else "muted")
        self.accept.setEnabled(face is not None and acceptable)
        self.skip.setEnabled(face is not None)
        self._make_room()

    def show_doubt(self, left: int, *, begun: bool = False, ended: bool = False) -> None:
        """Say how many landmarks are worth a look; nothing, where none was.

        :param begun: whether some were looked at
        :param ended: whether the walk over them has come to its end: what is left is to accept
        """
        if ended:
            text = "All looked at · Return accepts"
        elif begun:
            text = f"{left} more worth a look · Q" if left else "None left · Return accepts"
        else:
            text = f"{left} worth a look · Q"
        shown = bool(left) or begun or ended
        self._doubt = text if shown else ""
        self.doubt.setToolTip(as_here("Go to the landmark that is most likely off (Q); Shift+Q goes back"))
        self.doubt.setVisible(shown)
        self._make_room()

    def show_findings(self, reasons: Sequence[str]) -> None:
        """Say the first of what looks odd; nothing, where nothing does."""
        self._reasons = tuple(reasons)
        what_to_do = "Click to go to the landmark. It may well be fine: accept as ever."
        self.odd.setToolTip("\n".join([*reasons, "", what_to_do]))
        self.odd.setVisible(bool(reasons))
        self._make_room()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """Say as much as there is room for beside the buttons; of what looks odd, all stands in the tool tip.

        What looks odd comes before what is said elsewhere: in a narrow window the file's name goes first, then the
        state (the list has both), then "fine", then words of "accept" and of how many landmarks are worth a look.
        """
        more = f"  +{len(self._reasons) - 1}" if len(self._reasons) > 1 else ""
        self.odd.setText(more)
        self._shorten()
        room = self.width() - 36 - sum(w.sizeHint().width() + 8 for w in (self.skip, self.accept))
        room -= 0 if self.doubt.isHidden() else self.doubt.sizeHint().width() + 8
        room -= self.odd.sizeHint().width() + 12 if self._reasons else 0
        wide = self.odd.fontMetrics().horizontalAdvance(self._reasons[0]) + 4 if self._reasons else 0
        wanted = min(wide, _READABLE)
        for widget, on, width in (
            (self.fine, bool(self._reasons), self.fine.sizeHint().width()),
            (self.state, bool(self.state.text()), self.state.sizeHint().width()),
            (self.name, True, self.name.minimumWidth()),
        ):
            fits = room - wanted >= width + 8
            widget.setVisible(on and fits)
            room -= width + 8 if on and fits else 0
        if not self.name.isHidden():  # in its middle least is said
            wide_name = self.name.minimumWidth() + max(0, room - wide)
            self.name.setText(self.name.fontMetrics().elidedText(self._name, Qt.TextElideMode.ElideMiddle, wide_name))
        if self._reasons and room >= 40:
            reason = self.odd.fontMetrics().elidedText(self._reasons[0], Qt.TextElideMode.ElideRight, room)
            self.odd.setText(reason + more)

    def _shorten(self) -> None:
        """A button never loses a part of its words: it has fewer."""
        self.accept.setText(_ACCEPT)
        shown = bool(self._doubt)
        self.doubt.setText(self._doubt)
        always = (self.skip, self.accept, self.odd) if self._reasons else (self.skip, self.accept)
        needed = 44 + sum(w.sizeHint().width() + 8 for w in always)
        if shown and needed + self.doubt.sizeHint().width() + 8 > self.width():
            many, key = self._doubt.split(" · ")
            self.doubt.setText(f"{many.split()[0]} · {key}" if many[0].isdigit() else key)
        if needed + (self.doubt.sizeHint().width() + 8) * shown > self.width():
            self.accept.setText(_ACCEPT.split()[0])

    def _dress(self) -> None:
        self.odd.setIcon(theme.icon("warning", "warning"))
        self.accept.setIcon(theme.icon("check", "on_accent"))
        self.skip.setIcon(theme.icon("skip", "muted"))
