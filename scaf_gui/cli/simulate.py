"""The command that runs the method's experiments on labelled folders."""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaf_gui.cli.output import Outcome, Progress
from scaf_gui.cli.parsing import device_argument, positive, seconds
from scaf_gui.cli.work import follow

if TYPE_CHECKING:
    from scaf_gui.session.simulation.cells import Cell, Plan
    from scaf_gui.session.simulation.results import Results, Row
    from scaf_gui.session.simulation.runner import Setting


def register(commands: Any) -> None:
    simulate = commands.add_parser("simulate", help="run the method's experiments on a folder whose labels are known")
    simulate.add_argument("pool", metavar="[NAME=]DIR", help="labelled faces: .pts files, or a CSV file of landmarks")
    add = simulate.add_argument
    add("--test", action="append", default=[], metavar="[NAME=]DIR", help="faces to measure on; may be given again")
    add("--hold-out", type=positive, metavar="N", help="keep N faces of the pool to measure on")
    add("--scheme", default="300w-68", metavar="ID", help="landmark scheme: id or file (see 'schemes')")
    add("--boxes", choices=("true", "detector"), default="true", help="true (default): of the landmarks, an oracle")
    add("--labels", nargs="+", type=_labels, default=[50], metavar="N", help="numbers of labels, or all (default 50)")
    add("--add", type=_whole, metavar="K", help="labels per round (default: the paper's); 0: random without rounds")
    add("--first", type=positive, default=10, metavar="N", help="random labels of the first round (default 10)")
    add("--seeds", nargs="+", type=_whole, default=[0, 1, 2], metavar="S", help="default 0 1 2")
    add("--acquisition", nargs="+", default=["nnm-10"], metavar="F", help="random, nnm, nnm-10, entropy, kcenter ...")
    add("--sample", type=positive, metavar="N", help="score a seeded sample of the waiting faces")
    add("--preset", nargs="+", default=["default"], metavar="NAME", help="training recipes")
    add("--skips", nargs="+", choices=("on", "off", "preset"), default=["preset"], help="default: as the preset says")
    add("--schedule", nargs="+", choices=("joint", "itls-first", "preset"), default=["preset"])
    add("--base", nargs="+", default=["none"], metavar="FILE", help="auto-encoders; none (default): random weights")
    add("--steps", type=positive, metavar="N", help="of each training (default: the preset's)")
    add("--max-seconds", type=seconds, metavar="S", help="end each training by then: equal time for all")
    add("--out", type=Path, required=True, metavar="FILE.csv", help="results; what is there is not done again")
    add("--work", type=Path, metavar="DIR", help="folder of trainings (default: beside --out)")
    add("--keep-models", action="store_true", help="keep every trained model in the folder of trainings")
    add("--max-minutes", type=seconds, metavar="M", help="stop after so long; the same command goes on")
    add("--threads", type=positive, metavar="N", help="processor threads")
    add("--title", default="Simulation", help="heading of the report")
    add("--report-only", action="store_true", help="tables and plots of all that --out holds; nothing is trained")
    device_argument(simulate)
    simulate.set_defaults(run=run_simulate)


def _whole(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def _labels(text: str) -> int | None:
    """A number, or ``None`` for all."""
    return None if text == "all" else positive(text)


def run_simulate(args: argparse.Namespace, progress: Progress) -> Outcome:
    from scaf_gui.session.simulation.report import wanted_by_rows
    from scaf_gui.session.simulation.results import Results

    results = Results(args.out)
    if args.report_only:
        wanted = {args.title: wanted_by_rows(results.rows)}
        return _outcome(args.out, results, wanted, 0)
    setting = read_setting(args, progress)
    plan = make_plan(args, setting)
    before = len(results.rows)
    run_plans([plan], setting, results, args, progress)
    return _outcome(args.out, results, {plan.title: wanted_rows(plan, setting)}, len(results.rows) - before)


def run_plans(
    plans: Sequence[Plan], setting: Setting, results: Results, args: argparse.Namespace, progress: Progress
) -> bool:
    """Do the cells of plans in order, for ``args.max_minutes`` at most; says whether all are done."""
    import torch

    from scaf_gui.learning.device import choose_device
    from scaf_gui.session.simulation.runner import Failed, Finished, Runner
    from scaf_gui.settings import Settings

    if args.threads:
        torch.set_num_threads(args.threads)
    cells = list(dict.fromkeys(cell for plan in plans for cell in plan.cells(len(setting.pool.faces))))
    # Those of the paper in any case: a first round that is kept for one function then serves the others.
    scores = list(dict.fromkeys(["nnm", "entropy", *sorted({cell.design.acquire.score for cell in cells} - {""})]))
    device = choose_device(str(args.device or Settings()["device"]))
    runner = Runner(setting, results, _work(args), device, scores, args.keep_models)
    until = None if args.max_minutes is None else time.monotonic() + 60 * args.max_minutes
    work = runner.run(cells)
    at = ""
    try:
        for event in work:
            if isinstance(event, Finished):
                left = sum(bool(runner.lacking(cell)) for cell in cells)
                at = f"{left} of {len(cells)} cells left; "
                progress.say(_told(event.cell, event.rows))
            elif isinstance(event, Failed):
                progress.warn(f"{_named(event.cell)}: {event.why}")
            else:
                progress(event.what, event.done, event.total, at + event.note)
            if until is not None and time.monotonic() > until:
                return False
        return True
    finally:
        work.close()
        progress.clear()


def read_setting(args: argparse.Namespace, progress: Progress) -> Setting:
    """The folders and auto-encoders that a command line names."""
    from scaf_gui.core.scheme import parse_scheme
    from scaf_gui.errors import UsageError
    from scaf_gui.session.project import scheme_text
    from scaf_gui.session.simulation.faces import check_apart, hold_out, named_folder, read_faces
    from scaf_gui.session.simulation.runner import Setting

    scheme = parse_scheme(json.loads(scheme_text(args.scheme)))
    sets = []
    for text in (args.pool, *args.test):
        name, folder = named_folder(text)
        reading = read_faces(name, folder, scheme, args.boxes, _work(args))
        sets.append(follow(f"Finding faces in {name}", reading, progress))
    pool, tests = sets[0], sets[1:]
    if args.hold_out:
        pool, held = hold_out(pool, args.hold_out)
        tests.append(held)
    if not tests:
        raise UsageError("there is nothing to measure on: give --test DIR, or --hold-out N")
    check_apart(pool, tests)
    bases = [load_base(Path(file)) for file in args.base if file != "none"]
    return Setting(scheme, args.boxes, pool, tuple(tests), {base.id: base for base in bases})


def load_base(path: Path) -> Any:
    """An auto-encoder to start from.

    :raises UsageError: the file is a landmark model
    """
    from scaf_gui.errors import UsageError
    from scaf_gui.learning.pretrained import KIND, load_autoencoder
    from scaf_gui.learning.tensorfile import read_header

    header = read_header(path)
    if header.get("kind") != KIND and "scheme" in header:
        labels = header.get("recipe", {}).get("labels", 0)
        raise UsageError(
            f"{path}: is a landmark model trained on {labels or 'some'} labels, which may be those that the simulation "
            "hides; start from an auto-encoder, or from random weights (--base none)"
        )
    return load_autoencoder(path)


def make_plan(args: argparse.Namespace, setting: Setting) -> Plan:
    """The product of all settings."""
    from scaf_gui.learning.tensorfile import read_header
    from scaf_gui.session.simulation.cells import RANDOM_WEIGHTS, Acquire, Design, Plan, resolve_preset

    pool = len(setting.pool.faces)
    presets = [
        resolve_preset(name, skips, schedule, args.steps)
        for name in args.preset
        for skips in args.skips
        for schedule in args.schedule
    ]
    bases = [base if base == RANDOM_WEIGHTS else str(read_header(Path(base))["id"]) for base in args.base]
    acquires = [Acquire.parse(name) for name in args.acquisition]
    asked = []
    for labels, add in _rounds(args, pool):
        for preset in presets:
            for base in bases:
                for acquire in acquires:
                    sample = (args.sample or 0) if acquire.looks else 0
                    design = Design(preset, base, acquire, add, args.first, sample, args.max_seconds or 0.0)
                    asked.append((design, None if labels == pool else labels))
    return Plan(args.title, tuple(dict.fromkeys(asked)), tuple(args.seeds))


def _rounds(args: argparse.Namespace, pool: int) -> Iterator[tuple[int, int]]:
    """Each number of labels with how many a round adds; the first round alone is a part of any other's rounds."""
    from scaf_gui.errors import UsageError
    from scaf_gui.session.simulation.cells import PUBLISHED_ADD, published_add

    counts = list(dict.fromkeys(pool if labels is None else labels for labels in args.labels))
    if min(counts) < args.first:
        raise UsageError(f"{min(counts)} labels are fewer than those of the first round (--first {args.first})")
    for labels in counts:
        if args.add is not None:
            add = args.add
        elif labels > args.first:
            add = published_add(labels, args.first)
        else:
            add = PUBLISHED_ADD[50]
        if labels > args.first or add == 0 or max(counts) == args.first:
            yield labels, add


def wanted_rows(plan: Plan, setting: Setting) -> list[Row]:
    """Settings of every row that a plan leads to."""
    from scaf_gui.session.simulation.runner import settings_of

    cells = plan.cells(len(setting.pool.faces))
    return [settings_of(cell, test.name, setting) for cell in cells for test in setting.tests]


def write_report(out: Path, results: Results, wanted: dict[str, list[Row]]) -> tuple[Path, list[Path]]:
    """Tables and plots beside the CSV file: ``NAME.md`` and ``NAME-TITLE-TEST-nme.svg``."""
    from scaf_gui.io.files import replace_file
    from scaf_gui.session.simulation.plot import PLOTTED, draw
    from scaf_gui.session.simulation.report import markdown, sections

    made = [section for title, rows in wanted.items() for section in sections(title, rows, results.rows)]
    plots = []
    for section in made:
        for figure, axis in PLOTTED:
            drawn = draw(section, figure, axis)
            if drawn is not None:
                told = [section.title] * (len(wanted) > 1) + [section.test] + ["detected"] * (section.boxes != "true")
                name = "-".join([out.stem, *map(_slug, told), figure.removesuffix("_3")])
                plots.append(out.with_name(f"{name}.svg"))
                replace_file(plots[-1], drawn.encode())
    report = out.with_suffix(".md")
    replace_file(report, markdown(made).encode())
    return report, plots


def _outcome(out: Path, results: Results, wanted: dict[str, list[Row]], added: int) -> Outcome:
    report, plots = write_report(out, results, wanted)
    rows = [row for there in wanted.values() for row in there]
    missing = sum(row not in results for row in rows)
    values = {
        "rows": len(rows), "added": added, "missing": missing, "results": str(out), "report": str(report),
        "plots": [str(plot) for plot in plots],
    }  # fmt: skip
    state = "all rows are there" if not missing else f"{missing} of {len(rows)} rows are missing: run it again to go on"
    return Outcome(values, [f"{report}: {state} ({added} added)"])


def _told(cell: Cell, rows: Sequence[dict[str, object]]) -> str:
    figures = "; ".join(f"{row['test']}: NME {row['nme']:.2f} %, {row['drags_3']:.1f} drags" for row in rows)
    return f"{_named(cell)}: {figures}"


def _named(cell: Cell) -> str:
    return f"{cell.design.preset.name} {cell.design.acquire}, {cell.labels} labels, seed {cell.seed}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _work(args: argparse.Namespace) -> Path:
    work: Path = args.work or args.out.with_suffix(".work")
    return work
