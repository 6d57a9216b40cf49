from __future__ import annotations

from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from scaf_gui.core.finish import FinishLine, Gain
from scaf_gui.gui.finish_line import FinishLineView

KNOWN = FinishLine(1200, 4.2, 3.0, 12, 0.4, 0.25, 0.57, Gain(50, 3.9, 0.52))


def made(qtbot: QtBot) -> FinishLineView:
    view = FinishLineView()
    qtbot.addWidget(view)
    view.resize(296, 90)
    view.show_line(KNOWN)
    return view


def test_says_the_share_its_range_and_what_more_labels_bring(qtbot: QtBot, dressed: QApplication) -> None:
    view = made(qtbot)
    assert view.isVisible() and view.bar.isVisible()
    said = view.title.text() + view.note.text()
    for part in ("40 % of 1,200 unseen faces", "within 3 %", "25 to 57 %", "from 12", "50 more labels", "52 %"):
        assert part in said, part
    before = view.bar.grab().toImage()
    view.bar.show_share(0.9, 0.8, 0.95)
    assert view.bar.grab().toImage() != before


def test_says_no_share_that_nothing_stands_for(qtbot: QtBot, dressed: QApplication) -> None:
    view = made(qtbot)
    view.show_line(FinishLine(3, 5.04, 3.0, 1, lacking=4))
    assert not view.bar.isVisible()
    assert "5.0 %" in view.title.text() and "4 more accepted faces" in view.note.text()
    view.show_line(None)
    assert not view.isVisible()
