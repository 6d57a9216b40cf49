"""The promise that a refresh never makes pre-fill worse: NME and drags after 0, 10, 20, 50 labels of a user.

    python tests/benchmarks/refresh_gain.py --data DATA [--set dev ytf68] [--labels 0 10 20 50] [--seeds 0 1 2]
        [--mode quick|full|none] [--starter FILE]

A real project (``Session``) of 56 faces of ``300w/dev``, photos of the kind that the starter has learnt from,
or of 120 faces of ``ytf68``, which it has not: labelled by their true landmarks in the order of the queue, a refresh at
each number of labels, judged and adopted or not as in the window. The other 38 (100 others of ``ytf68``) are
predicted by the model in use, with true boxes; the row of 0 labels is the starter. "As shown": with the correction that
learns from each face at once, by the function that corrects what the window shows; ``--mode none`` is that correction
alone, without any refresh. A finished seed is not run again; ``--table`` prints what there is.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from faces import ROOT, add_data_argument, data_folder, labelled_faces, machine, read_image, scheme_68

from scaf_gui.core.corrector import correct
from scaf_gui.core.face import Prediction
from scaf_gui.core.metrics import Evaluation
from scaf_gui.core.scheme import Scheme
from scaf_gui.learning.device import choose_device
from scaf_gui.learning.examples import Example
from scaf_gui.session import models
from scaf_gui.session.annotator import label_from
from scaf_gui.session.events import RefreshResult
from scaf_gui.session.project import new_project
from scaf_gui.session.session import Session

COLUMNS = ("set", "mode", "seed", "labels", "model", "nme", "drags_3", "nme_shown", "drags_3_shown", "learnt_from",
           "kept_new", "old_error", "new_error", "judged_on", "seconds", "eval_faces", "message")  # fmt: skip
#: folder, faces of the user's, faces to evaluate on (``None``: all others)
SETS = {"dev": ("300w/dev", 56, None), "ytf68": ("ytf68", 120, 100)}


def split(faces: list[Example], own: int, others: int | None, seed: int) -> tuple[list[Example], list[Example]]:
    """The user's faces and those to evaluate on: another split for each seed."""
    order = np.random.default_rng(seed).permutation(len(faces))
    mine, rest = order[:own], order[own:]
    return [faces[i] for i in mine], [faces[i] for i in rest[: others or len(rest)]]


def one_seed(given: argparse.Namespace, name: str, seed: int) -> None:
    scheme = scheme_68()
    folder, own, others = SETS[name]
    mine, evaluated = split(labelled_faces(data_folder(given) / folder, scheme), own, others, seed)
    evaluated = evaluated[: given.eval_faces or None]
    with tempfile.TemporaryDirectory() as home:
        images = Path(home) / "images"
        images.mkdir()
        for face in mine:
            for path in (Path(face.image), Path(face.image).with_suffix(".pts")):
                shutil.copy(path, images)
        session = new_project(Path(home) / "user.scaf", images, boxes=f"landmarks:{images}", seed=seed)
        try:
            rows = list(run(given, session, images, evaluated, scheme))
        finally:
            session.close()
    append(given.out, [{"set": name, "seed": seed, "mode": given.mode, **row} for row in rows])


def run(given: argparse.Namespace, session: Session, images: Path, evaluated: list[Example], scheme: Scheme):  # type: ignore[no-untyped-def]
    """A row for each number of labels; the last model's figures stand where a refresh kept the old one."""
    drive(session, session.find_boxes())
    if given.starter is not None:
        assert session.model is not None
        other = replace(session.model, id=models.metadata(given.starter)["id"], path=str(given.starter))
        session.work.use_model(other)
    session.instant.enabled = True
    device, measured = choose_device(given.device), {}
    done = 0
    for labels in given.labels:
        row: dict[str, object] = {"labels": labels, "eval_faces": len(evaluated)}
        if labels > done:
            for _ in label_from(session, images, labels - done):
                pass
            done = labels
            drive(session, session.prefill(device=given.device))
            if given.mode != "none":
                row |= refreshed(given, session)
        model = session.model
        assert model is not None
        if model.id not in measured:
            predictor = session.predictors.get(model, given.device, session.scheme)
            measured[model.id] = predict(predictor, model.id, evaluated)
        raw, corrector = measured[model.id], session.instant.corrector
        figures = Evaluation.of([(one.points, face.points) for one, face in zip(raw, evaluated, strict=True)], scheme)
        pairs = [(correct(one, corrector).points, face.points) for one, face in zip(raw, evaluated, strict=True)]
        shown = Evaluation.of(pairs, scheme)
        row |= {"model": model.id, "nme": figures.nme, "drags_3": figures.drags_3, "nme_shown": shown.nme,
                "drags_3_shown": shown.drags_3, "learnt_from": corrector.faces if corrector else 0}  # fmt: skip
        said = row.get("message", device.why)
        print(f"{labels} labels: NME {figures.nme:.3f} drags {figures.drags_3:.2f}; as shown NME {shown.nme:.3f} drags "
              f"{shown.drags_3:.2f}, learnt from {row['learnt_from']}; {said}", flush=True)  # fmt: skip
        yield row


def refreshed(given: argparse.Namespace, session: Session) -> dict[str, object]:
    """One refresh, and after it what the window's pre-fill does: the new model also says the labelled faces."""
    began = time.monotonic()
    result = drive(session, session.refresh(session.snapshot(), given.mode, given.preset, device=given.device))
    assert isinstance(result, RefreshResult)
    seconds = time.monotonic() - began
    drive(session, session.prefill(device=given.device))
    return {"kept_new": int(result.kept_new), "old_error": result.old_error, "new_error": result.new_error,
            "judged_on": result.judged_on, "seconds": seconds, "message": result.message}  # fmt: skip


def predict(predictor, model_id: str, faces: list[Example]) -> list[Prediction]:  # type: ignore[no-untyped-def]
    found = []
    for at in range(0, len(faces), 16):
        found += predictor.predict_faces([(read_image(face.image), face.square) for face in faces[at : at + 16]])
    return [Prediction(one.points, one.magnitude, model_id) for one in found]


def drive(session: Session, work):  # type: ignore[no-untyped-def]
    while True:
        try:
            session.take(next(work))
        except StopIteration as end:
            return end.value


def append(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    with path.open("a", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        if new:
            writer.writeheader()
        short = [{k: f"{v:.4g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows]
        writer.writerows(short)


def read_rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def table(rows: list[dict[str, str]]) -> str:
    """Mean (and deviation over seeds) as Markdown; a cell that rose above the starter's is marked."""
    titles = ("faces", "mode", "labels", "seeds", "NME %", "drags (3 %)", "as shown: NME %", "drags (3 %)",
              "taken over", "refresh s")  # fmt: skip
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for name, mode, labels in sorted({(r["set"], r["mode"], int(r["labels"])) for r in rows}):
        same = [r for r in rows if (r["set"], r["mode"], int(r["labels"])) == (name, mode, labels)]
        seeds = {r["seed"] for r in same}
        first = [r for r in rows if (r["set"], r["mode"], r["labels"]) == (name, mode, "0") and r["seed"] in seeds]

        def cell(column: str, same: list[dict[str, str]] = same, first: list[dict[str, str]] = first) -> str:
            values = np.array([float(r[column]) for r in same])
            starter = np.mean([float(r[column]) for r in first]) if first else np.inf
            spread = f" ± {values.std(ddof=1):.2f}" if len(values) > 1 else ""
            return f"{values.mean():.2f}{spread}{' **above**' if values.mean() > starter + 1e-9 else ''}"

        taken = f"{sum(int(r['kept_new'] or 0) for r in same)} of {len(same)}" if labels else "starter"
        seconds = [float(r["seconds"]) for r in same if r["seconds"]]
        lasted = f"{np.mean(seconds):.0f}" if seconds else ""
        figures = (cell(column) for column in ("nme", "drags_3", "nme_shown", "drags_3_shown"))
        cells = (name, mode, labels, len(seeds), *figures, taken, lasted)
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_argument(parser)
    parser.add_argument("--set", nargs="+", choices=tuple(SETS), default=list(SETS))
    parser.add_argument("--labels", type=int, nargs="+", default=[0, 10, 20, 50])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--mode", choices=("quick", "full", "none"), default="quick")
    parser.add_argument("--starter", type=Path, help="another 68-point model to begin with (quick or none)")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--eval-faces", type=int, default=0, help="evaluate on fewer faces (0: all)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "figures" / "refresh_gain.csv")
    parser.add_argument("--table", action="store_true", help="only print the table of what there is")
    given = parser.parse_args()
    if not given.table:
        import cv2
        import torch

        torch.set_num_threads(given.threads)
        cv2.setNumThreads(1)
        print(f"{machine(given.threads)}; {choose_device(given.device).why}", flush=True)
        for name in given.set:
            for seed in given.seeds:
                there = {int(r["labels"]) for r in read_rows(given.out)
                         if (r["set"], r["mode"], int(r["seed"])) == (name, given.mode, seed)}  # fmt: skip
                if not set(given.labels) <= there:
                    one_seed(given, name, seed)
    print(f"\n{table(read_rows(given.out))}")


if __name__ == "__main__":
    main()
