"""Results as Markdown: mean and sample deviation over seeds; what is not there is called missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from scaf_gui.session.simulation.results import SETTINGS, Key, Row, key_of

#: figures of the long tables: column, heading, digits
FIGURES = (
    ("nme", "NME %", 2),
    ("failure_8", "failures > 8 %", 1),
    ("failure_10", "> 10 %", 1),
    ("auc_8", "AUC 8 %", 3),
    ("auc_10", "AUC 10 %", 3),
    ("drags_3", "drags (3 %)", 1),
    ("drags_5", "drags (5 %)", 1),
    ("total_3", "total drags (3 %)", 0),
    ("total_3_updated", "… with per-face update", 0),
    ("total_5", "total drags (5 %)", 0),
    ("train_seconds", "training s", 0),
)
#: what every row of a set of results shares, and so needs saying once
_SHARED = ("pool", "scheme", "boxes")
_APART = ("preset", "skips", "schedule", "base", "max_seconds", "acquisition", "add", "sample", "first", "preset_hash")
#: settings by which the rows of one table differ
_DESIGN = tuple(name for name in SETTINGS if name not in ("labels", "seed", "test", "pool_faces", *_SHARED))


@dataclass(frozen=True)
class Point:
    """A design at a number of labels on a test set: figures of the seeds that are there, of so many wanted."""

    labels: int
    rows: tuple[Row, ...]
    wanted: int

    def values(self, figure: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([float(row[figure]) for row in self.rows if row[figure]], np.float64)

    def shown(self, figure: str, digits: int) -> str:
        """``mean ± deviation (of how many seeds, where some lack)``; ``missing``; ``–`` where there is none."""
        if not self.rows:
            return "missing"
        values = self.values(figure)
        if not len(values):
            return "–"
        text = f"{values.mean():.{digits}f}"
        if len(values) > 1:
            text += f" ± {values.std(ddof=1):.{digits}f}"
        return text if len(values) == self.wanted else f"{text} ({len(values)} of {self.wanted} seeds)"


@dataclass(frozen=True)
class Line:
    """A design on a test set."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Section:
    """All lines of a plan on one test set; ``said``: the settings that they share."""

    title: str
    test: str
    boxes: str
    faces: str
    said: str
    lines: tuple[Line, ...]


def wanted_by_rows(rows: Iterable[Row]) -> list[Row]:
    """The settings that a file of results speaks of: every design on every test with every seed, at each of its
    numbers of labels. For a report without a plan."""
    rows = list(rows)
    seeds = sorted({row["seed"] for row in rows}, key=int)
    tests = list(dict.fromkeys(row["test"] for row in rows))
    cells = dict.fromkeys(tuple(row[name] for name in SETTINGS if name not in ("seed", "test")) for row in rows)
    names = [name for name in SETTINGS if name not in ("seed", "test")]
    return [
        dict(zip(names, cell, strict=True)) | {"seed": seed, "test": test}
        for cell in cells
        for test in tests
        for seed in seeds
    ]


def sections(title: str, wanted: Sequence[Row], rows: Iterable[Row]) -> list[Section]:
    """One section per pool, kind of boxes and test set.

    :param wanted: settings of every row that there should be
    """
    found: dict[Key, Row] = {key_of(row): row for row in rows}
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in wanted:
        groups.setdefault((*(row[name] for name in _SHARED), row["test"]), []).append(row)
    made = []
    for (*_, boxes, test), group in groups.items():
        differing = [name for name in _APART if len({row[name] for row in group if not _is_whole(row)}) > 1]
        names = _Names(differing)
        lines: dict[tuple[str, ...], dict[int, list[Row]]] = {}
        for row in group:
            design = tuple(row[name] for name in _DESIGN)
            lines.setdefault(design, {}).setdefault(int(row["labels"]), []).append(row)
        made.append(
            Section(
                title,
                test,
                boxes,
                next((found[key_of(row)]["faces"] for row in group if key_of(row) in found), ""),
                _shared(group, differing),
                tuple(
                    Line(
                        names.of(next(iter(by_labels.values()))[0]),
                        tuple(
                            Point(
                                labels,
                                tuple(found[key_of(row)] for row in there if key_of(row) in found),
                                len({row["seed"] for row in there}),
                            )
                            for labels, there in sorted(by_labels.items())
                        ),
                    )
                    for by_labels in lines.values()
                ),
            )
        )
    return made


def markdown(sections: Sequence[Section]) -> str:
    """Per section the NME by number of labels, then all figures."""
    parts = []
    title = None
    for section in sections:
        if section.title != title:
            parts.append(f"## {section.title}\n")
            title = section.title
        faces = f", {section.faces} faces" if section.faces else ""
        parts.append(f"### {section.test}{faces}\n\n{section.said}\n")
        parts.append(_overview(section, "nme", "NME %", 2))
        parts.append(_overview(section, "drags_3", "Drags per face (3 %)", 1))
        parts.append(_details(section))
    return "\n".join(parts)


def _overview(section: Section, figure: str, heading: str, digits: int) -> str:
    counts = sorted({point.labels for line in section.lines for point in line.points})
    rows = [f"| {heading} by labels | {' | '.join(map(str, counts))} |", "|---" * (len(counts) + 1) + "|"]
    for line in section.lines:
        by_labels = {point.labels: point.shown(figure, digits) for point in line.points}
        rows.append(f"| {line.name} | {' | '.join(by_labels.get(count, '') for count in counts)} |")
    return "\n".join(rows) + "\n"


def _details(section: Section) -> str:
    rows = [f"| | labels | {' | '.join(heading for _, heading, _ in FIGURES)} |", "|---" * (len(FIGURES) + 2) + "|"]
    for line in section.lines:
        for point in line.points:
            cells = " | ".join(point.shown(figure, digits) for figure, _, digits in FIGURES)
            rows.append(f"| {line.name} | {point.labels} | {cells} |")
    return "\n".join(rows) + "\n"


#: how a setting's value is told; others speak for themselves
_WORDS = {
    "skips": "skips {}",
    "max_seconds": "{} s",
    "add": "{} per round",
    "sample": "{} scored",
    "first": "first {}",
    "preset_hash": "recipe {}",
}


class _Names:
    """What a line is called: the settings in which it differs from others."""

    def __init__(self, differing: Sequence[str]) -> None:
        # A recipe's hash says nothing where the preset, skips or schedule differ anyhow.
        others = {"preset", "skips", "schedule"} & set(differing)
        self._differing = [name for name in differing if name != "preset_hash" or not others]

    def of(self, row: Row) -> str:
        if _is_whole(row):
            names = [name for name in self._differing if name not in ("acquisition", "add", "sample")]
            return ", ".join([*(self._one(name, row) for name in names), "all labels"])
        return ", ".join(self._one(name, row) for name in self._differing if self._one(name, row)) or row["acquisition"]

    def _one(self, name: str, row: Row) -> str:
        value = row[name]
        if name == "base":
            return "random weights" if value == "none" else f"auto-encoder {value[:8]}"
        if name == "max_seconds" and value == "0":
            return "no time limit"
        if name == "sample" and value == "0":
            return "all scored"
        if name == "add" and value == "0":
            return ""
        return _WORDS.get(name, "{}").format(value)


def _is_whole(row: Row) -> bool:
    """Whether all of the pool is labelled: nothing was chosen."""
    return row["labels"] == row["pool_faces"]


def _shared(group: Sequence[Row], differing: Sequence[str]) -> str:
    row = next((row for row in group if not _is_whole(row)), group[0])
    names = _Names([name for name in _APART if name not in differing])
    boxes = "true boxes (an oracle)" if row["boxes"] == "true" else "detected boxes"
    seeds = ", ".join(sorted({row["seed"] for row in group}, key=int))
    return (
        f"Pool: {row['pool']}, {row['pool_faces']} faces, scheme {row['scheme']}, {boxes}; seeds {seeds}. "
        f"Shared settings: {names.of(row)}. Mean ± sample deviation over seeds."
    )
