"""Background work of projects that are closed already, until its threads have ended."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject

from scaf_gui.gui.background import Background


class Leaving(QObject):
    """A step of training cannot be cut short, nor the loading of torch: nobody looks at a frozen window meanwhile."""

    def __init__(self, parent: QObject | None = None):
        super().__init__(parent)
        self._left: list[Background] = []

    def add(self, background: Background) -> None:
        """Stop a project's work, without waiting for it."""
        background.halt()
        background.setParent(self)
        self._left.append(background)
        for worker in background.workers():
            worker.finished.connect(self._sweep)
        self._sweep()

    def wait(self, companions: Path | None = None) -> None:
        """Until the threads have ended: all, or only those that use one project's folder of models and cache."""
        for background in [one for one in self._left if companions in (None, one.companions)]:
            self._left.remove(background)
            background.stop()

    def _sweep(self) -> None:
        for background in [one for one in self._left if not any(w.is_running for w in one.workers())]:
            self._left.remove(background)
            background.deleteLater()
