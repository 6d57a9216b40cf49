"""The dialog of settings, alone and in the real window."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QDoubleSpinBox
from pytestqt.qtbot import QtBot

from scaf_gui import settings as settings_module
from scaf_gui.gui import settings_dialog as dialog_module
from scaf_gui.gui import theme
from scaf_gui.gui.actions import keys_text
from scaf_gui.gui.acts import BY_ID
from scaf_gui.gui.new_project_dialog import NewProjectDialog
from scaf_gui.gui.opener import _scheme_choices
from scaf_gui.gui.settings_dialog import SettingsDialog
from scaf_gui.gui.window import MainWindow
from scaf_gui.session.project import new_project
from scaf_gui.settings import SETTINGS, Setting, Settings
from tests.gui.conftest import settle
from tests.io.onnx_writer import yunet


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "config" / "settings.json")


@pytest.fixture
def dialog(settings: Settings, qtbot: QtBot, dressed: QApplication) -> SettingsDialog:
    made = SettingsDialog(settings)
    qtbot.addWidget(made)
    made.open()
    return made


def choose(dialog: SettingsDialog, key: str, value: object) -> None:
    dialog.editors[key].put(value)


def test_every_row_has_its_editor_and_shows_its_value(dialog: SettingsDialog, settings: Settings) -> None:
    assert dialog.editors.keys() == {row.key for row in SETTINGS if row.page}
    for key, editor in dialog.editors.items():
        assert editor.get() == settings[key], key
        assert editor.widget.accessibleName()
    kinds = {"theme": QComboBox, "second_look": QCheckBox, "discard": QDoubleSpinBox}
    for key, kind in kinds.items():
        assert isinstance(dialog.editors[key].widget, kind)
    dialog.accept()
    assert not settings.path.exists(), "nothing was changed, so nothing is written"


def test_what_was_changed_is_saved_and_told(dialog: SettingsDialog, settings: Settings, qtbot: QtBot) -> None:
    choose(dialog, "second_look", False)
    choose(dialog, "user_name", " Zoë ")
    choose(dialog, "loupe_factor", 6.5)
    spin = dialog.editors["discard"].widget
    assert isinstance(spin, QDoubleSpinBox)
    spin.setValue(25)
    assert spin.text() == "25 %"
    with qtbot.waitSignal(dialog.applied) as told:
        dialog.accept()
    assert set(told.args[0]) == {"second_look", "user_name", "loupe_factor", "discard"}
    again = Settings(settings.path)
    assert (again["second_look"], again["user_name"], again["loupe_factor"]) == (False, "Zoë", 6.5)
    assert again["discard"] == pytest.approx(0.25) and again["theme"] == "dark"


def test_cancel_changes_nothing(dialog: SettingsDialog, settings: Settings) -> None:
    choose(dialog, "theme", "light")
    dialog.reject()
    assert settings["theme"] == "dark" and not settings.path.exists()


def test_numbers_keep_within_their_limits_and_untouched_ones_their_digits(
    settings: Settings, qtbot: QtBot, dressed: QApplication
) -> None:
    settings["fall_off_radius"] = 0.123456
    made = SettingsDialog(settings)
    qtbot.addWidget(made)
    assert made.editors["fall_off_radius"].get() == 0.123456
    for row in SETTINGS:
        spin = made.editors[row.key].widget if row.page else None
        if isinstance(spin, QDoubleSpinBox):
            for end in (-1e9, 1e9):
                spin.setValue(end)
                settings[row.key] = made.editors[row.key].get()  # is accepted


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("detector", "yunet:", "Choose the YuNet model file"),
        ("detector", "yunet:/no/such.onnx", "/no/such.onnx is not a file"),
        ("detector", "yunet:{wrong}", "is no YuNet model that this OpenCV can use"),
        ("project_folder", "/no/such/folder", "/no/such/folder is not a folder"),
    ],
)
def test_what_cannot_be_used_is_said_and_not_saved(
    dialog: SettingsDialog, settings: Settings, tmp_path: Path, key: str, value: str, said: str
) -> None:
    wrong = tmp_path / "wrong.onnx"
    wrong.write_bytes(b"not a model")
    choose(dialog, key, value.format(wrong=wrong))
    choose(dialog, "theme", "light")
    dialog.accept()
    assert dialog.isVisible() and said in dialog.trouble.text()
    assert dialog.pages.currentItem().text() == next(row.page for row in SETTINGS if row.key == key)
    assert settings["theme"] == "dark" and not settings.path.exists()
    choose(dialog, key, next(row.default for row in SETTINGS if row.key == key))
    dialog.accept()
    assert settings["theme"] == "light"


def test_settings_that_cannot_be_written(dialog: SettingsDialog, settings: Settings) -> None:
    settings.path.parent.write_text("a file where the folder should be")
    choose(dialog, "theme", "light")
    dialog.accept()
    assert dialog.isVisible() and "settings cannot be saved" in dialog.trouble.text()
    dialog.reject()


def test_defaults_of_one_page(dialog: SettingsDialog, settings: Settings) -> None:
    choose(dialog, "loupe", False)
    choose(dialog, "theme", "light")
    dialog.show_page("Loupe")
    dialog.defaults.click()
    dialog.accept()
    assert settings["loupe"] is True and settings["theme"] == "light"


def test_a_new_row_appears_by_itself(
    settings: Settings, qtbot: QtBot, dressed: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = (
        *SETTINGS,
        Setting("answer", 42.0, "Answer", "To everything", limits=(0.0, 100.0), page="New page"),
        Setting("colour", "red", "Colour", "Of the sky", ("red", "blue"), page="New page"),
    )
    monkeypatch.setattr(settings_module, "_BY_KEY", {row.key: row for row in rows})
    monkeypatch.setattr(dialog_module, "SETTINGS", rows)
    made = SettingsDialog(settings)
    qtbot.addWidget(made)
    made.show_page("New page")
    assert made.pages.currentItem().text() == "New page"
    assert made.editors["answer"].get() == 42.0
    made.editors["answer"].put(43.0)
    made.accept()
    assert settings["answer"] == 43.0 and settings["colour"] == "red"


def test_choices_have_names() -> None:
    for row in SETTINGS:
        assert len(row.names) == len(row.choices) or not row.names
        assert replace(row, page="x") or row.page


def test_a_model_of_the_users_for_one_project(
    tmp_path: Path, faces_folder: Path, qtbot: QtBot, dressed: QApplication
) -> None:
    """What the settings name is there to begin with; the project may have another detector."""
    model = tmp_path / "yunet.onnx"
    model.write_bytes(yunet())
    made = NewProjectDialog(faces_folder, 8, tmp_path / "p.scaf", _scheme_choices(), None, f"yunet:{model}")
    qtbot.addWidget(made)
    made.show()
    assert made.choice().detector == f"yunet:{model}" and made.create_button.isEnabled()
    made.detector.file.setText(str(tmp_path / "none.onnx"))
    assert not made.create_button.isEnabled() and "none.onnx is not a file" in made.trouble.text()
    (tmp_path / "none.onnx").write_bytes(b"no model")
    made.detector.file.setText(str(tmp_path / "none.onnx") + " ")
    made.accept()
    assert made.isVisible() and "is no YuNet model" in made.trouble.text()
    made.choose_source("whole")
    assert made.create_button.isEnabled() and not made.detector.isVisible()
    made.choose_source("detector")
    made.detector.value = f"yunet:{model}"
    made.accept()
    choice = made.choice()
    session = new_project(choice.path, faces_folder, boxes=choice.boxes, detector=choice.detector, use_starter=False)
    try:
        assert session.store.get("boxes") == f"yunet:{model}"
    finally:
        session.close()


# -- in the window ---------------------------------------------------------------------------------


@pytest.fixture
def window(
    qtbot: QtBot, dressed: QApplication, settings: Settings, faces_folder: Path, tmp_path: Path, no_leaks: None
) -> Iterator[MainWindow]:
    shutil.copytree(faces_folder, tmp_path / "faces")
    made = MainWindow(settings)
    made.show()
    session = new_project(tmp_path / "p.scaf", tmp_path / "faces", boxes="whole", settings=settings, use_starter=False)
    made.show_session(session)
    qtbot.waitUntil(lambda: not session.work.to_search)
    yield made
    made.close()
    made.deleteLater()
    settle()


def open_dialog(window: MainWindow, qtbot: QtBot) -> SettingsDialog:
    action = window.actions_by_id["settings"]
    assert action.isEnabled() and action.menuRole() == QAction.MenuRole.PreferencesRole
    assert action.shortcut().toString() == "Ctrl+,"
    qtbot.keyClick(window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: bool(window.findChildren(SettingsDialog)))
    return window.findChildren(SettingsDialog)[0]


def test_settings_count_at_once_in_the_window(window: MainWindow, qtbot: QtBot) -> None:
    session, canvas = window.session, window.workspace.canvas
    assert session is not None and session.work.look_twice
    before = theme.palette()["window"]
    dialog = open_dialog(window, qtbot)
    for key, value in {
        "theme": "light",
        "second_look": False,
        "instant": False,
        "loupe": False,
        "loupe_factor": 8.0,
        "loupe_corner": "top left",
        "fall_off": True,
        "confidence": True,
        "shape": False,
        "shape_strength": 0.5,
        "user_name": "Ann",
    }.items():
        dialog.editors[key].put(value)
    dialog.accept()
    assert theme.palette()["window"] != before
    assert not session.work.look_twice and not session.instant.enabled and session.user == "Ann"
    assert canvas.loupe is not None and (canvas.loupe.factor, canvas.loupe.corner) == (8.0, "top left")
    assert not canvas.loupe_on and canvas.along and canvas.confidence
    checked = {
        name: window.actions_by_id[name].isChecked() for name in ("instant", "loupe", "fall_off", "follow_shape")
    }
    assert checked == {"instant": False, "loupe": False, "fall_off": True, "follow_shape": False}
    assert window.workspace.shape_bar.value.text() == "50 %"
    assert Settings(window.settings.path)["second_look"] is False


def test_the_menu_names_the_key() -> None:
    assert BY_ID["settings"].menu == "Edit" and keys_text(BY_ID["settings"]) == "Ctrl+,"
