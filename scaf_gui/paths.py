"""The one module that knows where things lie: shipped resources and the user's folders.

Nothing is created here; whoever writes a file makes its folder.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

APP_NAME = "scaf-gui"


def _shipped(name: str) -> Path:
    """A folder shipped with the program: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / name
    return installed if installed.is_dir() else package.parent / name


def resource_folder() -> Path:
    """Icons, themes, landmark schemes."""
    return _shipped("resources")


def model_folder() -> Path:
    """Shipped checkpoints and their cards."""
    return _shipped("models")


def config_folder() -> Path:
    """Where settings are kept; ``SCAF_HOME`` overrides (tests, portable use)."""
    if home := os.environ.get("SCAF_HOME"):
        return Path(home) / "config"
    import appdirs

    return Path(appdirs.user_config_dir(APP_NAME, appauthor=False))


def cache_folder() -> Path:
    """Where rebuildable files live that belong to no project (the rendered sample)."""
    if home := os.environ.get("SCAF_HOME"):
        return Path(home) / "cache"
    import appdirs

    return Path(appdirs.user_cache_dir(APP_NAME, appauthor=False))


def user_scheme_folder() -> Path:
    """Landmark schemes of the user's own."""
    return config_folder() / "schemes"


def documents_folder() -> Path:
    """The user's documents folder: ``SCAF_HOME``, what Windows or XDG say, else ``~/Documents``."""
    if home := os.environ.get("SCAF_HOME"):
        return Path(home) / "documents"
    home_folder = Path.home()
    if sys.platform == "win32":
        return _windows_documents() or home_folder / "Documents"
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home_folder / ".config")
    try:
        text = (config / "user-dirs.dirs").read_text(encoding="utf-8")
    except OSError:
        return home_folder / "Documents"
    found = re.search(r'^XDG_DOCUMENTS_DIR="(.*)"', text, re.MULTILINE)
    if not found:
        return home_folder / "Documents"
    return Path(found[1].replace("$HOME", str(home_folder)))


def _windows_documents() -> Path | None:
    """Where Windows has them: OneDrive, and many an administrator, move them elsewhere."""
    import winreg

    place = r"Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders"
    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, place) as key:  # type: ignore[attr-defined,unused-ignore]
            value, _ = winreg.QueryValueEx(key, "Personal")  # type: ignore[attr-defined,unused-ignore]
    except OSError:
        return None
    return Path(os.path.expandvars(value)) if isinstance(value, str) and value else None


def project_companions(project: Path) -> Path:
    """The folder beside ``NAME.scaf`` that holds its trained models and its cache."""
    return project.with_name(project.stem + ".scaf-data")
