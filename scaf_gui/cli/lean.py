"""The command that says how far a project's labels lean towards its model."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from scaf_gui.cli.output import Outcome, Progress
from scaf_gui.cli.parsing import project_argument
from scaf_gui.cli.work import opened
from scaf_gui.core.lean import Difference, Lean, verdict


def register(commands: Any) -> None:
    lean = commands.add_parser("lean", help="how far accepted labels lean towards the model, from faces placed blind")
    project_argument(lean)
    lean.set_defaults(run=run_lean)


def run_lean(args: argparse.Namespace, progress: Progress) -> Outcome:
    with opened(args.project, progress) as session:
        found = session.blind.lean()
    values = {
        "verdict": verdict(found),
        "shown": found.shown,
        "blind": found.blind,
        "untouched": found.untouched,
        "within": found.within,
        "landmarks": asdict(found.whole),
        "groups": {name: asdict(row) for name, row in found.groups.items()},
    }
    return Outcome(values, _lines(found))


def _lines(found: Lean) -> list[str]:
    lines = [f"{verdict(found)}.", f"{found.shown} faces accepted after a pre-fill, {found.blind} placed blind"]
    if found.untouched is not None:
        lines.append(f"Landmarks left exactly where the model put them: {100 * found.untouched:.0f} %")
    if found.within is not None:
        lines.append(
            f"Landmarks placed blind that came to lie within 3 % of the prediction: {100 * found.within:.0f} %"
        )
    if not (found.shown or found.blind):
        return lines
    rows = {"all landmarks": found.whole, **found.groups}
    wide = max(len(name) for name in rows)
    lines.append(f"{'Distance from the prediction in %':{max(wide + 2, 33)}} shown   blind   blind less shown")
    return lines + [_row(name.replace("_", " "), row, max(wide, 31)) for name, row in rows.items()]


def _row(name: str, row: Difference, wide: int) -> str:
    numbers = ["  –  " if value is None else f"{value:5.2f}" for value in (row.shown, row.blind, row.difference)]
    interval = "" if row.low is None or row.high is None else f"  ({row.low:.2f} to {row.high:.2f})"
    return f"  {name:{wide}} {numbers[0]}   {numbers[1]}   {numbers[2]}{interval}"
