"""What the documents say is so: links, keys, commands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
    missing = [link for link in links if not (document.parent / link).exists()]
    assert missing == []


def test_the_readme_opens_with_the_window_and_names_the_two_commands() -> None:
    first = README.splitlines()[0]
    assert first.startswith("![") and "(docs/images/guide-overview.png)" in first
    for command in ("python3 packaging/dev.py run", "python3 packaging/dev.py test"):
        assert command in README


def test_the_keys_of_the_readme_are_those_of_the_program() -> None:
    from scaf_gui.gui.acts import ACTS

    titles = {key: act.title.lower() for act in ACTS for key in act.keys}
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", README, re.MULTILINE)[1:]
    assert len(rows) >= 6
    for keys, does in rows:
        acts = [titles[key] for key in keys.split(", ")]
        told = set(re.findall(r"[a-z]+", does.lower()))
        for act in acts:
            first = act.split()[0]
            assert first in told or act.startswith(("left", "right", "up", "down", "keyboard")), f"{keys}: {act}"


@pytest.mark.parametrize("document", [ROOT / "README.md", ROOT / "docs" / "cli.md"], ids=lambda path: path.name)
def test_the_commands_shown_are_understood(document: Path) -> None:
    from scaf_gui.cli.main import make_parser

    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("scaf-gui ")]
    assert lines
    for line in lines:
        words = shlex.split(line, comments=True)
        if not any(re.search(r"[\[|]|^[A-Z]+$", word) for word in words):  # a pattern, not an example
            assert make_parser().parse_args(words[1:]).run, line


def test_a_version_is_the_same_everywhere() -> None:
    from scaf_gui import __version__

    assert re.search(rf"^version: {re.escape(__version__)}$", (ROOT / "CITATION.cff").read_text("utf-8"), re.MULTILINE)
    assert re.search(rf"^## {re.escape(__version__)}\b", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)


def test_the_paper_of_the_method_is_cited() -> None:
    for name in ("README.md", "CITATION.cff"):
        assert "10.1007/978-3-031-06427-2_36" in (ROOT / name).read_text(encoding="utf-8")
