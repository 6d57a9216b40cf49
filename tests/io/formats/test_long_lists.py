"""Lists of a million lines: read as a stream, and refused at the very line that is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import LabelFileError
from scaf_gui.io.box_files import read_boxes
from scaf_gui.io.formats import LabelledFace, formats

LINES = 1_000_000
#: reads a list, one face after the other, and prints how many there were and by how many MB the process has grown
COUNT = """
import json, resource, sys
from pathlib import Path
from scaf_gui import paths
from scaf_gui.core.scheme import load_scheme
from scaf_gui.io.formats import LabelledFace, formats
import scaf_gui.io.formats.files
format_id, scheme, path = sys.argv[1:]
scheme = load_scheme(paths.resource_folder() / "schemes" / f"{scheme}.json")
read = lambda path: sum(isinstance(face, LabelledFace) for face in formats()[format_id].scan(path, scheme, ["a.jpg"]))
read(Path(path).with_name("short"))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = read(Path(path))
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps([count, grown / (1024 if sys.platform != "darwin" else 1024**2)]))
"""


def lists(folder: Path, format_id: str, wrong: str = "") -> Path:
    """A list of a million lines, which people leave blank between faces, and the same with few lines ("short")."""
    header, face = "", " ".join(["12.5"] * 196 + ["1 2 90 90", "0 0 0 0 0 0", "a.jpg"])
    if format_id == "csv":
        header = ",".join(["image", *(f"{number}_{axis}" for number in range(1, 6) for axis in "xy")]) + "\n"
        face = "a.jpg," + ",".join(["12.5"] * 10)
    (folder / "short").write_text(header + f"{face}\n" * 10)
    path = folder / "list.txt"
    with path.open("w") as file:
        file.write(header)
        block = f"{face}\n" + " " * 60 + "\n" * 999
        for _ in range(LINES // 1000):
            file.write(block)
        file.write(wrong)
    return path


@pytest.mark.parametrize(("format_id", "scheme"), [("wflw", "wflw-98"), ("csv", "five-5")])
def test_memory_does_not_grow(tmp_path: Path, format_id: str, scheme: str) -> None:
    pytest.importorskip("resource", reason="this system does not tell how large a process was")
    path = lists(tmp_path, format_id)
    done = subprocess.run(
        [sys.executable, "-c", COUNT, format_id, scheme, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    count, grown = json.loads(done.stdout)
    assert count == LINES // 1000
    assert path.stat().st_size > 1_000_000 and grown < 8, "MB; the lines alone would take sixty"


@pytest.mark.parametrize("format_id", ["wflw", "csv"])
def test_the_line_that_is_wrong_is_named(tmp_path: Path, format_id: str, scheme_98: Scheme, five: Scheme) -> None:
    path = lists(tmp_path, format_id, "nonsense\n")
    line = LINES + 1 + (format_id == "csv")
    found = 0
    with pytest.raises(LabelFileError, match=rf"list\.txt, line {line}: has 1 fields where"):
        for face in formats()[format_id].scan(path, scheme_98 if format_id == "wflw" else five, ["a.jpg"]):
            found += isinstance(face, LabelledFace)
    assert found == LINES // 1000


def test_a_million_boxes_and_a_wrong_one(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    block = "a.jpg,1,2,30,40\n" + " " * 60 + "\n" * 999
    path.write_text("image,x,y,width,height\n" + block * (LINES // 1000) + "a.jpg,1,2,0,40\n")
    with pytest.raises(LabelFileError, match=rf"boxes\.csv, line {LINES + 2}: "):
        read_boxes("csv", path, ["a.jpg"])
