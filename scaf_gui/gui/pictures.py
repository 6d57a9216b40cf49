"""The images behind the canvas: read in the background, the next one ahead of time, a few kept, more as copies."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal

from scaf_gui.core.arrays import ByteArray
from scaf_gui.errors import ScafError
from scaf_gui.gui.background import step_back
from scaf_gui.gui.canvas.pyramid import Pyramid
from scaf_gui.io.copies import Copy, SmallCopies, Stamp, stamp_of
from scaf_gui.io.images import COPY_FROM, GLANCE_SIDE

#: decoded images that are kept: the current one, those that may come next and the one before
MOST = 5
#: and no more bytes than this beside the current one
MOST_BYTES = 500_000_000
#: smaller copies of an image that are made with it, off the main thread: down to a sixteenth
COPIES = 4
#: so long a folder is waited for, seconds, to say that a photo is still the one a small copy was made of
PATIENCE = 0.03

#: so long other reading waits for a glance to end, seconds
WAY = 0.3
#: so long a glance is given to read its file, seconds, before the main thread goes on: both need the interpreter,
#: and what comes then, decoding, does not
HEAD_START = 0.012

#: gives an image, (height, width, 3) uint8 RGB
Read = Callable[[str], ByteArray]
#: gives a large image at a fraction of its size, and (width, height) of the whole; ``None`` where that would not pay.
#: Calls what it is given once the file has been read
Glance = Callable[[str, Callable[[], object]], Copy | None]
#: gives the file of an image
Locate = Callable[[str], Path]


class _Job(QRunnable):
    def __init__(self, home: Pictures, round_: int, image: str, read: Callable[[str], object]):
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


class _Reading(_Job):
    """Reads all of an image; a small copy of it stays when it is dropped."""

    def run(self) -> None:
        self._stamp = self._home.stamp(self._image)
        super().run()

    def _say(self, result: object) -> None:
        super()._say(result)
        if isinstance(result, Pyramid):
            self._home.remember(self._image, self._stamp, result)


class _Look(_Job):
    """A glance at an image, which is forgotten where it fails: reading the whole one will say why."""

    def _say(self, result: object) -> None:
        self._home.is_read.set()  # where there was nothing to read
        seen = result if isinstance(result, Pyramid) else None
        self._home.glanced.emit(self._round, self._image, seen)


class _Ahead(_Job):
    """Makes a small copy of an image that may come to be wanted; gives way to everything else."""

    def run(self) -> None:
        step_back()
        super().run()

    def _say(self, result: object) -> None:
        self._home.looked.emit(self._round, self._image, result is True)


class _Question(QRunnable):
    """Fetches a small copy; its file is on a disk that may not answer."""

    def __init__(self, copies: SmallCopies, path: Path, answer: list[Copy | None], done: Event):
        super().__init__()
        self._copies, self._path, self._answer, self._done = copies, path, answer, done

    def run(self) -> None:
        try:
            self._answer.append(self._copies.get(self._path))
        finally:
            self._done.set()


class Pictures(QObject):
    """Reads images off the main thread; what is asked for first is read first.

    At an image that is wanted first and is large, a glance comes before, at once: it is shown until all of the image
    is there. Of large images that may be wanted soon, small copies are made while there is nothing else to read: where
    there is one (:meth:`small`), nobody waits for the glance.
    """

    loaded = Signal(str, object)  # image, Pyramid: of a glance, then whole
    failed = Signal(str, object)  # image, exception
    done = Signal(int, str, object)
    glanced = Signal(int, str, object)
    looked = Signal(int, str, bool)

    def __init__(self, parent: QObject | None = None):
        super().__init__(parent)
        self._read: Read | None = None
        self._glance: Glance | None = None
        self._locate: Locate | None = None
        #: small copies of large photos, whoever made them
        self.copies = SmallCopies()
        self._kept: OrderedDict[str, Pyramid] = OrderedDict()
        self._wanted: tuple[str, ...] = ()
        self._asked: set[str] = set()
        self._round = 0
        self._glancing = ""  # the image that is being glanced at
        self.is_read = Event()  # the file that is being glanced at
        self._quiet = Event()  # there is none
        self._quiet.set()
        self._seen = ""  # the image whose small copy has just been given out
        self._ahead: deque[str] = deque()  # images to make small copies of
        self._looking = ""  # the image of which one is being made
        self._too_small: set[str] = set()  # images that need none, or cannot be read
        self._pool, self._quick, self._idle, self._asking = (QThreadPool(self) for _ in range(4))
        for pool in self._pools:
            pool.setMaxThreadCount(1)
        self.done.connect(self._take, Qt.ConnectionType.QueuedConnection)
        self.glanced.connect(self._take_glance, Qt.ConnectionType.QueuedConnection)
        self.looked.connect(self._take_look, Qt.ConnectionType.QueuedConnection)

    @property
    def _pools(self) -> tuple[QThreadPool, ...]:
        return self._pool, self._quick, self._idle, self._asking

    def start(self, read: Read | None, glance: Glance | None = None, locate: Locate | None = None) -> None:
        """Begin with another project; ``None``: none.

        :param locate: without it there are no small copies
        """
        self._round += 1
        self._wanted = ()
        for pool in self._pools:
            pool.clear()
            pool.waitForDone()
        self._read, self._glance, self._locate = read, glance, locate
        self._glancing = self._seen = self._looking = ""
        self._quiet.set()
        self._ahead.clear()
        self._too_small.clear()
        self.copies.clear()
        self._kept.clear()
        self._asked.clear()

    def get(self, image: str) -> Pyramid | None:
        """The image if it has been read already."""
        if image in self._kept:
            self._kept.move_to_end(image)
        return self._kept.get(image)

    def small(self, image: str) -> Pyramid | None:
        """A small copy of an image that has not been read, if one is kept; to be followed by :meth:`want`.

        It is one of the file as it is now. A disk that does not say so within :data:`PATIENCE` is not waited for.
        """
        self._seen = ""
        if self._locate is None or self._locate(image) not in self.copies:
            return None
        answer: list[Copy | None] = []
        done = Event()
        self._asking.start(_Question(self.copies, self._locate(image), answer, done))
        if not done.wait(PATIENCE) or not answer or answer[0] is None:
            return None
        self._seen = image
        return Pyramid(*answer[0])

    def want(self, images: Sequence[str]) -> None:
        """What to read, in this order; what was wanted before and has not begun is forgotten."""
        self._wanted = tuple(dict.fromkeys(images))
        if self._read is None:
            return
        first = next(iter(self._wanted), None)
        if first is not None and first not in (self._glancing, self._seen):
            self._look_at(first)
        if first is not None and first == self._glancing:
            self.is_read.wait(HEAD_START)
        if not self._glancing:  # reading waits for it: decoding both at once would keep it back
            self._read_on()

    def expect(self, image: str) -> None:
        """A person is about to go on to an image: look at it now, while what is left is being saved."""
        if image != self._glancing and (self._locate is None or self._locate(image) not in self.copies):
            self._look_at(image)

    def _look_at(self, image: str) -> None:
        """Begin a glance at an image, unless all of it is there or is being read."""
        if self._glance is None or image in self._kept or image in self._asked:
            return
        self._glancing = image
        self._quiet.clear()
        self.is_read.clear()
        self._quick.start(_Look(self, self._round, image, self._look))

    def _read_on(self) -> None:
        for image in self._wanted:
            if image not in self._kept and image not in self._asked:
                self._asked.add(image)
                self._pool.start(_Reading(self, self._round, image, self._whole))

    def look_ahead(self, images: Sequence[str]) -> None:
        """Of which large images to make small copies, in this order, once nothing is left to read."""
        self._ahead = deque(dict.fromkeys(images))
        self._look_on()

    def _look_on(self) -> None:
        locate = self._locate
        while self._ahead and locate is not None and not (self._looking or self._glancing or self._asked):
            image = self._ahead.popleft()
            if image in self._kept or image in self._too_small or locate(image) in self.copies:
                continue
            self._looking = image
            self._idle.start(_Ahead(self, self._round, image, self._copy))

    def forget(self) -> None:
        """Read everything anew when it is asked for again (the folder was moved)."""
        self.start(self._read, self._glance, self._locate)

    def give_way(self) -> None:
        """Wait while a glance is taken, for a moment at most; on any other thread that decodes images."""
        self._quiet.wait(WAY)

    def wants(self, round_: int, image: str) -> bool:
        """Whether an image is still of interest; asked by the reading thread."""
        return round_ == self._round and (image in self._wanted or image in (self._looking, self._glancing))

    def stamp(self, image: str) -> Stamp | None:
        """What the file of an image is recognised by; on the reading thread."""
        return stamp_of(self._locate(image)) if self._locate is not None else None

    def remember(self, image: str, stamp: Stamp | None, pixels: Pyramid) -> None:
        """Keep a small copy of a large image that has been read; on the reading thread."""
        if self._locate is None or pixels.width * pixels.height < COPY_FROM:
            return
        path, level = self._locate(image), 0
        while level < COPIES and max(pixels.level(level + 1).shape) >= GLANCE_SIDE:
            level += 1
        if path not in self.copies:
            self.copies.put(path, stamp, pixels.level(level), (pixels.width, pixels.height))

    def _whole(self, image: str) -> Pyramid | None:
        if self._read is None:
            return None
        made = Pyramid(self._read(image))
        made.level(min(COPIES, made.most))
        return made

    def _look(self, image: str) -> Pyramid | None:
        seen = self._glance(image, self.is_read.set) if self._glance is not None else None
        return None if seen is None else Pyramid(*seen)

    def _copy(self, image: str) -> bool:
        return self._locate is not None and self.copies.read(self._locate(image)) is not None

    def _take_look(self, round_: int, image: str, made: bool) -> None:
        if round_ != self._round:
            return
        self._looking = ""
        if not made:
            self._too_small.add(image)
        self._look_on()

    def _take_glance(self, round_: int, image: str, seen: Pyramid | None) -> None:
        if round_ != self._round:
            return
        if image == self._glancing:
            self._glancing = ""
        if seen is not None and image not in self._kept and image in self._wanted:
            self.loaded.emit(image, seen)  # it is painted within
        if not self._glancing:
            self._quiet.set()
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
        self._look_on()

    def _keep(self, image: str, pixels: Pyramid) -> None:
        self._kept[image] = pixels
        first = self._wanted[0] if self._wanted else image
        for name in tuple(self._kept):
            if len(self._kept) <= MOST and sum(p.nbytes for p in self._kept.values()) <= MOST_BYTES:
                break
            if name not in (first, image):
                del self._kept[name]
