"""What each act of the table does in the main window."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog

from scaf_gui.core.face import ATTRIBUTES, Flag
from scaf_gui.gui import theme
from scaf_gui.gui.act import NUDGES
from scaf_gui.gui.acts import ACTS, BY_ID
from scaf_gui.gui.precision import REMEMBERED
from scaf_gui.gui.preferences import ask_settings
from scaf_gui.gui.queue_model import FILTERS
from scaf_gui.gui.remarks import Remarks

if TYPE_CHECKING:
    from scaf_gui.gui.window import MainWindow

#: acts that make sense without an open project
_ALWAYS = {
    *("open_folder", "open_project", "quit", "settings", "theme", "instant", "blind", "follow_shape"),
    *("shortcuts", "about"),
    *REMEMBERED,
}
#: letters of a menu entry that names an edit
_LONGEST = 60


class Commands:
    """Handlers by act id."""

    def __init__(self, window: MainWindow):
        self._window = window

    def name_undo(self) -> None:
        """Let the menu say what undo and redo are about to do."""
        session, actions = self._window.project.session, self._window.actions_by_id
        history = session.document.history if session is not None else None
        for name in ("undo", "redo"):
            edit = getattr(history, f"to_{name}", None)
            title = BY_ID[name].title if edit is None else f"{BY_ID[name].title}: {edit.title}"
            actions[name].setText(title if len(title) <= _LONGEST else f"{title[: _LONGEST - 1]}…")

    def handlers(self) -> dict[str, Callable[..., object]]:
        """One handler for every act."""
        window, canvas, project = self._window, self._window.workspace.canvas, self._window.project
        handlers: dict[str, Callable[..., object]] = {
            "open_folder": window.opener.ask_folder,
            "open_project": window.opener.ask_project,
            "close_project": window.close_project,
            "import_labels": self.import_labels,
            "export_labels": self.export_labels,
            "quit": window.close,
            "undo": project.undo,
            "redo": project.redo,
            "accept": project.accept,
            "skip": project.skip,
            "next": project.navigator.next,
            "previous": project.navigator.previous,
            "next_in_photo": project.photo.step,
            "previous_in_photo": partial(project.photo.step, -1),
            "draw_box": partial(project.photo.draw, "box"),
            "change_box": project.photo.change,
            "predict_again": project.photo.again.ask,
            "add_face": partial(project.photo.draw, "face"),
            "not_a_face": project.photo.not_a_face,
            "delete_face": project.photo.delete,
            "skip_similar": project.photo.skip_similar,
            "next_landmark": canvas.select_next,
            "previous_landmark": partial(canvas.select_next, -1),
            "follow_shape": self._window.workspace.shape_bar.switch,
            "pin": lambda: project.editor.pin(canvas.selected),
            "occluded": partial(project.flag, Flag.OCCLUDED),
            "missing": partial(project.flag, Flag.MISSING),
            "visible": partial(project.flag, Flag.VISIBLE),
            "check": window.workspace.check.check,
            "fit_face": canvas.fit_face,
            "fit_image": canvas.fit_image,
            "zoom_in": partial(canvas.zoom_by, 1.25),
            "zoom_out": partial(canvas.zoom_by, 0.8),
            "show_skeleton": partial(setattr, canvas, "skeleton"),
            "show_labels": partial(setattr, canvas, "labels"),
            "show_ghost": partial(setattr, canvas, "ghost"),
            "settings": partial(ask_settings, window),
            "theme": self.next_theme,
            "refresh": project.refresh_model,
            "find": window.workspace.queue.find_by_name,
            "refresh_thorough": partial(project.refresh_model, thorough=True),
            "instant": self.learn_at_once,
            "cancel": self.cancel,
            "focus_canvas": lambda: canvas.setFocus(Qt.FocusReason.ShortcutFocusReason),
            "shortcuts": self.shortcuts,
            "about": self.about,
        }
        handlers |= project.aids.handlers() | {"level": project.level.switch}
        handlers |= project.blind.handlers()
        handlers |= {name: partial(canvas.nudge_seen, dx, dy) for name, (dx, dy) in NUDGES.items()}
        handlers |= project.precision.handlers(handlers)
        handlers |= project.insight.handlers()
        for place, key in enumerate(ATTRIBUTES):
            handlers[f"attribute_{key}"] = partial(project.editor.toggle_attribute, place)
        for act in ACTS:
            if act.group == "filter":
                handlers[act.id] = partial(self.filter, act.id.removeprefix("filter_"))
        known = {act.id for act in ACTS}
        return Remarks(project).wrap({name: handler for name, handler in handlers.items() if name in known})

    def enable(self, is_open: bool) -> None:
        """Acts on a project are grey while none is open."""
        for name, action in self._window.actions_by_id.items():
            action.setEnabled(is_open or name in _ALWAYS)

    def filter(self, key: str, _on: bool = True) -> None:
        """List only a part of the queue."""
        combo = self._window.workspace.queue.filter
        combo.setCurrentIndex(list(FILTERS).index(key))

    def follow_filter(self) -> None:
        """The list's own filter was used: tick the same row in the menu."""
        key = str(self._window.workspace.queue.filter.currentData())
        self._window.actions_by_id[f"filter_{key}"].setChecked(True)

    def cancel(self) -> None:
        background = self._window.project.background
        if background is None or not background.cancel():
            self._window.status.say("Nothing runs")

    def learn_at_once(self, on: bool) -> None:
        """Let accepted faces correct the next pre-fill, or not; remembered."""
        if self._window.settings["instant"] != on:
            self._window.settings["instant"] = on
        if self._window.session is not None:
            self._window.session.instant.enabled = on

    def next_theme(self) -> None:
        """The other theme, remembered."""
        names = list(theme.available())
        at = names.index(self._window.settings["theme"])
        self._window.use_theme(names[(at + 1) % len(names)])

    def export_labels(self) -> None:
        if self._window.session is not None:
            from scaf_gui.gui.export_dialog import ExportDialog

            self._open(ExportDialog(self._window.session, self._window))

    def import_labels(self) -> None:
        if self._window.session is not None:
            from scaf_gui.gui.import_dialog import ImportDialog

            dialog = ImportDialog(self._window.session, self._window)
            dialog.accepted.connect(lambda: self._imported(dialog))
            self._open(dialog)

    def _imported(self, dialog: QDialog) -> None:
        from scaf_gui.gui.import_dialog import ImportDialog

        if isinstance(dialog, ImportDialog) and dialog.summary is not None:
            count, broken = dialog.summary.imported, dialog.summary.num_broken
            without = f", without {broken:,} that cannot be read" if broken else ""
            self._window.messages.can_undo(
                f"Imported {count:,} label{'s' if count != 1 else ''}{without}.", self._window.project.undo
            )

    def shortcuts(self) -> None:
        from scaf_gui.gui.shortcut_sheet import ShortcutSheet

        self._open(ShortcutSheet(self._window))

    def about(self) -> None:
        from scaf_gui.gui.about import About

        self._open(About(self._window.status.device.toolTip(), self._window))

    def _open(self, dialog: QDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
