"""Settings: their table, what is accepted, and that a file is never lost."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Any

import pytest

from scaf_gui.errors import InputError
from scaf_gui.settings import SETTINGS, Settings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.json"


def test_without_a_file_defaults_hold_and_nothing_is_written(path: Path) -> None:
    settings = Settings(path)
    assert {row.key: settings[row.key] for row in SETTINGS} == {row.key: row.default for row in SETTINGS}
    assert not path.parent.exists()


def test_the_file_lies_in_the_config_folder(scaf_home: Path) -> None:
    Settings()["theme"] = "light"
    assert json.loads((scaf_home / "config" / "settings.json").read_text(encoding="utf-8")) == {"theme": "light"}


def test_a_change_is_there_in_the_next_session(path: Path) -> None:
    Settings(path)["device"] = "cpu"
    Settings(path)["discard"] = 0.25
    again = Settings(path)
    assert (again["device"], again["discard"], again["theme"]) == ("cpu", 0.25, "dark")


def test_every_row_is_explained_and_its_default_accepted(path: Path) -> None:
    settings = Settings(path)
    for row in SETTINGS:
        assert row.title and row.help
        settings[row.key] = row.default
    assert len({row.key for row in SETTINGS}) == len(SETTINGS)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("theme", "pink"),
        ("device", 1),
        ("discard", "0.1"),
        ("discard", True),
        ("discard", 1.0),
        ("discard", -0.1),
        ("discard", float("nan")),
        ("recent", "x"),
        ("user_name", None),
    ],
)
def test_a_value_that_does_not_fit_is_refused_and_not_read(key: str, value: Any, path: Path) -> None:
    settings = Settings(path)
    before = settings[key]
    with pytest.raises(ValueError, match=key):
        settings[key] = value
    assert settings[key] == before and not path.exists()
    path.parent.mkdir()
    path.write_text(json.dumps({key: value, "project_folder": "/p"}), encoding="utf-8")
    assert Settings(path)[key] == before and Settings(path)["project_folder"] == "/p"


def test_an_unknown_setting_is_a_mistake_in_the_program(path: Path) -> None:
    with pytest.raises(KeyError):
        Settings(path)["colour"]
    with pytest.raises(KeyError):
        Settings(path)["colour"] = "red"


@pytest.mark.parametrize("content", [b"{oops", b"", b"[1]", b"null", b"\xff\xfe\x00", b"[" * 100_000])
def test_a_damaged_file_does_not_stop_the_program_and_is_kept(content: bytes, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    settings = Settings(path)
    assert settings["theme"] == "dark"
    assert path.read_bytes() == content
    settings["theme"] = "light"
    settings["discard"] = 0.2
    assert path.with_name("settings.json.damaged").read_bytes() == content
    assert Settings(path)["theme"] == "light" and Settings(path)["discard"] == 0.2


def test_settings_of_a_newer_version_survive(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('{"hologram": [1, 2], "theme": "light"}', encoding="utf-8")
    Settings(path)["discard"] = 0.2
    assert json.loads(path.read_text(encoding="utf-8")) == {"hologram": [1, 2], "theme": "light", "discard": 0.2}


def test_a_write_that_fails_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Settings(path)["theme"] = "light"
    before = path.read_bytes()

    def full(self: Path, text: str, encoding: str) -> int:
        self.write_bytes(text[:5].encode(encoding))
        raise OSError(28, "No space left on device")

    settings = Settings(path)
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(InputError, match=r"settings\.json: settings cannot be saved \(No space left on device\)"):
        settings["theme"] = "dark"
    assert path.read_bytes() == before


def test_nothing_is_left_beside_the_file(path: Path) -> None:
    for value in (0.1, 0.2, 0.3):
        Settings(path)["discard"] = value
    assert [entry.name for entry in path.parent.iterdir()] == ["settings.json"]


def test_a_list_that_was_read_is_the_callers_own(path: Path) -> None:
    settings = Settings(path)
    settings["recent"].append("mine")
    assert settings["recent"] == [] and Settings(path)["recent"] == []
    settings["recent"] = ["a"]
    settings["recent"].append("mine")
    assert settings["recent"] == ["a"]


def test_the_users_name(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(path)
    assert settings.user == getpass.getuser()

    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert settings.user == "user"
    settings["user_name"] = "Ann"
    assert settings.user == "Ann"
