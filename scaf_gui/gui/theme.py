"""Themes: a palette file (``resources/themes/NAME.json``) and one style sheet for all of them.

Widgets that paint themselves ask :func:`colour`; all others are reached by the style sheet.
"""

from __future__ import annotations

import json
from functools import lru_cache
from string import Template

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QWidget

from scaf_gui import paths

DEFAULT = "dark"


class ThemeNews(QObject):
    """Says when the colours have changed, for whoever paints by hand."""

    changed = Signal()


_news: ThemeNews | None = None
_current: dict[str, str] = {}


def news() -> ThemeNews:
    """The one announcer of theme changes."""
    global _news
    if _news is None:
        _news = ThemeNews()
    return _news


def available() -> dict[str, str]:
    """Names and titles of the themes that are shipped."""
    files = sorted((paths.resource_folder() / "themes").glob("*.json"))
    return {file.stem: str(json.loads(file.read_text(encoding="utf-8"))["title"]) for file in files}


def load_palette(name: str) -> dict[str, str]:
    """Colour names to ``#rrggbb`` of one theme; an unknown name gives the default theme's."""
    folder = paths.resource_folder() / "themes"
    path = folder / f"{name}.json"
    if not path.is_file():
        path = folder / f"{DEFAULT}.json"
    return {str(k): str(v) for k, v in json.loads(path.read_text(encoding="utf-8")).items()}


def palette() -> dict[str, str]:
    """The colours of the theme in use."""
    if not _current:
        _current.update(load_palette(DEFAULT))
    return _current


def colour(name: str) -> QColor:
    """One colour of the theme in use."""
    return QColor(palette()[name])


def is_dark() -> bool:
    return colour("window").lightnessF() < 0.5


def apply(application: QApplication, name: str) -> None:
    """Dress the whole application in a theme."""
    _current.clear()
    _current.update(load_palette(name))
    icon.cache_clear()
    application.setStyle("Fusion")
    application.setPalette(_qt_palette())
    application.setStyleSheet(style_sheet())
    news().changed.emit()


def style_sheet() -> str:
    """The style sheet in the colours of the theme in use."""
    resources = paths.resource_folder()
    text = (resources / "themes" / "style.qss").read_text(encoding="utf-8")
    tick = "dark" if is_dark() else "light"
    return Template(text).substitute(palette(), icons=(resources / "icons").as_posix(), tick=tick)


def _qt_palette() -> QPalette:
    made, role = QPalette(), QPalette.ColorRole
    for which, name in (
        (role.Window, "window"),
        (role.WindowText, "text"),
        (role.Base, "panel"),
        (role.AlternateBase, "raised"),
        (role.Text, "text"),
        (role.Button, "raised"),
        (role.ButtonText, "text"),
        (role.Highlight, "accent"),
        (role.HighlightedText, "on_accent"),
        (role.ToolTipBase, "raised"),
        (role.ToolTipText, "text"),
        (role.PlaceholderText, "muted"),
        (role.Link, "accent"),
    ):
        made.setColor(which, colour(name))
    for which in (role.Text, role.ButtonText, role.WindowText):
        made.setColor(QPalette.ColorGroup.Disabled, which, colour("disabled"))
    return made


@lru_cache(maxsize=128)
def icon(name: str, shade: str = "text") -> QIcon:
    """A drawn icon of ``resources/icons`` in a colour of the theme."""
    made = QIcon()
    for side in (16, 24, 32, 48, 64):
        made.addPixmap(picture(name, side, shade))
        made.addPixmap(picture(name, side, "disabled"), QIcon.Mode.Disabled)
    return made


def picture(name: str, side: int, shade: str = "text", ratio: float = 1.0) -> QPixmap:
    """An icon as a pixmap of ``side`` logical pixels."""
    text = (paths.resource_folder() / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    data = QByteArray(text.replace("currentColor", palette()[shade]).encode())
    pixmap = QPixmap(QSize(side, side) * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(data).render(painter, QRectF(0, 0, side, side))
    painter.end()
    return pixmap


def set_role(widget: QWidget, role: str, name: str = "role") -> None:
    """Give a widget a look of the style sheet (``[role="primary"]``), and redraw it."""
    if widget.property(name) != role:
        widget.setProperty(name, role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
