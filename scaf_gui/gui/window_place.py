"""Where the window was, how large it was and how wide its columns: kept from one start to the next."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSize
from PySide6.QtWidgets import QMainWindow, QSplitter

from scaf_gui.errors import ScafError
from scaf_gui.settings import Settings

#: the key of the settings
KEY = "window"
#: a first window takes this share of a large screen
_SHARE = 0.85


def first_size(usual: QSize, screen: QSize) -> QSize:
    """Of a window that has never been shown: as usual, larger on a large screen, never larger than the screen."""
    return usual.expandedTo(screen * _SHARE).boundedTo(screen)


def restore(window: QMainWindow, columns: QSplitter, settings: Settings) -> None:
    """Put the window where it was; to be called before it is shown."""
    known = settings[KEY]
    place, widths = known.get("place"), known.get("columns")
    if not (isinstance(place, str) and window.restoreGeometry(QByteArray.fromHex(place.encode()))):
        window.resize(first_size(window.size(), window.screen().availableSize()))
    if isinstance(widths, str):
        columns.restoreState(QByteArray.fromHex(widths.encode()))


def remember(window: QMainWindow, columns: QSplitter, settings: Settings) -> None:
    """Keep it for the next start; a disk that cannot be written to is not worth a word at the very end."""
    place, widths = (bytes(state.toHex().data()).decode() for state in (window.saveGeometry(), columns.saveState()))
    try:
        settings[KEY] = {"place": place, "columns": widths}
    except ScafError:
        return
