"""What the model thinks of the face on the canvas: confidence, heatmaps, and the face as its auto-encoder paints it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from PySide6.QtCore import QObject, QTimer

from scaf_gui.core.arrays import BoolArray, FloatArray
from scaf_gui.core.face import Face, Prediction, State
from scaf_gui.gui.background import politely
from scaf_gui.gui.canvas.legend import Legend, Row, error_row, heat_row
from scaf_gui.gui.doubt_walk import DoubtWalk
from scaf_gui.gui.messages import describe
from scaf_gui.gui.navigator import Navigator
from scaf_gui.gui.worker import Worker
from scaf_gui.gui.workspace import Workspace
from scaf_gui.session.heatmaps import PainterDoor, Sight, SightJob, look, sight_job
from scaf_gui.session.session import Session
from scaf_gui.settings import Settings

#: a face must stay on the canvas so long before its heatmaps are worked out: nobody waits for those he passes by
REST_MS = 120
#: which heatmaps are shown; the key goes from each to the next
MODES = ("", "selected", "all")
_LONGEST = 60


class Insight(QObject):
    """Asks for what is wanted of the face on the canvas, once it is wanted, and forgets it with the face."""

    def __init__(
        self,
        workspace: Workspace,
        navigator: Navigator,
        settings: Settings,
        say: Callable[[str], object],
        parent: QObject,
    ):
        super().__init__(parent)
        self._canvas, self._panel = workspace.canvas, workspace.reconstruction
        self._navigator, self._settings, self._say = navigator, settings, say
        self.doubts = DoubtWalk(workspace.canvas, navigator, workspace.face_bar, say, self)
        self.legend = Legend(workspace.canvas)
        workspace.canvas.confidence = bool(settings["confidence"])
        self.mode = ""
        self._session: Session | None = None
        self._painters = PainterDoor()
        self._sight: Sight | None = None
        self._failed: tuple[SightJob, str] | None = None
        self._drawn: tuple[object, ...] = ()  # which map is on the canvas
        self._at: SightJob | None = None  # what the worker is at
        self.worker = Worker(self)
        self.worker.yielded.connect(self._take)
        self.worker.failed.connect(self._fail)
        self.worker.finished.connect(self._finished)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._begin)
        self._soon = QTimer(self)  # a face is fitted into the view after it was shown
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._aside)
        navigator.shown.connect(lambda *_: self.refresh())
        self._canvas.zoomChanged.connect(lambda _: self._aside())
        self._canvas.landmarkSelected.connect(lambda _: self._draw())
        self._canvas.groupSelected.connect(lambda _: self._draw())

    def open(self, session: Session | None) -> None:
        """Another project, or none: what was worked out is forgotten, and what runs ends unheard."""
        self._rest.stop()
        self.worker.cancel()
        self._session = session
        self.doubts.open(session)
        self._painters = PainterDoor()
        self._sight = self._failed = None
        self._draw()

    def handlers(self) -> dict[str, Callable[..., object]]:
        """By act id."""
        return {
            "confidence": self.colour,
            "heatmap": self.next_mode,
            "reconstruction": self.show_panel,
            **self.doubts.handlers(),
        }

    # -- what a person asks for

    def colour(self, on: bool) -> None:
        """Colour landmarks by how far they are expected to be off; remembered."""
        self._canvas.confidence = on
        if self._settings["confidence"] != on:
            self._settings["confidence"] = on
        self._draw()

    def next_mode(self) -> None:
        """The selected landmark's heatmap, all together, none."""
        self.mode = MODES[(MODES.index(self.mode) + 1) % len(MODES)]
        self._failed = None
        self._say({"": "Heatmap: off", "selected": "Heatmap: selected landmark", "all": "Heatmap: all"}[self.mode])
        self.refresh()

    def show_panel(self, on: bool) -> None:
        """Show the face as the auto-encoder paints it, beside the canvas."""
        self._failed = None
        self._panel.setVisible(on)
        self.refresh()

    # -- asking for it

    @property
    def _is_wanted(self) -> bool:
        return bool(self.mode) or not self._panel.isHidden()

    def _job(self) -> SightJob | None:
        face = self._navigator.on_canvas()[0]
        if self._session is None or (face is not None and self._session.blind.hides(face.id)):
            return None
        return sight_job(*self._navigator.on_canvas(), self._session.model)

    def _is_whole(self, job: SightJob) -> bool:
        """Whether all that is wanted of a face is there."""
        sight = self._sight
        if sight is None or sight.job != job:
            return False
        return self._panel.isHidden() or sight.painted is not None or bool(sight.remark)

    def refresh(self) -> None:
        """Show what is known of the face on the canvas, and ask for what is wanted and not known."""
        job = self._job()
        if self._sight is not None and self._sight.job != job:
            self._sight = None
        if self._is_wanted and job is not None and not self._is_whole(job):
            self._rest.start()
        self._draw()
        self._soon.start()

    def _begin(self) -> None:
        job, session = self._job(), self._session
        if session is None or job is None or not self._is_wanted or self._is_whole(job):
            return
        if self._failed is not None and self._failed[0] == job:
            return
        if self.worker.is_running:
            if self._at != job:
                self.worker.cancel()  # its end begins this one
            return
        self._at = job
        painters = None if self._panel.isHidden() else self._painters
        device = str(self._settings["device"])
        make = partial(look, job, session.scheme, session.read, session.predictors, painters, device)
        self.worker.start(lambda: politely(make()))

    def _take(self, sight: object) -> None:
        if isinstance(sight, Sight) and sight.job == self._job():
            self._sight = sight
            self._draw()

    def _fail(self, error: object) -> None:
        if self._at is not None and isinstance(error, BaseException):
            self._failed = self._at, describe(error)
        self._draw()

    def _finished(self) -> None:
        self._at = None
        self.refresh()

    # -- showing it

    def _draw(self) -> None:
        rows: list[Row] = []
        if self._canvas.confidence and self._canvas.has_doubt:
            rows.append(error_row())
        if self.mode and self._session is not None and self._navigator.current is not None:
            rows.append(self._draw_heat())
        else:
            self._show_map(())
        self.legend.show_rows(tuple(rows))
        self._aside()
        if not self._panel.isHidden():
            self._draw_panel()

    def _aside(self) -> None:
        if self.legend.rows:
            self.legend.avoid(self._canvas.screen_points())

    def _why_nothing(self) -> str:
        """What is said while there is no sight of the face."""
        job = self._job()
        if job is not None:
            failed = self._failed is not None and self._failed[0] == job
            return self._failed[1] if failed and self._failed is not None else "computing…"
        face = self._navigator.on_canvas()[0]
        if self._session is None or face is None:
            return ""
        if self._session.blind.hides(face.id):
            return "kept back for this face"
        return "no model yet" if self._session.model is None else "this face has no box"

    def _draw_heat(self) -> Row:
        """Draw the heatmap that is wanted; what the legend says of it."""
        sight = self._sight
        if sight is None:
            self._show_map(())
            return Row(f"Heatmap: {self._why_nothing()}"[:_LONGEST])
        if self.mode == "all":
            self._show_map((sight, ""))
            return heat_row("Heatmap: all landmarks")
        chosen = self._canvas.chosen()
        if len(chosen) != len(sight.maps) or not chosen.any():
            self._show_map(())
            return Row("Heatmap: select a landmark")
        self._show_map((sight, chosen.tobytes()), chosen)
        assert self._session is not None
        names = self._session.scheme.names
        several = int(chosen.sum())
        name = f"{several} landmarks" if several > 1 else names[int(np.flatnonzero(chosen)[0])].replace("_", " ")
        return heat_row(f"Heatmap: {name}"[:_LONGEST])

    def _show_map(self, key: tuple[object, ...], chosen: BoolArray | None = None) -> None:
        """Draw the largest of the heatmaps ``chosen``, or of all. :param key: what it depends on; (): no map"""
        if key == self._drawn:
            return
        self._drawn = key
        sight = self._sight
        if not key or sight is None:
            self._canvas.heat.show_map(None)
        else:
            maps = sight.maps if chosen is None else sight.maps[chosen]
            self._canvas.heat.show_map(maps.max(axis=0), sight.to_image)

    def _draw_panel(self) -> None:
        sight = self._sight
        if sight is None:
            text = self._why_nothing()
            self._panel.say(text[:1].upper() + text[1:])
            return
        points, human = self._landmarks(*self._navigator.on_canvas(), len(sight.maps))
        note = sight.remark or ("" if sight.painted is not None else "Painting…")
        if self._failed is not None and self._failed[0] == sight.job:
            note = self._failed[1]
        self._panel.show_face(sight.crop, sight.painted, sight.job.square, points, human, note)

    @staticmethod
    def _landmarks(face: Face | None, prediction: Prediction | None, count: int) -> tuple[FloatArray, BoolArray]:
        """Landmarks (num_landmarks, 2) as they are shown, image pixels, and which of them a person stands for."""
        label = face.label if face is not None else None
        if label is not None and face is not None:
            return label.points, label.placed | (face.state is State.LABELLED)
        points = prediction.points if prediction is not None else np.full((count, 2), np.nan)
        return points, np.zeros(len(points), dtype=np.bool_)
