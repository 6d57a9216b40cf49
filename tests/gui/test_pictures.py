"""Images read off the main thread: order, glances, what is kept, and errors."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from scaf_gui.core.arrays import ByteArray
from scaf_gui.errors import ImageError
from scaf_gui.gui import pictures
from scaf_gui.gui.canvas.pyramid import Pyramid
from scaf_gui.gui.pictures import Pictures
from scaf_gui.io.images import glance, read_image

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

    def glance(self, image: str, on_read: Callable[[], object]) -> tuple[ByteArray, tuple[int, int]] | None:
        self.calls.append(f"glance {image}")
        on_read()
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


# -- small copies --------------------------------------------------------------------------------------


def test_other_reading_gives_way_to_a_glance_until_it_is_shown(
    made: Pictures, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, heard, may = Reader(), Heard(made), threading.Event()
    order: list[list[tuple[str, bool]]] = []

    def slow(image: str, on_read: Callable[[], object]) -> tuple[ByteArray, tuple[int, int]] | None:
        assert may.wait(10)
        return reader.glance(image, on_read)

    def other() -> None:
        made.give_way()
        order.append(heard.loaded[:])

    monkeypatch.setattr(pictures, "WAY", 10.0)
    made.start(reader.read, slow)
    other()  # there is none: at once
    made.want(["a"])
    beside = threading.Thread(target=other)
    beside.start()
    beside.join(0.1)
    assert beside.is_alive() and len(order) == 1
    may.set()
    qtbot.waitUntil(lambda: not beside.is_alive())
    assert order == [[], [("a", False)]]
    reader.may.set()
    qtbot.waitUntil(lambda: heard.loaded[-1] == ("a", True))
    # a glance that never ends holds nobody for long
    may.clear()
    monkeypatch.setattr(pictures, "WAY", 0.05)
    made.want(["b"])
    began = time.monotonic()
    made.give_way()
    assert 0.04 < time.monotonic() - began < 5
    may.set()
    qtbot.waitUntil(lambda: heard.loaded[-1] == ("b", True))
    made.start(None)


def test_a_glance_has_read_its_file_before_anything_else_goes_on(
    made: Pictures, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, heard, may = Reader(), Heard(made), threading.Event()
    order = []

    def steps(image: str, on_read: Callable[[], object]) -> tuple[ByteArray, tuple[int, int]] | None:
        time.sleep(0.05)
        order.append("read")
        seen = reader.glance(image, on_read)
        assert may.wait(10)
        return seen

    monkeypatch.setattr(pictures, "HEAD_START", 10.0)
    made.start(reader.read, steps)
    made.want(["a"])
    order.append("went on")  # and not only when it has been decoded
    assert order == ["read", "went on"]
    may.set()
    reader.may.set()
    qtbot.waitUntil(lambda: heard.loaded == [("a", False), ("a", True)])
    # a disk that does not answer holds nobody for long
    monkeypatch.setattr(pictures, "HEAD_START", 0.01)
    made.want(["b"])
    assert order == ["read", "went on"]
    qtbot.waitUntil(lambda: heard.loaded[-1] == ("b", True))
    # what cannot be glanced at does not keep anybody waiting either
    monkeypatch.setattr(pictures, "HEAD_START", 10.0)
    made.start(reader.read, lambda image, on_read: None)
    began = time.monotonic()
    made.want(["small"])
    assert time.monotonic() - began < 5
    qtbot.waitUntil(lambda: heard.loaded[-1] == ("small", True))
    made.start(None)


def test_what_is_expected_is_glanced_at_once_and_shown_only_when_it_is_wanted(made: Pictures, qtbot: QtBot) -> None:
    reader, heard = Reader(), Heard(made)
    reader.may.set()
    made.start(reader.read, reader.glance)
    made.want(["a"])
    qtbot.waitUntil(lambda: heard.loaded == [("a", False), ("a", True)])
    made.expect("b")
    assert made.is_read.wait(10)  # nobody has wanted it yet
    made.want(["b"])
    qtbot.waitUntil(lambda: len(heard.loaded) == 4)
    assert heard.loaded[2:] == [("b", False), ("b", True)]
    assert reader.calls == ["glance a", "a", "glance b", "b"]
    # gone on to something else, or nowhere
    made.expect("a")  # it is there
    made.expect("c")
    made.expect("d")
    made.want(["e"])
    qtbot.waitUntil(lambda: heard.loaded[-1] == ("e", True))
    made.expect("f")
    qtbot.waitUntil(lambda: not made._glancing)
    assert heard.loaded[4:] == [("e", False), ("e", True)] and heard.failed == []
    assert reader.calls.count("glance e") == 1 and reader.calls[-1] == "glance f"
    made.start(None)


def photo(path: Path, shade: int) -> Path:
    """A photo so large that a copy pays, of one colour but for its left half."""
    image = np.full((2008, 3016, 3), shade, np.uint8)
    image[:, :1508, 0] = 0
    assert cv2.imwrite(str(path), image)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate("abcd"):
        photo(tmp_path / f"{name}.jpg", 60 + 40 * number)
    assert cv2.imwrite(str(tmp_path / "small.jpg"), np.zeros((40, 60, 3), np.uint8))
    return tmp_path


class Files:
    """Reads a folder; what is read whole and glanced at is written down."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.calls = folder, list[str]()

    def read(self, image: str) -> ByteArray:
        self.calls.append(image)
        return read_image(self.folder / image)

    def glance(self, image: str, on_read: Callable[[], object]) -> tuple[ByteArray, tuple[int, int]] | None:
        self.calls.append(f"glance {image}")
        return glance(self.folder / image, on_read)


@pytest.fixture
def files(made: Pictures, folder: Path) -> Iterator[Files]:
    reader = Files(folder)
    made.start(reader.read, reader.glance, lambda image: folder / image)
    yield reader
    made.start(None)


def test_copies_are_made_when_there_is_nothing_else_to_read(
    made: Pictures, files: Files, folder: Path, qtbot: QtBot
) -> None:
    heard = Heard(made)
    made.want(["a.jpg"])
    made.look_ahead(["a.jpg", "small.jpg", "gone.jpg", "c.jpg", "b.jpg"])
    assert folder / "c.jpg" not in made.copies  # not before "a.jpg" is there
    qtbot.waitUntil(lambda: folder / "b.jpg" in made.copies and folder / "a.jpg" in made.copies)
    assert heard.loaded == [("a.jpg", False), ("a.jpg", True)] and heard.failed == []
    assert files.calls == ["glance a.jpg", "a.jpg"]  # all others were only looked at
    assert made._too_small == {"small.jpg", "gone.jpg"} and folder / "d.jpg" not in made.copies
    # one of them is wanted: it is there at once, and only the whole photo is read
    seen = made.small("c.jpg")
    assert seen is not None and (seen.width, seen.height, seen.is_whole) == (3016, 2008, False)
    made.want(["c.jpg", "b.jpg"])
    qtbot.waitUntil(lambda: heard.loaded[-1] == ("b.jpg", True))
    assert heard.loaded[2:] == [("c.jpg", True), ("b.jpg", True)]
    assert files.calls == ["glance a.jpg", "a.jpg", "c.jpg", "b.jpg"]
    whole = made.get("c.jpg")
    assert whole is not None and whole.is_whole
    fine, coarse = (of.view(0.2, 0, 0, 600, 400) for of in (whole, seen))
    assert fine is not None and coarse is not None and fine[:2] == coarse[:2]
    apart = np.abs(fine[2].view(np.uint8).astype(int) - coarse[2].view(np.uint8))
    assert np.median(apart) <= 2 and (apart > 12).mean() < 0.01  # but for the edge in the middle


def test_a_photo_that_was_dropped_is_shown_again_at_once(made: Pictures, files: Files, qtbot: QtBot) -> None:
    made.want(["a.jpg"])
    qtbot.waitUntil(lambda: made.get("a.jpg") is not None and files.folder / "a.jpg" in made.copies)
    made._kept.clear()
    assert made.small("a.jpg") is not None
    assert made.small("b.jpg") is None and made.small("small.jpg") is None


def test_a_changed_photo_is_not_shown_as_it_was(made: Pictures, files: Files, folder: Path, qtbot: QtBot) -> None:
    heard = Heard(made)
    made.look_ahead(["b.jpg", "c.jpg", "d.jpg"])
    qtbot.waitUntil(lambda: folder / "d.jpg" in made.copies)
    photo(folder / "new.jpg", 220).replace(folder / "b.jpg")
    state = (folder / "c.jpg").stat()
    os.utime(folder / "c.jpg", ns=(state.st_atime_ns, state.st_mtime_ns + 10**9))
    (folder / "d.jpg").unlink()
    assert made.small("b.jpg") is None and made.small("c.jpg") is None and made.small("d.jpg") is None
    made.want(["b.jpg"])
    qtbot.waitUntil(lambda: heard.loaded == [("b.jpg", False), ("b.jpg", True)])
    assert files.calls == ["glance b.jpg", "b.jpg"]
    seen = made.get("b.jpg")
    assert seen is not None and abs(int(seen.level(0)[1000, 2500, 1]) - 220) < 3


def test_a_disk_that_does_not_answer_is_not_waited_for(
    made: Pictures, files: Files, folder: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.look_ahead(["a.jpg", "b.jpg"])
    qtbot.waitUntil(lambda: folder / "b.jpg" in made.copies)
    hangs = threading.Event()
    monkeypatch.setattr("scaf_gui.io.copies.stamp_of", lambda path: hangs.wait(20) and None)
    began = time.monotonic()
    assert made.small("a.jpg") is None
    assert made.small("b.jpg") is None
    assert time.monotonic() - began < 5
    hangs.set()
