"""Everything a person can ask for, in one table; :mod:`scaf_gui.gui.actions` makes menus and keys of it. No Qt.

Menus, keys, tool tips and the shortcut sheet are derived from :data:`ACTS`; nothing else defines a key.
"""

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
#: how far one press moves the selected landmark: act id -> (dx, dy) in image pixels
NUDGES: Mapping[str, tuple[float, float]] = {
    f"nudge_{side}{suffix}": (x * step, y * step)
    for suffix, step in (("", 1.0), ("_far", 10.0), ("_fine", 0.1))
    for side, x, y in (("left", -1, 0), ("right", 1, 0), ("up", 0, -1), ("down", 0, 1))
}
#: acts that go on while their key is held down; no other one does, so that a held Return accepts one face, not a row
REPEATING = frozenset(NUDGES) | {
    "undo",
    "redo",
    "next",
    "previous",
    "next_landmark",
    "previous_landmark",
    "zoom_in",
    "zoom_out",
    "loupe_more",
    "loupe_less",
}


def _nudges() -> Iterator[Act]:
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


def _attributes() -> Iterator[Act]:
    for number, key in enumerate(ATTRIBUTES, start=1):
        name = key.replace("_", "-").capitalize()
        tip = f"Say of the face, or take back: {ATTRIBUTE_TIPS[key]} (WFLW attribute)"
        yield Act(f"attribute_{key}", name, "Face/Attributes", (f"Alt+{number}",), tip)


ACTS: tuple[Act, ...] = (
    Act("open_folder", "Open Folder…", "File", ("Ctrl+O",), "Start or go on with the faces of an image folder"),
    Act("open_project", "Open Project…", "File", ("Ctrl+Shift+O",), "Open a project file (.scaf)"),
    Act("close_project", "Close Project", "File", ("Ctrl+W",), "Back to the start screen; every label is saved"),
    Act("import_labels", "Import Labels…", "File", ("Ctrl+I",), "Read labels of other programs into this project"),
    Act("export_labels", "Export Labels…", "File", ("Ctrl+E",), "Write labels that other tools read"),
    Act("quit", "Quit", "File", ("Ctrl+Q",), "Close the program; every label is already saved"),
    Act("undo", "Undo", "Edit", ("Ctrl+Z",), "Take the last change back"),
    Act("redo", "Redo", "Edit", ("Ctrl+Shift+Z", "Ctrl+Y"), "Do again what was taken back"),
    Act("settings", "Settings…", "Edit", ("Ctrl+,",), "Theme, device, face detector, second look, loupe and the like"),
    Act(
        "accept",
        "Accept and Next",
        "Face",
        ("Return", "Enter", "Space"),
        "Stand for these landmarks and go to the next face",
        context="canvas",
    ),
    Act("skip", "Skip", "Face", ("S",), "Put this face aside and go to the next one"),
    Act(
        "skip_similar",
        "Skip Near-Identical Photos",
        "Face",
        ("Shift+S",),
        "Skip the photos that look like this one, but for faces with a label; this one stays",
    ),
    Act("next", "Next Face", "Face", ("PgDown", "D"), "Go to the next face of the queue"),
    Act("previous", "Previous Face", "Face", ("PgUp", "A"), "Go back to the face before"),
    Act(
        "next_in_photo",
        "Next Face of the Photo",
        "Face",
        ("Shift+PgDown", "Shift+D"),
        "Go to the next face of the same photo; a click on it does, too",
    ),
    Act(
        "previous_in_photo",
        "Previous Face of the Photo",
        "Face",
        ("Shift+PgUp", "Shift+A"),
        "Go to the face before of the same photo",
    ),
    Act("draw_box", "Draw Box", "Face", ("B",), "Drag a rectangle around the face; a label stays as it is"),
    Act(
        "change_box",
        "Change Box",
        "Face",
        ("E",),
        "Move or resize the face's box, by mouse or by arrow keys; the pre-fill follows, a label stays as it is",
    ),
    Act("add_face", "Add Face", "Face", ("Shift+B",), "Drag a rectangle around one more face of this photo"),
    Act("not_a_face", "Not a Face", "Face", ("N",), "Throw a false detection out and go to the next face"),
    Act(
        "delete_face",
        "Delete Face",
        "Face",
        ("Del",),
        "Take this face out of the photo, with its label if it has one; undo brings both back",
        context="canvas",
    ),
    Act(
        "reset",
        "Reset to Prediction",
        "Face",
        ("Ctrl+Backspace",),
        "Show what the model predicts instead of this face's label; undo brings it back",
    ),
    *_attributes(),
    Act("check", "Check Labels", "Face", ("F7",), "Look for slips in all finished labels: swaps, crossings, outliers"),
    Act("next_landmark", "Next Landmark", "Landmark", ("Tab",), "Select the next landmark", context="canvas"),
    Act(
        "previous_landmark",
        "Previous Landmark",
        "Landmark",
        ("Shift+Tab",),
        "Select the landmark before",
        context="canvas",
    ),
    Act(
        "next_doubt",
        "Next Doubtful Landmark",
        "Landmark",
        ("Q",),
        "Go to the landmark most likely off that you have not looked at; after the last one, Return accepts",
    ),
    Act(
        "previous_doubt",
        "Previous Doubtful Landmark",
        "Landmark",
        ("Shift+Q",),
        "Go back to the doubtful landmark before",
    ),
    Act(
        "occluded",
        "Mark Occluded",
        "Landmark",
        ("O",),
        "The selected landmarks are hidden behind something; their places are guesses",
    ),
    Act("missing", "Mark Missing", "Landmark", ("X",), "The selected landmarks cannot be placed at all"),
    Act("visible", "Mark Visible", "Landmark", ("V",), "Take marks of the selected landmarks back"),
    Act(
        "follow_shape",
        "Shape Follows",
        "Landmark",
        ("W",),
        "Landmarks that you have not placed follow the one you drag, to the most plausible shape",
        True,
        True,
    ),
    Act("pin", "Pin", "Landmark", ("T",), "Let the selected landmark stay where it is when others are dragged"),
    Act(
        "place",
        "Place by Clicks",
        "Landmark",
        ("P",),
        "Each click places the next landmark, a picture shows where; Backspace takes one back, X skips one as missing",
        True,
    ),
    Act(
        "take_back",
        "Take Back",
        "Landmark",
        ("Backspace",),
        "While placing by clicks: take the last landmark back; else put the selection back to the prediction",
        context="canvas",
    ),
    Act("select_group", "Select Group", "Landmark", ("Ctrl+G",), "Select all landmarks of the selected one's group"),
    Act(
        "select_all",
        "Select Whole Face",
        "Landmark",
        ("Ctrl+A",),
        "Select every landmark of the face",
        context="canvas",
    ),
    Act(
        "fall_off",
        "Drag Neighbours Along",
        "Landmark",
        ("J",),
        "A dragged landmark takes those beside it on its curve along; the wheel sets how far. Ctrl: the reverse",
        True,
    ),
    Act(
        "spread",
        "Space Evenly",
        "Landmark",
        ("Shift+E",),
        "Space the landmarks of the selected curve evenly; its ends and corners stay",
    ),
    Act(
        "mirror",
        "Mirror to Other Side",
        "Landmark",
        ("Ctrl+Shift+M",),
        "Put the partners of the selected landmarks where the face's axis mirrors them; of one: of its whole side",
    ),
    Act(
        "snap",
        "Back to Prediction",
        "Landmark",
        ("Shift+Backspace",),
        "Put the selected landmarks back to where the model predicts them",
        context="canvas",
    ),
    *_nudges(),
    Act("fit_face", "Fit to Face", "View", ("F",), "Show the face as large as it goes"),
    Act("fit_image", "Fit Image", "View", ("Shift+F",), "Show the whole image"),
    Act("zoom_in", "Zoom In", "View", ("+", "="), "Enlarge around the cursor; the mouse wheel does too"),
    Act("zoom_out", "Zoom Out", "View", ("-",), "Reduce around the cursor; the mouse wheel does too"),
    Act("loupe", "Loupe", "View", ("M",), "Magnify the surroundings of the landmark that is moved", True, True),
    Act("loupe_pin", "Move Loupe", "View", ("Shift+M",), "Pin the loupe to the next corner, or let it go along again"),
    Act("loupe_more", "Loupe: Enlarge More", "View", (".",), "The wheel does too, while a landmark is dragged"),
    Act("loupe_less", "Loupe: Enlarge Less", "View", (",",), "The wheel does too, while a landmark is dragged"),
    Act(
        "walk_zoom",
        "Zoom While Walking",
        "View",
        ("Shift+Z",),
        "Tab enlarges the surroundings of the landmark it goes to",
        True,
    ),
    Act("show_skeleton", "Skeleton", "View", ("K",), "Show the curves that join the landmarks", True, True),
    Act("show_labels", "Landmark Names", "View", ("L",), "Show the name of every landmark", True, False),
    Act("show_ghost", "Prediction", "View", ("G",), "Show what the model predicted behind your landmarks", True, False),
    Act(
        "confidence",
        "Colour by Confidence",
        "View",
        ("C",),
        "Colour predicted landmarks by how far they are expected to be off",
        True,
    ),
    Act(
        "heatmap",
        "Heatmap",
        "View",
        ("H",),
        "Lay what the model sees upon the photo: of the selected landmarks, then of all, then nothing",
    ),
    Act(
        "reconstruction",
        "Reconstruction",
        "View",
        ("Shift+H",),
        "Show beside the photo how the auto-encoder paints this face, with the landmarks on both",
        True,
    ),
    Act(
        "level",
        "Level the Eyes",
        "View",
        ("U",),
        "Turn each face upright on the canvas; its landmarks are saved in the coordinates of the photo as ever",
        True,
    ),
    Act(
        "image_aids",
        "Image Aids",
        "View",
        ("I",),
        "Show the photo brighter, harder, more even or gray; the file, the model and your labels see it as it is",
        True,
    ),
    Act("image_reset", "Image as It Is", "View", ("Shift+I",), "Take brightness, contrast and the like back"),
    Act("compare", "Original While Held", "View", ("Y",), "Show the photo as it is for as long as the key is held"),
    Act("theme", "Light or Dark", "View", ("Ctrl+T",), "Change the window's colours"),
    Act("filter_all", "All Faces", "Queue", ("Ctrl+1",), "List every face", True, True, group="filter"),
    Act(
        "filter_waiting", "Waiting", "Queue", ("Ctrl+2",), "List the faces that wait for a label", True, group="filter"
    ),
    Act("filter_labelled", "Labelled", "Queue", ("Ctrl+3",), "List the faces that are done", True, group="filter"),
    Act("filter_skipped", "Skipped", "Queue", ("Ctrl+4",), "List the faces that were put aside", True, group="filter"),
    Act("filter_set_aside", "Set Aside", "Queue", ("Ctrl+5",), "List the likely outliers", True, group="filter"),
    Act(
        "refresh",
        "Refresh Model",
        "Model",
        ("R", "F5"),
        "Train on your labels in the background, then reorder the queue",
    ),
    Act(
        "refresh_thorough",
        "Train Thoroughly",
        "Model",
        ("Shift+R",),
        "Train anew from the best start, many times as long as a refresh; go on meanwhile, or leave it running",
    ),
    Act(
        "instant",
        "Learn from Each Face at Once",
        "Model",
        (),
        "Move the next pre-fill by what your last faces have in common, where that surely helps",
        True,
        True,
    ),
    Act(
        "blind",
        "Some Faces Without Pre-Fill",
        "Model",
        (),
        "One face in twenty, drawn at random, is placed without seeing a prediction: shows how far it draws you",
        True,
    ),
    Act("lean", "Lean Towards the Model…", "Model", ("F8",), "How far accepted labels lean towards the predictions"),
    Act("cancel", "Cancel Work", "Model", ("Ctrl+.",), "Stop what runs in the background; nothing is lost"),
    Act("focus_canvas", "Go to Canvas", "Help", ("F6",), "Give the keys back to the canvas from any panel"),
    Act("shortcuts", "Keyboard Shortcuts", "Help", ("F1",), "Show every key"),
    Act("about", "About SCAF GUI", "Help", (), "Version, device and licence"),
)

BY_ID: Mapping[str, Act] = {act.id: act for act in ACTS}

#: what the mouse does, for the shortcut sheet
GESTURES: tuple[tuple[str, str], ...] = (
    ("Drag a landmark", "Put it where it belongs; saved when you let go"),
    ("Drag the outline of the box", "Move a side or a corner; then drag inside to move the box"),
    ("Click another face of the photo", "Go to it"),
    ("Esc while dragging", "Leave the landmark or the box where it was"),
    ("Alt and drag a landmark", "Alone where the shape follows, and the other way round"),
    ("Wheel while dragging", "Loupe's factor; with neighbours along: how far they follow"),
    ("Shift+drag beside the landmarks", "Select those within a rectangle; adds to a selection of several"),
    ("Shift+click a landmark", "Add it to the selection, or take it out"),
    ("Double-click a landmark", "Select its group; with Shift beside what is selected"),
    ("Drag a selection, its corners, its knob", "Move, scale, turn it"),
    ("Ctrl+drag a landmark", "Take its neighbours on the curve along"),
    ("Wheel", "Zoom around the cursor"),
    ("Drag beside the landmarks, middle or right drag", "Move the image"),
)
