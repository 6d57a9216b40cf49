"""The images behind the canvas: read in the background, the next one ahead of time, a few kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal

from scaf_gui.core.arrays import ByteArray
from scaf_gui.errors import ScafError
from scaf_gui.gui.canvas.pyramid import Pyramid

#: decoded images that are kept: the current one, those that may come next and the one before
MOST = 5
#: and no more bytes than this beside the current one
MOST_BYTES = 500_000_000
#: smaller copies of an image that are made with it, off the main thread: down to a sixteenth
COPIES = 4

#: gives an image, (height, width, 3) uint8 RGB
Read = Callable[[str], ByteArray]
#: gives a large image at a fraction of its size, and (width, height) of the whole; ``None`` where that would not pay
Glance = Callable[[str], tuple[ByteArray, tuple[int, int]] | None]


class _Job(QRunnable):
    def __init__(self, home: Pictures, round_: int, image: str, read: Callable[[str], Pyramid | None]):
        super().__init__()
        self._home, self._round, self._image, self._read = home, round_, image, read

    def run(self) -> None:
        result: object
        try:
            result = self._read(self._image) if self._home.wants(self._round, self._image) else None
        except (ScafError, OSError, MemoryError, ValueError) as error:
            result = error
        self._say(result)

    def _say(self, result: object) -> None:
        self._home.done.emit(self._round, self._image, result)


class _Look(_Job):
    """A glance at an image, which is forgotten where it fails: reading the whole one will say why."""

    def _say(self, result: object) -> None:
        seen = result if isinstance(result, Pyramid) else None
        self._home.glanced.emit(self._round, self._image, seen)


class Pictures(QObject):
    """Reads images off the main thread; what is asked for first is read first.

    At an image that is wanted first and is large, a glance comes before, at once: it is shown until all of the image
    is there.
    """

    loaded = Signal(str, object)  # image, Pyramid: of a glance, then whole
    failed = Signal(str, object)  # image, exception
    done = Signal(int, str, object)
    glanced = Signal(int, str, object)

    def __init__(self, parent: QObject | None = None):
        super().__init__(parent)
        self._read: Read | None = None
        self._glance: Glance | None = None
        self._kept: OrderedDict[str, Pyramid] = OrderedDict()
        self._wanted: tuple[str, ...] = ()
        self._asked: set[str] = set()
        self._round = 0
        self._glancing = ""  # the image that is being glanced at
        self._pool, self._quick = QThreadPool(self), QThreadPool(self)
        for pool in (self._pool, self._quick):
            pool.setMaxThreadCount(1)
        self.done.connect(self._take, Qt.ConnectionType.QueuedConnection)
        self.glanced.connect(self._take_glance, Qt.ConnectionType.QueuedConnection)

    def start(self, read: Read | None, glance: Glance | None = None) -> None:
        """Begin with another project; ``None``: none."""
        self._round += 1
        self._wanted = ()
        for pool in (self._pool, self._quick):
            pool.clear()
            pool.waitForDone()
        self._read, self._glance = read, glance
        self._glancing = ""
        self._kept.clear()
        self._asked.clear()

    def get(self, image: str) -> Pyramid | None:
        """The image if it has been read already."""
        if image in self._kept:
            self._kept.move_to_end(image)
        return self._kept.get(image)

    def want(self, images: Sequence[str]) -> None:
        """What to read, in this order; what was wanted before and has not begun is forgotten."""
        self._wanted = tuple(dict.fromkeys(images))
        if self._read is None:
            return
        first = next(iter(self._wanted), None)
        known = first is None or first in self._kept or first in self._asked or first == self._glancing
        if first is not None and self._glance is not None and not known:
            self._glancing = first
            self._quick.start(_Look(self, self._round, first, self._look))
        if not self._glancing:  # reading waits for it: decoding both at once would keep it back
            self._read_on()

    def _read_on(self) -> None:
        for image in self._wanted:
            if image not in self._kept and image not in self._asked:
                self._asked.add(image)
                self._pool.start(_Job(self, self._round, image, self._whole))

    def forget(self) -> None:
        """Read everything anew when it is asked for again (the folder was moved)."""
        self.start(self._read, self._glance)

    def wants(self, round_: int, image: str) -> bool:
        """Whether an image is still of interest; asked by the reading thread."""
        return round_ == self._round and image in self._wanted

    def _whole(self, image: str) -> Pyramid | None:
        if self._read is None:
            return None
        made = Pyramid(self._read(image))
        made.level(min(COPIES, made.most))
        return made

    def _look(self, image: str) -> Pyramid | None:
        seen = self._glance(image) if self._glance is not None else None
        return None if seen is None else Pyramid(*seen)

    def _take_glance(self, round_: int, image: str, seen: Pyramid | None) -> None:
        if round_ != self._round:
            return
        if image == self._glancing:
            self._glancing = ""
        if seen is not None and image not in self._kept and image in self._wanted:
            self.loaded.emit(image, seen)
        if not self._glancing:
            self._read_on()

    def _take(self, round_: int, image: str, result: object) -> None:
        if round_ != self._round:
            return
        self._asked.discard(image)
        if result is None:
            if image in self._wanted:  # it was dropped and is wanted again
                self.want(self._wanted)
        elif isinstance(result, BaseException):
            self.failed.emit(image, result)
        elif isinstance(result, Pyramid):
            self._keep(image, result)
            self.loaded.emit(image, result)

    def _keep(self, image: str, pixels: Pyramid) -> None:
        self._kept[image] = pixels
        first = self._wanted[0] if self._wanted else image
        for name in tuple(self._kept):
            if len(self._kept) <= MOST and sum(p.nbytes for p in self._kept.values()) <= MOST_BYTES:
                break
            if name not in (first, image):
                del self._kept[name]
