"""The note that says what colours mean: small, silent, and never upon landmarks where it can be elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from scaf_gui.gui.canvas.legend import Legend, Row, error_row, heat_row
from scaf_gui.gui.canvas.scales import ERRORS


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(700, 500)
    made.show()
    return made


def test_it_is_hidden_while_there_is_nothing_to_explain(parent: QWidget) -> None:
    legend = Legend(parent)
    assert not legend.isVisible()
    legend.show_rows((error_row(),))
    assert legend.isVisible()
    assert legend.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    one = legend.height()
    legend.show_rows((error_row(), heat_row("Heatmap: nose")))
    assert legend.height() > one
    legend.show_rows(())
    assert not legend.isVisible()


def test_every_step_of_the_errors_is_named(parent: QWidget) -> None:
    row = error_row()
    assert [text for _, text in row.marks] == [f"{percent:.0f}" for percent, _ in ERRORS]
    assert len(row.colours) == len(ERRORS)
    legend = Legend(parent)
    legend.show_rows((row,))
    image = legend.grab().toImage()
    seen = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    assert {colour for _, colour in ERRORS} <= seen


def test_it_stays_in_its_corner_as_the_window_grows(parent: QWidget, qtbot: QtBot) -> None:
    legend = Legend(parent)
    legend.show_rows((Row("Heatmap: computing…"),))
    assert legend.x() == 12
    parent.resize(900, 640)
    qtbot.waitUntil(lambda: legend.geometry().bottom() == 640 - 12 - 1)


def test_it_leaves_landmarks_alone_and_does_not_jump_without_need(parent: QWidget) -> None:
    legend = Legend(parent)
    legend.show_rows((error_row(),))
    first = legend.geometry()
    legend.avoid(np.array([[350.0, 250.0], [np.nan, np.nan]]))
    assert legend.geometry() == first
    legend.avoid(np.array([[40.0, 480.0], [350.0, 250.0]]))
    second = legend.geometry()
    assert second.left() > 350
    legend.avoid(np.array([[350.0, 250.0]]))
    assert legend.geometry() == second
    corners = np.array([[x, y] for x in (40.0, 660.0) for y in (30.0, 470.0)])
    legend.avoid(np.vstack([corners, corners[2:] + 1]))  # nowhere is free: where the fewest are
    assert legend.geometry().left() == 12
