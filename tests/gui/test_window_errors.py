"""What a person sees when something is wrong: it names the file, says what to do, and the session goes on."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from scaf_gui import paths
from scaf_gui.core.face import State
from scaf_gui.gui.canvas import Canvas
from scaf_gui.gui.demo import Hand
from scaf_gui.gui.new_project_dialog import NewProjectDialog
from scaf_gui.gui.opener import _scheme_choices
from scaf_gui.gui.window import MainWindow
from scaf_gui.session.project import new_project, schemes
from scaf_gui.settings import Settings

pytestmark = pytest.mark.usefixtures("dressed", "no_leaks")
WAIT = 30_000


@pytest.fixture
def window(qtbot: QtBot, dressed: QApplication, tmp_path: Path) -> Iterator[MainWindow]:
    settings = Settings()
    settings["project_folder"] = str(tmp_path / "projects")
    made = MainWindow(settings)
    made.show()
    yield made
    made.close()
    made.deleteLater()


def said(window: MainWindow) -> str:
    return "\n".join(message.text for message in window.messages.messages())


def canvas_text(canvas: Canvas) -> str:
    return canvas._message.text() if canvas._message.isVisible() else ""


@pytest.fixture
def folder(faces_folder: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "photos"
    copy.mkdir()
    for name in ("face_0001.jpg", "face_0002.jpg", "face_0003.jpg"):
        shutil.copy(faces_folder / name, copy / name)
    return copy


def test_start_screen_first_then_a_dropped_folder(window: MainWindow, qtbot: QtBot, folder: Path) -> None:
    assert window.start_screen.isVisible() and not window.start_screen.recent_buttons()
    assert not window.actions_by_id["accept"].isEnabled() and window.actions_by_id["open_folder"].isEnabled()
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(folder))])
    event = QDropEvent(
        QPointF(50, 50), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    window.dropEvent(event)
    assert window.session is not None and window.workspace.isVisible()
    assert window.session.path.parent.name == "projects" and "photos" in window.windowTitle()
    qtbot.waitUntil(lambda: window.workspace.canvas._image.size is not None, timeout=WAIT)

    # back on the start screen the project is listed, and opens by one click
    path = window.session.path
    window.close_project()
    assert window.session is None and window.start_screen.isVisible()
    buttons = window.start_screen.recent_buttons()
    assert [button.text() for button in buttons] == ["photos"]
    qtbot.mouseClick(buttons[0], Qt.MouseButton.LeftButton)
    assert window.session is not None and window.session.path == path


def test_the_same_folder_goes_on_and_another_of_that_name_gets_a_project_of_its_own(
    window: MainWindow, folder: Path, tmp_path: Path
) -> None:
    window.opener.open_path(folder)
    assert window.session is not None
    first = window.session.path
    window.opener.open_path(folder)
    assert window.session is not None and window.session.path == first
    other = tmp_path / "elsewhere" / "photos"
    shutil.copytree(folder, other)
    window.opener.open_path(other)
    assert window.session is not None and window.session.path.name == "photos 2.scaf"
    second = window.session.path
    window.opener.open_path(folder)
    assert window.session is not None and window.session.path == first
    names = [other]
    if os.name != "nt":  # as a Mac takes "Photos" and "photos" for one
        (tmp_path / "link").symlink_to(other.parent)
        names.append(tmp_path / "link" / "photos")
    for same in names:
        window.opener.open_path(same)
        assert window.session is not None and window.session.path == second, "its labels are there again"


def test_folders_and_files_that_cannot_be_opened(window: MainWindow, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    note = tmp_path / "note.txt"
    note.write_text("x")
    no_project = tmp_path / "no.scaf"
    no_project.write_bytes(b"this is no database")
    for path, words in (
        (empty, "holds no images"),
        (tmp_path / "gone", "is not there"),
        (note, "neither a folder of images nor a project"),
        (no_project, "no.scaf"),
    ):
        window.opener.open_path(path)
        assert words in said(window) and path.name in said(window)
        assert window.session is None and window.start_screen.isVisible()
        window.messages.clear()


def test_a_project_that_is_open_elsewhere_or_from_a_newer_version(
    window: MainWindow, folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "locked.scaf"
    other = new_project(path, folder)
    window.opener.open_path(path)
    assert "locked.scaf" in said(window) and window.session is None
    other.close()
    window.messages.clear()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 9999")
    window.opener.open_path(path)
    assert "newer" in said(window) and window.session is None


def test_an_unreadable_image_is_named_and_can_be_skipped(
    window: MainWindow, qtbot: QtBot, folder: Path, tmp_path: Path
) -> None:
    for name in ("face_0001.jpg", "face_0002.jpg", "face_0003.jpg"):
        (folder / name).write_bytes(b"")
    window.show_session(new_project(tmp_path / "p.scaf", folder))
    session = window.session
    assert session is not None and session.current is not None
    qtbot.waitUntil(lambda: canvas_text(window.workspace.canvas) != "", timeout=WAIT)
    first = session.document.face(session.current)
    assert first.image in canvas_text(window.workspace.canvas)
    assert "Press S to skip" in canvas_text(window.workspace.canvas)
    Hand(window).press(Qt.Key.Key_S)
    assert session.document.face(first.id).state is State.SKIPPED and session.current != first.id
    qtbot.waitUntil(
        lambda: window.project.background is not None and not window.project.background.is_busy(), timeout=WAIT
    )


def test_accept_without_landmarks_says_why(window: MainWindow, qtbot: QtBot, folder: Path, tmp_path: Path) -> None:
    window.show_session(new_project(tmp_path / "p.scaf", folder, scheme_id="scut-86", boxes="whole", use_starter=False))
    assert window.session is not None
    qtbot.waitUntil(lambda: window.workspace.canvas._image.size is not None, timeout=WAIT)
    Hand(window).press(Qt.Key.Key_Return)
    assert "Nothing to accept yet" in window.status.text()
    assert not window.workspace.face_bar.accept.isEnabled()
    window.project.refresh_model()
    assert "Label 2 faces first" in window.status.text()


def test_without_a_model_every_click_places_the_next_landmark(
    window: MainWindow, qtbot: QtBot, folder: Path, tmp_path: Path
) -> None:
    window.show_session(new_project(tmp_path / "p.scaf", folder, scheme_id="five-5", boxes="whole", use_starter=False))
    session, canvas = window.session, window.workspace.canvas
    assert session is not None and session.current is not None
    if session.model is not None:
        pytest.skip("five landmarks have a starter now")
    qtbot.waitUntil(lambda: canvas._image.size is not None, timeout=WAIT)
    qtbot.waitUntil(lambda: session.document.face(session.current).box is not None, timeout=WAIT)  # type: ignore[arg-type]
    hand = Hand(window)
    places = [(60.0, 80.0), (120.0, 80.0), (90.0, 110.0), (70.0, 140.0), (115.0, 140.0)]
    for landmark, place in enumerate(places):
        assert canvas.selected == landmark
        qtbot.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=hand.screen(*place))
    label = session.document.face(session.current).label
    assert label is not None and label.placed.all()
    assert abs(label.points - places).max() < 1.5
    hand.press(Qt.Key.Key_Return)
    assert len(session.document.with_state(State.LABELLED)) == 1


def test_a_vanished_folder_can_be_located(window: MainWindow, qtbot: QtBot, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "p.scaf"
    new_project(path, folder).close()
    moved = tmp_path / "moved"
    folder.rename(moved)
    window.opener.open_path(path)
    qtbot.waitUntil(lambda: "gone" in said(window), timeout=WAIT)
    assert window.session is not None and "gone" in canvas_text(window.workspace.canvas)
    window.project.missing.relocate(moved)
    qtbot.waitUntil(lambda: window.workspace.canvas._image.size is not None, timeout=WAIT)
    assert canvas_text(window.workspace.canvas) == "" and window.session.folder == moved


def test_the_new_project_dialog_is_filled_in_and_says_what_is_missing(
    qtbot: QtBot, dressed: QApplication, folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "x.scaf"
    dialog = NewProjectDialog(folder, 3, path, _scheme_choices())
    qtbot.addWidget(dialog)
    dialog.show()
    choice = dialog.choice()
    assert (choice.path, choice.scheme_id, choice.boxes) == (path, "300w-68", "detector")
    assert dialog.create_button.isEnabled() and dialog.create_button.isDefault()
    dialog.choose_source("landmarks")
    assert not dialog.create_button.isEnabled() and dialog.landmark_folder.isVisible()
    dialog.landmark_folder.setText(str(tmp_path / "none"))
    assert "none is not a folder" in dialog.trouble.text()
    dialog.landmark_folder.setText(str(tmp_path))
    assert dialog.create_button.isEnabled() and dialog.choice().boxes == f"landmarks:{tmp_path}"
    dialog.choose_source("file")
    assert not dialog.create_button.isEnabled()
    assert dialog.box_file.isVisible() and not dialog.landmark_folder.isVisible()
    for name, kind in (("list_98pt_rect_attr_test.txt", "wflw"), ("Boxes.MAT", "mat"), ("boxes.csv", "csv")):
        dialog.box_file.setText(str(tmp_path / name))
        assert f"{name} is not a file" in dialog.trouble.text() and not dialog.create_button.isEnabled()
        (tmp_path / name).write_bytes(b"")
        dialog.box_file.setText("")
        dialog.box_file.setText(str(tmp_path / name))
        assert dialog.create_button.isEnabled() and dialog.choice().boxes == f"{kind}:{tmp_path / name}"
    path.write_bytes(b"")
    dialog.path.setText(f"{path} ")
    assert "there already" in dialog.trouble.text() and not dialog.create_button.isEnabled()
    dialog.path.setText("")
    assert not dialog.create_button.isEnabled()


def test_landmarks_of_ones_own(
    qtbot: QtBot, dressed: QApplication, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By file from wherever it lies, or from the folder of schemes, whatever the file is called there."""
    monkeypatch.setenv("SCAF_HOME", str(tmp_path / "home"))
    own = tmp_path / "nine.json"
    own.write_text(
        '{"id": "clinic-2", "title": "Clinic", "landmarks": ["left", "right"], "aliases": {"300w-68": [36, 45]}}'
    )
    window = MainWindow(Settings())
    window.show()
    window.opener.open_path(folder)
    dialog = window.findChild(NewProjectDialog)
    assert dialog is not None
    scheme = dialog.scheme
    assert not scheme.file.isVisible()
    QTest.keyClick(scheme.kind, Qt.Key.Key_End)
    assert scheme.file.isVisible() and "Choose the file" in dialog.trouble.text()
    (tmp_path / "bad.json").write_text('{"id": "bad",\n "landmarks": [}')
    for name, said in (("none.json", "none.json is not a file"), ("bad.json", "bad.json, line 2: is not JSON")):
        scheme.file.setText(str(tmp_path / name))
        assert said in dialog.trouble.text() and not dialog.create_button.isEnabled()
    scheme.file.setText(f"{own} ")
    assert not dialog.trouble.isVisible() and dialog.create_button.isEnabled()
    dialog.accept()
    assert window.session is not None and window.session.scheme.names == ("left", "right")
    window.close()
    window.deleteLater()

    user = tmp_path / "home" / "config" / "schemes"
    assert user == paths.user_scheme_folder()
    user.mkdir(parents=True)
    own.rename(user / own.name)
    (user / "300w-68.json").write_text("{")  # keeps nobody from the shipped one
    again = NewProjectDialog(folder, 3, tmp_path / "y.scaf", _scheme_choices())
    qtbot.addWidget(again)
    again.scheme.kind.setCurrentIndex(again.scheme.kind.findText("Clinic"))
    made = new_project(tmp_path / "y.scaf", folder, again.choice().scheme_id)
    assert made.scheme.id == "clinic-2"
    made.close()
    assert schemes()["300w-68"].parent != user


def test_a_long_name_of_a_folder_does_not_widen_the_dialog(qtbot: QtBot, dressed: QApplication, tmp_path: Path) -> None:
    folder = tmp_path / ("Fotos 2026 (Gesichtsvermessung, zweite Sitzung, linke und rechte Seite) " * 3)
    dialog = NewProjectDialog(folder, 3, tmp_path / f"{folder.name}.scaf", _scheme_choices())
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.width() < 800
    title = next(label for label in dialog.findChildren(QLabel) if label.text().startswith("New project from"))
    assert "…" in title.text() and title.toolTip() == folder.name


def test_asking_once_where_projects_go(qtbot: QtBot, dressed: QApplication, folder: Path, tmp_path: Path) -> None:
    window = MainWindow(Settings())
    window.show()
    window.opener.open_path(folder)
    dialog = window.findChild(NewProjectDialog)
    assert dialog is not None and window.session is None
    dialog.path.setText(str(tmp_path / "mine" / "faces.scaf"))
    dialog.accept()
    assert window.session is not None and (tmp_path / "mine" / "faces.scaf").exists()
    assert window.settings["project_folder"] == str(tmp_path / "mine")
    window.close()
    window.deleteLater()


def test_every_dialog_opens_in_both_themes(window: MainWindow, qtbot: QtBot, folder: Path, tmp_path: Path) -> None:
    window.show_session(new_project(tmp_path / "p.scaf", folder))
    for _ in range(2):
        for act in ("shortcuts", "about", "export_labels", "import_labels"):
            window.actions_by_id[act].trigger()
            dialog = QApplication.activeModalWidget()
            assert dialog is not None and dialog.isVisible(), act
            assert dialog.width() <= 1280 and dialog.height() <= 720, act
            dialog.close()
        window.actions_by_id["theme"].trigger()
    assert window.settings["theme"] == "dark"
    window.actions_by_id["filter_labelled"].trigger()
    assert window.workspace.queue.filter.currentIndex() == 2 and window.workspace.queue.model.rowCount() == 0
    window.workspace.queue.filter.setCurrentIndex(0)
    assert window.actions_by_id["filter_all"].isChecked()
