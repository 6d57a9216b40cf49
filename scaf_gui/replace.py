"""Giving a finished file, or folder, its name: on Windows others may stand in the way for a moment.

Virus scanners and search indexers open what was just written; meanwhile Windows refuses to rename it, or to put another
in its place, with "access denied" (5) or "sharing violation" (32). Other systems allow both, and know no such codes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

_IN_THE_WAY = (5, 32)
#: seconds between tries; a scanner takes a fraction of a second
_WAITS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)


def replace_by(beside: Path, path: Path) -> None:
    """``path`` is ``beside`` from now on, whatever file was there; :raises OSError: it cannot be done."""
    _patiently(lambda: beside.replace(path))


def rename_to(beside: Path, path: Path) -> None:
    """``path`` is ``beside`` from now on; :raises OSError: as ``Path.rename``."""
    _patiently(lambda: beside.rename(path))


def _patiently(act: Callable[[], object]) -> None:
    for wait in _WAITS:
        try:
            act()
        except OSError as error:
            if getattr(error, "winerror", None) not in _IN_THE_WAY:
                raise
            time.sleep(wait)
        else:
            return
    act()
