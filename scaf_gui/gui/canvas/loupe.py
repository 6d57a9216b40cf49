"""The loupe: a round magnifier beside the landmark that is moved, never upon it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QPainter, QTransform

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import Flag
from scaf_gui.gui.canvas import ink, style
from scaf_gui.gui.canvas.image_item import ImageItem
from scaf_gui.gui.canvas.shown import Shown
from scaf_gui.gui.canvas.sprites import stamp

#: radius of the loupe, and how much room it leaves around the landmark, screen pixels; its middle is the middle of a
#: pixel, so that the cross-hair is one pixel wide
RADIUS, CLEAR = 88.5, 46.0
#: how often it enlarges what the canvas shows: at least, at most, and by one notch of the wheel
SMALLEST, LARGEST, STEP = 1.5, 32.0, 1.25
#: where it can be pinned; "" lets it go with the landmark
CORNERS = ("", "top left", "top right", "bottom right", "bottom left")
#: it makes an image pixel no larger than so many screen pixels, but always a little larger than the canvas does
_LARGEST_PIXEL = 18.0
_MARGIN = 12.0
_RIM = 3.0  # the rim reaches so far out
_DIAGONAL = float(np.sqrt(0.5))
#: directions from the landmark to the loupe, the better ones first
_SIDES = (
    (_DIAGONAL, -_DIAGONAL),
    (-_DIAGONAL, -_DIAGONAL),
    (_DIAGONAL, _DIAGONAL),
    (-_DIAGONAL, _DIAGONAL),
    (1.0, 0.0),
    (-1.0, 0.0),
    (0.0, -1.0),
    (0.0, 1.0),
)


def beside(
    point: tuple[float, float],
    view: tuple[float, float],
    before: tuple[float, float] | None = None,
    others: FloatArray | None = None,
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Where the middle of a loupe goes that shows a point of the screen.

    :param view: (width, height) of the viewport
    :param before: the direction it had; it is kept while it fits, so that the loupe does not jump
    :param others: (N, 2) screen points of which it is to hide as few as possible; rows of NaN count for nothing
    :returns: the middle and its direction from the point; ``None`` where the viewport is too small for it
    """
    reach = RADIUS + CLEAR
    best: tuple[tuple[float, float], tuple[float, float]] | None = None
    fewest = 0
    for side in (*((before,) if before is not None else ()), *_SIDES):
        x, y = point[0] + side[0] * reach, point[1] + side[1] * reach
        if RADIUS <= x <= view[0] - RADIUS and RADIUS <= y <= view[1] - RADIUS:
            if others is None or side == before:
                return (x, y), side
            hidden = int((np.hypot(*(others - (x, y)).T) < RADIUS).sum())
            if best is None or hidden < fewest:
                best, fewest = ((x, y), side), hidden
    if best is not None:
        return best
    corners = [in_corner(corner, view) for corner in CORNERS[1:]]
    far = max(corners, key=lambda corner: float(np.hypot(corner[0] - point[0], corner[1] - point[1])))
    return (far, _SIDES[0]) if np.hypot(far[0] - point[0], far[1] - point[1]) >= reach else None


def in_corner(corner: str, view: tuple[float, float]) -> tuple[float, float]:
    """The middle of a loupe that is pinned to a corner of the viewport."""
    near, right, bottom = RADIUS + _MARGIN, view[0] - RADIUS - _MARGIN, view[1] - RADIUS - _MARGIN
    return right if "right" in corner else near, bottom if "bottom" in corner else near


def pinned(point: tuple[float, float], view: tuple[float, float], corner: str) -> tuple[float, float] | None:
    """As :func:`in_corner`; where that would cover the landmark, the corner across. ``None``: no room there, either."""
    for name in (corner, CORNERS[1 + (CORNERS.index(corner) + 1) % 4]):
        x, y = in_corner(name, view)
        if np.hypot(x - point[0], y - point[1]) >= RADIUS + CLEAR / 2:
            return x, y
    return None


@dataclass
class Loupe:
    """What is to be magnified, and where; painted by the canvas upon everything else.

    ``factor``: how many times larger than on the canvas; ``corner``: one of :data:`CORNERS`.
    """

    factor: float = 4.0
    corner: str = ""
    middle: tuple[float, float] | None = None  # screen pixels; None: it is not shown
    place: tuple[float, float] = (0.0, 0.0)  # what it magnifies, image pixels
    _side: tuple[float, float] | None = None

    def aim(
        self,
        place: tuple[float, float] | None,
        screen: tuple[float, float],
        view: tuple[float, float],
        others: FloatArray | None = None,
    ) -> tuple[QRectF, QRectF]:
        """Show the surroundings of another place, or nothing.

        :param place: image pixels
        :param screen: the same place in screen pixels
        :param view: (width, height) of the viewport
        :param others: (N, 2) landmarks on the screen; beside another landmark it goes where it hides the fewest
        :returns: what of the screen must be painted again: where it was, where it is
        """
        before = self.area()
        self.middle = None
        self._side = self._side if place is not None else None
        if place is not None and -CLEAR < screen[0] < view[0] + CLEAR and -CLEAR < screen[1] < view[1] + CLEAR:
            self.place = place
            if self.corner:
                self.middle = pinned(screen, view, self.corner)
            else:
                found = beside(screen, view, self._side, others)
                self.middle, self._side = found if found is not None else (None, None)
        if self.middle is not None:  # its corners on whole pixels, so that the picture stays sharp
            self.middle = (round(self.middle[0] - RADIUS) + RADIUS, round(self.middle[1] - RADIUS) + RADIUS)
        return before, self.area()

    def area(self) -> QRectF:
        """What of the screen it covers, its rim included; empty while it is not shown."""
        if self.middle is None:
            return QRectF()
        side = 2 * (RADIUS + _RIM)
        return QRectF(self.middle[0] - side / 2, self.middle[1] - side / 2, side, side)

    def times(self, zoom: float) -> float:
        """How many times it enlarges at this zoom: less than its factor where pixels would fill it."""
        return min(self.factor, max(SMALLEST, _LARGEST_PIXEL / zoom))

    def contains(self, x: float, y: float) -> bool:
        return self.middle is not None and float(np.hypot(x - self.middle[0], y - self.middle[1])) <= RADIUS

    def turned(self, notches: float) -> float:
        """The factor after so many notches of the wheel."""
        self.factor = float(np.clip(self.factor * STEP**notches, SMALLEST, LARGEST))
        return self.factor

    def paint(self, painter: QPainter, view: QTransform, image: ImageItem, shown: Shown | None, of: int | None) -> None:
        """Draw it in screen pixels.

        :param view: from image to screen pixels
        :param of: the landmark in its middle, whose place stays free
        """
        if self.middle is None:
            return
        ratio = painter.device().devicePixelRatioF()
        zoom = float(np.hypot(view.m11(), view.m12()))
        times = self.times(zoom)
        scale = zoom * times
        turn = float(np.arctan2(view.m12(), view.m11())) if view.m12() else 0.0
        corner = QPointF(self.middle[0] - RADIUS, self.middle[1] - RADIUS)
        picture = image.patch(*self.place, scale, round(2 * RADIUS), ratio, turn)
        painter.save()
        painter.resetTransform()
        if picture is not None:
            if shown is not None:
                self._draw_landmarks(picture, view, times, shown, of)
            _cut_round(picture)
            painter.drawImage(corner, picture)
        text = f"{times:.1f}×" if times < 10 else f"{times:.0f}×"
        painter.drawImage(corner - QPointF(_RIM, _RIM), _rim(text, ratio, picture is None))
        painter.restore()

    def _draw_landmarks(self, picture: QImage, view: QTransform, times: float, shown: Shown, of: int | None) -> None:
        linear = np.array([[view.m11(), view.m12()], [view.m21(), view.m22()]]) * times
        points = (shown.points - self.place) @ linear + RADIUS
        edges = np.asarray(shown.edges, dtype=np.intp).reshape(-1, 2)
        ends = points[edges]
        near = (ends.min(axis=1) < 2 * RADIUS).all(axis=1) & (ends.max(axis=1) > 0).all(axis=1)
        inside = ink.within(points, QRectF(0, 0, 2 * RADIUS, 2 * RADIUS), 4.0) & (shown.flags != Flag.MISSING)
        if of is not None and of < len(inside):
            inside[of] = False
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(style.pen(style.LOUPE_LINE, 1.0))
        painter.drawLines(ink.lines(ends[near]))  # unknown ends are never near
        for human, colour in ((False, style.PREDICTED), (True, style.HUMAN)):
            stamp(painter, points[inside & (shown.human == human)], "circle", 2.6, colour, 1.2)
        painter.end()


def _cut_round(picture: QImage) -> None:
    """Make what is outside the circle transparent: much quicker than painting through a round clip."""
    side = picture.width()
    memory = np.frombuffer(picture.bits(), np.uint32).reshape(side, picture.bytesPerLine() // 4)
    memory[:, :side] &= _disc(side)


@lru_cache(maxsize=4)
def _disc(side: int) -> npt.NDArray[np.uint32]:
    offset = np.arange(side) - (side - 1) / 2
    inside = np.hypot(offset[:, None], offset) <= side / 2
    return np.where(inside, np.uint32(0xFFFFFFFF), np.uint32(0))


@lru_cache(maxsize=64)
def _rim(text: str, ratio: float, empty: bool) -> QImage:
    """What does not change from frame to frame: rim, cross-hair and factor; ``empty``: there is no image below."""
    side = 2 * (RADIUS + _RIM)
    image = QImage(round(side * ratio), round(side * ratio), QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    middle = np.array([[side / 2, side / 2]])
    rim = ink.circles(middle, RADIUS)
    if empty:
        painter.fillPath(rim, style.brush(style.BEYOND))
    ink.ringed(painter, ink.hairs(middle, 5.0, RADIUS - 14), style.SELECTED, 1.0)
    ink.ringed(painter, rim, style.LOUPE_RIM, 2.0)
    painter.setFont(style.font(8.5))
    metrics = QFontMetricsF(painter.font())
    wide, high = metrics.horizontalAdvance(text) + 12, metrics.height() + 2
    tag = QRectF((side - wide) / 2, side / 2 + RADIUS - high - 8, wide, high)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(style.brush(style.TAG))
    painter.drawRoundedRect(tag, 4, 4)
    painter.setPen(style.pen(style.TAG_TEXT, 1.0))
    painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, text)
    painter.end()
    return image
