"""Where things lie."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest

from scaf_gui import paths


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder as a person has it, without SCAF_HOME."""
    for name in ("SCAF_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return tmp_path


def test_shipped_files_are_found_in_a_checkout() -> None:
    assert (paths.resource_folder() / "schemes" / "300w-68.json").is_file()
    assert paths.model_folder() == paths.resource_folder().parent / "models"


def test_shipped_files_are_found_in_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "scaf_gui"
    (package / "resources").mkdir(parents=True)
    monkeypatch.setattr(paths, "__file__", str(package / "paths.py"))
    assert paths.resource_folder() == package / "resources"


def test_scaf_home_holds_everything(scaf_home: Path) -> None:
    folders = [paths.config_folder(), paths.cache_folder(), paths.documents_folder(), paths.user_scheme_folder()]
    assert all(folder.is_relative_to(scaf_home) for folder in folders)
    assert len(set(folders)) == 4


def test_without_it_folders_are_the_users(home: Path) -> None:
    assert paths.config_folder().is_relative_to(home) and paths.cache_folder().is_relative_to(home)
    assert paths.config_folder() != paths.cache_folder()
    assert paths.config_folder().name == paths.APP_NAME
    assert paths.documents_folder() == home / "Documents"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('XDG_DOCUMENTS_DIR="$HOME/Dokumente"', "Dokumente"),
        ('# a comment\nXDG_MUSIC_DIR="$HOME/Music"\nXDG_DOCUMENTS_DIR="$HOME/My Papers"\n', "My Papers"),
        ('#XDG_DOCUMENTS_DIR="$HOME/Old"', "Documents"),
        ('XDG_MUSIC_DIR="$HOME/Music"', "Documents"),
    ],
)
def test_the_documents_folder_has_the_name_the_desktop_gave_it(line: str, expected: str, home: Path) -> None:
    (home / ".config").mkdir()
    (home / ".config" / "user-dirs.dirs").write_text(line, encoding="utf-8")
    assert paths.documents_folder() == home / expected


def test_an_absolute_documents_folder(home: Path) -> None:
    (home / ".config").mkdir()
    (home / ".config" / "user-dirs.dirs").write_text('XDG_DOCUMENTS_DIR="/data/docs"', encoding="utf-8")
    assert paths.documents_folder() == Path("/data/docs")


class Registry:
    """What ``winreg`` offers of it, with one value."""

    HKEY_CURRENT_USER = "user"

    def __init__(self, value: object):
        self.value = value

    def OpenKey(self, root: str, place: str) -> contextlib.nullcontext[str]:  # noqa: N802
        assert root == "user" and place.endswith("User Shell Folders")
        if self.value is None:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        return contextlib.nullcontext("key")

    def QueryValueEx(self, key: str, name: str) -> tuple[object, int]:  # noqa: N802
        assert (key, name) == ("key", "Personal")
        return self.value, 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [("$HOME/OneDrive/Documents", "OneDrive/Documents"), (None, "Documents"), ("", "Documents"), (7, "Documents")],
)
def test_windows_says_where_documents_are(
    home: Path, monkeypatch: pytest.MonkeyPatch, value: object, expected: str
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "winreg", Registry(value))
    assert paths.documents_folder() == home / expected


def test_companions_of_a_project_lie_beside_it() -> None:
    assert paths.project_companions(Path("a/b/faces.v2.scaf")) == Path("a/b/faces.v2.scaf-data")


def test_asking_creates_nothing(home: Path) -> None:
    paths.config_folder()
    paths.cache_folder()
    paths.documents_folder()
    paths.user_scheme_folder()
    assert list(home.iterdir()) == []


def test_importing_creates_nothing_and_loads_nothing_heavy(home: Path) -> None:
    code = (
        "import sys, scaf_gui.paths, scaf_gui.settings, scaf_gui.errors\n"
        "print([name for name in ('numpy', 'torch', 'PySide6', 'appdirs', 'cv2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert list(home.iterdir()) == []
