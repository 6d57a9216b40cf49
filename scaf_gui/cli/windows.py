"""Commands that open the window: gui and demo."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from scaf_gui.cli.output import Progress


def register(commands: Any) -> None:
    gui = commands.add_parser("gui", help="open the window (also without any command)")
    gui.add_argument("path", type=Path, nargs="?", metavar="FOLDER|P.scaf", help="a folder of images or a project")
    gui.add_argument("--sample", action="store_true", help="open the sample faces")
    gui.set_defaults(run=run_gui)

    demo = commands.add_parser("demo", help="a whole session on the sample, without a display: labels and screenshots")
    demo.add_argument("--out", type=Path, required=True, metavar="DIR")
    demo.set_defaults(run=run_demo)


def run_gui(args: argparse.Namespace, progress: Progress) -> int:
    from scaf_gui.gui.run import run_gui

    return run_gui(args.path, sample=args.sample)


def run_demo(args: argparse.Namespace, progress: Progress) -> int:
    from scaf_gui.gui.demo import run_demo

    return run_demo(args.out)
