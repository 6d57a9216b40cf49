"""The dialogs of import and export on a small project: what they show; nothing happens before it is asked for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from scaf_gui.core.edits import change_face
from scaf_gui.core.face import Author, Label, State
from scaf_gui.gui.export_dialog import ExportDialog
from scaf_gui.gui.import_dialog import ImportDialog
from scaf_gui.session.project import new_project
from scaf_gui.session.session import Session
from tests.disks import files_end_at, small_disk

WAIT = 60_000


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """Four images, three of them labelled with 98 landmarks."""
    (tmp_path / "images").mkdir()
    rng = np.random.default_rng(2)
    for name in ("ann_1", "ann_2", "bo_1", "bo_2"):
        cv2.imwrite(str(tmp_path / "images" / f"{name}.png"), rng.integers(0, 255, (90, 100, 3), np.uint8))
    made = new_project(tmp_path / "p.scaf", tmp_path / "images", "wflw-98", boxes="whole", use_starter=False)
    for face in list(made.document)[:3]:
        label = Label.from_points(rng.uniform(10, 80, (98, 2)), Author.now("ann"))
        made.edit(change_face("Accept", face, replace(face, label=label, state=State.LABELLED)))
    yield made
    made.close()


def choose(dialog: ExportDialog | ImportDialog, format_id: str) -> None:
    dialog.format.setCurrentIndex(dialog.format.findData(format_id))


def test_export_in_sets_with_crops_as_68(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    dialog = ExportDialog(session)
    qtbot.addWidget(dialog)
    assert dialog.format.count() == 9 and "(3)" in dialog.include.itemText(0)
    choose(dialog, "wflw")
    assert dialog.scheme.count() == 1 and dialog.variant.count() == 3
    choose(dialog, "300w")
    assert [dialog.scheme.itemData(k) for k in range(dialog.scheme.count())] == ["300w-68", "wflw-98"]
    assert "Keeps landmarks alone" in dialog.kept.text() and not dialog.seed.isEnabled()
    dialog.split.setCurrentText("50/50")
    assert dialog.seed.isEnabled()
    dialog.split_by.setCurrentIndex(1)
    dialog.images.setCurrentIndex(dialog.images.findData("crop"))
    dialog.out.setText(str(tmp_path / "out"))
    dialog.write()
    qtbot.waitUntil(lambda: dialog.summary is not None, timeout=WAIT)
    assert dialog.summary is not None and dialog.summary.scheme == "300w-68"
    assert "Wrote 3 faces" in dialog.outcome.text() and "3 images" in dialog.outcome.text()
    assert len(list((tmp_path / "out").rglob("*.pts"))) == len(list((tmp_path / "out").rglob("*.png"))) == 3
    qtbot.waitUntil(dialog.action_button.isEnabled, timeout=WAIT)
    dialog.write()
    qtbot.waitUntil(lambda: "tick “Replace”" in dialog.outcome.text(), timeout=WAIT)
    dialog.split.setCurrentText("much")
    qtbot.waitUntil(dialog.action_button.isEnabled, timeout=WAIT)
    dialog.write()
    assert "are no shares" in dialog.outcome.text() and not dialog.worker.is_running


def test_import_shows_what_it_will_do(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    from scaf_gui.session.exchange import export_labels

    export_labels(session, "csv", tmp_path / "labels")
    first = next(iter(session.document))
    assert first.label is not None
    moved = first.label.with_point(4, 50.0, 60.0)
    session.edit(change_face("Move", first, replace(first, label=moved)))
    before = list(session.document)
    dialog = ImportDialog(session)
    qtbot.addWidget(dialog)
    assert not dialog.action_button.isEnabled() and "Nothing is changed" in dialog.outcome.text()
    choose(dialog, "csv")
    dialog.source.setText(str(tmp_path / "labels"))
    qtbot.waitUntil(lambda: dialog.plan is not None, timeout=WAIT)
    table = dialog.table
    assert [table.index(row, 0).data() for row in range(table.rowCount())] == ["kept", "same", "same"]
    assert table.index(0, 1).data() == first.image and "1 landmark elsewhere" in table.index(0, 3).data()
    assert table.headerData(2, Qt.Orientation.Horizontal) == "In the files"
    assert "1 in conflict with your labels, which stay" in dialog.outcome.text()
    assert not dialog.action_button.isEnabled(), "keeping everything changes nothing"
    dialog.replace.setChecked(True)
    assert table.index(0, 0).data() == "replaced" and dialog.action_button.isEnabled()
    assert list(session.document) == before
    dialog.action_button.click()
    assert dialog.summary is not None and dialog.summary.replaced == 1
    session.undo()
    assert list(session.document) == before


def test_the_format_follows_the_files_until_one_is_chosen(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    from scaf_gui.session.exchange import export_labels

    for format_id in ("coco", "labelme"):
        export_labels(session, format_id, tmp_path / format_id)
    dialog = ImportDialog(session)
    qtbot.addWidget(dialog)
    assert dialog.format.currentData() == "300w"
    for format_id in ("coco", "labelme"):
        dialog.source.setText(str(tmp_path / format_id))
        qtbot.waitUntil(lambda: dialog.plan is not None, timeout=WAIT)
        assert dialog.format.currentData() == format_id and "There is nothing" not in dialog.outcome.text()
        assert "*.json" in dialog.source.placeholderText()
    choose(dialog, "coco")  # wrong, but a person's choice
    qtbot.waitUntil(lambda: "No face can be taken in. 3 cannot be read" in dialog.outcome.text(), timeout=WAIT)
    assert dialog.format.currentData() == "coco" and not dialog.action_button.isEnabled()
    dialog.source.setText(str(tmp_path / "none"))
    qtbot.waitUntil(lambda: "does not exist" in dialog.outcome.text(), timeout=WAIT)
    assert dialog.format.currentData() == "coco"
    qtbot.waitUntil(lambda: not dialog.worker.is_running, timeout=WAIT)


def test_a_broken_file_is_named_and_nothing_is_imported(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "bad.xml").write_text('<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a "b">]>\n<annotations/>')
    dialog = ImportDialog(session)
    qtbot.addWidget(dialog)
    choose(dialog, "cvat")
    dialog.source.setText(str(tmp_path / "bad.xml"))
    qtbot.waitUntil(lambda: "bad.xml, line 2" in dialog.outcome.text(), timeout=WAIT)
    assert not dialog.action_button.isEnabled() and dialog.table.rowCount() == 0
    qtbot.waitUntil(lambda: not dialog.worker.is_running, timeout=WAIT)


def test_what_is_broken_is_listed_and_the_rest_imported(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    """Nothing happens until somebody presses the button that says what is left out; the list can be copied."""
    from scaf_gui.session.exchange import export_labels

    export_labels(session, "csv", tmp_path / "labels")
    path = tmp_path / "labels" / "labels.csv"
    lines = path.read_text(encoding="utf-8").split("\n")
    lines[2] = lines[2].replace(",visible,", ",seen,", 1)
    lines[3:3] = ["nonsense", "nowhere.png" + lines[1][lines[1].index(",") :]]
    path.write_text("\n".join(lines), encoding="utf-8")
    fresh = new_project(tmp_path / "q.scaf", tmp_path / "images", "wflw-98", boxes="whole", use_starter=False)
    try:
        dialog = ImportDialog(fresh)
        qtbot.addWidget(dialog)
        dialog.show()
        assert dialog.copy_list.isHidden() and dialog.read_again.isHidden()
        dialog.source.setText(str(path))
        qtbot.waitUntil(lambda: dialog.plan is not None, timeout=WAIT)
        table = dialog.table
        shown = [[table.index(row, column).data() for column in range(4)] for row in range(table.rowCount())]
        assert [row[0] for row in shown] == ["cannot be read"] * 2 + ["left out"] + ["new label"] * 2
        assert shown[0][2:] == ["labels.csv, line 3", "'seen' is none of visible, occluded, missing"]
        assert dialog.outcome.text().startswith("2 faces can be taken in. 2 cannot be read, listed with the reasons.")
        assert dialog.action_button.text() == "Import the other 2" and not fresh.document.with_state(State.LABELLED)
        qtbot.mouseClick(dialog.copy_list, Qt.MouseButton.LeftButton)
        clipboard = QGuiApplication.clipboard()
        assert clipboard.text().split("\n") == [f"{row[2]}: {row[3]}" for row in shown[:3]]
        dialog.view.selectRow(1)
        qtbot.keyClick(dialog.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        assert clipboard.text() == "\t".join(shown[1])
        lines[2] = lines[2].replace(",seen,", ",visible,", 1)
        path.write_text("\n".join(lines), encoding="utf-8")
        qtbot.mouseClick(dialog.read_again, Qt.MouseButton.LeftButton)
        assert not dialog.action_button.isEnabled() and not dialog.read_again.isEnabled()
        qtbot.waitUntil(lambda: dialog.plan is not None, timeout=WAIT)
        assert dialog.action_button.text() == "Import the other 3"
        dialog.action_button.click()
        assert dialog.summary is not None and (dialog.summary.imported, dialog.summary.num_broken) == (3, 1)
        assert len(fresh.document.with_state(State.LABELLED)) == 3
        fresh.undo()
        assert not fresh.document.with_state(State.LABELLED), "one act"
    finally:
        fresh.close()


def test_more_is_broken_than_can_be_listed(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    """Nothing can be imported of a file in which every line is broken in its own way, and none hides the others."""
    path = tmp_path / "labels.csv"
    header = ",".join(["image", *(f"{number}_{axis}" for number in range(98) for axis in "xy")])
    good = "ann_1.png" + ",7.5" * 196
    path.write_text("\n".join([header, good, *["ann_2.png" + ",nan" * 196] * 1500]), encoding="ascii")
    before = list(session.document)
    dialog = ImportDialog(session)
    qtbot.addWidget(dialog)
    dialog.source.setText(str(path))
    qtbot.waitUntil(lambda: dialog.plan is not None, timeout=WAIT)
    assert "1,500 cannot be read, the first 1,000 are listed" in dialog.outcome.text()
    assert dialog.outcome.text().startswith("Nothing new can be taken in.") and dialog.table.rowCount() == 1001
    assert not dialog.action_button.isEnabled() and dialog.action_button.text() == "Import"
    dialog.copy_list.click()
    assert QGuiApplication.clipboard().text().split("\n")[-1] == "and 500 more"
    dialog.replace.setChecked(True)
    assert dialog.action_button.text() == "Import the other 1"
    dialog.reject()
    assert list(session.document) == before


def test_an_export_that_does_not_fit_says_so(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    dialog = ExportDialog(session)
    qtbot.addWidget(dialog)
    for format_id in ("300w", "hdf5"):
        choose(dialog, format_id)
        dialog.out.setText(str(tmp_path / "out"))
        with files_end_at(1000):
            dialog.write()
            qtbot.waitUntil(lambda: "File too large" in dialog.outcome.text(), timeout=WAIT)
            qtbot.waitUntil(lambda: not dialog.worker.is_running, timeout=WAIT)
        assert "out: cannot be written" in dialog.outcome.text() and dialog.summary is None
        assert not (tmp_path / "out").exists()
        dialog.out.setText("")
        dialog.say("text", "")


def test_an_import_without_room_changes_nothing(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    from scaf_gui.session.exchange import export_labels

    export_labels(session, "csv", tmp_path / "labels")
    with small_disk(tmp_path / "disk", 400_000) as disk:
        tight = new_project(disk / "p.scaf", tmp_path / "images", "wflw-98", boxes="whole", use_starter=False)
        try:
            dialog = ImportDialog(tight)
            qtbot.addWidget(dialog)
            choose(dialog, "csv")
            dialog.source.setText(str(tmp_path / "labels"))
            qtbot.waitUntil(lambda: dialog.plan is not None, timeout=WAIT)
            (disk / "others").write_bytes(bytes(shutil.disk_usage(disk).free - 4096))
            dialog.action_button.click()
            assert "the disk is full; free some space" in dialog.outcome.text() and dialog.summary is None
            assert not tight.document.with_state(State.LABELLED)
            (disk / "others").unlink()
            dialog.action_button.click()
            assert dialog.summary is not None and len(tight.document.with_state(State.LABELLED)) == 3
        finally:
            tight.close()
