"""How a row of the queue looks: thumbnail, file name, state, expected error. No widget per row."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPainterPath, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from scaf_gui.core.face import Face, State
from scaf_gui.gui import theme
from scaf_gui.gui.queue_model import STATE_NAMES, Role

ROW = 58
_THUMB = 46
#: side of the mark of a face drawn at random
_MARK = 13


class QueueDelegate(QStyledItemDelegate):
    """Paints by hand: 10,000 rows cost no more than the dozen that are visible."""

    def sizeHint(  # noqa: N802
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(180, ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        rect: QRect = option.rect
        face = index.data(Role.FACE)
        if isinstance(face, Face):
            self._face(painter, option, index, face, rect)
        elif index.data() is not None:
            self._divider(painter, rect, str(index.data()), str(index.data(Role.SUBTITLE)))
        painter.restore()

    def _face(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
        face: Face,
        rect: QRect,
    ) -> None:
        state: QStyle.StateFlag = option.state
        font: QFont = option.font
        current = bool(index.data(Role.CURRENT))
        if current:
            painter.fillRect(rect, theme.colour("selection"))
            painter.fillRect(QRect(rect.left(), rect.top(), 3, rect.height()), theme.colour("accent"))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, theme.colour("hover"))
        thumb = QRectF(rect.left() + 12, rect.top() + (ROW - _THUMB) / 2, _THUMB, _THUMB)
        self._thumbnail(painter, thumb, index.data(Role.PIXMAP), bool(index.data(Role.UNREADABLE)))

        left = int(thumb.right()) + 10
        width = rect.right() - 10 - left
        painter.setFont(font)
        painter.setPen(theme.colour("text"))
        place = index.data(Role.PLACE)
        if place:
            which = f"{place[0]} of {place[1]}"
            painter.setPen(theme.colour("muted"))
            top = QRect(left, rect.top() + 9, width, 20)
            painter.drawText(top, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, which)
            painter.setPen(theme.colour("text"))
            width -= painter.fontMetrics().horizontalAdvance(which) + 8
        name = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideMiddle, width)
        painter.drawText(QRect(left, rect.top() + 9, width, 20), Qt.AlignmentFlag.AlignVCenter, name)

        small = QFont(font)
        small.setPointSizeF(max(7.0, font.pointSizeF() - 1.0))
        painter.setFont(small)
        line = QRect(left, rect.top() + 30, rect.right() - 10 - left, 18)
        state_colour = theme.colour(face.state.value)
        _badge(painter, QPointF(line.left() + 6, line.center().y() + 0.5), face.state, state_colour)
        painter.setPen(state_colour)
        painter.drawText(line.adjusted(18, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, STATE_NAMES[face.state])
        expected, end = index.data(Role.EXPECTED), line.right()
        if isinstance(expected, float):
            painter.setPen(theme.colour("muted"))
            text = f"~{expected:.1f} %"
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)
            end -= painter.fontMetrics().horizontalAdvance(text) + 5
        if index.data(Role.DRAWN):
            ratio = painter.device().devicePixelRatioF()
            mark = _mark(theme.colour("muted").name(), ratio)
            painter.drawPixmap(QPointF(end - _MARK, line.top() + (line.height() - _MARK) / 2), mark)
            end -= _MARK + 5
        alike = index.data(Role.ALIKE)
        if alike:
            start = line.left() + 18 + painter.fontMetrics().horizontalAdvance(STATE_NAMES[face.state])
            painter.setPen(theme.colour("muted"))
            for text in (f" · {alike} near-identical", f" · {alike} alike", f" ≈{alike}"):
                if start + painter.fontMetrics().horizontalAdvance(text) <= end:
                    painter.drawText(line.adjusted(start - line.left(), 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)
                    break

    def _thumbnail(self, painter: QPainter, rect: QRectF, pixmap: object, unreadable: bool) -> None:
        outline = QPainterPath()
        outline.addRoundedRect(rect, 5, 5)
        if isinstance(pixmap, QPixmap):
            painter.save()
            painter.setClipPath(outline)
            painter.drawPixmap(rect, pixmap, QRectF(pixmap.rect()))
            painter.restore()
            return
        painter.fillPath(outline, theme.colour("line"))
        if unreadable:
            painter.drawPixmap(rect.adjusted(13, 13, -13, -13).toRect(), theme.picture("warning", 20, "warning"))

    def _divider(self, painter: QPainter, rect: QRect, title: str, subtitle: str) -> None:
        painter.setPen(QPen(theme.colour("line"), 1))
        painter.drawLine(rect.left() + 12, rect.top() + 8, rect.right() - 12, rect.top() + 8)
        font = painter.font()
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(theme.colour("text"))
        painter.drawText(QRect(rect.left() + 12, rect.top() + 14, rect.width() - 20, 18), 0, title)
        font.setBold(False)
        font.setPointSizeF(max(7.0, font.pointSizeF() - 1.0))
        painter.setFont(font)
        painter.setPen(theme.colour("muted"))
        painter.drawText(QRect(rect.left() + 12, rect.top() + 34, rect.width() - 20, 18), 0, subtitle)


@lru_cache(maxsize=8)
def _mark(shade: str, ratio: float) -> QPixmap:
    """The mark of a face drawn at random; ``shade`` makes it anew with another theme."""
    return theme.picture("dice", _MARK, "muted", ratio)


def _badge(painter: QPainter, centre: QPointF, state: State, shade: QColor) -> None:
    """A shape for each state, so that colour is never the only sign."""
    painter.setPen(QPen(shade, 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    x, y = centre.x(), centre.y()
    match state:
        case State.UNLABELLED:
            painter.drawEllipse(centre, 3.6, 3.6)
        case State.STARTED:
            painter.drawEllipse(centre, 3.6, 3.6)
            painter.setBrush(shade)
            painter.drawPie(QRectF(x - 3.6, y - 3.6, 7.2, 7.2), 90 * 16, -180 * 16)
        case State.LABELLED:
            painter.drawPolyline([QPointF(x - 4.5, y), QPointF(x - 1.3, y + 3.4), QPointF(x + 4.8, y - 3.6)])
        case State.SKIPPED:
            painter.drawPolyline([QPointF(x - 3.6, y - 3.8), QPointF(x + 0.6, y), QPointF(x - 3.6, y + 3.8)])
            painter.drawLine(QPointF(x + 3.6, y - 3.8), QPointF(x + 3.6, y + 3.8))
