"""How well the starter is led to another scheme by a few labels: SCUT-FBP5500, 86 landmarks, the last 200 held out.

    python tests/benchmarks/bridge.py --data DATA [--train]

NME in % of the distance between the outer eye corners, drags per face, true boxes (an oracle). The map from 1, 2, 3, 5,
10, 20 and 50 labels, mean and range over draws; ``--train`` also trains a network from ten labels of the first draw
with the same number of steps from (a) the bridged starter, (b) its network with a new heatmap layer, (c) random.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import scaf_gui.learning  # noqa: F401  before torch: it says how threads wait

import numpy as np  # isort: skip
from faces import given_model, read_image

from scaf_gui.core.geometry import crop_square, landmark_box
from scaf_gui.core.metrics import Evaluation
from scaf_gui.core.scheme import Scheme, load_scheme
from scaf_gui.learning.bridge import bridged, fit_bridge
from scaf_gui.learning.checkpoint import Checkpoint
from scaf_gui.learning.device import choose_device
from scaf_gui.learning.examples import Example
from scaf_gui.learning.predictor import Predictor
from scaf_gui.learning.presets import preset
from scaf_gui.learning.training import train
from scaf_gui.paths import resource_folder

HELD_OUT = 200
COUNTS = (1, 2, 3, 5, 10, 20, 50)


def scheme_of(name: str) -> Scheme:
    return load_scheme(resource_folder() / "schemes" / f"{name}.json")


def labelled_faces(folder: Path, scheme: Scheme) -> list[Example]:
    """All faces of landmarks.csv (0-based x0, y0, x1, ...), sorted by name."""
    with (folder / "landmarks.csv").open(newline="", encoding="utf-8") as stream:
        rows = sorted(list(csv.reader(stream))[1:])
    found = []
    for name, *numbers in rows:
        points = np.array(numbers, np.float64).reshape(-1, 2)
        square = crop_square(landmark_box(points, scheme.face_box))
        image = folder / "images" / Path(name).name
        found.append(Example(str(image), square, points, np.ones(len(points), bool)))
    return found


def predicted(predictor: Predictor, faces: Sequence[Example]) -> np.ndarray:
    parts = []
    for at in range(0, len(faces), 16):
        part = [(read_image(face.image), face.square) for face in faces[at : at + 16]]
        parts += [found.points for found in predictor.predict_faces(part)]
    return np.stack(parts)


def cached(given: argparse.Namespace, starter: Checkpoint, faces: Sequence[Example]) -> np.ndarray:
    """(faces, 68, 2) predictions of the starter, computed once."""
    path = given.cache / f"scut86-{starter.id}.npy"
    if not path.exists():
        given.cache.mkdir(parents=True, exist_ok=True)
        device = choose_device(given.device)
        np.save(path, predicted(Predictor(starter, device, starter.scheme, scores=()), faces))
    return np.load(path)


def row(what: str, found: Evaluation, more: str = "") -> None:
    print(f"| {what} | {found.nme:.2f} | {found.drags_3:.1f} | {found.drags_5:.1f} | {more} |", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with scut86")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "scaf-benchmarks")
    parser.add_argument("--checkpoint", type=Path, help="another model than the shipped starter")
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    import torch

    torch.set_num_threads(given.threads)
    source, target = scheme_of("300w-68"), scheme_of("scut-86")
    starter = given_model(given.checkpoint, source)
    faces = labelled_faces(given.data / "scut86", target)
    there = cached(given, starter, faces)
    pool, test = len(faces) - HELD_OUT, slice(len(faces) - HELD_OUT, None)
    truth = [face.points for face in faces[test]]

    def bridge(places: np.ndarray):
        labels = [faces[place] for place in places]
        return fit_bridge(
            there[places],
            np.stack([face.points for face in labels]),
            np.stack([face.known for face in labels]),
            np.array([face.square.side for face in labels]),
            source.flip,
            target.flip,
        )

    print(f"{starter.id}, {pool} faces to draw labels from, {HELD_OUT} held out\n")
    print("| labels | NME % | drags (3 %) | drags (5 %) | range of NME |\n|---|---|---|---|---|")
    for count in COUNTS:
        results = []
        for seed in range(given.draws):
            found = bridge(np.random.default_rng(seed).permutation(pool)[:count])
            mapped = np.einsum("kl,flc->fkc", found.weights, there[test])
            results.append(Evaluation.of(list(zip(mapped, truth, strict=True)), target))
        means = [float(np.mean([getattr(r, key) for r in results])) for key in ("nme", "drags_3", "drags_5")]
        errors = [r.nme for r in results]
        row(str(count), replace(results[0], nme=means[0], drags_3=means[1], drags_5=means[2]),
            f"{min(errors):.2f} to {max(errors):.2f}")  # fmt: skip
    if not given.train:
        return 0
    device = choose_device(given.device)
    places = np.random.default_rng(0).permutation(pool)[:10]
    recipe = replace(preset("default"), full_steps=given.steps, full_epochs=0)
    led = bridged(starter, bridge(places), target, {})
    print(f"\n| ten labels, {given.steps} steps from | NME % | drags (3 %) | drags (5 %) | seconds |")
    print("|---|---|---|---|---|")
    for what, start in (("the bridged starter", led), ("its network, new heatmap layer", starter), ("random", None)):
        began = time.monotonic()
        run = train([faces[p] for p in places], read_image, target, recipe, start=start, device=device, mode="full")
        while True:
            try:
                next(run)
            except StopIteration as finished:
                checkpoint = finished.value.checkpoint
                break
        seconds = time.monotonic() - began
        points = predicted(Predictor(checkpoint, device, target, scores=()), faces[test])
        row(what, Evaluation.of(list(zip(points, truth, strict=True)), target), f"{seconds:.0f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
