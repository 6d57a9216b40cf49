"""What the command line says: a progress bar on a terminal, lines or one JSON object at the end."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

BAR = 24


@dataclass(frozen=True)
class Outcome:
    """What a command hands back: ``values`` for ``--json`` (keys: docs/cli.md), ``lines`` for people."""

    values: dict[str, Any]
    lines: Sequence[str] = field(default_factory=tuple)


class Progress:
    """One line on standard error that is written over; silent where that is no terminal."""

    def __init__(self, quiet: bool = False):
        self._quiet = quiet
        self._shown = not quiet and sys.stderr.isatty()
        self._last = 0.0
        self._width = 0

    def __call__(self, title: str, done: float, total: float, note: str = "") -> None:
        now = monotonic()
        if not self._shown or (done < total and now - self._last < 0.1):
            return
        self._last = now
        share = min(done / total, 1.0) if total else 1.0
        filled = round(share * BAR)
        line = f"{title} [{'#' * filled}{'.' * (BAR - filled)}] {share:4.0%} {note}".rstrip()[:100]
        sys.stderr.write("\r" + line.ljust(self._width))
        sys.stderr.flush()
        self._width = len(line)

    def clear(self) -> None:
        """Take the bar away before something else is written."""
        if self._shown and self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()
            self._width = 0

    def say(self, line: str) -> None:
        """A line that stays, on a terminal only."""
        if self._shown and line:
            self.clear()
            sys.stderr.write(one_line(line) + "\n")

    def warn(self, line: str) -> None:
        """A line that must not be missed, also in a log file."""
        if line and not self._quiet:
            self.clear()
            print(f"scaf-gui: {one_line(line)}", file=sys.stderr, flush=True)


def one_line(text: str) -> str:
    """Text without line breaks."""
    return " ".join(text.split("\n")).strip()


def as_json(values: Any) -> str:
    """JSON in which figures that are not finite are null."""
    # ASCII: a pipe on Windows knows no more, and names of files may not even be Unicode
    return json.dumps(_finite(values))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
