"""Keys in running text as this machine writes them: on a Mac, "Ctrl+Z" is ⌘Z."""

from __future__ import annotations

import re
import sys

#: Qt takes Command for Ctrl on a Mac, which writes modifiers as signs and in this order: ⌥⇧⌘
_SIGNS = {"Ctrl": "⌘", "Shift": "⇧", "Alt": "⌥"}
_ORDER = "⌥⇧⌘"
_KEYS = re.compile(r"\b((?:Ctrl|Shift|Alt)\+)+")
_ALONE = re.compile(r"\bCtrl\b(?!\+)")


def as_here(text: str, system: str = sys.platform) -> str:
    """A text that names keys as the table of acts does ("Ctrl+Z goes back"), as people read it on their system."""
    if system != "darwin":
        return text

    def signs(found: re.Match[str]) -> str:
        return "".join(sorted((_SIGNS[name] for name in found[0][:-1].split("+")), key=_ORDER.index))

    return _ALONE.sub("⌘", _KEYS.sub(signs, text))
