"""A menu that keeps its keys to itself while it is open."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QMenu, QWidget


class Menu(QMenu):
    """To Qt, the canvas still has the keys while a menu is open: without this, Right, Tab or Del in a menu would move
    a landmark, or take the face out, behind it."""

    def __init__(self, title: str = "", parent: QWidget | None = None):
        super().__init__(title, parent)
        self.setToolTipsVisible(True)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()  # it comes as a press of the key then, to the menu
            return True
        return super().event(event)


def with_mnemonic(title: str, taken: set[str]) -> str:
    """ "F&ace", for Alt and that letter: the first one that no other menu has marked; it is noted in ``taken``."""
    for at, letter in enumerate(title):
        if letter.isalnum() and letter.lower() not in taken:
            taken.add(letter.lower())
            return f"{title[:at]}&{title[at:]}"
    return title
