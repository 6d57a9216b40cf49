"""Start the application: theme, log, exception hook, window. torch is not touched before the first paint."""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, QSocketNotifier, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from scaf_gui import paths
from scaf_gui.gui import theme, window_place
from scaf_gui.gui.greeting import Greeting
from scaf_gui.gui.window import NAME, MainWindow
from scaf_gui.gui.worker import end_all
from scaf_gui.settings import Settings

#: how long a thread keeps the interpreter while others wait: shorter, so that the window gets its turn sooner
SWITCH_SECONDS = 0.001

log = logging.getLogger("scaf_gui")


class Crashes(QObject):
    """Catches what nobody expected: it is logged and said, and the session goes on."""

    happened = Signal(str)

    def install(self) -> None:
        sys.excepthook = self._main
        threading.excepthook = lambda given: self._tell(given.exc_type, given.exc_value, given.exc_traceback)

    def remove(self) -> None:
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__

    def _main(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        self._tell(kind, error, trace)

    def _tell(self, kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error or kind(), trace)
            return
        log.error("unexpected error", exc_info=(kind, error or kind(), trace))
        self.happened.emit(
            f"Something went wrong ({kind.__name__}: {error}). Your labels are saved; you can go on. "
            f"The details are in {log_path()}"
        )


class Interrupts(QObject):
    """Lets Ctrl+C in the terminal, and a polite kill, close the window as its own button would."""

    def __init__(self, close: Callable[[], object], parent: QObject):
        super().__init__(parent)
        self._near, self._far = socket.socketpair()
        for end in (self._near, self._far):
            end.setblocking(False)
        # Qt's loop runs no Python while nothing happens: a byte on a socket wakes it
        self._old = signal.set_wakeup_fd(self._far.fileno())
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        self._notifier = QSocketNotifier(self._near.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(lambda *_: close())

    def remove(self) -> None:
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._old)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.default_int_handler)
        self._near.close()
        self._far.close()


def log_path() -> Path:
    return paths.cache_folder() / "scaf-gui.log"


def start_log() -> None:
    """Write warnings and errors to a small file, besides standard error."""
    log.setLevel(logging.INFO)
    try:
        log_path().parent.mkdir(parents=True, exist_ok=True)
        file = RotatingFileHandler(log_path(), maxBytes=500_000, backupCount=1, encoding="utf-8", delay=True)
    except OSError:
        return
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(message)s"))
    log.addHandler(file)


def make_application(arguments: list[str] | None = None) -> QApplication:
    """The application object, dressed; the one that exists already where there is one."""
    existing = QApplication.instance()
    application = existing if isinstance(existing, QApplication) else QApplication(arguments or [NAME])
    application.setApplicationName("scaf-gui")
    application.setApplicationDisplayName(NAME)
    application.setDesktopFileName("scaf-gui")
    application.setAttribute(Qt.ApplicationAttribute.AA_DontShowIconsInMenus, True)
    icon = paths.resource_folder() / "icons" / "scaf-gui.svg"
    application.setWindowIcon(QIcon(str(icon)))
    return application


def run_gui(path: Path | None, sample: bool = False, ready: Callable[[MainWindow], object] | None = None) -> int:
    """Open the window, on a folder or project if one is given; returns the exit code.

    :param ready: called with the window before anything is opened in it
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    application = make_application()
    settings = Settings()
    theme.apply(application, str(settings["theme"]))
    start_log()
    window = MainWindow(settings)
    window_place.restore(window, window.workspace.splitter, settings)
    Greeting(window, settings)
    crashes = Crashes()
    crashes.happened.connect(window.messages.error, Qt.ConnectionType.QueuedConnection)
    crashes.install()
    interrupts = Interrupts(window.close, window)
    try:
        if ready is not None:
            ready(window)
        window.show()
        if path is not None:
            window.opener.open_path(path)
        elif sample:
            window.opener.open_sample()
        return int(application.exec())
    finally:
        interrupts.remove()
        crashes.remove()
        end_all()  # whatever became of the window
