"""The commands, put together; errors become one line on standard error."""

from __future__ import annotations

import argparse
import io
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from scaf_gui import __version__, paths
from scaf_gui.cli import check, lean, learning, pretrain, projects, similar, simulate, weights, windows
from scaf_gui.cli.output import Outcome, Progress, as_json, one_line
from scaf_gui.cli.parsing import Parser
from scaf_gui.errors import ScafError, UsageError

OK, FAILED, INTERRUPTED = 0, 2, 130


def make_parser() -> Parser:
    parser = Parser(
        prog="scaf-gui",
        description="Label facial landmarks with a model that learns from every correction. "
        "Without a command the window opens, on a folder or project where one is given.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for module in (projects, check, lean, learning, pretrain, similar, simulate, weights, windows):
        module.register(commands)
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true", help="one JSON object on standard output (docs/cli.md)")
        command.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def run(argv: Sequence[str]) -> int:
    """Run one command line; returns the exit code: 0, 2 (an error) or 130 (interrupted)."""
    debug = "--debug" in argv
    _make_writable()
    progress = Progress(quiet="--json" in argv)
    try:
        args = make_parser().parse_args(_with_command(argv))
        outcome = args.run(args, progress)
        progress.clear()
        if isinstance(outcome, Outcome):
            print(as_json(outcome.values) if args.json else "\n".join(outcome.lines))
            return OK
        return int(outcome)
    except ScafError as error:
        progress.clear()
        if debug:
            traceback.print_exc()
        return _failed(str(error))
    except KeyboardInterrupt:
        progress.clear()
        _failed("stopped; what was done so far is saved")
        return INTERRUPTED
    except BrokenPipeError:
        # whoever read our output has gone (head): nothing more to say, and nothing is wrong
        sys.stderr.close()
        return OK
    except Exception as error:
        progress.clear()
        if debug:
            traceback.print_exc()
            return _failed(f"unexpected error: {error!r}")
        return _failed(f"unexpected error: {error!r}; {_log_hint()}")


def _make_writable() -> None:
    """Let every text be printed: without a console (pythonw) there are no streams, and a pipe on Windows takes only the
    letters of its code page, others no names that are not Unicode; such letters are written as escapes."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - until the end
        elif isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors="backslashreplace")


def _with_command(argv: Sequence[str]) -> list[str]:
    """``scaf-gui``, ``scaf-gui FOLDER`` and ``scaf-gui P.scaf`` open the window.

    :raises UsageError: the first word is neither a command nor something that exists
    """
    if not argv:
        return ["gui"]
    first = argv[0]
    commands = next(a for a in make_parser()._actions if isinstance(a, argparse._SubParsersAction)).choices
    if first == "--sample":
        return ["gui", *argv]
    if first.startswith("-") or first in commands:
        return list(argv)
    if Path(first).exists() or first.endswith(".scaf") or "/" in first or "\\" in first:
        return ["gui", *argv]
    raise UsageError(f"'{first}' is neither a command nor a folder; commands: {', '.join(commands)}")


def _failed(message: str) -> int:
    print(f"scaf-gui: {one_line(message)}", file=sys.stderr)
    return FAILED


def _log_hint() -> str:
    """Write the traceback beside the caches, and say where."""
    path = paths.cache_folder() / "error.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(traceback.format_exc(), encoding="utf-8")
    except OSError:
        return "run it again with --debug for the traceback"
    return f"the traceback is in {path}"
