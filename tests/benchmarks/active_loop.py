"""The main claim, measured: labels hidden, no model at the start, ten labels more per round by NNM.

    python tests/benchmarks/active_loop.py --data DATA [--seeds 0 1 2] [--steps 200]
    python tests/benchmarks/active_loop.py --data DATA --starter

Scheme ``300w-68``, faces of ``300w/pool``. Round 0 trains from random weights on 10 random faces; each of four
further rounds scores the pool by NNM with the model at hand, sets the top 10 % aside, labels the next 10 and
trains from random weights again. Every round is measured on ``300w/test`` ("HELEN test, 165 faces") and
``300w/test-hard`` ("AFW hold-out, 85 faces"), with true boxes (the tight box of the true landmarks: an oracle)
and with detector boxes. A finished round is a row of the CSV file; what is there is not done again.

``--starter`` measures the shipped starter instead, before any label.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from faces import (
    ROOT,
    add_data_argument,
    best_box,
    data_folder,
    example,
    given_model,
    labelled_faces,
    machine,
    read_image,
    scheme_68,
    with_detector_boxes,
)

from scaf_gui.core.geometry import crop_square
from scaf_gui.core.metrics import Evaluation
from scaf_gui.core.queue import rank
from scaf_gui.core.scheme import Scheme
from scaf_gui.learning.checkpoint import Checkpoint
from scaf_gui.learning.device import Device, choose_device
from scaf_gui.learning.examples import Example
from scaf_gui.learning.predictor import Predictor
from scaf_gui.learning.presets import preset
from scaf_gui.learning.training import TrainResult, train
from scaf_gui.samples.render import render_face

FIRST, PER_ROUND, ROUNDS, DISCARD = 10, 10, 4, 0.1
COLUMNS = ("seed", "round", "labels", "faces", "boxes", "found", "nme", "failure_8", "failure_10", "auc_8", "auc_10",
           "drags_3", "drags_5", "steps", "train_seconds", "score_seconds")  # fmt: skip


def predictions(predictor: Predictor, faces: list[Example], read=read_image):  # type: ignore[no-untyped-def]
    for at in range(0, len(faces), 16):
        part = faces[at : at + 16]
        yield from zip(part, predictor.predict_faces([(read(f.image), f.square) for f in part]), strict=True)


def evaluate(predictor: Predictor, faces: list[Example], scheme: Scheme, read=read_image) -> Evaluation:  # type: ignore[no-untyped-def]
    return Evaluation.of([(found.points, face.points) for face, found in predictions(predictor, faces, read)], scheme)


def finish(run) -> TrainResult:  # type: ignore[no-untyped-def]
    while True:
        try:
            next(run)
        except StopIteration as finished:
            return finished.value


def one_seed(given: argparse.Namespace, seed: int, device: Device, done: set[tuple[int, int]]) -> None:
    scheme, data = scheme_68(), data_folder(given)
    pool = labelled_faces(data / "300w" / "pool", scheme)
    tests = {"test": labelled_faces(data / "300w" / "test", scheme)}
    tests["test-hard"] = labelled_faces(data / "300w" / "test-hard", scheme)
    memory = given.cache / f"active_{given.steps}_{seed}.json"
    chosen: list[int] = np.random.default_rng(seed).permutation(len(pool))[:FIRST].tolist()
    if memory.exists():
        chosen = json.loads(memory.read_text())
    for number in range(ROUNDS + 1):
        labels = FIRST + number * PER_ROUND
        if (seed, number) in done and len(chosen) >= labels + (PER_ROUND if number < ROUNDS else 0):
            continue
        recipe = replace(preset(given.preset), full_steps=given.steps, full_epochs=0)
        began = time.monotonic()
        result = finish(
            train(
                [pool[i] for i in chosen[:labels]], read_image, scheme, recipe, device=device, seed=seed * 100 + number
            )
        )
        trained = time.monotonic() - began
        predictor = Predictor(result.checkpoint, device, scheme, scores=("nnm",))
        began = time.monotonic()
        if number < ROUNDS:
            waiting = [i for i in range(len(pool)) if i not in set(chosen[:labels])]
            if given.sample:
                waiting = np.random.default_rng([seed, number]).permutation(waiting)[: given.sample].tolist()
            found = predictions(predictor, [pool[i] for i in waiting])
            scores = {i: face.scores["nnm"] for i, (_, face) in zip(waiting, found, strict=True)}
            chosen = chosen[:labels] + list(rank(scores, DISCARD).order[:PER_ROUND])
            memory.parent.mkdir(parents=True, exist_ok=True)
            memory.write_text(json.dumps(chosen))
        scored = time.monotonic() - began
        rows = []
        for name, faces in tests.items():
            for boxes in ("true", "detector"):
                shown = faces if boxes == "true" else with_detector_boxes(faces, given.cache)
                figures = asdict(evaluate(predictor, shown, scheme))
                figures.update(
                    seed=seed, round=number, labels=labels, faces=name, boxes=boxes, found=len(shown) / len(faces),
                    steps=len(result.curve), train_seconds=trained, score_seconds=scored,
                )  # fmt: skip
                rows.append({key: _short(figures[key]) for key in COLUMNS})
        append(given.out, rows)
        told = "; ".join(f"{row['faces']} {row['boxes']}: NME {row['nme']} drags {row['drags_3']}" for row in rows)
        print(f"seed {seed} round {number}: {labels} labels, {trained:.0f} s + {scored:.0f} s; {told}", flush=True)


def _short(value: object) -> object:
    return f"{value:.4g}" if isinstance(value, float) else value


def append(path: Path, rows: list[dict[str, object]]) -> None:
    """Add a round's rows, in the place of older ones of the same seed and round."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mine = (str(rows[0]["seed"]), str(rows[0]["round"]))
    kept = [row for row in read_rows(path) if (row["seed"], row["round"]) != mine]
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows([*kept, *rows])


def read_rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def table(rows: list[dict[str, str]]) -> str:
    """Mean ± standard deviation (over seeds, ddof 1) as Markdown."""
    lines = [
        "| labels | faces | boxes | found | NME % | drags (3 %) | drags (5 %) | failures > 8 % | train s | pool s |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    keys = sorted(
        {(r["faces"], r["boxes"], int(r["labels"])) for r in rows}, key=lambda k: (k[0], k[1] != "true", k[2])
    )
    for faces, boxes, labels in keys:
        same = [r for r in rows if (r["faces"], r["boxes"], int(r["labels"])) == (faces, boxes, labels)]

        def cell(name: str, same: list[dict[str, str]] = same) -> str:
            values = np.array([float(r[name]) for r in same])
            return f"{values.mean():.2f} ± {values.std(ddof=1):.2f}" if len(values) > 1 else f"{values.mean():.2f}"

        figures = " | ".join(
            cell(n) for n in ("nme", "drags_3", "drags_5", "failure_8", "train_seconds", "score_seconds")
        )
        lines.append(f"| {labels} | {faces} | {boxes} | {100 * float(same[0]['found']):.0f} % | {figures} |")
    return "\n".join(lines)


def starter(given: argparse.Namespace, device: Device) -> None:
    scheme = scheme_68()
    checkpoint: Checkpoint = given_model(given.checkpoint, scheme)
    predictor = Predictor(checkpoint, device, scheme, scores=())
    print(f"{checkpoint.id}\n\n| faces | boxes | found | NME % | drags/face (3 %) | drags/face (5 %) | "
          "failures > 8 % | AUC 8 % |\n|---|---|---|---|---|---|---|---|")  # fmt: skip

    def row(name: str, boxes: str, found: float, e: Evaluation) -> None:
        print(f"| {name} | {boxes} | {100 * found:.0f} % | {e.nme:.2f} | {e.drags_3:.1f} | {e.drags_5:.1f} | "
              f"{e.failure_8:.1f} % | {e.auc_8:.3f} |", flush=True)  # fmt: skip

    for name in ("dev", "test", "test-hard"):
        faces = labelled_faces(data_folder(given) / "300w" / name, scheme)
        row(name, "true", 1.0, evaluate(predictor, faces, scheme))
        if not given.true_only:
            shown = with_detector_boxes(faces, given.cache)
            row(name, "detector", len(shown) / len(faces), evaluate(predictor, shown, scheme))
    images, renders = {}, []
    for seed in range(1000, 1000 + given.renders):
        face = render_face(seed, 512)
        images[str(seed)] = face.image
        renders.append(example(str(seed), face.landmarks_68, scheme))
    row(
        f"sample renders 1000-{999 + given.renders}",
        "true",
        1.0,
        evaluate(predictor, renders, scheme, images.__getitem__),
    )
    if not given.true_only:
        from scaf_gui.io.detector import MtcnnDetector

        detector, shown = MtcnnDetector(), []
        for face in renders:
            best = best_box([asdict(box) for box in detector.detect(images[face.image])], face.points)
            if best is not None:
                shown.append(replace(face, square=crop_square(best)))
        row("sample renders", "detector", len(shown) / len(renders),
            evaluate(predictor, shown, scheme, images.__getitem__))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_argument(parser)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=200, help="training steps per round")
    parser.add_argument("--sample", type=int, default=0, help="score a seeded sample of the pool (0: all of it)")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "figures" / "active_loop.csv")
    parser.add_argument("--starter", action="store_true")
    parser.add_argument("--checkpoint", type=Path, help="with --starter: another file")
    parser.add_argument("--renders", type=int, default=24)
    parser.add_argument("--true-only", action="store_true", help="with --starter: no detector boxes")
    given = parser.parse_args()
    import cv2
    import torch

    torch.set_num_threads(given.threads)
    cv2.setNumThreads(1)
    device = choose_device(given.device)
    print(f"{machine(given.threads)}; {device.why}", flush=True)
    if given.starter:
        starter(given, device)
        return
    done = {(int(r["seed"]), int(r["round"])) for r in read_rows(given.out)}
    for seed in given.seeds:
        one_seed(given, seed, device, done)
    print(f"\n{table(read_rows(given.out))}")


if __name__ == "__main__":
    main()
