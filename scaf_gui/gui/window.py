"""The main window: puts the parts together and wires them; each part does its own work."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from scaf_gui.gui import theme, window_place
from scaf_gui.gui.actions import build_menus, make_actions
from scaf_gui.gui.commands import Commands
from scaf_gui.gui.messages import MessageStrip
from scaf_gui.gui.opener import Opener
from scaf_gui.gui.precision import REMEMBERED
from scaf_gui.gui.project_view import ProjectView
from scaf_gui.gui.start_screen import StartScreen
from scaf_gui.gui.status import Status
from scaf_gui.gui.workspace import Workspace
from scaf_gui.session.session import Session
from scaf_gui.settings import Settings

NAME = "SCAF GUI"


class MainWindow(QMainWindow):
    """Start screen or workspace, messages above, status below."""

    def __init__(self, settings: Settings | None = None):
        super().__init__()
        self.settings = settings or Settings()
        self.setWindowTitle(NAME)
        self.setMinimumSize(QSize(840, 460))
        self.resize(1280, 720)
        self.setAcceptDrops(True)
        self._released = (0, 0)  # the key let go last, and when
        self.start_screen = StartScreen()
        self.workspace = Workspace()
        self.status = Status()
        self.setStatusBar(self.status)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.start_screen)
        self._stack.addWidget(self.workspace)
        centre = QWidget()
        box = QVBoxLayout(centre)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self._stack, 1)
        self.messages = MessageStrip(centre)
        self.setCentralWidget(centre)
        self._drop_hint = QLabel("Drop a folder of photos or a project", self)
        self._drop_hint.setObjectName("dropHint")
        self._drop_hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._drop_hint.hide()

        self.opener = Opener(self, self.settings)
        self.project = ProjectView(self.workspace, self.status, self.messages, self.settings, self)
        self.commands = Commands(self)
        self.actions_by_id = make_actions(self, self.commands.handlers(), self.workspace.canvas)
        for name in ("instant", *REMEMBERED):
            self.actions_by_id[name].setChecked(bool(self.settings[name]))
        self.project.editor.by_hand = lambda: self.project.precision.placing
        self.project.precision.on_placing(self.actions_by_id["place"].setChecked)
        self.project.aids.tell = self.actions_by_id["image_aids"].setChecked
        self.project.blind.tell = self.actions_by_id["blind"].setChecked
        self.project.blind.use_settings()
        self.workspace.shape_bar.toggled.connect(self.actions_by_id["follow_shape"].setChecked)
        self.workspace.shape_bar.use(self.settings)
        build_menus(self.menuBar(), self.actions_by_id)["Edit"].aboutToShow.connect(self.commands.name_undo)
        self._wire()
        self.commands.enable(False)
        self.show_start()

    def _wire(self) -> None:
        start, opener = self.start_screen, self.opener
        start.folder_asked.connect(opener.ask_folder)
        start.project_asked.connect(opener.ask_project)
        start.sample_asked.connect(opener.open_sample)
        start.recent_asked.connect(opener.open_project)
        opener.about_to_open.connect(self.close_project)
        opener.opened.connect(self.show_session)
        opener.failed.connect(self.messages.error)
        self.workspace.queue.filter.currentIndexChanged.connect(lambda _: self.commands.follow_filter())
        opener.busy.connect(lambda text: self.status.show_work("opening", text))
        opener.busy.connect(start.sample.say)

    @property
    def session(self) -> Session | None:
        return self.project.session

    def show_start(self) -> None:
        """Back to the start screen."""
        self.start_screen.show_recent([Path(path) for path in self.settings["recent"]])
        self._stack.setCurrentWidget(self.start_screen)
        self.start_screen.folder.setFocus()

    def show_session(self, session: Session) -> None:
        """Show an open project; the window owns it from now on."""
        self.messages.clear()
        self._stack.setCurrentWidget(self.workspace)
        self.project.open(session)
        self.commands.enable(True)
        self.setWindowTitle(f"{session.path.stem} – {NAME}")
        self.workspace.canvas.setFocus()

    def close_project(self) -> None:
        """Stop all work on the open project and close its file."""
        if self.project.session is None:
            return
        self.project.close()
        self.commands.enable(False)
        self.setWindowTitle(NAME)
        self.show_start()

    def use_theme(self, name: str) -> None:
        """Change the colours, and remember them."""
        application = QApplication.instance()
        if isinstance(application, QApplication):
            theme.apply(application, name)
        self.settings["theme"] = name

    # -- events ----------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Keys that are no act of ours: what an open menu hands on (Left and Right, to go to the one beside it), and a
        held key's repeat that Qt takes for a press: X11 sends a release with it, at the very same time."""
        if isinstance(event, QKeyEvent):
            this = event.key(), event.timestamp()
            if event.type() == QEvent.Type.KeyRelease:
                self._released = this
            elif event.type() == QEvent.Type.ShortcutOverride and (
                QApplication.activePopupWidget() is not None or (this[1] and this == self._released)
            ):
                event.accept()
                return True
        return super().event(event)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Nothing to ask: every label is on the disk already, and training is cancelled."""
        with ExitStack() as last_first:  # each is done, whatever goes wrong with the others
            last_first.callback(self.project.insight.worker.wait)
            last_first.callback(self.project.leaving.wait)
            last_first.callback(self.project.close)
            last_first.callback(self.opener.stop)
            last_first.callback(self.hide)
            last_first.callback(window_place.remember, self, self.workspace.splitter, self.settings)
        event.accept()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            margin = 24
            self._drop_hint.setGeometry(self.rect().adjusted(margin, margin, -margin, -margin))
            self._drop_hint.raise_()
            self._drop_hint.show()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:  # noqa: N802
        self._drop_hint.hide()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        self._drop_hint.hide()
        local = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if local:
            event.acceptProposedAction()
            self.opener.open_path(Path(local[0]))
