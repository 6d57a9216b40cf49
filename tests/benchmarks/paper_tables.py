"""The paper's tables and the comparisons around them, in the order of what matters most.

    python tests/benchmarks/paper_tables.py --data DATA --base models/NAME.safetensors [--max-minutes 30] [--only a b]
    python tests/benchmarks/paper_tables.py --data DATA --list
    python tests/benchmarks/paper_tables.py --data DATA --report-only

Every line below is a ``scaf-gui simulate`` command; ``--list`` prints them whole. Cells that
``docs/figures/simulations.csv`` lacks are done group by group, within a group the first seed of every line, then the
next, until time is up; the same command goes on where it stopped. Started twice with ``--threads 1``, two processes
share the work. Tables and plots are written beside the CSV file at the end; what is not there is called missing.
"""

from __future__ import annotations

import argparse
import shlex
import time
from dataclasses import dataclass
from pathlib import Path

from faces import ROOT, add_data_argument, data_folder, machine

from scaf_gui.cli import simulate
from scaf_gui.cli.main import make_parser
from scaf_gui.cli.output import Progress
from scaf_gui.session.simulation.results import Results
from scaf_gui.session.simulation.runner import Setting


@dataclass(frozen=True)
class Line:
    """A command: {base} is the auto-encoder, {equal} the seconds of comparisons at equal time."""

    group: str
    title: str
    data: str
    words: str


#: the folders; a "true box" is an oracle
DATA = {
    "300w": "300w={data}/300w/pool --test HELEN-test={data}/300w/test --test AFW-hold-out={data}/300w/test-hard",
    "scut86": "scut86={data}/scut86 --scheme scut-86 --hold-out 200",
}
#: a training for each function instead of the four of the paper's rounds of 10
ONCE = "Acquisition functions, 40 faces chosen at once by the model of 10 labels"
AS_LONG = "As long as 'thorough', with AdamW alone"
FUNCTIONS = "nnm-10 entropy-10 spread kcenter nnm entropy"
LINES = (
    Line("a", "The default, and with AdamW alone, at 10, 50 and all labels", "300w",
         "--labels 10 50 all --add 0 --acquisition random --preset default adamw --base {base}"),
    Line("a", "Four times as long (with all labels three times): the preset 'thorough'", "300w",
         "--labels 50 all --add 0 --acquisition random --preset thorough --base {base}"),
    Line("a", AS_LONG, "300w",
         "--labels 50 --add 0 --acquisition random --preset adamw --steps 1440 --base {base}"),
    Line("a", AS_LONG, "300w",
         "--labels all --add 0 --acquisition random --preset adamw --steps 2340 --base {base}"),
    Line("b", "Pre-trained against random weights, equal steps and so equal time", "300w",
         "--labels 50 --add 0 --acquisition random --preset adamw --base {base} none"),
    Line("b", ONCE, "300w", "--labels 50 --add 0 --acquisition random --preset adamw --base {base}"),
    Line("b", ONCE, "300w", "--labels 50 --add 40 --acquisition nnm-10 --preset adamw --base {base}"),
    Line("b", "The published preset against the default, equal time", "300w",
         "--labels 50 --add 0 --acquisition random --preset adamw published --max-seconds {equal} --base {base}"),
    Line("b", "Skips on against off", "300w",
         "--labels 50 --add 0 --acquisition random --preset adamw --skips on off --base {base}"),
    Line("b", ONCE, "300w", f"--labels 50 --add 40 --acquisition {FUNCTIONS} --preset adamw --base {{base}}"),
    Line("c", "Another scheme: 86 points", "scut86", "--labels 10 50 200 --add 0 --acquisition random --base {base}"),
    Line("c", "Drags to annotate 300 faces, refreshed five times", "scut86",
         "--labels 300 --add 58 --acquisition nnm-10 random --base {base}"),
    Line("c", "Drags to annotate 300 faces, not refreshed after the first 10 labels", "scut86",
         "--labels 300 --add 290 --acquisition random --base {base}"),
    Line("c", "Acquisition functions", "300w", f"--labels 50 --acquisition {FUNCTIONS} random --base {{base}}"),
    Line("c", "Skips and schedule", "300w",
         "--labels 50 --add 0 --acquisition random --skips on off --schedule joint itls-first --base {base}"),
    Line("c", "Detected boxes", "300w",
         "--labels 10 50 all --add 0 --acquisition random --boxes detector --base {base}"),
    Line("c", "Larger budgets", "300w", "--labels 158 315 --acquisition nnm-10 random --base {base}"),
    Line("c", "Larger budgets, other functions", "300w",
         f"--labels 158 315 --acquisition {FUNCTIONS} --base {{base}}"),
    Line("d", "As published, at full length (for a GPU)", "300w",
         "--labels 50 158 315 all --add 0 --acquisition random --preset published 3fabrec 3fabrec-joint --base {base}"),
    Line("d", "As published, by acquisition function (for a GPU)", "300w",
         f"--labels 50 158 315 --preset published --acquisition {FUNCTIONS} random --base {{base}}"),
)  # fmt: skip


def arguments(line: Line, given: argparse.Namespace, seed: int | None) -> argparse.Namespace:
    seeds = [str(one) for one in (given.seeds if seed is None else [seed])]
    return make_parser().parse_args([*words(line, given), "--seeds", *seeds])


def words(line: Line, given: argparse.Namespace) -> list[str]:
    """The command as it would be typed."""
    fill = {"data": str(data_folder(given)), "base": str(given.base or "none"), "equal": f"{given.equal_seconds:g}"}
    typed = ["simulate", *DATA[line.data].split(), *line.words.split()]
    rest = ["--title", line.title, "--out", str(given.out), "--work", str(given.work), "--threads", str(given.threads)]
    rest += ["--device", given.device] if given.device else []
    rest += ["--steps", str(given.steps)] if given.steps else []
    rest += ["--keep-models"] if given.keep_models else []
    return [word.format(**fill) for word in typed] + rest


def lines(given: argparse.Namespace) -> list[Line]:
    """Those asked for. Without an auto-encoder the comparison with one makes no sense."""
    chosen = [line for line in LINES if line.group in given.only]
    return chosen if given.base else [line for line in chosen if "{base} none" not in line.words]


def fill(given: argparse.Namespace, results: Results, progress: Progress) -> None:
    """Do what is missing, for so many minutes."""
    until = None if given.max_minutes is None else time.monotonic() + 60 * given.max_minutes
    settings: dict[str, Setting] = {}
    for group in given.only:
        for seed in given.seeds:
            for line in lines(given):
                if line.group != group:
                    continue
                args = arguments(line, given, seed)
                args.max_minutes = None if until is None else (until - time.monotonic()) / 60
                if args.max_minutes is not None and args.max_minutes <= 0:
                    return
                began, rows = time.monotonic(), len(results.rows)
                setting = _setting(args, line, settings, progress)
                finished = simulate.run_plans([simulate.make_plan(args, setting)], setting, results, args, progress)
                if len(results.rows) > rows:
                    print(f"({group}) {line.title}, seed {seed}: {len(results.rows) - rows} rows, "
                          f"{time.monotonic() - began:.0f} s", flush=True)  # fmt: skip
                if not finished:
                    return


def report(given: argparse.Namespace, results: Results, progress: Progress) -> None:
    wanted: dict[str, list[dict[str, str]]] = {}
    settings: dict[str, Setting] = {}
    for line in lines(given):
        args = arguments(line, given, None)
        setting = _setting(args, line, settings, progress)
        there = wanted.setdefault(line.title, [])
        there += [row for row in simulate.wanted_rows(simulate.make_plan(args, setting), setting) if row not in there]
    path, plots = simulate.write_report(given.out, results, wanted)
    rows = [row for group in wanted.values() for row in group]
    missing = sum(row not in results for row in rows)
    print(f"{path} and {len(plots)} plots; {missing} of {len(rows)} rows are missing")


def _setting(args: argparse.Namespace, line: Line, settings: dict[str, Setting], progress: Progress) -> Setting:
    """Folders are read once; auto-encoders are those of any line."""
    key = f"{line.data} {args.boxes} {sorted(set(args.base))}"
    if key not in settings:
        settings[key] = simulate.read_setting(args, progress)
    return settings[key]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_argument(parser)
    parser.add_argument("--base", type=Path, help="the auto-encoder; without one, random weights")
    parser.add_argument("--only", nargs="+", choices=sorted({line.group for line in LINES}), default=["a", "b", "c"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, help="of each training (default: the preset's)")
    parser.add_argument("--equal-seconds", type=float, default=400, help="training time of comparisons at equal time")
    parser.add_argument("--max-minutes", type=float, help="stop after so long")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device")
    parser.add_argument("--keep-models", action="store_true", help="in --work, for expected_error.py --model")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "figures" / "simulations.csv")
    parser.add_argument("--work", type=Path, help="folder of trainings (default: under --cache)")
    parser.add_argument("--list", action="store_true", help="print the commands")
    parser.add_argument("--report-only", action="store_true", help="tables and plots of what is there")
    given = parser.parse_args()
    given.work = given.work or given.cache / "simulations"
    if given.list:
        for line in lines(given):
            print(f"({line.group}) {line.title}\nscaf-gui {shlex.join(words(line, given))}\n")
        return
    results, progress = Results(given.out), Progress()
    if not given.report_only:
        print(machine(given.threads), flush=True)
        try:
            fill(given, results, progress)
        except KeyboardInterrupt:
            print("stopped; what is finished is in the file")
    report(given, results, progress)


if __name__ == "__main__":
    main()
