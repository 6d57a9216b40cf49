"""The acts upon landmarks beyond a plain drag: nudges, placing by clicks, groups, curves, mirror, snap, loupe."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QTimer

from scaf_gui.core import point_edits
from scaf_gui.core.arrays import BoolArray, FloatArray
from scaf_gui.core.curves import curve_of, spread_evenly
from scaf_gui.core.edits import Edit
from scaf_gui.core.face import Face, Flag, Prediction
from scaf_gui.core.history import History
from scaf_gui.core.scheme import Scheme
from scaf_gui.core.shape import mean_shape
from scaf_gui.core.transforms import mirrored, side_of
from scaf_gui.errors import EditError
from scaf_gui.gui.canvas import Canvas
from scaf_gui.gui.canvas.gestures import Moved
from scaf_gui.gui.canvas.loupe import CORNERS
from scaf_gui.gui.canvas.placing import Picture
from scaf_gui.gui.editor import Editor
from scaf_gui.session.session import Session
from scaf_gui.settings import Settings

#: nudges of the same landmarks that follow each other within so many seconds are one step of undo
TOGETHER = 1.0
#: what the wheel changes is written to the settings when it has rested so long
_REST_MS = 700
#: acts whose state is remembered: act id = key of the setting
REMEMBERED = ("loupe", "walk_zoom", "fall_off", "confidence", "level")


class Precision(QObject):
    """Joins the tools of the canvas with the editor; one edit per gesture."""

    def __init__(
        self, canvas: Canvas, editor: Editor, settings: Settings, say: Callable[[str], object], parent: QObject
    ):
        super().__init__(parent)
        self._canvas, self._editor, self._settings, self._say = canvas, editor, settings, say
        self._session: Session | None = None
        self._nudged: tuple[float, Edit | None, bytes] = (0.0, None, b"")
        self._placing_changed: Callable[[bool], object] = lambda on: None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._remember)
        self.use_settings()
        canvas.pointsMoved.connect(self._points_moved)
        canvas.nudged.connect(self._join_nudges)
        canvas.loupeTurned.connect(lambda _: self._rest.start())
        canvas.reachTurned.connect(self._reach_turned)
        canvas.placingLeft.connect(partial(self.place, False))
        canvas.groupSelected.connect(
            lambda group: self._say(f"{len(group)} landmarks selected") if len(group) > 1 else None
        )

    def use_settings(self) -> None:
        """Take what is remembered."""
        canvas, settings = self._canvas, self._settings
        canvas.use_loupe(bool(settings["loupe"]))
        canvas.walk_zoom = bool(settings["walk_zoom"])
        canvas.along, canvas.reach = bool(settings["fall_off"]), float(settings["fall_off_radius"])
        assert canvas.loupe is not None
        canvas.loupe.factor = float(settings["loupe_factor"])
        canvas.pin_loupe(str(settings["loupe_corner"]))

    def remember_now(self) -> None:
        """Write what the wheel has changed, without waiting for it to rest."""
        if self._rest.isActive():
            self._rest.stop()
            self._remember()

    def open(self, session: Session | None) -> None:
        """Another project, or none: placing ends."""
        self.place(False)
        self._session = session
        self._nudged = (0.0, None, b"")

    def on_placing(self, changed: Callable[[bool], object]) -> None:
        """Be told when placing by clicks begins and ends."""
        self._placing_changed = changed

    def handlers(self, others: dict[str, Callable[..., object]]) -> dict[str, Callable[..., object]]:
        """By act id. :param others: of which "missing" means another thing while landmarks are placed"""
        return {
            "loupe": partial(self._switch, "loupe", self._canvas.use_loupe),
            "loupe_pin": self.pin_loupe,
            "loupe_more": partial(self._canvas.turn_loupe, 1.0),
            "loupe_less": partial(self._canvas.turn_loupe, -1.0),
            "walk_zoom": partial(self._switch, "walk_zoom", partial(setattr, self._canvas, "walk_zoom")),
            "fall_off": partial(self._switch, "fall_off", partial(setattr, self._canvas, "along")),
            "place": self.place,
            "take_back": self.take_back,
            "missing": partial(self.missing, others["missing"]),
            "select_group": self.select_group,
            "select_all": self.select_all,
            "spread": self.spread,
            "mirror": self.mirror,
            "snap": self.snap,
        }

    # -- loupe and switches

    def _switch(self, key: str, use: Callable[[bool], object], on: bool) -> None:
        use(on)
        if self._settings[key] != on:
            self._settings[key] = on

    def pin_loupe(self) -> None:
        """To the next corner, and after the last back to the landmark."""
        assert self._canvas.loupe is not None
        corner = CORNERS[(CORNERS.index(self._canvas.loupe.corner) + 1) % len(CORNERS)]
        self._canvas.pin_loupe(corner)
        self._settings["loupe_corner"] = corner
        self._say(f"Loupe: {corner or 'beside the landmark'}")

    def _reach_turned(self, reach: float) -> None:
        self._say(f"Reach along the curve: {100 * reach:.0f} % of the face")
        self._rest.start()

    def _remember(self) -> None:
        assert self._canvas.loupe is not None
        for key, value in (("loupe_factor", self._canvas.loupe.factor), ("fall_off_radius", self._canvas.reach)):
            if self._settings[key] != value:
                self._settings[key] = value

    # -- nudges

    def _join_nudges(self) -> None:
        """Make one undo step of nudges of the same landmarks that follow each other quickly."""
        history, now = self._history(), time.monotonic()
        if history is None:
            return
        when, last, which = self._nudged
        chosen = self._canvas.chosen().tobytes()
        before = history.before_last
        if last is not None and before is last and which == chosen and now - when <= TOGETHER:
            history.join_last()
        self._nudged = (now, history.to_undo, chosen)

    def _history(self) -> History | None:
        return self._session.document.history if self._session is not None else None

    # -- several landmarks

    def _points_moved(self, made: Moved) -> None:
        def edit(face: Face, prediction: Prediction | None, scheme: Scheme, who: str) -> Edit | None:
            of = made.moved
            if made.verb == "Drag":
                title = f"Drag {point_edits.phrase(scheme, made.placed)} along its curve"
            else:
                title = f"{made.verb} {point_edits.phrase(scheme, of)}"
            return point_edits.move_points(face, prediction, made.points, made.moved, made.placed, title, who)

        self._change(edit)

    def _change(self, make: Callable[[Face, Prediction | None, Scheme, str], Edit | None], otherwise: str = "") -> bool:
        """Make one edit of the face on the canvas; with ``otherwise``, say that it is done, or else that."""
        try:
            done = self._editor.change(make)
        except EditError as error:
            self._say(str(error)[:1].upper() + str(error)[1:])
            return False
        if not done:
            self._canvas_again()
        if otherwise:  # what changes may be too little to be seen, and the last remark is of something else
            last = history.to_undo if done and (history := self._history()) is not None else None
            self._say(otherwise if last is None else f"Done: {last.title}")
        return done

    def _canvas_again(self) -> None:
        """Take a preview back that led to no edit."""
        if self._session is not None:
            face, prediction = self._editor.shown()
            self._canvas.show_face(face, prediction, self._session.scheme, self._session.expected.across(prediction))

    def select_group(self, name: str = "", add: bool = False) -> None:
        """Select the group of the selected landmark, or one by its name. :param add: beside what is selected"""
        session, canvas = self._session, self._canvas
        if session is None:
            return
        group = next((group for group in session.scheme.groups if group.name == name), None)
        if group is not None:
            canvas.select_group(frozenset(group.landmarks), add=add)
            canvas.setFocus()
        elif canvas.selected is not None:
            canvas.select_group_of(canvas.selected)
        else:
            self._say("Select a landmark first: click it, or press Tab")

    def select_all(self) -> None:
        if self._session is not None:
            self._canvas.select_group(frozenset(range(self._session.scheme.num_landmarks)))

    def _points(self, face: Face, prediction: Prediction | None) -> FloatArray | None:
        source = face.label or prediction
        return source.points if source is not None else None

    def spread(self) -> None:
        """Space the landmarks of the selected curve evenly; several selected ones: only those, on all their curves."""
        chosen, several = self._canvas.chosen(), len(self._canvas.group) > 1

        def edit(face: Face, prediction: Prediction | None, scheme: Scheme, who: str) -> Edit | None:
            before = points = self._points(face, prediction)
            if points is None or before is None or not chosen.any():
                return None
            curves = {curve for landmark in np.flatnonzero(chosen).tolist() if (curve := curve_of(scheme, landmark))}
            of = chosen.copy()
            for curve in curves:
                rows = np.asarray(curve.landmarks, dtype=np.intp)
                if not several:
                    of[rows] = True
                points = spread_evenly(points, curve, scheme.corners, of)
            moved = (points != before).any(axis=1) & np.isfinite(points).all(axis=1)
            named = np.isin(np.arange(len(of)), [i for curve in curves for i in curve.landmarks]) & of
            title = f"Space {point_edits.phrase(scheme, named)} evenly"
            return point_edits.move_points(face, prediction, points, moved, np.zeros_like(moved), title, who)

        self._change(edit, "Nothing to space: select a landmark of a curve, or three or more of one")

    def mirror(self) -> None:
        """Several selected: put their partners; one: that whole side onto the other, but for what was placed there."""
        chosen, several, lead = self._canvas.chosen(), len(self._canvas.group) > 1, self._canvas.selected

        def edit(face: Face, prediction: Prediction | None, scheme: Scheme, who: str) -> Edit | None:
            points = self._points(face, prediction)
            if points is None or lead is None:
                return None
            partner = np.asarray(scheme.flip, dtype=np.intp)
            sources: BoolArray = chosen
            if not several or (chosen & chosen[partner]).any():  # both sides are selected: that of the last one counts
                side = side_of(points, scheme.flip, lead)
                sources = side & chosen if several else side
            after, put = mirrored(points, scheme.flip, sources)
            stay = np.zeros_like(put)
            if not several and face.label is not None:
                stay = put & face.label.placed
            placed = face.label.placed[partner] if face.label is not None else np.zeros_like(put)
            kept = f", {int(stay.sum())} placed by hand stay" if stay.any() else ""
            title = f"Mirror {point_edits.phrase(scheme, sources)} to the other side{kept}"
            return point_edits.move_points(face, prediction, after, put & ~stay, placed, title, who)

        self._change(edit, "Nothing to mirror: select a landmark of the side that is right")

    def snap(self) -> None:
        """Put the selected landmarks back to the prediction."""
        chosen = self._canvas.chosen()

        def edit(face: Face, prediction: Prediction | None, scheme: Scheme, who: str) -> Edit | None:
            title = f"Put {point_edits.phrase(scheme, chosen)} back to the prediction"
            return point_edits.snap(face, prediction, chosen, title, who)

        self._change(edit, "Nothing to put back: select landmarks that are not where the model predicts them")

    # -- placing by clicks

    @property
    def placing(self) -> bool:
        return self._canvas.picture is not None

    def place(self, on: bool) -> None:
        """Begin or end to place landmarks by clicks, in anatomical order; what is placed stays either way."""
        if on == self.placing:
            return
        if not on:
            self._canvas.show_picture(None)
        elif self._session is not None and self._editor.shown()[0] is not None:
            self._canvas.select_group(frozenset())
            self._canvas.show_picture(Picture(self._session.scheme, self._mean_shape(self._session)))
            self._select_next(None)
            self._canvas.setFocus()
        self._placing_changed(self.placing)

    def _mean_shape(self, session: Session) -> FloatArray | None:
        """Of the scheme, as shipped; else of this project's labels; ``None`` while there are none."""
        from scaf_gui.session.shape import shipped

        known = shipped(session.scheme)
        if known is not None:
            return known[0]
        labels = [face.label for face in session.document if face.label is not None]
        whole = [label.points for label in labels if (label.flags != Flag.MISSING).all()]
        return mean_shape(np.stack(whole)) if whole else None

    def _select_next(self, after: int | None) -> None:
        if self._session is None:
            return
        face = self._editor.shown()[0]
        landmark = point_edits.to_place(face, self._session.scheme.walk, after)
        self._canvas.select(landmark)
        if landmark is None:
            self.place(False)
            self._say("Every landmark is placed or skipped")

    def face_shown(self) -> None:
        """Another face may be on the canvas: placing goes on with its first landmark."""
        if self.placing and self._canvas.selected is None and not self._canvas.is_busy:
            if self._editor.shown()[0] is None:
                self.place(False)
            else:
                self._select_next(None)

    def go_on(self, landmark: int) -> None:
        """A landmark was put somewhere: on to the next one while a face is placed from nothing."""
        if self.placing:
            self._select_next(landmark)
            return
        face, session = self._editor.shown()[0], self._session
        label = face.label if face is not None else None
        if session is None or label is None or label.based_on:
            return
        if ((label.flags == Flag.MISSING) & ~label.placed).any():
            self._canvas.select(point_edits.to_place(face, session.scheme.walk, landmark))

    def take_back(self) -> None:
        """While placing: the last one; else as :meth:`snap`."""
        if not self.placing or self._session is None:
            self.snap()
            return
        face = self._editor.shown()[0]
        last = point_edits.last_placed(face, self._session.scheme.walk, self._canvas.selected)
        if last is None:
            self._say("Nothing is placed yet")
            return

        def edit(face: Face, prediction: Prediction | None, scheme: Scheme, who: str) -> Edit | None:
            return point_edits.take_back(face, prediction, last, scheme, who)

        if self._change(edit):
            self._canvas.select(last)

    def missing(self, mark: Callable[..., object], *given: Any) -> None:
        """While placing: the next landmark is missing, go on; else mark the selected one."""
        landmark = self._canvas.selected
        if not self.placing or landmark is None:
            mark(*given)
            return

        def edit(face: Face, prediction: Prediction | None, scheme: Scheme, who: str) -> Edit:
            return point_edits.skip_landmark(face, prediction, landmark, scheme, who)

        if self._change(edit):
            self._select_next(landmark)
