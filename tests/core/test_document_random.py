"""Any sequence of edits, undos and machine finds: nothing is lost, and undo leads back to the start."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from scaf_gui.core import edits
from scaf_gui.core.document import Changed, Document
from scaf_gui.core.edits import Change, Edit
from scaf_gui.core.face import ATTRIBUTES, Box, BoxSource, Face, Flag, Prediction
from scaf_gui.core.history import Step
from scaf_gui.core.scheme import parse_scheme

SCHEME = parse_scheme({"id": "three", "landmarks": ["a", "b", "c"]})
COUNT = 4
faces = st.integers(0, 20)
numbers = st.integers(-50, 50).map(float)
boxes = st.builds(Box, numbers, numbers, st.sampled_from([5.0, 8.0]), st.just(6.0), st.just(BoxSource.DETECTOR))


def of_people(states: dict[int, Face]) -> dict[int, Face]:
    """What people did: boxes may be a detector's, images may have moved."""
    return {i: replace(face, box=None, image="") for i, face in states.items()}


class Work(RuleBasedStateMachine):
    """A person, a detector and a model at work on one document, beside a plain list of past states."""

    def __init__(self) -> None:
        super().__init__()
        start = [Face(i, f"{i}.jpg", Box(0, 0, 10, 10, BoxSource.DETECTOR)) for i in range(1, COUNT + 1)]
        self.stored = {face.id: face for face in start}
        self.document = Document(SCHEME, start, self._store)
        self.heard: list[Changed] = []
        self.document.subscribe(self.heard.append)
        # what a person could undo to and redo to: states after each edit, and how many are undone
        self.past = [self._now()]
        self.at = 0

    def _store(self, edit: Edit, step: Step) -> None:
        """A store that trusts nobody: it keeps its own copy and checks what it is told."""
        for change in edit.changes:
            assert self.stored.get(change.face_id) == change.before
            if change.after is None:
                del self.stored[change.face_id]
            else:
                self.stored[change.face_id] = copy.deepcopy(change.after)

    def _now(self) -> dict[int, Face]:
        return {face.id: face for face in self.document}

    def _pick(self, number: int) -> Face | None:
        there = list(self.document)
        return there[number % len(there)] if there else None

    def _edit(self, edit: Edit | None) -> None:
        if edit is None:
            return
        heard = len(self.heard)
        self.document.apply(edit, by=self)
        assert self.heard[heard:] == [Changed(edit.face_ids, "face", self)]
        del self.past[self.at + 1 :]
        self.past.append(self._now())
        self.at += 1

    @rule(number=faces, landmark=st.integers(0, 2), x=numbers, y=numbers)
    def drag(self, number: int, landmark: int, x: float, y: float) -> None:
        if face := self._pick(number):
            self._edit(edits.move_landmark(face, self.document.prediction(face.id), landmark, x, y, "ann"))

    @rule(number=faces, landmark=st.integers(0, 2), flag=st.sampled_from(Flag))
    def mark(self, number: int, landmark: int, flag: Flag) -> None:
        if face := self._pick(number):
            self._edit(edits.flag_landmark(face, self.document.prediction(face.id), landmark, flag, "ann"))

    @rule(number=faces)
    def accept(self, number: int) -> None:
        if face := self._pick(number):
            self._edit(edits.accept(face, self.document.prediction(face.id), "ann"))

    @rule(number=faces, attribute=st.integers(0, 5))
    def tick(self, number: int, attribute: int) -> None:
        if face := self._pick(number):
            self._edit(edits.toggle_attribute(face, attribute, ATTRIBUTES[attribute]))

    @rule(number=faces)
    def skip(self, number: int) -> None:
        if face := self._pick(number):
            self._edit(edits.skip(face))

    @rule(number=faces)
    def reset(self, number: int) -> None:
        if face := self._pick(number):
            self._edit(edits.reset_to_prediction(face))

    @rule(number=faces, box=boxes)
    def draw_box(self, number: int, box: Box) -> None:
        if face := self._pick(number):
            self._edit(edits.set_box(face, replace(box, source=BoxSource.DRAWN)))

    @rule(number=faces)
    def remove(self, number: int) -> None:
        if face := self._pick(number):
            self._edit(Edit("Remove face", (Change(face, None),)))

    @rule(box=boxes)
    def add(self, box: Box) -> None:
        self._edit(Edit("Add face", (Change(None, Face(self.document.next_id(), "new.jpg", box)),)))

    @precondition(lambda self: self.at > 0)
    @rule()
    def undo(self) -> None:
        assert self.document.undo(by=self) is not None
        self.at -= 1

    @precondition(lambda self: self.at < len(self.past) - 1)
    @rule()
    def redo(self) -> None:
        assert self.document.redo(by=self) is not None
        self.at += 1

    @rule(number=faces, box=boxes)
    def detect(self, number: int, box: Box) -> None:
        """A detector's box is no step of undo: it holds in the past and in the future as well."""
        face = self._pick(number)
        if face is None:
            return
        self.document.take_in(edits.set_box(face, box, "Detect"), by="detector")

    @rule(number=faces, folder=st.sampled_from(["a", "b"]))
    def follow(self, number: int, folder: str) -> None:
        if face := self._pick(number):
            moved = replace(face, image=f"{folder}/{face.image[-5:]}")
            self.document.take_in(Edit("Follow image", (Change(face, moved),)), by="images")

    @rule(box=boxes)
    def find(self, box: Box) -> None:
        face = Face(self.document.next_id(), "found.jpg", box)
        assert all(face.id not in state for state in self.past)
        self.document.take_in(Edit("Find", (Change(None, face),)), by="detector")
        self.past = [state | {face.id: face} for state in self.past]

    @rule(number=faces, value=numbers)
    def predict(self, number: int, value: float) -> None:
        if face := self._pick(number):
            before = self._now()
            self.document.set_predictions({face.id: Prediction(np.full((3, 2), value), np.ones(3), "m")})
            assert self._now() == before

    @invariant()
    def the_store_has_what_is_shown(self) -> None:
        assert self.stored == self._now()

    @invariant()
    def what_people_did_is_where_history_says(self) -> None:
        assert of_people(self._now()) == of_people(self.past[self.at])

    def teardown(self) -> None:
        latest = self._now()
        undone = 0
        while self.document.undo() is not None:
            undone += 1
            self.the_store_has_what_is_shown()
        assert undone == self.at
        assert of_people(self._now()) == of_people(self.past[0])
        for _ in range(undone):
            self.document.redo()
        assert self._now() == latest
        while self.document.redo() is not None:
            pass
        assert of_people(self._now()) == of_people(self.past[-1])
        assert self.stored == self._now()


TestWork = Work.TestCase
