"""Messages that do not get in the way: they lie over the upper edge, can be dismissed, and are never modal."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from scaf_gui.errors import ScafError
from scaf_gui.gui import theme

#: how long news stay; errors and warnings stay until they are dismissed
NEWS_MS = 8000
#: more than this would hide the picture: the oldest goes
MOST = 3
#: lines longer than this are hard to read
WIDEST = 680
_ICONS = {"info": ("info", "accent"), "warning": ("warning", "warning"), "error": ("warning", "error")}


class Message(QFrame):
    """One line of news or trouble, with an optional button for what to do about it."""

    gone = Signal()

    def __init__(self, kind: str, text: str, button: str, act: Callable[[], object] | None, parent: QWidget):
        super().__init__(parent)
        self.setObjectName("message")
        self.setProperty("kind", kind)
        self.kind, self.text = kind, text
        self.until_edited = False
        self._sign = QLabel(self)
        self._label = QLabel(text, self)
        self._label.setWordWrap(True)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setSizePolicy(_as_tall_as_needed())
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 7, 7, 7)
        row.setSpacing(10)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._label, 1)
        if button and act is not None:
            do = QPushButton(button, self)
            do.clicked.connect(self.dismiss)
            do.clicked.connect(lambda: act())
            row.addWidget(do)
        self.close_button = QToolButton(self)
        self.close_button.setToolTip("Dismiss")
        self.close_button.setAccessibleName("Dismiss message")
        self.close_button.setIconSize(QSize(14, 14))
        self.close_button.clicked.connect(self.dismiss)
        row.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignVCenter)
        self.setAccessibleName(text)
        self.dress()

    def dress(self) -> None:
        """Colour the icons after the theme."""
        name, shade = _ICONS[self.kind]
        self._sign.setPixmap(theme.picture(name, 18, shade, self.devicePixelRatioF()))
        self.close_button.setIcon(theme.icon("close", "muted"))

    def dismiss(self) -> None:
        self.hide()
        self.setParent(None)
        self.gone.emit()
        self.deleteLater()


class MessageStrip(QWidget):
    """The messages that are up, newest at the bottom. It floats: what lies below must not move under the mouse."""

    def __init__(self, parent: QWidget):
        super().__init__(parent)
        self._area = parent
        parent.installEventFilter(self)
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(6)
        self.setSizePolicy(_as_tall_as_needed())
        self.hide()
        theme.news().changed.connect(self._dress)

    def messages(self) -> list[Message]:
        """What is up, oldest first."""
        return list(self.findChildren(Message, options=Qt.FindChildOption.FindDirectChildrenOnly))

    def info(self, text: str, button: str = "", act: Callable[[], object] | None = None) -> None:
        """News that goes by itself after some seconds (or stays, where it offers something to do)."""
        message = self._show("info", text, button, act)
        if not button:
            QTimer.singleShot(NEWS_MS, message, message.dismiss)

    def can_undo(self, text: str, undo: Callable[[], object]) -> None:
        """News of an edit, with a button that takes it back; it goes with the next edit: undo would take that."""
        self.say_until_edited(text, "Undo", undo)

    def say_until_edited(self, text: str, button: str, act: Callable[[], object]) -> None:
        """News that stays until it is dismissed, or something is edited."""
        self._show("info", text, button, act).until_edited = True

    def edited(self) -> None:
        """Something was edited, or undone."""
        for message in self.messages():
            if message.until_edited:
                message.dismiss()

    def warning(self, text: str, button: str = "", act: Callable[[], object] | None = None) -> None:
        self._show("warning", text, button, act)

    def error(self, what: str | BaseException, button: str = "", act: Callable[[], object] | None = None) -> None:
        """Trouble: an exception of ours says by itself what is wrong and what to do."""
        self._show("error", what if isinstance(what, str) else describe(what), button, act)

    def clear(self) -> None:
        for message in self.messages():
            message.dismiss()

    def _show(self, kind: str, text: str, button: str, act: Callable[[], object] | None) -> Message:
        for old in self.messages():
            if old.text == text:
                old.dismiss()
        for old in self.messages()[: max(0, len(self.messages()) - MOST + 1)]:
            old.dismiss()
        message = Message(kind, text, button, act, self)
        message.gone.connect(self._fold)
        self._rows.addWidget(message)
        message.show()  # a layout does not count hidden widgets
        self._fold()
        return message

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest and self.messages():
            self._place()
        return super().event(event)

    def _place(self) -> None:
        """In the middle of the upper edge of the parent."""
        area = self._area.rect()
        width = min(WIDEST, area.width() - 40)
        self._rows.activate()
        height = self._rows.heightForWidth(width) if self._rows.hasHeightForWidth() else self._rows.sizeHint().height()
        self.setGeometry((area.width() - width) // 2, 12, width, height)

    def _fold(self) -> None:
        up = bool(self.messages())
        self.setVisible(up)
        if up:
            self._place()
            self.raise_()

    def _dress(self) -> None:
        for message in self.messages():
            message.dress()


def _as_tall_as_needed() -> QSizePolicy:
    policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
    policy.setHeightForWidth(True)
    return policy


def describe(error: BaseException) -> str:
    """One line for a person: ours as it is, all others with their kind."""
    if isinstance(error, ScafError):
        text = str(error)
        return text[:1].upper() + text[1:] if not text.startswith(("/", ".", "~")) else text
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'A file'}: {error.strerror}"
    return f"Something went wrong ({type(error).__name__}: {error}). Your labels are saved; you can go on."
