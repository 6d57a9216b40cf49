"""The images behind the canvas: read in the background, the next one ahead of time, a few kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal

from scaf_gui.core.arrays import ByteArray
from scaf_gui.errors import ScafError

#: decoded images that are kept: the current one, the next and the one before
MOST = 4
#: and no more bytes than this beside the current one
MOST_BYTES = 400_000_000

Read = Callable[[str], ByteArray]


class _Job(QRunnable):
    def __init__(self, home: Pictures, round_: int, image: str, read: Read):
        super().__init__()
        self._home, self._round, self._image, self._read = home, round_, image, read

    def run(self) -> None:
        result: object
        try:
            result = self._read(self._image) if self._home.wants(self._round, self._image) else None
        except (ScafError, OSError, MemoryError, ValueError) as error:
            result = error
        self._home.done.emit(self._round, self._image, result)


class Pictures(QObject):
    """Reads images off the main thread; what is asked for first is read first."""

    loaded = Signal(str, object)  # image, (height, width, 3) uint8 RGB
    failed = Signal(str, object)  # image, exception
    done = Signal(int, str, object)

    def __init__(self, parent: QObject | None = None):
        super().__init__(parent)
        self._read: Read | None = None
        self._kept: OrderedDict[str, ByteArray] = OrderedDict()
        self._wanted: tuple[str, ...] = ()
        self._asked: set[str] = set()
        self._round = 0
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self.done.connect(self._take, Qt.ConnectionType.QueuedConnection)

    def start(self, read: Read | None) -> None:
        """Begin with another project; ``None``: none."""
        self._round += 1
        self._wanted = ()
        self._pool.clear()
        self._pool.waitForDone()
        self._read = read
        self._kept.clear()
        self._asked.clear()

    def get(self, image: str) -> ByteArray | None:
        """The image if it has been read already."""
        if image in self._kept:
            self._kept.move_to_end(image)
        return self._kept.get(image)

    def want(self, images: Sequence[str]) -> None:
        """What to read, in this order; what was wanted before and has not begun is forgotten."""
        self._wanted = tuple(dict.fromkeys(images))
        if self._read is None:
            return
        for image in self._wanted:
            if image not in self._kept and image not in self._asked:
                self._asked.add(image)
                self._pool.start(_Job(self, self._round, image, self._read))

    def forget(self) -> None:
        """Read everything anew when it is asked for again (the folder was moved)."""
        self.start(self._read)

    def wants(self, round_: int, image: str) -> bool:
        """Whether an image is still of interest; asked by the reading thread."""
        return round_ == self._round and image in self._wanted

    def _take(self, round_: int, image: str, result: object) -> None:
        if round_ != self._round:
            return
        self._asked.discard(image)
        if result is None:
            if image in self._wanted:  # it was dropped and is wanted again
                self.want(self._wanted)
        elif isinstance(result, BaseException):
            self.failed.emit(image, result)
        else:
            self._keep(image, result)
            self.loaded.emit(image, result)

    def _keep(self, image: str, pixels: object) -> None:
        self._kept[image] = pixels  # type: ignore[assignment]
        first = self._wanted[0] if self._wanted else image
        for name in tuple(self._kept):
            if len(self._kept) <= MOST and sum(p.nbytes for p in self._kept.values()) <= MOST_BYTES:
                break
            if name not in (first, image):
                del self._kept[name]
