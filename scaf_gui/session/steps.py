"""Long jobs are generators, which tell how far they are; here they are run to their ends by those who need not know."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

Result = TypeVar("Result")


def result_of(work: Generator[Any, None, Result]) -> Result:
    """Run a job to its end; returns what it returns."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: Result = end.value
            return result
