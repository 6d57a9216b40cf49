"""The command about near-identical photos."""

from __future__ import annotations

import argparse
from typing import Any

from scaf_gui.cli.output import Outcome, Progress
from scaf_gui.cli.parsing import project_argument
from scaf_gui.cli.work import drive, opened


def register(commands: Any) -> None:
    similar = commands.add_parser("similar", help="find near-identical photos, and skip all but one of each")
    project_argument(similar)
    similar.add_argument("--skip", action="store_true", help="skip them; what a person has begun stays")
    similar.set_defaults(run=run_similar)


def run_similar(args: argparse.Namespace, progress: Progress) -> Outcome:
    """Groups of near-identical photos; with ``--skip`` one photo of each stays in the queue."""
    skipped: tuple[int, ...] = ()
    with opened(args.project, progress) as session:
        groups = drive(session, "Comparing", session.find_similar(), progress)
        edit = session.similar.skip_all(session.queue.order)
        if args.skip and edit is not None:
            session.edit(edit)
            skipped = edit.face_ids
    photos = sum(map(len, groups))
    values = {"groups": [list(group) for group in groups], "photos": photos, "skipped": list(skipped)}
    lines = [
        f"{photos} photos in {len(groups)} groups of near-identical ones" if groups else "no near-identical photos"
    ]
    lines += ["  ".join(group) for group in groups[:20]]
    lines += [f"and {len(groups) - 20} more groups (--json lists all)"] if len(groups) > 20 else []
    if args.skip:
        lines.append(f"{len(skipped)} face{'' if len(skipped) == 1 else 's'} skipped")
    elif edit is not None:
        lines.append(f"--skip would skip {len(edit.changes)} of their faces")
    return Outcome(values, lines)
