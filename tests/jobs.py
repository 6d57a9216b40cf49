"""Generators, run to their ends."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any


def finish(work: Generator[Any, None, Any], take: Callable[[Any], object] | None = None) -> tuple[Any, list[Any]]:
    """What a generator returned, and all that it yielded.

    :param take: is given each as it comes
    """
    seen = []
    while True:
        try:
            seen.append(next(work))
        except StopIteration as end:
            return end.value, seen
        if take is not None:
            take(seen[-1])
