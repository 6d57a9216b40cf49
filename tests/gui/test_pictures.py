"""Images read off the main thread: order, glances, what is kept, and errors."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from scaf_gui.core.arrays import ByteArray
from scaf_gui.errors import ImageError
from scaf_gui.gui import pictures
from scaf_gui.gui.canvas.pyramid import Pyramid
from scaf_gui.gui.pictures import Pictures

WHOLE, SMALL = (48, 64, 3), (6, 8, 3)


class Reader:
    """Gives images of one colour; reading waits until it may."""

    def __init__(self) -> None:
        self.may, self.calls = threading.Event(), list[str]()

    def read(self, image: str) -> ByteArray:
        assert self.may.wait(10)
        self.calls.append(image)
        if image == "bad":
            raise ImageError("is damaged", image)
        return np.full(WHOLE, len(self.calls), np.uint8)

    def glance(self, image: str) -> tuple[ByteArray, tuple[int, int]] | None:
        self.calls.append(f"glance {image}")
        if image == "bad":
            raise ImageError("is damaged", image)
        return None if image == "small" else (np.full(SMALL, 9, np.uint8), (64, 48))


class Heard:
    def __init__(self, of: Pictures):
        self.loaded: list[tuple[str, bool]] = []
        self.failed: list[str] = []
        of.loaded.connect(lambda image, seen: self.loaded.append((image, seen.is_whole)))
        of.failed.connect(lambda image, error: self.failed.append(image))


@pytest.fixture
def made(qtbot: QtBot) -> Pictures:
    return Pictures()


def test_a_glance_comes_first_and_the_whole_image_after_it(made: Pictures, qtbot: QtBot) -> None:
    reader, heard = Reader(), Heard(made)
    made.start(reader.read, reader.glance)
    made.want(["a", "b"])
    qtbot.waitUntil(lambda: heard.loaded == [("a", False)])
    assert made.get("a") is None  # a glance is not kept
    made.want(["a", "b"])  # asked again meanwhile: nothing is read twice
    reader.may.set()
    qtbot.waitUntil(lambda: len(heard.loaded) == 3)
    assert heard.loaded == [("a", False), ("a", True), ("b", True)]
    assert reader.calls == ["glance a", "a", "b"]
    seen = made.get("a")
    assert seen is not None and len(seen._levels) == 1 + pictures.COPIES  # made off the main thread
    made.want(["b"])
    qtbot.wait(30)
    assert "glance b" not in reader.calls
    made.start(None)


def test_small_and_damaged_images_do_without(made: Pictures, qtbot: QtBot) -> None:
    reader, heard = Reader(), Heard(made)
    reader.may.set()
    made.start(reader.read, reader.glance)
    made.want(["small"])
    qtbot.waitUntil(lambda: heard.loaded == [("small", True)])
    made.want(["bad"])
    qtbot.waitUntil(lambda: heard.failed == ["bad"])
    assert heard.loaded == [("small", True)]
    made.start(None)


def test_a_glance_at_what_is_wanted_no_more_is_not_shown(made: Pictures, qtbot: QtBot) -> None:
    reader, heard = Reader(), Heard(made)
    made.start(reader.read, reader.glance)
    for image in "abcd":
        made.want([image])
    reader.may.set()
    qtbot.waitUntil(lambda: ("d", True) in heard.loaded)
    qtbot.wait(30)
    assert {image for image, _ in heard.loaded} <= {"a", "d"}  # "a" had begun
    assert ("a", False) not in heard.loaded and made.get("b") is None
    made.start(None)


def test_a_smaller_copy_stands_where_the_whole_image_does() -> None:
    ramp = np.zeros((480, 640, 3), np.uint8)
    ramp[..., 0] = np.arange(640) * 255 // 639
    ramp[..., 1] = (np.arange(480) * 255 // 479)[:, None]
    whole = Pyramid(ramp)
    small = Pyramid(whole.level(3), (640, 480))
    assert (small.width, small.height, small.is_whole, whole.is_whole) == (640, 480, False, True)
    for scale, left, top in ((0.11, 0, 0), (0.9, 100, 50), (3.0, 500, 400), (6.0, 1500, 900)):
        fine, coarse = (of.view(scale, left, top, 300, 200) for of in (whole, small))
        assert fine is not None and coarse is not None and fine[:2] == coarse[:2] and fine[2].shape == coarse[2].shape
        red = [(picture >> 16 & 255).astype(int) for _, _, picture in (fine, coarse)]
        assert np.abs(red[0] - red[1]).max() <= 255 * 4.5 / 640 + 1.5  # half a pixel of the smaller copy, rounded
        assert abs((red[0] - red[1]).mean()) < 1.0
