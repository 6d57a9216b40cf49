"""Expected errors of an open project: remembers calibration faces, keeps the calibration, says how far it is.

A calibration face is one that chance alone put where it is in the queue, and that a person has accepted. What the
model said of it *before* it could learn from it is written to the project file at that moment; what it got
wrong is looked up in the label each time, so later corrections and undo count.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scaf_gui import paths
from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.calibration import (
    ACROSS,
    TOLERANCE,
    Calibration,
    Evidence,
    Signal,
    calibrate,
    inside_curves,
    perfect_magnitude,
    without_offsets,
)
from scaf_gui.core.document import Changed, Document
from scaf_gui.core.face import Flag, Prediction, State
from scaf_gui.core.finish import FinishLine, Gain, Judged, learning_curve, wilson
from scaf_gui.core.foreseen import Foreseen
from scaf_gui.core.metrics import landmark_errors
from scaf_gui.core.shape import ShapeModel
from scaf_gui.session import models

if TYPE_CHECKING:
    from scaf_gui.io.store import ProjectStore
    from scaf_gui.session.agenda import Agenda
    from scaf_gui.session.workload import Workload

#: a calibration face of the model before the one in use counts so much, of the one before that its square
AGEING = 0.25
#: nothing is said of shares with fewer calibration faces (weighted) than this
LEAST_FACES = 5.0
#: so many faces, or up to twice as many, stand for all that wait in the finish line
SAMPLE = 400
#: the calibration faces accepted last count: a fit takes about 5 ms for twenty of them
MOST_FACES = 60
#: the share of good faces is worked out from all predictions and varies less than half as much as one counted
#: among the calibration faces alone (measured: see docs/decisions.md): each of them is worth this many counted ones
WORTH = 2.0


class Expected:
    """Main thread only. ``on_change`` is called when the calibration has changed: every expected error has."""

    def __init__(self, document: Document, store: ProjectStore, agenda: Agenda, work: Workload, companions: Path):
        self._document, self._store, self._agenda, self._work = document, store, agenda, work
        self._history = partial(models.history, store, companions)
        self._scheme = document.scheme
        self._records: dict[int, dict[str, Any]] = {}
        for face_id in store.get("calibration", []):
            record = store.get(f"calibration/{face_id}")
            if record is not None:
                self._records[face_id] = record
        self._inner = inside_curves(self._scheme)
        self._perfect: dict[str, float | None] = {}
        self._known: dict[int, tuple[Prediction, float]] = {}
        self._fitted: tuple[str, Calibration] | None = None
        self._behind = False  # labels have come that it does not know
        self._shipped = shipped(self._scheme.id, self._scheme.num_landmarks)
        self.on_change: Callable[[], None] | None = None
        #: where somebody has set it, the calibration is not fitted anew whenever it is asked for after a new label
        #: (tens of milliseconds), but stays until :meth:`catch_up`, which this asks for
        self.later: Callable[[], object] | None = None
        document.subscribe(self._document_changed)

    # -- expected errors -------------------------------------------------------------------------

    def face(self, face_id: int) -> float | None:
        """Expected mean error in % of the face's shown prediction; ``None`` where there is none."""
        prediction = self._document.prediction(face_id)
        if prediction is None:
            return None
        calibration, known = self.calibration, self._known.get(face_id)
        if known is not None and known[0] is prediction:
            return known[1]
        signal = self._signal(prediction)
        if signal is None:
            return None
        value = calibration.face(signal)
        self._known[face_id] = prediction, value
        return value

    def landmarks(self, prediction: Prediction | None) -> FloatArray | None:
        """(num_landmarks,) expected errors in %, plain distances."""
        signal = self._signal(prediction) if prediction is not None else None
        return None if signal is None else self.calibration.landmarks(signal)

    def across(self, prediction: Prediction | None) -> FloatArray | None:
        """As :meth:`landmarks`, but across the curve for landmarks inside one: what a drag has to mend."""
        expected = self.landmarks(prediction)
        if expected is None:
            return None
        return np.where(self._inner, ACROSS * expected, expected)

    def foreseen(self, prediction: Prediction | None, shape: ShapeModel | None) -> Foreseen | None:
        """What the label check may hold against a person; ``None`` where too little is known of the prediction."""
        signal = self._signal(prediction) if prediction is not None else None
        if prediction is None or signal is None or shape is None:
            return None
        return Foreseen(prediction.points, signal, self.calibration, shape)

    @property
    def calibration(self) -> Calibration:
        """Of the model in use: the shipped one, moved by the project's calibration faces."""
        model = self._work.model.id if self._work.model is not None else ""
        if self._fitted is None or self._fitted[0] != model:
            self._known.clear()
            self._fitted = model, calibrate(self._evidence(model), self._shipped)
        return self._fitted[1]

    def _signal(self, prediction: Prediction) -> Signal | None:
        perfect = self._perfect_of(prediction.model_id)
        if perfect is None:
            return None
        peak = prediction.scores.get("peak")
        return Signal(prediction.magnitude / perfect, None if peak is None else -peak)

    def _perfect_of(self, model_id: str) -> float | None:
        """Magnitude of a perfect heatmap of a model, from its file; ``None`` where that is gone."""
        if model_id not in self._perfect:
            known = [self._work.model] if self._work.model is not None else []
            path = next((m.path for m in (*known, *self._history()) if m.id == model_id), None)
            try:
                meta = models.metadata(Path(path)) if path is not None else {}
                found: float | None = perfect_magnitude(float(meta["sigma"]), int(meta["nnm_window"]))
            except (OSError, ValueError, KeyError, TypeError):
                found = None
            self._perfect[model_id] = found
        return self._perfect[model_id]

    # -- calibration faces -----------------------------------------------------------------------

    @property
    def faces(self) -> tuple[int, ...]:
        """Ids of the calibration faces whose label stands."""
        return tuple(face_id for face_id in self._records if self._label_of(face_id) is not None)

    def _label_of(self, face_id: int) -> Any:
        face = self._document.face(face_id) if face_id in self._document else None
        return face.label if face is not None and face.state is State.LABELLED else None

    def _evidence(self, model_id: str) -> list[Evidence]:
        order = [model.id for model in self._history()]

        def age(of: str) -> int:
            if of == model_id:
                return 0
            now = order.index(model_id) if model_id in order else -1  # the starter comes before all
            then = order.index(of) if of in order else -1
            return max(1, abs(now - then))

        return [
            evidence
            for face_id, record in list(self._records.items())[-MOST_FACES:]
            if (evidence := self._evidence_of(face_id, record, AGEING ** age(record["model"]))) is not None
        ]

    def _evidence_of(self, face_id: int, record: dict[str, Any], weight: float) -> Evidence | None:
        label = self._label_of(face_id)
        if label is None or len(record["points"]) != label.num_landmarks:
            return None
        truth = np.where((label.flags == Flag.MISSING)[:, None], np.nan, label.points)
        if not np.isfinite(truth).any():
            return None
        errors = landmark_errors(np.asarray(record["points"], dtype=np.float64), truth, self._scheme)
        # Taken over, it may still be off by what a person lets pass. Far from what is recorded it was taken
        # over from another prediction, and the distance is a measurement.
        placed = label.placed | ~(errors <= np.where(self._inner, TOLERANCE / ACROSS, TOLERANCE))
        signal = Signal(np.asarray(record["strength"], dtype=np.float64), record["peak"])
        return Evidence(signal, errors, placed, self._inner, weight)

    def _document_changed(self, changed: Changed) -> None:
        if changed.part != "face":
            return
        touched = False
        for face_id in changed.face_ids:
            self._known.pop(face_id, None)
            touched |= face_id in self._records
        if len(changed.face_ids) == 1:  # labels that come by the hundred were chosen by somebody, not by chance
            touched |= self._record(changed.face_ids[0])
        if touched and self.later is not None and self._fitted is not None:
            self._behind = True
            self.later()
        elif touched:
            self._fit_anew()

    def catch_up(self) -> None:
        """Let what was labelled since count, where that was put off."""
        if self._behind:
            self._fit_anew()

    def _fit_anew(self) -> None:
        self._behind, self._fitted = False, None
        if self.on_change is not None:
            self.on_change()

    def _record(self, face_id: int) -> bool:
        """Remember what was predicted of a face that has just been accepted; whether it was."""
        prediction = self._document.shown(face_id)
        if face_id in self._records or prediction is None or self._label_of(face_id) is None:
            return False
        model = self._work.model
        if model is not None and face_id in model.trained_on:
            return False
        signal = self._signal(prediction) if self._agenda.at_random(face_id) else None
        if signal is None:
            return False
        record = {
            "model": prediction.model_id,
            "points": prediction.points.round(2).tolist(),
            "strength": signal.strength.round(4).tolist(),
            "peak": signal.peak,
        }
        self._store.set(f"calibration/{face_id}", record)
        self._store.set("calibration", [*self._records, face_id])
        self._records[face_id] = record
        return True

    # -- the finish line -------------------------------------------------------------------------

    def finish(self) -> FinishLine | None:
        """How far the project is; ``None`` while no waiting face is predicted by the model in use."""
        model = self._work.model
        if model is None:
            return None
        unseen = [face_id for face_id in self._agenda.waiting() if self._is_of(face_id, model.id)]
        step = max(1, len(self._document) // SAMPLE)  # the same ones each time: most are worked out already
        sample = [face_id for face_id in unseen if face_id % step == 0] if len(unseen) > SAMPLE else unseen
        expected = [self.face(face_id) for face_id in sample]
        values = np.array([value for value in expected if value is not None])
        if not len(values):
            return None
        calibration = self.calibration
        line = partial(FinishLine, len(unseen), float(values.mean()), TOLERANCE, len(self.faces))
        if calibration.faces < LEAST_FACES:
            return line(lacking=math.ceil(LEAST_FACES - calibration.faces))
        share = float(calibration.within(values).mean())
        low, high = wilson(share, WORTH * calibration.faces)
        return line(share, low, high, self._gain(calibration, values))

    def _is_of(self, face_id: int, model_id: str) -> bool:
        prediction = self._document.prediction(face_id)
        return prediction is not None and prediction.model_id == model_id

    def _gain(self, calibration: Calibration, values: FloatArray) -> Gain | None:
        judged = [Judged(len(m.trained_on), m.error, m.judged_on) for m in self._history() if m.error is not None]
        curve = learning_curve(judged, calibration.spread)
        if curve is None:
            return None
        more = int(min(100, max(10, round(curve.labels, -1))))
        then = values * curve.factor(more)
        return Gain(more, float(then.mean()), float(calibration.within(then).mean()))


def shipped(scheme_id: str, num_landmarks: int) -> Calibration:
    """The calibration that a project starts from, fitted to the shipped starter; for other schemes less its offsets."""
    by_scheme = json.loads((paths.resource_folder() / "calibration.json").read_text(encoding="utf-8"))
    if scheme_id in by_scheme:
        return Calibration.from_json({**by_scheme[scheme_id], "faces": 0})
    return without_offsets(Calibration.from_json({**next(iter(by_scheme.values())), "faces": 0}), num_landmarks)


def spoken(line: FinishLine | None) -> Iterable[str]:
    """The finish line in sentences, for window and command line."""
    if line is None:
        return
    faces = f"{line.unseen:,} unseen face{'s' if line.unseen != 1 else ''}"
    if line.share is None or line.low is None or line.high is None:
        yield f"{faces}: about {line.expected:.1f} % off"
        more = f"{line.lacking} more accepted face{'s' if line.lacking != 1 else ''}"
        yield f"{more} drawn at random will tell how many are good already."
        return
    yield f"{_percent(line.share)} of {faces} {'is' if line.unseen == 1 else 'are'} within {line.percent:.0f} %"
    yield f"Likely {_percent(line.low)[:-2]} to {_percent(line.high)}, from {line.calibrated} faces drawn at random."
    if line.gain is not None:
        yield f"{line.gain.labels} more labels would make it about {_percent(line.gain.share)}."


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
