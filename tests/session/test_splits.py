from __future__ import annotations

from collections import Counter

import pytest

from scaf_gui.errors import UsageError
from scaf_gui.session.splits import divide, parse_shares, subject_of


def test_shares() -> None:
    assert parse_shares("") == {"": 1.0}
    assert parse_shares("80/20") == {"train": 0.8, "test": 0.2}
    assert parse_shares("70:20:10") == pytest.approx({"train": 0.7, "val": 0.2, "test": 0.1})
    for text in ("100", "80/x", "80/0", "-1/2", "1/2/3/4", "nan/1"):
        with pytest.raises(UsageError, match="are no shares"):
            parse_shares(text)


def test_images_are_divided_by_share_and_seed() -> None:
    images = [f"{k}.jpg" for k in range(200)]
    sets = divide(images, parse_shares("70/20/10"))
    assert Counter(sets.values()) == {"train": 140, "val": 40, "test": 20}
    assert divide(images[::-1], parse_shares("70/20/10")) == sets, "the order they come in does not matter"
    assert divide(images, parse_shares("70/20/10"), seed=1) != sets
    more = divide([*images, *(f"new {k}.jpg" for k in range(20))], parse_shares("70/20/10"))
    assert sum(more[image] != sets[image] for image in images) <= 20
    assert set(divide(["a", "b", "c"], parse_shares("98/1/1")).values()) == {"train", "val", "test"}
    with pytest.raises(UsageError, match="1 image cannot be divided into 2"):
        divide(["a", "a"], parse_shares("50/50"))


def test_subjects_stay_together() -> None:
    assert [subject_of(n) for n in ("anna/1.jpg", "anna_01.jpg", "bo-2b.png", "anna.jpg", "007.jpg")] == [
        "anna", "anna", "bo", "anna", "007"
    ]  # fmt: skip
    images = [f"{name}_{k}.jpg" for name in ("ann", "bo", "cy", "di", "ed") for k in range(8)]
    sets = divide(images, parse_shares("60/40"), "subject", 3)
    assert Counter(sets.values()) == {"train": 24, "test": 16}
    assert all(len({sets[f"{name}_{k}.jpg"] for k in range(8)}) == 1 for name in ("ann", "bo", "cy", "di", "ed"))
    for names in (["x.jpg", "y.jpg", "z.jpg"], ["a_1.jpg", "a_2.jpg"]):
        with pytest.raises(UsageError, match="do not tell who"):
            divide(names, parse_shares("50/50"), "subject")
