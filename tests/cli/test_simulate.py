"""``scaf-gui simulate`` as a whole, killed on the way, and what it refuses."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scaf_gui.paths import model_folder

ROOT = Path(__file__).parents[2]
#: the program with a preset of a few small steps
TINY = """
import sys, torch
from dataclasses import replace
from scaf_gui.cli.main import run
from scaf_gui.learning.presets import PRESETS
from tests.narrow import narrow
narrow()
PRESETS["tiny"] = replace(PRESETS["default"], name="tiny", batch=2, quick_steps=2, full_steps=3, full_epochs=1, ema=0.0)
torch.set_num_threads(1)
sys.exit(run(sys.argv[1:]))
"""


@pytest.fixture
def folders(rendered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``pool`` (10 faces) and ``test`` (3), labels beside the images; the folder that commands run in."""
    for number in range(1, 14):
        folder = tmp_path / ("pool" if number <= 10 else "test")
        folder.mkdir(exist_ok=True)
        shutil.copy(rendered / "images" / f"face {number}.png", folder)
        shutil.copy(rendered / "truth" / f"face {number}.pts", folder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


WORDS = ["simulate", "pool", "--test", "test", "--preset", "tiny", "--first", "3", "--labels", "5", "--add", "2",
         "--seeds", "0", "--acquisition", "nnm-10", "random", "--device", "cpu", "--out", "r.csv"]  # fmt: skip


def test_a_small_table_is_reproduced_though_the_process_is_killed(folders, scaf, tiny, slim):
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", TINY, *WORDS], stderr=subprocess.PIPE, env=here)
    try:
        until = time.monotonic() + 300
        while not read(folders / "r.csv"):
            if process.poll() is not None or time.monotonic() > until:
                break
            time.sleep(0.02)
    finally:
        process.kill()
        _, told = process.communicate()
    first = read(folders / "r.csv")
    assert 0 < len(first) < 4, told

    done = scaf(*WORDS)
    rows = read(folders / "r.csv")
    assert rows[: len(first)] == first
    assert done["rows"] == 4 and done["missing"] == 0 and done["added"] == 4 - len(first)
    assert {(row["acquisition"], row["labels"]) for row in rows} == {
        (function, labels) for function in ("nnm-10", "random") for labels in ("3", "5")
    }
    # the first round is one model; after it the functions part
    assert len({row["model"] for row in rows if row["labels"] == "3"}) == 1
    report = (folders / "r.md").read_text(encoding="utf-8")
    nme = {(row["acquisition"], row["labels"]): float(row["nme"]) for row in rows}
    for function in ("nnm-10", "random"):
        assert f"| {function} | {nme[function, '3']:.2f} | {nme[function, '5']:.2f} |" in report
    assert [Path(plot).name for plot in done["plots"]] == ["r-test-nme.svg", "r-test-drags.svg"]
    assert all(Path(plot).is_file() for plot in done["plots"])

    again = scaf(*WORDS, "--seeds", 0, 1, "--max-minutes", 0.0001)
    assert (again["added"], again["rows"], again["missing"]) == (0, 8, 4)
    assert "(1 of 2 seeds)" in (folders / "r.md").read_text(encoding="utf-8")

    (folders / "r.md").unlink()
    only = scaf("simulate", "pool", "--out", "r.csv", "--report-only", "--title", "All that is there")
    assert (only["rows"], only["missing"], only["added"]) == (4, 0, 0)
    assert "## All that is there" in (folders / "r.md").read_text(encoding="utf-8")
    section = re.search(
        r"^## simulate\b.*?(?=^## )", (ROOT / "docs" / "cli.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert section is not None and set(only) == set(re.findall(r"`(\w+)`", "\n".join(
        line.split("|")[1] for line in section[0].splitlines() if line.startswith("| `")
    )))  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing to measure on"),
        (["--test", "test", "--labels", "11"], "11 labels"),
        (["--test", "test", "--labels", "2"], "2 labels are fewer"),
        (["--test", "test", "--acquisition", "nnm-10", "--add", "0"], "nnm-10 needs rounds"),
        (["--test", "test", "--acquisition", "best"], "no acquisition function 'best'"),
        (["--test", "x=pool"], r"face 1.png of 'x' is in the pool too"),
        (["--test", "gone"], "gone"),
        (["--test", "test", "--scheme", "wflw-98"], "98"),
        (["--test", "test", "--preset", "best"], "no preset 'best'"),
    ],
)
def test_refusals_are_one_line_and_leave_nothing(folders, scaf, words, said):
    code, line = scaf("simulate", "pool", "--first", "3", "--labels", "5", "--out", "r.csv", *words, fails=True)
    assert code == 2 and said in line and line.count("\n") == 1
    assert not (folders / "r.csv").exists()


def test_a_model_that_has_seen_labels_is_no_base(folders, scaf):
    starter = next(model_folder().glob("starter*.safetensors"))
    code, line = scaf("simulate", "pool", "--test", "test", "--out", "r.csv", "--base", starter, fails=True)
    assert code == 2 and "is a landmark model trained on" in line and "random weights" in line
