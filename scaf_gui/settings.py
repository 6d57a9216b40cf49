"""The user's settings: one table of frozen rows that also drives the dialog and the docs."""

from __future__ import annotations

import getpass
import json
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scaf_gui import paths
from scaf_gui.errors import InputError
from scaf_gui.replace import replace_by


@dataclass(frozen=True)
class Setting:
    """One setting: its key, default, what it is called and what it does.

    ``choices``: the values it can have, ``names``: what they are called, in the same order; ``limits``: lowest value
    and the bound it stays under. ``page``: where the dialog shows it, "" for nowhere. ``kind``: how a number or a
    text is meant: "share" (shown in per cent), "folder", "detector".
    """

    key: str
    default: Any
    title: str
    help: str
    choices: tuple[Any, ...] = ()
    limits: tuple[float, float] | None = None
    names: tuple[str, ...] = ()
    page: str = "General"
    kind: str = ""


SETTINGS: tuple[Setting, ...] = (
    Setting("theme", "dark", "Theme", "Colours of the window", ("dark", "light"), names=("Dark", "Light")),
    Setting("user_name", "", "Your name", "Written beside each label; empty: your login name"),
    Setting(
        "project_folder",
        "",
        "Project folder",
        "Where new projects are put; empty: your documents folder",
        kind="folder",
    ),
    Setting(
        "device",
        "auto",
        "Device",
        "Where the model runs; auto takes CUDA, then MPS, then the CPU. For projects that are opened from now on",
        ("auto", "cuda", "mps", "cpu"),
        names=("Automatic", "CUDA (NVIDIA)", "MPS (Apple)", "CPU"),
        page="Model",
    ),
    Setting(
        "second_look",
        True,
        "Look twice at each face",
        "Predict the faces that come next a second time, from crops cut by the first prediction",
        page="Model",
    ),
    Setting(
        "instant",
        True,
        "Learn from each face at once",
        "Move the next pre-fill by what your last faces have in common, where that surely helps",
        page="Model",
    ),
    Setting(
        "discard",
        0.1,
        "Set aside",
        "Share of the least certain faces that is set aside as likely outliers, in new projects",
        limits=(0.0, 1.0),
        page="Model",
        kind="share",
    ),
    Setting(
        "detector",
        "mtcnn",
        "Face detector",
        "Finds the faces of new projects; each may be made with another one",
        page="Faces",
        kind="detector",
    ),
    Setting(
        "shape",
        True,
        "Shape follows",
        "Landmarks that nobody has placed follow the one that is dragged",
        page="Landmarks",
    ),
    Setting(
        "shape_strength",
        1.0,
        "How far the shape follows",
        "100 %: to the most plausible shape; less or more on wish",
        limits=(0.05, 1.51),
        page="Landmarks",
        kind="share",
    ),
    Setting(
        "fall_off",
        False,
        "Drag neighbours along",
        "A dragged landmark takes those beside it on its curve along",
        page="Landmarks",
    ),
    Setting(
        "fall_off_radius",
        0.25,
        "Reach of dragging along",
        "How far along the curve, as a share of the face's size; the wheel changes it while dragging",
        limits=(0.01, 2.0),
        page="Landmarks",
        kind="share",
    ),
    Setting(
        "walk_zoom",
        False,
        "Zoom while walking",
        "Tab enlarges the surroundings of the landmark it goes to",
        page="Landmarks",
    ),
    Setting(
        "confidence",
        False,
        "Colour by confidence",
        "Colour landmarks by how far they are expected to be off",
        page="Landmarks",
    ),
    Setting(
        "level",
        False,
        "Level the eyes",
        "Turn each face upright on the canvas; landmarks are saved in the coordinates of the photo as ever",
        page="Landmarks",
    ),
    Setting(
        "blind_share",
        0.0,
        "Faces without pre-fill",
        "Share of the faces, drawn at random, that you place without seeing a prediction: shows how far it draws your "
        "labels towards the model. 5 %: one face in twenty",
        limits=(0.0, 0.501),
        page="Faces",
        kind="share",
    ),
    Setting("loupe", True, "Loupe", "Magnify the surroundings of the landmark that is moved", page="Loupe"),
    Setting(
        "loupe_factor",
        4.0,
        "Loupe's factor",
        "How often it enlarges what the canvas shows",
        limits=(1.5, 32.01),
        page="Loupe",
    ),
    Setting(
        "loupe_corner",
        "",
        "Loupe's place",
        "Beside the landmark, or a corner of the canvas",
        ("", "top left", "top right", "bottom right", "bottom left"),
        names=("Beside the landmark", "Top left", "Top right", "Bottom right", "Bottom left"),
        page="Loupe",
    ),
    Setting("recent", [], "Recent projects", "Newest first", page=""),
    Setting("greeted", False, "Greeted", "Whether the first steps have been told", page=""),
    Setting("window", {}, "Window", "Where it was, how large it was and how wide its columns were", page=""),
)
_BY_KEY = {setting.key: setting for setting in SETTINGS}


class Settings:
    """Values by key, read once, written beside and renamed on every change.

    A file that cannot be understood counts as empty, and is kept as ``settings.json.damaged`` when
    the first change is written; keys of a newer version are kept as they are.
    """

    def __init__(self, path: Path | None = None):
        self.path = path or paths.config_folder() / "settings.json"
        self._values: dict[str, Any] = {}
        self._unknown: dict[str, Any] = {}
        self._damaged = False
        try:
            loaded = json.loads(self.path.read_text(encoding="utf-8"))
        except OSError:
            return
        except (ValueError, RecursionError):
            loaded = None
        self._damaged = not isinstance(loaded, dict)
        if isinstance(loaded, dict):
            self._values = {k: v for k, v in loaded.items() if k in _BY_KEY and self._fits(k, v)}
            self._unknown = {k: v for k, v in loaded.items() if k not in _BY_KEY}

    @staticmethod
    def _fits(key: str, value: Any) -> bool:
        setting = _BY_KEY[key]
        if setting.choices:
            return value in setting.choices
        if isinstance(setting.default, float):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            return number and (setting.limits is None or setting.limits[0] <= value < setting.limits[1])
        return isinstance(value, type(setting.default))

    def __getitem__(self, key: str) -> Any:
        return deepcopy(self._values.get(key, _BY_KEY[key].default))

    def __setitem__(self, key: str, value: Any) -> None:
        if not self._fits(key, value):
            raise ValueError(f"{value!r} is not a value of setting '{key}'")
        self._values[key] = value
        try:
            self._write()
        except OSError as error:
            raise InputError(f"settings cannot be saved ({error.strerror})", self.path) from error

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self._damaged:
            self.path.replace(self.path.with_name(self.path.name + ".damaged"))
            self._damaged = False
        beside = self.path.with_name(self.path.name + ".new")
        beside.write_text(json.dumps(self._unknown | self._values, indent=2), encoding="utf-8")
        replace_by(beside, self.path)

    @property
    def user(self) -> str:
        """The name written beside each label."""
        return str(self["user_name"]) or login_name()


def login_name() -> str:
    """Who has logged in, as far as the system says."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "user"
