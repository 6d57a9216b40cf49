from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from scaf_gui.core.arrays import ByteArray
from scaf_gui.core.document import Document
from scaf_gui.core.edits import skip
from scaf_gui.core.face import Box, Face, State
from scaf_gui.core.queue import Queue
from scaf_gui.core.scheme import load_scheme
from scaf_gui.errors import ImageError
from scaf_gui.gui import thumbnails
from scaf_gui.gui.queue_delegate import ROW
from scaf_gui.gui.queue_model import Role
from scaf_gui.gui.queue_panel import QueuePanel
from scaf_gui.gui.thumbnails import Thumbnails, face_cut, loader
from scaf_gui.io.copies import SmallCopies
from scaf_gui.paths import resource_folder

SCHEME = load_scheme(resource_folder() / "schemes" / "five-5.json")


def document(count: int) -> Document:
    return Document(SCHEME, [Face(n, f"sub/face {n:05d}.jpg") for n in range(1, count + 1)])


def plain(_image: str, _box: Box | None, side: int) -> ByteArray:
    return np.full((side, side, 3), 99, np.uint8)


@pytest.fixture
def panel(qtbot: QtBot, dressed: QApplication) -> Iterator[QueuePanel]:
    made = QueuePanel()
    qtbot.addWidget(made)
    made.resize(252, 600)
    made.show()
    yield made
    made.thumbnails.stop()


def texts(panel: QueuePanel) -> list[str]:
    model = panel.model
    return [str(model.index(row).data()) for row in range(model.rowCount())]


def test_rows_follow_the_queue_with_those_set_aside_last_and_done_ones_at_the_end(panel: QueuePanel) -> None:
    faces = document(6)
    faces.apply(skip(faces.face(5)))
    panel.open(faces, Queue((3, 1, 6, 2, 4), frozenset({2, 4}), {2: -1.0, 3: -4.0}), plain)
    assert texts(panel) == [
        "face 00003.jpg",
        "face 00001.jpg",
        "face 00006.jpg",
        "Set aside: likely outliers",
        "face 00002.jpg",
        "face 00004.jpg",
        "Done",
        "face 00005.jpg",
    ]
    model = panel.model
    assert model.index(0).data(Role.SCORE) == -4.0
    assert model.flags(model.index(3)) == Qt.ItemFlag.NoItemFlags
    assert model.face_order() == [3, 1, 6, 2, 4, 5]
    assert "likely outlier" in str(model.index(4).data(Qt.ItemDataRole.ToolTipRole))


def test_filters_and_search_narrow_the_list_and_count(panel: QueuePanel, qtbot: QtBot) -> None:
    faces = document(12)
    panel.open(faces, Queue(tuple(range(1, 13)), frozenset({12})), plain)
    faces.apply(skip(faces.face(3)))
    panel.faces_changed([3])
    qtbot.waitUntil(lambda: panel.filter.itemText(3) == "Skipped  1")
    assert [panel.filter.itemText(n) for n in range(5)] == [
        "All  12",
        "To do  11",
        "Labelled  0",
        "Skipped  1",
        "Set aside  1",
    ]
    assert panel.count.text() == "0 of 12 labelled"
    panel.filter.setCurrentIndex(3)
    assert texts(panel) == ["face 00003.jpg"]
    panel.filter.setCurrentIndex(4)
    assert panel.model.face_order() == [12]
    panel.filter.setCurrentIndex(1)
    assert 3 not in panel.model.face_order()
    panel.search.setText("0001")
    assert panel.model.face_order() == [1, 10, 11, 12]
    panel.search.setText("no such")
    assert panel.model.rowCount() == 0 and panel.empty.isVisible()


def test_a_click_on_a_row_asks_for_its_face_and_the_current_row_is_kept_in_sight(
    panel: QueuePanel, qtbot: QtBot
) -> None:
    panel.open(document(200), Queue(tuple(range(1, 201))), plain)
    panel.show_current(150)
    rect = panel.view.visualRect(panel.model.index(149))
    assert panel.view.viewport().rect().contains(rect)
    assert panel.model.index(149).data(Role.CURRENT)
    above = panel.view.visualRect(panel.model.index(148)).center()
    with qtbot.waitSignal(panel.chosen) as chosen:
        qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=above)
    assert chosen.args == [149]


def test_what_comes_next_is_in_sight_but_a_row_that_is_clicked_stays_where_it_is(
    panel: QueuePanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel.open(document(40), Queue(tuple(range(1, 41))), plain)
    area = panel.view.viewport().rect()

    def seen(row: int) -> bool:
        return area.contains(panel.view.visualRect(panel.model.index(row)).adjusted(0, 1, 0, -1))

    for face in (*range(1, 41), *range(40, 0, -1)):
        panel.show_current(face)
        row = face - 1
        assert all(seen(near) for near in (row - 1, row, row + 1, row + 3) if 0 <= near < 40), row
    last = next(row for row in range(39) if not seen(row + 1))
    at = panel.view.visualRect(panel.model.index(last)).top()
    monkeypatch.setattr(panel.view, "underMouse", lambda: True)
    panel.show_current(last + 1)
    assert abs(panel.view.visualRect(panel.model.index(last)).top() - at) < ROW, "no more than it takes to see it"


def test_of_ten_thousand_rows_only_those_on_screen_are_read(panel: QueuePanel, qtbot: QtBot) -> None:
    read: list[str] = []

    def load(image: str, _box: Box | None, side: int) -> ByteArray:
        read.append(image)
        return np.zeros((side, side, 3), np.uint8)

    panel.open(document(10_000), Queue(tuple(range(1, 10_001))), load)
    visible = panel.view.viewport().height() // ROW + 1
    qtbot.waitUntil(lambda: len(read) >= visible - 1)
    panel.view.scrollToBottom()
    qtbot.waitUntil(lambda: any("10000" in image for image in read))
    assert len(read) <= 2 * visible + 4
    assert panel.view.uniformItemSizes()


def test_thumbnails_are_bounded_and_follow_the_box(
    qtbot: QtBot, dressed: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnails, "MOST", 5)
    store = Thumbnails()
    store.start(plain)
    for face_id in range(1, 12):
        with qtbot.waitSignal(store.ready):
            assert store.get(face_id, "a.jpg", None) is None
    assert len(store._pixmaps) == 5
    assert store.get(11, "a.jpg", None) is not None
    with qtbot.waitSignal(store.ready):  # the old picture stays until the new one is there
        assert store.get(11, "a.jpg", Box(1, 1, 5, 5)) is not None
    store.stop()


def test_an_unreadable_image_is_marked_and_asked_for_once(qtbot: QtBot, dressed: QApplication) -> None:
    asked: list[str] = []

    def load(image: str, _box: Box | None, _side: int) -> ByteArray:
        asked.append(image)
        raise ImageError("is empty", image)

    store = Thumbnails()
    store.start(load)
    with qtbot.waitSignal(store.ready):
        store.get(1, "a.jpg", None)
    assert store.get(1, "a.jpg", None) is None and store.unreadable(1)
    assert asked == ["a.jpg"]
    store.stop()


def test_the_cut_is_around_the_face_inside_the_picture() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    image[40:60, 150:170] = 255
    cut = face_cut(image, 0.5, Box(300, 80, 40, 40), 112)
    assert cut.shape[0] == cut.shape[1] or abs(cut.shape[0] - cut.shape[1]) <= 1
    assert 20 <= cut.shape[0] <= 40 and cut.max() == 255
    assert face_cut(image, 1.0, Box(-500, -500, 10, 10), 112).size
    assert face_cut(np.zeros((1, 1, 3), np.uint8), 1.0, None, 112).shape == (1, 1, 3)
    assert face_cut(image, 1.0, None, 112).shape == (100, 100, 3)


def test_the_loader_reads_real_files(faces_folder: Path) -> None:
    pixels = loader(faces_folder)("face_0001.jpg", Box(60, 60, 60, 60), 112)
    assert pixels.dtype == np.uint8 and pixels.shape[2] == 3 and min(pixels.shape[:2]) > 40
    with pytest.raises(ImageError):
        loader(faces_folder)("none.jpg", None, 112)


def test_of_a_large_photo_in_sight_a_small_copy_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.zeros((2008, 3016, 3), np.uint8)
    image[400:600, 2000:2200] = 255
    assert cv2.imwrite(str(tmp_path / "large.jpg"), image)
    copies = SmallCopies()
    load, plainly = loader(tmp_path, copies), loader(tmp_path)
    face = Box(2000, 400, 200, 200)
    fine, coarse = load("large.jpg", face, 112), plainly("large.jpg", face, 112)
    assert tmp_path / "large.jpg" in copies and min(fine.shape[:2]) >= 90
    middle = fine[len(fine) // 2, len(fine) // 2], coarse[len(coarse) // 2, len(coarse) // 2]
    assert min(map(np.min, middle)) > 240 and fine.min() < 10
    monkeypatch.setattr("scaf_gui.io.images._decode", lambda *_: pytest.fail("it was decoded before"))
    assert load("large.jpg", None, 112).shape[2] == 3


def test_a_label_given_meanwhile_shows_at_once(panel: QueuePanel) -> None:
    faces = document(3)
    panel.open(faces, Queue((1, 2, 3)), plain)
    from scaf_gui.core.edits import change_face

    face = faces.face(2)
    faces.apply(change_face("x", face, replace(face, state=State.LABELLED)))
    panel.faces_changed([2])
    assert panel.model.index(1).data(Role.FACE).state is State.LABELLED
    assert "Labelled" in str(panel.model.index(1).data(Qt.ItemDataRole.AccessibleTextRole))


def test_rows_tell_the_expected_error_and_which_were_drawn_at_random(panel: QueuePanel, qtbot: QtBot) -> None:
    faces = document(3)
    faces.apply(skip(faces.face(3)))
    errors = {1: 3.42, 3: 2.0}
    panel.open(faces, Queue((1, 2, 3), drawn=frozenset({2})), plain, errors.get)
    model = panel.model
    expected = [model.index(row).data(Role.EXPECTED) for row in range(3)]
    assert expected == [3.42, None, None]  # nothing is predicted of 2, and 3 waits no more
    assert [model.index(row).data(Role.DRAWN) for row in range(3)] == [False, True, False]
    tips = [str(model.index(row).data(Qt.ItemDataRole.ToolTipRole)) for row in range(2)]
    assert "about 3.4 %" in tips[0] and "random" not in tips[0]
    assert "Drawn at random: keeps the estimate honest" in tips[1]
    before = panel.grab().toImage()
    errors[1] = 9.87
    panel.expected_changed()
    assert panel.grab().toImage() != before


def test_return_in_the_search_goes_to_the_first_face_and_esc_lists_all_again(panel: QueuePanel, qtbot: QtBot) -> None:
    panel.open(document(40), Queue(tuple(range(1, 41))), plain)
    panel.show_current(1)
    panel.find_by_name()
    qtbot.keyClicks(panel.search, "0002")
    with qtbot.waitSignal(panel.chosen) as chosen:
        qtbot.keyClick(panel.search, Qt.Key.Key_Return)
    assert chosen.args == [2]
    panel.show_current(20)
    with qtbot.assertNotEmitted(panel.chosen), qtbot.waitSignal(panel.left):
        qtbot.keyClick(panel.search, Qt.Key.Key_Return)  # it is listed: stay
    with qtbot.waitSignal(panel.left):
        qtbot.keyClick(panel.search, Qt.Key.Key_Escape)
    assert panel.search.text() == "" and panel.model.rowCount() == 40
