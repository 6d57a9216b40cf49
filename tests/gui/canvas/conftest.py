"""A canvas on the screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytestqt.qtbot import QtBot

from scaf_gui.gui.canvas import Canvas
from tests.gui.canvas.stage import FACE, POINTS, SCHEME, Heard, Mouse, make_prediction, noise


@pytest.fixture
def make_canvas(qtbot: QtBot) -> Callable[[], Canvas]:
    def make() -> Canvas:
        canvas = Canvas()
        qtbot.addWidget(canvas)
        canvas.resize(640, 480)
        canvas.show()
        qtbot.waitExposed(canvas)
        canvas.activateWindow()
        canvas.setFocus()
        qtbot.waitUntil(canvas.hasFocus)
        return canvas

    return make


@pytest.fixture
def canvas(make_canvas: Callable[[], Canvas]) -> Canvas:
    """A canvas that shows FACE on an image of 200 x 150 pixels."""
    made = make_canvas()
    made.show_image(noise(200, 150))
    made.show_face(FACE, make_prediction(POINTS + 3), SCHEME)
    return made


@pytest.fixture
def mouse(canvas: Canvas) -> Mouse:
    return Mouse(canvas)


@pytest.fixture
def heard(canvas: Canvas) -> Heard:
    return Heard(canvas)
