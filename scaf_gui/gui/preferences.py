"""The settings dialog in the window: opened, and what was changed in it put to use at once."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

if TYPE_CHECKING:
    from scaf_gui.gui.settings_dialog import SettingsDialog
    from scaf_gui.gui.window import MainWindow


def ask_settings(window: MainWindow) -> SettingsDialog:
    """Open the dialog over the window."""
    from scaf_gui.gui.settings_dialog import SettingsDialog

    window.project.precision.remember_now()
    dialog = SettingsDialog(window.settings, window)
    dialog.applied.connect(lambda keys: use_settings(window, keys))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
    return dialog


def use_settings(window: MainWindow, keys: Collection[str]) -> None:
    """Let the window and the open project go by the settings named, as they are now."""
    settings, session = window.settings, window.session
    if "theme" in keys:
        window.use_theme(str(settings["theme"]))
    for key in keys:  # an act of the same name does what the setting says, and shows it in its menu
        action = window.actions_by_id.get(key)
        if action is not None and action.isCheckable() and action.isChecked() != bool(settings[key]):
            action.trigger()
    window.project.precision.use_settings()
    window.project.blind.use_settings()
    window.workspace.shape_bar.use(settings)
    if session is not None:
        session.user = settings.user
        if "second_look" in keys:
            session.work.look_twice = bool(settings["second_look"])
            window.project.work_on()
