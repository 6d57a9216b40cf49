"""Actions, menus and the rows of the shortcut sheet, made of the table of acts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from scaf_gui.gui.act import Act
from scaf_gui.gui.acts import ACTS, BY_ID, GESTURES, REPEATING
from scaf_gui.gui.key_names import as_here
from scaf_gui.gui.menu import Menu, with_mnemonic


def keys_text(act: Act) -> str:
    """The keys as this platform writes them, "Return or Space"."""
    shown = (QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) for key in act.keys)
    return " or ".join(dict.fromkeys(shown))


def make_actions(
    parent: QWidget, handlers: Mapping[str, Callable[..., object]], canvas: QWidget | None = None
) -> dict[str, QAction]:
    """A QAction for every act, by id.

    :param handlers: by act id; a checkable act's handler is called with the new state, others with nothing
    :param canvas: the widget that acts of context "canvas" need the focus in; ``parent`` without one
    :raises KeyError: naming the acts without a handler, or handlers without an act
    """
    stray = BY_ID.keys() ^ handlers.keys()
    if stray:
        raise KeyError(f"acts and handlers do not match: {', '.join(sorted(stray))}")
    groups: dict[str, QActionGroup] = {}
    actions: dict[str, QAction] = {}
    for act in ACTS:
        action = QAction(act.title, parent)
        action.setObjectName(act.id)
        action.setAutoRepeat(act.id in REPEATING)
        action.setShortcuts([QKeySequence(key) for key in act.keys])
        tip = as_here(act.tip)
        action.setToolTip(f"{tip} ({keys_text(act)})" if act.keys else tip)
        action.setStatusTip(tip)
        if act.id == "quit":
            action.setMenuRole(QAction.MenuRole.QuitRole)
        elif act.id == "about":
            action.setMenuRole(QAction.MenuRole.AboutRole)
        elif act.id == "settings":
            action.setMenuRole(QAction.MenuRole.PreferencesRole)
        else:  # else macOS moves whatever sounds like "settings" into its own menu
            action.setMenuRole(QAction.MenuRole.NoRole)
        if act.context == "canvas":
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        _connect(action, act, handlers[act.id])
        if act.group:
            group = groups.setdefault(act.group, QActionGroup(parent))
            group.addAction(action)
        (canvas if act.context == "canvas" and canvas is not None else parent).addAction(action)
        actions[act.id] = action
    return actions


def _connect(action: QAction, act: Act, handler: Callable[..., object]) -> None:
    if act.checkable:
        action.setCheckable(True)
        action.setChecked(act.checked)
        action.triggered.connect(lambda on: handler(on))
    else:
        action.triggered.connect(lambda: handler())


def build_menus(menubar: QMenuBar, actions: Mapping[str, QAction]) -> dict[str, QMenu]:
    """Put the actions into menus, in the table's order; the menus by their titles."""
    menus: dict[str, QMenu] = {}
    taken: set[str] = set()
    for act in ACTS:
        _menu(menubar, menus, act.menu, taken).addAction(actions[act.id])
    return menus


def _menu(menubar: QMenuBar, menus: dict[str, QMenu], path: str, taken: set[str]) -> QMenu:
    if path not in menus:
        above, _, title = path.rpartition("/")
        if above:
            outer = _menu(menubar, menus, above, taken)
            menus[path] = Menu(title, outer)
            outer.addMenu(menus[path])
        else:
            menus[path] = Menu(with_mnemonic(title, taken), menubar)
            menubar.addMenu(menus[path])
    return menus[path]


def shortcut_rows() -> list[tuple[str, str, str]]:
    """(menu, keys, title) of every act that has keys, in the table's order, then the mouse's gestures."""
    rows = [(act.menu.replace("/", " › "), keys_text(act), act.title) for act in ACTS if act.keys]
    return rows + [("Mouse", as_here(gesture), as_here(effect)) for gesture, effect in GESTURES]
