"""The command that looks for slips in a project's labels."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

from scaf_gui.cli.output import Outcome, Progress
from scaf_gui.cli.parsing import project_argument
from scaf_gui.cli.work import follow, opened, restore
from scaf_gui.core.check import RULES


def register(commands: Any) -> None:
    check = commands.add_parser("check", help="look for slips in the labels: swaps, crossings, landmarks far off")
    project_argument(check)
    check.add_argument("--all", action="store_true", help="also what was found to be fine as it is")
    check.set_defaults(run=run_check)


def run_check(args: argparse.Namespace, progress: Progress) -> Outcome:
    with opened(args.project, progress) as session:
        restore(session)
        alarms, statistics = follow("Checking", session.check.project(), progress)
        shown = [(alarm, session.check.is_fine(alarm)) for alarm in alarms]
        names = session.scheme.names
    faces = statistics.labels
    rows = [
        {
            "face": alarm.face_id,
            "image": alarm.image,
            "rule": alarm.finding.rule,
            "landmarks": [names[landmark] for landmark in alarm.finding.landmarks],
            "reason": alarm.finding.reason,
            "fine": fine,
        }
        for alarm, fine in shown
        if args.all or not fine
    ]
    counts = Counter(row["rule"] for row in rows)
    flagged = len({row["face"] for row in rows})
    values = {
        "labelled": faces,
        "flagged": flagged,
        "fine": sum(fine for _, fine in shown),
        "statistics": statistics.typical is not None,
        "rules": {rule: counts[rule] for rule in RULES},
        "findings": rows,
    }
    return Outcome(values, _lines(values, rows))


def _lines(values: dict[str, Any], rows: list[dict[str, Any]]) -> list[str]:
    lines = [f"{values['labelled']} labelled faces, {values['flagged']} worth a look"]
    width = max((len(RULES[row["rule"]].title) for row in rows), default=0)
    wide = max((len(row["image"]) for row in rows), default=0)
    for row in rows:
        fine = "  (fine as it is)" if row["fine"] else ""
        lines.append(f"  {row['image']:{wide}}  {RULES[row['rule']].title:{width}}  {row['reason']}{fine}")
    if not values["statistics"] and values["labelled"]:
        lines.append("Too few labels to know the usual shape: from 20 labelled faces on it is checked, too.")
    if values["fine"]:
        lines.append(f"{values['fine']} found fine as they are; --all lists them")
    return lines
