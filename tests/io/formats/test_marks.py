"""Which landmark a label file means, by name or by number."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats.marks import by_landmark, landmark_numbers
from scaf_gui.io.formats.xml import Element

FILE = Path("labels.xml")


def marks(*names: str) -> list[Element]:
    return [Element("part", {"name": name}, line) for line, name in enumerate(names, 7)]


def test_names_come_before_numbers(five: Scheme) -> None:
    first, last = five.names[0], five.names[-1]
    assert landmark_numbers([last, first, "3", "nose hair"], five) == {last: 4, first: 0}


def test_numbers_count_from_0_unless_they_cannot(five: Scheme) -> None:
    assert landmark_numbers(["0", "04", "2"], five) == {"0": 0, "04": 4, "2": 2}
    assert landmark_numbers(["1", "5"], five) == {"1": 0, "5": 4}
    assert landmark_numbers(["1", "4"], five) == {"1": 1, "4": 4}, "nothing says that they count from 1"
    assert landmark_numbers(["0", "5", "-1", "1.0", "١", "123456"], five) == {"0": 0}


def test_marks_by_landmark(five: Scheme) -> None:
    given = marks("2", "0")
    assert by_landmark(given, "name", five, FILE) == {2: given[0], 0: given[1]}
    assert by_landmark([], "name", five, FILE) == {}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("0", "1", "0"), "labels.xml, line 9: has the landmark '0' twice"),
        (("1", "01"), "labels.xml, line 8: has the landmark '01' twice"),
        (("0", "9"), "labels.xml, line 8: has a landmark '9', which .* does not have"),
        (("", "1"), "labels.xml, line 7: has a landmark '', which"),
    ],
)
def test_what_cannot_be_meant_names_the_line(five: Scheme, names: tuple[str, ...], message: str) -> None:
    with pytest.raises(LabelFileError, match=message):
        by_landmark(marks(*names), "name", five, FILE)
