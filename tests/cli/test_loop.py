"""The whole loop by command line, and that it says what docs/cli.md promises."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

import numpy as np

from scaf_gui.app import main

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"


def documented(command: str) -> set[str]:
    """Keys in the table of a command's section."""
    section = re.split(r"^## ", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    text = next(part for part in section if re.match(rf"{command}\b", part))
    rows = re.findall(r"^\| (`.*?) \|", text, flags=re.MULTILINE)
    return {key for row in rows for key in re.findall(r"`(\w+)`", row)}


def test_the_whole_loop(here, scaf, tiny, slim, monkeypatch):
    for module in ("crops", "predictor"):  # after two steps of training a prediction leads nowhere
        monkeypatch.setattr(f"scaf_gui.learning.{module}.elsewhere", lambda *_: None)
    made = scaf("create", "p.scaf", "--images", "images", "--boxes", "whole", "--no-starter", "--seed", 3)
    assert (made["images"], made["faces"], made["without_face"], made["model"]) == (22, 22, [], None)
    assert set(made) == documented("create")

    queue = scaf("queue", "p.scaf")
    assert set(queue) == documented("queue") - {"face", "image", "state", "score"}
    assert queue["acquisition"] == "random" and len(queue["faces"]) == 22
    first = [row["image"] for row in queue["faces"]]
    assert first != sorted(first)

    labelled = scaf("label-from", "p.scaf", "truth", "--count", 2)
    assert labelled["images"] == first[:2] and set(labelled) == documented("label-from")
    assert labelled["before"]["faces"] == 0 and labelled["before"]["nme"] is None

    trained = scaf("train", "p.scaf", "--preset", "tiny", "--device", "cpu")
    assert trained["kept_new"] and trained["scored"] == 20 and trained["ranked_by"] == "nnm"
    assert set(trained) == documented("train")
    predicted = scaf("predict", "p.scaf", "--device", "cpu")
    assert predicted["predicted"] == 20 == predicted["waiting"] and set(predicted) == documented("predict")

    plain_nnm_order(here, scaf)

    top = scaf("queue", "p.scaf", "--top", 3)
    assert len(top["faces"]) == 3 and top["waiting"] == 20
    labelled = scaf("label-from", "p.scaf", "truth", "--count", 3)
    assert labelled["images"] == [row["image"] for row in top["faces"]]
    assert labelled["before"]["faces"] == 3 and labelled["before"]["nme"] > 0

    trained = scaf("train", "p.scaf", "--preset", "tiny", "--mode", "full", "--seed", 5, "--device", "cpu")
    assert trained["judged_on"] >= 1
    assert trained["new_error"] < trained["old_error"] or not trained["kept_new"]

    exported = scaf("export", "p.scaf", "--format", "300w", "--out", "out")
    assert (exported["written"], exported["predicted"]) == (5, 0) and set(exported) == documented("export")
    for file in exported["files"]:
        assert Path(file).read_bytes() == (Path("truth") / Path(file).name).read_bytes()
    everything = scaf("export", "p.scaf", "--format", "300w", "--out", "all", "--include", "all")
    assert (everything["written"], everything["labelled"], everything["predicted"]) == (22, 5, 17)

    figures = scaf("evaluate", "p.scaf", "--truth", "truth", "--device", "cpu")
    assert set(figures) == documented("evaluate")
    assert figures["faces"] + figures["trained_on"] == 22 and figures["drags_3"] > 0
    assert scaf("evaluate", "p.scaf", "--truth", "truth", "--what", "labels")["nme"] < 1e-4
    oracle = scaf(
        "evaluate", "p.scaf", "--truth", "truth", "--images", "images", "--boxes", "landmarks", "--device", "cpu"
    )
    assert oracle["faces"] == 22

    imported = scaf("import", "p.scaf", "--format", "300w", "--from", "truth")
    assert (imported["imported"], imported["unchanged"]) == (17, 5) and set(imported) == documented("import")
    info = scaf("info", "p.scaf", "--system")
    assert info["states"] == {"unlabelled": 0, "started": 0, "labelled": 22, "skipped": 0}
    assert set(info) == documented("info") - {"unlabelled", "started", "labelled", "skipped"} - set(info["system"])
    assert info["system"]["device_why"] and all(f"`{key}`" in DOCS.read_text() for key in info["system"])
    assert not list(here.glob("*.scaf-*al")) and sqlite3.connect("p.scaf").close() is None


def plain_nnm_order(here: Path, scaf) -> None:
    """NNM by the plain double loop from saved heatmaps, borders included, gives the order of the queue."""
    from scaf_gui.core.geometry import crop_square
    from scaf_gui.io.images import read_image
    from scaf_gui.learning.checkpoint import load_checkpoint
    from scaf_gui.learning.crops import cut_crop
    from scaf_gui.learning.device import choose_device
    from scaf_gui.learning.predictor import Predictor
    from scaf_gui.session.project import open_project

    queue = scaf("queue", "p.scaf", "--acquisition", "nnm", "--discard", "0.1")
    session = open_project(Path("p.scaf"))
    try:
        checkpoint = load_checkpoint(Path(session.model.path), session.scheme)
        faces = {face_id: session.document.face(face_id) for face_id in session.agenda.waiting()}
    finally:
        session.close()
    predictor = Predictor(checkpoint, choose_device("cpu"), checkpoint.scheme)
    for face_id, face in faces.items():
        crop = cut_crop(read_image(Path("images") / face.image), crop_square(face.box), predictor.crop_size)
        np.save(here / f"{face_id}.npy", predictor.heatmaps([crop])[0].numpy()[0])

    reach = checkpoint.meta["nnm_window"] // 2
    assert reach >= 1
    scores, at_border = {}, 0
    for face_id in faces:
        total = 0.0
        for heatmap in np.load(here / f"{face_id}.npy"):
            height, width = heatmap.shape
            row, column = np.unravel_index(heatmap.argmax(), heatmap.shape)
            at_border += not (reach <= row < height - reach and reach <= column < width - reach)
            for y in range(row - reach, row + reach + 1):
                for x in range(column - reach, column + reach + 1):
                    if 0 <= y < height and 0 <= x < width:
                        total += float(heatmap[y, x])
        scores[face_id] = -total
    assert at_border > 0
    by_score = sorted(scores, key=lambda face_id: -scores[face_id])
    cut = len(by_score) // 10
    drawn = {row["face"] for row in queue["faces"] if row["drawn"]}  # these have places of their own
    usual = [face_id for face_id in by_score[cut:] + by_score[:cut] if face_id not in drawn]
    assert len(drawn) == len(by_score) // 10
    assert [row["face"] for row in queue["faces"] if not row["drawn"]] == usual
    assert {row["face"] for row in queue["faces"] if row["set_aside"]} == set(by_score[:cut]) - drawn
    for row in queue["faces"]:
        np.testing.assert_allclose(row["score"], scores[row["face"]], rtol=1e-4, atol=1e-4)


def test_people_get_lines_and_pipes_get_no_progress_bar(here, scaf, capsys):
    scaf("create", "p.scaf", "--images", "images", "--boxes", "whole", "--no-starter")
    assert main(["queue", "p.scaf", "--top", "2"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("22 faces wait, ordered by random") and len(out.splitlines()) == 3 and err == ""
    assert main(["schemes"]) == 0
    assert "wflw-98" in capsys.readouterr().out
    schemes = scaf("schemes")["schemes"]
    assert {"300w-68", "wflw-98", "scut-86", "five-5"} <= {row["id"] for row in schemes}
    assert set(schemes[0]) <= documented("schemes") | {"id", "title", "landmarks", "file"}


def test_a_terminal_gets_a_progress_bar(here, scaf, capsys, monkeypatch):
    import sys

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["create", "p.scaf", "--images", "images", "--boxes", "whole", "--no-starter"]) == 0
    err = capsys.readouterr().err
    assert "Finding faces [" in err and "100%" in err and err.endswith("\r")


def test_json_without_nan(here, scaf, capsys):
    scaf("create", "p.scaf", "--images", "images", "--boxes", "whole", "--no-starter")
    assert main(["evaluate", "p.scaf", "--truth", "truth", "--what", "labels", "--json"]) == 0
    text = capsys.readouterr().out
    assert "NaN" not in text and json.loads(text)["nme"] is None
