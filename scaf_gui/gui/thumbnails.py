"""Thumbnails of the queue: read in the background, for visible rows only, and forgotten in time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QRect, QRunnable, Qt, QThread, QThreadPool, Signal
from PySide6.QtGui import QImage, QPixmap

from scaf_gui.core.arrays import ByteArray
from scaf_gui.core.face import Box
from scaf_gui.core.geometry import crop_square
from scaf_gui.errors import ScafError
from scaf_gui.gui.background import step_back
from scaf_gui.io.copies import SmallCopies

#: side of the picture that is read; the delegate draws it at about half of that
SIDE = 112
#: about 25 MB of pixmaps at most, whatever the size of the folder
MOST = 500

#: image path (relative), bounding box, side -> about (side, side, 3) uint8 RGB around the face
Load = Callable[[str, Box | None, int], ByteArray]


def loader(folder: Path, copies: SmallCopies | None = None, give_way: Callable[[], object] | None = None) -> Load:
    """Read thumbnails of a folder's images, reduced while decoding where the format can.

    :param copies: of large photos their small copies are used, and left here where there is none yet: what is in sight
        in the list is what a person goes to next
    :param give_way: called before each; returns once nothing more urgent is read
    """

    def load(image: str, box: Box | None, side: int) -> ByteArray:
        from scaf_gui.io.images import image_size, thumbnail

        if give_way is not None:
            give_way()
        path = folder / image
        width, height = image_size(path)
        longer = max(width, height)
        # a small face in a large photo needs more of the photo's pixels, within reason
        around = crop_square(box).side if box is not None else min(width, height)
        needed = int(min(longer, 1600, side * longer / max(around, 1.0))) or 1
        copy = copies.read(path, needed) if copies is not None else None
        reduced = copy[0] if copy is not None else thumbnail(path, needed)
        return face_cut(reduced, max(reduced.shape[:2]) / longer, box, side)

    return load


def face_cut(image: NDArray[np.uint8], scale: float, box: Box | None, side: int) -> ByteArray:
    """The square around a face (or the middle of the picture) from a reduced image.

    :param image: (H, W, 3) uint8 RGB, reduced from the full image
    :param scale: pixels of this image per pixel of the full one
    :param box: bounding box in pixels of the full image
    :returns: (<=side, <=side, 3) uint8
    """
    height, width = image.shape[:2]
    if box is None:
        cut = float(min(width, height))
        cx, cy = width / 2, height / 2
    else:
        square = crop_square(box)
        cx, cy, cut = square.cx * scale, square.cy * scale, min(square.side * scale, float(max(width, height)))
    x0, y0 = max(0, round(cx - cut / 2)), max(0, round(cy - cut / 2))
    x1, y1 = min(width, max(x0 + 1, round(cx + cut / 2))), min(height, max(y0 + 1, round(cy + cut / 2)))
    part = image[min(y0, height - 1) : y1, min(x0, width - 1) : x1]
    step = max(1, int(max(part.shape[:2]) / (2 * side)))
    return np.ascontiguousarray(part[::step, ::step])


class _Job(QRunnable):
    def __init__(self, home: Thumbnails, face_id: int, image: str, box: Box | None, load: Load):
        super().__init__()
        self.key = (face_id, box)
        self._home, self._image, self._box, self._load = home, image, box, load

    def run(self) -> None:
        step_back()
        face_id, box = self.key
        picture = QImage()
        if self._home.wants(face_id):
            try:
                pixels = self._load(self._image, box, SIDE)
                height, width = pixels.shape[:2]
                picture = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
                grow = Qt.AspectRatioMode.KeepAspectRatioByExpanding
                picture = picture.scaled(SIDE, SIDE, grow, Qt.TransformationMode.SmoothTransformation)
                left, top = (picture.width() - SIDE) // 2, (picture.height() - SIDE) // 2
                picture = picture.copy(QRect(left, top, SIDE, SIDE))
            except (ScafError, OSError, ValueError):
                picture = QImage()
            self._home.done.emit(face_id, box, picture, True)
        else:
            self._home.done.emit(face_id, box, picture, False)


class Thumbnails(QObject):
    """Pixmaps by face; asking for one that is not there yet starts reading it."""

    ready = Signal(int)
    done = Signal(int, object, QImage, bool)

    def __init__(self, parent: QObject | None = None):
        super().__init__(parent)
        self._load: Load | None = None
        self._pixmaps: OrderedDict[int, tuple[Box | None, QPixmap | None]] = OrderedDict()
        self._asked: dict[int, Box | None] = {}
        self._shown: frozenset[int] = frozenset()
        self._pool = QThreadPool(self)
        # one thread: two would take the processor from the model, and visible rows are few
        self._pool.setMaxThreadCount(1)
        self._pool.setThreadPriority(QThread.Priority.LowPriority)
        self.done.connect(self._take, Qt.ConnectionType.QueuedConnection)

    def start(self, load: Load | None) -> None:
        """Begin with another project; ``None`` ends the reading."""
        self.stop()
        self._load = load

    def stop(self) -> None:
        """Forget all; waits for the one picture that is being read."""
        self._shown = frozenset()
        self._pool.clear()
        self._pool.waitForDone()
        self._load = None
        self._pixmaps.clear()
        self._asked.clear()

    def show_only(self, face_ids: frozenset[int]) -> None:
        """Which rows are on screen: what scrolled away before its turn is not read."""
        self._shown = face_ids

    def wants(self, face_id: int) -> bool:
        return face_id in self._shown

    def get(self, face_id: int, image: str, box: Box | None) -> QPixmap | None:
        """The pixmap if it is there; ``None`` while it is read (or where the image cannot be)."""
        have = self._pixmaps.get(face_id)
        if have is not None and have[0] == box:
            self._pixmaps.move_to_end(face_id)
            return have[1]
        if self._load is not None and self._asked.get(face_id, self) != box:
            self._asked[face_id] = box
            self._shown |= {face_id}
            self._pool.start(_Job(self, face_id, image, box, self._load))
        return have[1] if have is not None else None

    def unreadable(self, face_id: int) -> bool:
        """Whether reading this face's image was tried and failed."""
        have = self._pixmaps.get(face_id)
        return have is not None and have[1] is None

    def _take(self, face_id: int, box: Box | None, picture: QImage, tried: bool) -> None:
        if self._asked.pop(face_id, self) != box or self._load is None or not tried:
            return
        self._pixmaps[face_id] = (box, None if picture.isNull() else QPixmap.fromImage(picture))
        self._pixmaps.move_to_end(face_id)
        while len(self._pixmaps) > MOST:
            self._pixmaps.popitem(last=False)
        self.ready.emit(face_id)
