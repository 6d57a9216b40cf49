"""What a simulation is made of: designs, cells, and the order in which cells are done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from hashlib import blake2b
from json import dumps
from typing import TYPE_CHECKING

from scaf_gui.errors import UsageError

if TYPE_CHECKING:
    from scaf_gui.learning.presets import Preset

#: labels of the first round, drawn at random (the paper's protocol)
FIRST = 10
#: the paper's K by budget (300-W: 50, 158, 315, where 61 for 60 saves a sixth round of 5; WFLW: 50 to 750)
PUBLISHED_ADD = {50: 10, 100: 20, 158: 30, 200: 40, 315: 61, 375: 75, 750: 100}
#: a base that is no file: random weights
RANDOM_WEIGHTS = "none"
SCHEDULES = ("joint", "itls-first")


@dataclass(frozen=True)
class Acquire:
    """An acquisition function and the share of its ranking that is set aside: ``nnm-10`` is NNM_10%."""

    name: str
    discard: float = 0.0

    def __str__(self) -> str:
        return f"{self.name}-{100 * self.discard:g}" if self.discard else self.name

    @property
    def score(self) -> str:
        """The score of heatmaps that it ranks by; "" where it looks at features alone, or at nothing."""
        from scaf_gui.learning.acquisition import ACQUISITIONS

        return ACQUISITIONS[self.name].score

    @property
    def looks(self) -> bool:
        """Whether it looks at what a model says; a random choice does not."""
        return self.name != "random"

    @staticmethod
    def parse(text: str) -> Acquire:
        """:raises UsageError: there is no such function, or it cannot set faces aside"""
        from scaf_gui.learning.acquisition import ACQUISITIONS

        name, _, percent = text.partition("-")
        known = ", ".join(f"{n}, {n}-10" if row.score else n for n, row in ACQUISITIONS.items())
        if name not in ACQUISITIONS or (percent and not ACQUISITIONS[name].score):
            raise UsageError(f"there is no acquisition function '{text}'; use {known}")
        try:
            share = float(percent or 0) / 100
        except ValueError:
            share = -1.0
        if not 0 <= share < 1:
            raise UsageError(f"'{text}' sets no sensible share aside; use {known}")
        return Acquire(name, share)


@dataclass(frozen=True)
class Design:
    """All settings of a simulation but seed and number of labels.

    ``preset`` holds skips, schedule and steps as they are trained. ``base``: id of the auto-encoder, or "none".
    ``add``: labels per round; 0 goes straight from no label to the number asked for (random choice only).
    ``sample``: how many waiting faces are scored, 0 for all. ``max_seconds``: of a training, 0 for no limit.
    """

    preset: Preset
    base: str = RANDOM_WEIGHTS
    acquire: Acquire = field(default_factory=lambda: Acquire("random"))
    add: int = 10
    first: int = FIRST
    sample: int = 0
    max_seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.add == 0 and self.acquire.looks:
            raise UsageError(f"{self.acquire} needs rounds: it chooses by the model of the round before")

    @property
    def schedule(self) -> str:
        return SCHEDULES[self.preset.itls_first > 0]

    def settings(self) -> dict[str, str]:
        """The columns of a row that say what was done, as text."""
        return {
            "preset": self.preset.name,
            "preset_hash": preset_hash(self.preset),
            "skips": "on" if self.preset.skips else "off",
            "schedule": self.schedule,
            "base": self.base,
            "max_seconds": f"{self.max_seconds:g}",
            "acquisition": str(self.acquire),
            "first": str(self.first),
            "add": str(self.add),
            "sample": str(self.sample),
        }


@dataclass(frozen=True)
class Cell:
    """One model to train and measure. A row of results is a cell on one test set."""

    design: Design
    labels: int
    seed: int

    @property
    def before(self) -> Cell | None:
        """The cell of the round before, whose model chose; ``None`` in the first round and where nothing chooses."""
        if self.design.add == 0 or self.labels <= self.design.first:
            return None
        rounds = -(-(self.labels - self.design.first) // self.design.add)
        return replace(self, labels=self.design.first + (rounds - 1) * self.design.add)


@dataclass(frozen=True)
class Plan:
    """Cells under a title: ``asked`` pairs designs with numbers of labels, ``None`` for all of the pool.

    The rounds on the way are cells too, as they are trained anyhow.
    """

    title: str
    asked: tuple[tuple[Design, int | None], ...]
    seeds: tuple[int, ...] = (0, 1, 2)

    def cells(self, pool: int) -> tuple[Cell, ...]:
        """In the order of work: every cell with the first seed, then with the next.

        :param pool: faces in the pool
        :raises UsageError: more labels are asked for than there are, or fewer than the first round's
        """
        cells = [cell for seed in self.seeds for cell in self._of_seed(seed, pool)]
        return tuple(dict.fromkeys(cells))

    def _of_seed(self, seed: int, pool: int) -> Iterator[Cell]:
        for design, asked in self.asked:
            if asked is not None and not design.first <= asked <= pool:
                raise UsageError(f"{asked} labels: the pool has {pool} faces, and the first round {design.first}")
            yield from rounds(design, seed, pool if asked is None else asked, pool)


def rounds(design: Design, seed: int, labels: int, pool: int) -> tuple[Cell, ...]:
    """The cells on the way to a number of labels. With the whole pool labelled, nothing was chosen."""
    if labels >= pool:
        return (Cell(replace(design, acquire=Acquire("random"), add=0, sample=0), pool, seed),)
    cell: Cell | None = Cell(design, labels, seed)
    way: list[Cell] = []
    while cell is not None:
        way.append(cell)
        cell = cell.before
    return tuple(reversed(way))


def published_add(labels: int, first: int = FIRST) -> int:
    """The paper's K for a budget; between and beyond its budgets, five rounds."""
    return PUBLISHED_ADD.get(labels) or max(1, -(-(labels - first) // 5))


def resolve_preset(name: str, skips: str = "preset", schedule: str = "preset", steps: int | None = None) -> Preset:
    """A preset with skips ("on", "off"), schedule ("joint", "itls-first") and number of steps as wanted."""
    from scaf_gui.learning.presets import PRESETS, preset

    found = preset(name)
    if skips != "preset":
        found = replace(found, skips=skips == "on")
    if schedule != "preset" and (schedule == "itls-first") != (found.itls_first > 0):
        found = replace(found, itls_first=PRESETS["3fabrec"].itls_first if schedule == "itls-first" else 0.0)
    if steps:
        found = replace(found, full_steps=steps, full_epochs=0)
    return found


#: what a training from a base never comes to: names, and how a trained model is refined
_NO_MATTER = ("name", "title", "quick_steps", "warm_start", "refine_keeps_statistics", "refine_augmentation")


#: choices that came later, and what stood in their place: rows from before stay valid
_LATER = {"muon": 0.0}


def preset_hash(preset: Preset) -> str:
    """Eight hex digits that tell a recipe of trainings from a base from every other."""
    values = {
        name: value
        for name, value in asdict(preset).items()
        if name not in _NO_MATTER and (name, value) not in _LATER.items()
    }
    return blake2b(dumps(values, sort_keys=True).encode(), digest_size=4).hexdigest()
