"""What an act is, and the acts that come in series: nudges, attributes of the face. No Qt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scaf_gui.core.face import ATTRIBUTES

#: keys of "window" work wherever the focus is, keys of "canvas" only while the canvas has it, so that Space still
#: presses a focused button, arrows still move in lists and Tab still leaves them
CONTEXTS = ("window", "canvas")


@dataclass(frozen=True)
class Act:
    """One thing a person can ask for.

    ``menu`` is the menu's title, "Menu/Submenu" for one inside another. ``keys`` are portable key texts
    ("Ctrl+Z"; Qt makes Ctrl the Command key on macOS), the first of which menus show. Acts of the same
    ``group`` exclude each other.
    """

    id: str
    title: str
    menu: str
    keys: tuple[str, ...] = ()
    tip: str = ""
    checkable: bool = False
    checked: bool = False
    context: str = "window"
    group: str = ""


#: what the attributes of WFLW mean
ATTRIBUTE_TIPS: Mapping[str, str] = {
    "pose": "large head pose",
    "expression": "strong expression",
    "illumination": "extreme illumination",
    "make_up": "heavy make-up",
    "occlusion": "parts of the face are hidden",
    "blur": "the image is blurred",
}
#: how far one press moves the selected landmark: act id -> (dx, dy) in image pixels, as seen on the screen
NUDGES: Mapping[str, tuple[float, float]] = {
    f"nudge_{side}{suffix}": (x * step, y * step)
    for suffix, step in (("", 1.0), ("_far", 10.0), ("_fine", 0.1))
    for side, x, y in (("left", -1, 0), ("right", 1, 0), ("up", 0, -1), ("down", 0, 1))
}


def nudge_acts() -> Iterator[Act]:
    """Moving the selected landmark by a key."""
    modifiers = {"": ("", "1 pixel"), "_far": ("Shift+", "10 pixels"), "_fine": ("Alt+", "0.1 pixel")}
    for name in NUDGES:
        side, suffix = name.removeprefix("nudge_").partition("_")[::2]
        modifier, distance = modifiers[f"_{suffix}" if suffix else ""]
        yield Act(
            name,
            f"{side.capitalize()} by {distance}",
            "Landmark/Nudge",
            (f"{modifier}{side.capitalize()}",),
            f"Move the selected landmark {distance} {side}",
            context="canvas",
        )


def attribute_acts() -> Iterator[Act]:
    """Saying of the face what WFLW's attributes say."""
    for number, key in enumerate(ATTRIBUTES, start=1):
        name = key.replace("_", "-").capitalize()
        tip = f"Say of the face, or take back: {ATTRIBUTE_TIPS[key]} (WFLW attribute)"
        yield Act(f"attribute_{key}", name, "Face/Attributes", (f"Alt+{number}",), tip)
