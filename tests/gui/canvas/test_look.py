"""What brightness, contrast and the like make of pixels: the formula, on the screen, and only there."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from scaf_gui.core.arrays import ByteArray
from scaf_gui.gui.canvas import Canvas
from scaf_gui.gui.canvas.look import RANGES, Look, local_light
from scaf_gui.gui.canvas.pyramid import QUICK, Pyramid
from tests.gui.canvas.stage import noise

LOOKS = [
    Look(brightness=0.3),
    Look(contrast=-0.6),
    Look(gamma=2.2),
    Look(0.1, 0.4, 0.7),
    Look(gray=True),
    Look(local=0.6),
    Look(0.1, -0.2, 1.4, 1.0, True),
]


def by_the_formula(image: ByteArray, look: Look) -> ByteArray:
    """As the docstring of Look has it, slowly."""
    rgb = image.copy()
    light = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    if look.local:
        even = (1 - look.local) * light.astype(float) + look.local * local_light(image)
        tones = cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)
        tones[..., 0] = light = np.rint(even).astype(np.uint8)
        rgb = cv2.cvtColor(tones, cv2.COLOR_YCrCb2RGB)
    if look.gray:
        rgb = np.repeat(light[..., None], 3, axis=2)
    value = rgb / 255
    shown = 0.5 + 4**look.contrast * (value ** (1 / look.gamma) - 0.5) + look.brightness / 2
    return np.rint(255 * np.clip(shown, 0, 1)).astype(np.uint8)


@pytest.mark.parametrize("look", LOOKS)
def test_pixels_follow_the_formula(look: Look) -> None:
    image = noise(90, 70)
    before = image.copy()
    shown = look.applied(image, local_light(image) if look.local else None)
    assert np.abs(shown.astype(int) - by_the_formula(before, look)).max() <= 2  # rounded once more on the way
    assert (image == before).all(), "the photo itself is not written to"


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0.25, 4))
def test_curves_rise_and_stay_in_range(brightness: float, contrast: float, gamma: float) -> None:
    curve = Look(brightness, contrast, gamma).curve()
    assert curve.shape == (256,) and curve.dtype == np.uint8
    assert (np.diff(curve.astype(int)) >= 0).all()


def test_the_neutral_look_changes_nothing() -> None:
    assert Look().is_neutral
    assert (Look().curve() == np.arange(256)).all()
    image = noise(20, 10)
    assert Look().applied(image) is image


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (7, 3), (300, 200)])
def test_local_contrast_of_odd_sizes(size: tuple[int, int]) -> None:
    image = noise(*size)
    light = local_light(image)
    assert light.shape == image.shape[:2]
    assert Look(local=1.0).applied(image, light).shape == image.shape


def test_local_contrast_brings_out_what_lies_in_the_dark() -> None:
    image = np.full((160, 160, 3), 200, dtype=np.uint8)
    image[40:120, 40:120] = 20
    image[60:100:4, 40:120] = 26
    shown = Look(local=1.0).applied(image, local_light(image)).astype(int)
    assert np.abs(shown[62, 60] - shown[60, 60]).max() >= 1.4 * 6


@pytest.mark.parametrize("look", LOOKS)
def test_it_is_remembered(look: Look) -> None:
    assert Look.from_json(look.to_json()) == look


@pytest.mark.parametrize("kept", [None, 3, [], {"gamma": 900}, {"brightness": "x", "gray": 1}, {"contrast": True}])
def test_what_is_not_understood_is_neutral(kept: object) -> None:
    assert Look.from_json(kept).is_neutral
    assert all(low <= neutral <= high for low, high, neutral in RANGES.values())


def on_screen(canvas: Canvas, column: float, row: float) -> tuple[int, int, int]:
    picture = QImage(canvas.viewport().size(), QImage.Format.Format_RGB32)
    canvas.viewport().render(picture)
    x, y = canvas._camera.to_screen(column, row)
    colour = picture.pixelColor(round(x), round(y))
    return colour.red(), colour.green(), colour.blue()


def test_the_screen_follows_and_the_image_stays(canvas: Canvas, qtbot: QtBot) -> None:
    image = noise(200, 150)
    image.setflags(write=False)
    before = image.copy()
    canvas.show_image(image)
    canvas._landmarks.hide()
    canvas.zoom_by(9 / canvas.zoom)
    canvas._move_by(0, 0)
    middle = tuple(round(part) for part in canvas._camera.to_scene(320, 240))
    plain = on_screen(canvas, *middle)
    assert plain == tuple(image[middle[1], middle[0]].tolist())
    look = Look(0.2, 0.3, 1.5)
    canvas.set_look(look)
    assert on_screen(canvas, *middle) == tuple(look.curve()[list(plain)].tolist())
    canvas.set_look(Look())
    assert on_screen(canvas, *middle) == plain
    assert (image == before).all()


def test_the_loupe_shows_the_same(canvas: Canvas) -> None:
    canvas.show_image(noise(200, 150))
    item, look = canvas._image, Look(-0.3, 0.5, 0.8, gray=True)

    def seen() -> tuple[int, int, int]:
        picture = item.patch(100.0, 75.0, 18.0, 176, 1.0)
        assert picture is not None
        colour = picture.pixelColor(88, 88)
        return colour.red(), colour.green(), colour.blue()

    plain = np.array([[seen()]], dtype=np.uint8)
    canvas.set_look(look)
    assert seen() == tuple(look.applied(plain)[0, 0].tolist())


def test_local_contrast_of_a_large_photo_comes_beside_the_painting(canvas: Canvas, qtbot: QtBot) -> None:
    """A smaller level is shown until it is there."""
    image = noise(2400, 1600)
    assert image.shape[0] * image.shape[1] > QUICK
    canvas.show_image(image)
    canvas._landmarks.hide()
    canvas.zoom_by(4 / canvas.zoom)
    canvas.set_look(Look(local=1.0))
    middle = tuple(round(part) for part in canvas._camera.to_scene(320, 240))
    on_screen(canvas, *middle)
    pyramid = canvas._image._pyramid
    assert pyramid is not None
    qtbot.waitUntil(lambda: pyramid.is_lit(0) and not canvas._lights.is_busy, timeout=20_000)
    expected = Look(local=1.0).applied(image, local_light(image))[middle[1], middle[0]]
    assert on_screen(canvas, *middle) == tuple(expected.tolist())
    # another photo while one is worked on: nothing is mixed up
    canvas.show_image(noise(2401, 1601), keep_view=True)
    on_screen(canvas, *middle)
    canvas.show_image(noise(2402, 1602), keep_view=True)
    on_screen(canvas, *middle)
    last = canvas._image._pyramid
    assert last is not None
    qtbot.waitUntil(lambda: last.is_lit(0) and not canvas._lights.is_busy, timeout=20_000)


def test_light_levels_are_made_once() -> None:
    pyramid = Pyramid(noise(2400, 1600))
    look = replace(Look(), local=0.5)
    assert pyramid.view(1.0, 0, 0, 300, 200, look=look) is not None
    assert not pyramid.is_lit(0), "24 megapixels would keep the person waiting"
    assert pyramid.is_lit(1)
    pyramid.make_light(0)
    light = pyramid._lights[0]
    pyramid.view(1.0, 0, 0, 300, 200, look=look)
    assert pyramid._lights[0] is light
