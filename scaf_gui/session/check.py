"""The label check of an open project: what it looks at, what was found to be fine, and how a face was accepted."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from scaf_gui.core import check as rules
from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.check import RULES, Finding, Subject
from scaf_gui.core.document import Changed, Document
from scaf_gui.core.face import Face, Label, Prediction, State
from scaf_gui.core.foreseen import Foreseen
from scaf_gui.core.metrics import nme
from scaf_gui.core.typical import LEAST_FACES, Typical, reference_of, typical_of

if TYPE_CHECKING:
    from scaf_gui.io.store import ProjectStore

#: statistics are made of so many labelled faces at most, those of the lowest ids: the fit stays below half a second
MOST_FACES = 600
#: they are made anew once the labels have grown by this share
GROWTH = 0.1
#: faces that the mean shape is taken from while labels are few
FEW = 20


@dataclass(frozen=True)
class Alarm:
    """A finding of a face of the project; ``version`` is that of its landmarks."""

    face_id: int
    image: str
    finding: Finding
    version: str

    @property
    def title(self) -> str:
        return RULES[self.finding.rule].title


@dataclass(frozen=True, eq=False)
class Statistics:
    """What labels of the project have in common; ``members``: face ids in the order they entered."""

    typical: Typical | None = None
    reference: FloatArray | None = None
    members: tuple[int, ...] = ()
    labels: int = 0


class LabelCheck:
    """Main thread only, but for the bodies of generators.

    Follows the document: of a face accepted by one act it writes ``accepted/ID`` into the project file, with the
    seconds since :meth:`shown` and how far the label is from what was predicted.
    """

    def __init__(
        self,
        document: Document,
        store: ProjectStore,
        folder: Callable[[], Path],
        foreseen: Callable[[int], Foreseen | None],
    ):
        """:param foreseen: by face id, what was predicted of it, as far as a person may hear of that"""
        self._document, self._store, self._folder, self._foreseen = document, store, folder, foreseen
        self._fine: dict[str, str] = dict(store.get("check/fine", {}))
        self._accepted: dict[int, dict[str, Any]] = {int(k): v for k, v in store.below("accepted/").items()}
        self._looked_at: tuple[int, float] | None = None
        self._states = {face.id: face.state for face in document}
        self._statistics = Statistics()
        document.subscribe(self._document_changed)

    # -- what is known ---------------------------------------------------------------------------

    def shown(self, face_id: int | None, ready: bool) -> None:
        """A face is in front of a person, with its landmarks (``ready``) or still without; the clock starts then."""
        if face_id is None or not ready:
            self._looked_at = None
        elif self._looked_at is None or self._looked_at[0] != face_id:
            self._looked_at = face_id, monotonic()

    def accepted(self, face_id: int) -> dict[str, Any] | None:
        """How the face was accepted: ``seconds``, ``distance`` (% of the normaliser, may be ``None``), ``placed``."""
        return self._accepted.get(face_id)

    def _document_changed(self, changed: Changed) -> None:
        if changed.part != "face":
            return
        for face_id in changed.face_ids:
            face = self._document.face(face_id) if face_id in self._document else None
            before = self._states.pop(face_id, None)
            if face is None:
                continue
            self._states[face_id] = face.state
            accepted = face.state is State.LABELLED and before is not State.LABELLED and face.label is not None
            if accepted and len(changed.face_ids) == 1 and face.label is not None:
                self._remember(face_id, face.label)

    def _remember(self, face_id: int, label: Label) -> None:
        looked = self._looked_at
        if looked is None or looked[0] != face_id:
            return  # imported, or accepted by the command line: nobody looked at it here
        prediction, scheme = self._document.shown(face_id), self._document.scheme
        points = rules.subject_of(label, scheme).points
        distance = nme(prediction.points, points, scheme) if prediction is not None else None
        record = {
            "seconds": round(monotonic() - looked[1], 2),
            "version": rules.version(points, label.flags),
            "placed": int(label.placed.sum()),
            "model": label.based_on,
            "distance": None if distance is None or not np.isfinite(distance) else round(distance, 3),
        }
        self._store.set(f"accepted/{face_id}", record)
        self._accepted[face_id] = record

    # -- fine as it is ---------------------------------------------------------------------------

    def is_fine(self, alarm: Alarm) -> bool:
        return self._fine.get(f"{alarm.face_id}/{alarm.finding.rule}") == alarm.version

    def set_fine(self, alarm: Alarm, fine: bool = True) -> None:
        """Say that a finding is fine as it is, for as long as the landmarks stay as they are; or take that back."""
        key = f"{alarm.face_id}/{alarm.finding.rule}"
        if fine:
            self._fine[key] = alarm.version
        else:
            self._fine.pop(key, None)
        self._store.set("check/fine", self._fine)

    # -- checking --------------------------------------------------------------------------------

    def face(self, face: Face | None, prediction: Prediction | None, size: tuple[int, int] | None) -> list[Alarm]:
        """Findings of one face as it is shown, label or prediction, less those that are fine as they are.

        With statistics as of the last :meth:`project`, so that it takes milliseconds.
        """
        subject = self._subject(face, prediction, self._statistics)
        if face is None or subject is None:
            return []
        return [a for a in _alarms(face, replace(subject, size=size)) if not self.is_fine(a)]

    def due(self) -> bool:
        """Whether so many labels have come that statistics should be made anew."""
        labels = len(self._document.with_state(State.LABELLED))
        return labels >= LEAST_FACES and labels >= (1 + GROWTH) * self._statistics.labels

    def statistics(self) -> Generator[None, None, Statistics]:
        """Statistics of the labels as they are now, for a worker; hand the result to :meth:`use`."""
        labelled = self._document.with_state(State.LABELLED)
        shapes = {
            face.id: rules.subject_of(face.label, self._document.scheme).points
            for face in labelled[:MOST_FACES]
            if face.label is not None
        }
        few = list(shapes.values())[:FEW]
        if len(few) < FEW:
            predicted = (self._document.shown(face.id) for face in list(self._document)[: 5 * FEW])
            few += [p.points for p in predicted if p is not None][: FEW - len(few)]
        return self._make(shapes, few, len(labelled))

    def _make(
        self, shapes: dict[int, FloatArray], few: Sequence[FloatArray], labels: int
    ) -> Generator[None, None, Statistics]:
        yield
        scheme = self._document.scheme
        return Statistics(typical_of(list(shapes.values()), scheme), reference_of(few, scheme), tuple(shapes), labels)

    def use(self, statistics: Statistics) -> None:
        self._statistics = statistics

    def project(self) -> Generator[tuple[int, int], None, tuple[list[Alarm], Statistics]]:
        """Check every labelled face: yields (faces done, faces); returns the findings, fine ones too, and statistics.

        Call on the main thread; the body touches nothing of the session and may run on a worker.
        """
        faces = self._document.with_state(State.LABELLED)
        jobs = [(face, self._subject(face, None, Statistics())) for face in faces]
        return _project(self.statistics(), jobs, self._folder())

    def _subject(self, face: Face | None, prediction: Prediction | None, statistics: Statistics) -> Subject | None:
        if face is None:
            return None
        scheme = self._document.scheme
        if face.label is not None:
            subject = rules.subject_of(face.label, scheme)
            record = self._accepted.get(face.id)
            untouched = bool(face.label.based_on) and not face.label.placed.any() and face.state is State.LABELLED
            if record is not None and untouched and record["version"] == rules.version(subject.points, subject.flags):
                subject = replace(subject, seconds=float(record["seconds"]))
            if face.label.placed.any():
                accepted = face.state is State.LABELLED
                subject = replace(subject, accepted=accepted, foreseen=self._foreseen(face.id))
        elif prediction is not None:
            subject = Subject(scheme, prediction.points, np.zeros(scheme.num_landmarks, np.uint8))
        else:
            return None
        return _with(subject, face.id, statistics)


def _with(subject: Subject, face_id: int, statistics: Statistics) -> Subject:
    member = statistics.members.index(face_id) if face_id in statistics.members else None
    return replace(subject, typical=statistics.typical, reference=statistics.reference, member=member)


def _alarms(face: Face, subject: Subject) -> list[Alarm]:
    version = rules.version(subject.points, subject.flags)
    return [Alarm(face.id, face.image, finding, version) for finding in rules.check(subject)]


def _project(
    making: Generator[None, None, Statistics], jobs: list[tuple[Face, Subject | None]], folder: Path
) -> Generator[tuple[int, int], None, tuple[list[Alarm], Statistics]]:
    yield 0, len(jobs)
    statistics = yield from _silently(making, len(jobs))
    place = {face_id: number for number, face_id in enumerate(statistics.members)}
    alarms: list[Alarm] = []
    for number, (face, subject) in enumerate(jobs, start=1):
        if subject is not None:
            member = place.get(face.id)
            typical, reference = statistics.typical, statistics.reference
            size = image_size(folder / face.image)
            alarms += _alarms(face, replace(subject, size=size, typical=typical, reference=reference, member=member))
        if number % 20 == 0 or number == len(jobs):
            yield number, len(jobs)
    return alarms, statistics


def _silently(making: Generator[None, None, Statistics], total: int) -> Generator[tuple[int, int], None, Statistics]:
    while True:
        try:
            next(making)
            yield 0, total
        except StopIteration as end:
            statistics: Statistics = end.value
            return statistics


def image_size(path: Path) -> tuple[int, int] | None:
    """(width, height) of an upright image from its file's header; ``None`` where it cannot be read."""
    from scaf_gui.io.headers import HeaderError, read_header

    try:
        with path.open("rb") as file:
            return read_header(file).size
    except (OSError, HeaderError):
        return None
