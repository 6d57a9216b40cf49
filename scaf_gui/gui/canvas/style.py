"""Colours, pens and sizes of the canvas. Sizes are screen pixels and do not grow with the zoom.

A person's landmarks and a model's differ in hue and in shape. The hues are Okabe and Ito's sky blue
and a light variant of their orange, told apart with every kind of colour blindness; a dark halo
under each line keeps both readable on light and on dark skin.
"""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QColor, QFont, QPen

HUMAN = "#6fc6f7"
PREDICTED = "#ffc247"
UNSURE = "#ff8ac6"
#: the ring of one that somebody has looked at
LOOKED = "#70ffd9ec"
SELECTED = "#ffffff"
MISSING = "#d4d8de"
HALO = "#c8000000"
SOFT_HALO = "#70000000"
FAINT_HALO = "#58000000"
#: the prediction behind a label: paler and finer than what is only predicted, which may lie right beside it
GHOST = "#d0fff1c8"
MOVED = "#a0ffffff"
BOX = "#b0ffffff"
TAG = "#e0101418"
NAME = "#90101418"
TAG_TEXT = "#f2f5f8"
#: the loupe: its rim, curves within it, and what lies beyond the image
LOUPE_RIM, LOUPE_LINE, BEYOND = "#f2f5f8", "#90ffffff", "#0e1014"

#: radius of a landmark's dot: this share of the median edge, within these limits
DOT_SHARE, SMALLEST_DOT, LARGEST_DOT = 0.2, 1.3, 3.2
#: how far the drawing of a landmark reaches from its place (cross-hair and halo)
REACH = 20.0
#: a press within this distance takes a landmark, or a handle of the selected box
GRAB = 11.0
#: a press within this distance of its outline takes a box that is not selected
BOX_GRAB = 5.0
#: the selected landmark wins over others that are nearer by no more than this
GRAB_SLACK = 2.5


@cache
def pen(colour: str, width: float, dashed: bool = False) -> QPen:
    """A pen whose width is in the window's pixels, so it is as wide on a dense screen.

    Its ends are flat: round ones take Qt three times as long, and dots cover them.
    """
    made = QPen(QColor(colour), width)
    made.setCapStyle(Qt.PenCapStyle.FlatCap)
    made.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    if dashed:
        made.setDashPattern([4.0, 3.0])
    return made


@cache
def brush(colour: str) -> QBrush:
    return QBrush(QColor(colour))


@cache
def font(points: float) -> QFont:
    """The application's font at another size."""
    made = QFont()
    made.setPointSizeF(points)
    return made
