"""A button that lists the groups of the scheme; a chosen one is selected on the canvas."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QApplication, QToolButton, QWidget

from scaf_gui.core.scheme import Scheme
from scaf_gui.gui import theme
from scaf_gui.gui.menu import Menu


class GroupButton(QToolButton):
    """``chosen(name of the group, whether to add it)``: with Shift it is added to what is selected."""

    chosen = Signal(str, bool)

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setText("Groups ▾")
        self.setStyleSheet("QToolButton::menu-indicator { image: none; width: 0; }")
        self.setToolTip("Select all landmarks of a group; with Shift beside what is selected")
        self.setAccessibleName("Groups of landmarks")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys to the canvas
        theme.set_role(self, "quiet")
        self._scheme: Scheme | None = None
        self.setMenu(Menu(parent=self))
        self.show_scheme(None)

    def show_scheme(self, scheme: Scheme | None) -> None:
        """List the groups of a scheme that have more than one landmark."""
        if scheme is self._scheme and scheme is not None:
            return
        self._scheme = scheme
        menu = self.menu()
        menu.clear()
        for group in scheme.groups if scheme is not None else ():
            if len(group.landmarks) > 1:
                entry = menu.addAction(f"{group.name.replace('_', ' ').capitalize()}\t{len(group.landmarks)}")
                entry.triggered.connect(lambda _checked=False, name=group.name: self._choose(name))
        self.setVisible(not menu.isEmpty())

    def _choose(self, name: str) -> None:
        add = bool(QApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier)
        self.chosen.emit(name, add)
