"""What to do next: the queue, the current face, and where both are kept in the project file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from scaf_gui.core.document import Changed, Document
from scaf_gui.core.face import State
from scaf_gui.core.queue import ONE_IN, Place, Queue, Ranking, draw, rank, shuffled

if TYPE_CHECKING:
    from scaf_gui.io.store import ProjectStore

#: states of faces that wait for a person
WAITING = (State.UNLABELLED, State.STARTED)
#: how many faces behind the current one background work does first
AHEAD = 8


class Agenda:
    """Queue and current face; every new order is written to the project file at once.

    ``on_change`` is called when the queue has been replaced, ``on_ahead`` when the faces that come next may be others.
    """

    def __init__(self, document: Document, store: ProjectStore):
        self._document = document
        self._store = store
        self.on_change: Callable[[], None] | None = None
        self.on_ahead: Callable[[], None] | None = None
        self.seed = int(store.get("seed", 0))
        self.acquisition = str(store.get("acquisition", "nnm"))
        self.discard = float(store.get("discard", 0.1))
        self.ranked_by = ""
        #: faces labelled since the last one that was drawn at random
        self.since_drawn = 0
        self._labelled = {face.id for face in document.with_state(State.LABELLED)}
        #: where faces stood that were taken out: undo puts them back there
        self._places: dict[int, Place] = {}
        #: predictions that have come since the order was made
        self.unmerged = 0
        self.queue = self._restored(store.get("queue", None))
        current = store.get("current", None)
        self._current: int | None = current if current in document else None
        if self._current is None:
            self._current = self.queue.after(None, self.waiting())
        self.ahead: tuple[int, ...] = ()
        self._look_ahead()

    def _restored(self, saved: Any) -> Queue:
        """The saved order, completed by faces it does not know; else the seeded random one."""
        if not isinstance(saved, dict) or not saved.get("order"):
            return Queue(shuffled((face.id for face in self._document), self.seed).order)
        self.ranked_by = str(saved.get("ranked_by", ""))
        scores = {int(face): float(score) for face, score in saved.get("scores", [])}
        known = [face for face in saved["order"] if face in self._document]
        self.since_drawn = int(saved.get("since_drawn", 0))
        aside = frozenset(saved.get("set_aside", ())) & set(known)
        queue = Queue(tuple(known), aside, scores or None, frozenset(saved.get("drawn", ())))
        return queue.with_added(self.waiting())

    @property
    def current(self) -> int | None:
        return self._current

    @current.setter
    def current(self, face_id: int | None) -> None:
        self._current = face_id if face_id is not None and face_id in self._document else None
        self._look_ahead()

    def waiting(self) -> list[int]:
        """Ids of the faces that wait for a person, in document order."""
        return [face.id for face in self._document.with_state(*WAITING)]

    def at_random(self, face_id: int) -> bool:
        """Whether chance alone put the face where it is: drawn at random, or in an order that is random as a whole."""
        return self.ranked_by in ("", "random") or face_id in self.queue.drawn

    def next_face(self, after: int | None = None) -> int | None:
        return self.queue.after(self._current if after is None else after, self.waiting())

    def upcoming(self, count: int) -> list[int]:
        """The next ``count`` waiting faces of the queue from its top, those set aside last."""
        waits = set(self.waiting())
        return [face for face in self.queue.order if face in waits][:count]

    def reorder(self, ranking: Ranking, scores: dict[int, float], ranked_by: str, *, keep: bool = True) -> None:
        """Take a new order; the current face and the next one keep their places (unless ``keep`` is off).

        Every tenth place goes to a face drawn at random, but in an order that is random anyway.
        """
        waits = set(self.waiting())
        drawn = () if ranked_by == "random" else draw(waits, self.queue.drawn, self.seed)
        held = [face for face in (self._current, self.next_face()) if face is not None] if keep else []
        gone = [face for face in self.queue.order if face not in waits and face not in held]
        self.queue = self.queue.without(gone).reordered(ranking, scores, held, drawn, self.since_drawn)
        self.ranked_by = ranked_by
        self.unmerged = 0
        self._look_ahead()
        self.save()
        if self.on_change is not None:
            self.on_change()

    def reorder_by_scores(self, model_id: str, *, keep: bool = True) -> int:
        """Rank the waiting faces that the model has scored; returns how many those are."""
        scores: dict[int, float] = {}
        for face_id in self.waiting():
            prediction = self._document.prediction(face_id)
            if prediction is not None and prediction.model_id == model_id and self.acquisition in prediction.scores:
                scores[face_id] = prediction.scores[self.acquisition]
        if scores:
            self.reorder(rank(scores, self.discard), scores, self.acquisition, keep=keep)
        return len(scores)

    def shuffle(self, seed: int | None = None, *, keep: bool = True) -> None:
        """A seeded random order; by default the project's seed."""
        self.reorder(shuffled(self.waiting(), self.seed if seed is None else seed), {}, "random", keep=keep)

    def document_changed(self, changed: Changed) -> None:
        """Let new faces, and faces that wait again, into the queue; drop removed ones."""
        if changed.part != "face":
            return
        self._count(changed.face_ids)
        gone = [face for face in changed.face_ids if face not in self._document]
        new = [f for f in changed.face_ids if f in self._document and self._document.face(f).state in WAITING]
        self._places |= self.queue.places(gone) if gone else {}
        queue = self.queue.without(gone) if gone else self.queue
        for face in [face for face in self._places if face in new]:
            queue = queue.put_back(face, self._places.pop(face))
        known = set(queue.order)
        if any(face not in known for face in new):
            queue = queue.with_added(new)
        replaced = queue is not self.queue
        self.queue = queue
        if self._current in gone:
            self._current = self.next_face()
        self._look_ahead()
        # not saved here: faces that are not in the saved order join its end when it is read
        if replaced and self.on_change is not None:
            self.on_change()

    def _count(self, face_ids: Iterable[int]) -> None:
        """Follow how many faces have been labelled since the last drawn one; undo counts back."""
        for face_id in face_ids:
            labelled = face_id in self._document and self._document.face(face_id).state is State.LABELLED
            if labelled == (face_id in self._labelled):
                continue
            self._labelled ^= {face_id}
            if labelled:
                self.since_drawn = 0 if self.at_random(face_id) else min(ONE_IN, self.since_drawn + 1)
            else:
                self.since_drawn = max(0, self.since_drawn - 1)

    def save(self) -> None:
        """Write order, scores and the current face to the project file."""
        scores = self.queue.scores or {}
        self._store.set(
            "queue",
            {
                "order": list(self.queue.order),
                "set_aside": sorted(self.queue.set_aside),
                "scores": [[face, score] for face, score in scores.items()],
                "ranked_by": self.ranked_by,
                "drawn": sorted(self.queue.drawn),
                "since_drawn": self.since_drawn,
            },
        )
        self._store.set("acquisition", self.acquisition)
        self._store.set("discard", self.discard)
        self._store.set("current", self._current)

    def _look_ahead(self) -> None:
        """Refresh the tuple that workers poll: replaced as a whole, so no lock is needed."""
        self.ahead = tuple(self._successors())
        if self.on_ahead is not None:
            self.on_ahead()

    def _successors(self) -> Iterable[int]:
        if self._current is not None:
            yield self._current
        order = self.queue.order
        start = order.index(self._current) + 1 if self._current in order else 0
        found = 0
        for face in order[start:] + order[:start]:
            if found == AHEAD:
                return
            if face != self._current and face in self._document and self._document.face(face).state in WAITING:
                found += 1
                yield face
