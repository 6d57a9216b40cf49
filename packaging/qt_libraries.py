"""The system libraries that Qt needs on Linux: found by loading them, installed by apt where that is allowed."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Library:
    """A shared library, who needs it ("all", "x11", "wayland"), and the packages that hold it."""

    soname: str
    needed_by: str
    apt: str
    dnf: str
    pacman: str


LIBRARIES = (
    Library("libEGL.so.1", "all", "libegl1", "libglvnd-egl", "libglvnd"),
    Library("libGL.so.1", "all", "libgl1", "libglvnd-glx", "libglvnd"),
    Library("libxkbcommon.so.0", "all", "libxkbcommon0", "libxkbcommon", "libxkbcommon"),
    Library("libdbus-1.so.3", "all", "libdbus-1-3", "dbus-libs", "dbus"),
    Library("libfontconfig.so.1", "all", "libfontconfig1", "fontconfig", "fontconfig"),
    Library("libfreetype.so.6", "all", "libfreetype6", "freetype", "freetype2"),
    Library("libglib-2.0.so.0", "all", "libglib2.0-0", "glib2", "glib2"),
    Library("libX11.so.6", "all", "libx11-6", "libX11", "libx11"),
    Library("libX11-xcb.so.1", "x11", "libx11-xcb1", "libX11-xcb", "libx11"),
    Library("libxkbcommon-x11.so.0", "x11", "libxkbcommon-x11-0", "libxkbcommon-x11", "libxkbcommon-x11"),
    Library("libxcb-cursor.so.0", "x11", "libxcb-cursor0", "xcb-util-cursor", "xcb-util-cursor"),
    Library("libxcb-icccm.so.4", "x11", "libxcb-icccm4", "xcb-util-wm", "xcb-util-wm"),
    Library("libxcb-image.so.0", "x11", "libxcb-image0", "xcb-util-image", "xcb-util-image"),
    Library("libxcb-keysyms.so.1", "x11", "libxcb-keysyms1", "xcb-util-keysyms", "xcb-util-keysyms"),
    Library("libxcb-randr.so.0", "x11", "libxcb-randr0", "libxcb", "libxcb"),
    Library("libxcb-render-util.so.0", "x11", "libxcb-render-util0", "xcb-util-renderutil", "xcb-util-renderutil"),
    Library("libxcb-shape.so.0", "x11", "libxcb-shape0", "libxcb", "libxcb"),
    Library("libxcb-shm.so.0", "x11", "libxcb-shm0", "libxcb", "libxcb"),
    Library("libxcb-sync.so.1", "x11", "libxcb-sync1", "libxcb", "libxcb"),
    Library("libxcb-util.so.1", "x11", "libxcb-util1", "xcb-util", "xcb-util"),
    Library("libxcb-xfixes.so.0", "x11", "libxcb-xfixes0", "libxcb", "libxcb"),
    Library("libxcb-xkb.so.1", "x11", "libxcb-xkb1", "libxcb", "libxcb"),
    Library("libwayland-client.so.0", "wayland", "libwayland-client0", "libwayland-client", "wayland"),
    Library("libwayland-cursor.so.0", "wayland", "libwayland-cursor0", "libwayland-cursor", "wayland"),
)
_FONT = Library("a font", "all", "fonts-dejavu-core", "dejavu-sans-fonts", "ttf-dejavu")
_FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")


def display_kind(environment: Mapping[str, str] = os.environ) -> str:
    """What a window would be shown on: "x11", "wayland", "native" (macOS, Windows), or "" for nothing."""
    if sys.platform != "linux":
        return "native"
    if environment.get("DISPLAY"):
        return "x11"
    return "wayland" if environment.get("WAYLAND_DISPLAY") else ""


def missing(display: str) -> list[Library]:
    """What Qt would not find, for a window on ``display`` (see :func:`display_kind`)."""
    if sys.platform != "linux":
        return []
    needed = [row for row in LIBRARIES if row.needed_by in ("all", display)]
    return [row for row in needed if not _loads(row.soname)] + ([] if _has_font() else [_FONT])


def _loads(soname: str) -> bool:
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def _has_font() -> bool:
    folders = (Path(name).expanduser() for name in _FONT_FOLDERS)
    return any(next(folder.rglob(f"*.{kind}"), None) for folder in folders for kind in ("ttf", "otf", "ttc"))


def install_command(libraries: Iterable[Library]) -> list[str] | None:
    """The command of this system's package manager, without sudo; ``None`` where it is not known."""
    rows = list(libraries)
    if shutil.which("apt-get"):
        return ["apt-get", "install", "-y", "--no-install-recommends", *_unique(row.apt for row in rows)]
    if shutil.which("dnf"):
        return ["dnf", "install", "-y", *_unique(row.dnf for row in rows)]
    if shutil.which("pacman"):
        return ["pacman", "-S", "--needed", *_unique(row.pacman for row in rows)]
    return None


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def make_sure(display: str) -> bool:
    """Install what is missing where that is allowed, else say how; returns whether all is there."""
    lacking = missing(display)
    if not lacking:
        return True
    names = ", ".join(row.soname for row in lacking)
    command = install_command(lacking)
    if command is None:
        print(f"Qt needs {names}: install them with this system's package manager, then start again.")
        return False
    if command[0] != "apt-get" or sys.platform == "win32" or os.geteuid() != 0:
        print(f"Qt needs {names}. Install them, then start again:\n  sudo {' '.join(command)}")
        return False
    print(f"Installing system libraries that Qt needs: {names}", flush=True)
    apt_install(command)
    lacking = missing(display)
    if lacking:
        names = ", ".join(row.soname for row in lacking)
        print(f"Still missing: {names}. Try:\n  apt-get update && {' '.join(command)}")
    return not lacking


def apt_install(command: list[str]) -> bool:
    """Run an apt-get command as root; once more after ``apt-get update`` where it fails."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for update in (False, True):
        if update:
            subprocess.run(["apt-get", "update", "-q"], env=environment, check=False)
        if subprocess.run([command[0], "-q", *command[1:]], env=environment, check=False).returncode == 0:
            return True
    return False
