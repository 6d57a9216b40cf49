"""Brightness, contrast and the like of the photo on the canvas: remembered with the project, and held off to compare.

Only the canvas's painting is told of them; images, predictions and labels are not.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QPushButton, QWidget

from scaf_gui.errors import ScafError
from scaf_gui.gui import theme
from scaf_gui.gui.acts import BY_ID
from scaf_gui.gui.aids_panel import MOVES, AidsPanel, corner
from scaf_gui.gui.canvas import Canvas
from scaf_gui.gui.canvas.look import Look
from scaf_gui.session.session import Session

#: where the project file keeps them
KEY = "image_aids"
#: what a slider changes is written when it has rested so long
_REST_MS = 500
_AWAY = (QEvent.Type.WindowDeactivate, QEvent.Type.ApplicationStateChange)


class ImageAids(QObject):
    """Joins the panel of sliders, the canvas and the project file. ``tell(on)``: the panel comes or goes."""

    def __init__(self, canvas: Canvas, host: QWidget, say: Callable[[str], object], parent: QObject):
        super().__init__(parent)
        self._canvas, self._say = canvas, say
        self._session: Session | None = None
        self._comparing = False
        self.panel = AidsPanel(canvas, host)
        self.tell: Callable[[bool], object] = lambda on: None
        self.chip = _Chip(canvas, host)
        self.chip.clicked.connect(lambda: self.show_panel(True))
        self.panel.changed.connect(self._changed)
        self.panel.closed.connect(lambda: self.show_panel(False))
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._remember)

    def handlers(self) -> dict[str, Callable[..., object]]:
        """By act id."""
        return {"image_aids": self.show_panel, "image_reset": self.reset, "compare": self.compare}

    def open(self, session: Session | None) -> None:
        """Show another project's photos as they were shown last."""
        if self._rest.isActive():
            self._remember()
        self._end_comparing()
        self._session = session
        look = Look.from_json(session.store.get(KEY, None)) if session is not None else Look()
        self.panel.show_look(look)
        self._use(look)
        if session is None:
            self.show_panel(False)

    def show_panel(self, on: bool) -> None:
        """Show the sliders, or put them away; the photo stays as it is shown."""
        self.panel.setVisible(on)
        self.panel.raise_()
        self._canvas.setFocus()
        self.tell(on)
        self._show_chip()

    def reset(self) -> None:
        """Show photos as they are in their files."""
        if not self.panel.look.is_neutral:
            self._say("Photos are shown as they are")
        self.panel.show_look(Look())
        self._changed(Look())

    def compare(self) -> None:
        """Show the photo as it is for as long as the key is held."""
        if self._comparing:
            return
        if self.panel.look.is_neutral:
            self._say("The photo is shown as it is; press I to make it brighter, harder or gray")
            return
        self._comparing = True
        self._canvas.set_look(Look())
        self._show_chip()
        application = QCoreApplication.instance()
        assert application is not None
        application.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if event.type() in _AWAY or (event.type() == QEvent.Type.KeyRelease and _lets_go(event)):
            self._end_comparing()
        return False

    def _end_comparing(self) -> None:
        if self._comparing:
            self._comparing = False
            application = QCoreApplication.instance()
            if application is not None:
                application.removeEventFilter(self)
            self._use(self.panel.look)

    def _changed(self, look: Look) -> None:
        self._end_comparing()
        self._use(look)
        self._rest.start()

    def _use(self, look: Look) -> None:
        self._canvas.set_look(look)
        self._show_chip()

    def _show_chip(self) -> None:
        """Say that the photo is not shown as it is, so that nobody forgets."""
        self.chip.setText("Original" if self._comparing else "Image aids on")
        self.chip.setVisible(self.panel.isHidden() and not self.panel.look.is_neutral)
        self.chip.place()

    def _remember(self) -> None:
        self._rest.stop()
        if self._session is not None:
            try:
                self._session.store.set(KEY, self.panel.look.to_json())
            except (ScafError, OSError):  # how photos are shown is not worth an error
                self._say("How photos are shown could not be remembered")


def _lets_go(event: QEvent) -> bool:
    """Whether a key event is about the key to compare, and no repetition while it is held."""
    if not isinstance(event, QKeyEvent) or event.isAutoRepeat():
        return False
    return QKeySequence(event.key()) == QKeySequence(BY_ID["compare"].keys[0])


class _Chip(QPushButton):
    """In the corner where the sliders are when they are shown."""

    def __init__(self, canvas: QWidget, host: QWidget):
        super().__init__(host)
        self._canvas, self._host = canvas, host
        self.setObjectName("aidsChip")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip("The photo is not shown as it is in the file: click to change that (I)")
        theme.set_role(self, "chip")
        canvas.installEventFilter(self)
        self.hide()

    def place(self) -> None:
        self.adjustSize()
        self.move(corner(self._canvas, self._host, self.width()))
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if event.type() in MOVES:
            self.place()
        return False
