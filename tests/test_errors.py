"""Errors are one line, name the file, and form the tree that their module draws."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from scaf_gui import errors
from scaf_gui.errors import InputError, ScafError

CLASSES = dict(inspect.getmembers(errors, lambda item: inspect.isclass(item) and issubclass(item, ScafError)))


def drawn_tree() -> dict[str, str]:
    """Parent of every name in the module's drawing."""
    parents: dict[str, str] = {}
    above: dict[int, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"([\s│├└─]*)([A-Z]\w+)", line)
        if not found or found[2] not in CLASSES:
            continue
        depth = len(found[1])
        if lower := [level for level in above if level < depth]:
            parents[found[2]] = above[max(lower)]
        above = {level: name for level, name in above.items() if level < depth} | {depth: found[2]}
    return parents


def test_every_error_is_drawn() -> None:
    assert set(drawn_tree()) | {"ScafError"} == set(CLASSES)


@pytest.mark.parametrize("name", sorted(set(CLASSES) - {"ScafError"}))
def test_every_error_has_a_place_under_the_base(name: str) -> None:
    assert CLASSES[name].__base__.__name__ != "Exception"
    # ProjectError is an InputError too, though it is drawn apart.
    assert issubclass(CLASSES[name], CLASSES[drawn_tree()[name]])


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (InputError("is empty"), "is empty"),
        (InputError("is empty", "a/b.jpg"), "a/b.jpg: is empty"),
        (InputError("has no number", Path("x.pts"), 7), "x.pts, line 7: has no number"),
        (InputError("is empty", "new\nline.jpg"), "new\\nline.jpg: is empty"),
    ],
)
def test_the_text_is_one_line_that_names_the_file(error: InputError, text: str) -> None:
    assert str(error) == text and "\n" not in str(error)


def test_file_and_line_can_be_asked_for() -> None:
    error = errors.LabelFileError("is odd", "x.pts", 3)
    assert (error.path, error.line) == (Path("x.pts"), 3)
    assert InputError("is odd").path is None
