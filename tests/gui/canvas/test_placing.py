"""The small picture of where the next landmark goes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtGui import QFont, QImage
from PySide6.QtWidgets import QApplication

from scaf_gui.gui.canvas.placing import PAD, Picture
from tests.gui.canvas.stage import POINTS, SCHEME, make_label


def bright(image: QImage, columns: range, rows: range) -> int:
    """How many pixels are lighter than the ground of the picture, by far."""
    return sum(image.pixelColor(x, y).lightness() > 90 for x in columns for y in rows)


@pytest.mark.parametrize("points", [9.0, 14.0])
def test_its_text_keeps_clear_of_its_edge_in_fonts_of_any_width(dressed: QApplication, points: float) -> None:
    before = dressed.font()
    wide = QFont(before)
    wide.setPointSizeF(points)
    wide.setLetterSpacing(QFont.SpacingType.PercentageSpacing, 130 if points > 10 else 100)
    long_name = "the outermost of all the landmarks of the lower eyelid"
    scheme = replace(SCHEME, names=(long_name, *SCHEME.names[1:]))
    try:
        dressed.setFont(wide)
        picture = Picture(scheme, None)
        image = picture._draw(make_label(POINTS).placed, 0, 1.0)
    finally:
        dressed.setFont(before)
    rows = range(4, picture.height - 4)
    assert bright(image, range(PAD, picture.width - PAD), rows) > 50
    assert bright(image, range(3, PAD - 1), rows) == 0
    assert bright(image, range(picture.width - PAD + 1, picture.width - 3), rows) == 0
