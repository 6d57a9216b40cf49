"""The guide: its table of keys is the program's, its pictures are there and small."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
GUIDE = ROOT / "docs" / "guide.md"
TEXT = GUIDE.read_text(encoding="utf-8")
PICTURES = re.findall(r"!\[([^\]]+)\]\((images/[^)]+)\)", TEXT)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    found = importlib.util.spec_from_file_location("guide_screenshots", ROOT / "packaging" / "guide_screenshots.py")
    assert found is not None and found.loader is not None
    made = importlib.util.module_from_spec(found)
    found.loader.exec_module(made)
    return made


def test_the_table_of_keys_is_up_to_date(script: ModuleType) -> None:
    assert TEXT.count(script.BEGIN) == TEXT.count(script.END) == 1
    assert script.with_keys(TEXT) == TEXT, "run: python packaging/guide_screenshots.py --keys-only"
    assert script.with_keys(script.with_keys(TEXT)) == TEXT


def test_keys_in_the_text_are_keys_of_the_program() -> None:
    from scaf_gui.gui.acts import ACTS

    known = {key for act in ACTS for key in act.keys} | {"Esc", "Shift", "Alt", "Ctrl"}
    told = set(re.findall(r"`([^`\s]+)`", TEXT.partition("## Every key")[0]))
    assert told and told <= known, told - known


def test_pictures_are_described_there_and_small() -> None:
    assert len(PICTURES) >= 12 and all(len(text) > 15 for text, _ in PICTURES)
    sizes = [(GUIDE.parent / path).stat().st_size for _, path in PICTURES]
    assert max(sizes) < 130_000 and sum(sizes) < 1_500_000


def test_every_picture_is_made_by_the_script() -> None:
    source = (ROOT / "packaging" / "guide_photographer.py").read_text(encoding="utf-8")
    for _, path in PICTURES:
        name = path.removeprefix("images/guide-").removesuffix(".png")
        assert f'"{name}"' in source
