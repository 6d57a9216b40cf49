"""The protocol: random labels first, then rounds of choosing, labelling and training again from the base."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

import numpy as np

from scaf_gui import __version__
from scaf_gui.core.metrics import Evaluation
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import TrainingError, UsageError
from scaf_gui.session.simulation.cells import RANDOM_WEIGHTS, Acquire, Cell
from scaf_gui.session.simulation.drags import begun, met
from scaf_gui.session.simulation.faces import FaceSet, TrueFace
from scaf_gui.session.simulation.results import Results
from scaf_gui.session.simulation.trainings import Job, Record, Said, Trainings, Working

if TYPE_CHECKING:
    from scaf_gui.learning.device import Device
    from scaf_gui.learning.pretrained import Autoencoder

#: seconds between looks at what other processes have finished
_PATIENCE = 2.0


@dataclass(frozen=True, eq=False)
class Setting:
    """The data of a simulation. ``bases``: auto-encoders by id; random weights need none."""

    scheme: Scheme
    boxes: str
    pool: FaceSet
    tests: tuple[FaceSet, ...]
    bases: Mapping[str, Autoencoder]


@dataclass(frozen=True)
class Finished:
    """A cell whose rows are in the file. ``rows``: those that this run has added."""

    cell: Cell
    rows: tuple[dict[str, object], ...]


@dataclass(frozen=True)
class Failed:
    """A cell whose training went astray: its rows stay missing, and so do those of the rounds that rest on it."""

    cell: Cell
    why: str


class Runner:
    """Does cells that have no row yet, each with what it rests on.

    :param keep_models: keep every model's file; else those of the first round alone, which other designs share
    """

    def __init__(
        self,
        setting: Setting,
        results: Results,
        work: Path,
        device: Device,
        scores: Sequence[str],
        keep_models: bool = False,
    ) -> None:
        self._setting, self._results = setting, results
        self._trainings = Trainings(work, device, scores)
        self._keep_models = keep_models
        self._chosen: dict[Cell, tuple[int, ...]] = {}
        self._leads_on: set[Cell] = set()
        self._failed: dict[Cell, str] = {}

    def lacking(self, cell: Cell) -> tuple[FaceSet, ...]:
        """Test sets on which a cell has no row."""
        return tuple(test for test in self._setting.tests if self._settings(cell, test) not in self._results)

    def run(self, cells: Sequence[Cell]) -> Generator[Working | Finished | Failed, None, None]:
        """Do the cells in their order, with the rounds on the way; one that another process is at is left to it.

        One that cannot be trained does not keep the others from being done.
        Close the generator to stop; every finished cell is in the file by then.
        """
        for cell in cells:
            while (before := cell.before) is not None:
                self._leads_on.add(before)
                cell = before
        waiting = list(cells)
        while waiting:
            self._results.refresh()
            waiting = [cell for cell in waiting if cell not in self._failed and self.lacking(cell)]
            for cell in waiting:
                try:
                    done = yield from self._attempt(cell)
                except TrainingError as error:
                    self._failed[cell] = str(error)
                    yield Failed(cell, str(error))
                    break
                if done:
                    break
            else:
                if waiting:
                    yield Working(f"Another process is at the last {len(waiting)} cells", 0, 1)
                    sleep(_PATIENCE)

    def _attempt(self, cell: Cell) -> Generator[Working | Finished, None, bool]:
        """Do a cell and what is unfinished on the way to it; ``False`` where another process is at that."""
        way = [cell]
        while (before := way[-1].before) is not None:
            way.append(before)
        for step in reversed(way):
            if step in self._failed:
                raise TrainingError(self._failed[step])
            faces = yield from self.labelled(step)
            job = self._job(step, faces)
            with self._trainings.claimed(job) as held:
                if not held:
                    return False
                yield from self._trainings.train(job)
                yield from self._measure(step, faces)
                if step in self._leads_on:
                    yield from self._trainings.said(job, self._asked_next(step, faces))
                if step.labels > step.design.first and not self._keep_models:
                    self._trainings.forget_model(job)
        return True

    def _measure(self, cell: Cell, faces: tuple[int, ...]) -> Generator[Working | Finished, None, None]:
        """Add the rows that a cell lacks."""
        self._results.refresh()
        tests = self.lacking(cell)
        if not tests:
            return
        job = self._job(cell, faces)
        record = yield from self._trainings.train(job)
        said = yield from self._trainings.said(job, [face for test in tests for face in test.faces])
        drags = yield from self._drags(cell)
        rows = tuple(self._row(cell, test, record, said, drags) for test in tests)
        self._results.add(rows)
        yield Finished(cell, rows)

    def labelled(self, cell: Cell) -> Generator[Working | Finished, None, tuple[int, ...]]:
        """Places in the pool of a cell's labelled faces, in the order of labelling. Needs the round before."""
        if cell not in self._chosen:
            self._chosen[cell] = yield from self._choose(cell)
        return self._chosen[cell]

    def _choose(self, cell: Cell) -> Generator[Working | Finished, None, tuple[int, ...]]:
        before, acquire = cell.before, cell.design.acquire
        if before is None or not acquire.looks:
            return self._shuffled(cell.seed)[: cell.labels]
        from scaf_gui.learning.acquisition import pool_ranking

        labelled = yield from self.labelled(before)
        pool = self._setting.pool.faces
        waiting = self._waiting_places(before, labelled)
        job = self._job(before, labelled)
        said = yield from self._trainings.said(job, [pool[place] for place in waiting])
        found = {place: said[pool[place].id] for place in waiting}
        known = yield from self._trainings.said(job, [pool[p] for p in labelled if _looks_at_pool(acquire)])
        ranking = pool_ranking(
            acquire.name,
            {place: one.scores[acquire.score] for place, one in found.items() if acquire.score},
            {place: one.features for place, one in found.items()},
            np.array([one.features for one in known.values()]),
            cell.seed,
            acquire.discard,
        )
        order = (*ranking.order, *ranking.set_aside)
        return labelled + order[: cell.labels - before.labels]

    def _shuffled(self, seed: int) -> tuple[int, ...]:
        """All places in a seed's random order; its first ones are the labels of the first round."""
        return tuple(np.random.default_rng(seed).permutation(len(self._setting.pool.faces)).tolist())

    def _waiting_places(self, cell: Cell, labelled: tuple[int, ...]) -> list[int]:
        """Faces that are scored after a round: all that wait, or a seeded sample of them."""
        taken = set(labelled)
        waiting = [place for place in range(len(self._setting.pool.faces)) if place not in taken]
        if 0 < cell.design.sample < len(waiting):
            some = np.random.default_rng([cell.seed, cell.labels]).permutation(waiting)[: cell.design.sample]
            waiting = sorted(some.tolist())
        return waiting

    def _asked_next(self, cell: Cell, labelled: tuple[int, ...]) -> list[TrueFace]:
        """The faces that the next round asks a model about, to choose among them or to pre-fill them."""
        acquire, pool = cell.design.acquire, self._setting.pool.faces
        if not acquire.looks:
            order = self._shuffled(cell.seed)
            return [pool[place] for place in order[cell.labels : cell.labels + cell.design.add]]
        places = self._waiting_places(cell, labelled)
        return [pool[place] for place in (*places, *(labelled if _looks_at_pool(acquire) else ()))]

    def _drags(self, cell: Cell) -> Generator[Working | Finished, None, dict[str, float]]:
        """Drags that labelling took: per face labelled since the round before, and in all so far."""
        before = cell.before
        labelled = yield from self.labelled(cell)
        pool = self._setting.pool.faces
        if before is None:
            straight = cell.design.add == 0 and cell.labels > cell.design.first
            return {} if straight else begun([pool[place] for place in labelled])
        new = [pool[place] for place in labelled[before.labels :]]
        said = yield from self._trainings.said(self._job(before, labelled[: before.labels]), new)
        earlier = yield from self._drags(before)
        return met(new, said, self._setting.scheme, earlier)

    def _job(self, cell: Cell, labelled: tuple[int, ...]) -> Job:
        design, setting = cell.design, self._setting
        if design.base != RANDOM_WEIGHTS and design.base not in setting.bases:
            raise UsageError(f"the auto-encoder {design.base} is not at hand")
        return Job(
            design.preset,
            setting.bases.get(design.base),
            design.max_seconds,
            cell.seed,
            tuple(setting.pool.faces[place] for place in labelled),
            setting.scheme,
        )

    def _settings(self, cell: Cell, test: FaceSet) -> dict[str, str]:
        return settings_of(cell, test.name, self._setting)

    def _row(
        self, cell: Cell, test: FaceSet, record: Record, said: Mapping[str, Said], drags: Mapping[str, float]
    ) -> dict[str, object]:
        import torch

        found = Evaluation.of([(said[face.id].points, face.points) for face in test.faces], self._setting.scheme)
        return {
            **self._settings(cell, test),
            **{name: getattr(found, name) for name in Evaluation.__dataclass_fields__},
            "found": test.found,
            **drags,
            "steps": record.steps,
            "train_seconds": record.seconds,
            "device": record.device,
            "threads": record.threads,
            "version": __version__,
            "torch": torch.__version__,
            "model": record.model,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        }


def settings_of(cell: Cell, test: str, setting: Setting) -> dict[str, str]:
    """The columns that tell a row from every other."""
    return {
        "pool": setting.pool.name,
        "pool_faces": str(len(setting.pool.faces)),
        "scheme": setting.scheme.id,
        "boxes": setting.boxes,
        **cell.design.settings(),
        "labels": str(cell.labels),
        "seed": str(cell.seed),
        "test": test,
    }


def _looks_at_pool(acquire: Acquire) -> bool:
    """Whether it compares faces by their features, with those labelled among them."""
    from scaf_gui.learning.acquisition import ACQUISITIONS

    return ACQUISITIONS[acquire.name].of_heatmaps is None
