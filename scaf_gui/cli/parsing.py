"""Argument parsing: one-line errors, and choices that are looked up only when they are needed."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from scaf_gui.errors import UsageError


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as every other error."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see '{self.prog} --help'")


class Choices:
    """The names in a registry, loaded at the first look: some registries import torch."""

    def __init__(self, names: Callable[[], Sequence[str]]):
        self._names = names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __contains__(self, name: object) -> bool:
        return name in self._names()


def project_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", type=Path, metavar="P.scaf", help="the project file")


def device_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device", metavar="D", choices=Choices(_devices), default=None, help="%(choices)s (default: your setting)"
    )


def _devices() -> Sequence[str]:
    from scaf_gui.settings import SETTINGS

    return next(tuple(map(str, setting.choices)) for setting in SETTINGS if setting.key == "device")


def share(text: str) -> float:
    """A number from 0 to below 1."""
    value = float(text)
    if not 0.0 <= value < 1.0:
        raise argparse.ArgumentTypeError(f"{text} is not in [0, 1)")
    return value


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def seconds(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number of seconds")
    return value
