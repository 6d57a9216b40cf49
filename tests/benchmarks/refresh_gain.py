"""The promise that a refresh never makes pre-fill worse: NME and drags after 0, 10, 20, 50 labels of a user.

    python tests/benchmarks/refresh_gain.py --data DATA [--set dev ytf68 scut86] [--labels 0 10 20 50] [--seeds 0 1 2]
        [--mode quick|full|none] [--instant on|off] [--starter FILE] [--keep FOLDER]

A real project (``Session``) of 56 faces of ``300w/dev``, photos of the kind that the starter has learnt from, of 120
faces of ``ytf68`` (the shipped starter has learnt from them; ``--starter`` names one that has not), or of 260 faces of
``scut86``, whose 86 landmarks no shipped model leads to. They are labelled by their true landmarks in the order of the
queue, with a refresh at each number of labels, judged and adopted or not as in the window. The model in use then
predicts others, with true boxes: 38 of ``dev``, 100 of ``ytf68``, the last 200 of ``scut86`` by name (never the user's;
in random order, so that ``--eval-faces`` takes a fair part). The row of 0 labels is the starter.

"As shown": with the correction that learns from each face at once, by the function that corrects what the window
shows; "shown before": the same labels without this refresh. ``--mode none`` is that correction alone, without any
refresh but the one that leads the starter to another scheme; ``--instant off`` are refreshes alone. A finished seed is
not run again; ``--table`` prints what there is.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from faces import ROOT, add_data_argument, data_folder, labelled_faces, machine, read_image
from instant import scut_faces

from scaf_gui.core.corrector import correct
from scaf_gui.core.face import Prediction
from scaf_gui.core.metrics import Evaluation
from scaf_gui.core.scheme import Scheme, load_scheme
from scaf_gui.io.formats.pts import pts_text
from scaf_gui.learning.device import choose_device
from scaf_gui.learning.examples import Example
from scaf_gui.paths import resource_folder
from scaf_gui.session import models
from scaf_gui.session.annotator import label_from
from scaf_gui.session.events import RefreshResult
from scaf_gui.session.project import new_project
from scaf_gui.session.session import Session

COLUMNS = ("set", "mode", "seed", "labels", "model", "nme", "drags_3", "nme_shown", "drags_3_shown", "learnt_from",
           "kept_new", "old_error", "new_error", "judged_on", "seconds", "eval_faces", "message", "instant",
           "nme_before", "drags_3_before")  # fmt: skip


@dataclass(frozen=True)
class Set:
    """``own``: faces of the user's; ``others``: faces to evaluate on (``None``: all that are left).

    ``held_out``: that many faces, the last ones by name, are evaluated on and never the user's. ``labels``: when to
    refresh.
    """

    folder: str
    own: int
    others: int | None
    held_out: int = 0
    scheme: str = "300w-68"
    labels: tuple[int, ...] = (0, 10, 20, 50)


SETS = {
    "dev": Set("300w/dev", 56, None),
    "ytf68": Set("ytf68", 120, 100),
    "scut86": Set("scut86", 260, 200, held_out=200, scheme="scut-86", labels=(10, 50, 200)),
}


def split(faces: list[Example], wanted: Set, seed: int) -> tuple[list[Example], list[Example]]:
    """The user's faces and those to evaluate on: another split for each seed; those held out in random order."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(faces) - wanted.held_out)
    mine, rest = order[: wanted.own], order[wanted.own :]
    if wanted.held_out:
        rest = len(order) + rng.permutation(wanted.held_out)
    return [faces[i] for i in mine], [faces[i] for i in rest[: wanted.others or len(rest)]]


def faces_of(folder: Path, scheme: Scheme) -> list[Example]:
    """Every face of a set with its true box, sorted by name."""
    return scut_faces(folder, scheme) if scheme.id == "scut-86" else labelled_faces(folder, scheme)


def one_seed(given: argparse.Namespace, name: str, seed: int) -> None:
    wanted = SETS[name]
    scheme = load_scheme(resource_folder() / "schemes" / f"{wanted.scheme}.json")
    mine, evaluated = split(faces_of(data_folder(given) / wanted.folder, scheme), wanted, seed)
    evaluated = evaluated[: given.eval_faces or None]
    with tempfile.TemporaryDirectory() as home:
        images = Path(home) / "images"
        images.mkdir()
        for face in mine:
            shutil.copy(face.image, images)
            (images / Path(face.image).with_suffix(".pts").name).write_text(pts_text(face.points))
        session = new_project(Path(home) / "user.scaf", images, wanted.scheme, f"landmarks:{images}", seed=seed)
        try:
            rows = []
            for row in run(given, session, images, evaluated, given.labels or wanted.labels):
                rows.append(row)
                if given.keep is not None and session.model is not None:
                    given.keep.mkdir(parents=True, exist_ok=True)
                    shutil.copy(session.model.path, given.keep / f"{name}-{seed}-{row['labels']}.safetensors")
        finally:
            session.close()
    run_of = {"set": name, "seed": seed, "mode": given.mode, "instant": given.instant}
    append(given.out, [{**run_of, **row} for row in rows])


def run(
    given: argparse.Namespace, session: Session, images: Path, evaluated: list[Example], counts: Sequence[int]
) -> Iterator[dict[str, object]]:
    """A row for each number of labels; the last model's figures stand where a refresh kept the old one."""
    drive(session, session.find_boxes())
    if given.starter is not None:
        assert session.model is not None
        other = replace(session.model, id=models.metadata(given.starter)["id"], path=str(given.starter))
        session.work.use_model(other)
    session.instant.enabled = given.instant == "on"
    measured: dict[str, list[Prediction]] = {}

    def now() -> tuple[Evaluation, Evaluation] | None:
        """Of what the model in use says, and of what is shown."""
        model = session.model
        if model is None:
            return None
        if model.id not in measured:
            predictor = session.predictors.get(model, given.device, session.scheme)
            measured[model.id] = predict(predictor, model.id, evaluated)
        raw, corrector = measured[model.id], session.instant.corrector
        shown = [correct(one, corrector) for one in raw]
        return figures_of(raw, evaluated, session.scheme), figures_of(shown, evaluated, session.scheme)

    done = 0
    for labels in counts:
        row: dict[str, object] = {"labels": labels, "eval_faces": len(evaluated)}
        if labels > done:
            for _ in label_from(session, images, labels - done):
                pass
            done = labels
            drive(session, session.prefill(device=given.device))
            before = now()
            if before is not None:
                row |= {"nme_before": before[1].nme, "drags_3_before": before[1].drags_3}
            if given.mode != "none":
                row |= refreshed(given, session, given.mode)
            elif session.model is None:
                row |= refreshed(given, session, "quick")
        found, model = now(), session.model
        assert found is not None and model is not None
        figures, shown = found
        corrector = session.instant.corrector
        row |= {"model": model.id, "nme": figures.nme, "drags_3": figures.drags_3, "nme_shown": shown.nme,
                "drags_3_shown": shown.drags_3, "learnt_from": corrector.faces if corrector else 0}  # fmt: skip
        print(f"{labels} labels: NME {figures.nme:.3f} drags {figures.drags_3:.2f}; as shown NME {shown.nme:.3f} drags "
              f"{shown.drags_3:.2f}, learnt from {row['learnt_from']}, before {row.get('nme_before', 0.0):.3f} "
              f"{row.get('drags_3_before', 0.0):.2f}; {row.get('message', '')}", flush=True)  # fmt: skip
        yield row


def refreshed(given: argparse.Namespace, session: Session, mode: str) -> dict[str, object]:
    """One refresh, and after it what the window's pre-fill does: the new model also says the labelled faces."""
    began = time.monotonic()
    result = drive(session, session.refresh(session.snapshot(), mode, given.preset, device=given.device))
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


def figures_of(found: list[Prediction], faces: list[Example], scheme: Scheme) -> Evaluation:
    return Evaluation.of([(one.points, face.points) for one, face in zip(found, faces, strict=True)], scheme)


def drive(session: Session, work):  # type: ignore[no-untyped-def]
    while True:
        try:
            session.take(next(work))
        except StopIteration as end:
            return end.value


def append(path: Path, rows: list[dict[str, object]]) -> None:
    """Add rows; the file is written anew, as an older one may lack columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    there: list[Mapping[str, object]] = list(read_rows(path))
    short = [{k: f"{v:.4g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows]
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows([*there, *short])


def read_rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="") as stream:
        return [{**row, "instant": row.get("instant") or "on"} for row in csv.DictReader(stream)]


def table(rows: list[dict[str, str]]) -> str:
    """Mean (and deviation over seeds) as Markdown; a cell that rose above the starter's is marked."""
    titles = ("faces", "mode", "learning at once", "labels", "seeds", "NME %", "drags (3 %)", "shown before: NME %",
              "drags (3 %)", "as shown: NME %", "drags (3 %)", "taken over", "refresh s")  # fmt: skip
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]

    def key(row: dict[str, str]) -> tuple[str, str, str]:
        return row["set"], row["mode"], row["instant"]

    for name, mode, instant, labels in sorted({(*key(r), int(r["labels"])) for r in rows}):
        same = [r for r in rows if (*key(r), int(r["labels"])) == (name, mode, instant, labels)]
        seeds = {r["seed"] for r in same}
        first = [r for r in rows if (*key(r), r["labels"]) == (name, mode, instant, "0") and r["seed"] in seeds]

        def cell(column: str, same: list[dict[str, str]] = same, first: list[dict[str, str]] = first) -> str:
            values = np.array([float(r[column]) for r in same if r.get(column)])
            if not len(values):
                return ""
            starter = np.mean([float(r[column]) for r in first if r.get(column)] or [np.inf])
            spread = f" ± {values.std(ddof=1):.2f}" if len(values) > 1 else ""
            return f"{values.mean():.2f}{spread}{' **above**' if values.mean() > starter + 1e-9 else ''}"

        taken = f"{sum(int(r['kept_new'] or 0) for r in same)} of {len(same)}" if labels else "starter"
        seconds = [float(r["seconds"]) for r in same if r["seconds"]]
        lasted = f"{np.mean(seconds):.0f}" if seconds else ""
        columns = ("nme", "drags_3", "nme_before", "drags_3_before", "nme_shown", "drags_3_shown")
        cells = (name, mode, instant, labels, len(seeds), *(cell(column) for column in columns), taken, lasted)
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_argument(parser)
    parser.add_argument("--set", nargs="+", choices=tuple(SETS), default=list(SETS))
    parser.add_argument("--labels", type=int, nargs="+", help="refresh at these numbers of labels (default: by set)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--mode", choices=("quick", "full", "none"), default="quick")
    parser.add_argument("--instant", choices=("on", "off"), default="on", help="learning from each face at once")
    parser.add_argument("--starter", type=Path, help="another 68-point model to begin with (quick or none)")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--eval-faces", type=int, default=0, help="evaluate on fewer faces (0: all)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "figures" / "refresh_gain.csv")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="of the model after each number of labels")
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
                run_of = (name, given.mode, given.instant, str(seed))
                there = {int(r["labels"]) for r in read_rows(given.out)
                         if (r["set"], r["mode"], r["instant"], r["seed"]) == run_of}  # fmt: skip
                if not set(given.labels or SETS[name].labels) <= there:
                    one_seed(given, name, seed)
    print(f"\n{table(read_rows(given.out))}")


if __name__ == "__main__":
    main()
