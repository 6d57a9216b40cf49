"""Dividing faces into training, validation and test sets, so that no image, or no person, is in two of them."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from scaf_gui.errors import UsageError

NAMES = {1: ("",), 2: ("train", "test"), 3: ("train", "val", "test")}
SPLIT_BY = ("image", "subject")
_NUMBERED = re.compile(r"(.*?)[ ._-]*[0-9]+[a-z]?", re.IGNORECASE | re.DOTALL)


def parse_shares(text: str) -> dict[str, float]:
    """Shares by the name of the set: "80/20" is train and test, "80/10/10" train, val and test; "" is undivided.

    :raises UsageError: they are no two or three positive numbers
    """
    if not text.strip():
        return {"": 1.0}
    parts = re.split(r"[/:, ]+", text.strip())
    try:
        numbers = [float(part.removesuffix("%")) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) not in (2, 3) or not all(0 < number < 1e6 for number in numbers):
        raise UsageError(f"'{text}' are no shares; write them as 80/20 (train, test) or 80/10/10 (train, val, test)")
    return {name: number / sum(numbers) for name, number in zip(NAMES[len(numbers)], numbers, strict=True)}


def subject_of(image: str) -> str:
    """Who is in an image, by its name: the folder it lies in, else the name without the number at its end.

    "anna/01.jpg" is anna; "anna_01.jpg" is anna; a name that is but a number, or holds none, is a person of its own.
    """
    folder, _, name = image.rpartition("/")
    if folder:
        return folder
    stem = name.rpartition(".")[0] or name
    numbered = _NUMBERED.fullmatch(stem)
    return numbered[1] if numbered is not None and numbered[1] else stem


def divide(images: Sequence[str], shares: Mapping[str, float], by: str = "image", seed: int = 0) -> dict[str, str]:
    """The set of each image. The order is drawn by the seed and each name, so that more images move few of them.

    :param images: one entry per face: an image with two faces counts twice
    :param by: "image", or "subject": all images of a subject go into the same set
    :raises UsageError: the names do not tell subjects apart, or there are fewer groups than sets
    """
    if by not in SPLIT_BY:
        raise UsageError(f"'{by}' is none of {', '.join(SPLIT_BY)}")
    if len(shares) == 1:
        return dict.fromkeys(images, next(iter(shares)))
    group_of = {image: subject_of(image) if by == "subject" else image for image in images}
    counts = Counter(group_of[image] for image in images)
    if by == "subject" and (len(counts) < len(shares) or len(counts) == len(group_of) > 1):
        raise UsageError(
            "the images' names do not tell who is in them: a folder per person is wanted, or names such as anna_01.jpg"
        )
    if len(counts) < len(shares):
        raise UsageError(f"{len(counts)} image{'s' * (len(counts) != 1)} cannot be divided into {len(shares)} sets")
    sets = _fill(_drawn(counts, seed), counts, shares)
    return {image: sets[group] for image, group in group_of.items()}


def _drawn(groups: Iterable[str], seed: int) -> list[str]:
    def lot(group: str) -> bytes:
        return hashlib.blake2b(f"{seed}:{group}".encode("utf-8", "surrogatepass"), digest_size=8).digest()

    return sorted(groups, key=lambda group: (lot(group), group))


def _fill(drawn: Sequence[str], counts: Mapping[str, int], shares: Mapping[str, float]) -> dict[str, str]:
    """Groups in their drawn order, each to the set in whose share its middle falls; no set stays empty."""
    total = sum(counts.values())
    names = list(shares)
    bounds = [sum(list(shares.values())[: k + 1]) * total for k in range(len(names))]
    sets: dict[str, str] = {}
    done, at = 0, 0
    for place, group in enumerate(drawn):
        middle = done + counts[group] / 2
        left = len(drawn) - place
        begun = any(name == names[at] for name in sets.values()) if at else bool(sets)
        while at + 1 < len(names) and begun and (middle > bounds[at] or left <= len(names) - 1 - at):
            at += 1
            begun = False
        sets[group] = names[at]
        done += counts[group]
    return sets
