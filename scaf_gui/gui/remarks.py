"""What an act says where it would do nothing, or nothing that is seen: no key is ever without an answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from scaf_gui.core.face import Face
from scaf_gui.gui.act import NUDGES
from scaf_gui.gui.acts import ACTS, BY_ID
from scaf_gui.gui.hints import why_no_prediction

if TYPE_CHECKING:
    from scaf_gui.gui.project_view import ProjectView

Handler = Callable[..., object]

#: of these it is said that they are on or off, as nothing else shows it at once
SWITCHES = frozenset({"loupe", "walk_zoom", "fall_off", "follow_shape", "instant", "blind"})
#: these make no sense without a photo on the canvas
_PHOTO = frozenset(
    {"draw_box", "change_box", "add_face", "fit_face", "fit_image", "zoom_in", "zoom_out", "select_group", "select_all"}
    | {"next_landmark", "previous_landmark", *NUDGES}
)
#: nor these without a face; "place" finds out by itself, as it has to go back to "off"
_FACE = (
    frozenset(act.id for act in ACTS if act.menu.startswith(("Face", "Landmark")))
    - SWITCHES
    - {
        *("next", "previous", "check", "place"),
    }
)
_SELECT = "Select a landmark first: click it, or press Tab"


class Remarks:
    """Wraps the handlers of acts. What a handler says by itself is left to it."""

    def __init__(self, project: ProjectView):
        self._project, self._canvas = project, project.workspace.canvas
        self._said = ""
        self._after: dict[str, Callable[[tuple[object, ...]], str]] = {
            "next": partial(self._unmoved, "This is the last face of the list"),
            "previous": partial(self._unmoved, "This is the first face of the list"),
            "zoom_in": partial(self._unmoved, "This is as large as it gets"),
            "zoom_out": partial(self._unmoved, "This is as small as it gets"),
            "next_landmark": partial(self._unmoved, "This face has one landmark"),
            "previous_landmark": partial(self._unmoved, "This face has one landmark"),
            "select_group": lambda _: self._selected(),
            "select_all": lambda _: self._selected(),
            "loupe_more": lambda _: self._loupe(),
            "loupe_less": lambda _: self._loupe(),
            "fit_image": partial(self._unmoved, "The whole photo is in sight"),
            "show_ghost": lambda _: self._ghost(),
            "confidence": lambda _: self._confidence(),
            "show_skeleton": lambda _: self._lines(),
            "show_labels": lambda _: self._placeless(),
            "fit_face": lambda before: self._placeless() or self._unmoved("The face is as large as it goes", before),
            "image_reset": lambda _: "Photos are shown as they are",
            "find": lambda _: "Type a part of the file's name; Return goes to the first face, Esc lists all again",
            "place": lambda _: "" if self._face() is not None else "No face is shown",
        }

    def wrap(self, handlers: dict[str, Handler]) -> dict[str, Handler]:
        """The same handlers, by act id; each says why where it does nothing."""
        return {name: partial(self._run, name, handler) for name, handler in handlers.items()}

    def _run(self, name: str, handler: Handler, *given: object) -> None:
        if self._said and self._said == self._project.status.remark:
            self._say("")  # it was about another act
        reason = self._why_not(name)
        if reason:
            self._say(reason)
            return
        before, up = self._where(), self._project.status.remark
        handler(*given)
        if self._project.status.remark != up:
            self._said = self._project.status.remark
        remark = self._after[name](before) if name in self._after else ""
        if name in SWITCHES:
            remark = f"{BY_ID[name].title}: {'on' if given and given[0] else 'off'}"
        elif BY_ID[name].group == "filter":
            remark = f"List: {BY_ID[name].title.lower()}"
        if remark:
            self._say(remark)

    def _say(self, remark: str) -> None:
        self._said = remark
        self._project.status.say(remark)

    # -- before

    def _why_not(self, name: str) -> str:
        if self._project.session is None:
            return ""
        if name in _FACE and self._face() is None:
            return "No face is shown"
        if name in _PHOTO and self._canvas.face is None:
            return "The photo is still being read" if self._project.navigator.is_reading else "No photo is shown"
        if name == "snap" or (name == "take_back" and not self._project.precision.placing):
            return self._no_prediction()
        return self._no_nudge() if name in NUDGES else ""

    def _no_nudge(self) -> str:
        canvas = self._canvas
        if canvas.box_selected or canvas.group or canvas.position(canvas.selected) is not None:
            return ""
        assert self._project.session is not None
        names = self._project.session.scheme.names
        place = "" if canvas.selected is None else names[canvas.selected].replace("_", " ")
        return f"Place {place} first: click where it belongs" if place else _SELECT

    # -- after

    def _where(self) -> tuple[object, ...]:
        """What moving on, walking and zooming change."""
        canvas = self._canvas
        return self._project.navigator.current, canvas.selected, canvas.group, canvas.zoom, canvas._box_hint()

    def _unmoved(self, remark: str, before: tuple[object, ...]) -> str:
        return remark if before == self._where() else ""

    def _face(self) -> Face | None:
        return self._project.editor.shown()[0]

    def _selected(self) -> str:
        """Of a selection that was there before nothing is announced."""
        count = len(self._canvas.group)
        if count == 1:
            return "1 landmark selected: it belongs to no group of several"
        return f"{count} landmarks selected" if count else ""

    def _loupe(self) -> str:
        loupe = self._canvas.loupe
        if loupe is None or not self._canvas.loupe_on:
            return "The loupe is off: M switches it on"
        return f"Loupe: {loupe.factor:.3g} times as large as the canvas shows it"

    def _placeless(self) -> str:
        """Where there is nothing to draw, or to go to."""
        known = np.isfinite(self._canvas.screen_points()).all(axis=1)
        return "" if known.any() else "No landmark of this face has a place yet"

    def _lines(self) -> str:
        session = self._project.session
        if session is not None and not session.scheme.edges:
            return "This scheme has no lines between its landmarks"
        return self._placeless()

    def _no_prediction(self) -> str:
        session, (face, prediction) = self._project.session, self._project.editor.shown()
        return why_no_prediction(session, face) if session is not None and prediction is None else ""

    def _ghost(self) -> str:
        if not self._canvas.ghost:
            return f"{BY_ID['show_ghost'].title}: not shown behind your landmarks"
        reason = self._no_prediction()
        face, prediction = self._project.editor.shown()
        if reason or face is None or prediction is None:
            return reason
        if face.label is None:
            return "These are the predicted landmarks; what you change is shown before them from now on"
        if np.array_equal(face.label.points, prediction.points, equal_nan=True):
            return "Your landmarks are where the model predicts them"
        return ""

    def _confidence(self) -> str:
        if self._canvas.has_doubt or not self._canvas.confidence:
            return ""
        reason = self._no_prediction()
        _, prediction = self._project.editor.shown()
        session = self._project.session
        if reason or session is None or session.expected.across(prediction) is None:
            return reason or "It is not known yet how far this model is off"
        return "All landmarks of this face are yours: nothing is left to doubt"
