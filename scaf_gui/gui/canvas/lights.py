"""Works out the local contrast of large levels beside the painting."""

from __future__ import annotations

from collections.abc import Generator

from PySide6.QtCore import QObject

from scaf_gui.gui.canvas.image_item import ImageItem
from scaf_gui.gui.canvas.pyramid import Pyramid
from scaf_gui.gui.worker import Worker


class Lights(QObject):
    """Until a level is done, a smaller one is shown; of what is asked for meanwhile only the last counts."""

    def __init__(self, image: ImageItem, parent: QObject):
        super().__init__(parent)
        self._image = image
        self._next: tuple[Pyramid, int] | None = None
        self._worker = Worker(self)
        self._worker.finished.connect(self._done)
        image.lacks = self.want

    def want(self, pyramid: Pyramid, level: int) -> None:
        """Let a level be worked out; of another image than before: that one first."""
        self._next = pyramid, level
        if not self._worker.is_running:
            self._begin()

    @property
    def is_busy(self) -> bool:
        return self._worker.is_running

    def _begin(self) -> None:
        if self._next is not None:
            (pyramid, level), self._next = self._next, None
            self._worker.start(lambda: _made(pyramid, level))

    def _done(self) -> None:
        self._image.look_again()
        self._begin()


def _made(pyramid: Pyramid, level: int) -> Generator[int, None, None]:
    pyramid.make_light(level)
    yield level
