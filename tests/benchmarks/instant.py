"""Learning from each face at once, with and without: drags on the next faces of a simulated annotation.

    python tests/benchmarks/instant.py --data DATA [--model FILE] [--sets ytf68 scut86 dev pool] [--limit 150]

A model pre-fills faces in a random order; each is labelled and the correction (``scaf_gui.core.corrector``) is fitted
anew before the next. Without is the same model with nothing learnt in between. *Careful* places every landmark;
*frugal* drags what is off by more than 3 % across its curve, and takes over the rest as it is shown.

``scut86`` has another scheme: the starter is led there by the first ``--bridge`` labels, which count as labelled
before. A set that the model was trained on (``pool`` for the starter) shows whether the gate keeps shut, not what is
gained. Boxes are the detector's. Predictions are computed once and kept in the folder for caches. The time of a fit,
and its ratio to the forward of the network, are printed at the end; take them on a quiet machine.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from faces import (
    add_data_argument,
    data_folder,
    example,
    given_model,
    labelled_faces,
    machine,
    read_image,
    scheme_68,
    with_detector_boxes,
)

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.corrector import Corrector, Pair, corrected_points, fit
from scaf_gui.core.metrics import needs_drag, nme
from scaf_gui.core.scheme import Scheme, load_scheme
from scaf_gui.learning.bridge import fit_bridge
from scaf_gui.learning.device import choose_device
from scaf_gui.learning.examples import Example
from scaf_gui.learning.predictor import Predictor
from scaf_gui.paths import resource_folder

PARTS = ((0, 10), (10, 20), (20, 50))


@dataclass(frozen=True)
class Set:
    """``predicted``, ``truth`` (faces, L, 2) image pixels."""

    scheme: Scheme
    predicted: FloatArray
    truth: FloatArray


def scut_faces(folder: Path, scheme: Scheme) -> list[Example]:
    with (folder / "landmarks.csv").open(newline="", encoding="utf-8") as stream:
        rows = sorted(list(csv.reader(stream))[1:])
    return [
        example(str(folder / "images" / Path(name).name), np.array(numbers, float).reshape(-1, 2), scheme)
        for name, *numbers in rows
    ]


def predictions(given: argparse.Namespace, predictor: Predictor, name: str, faces: list[Example]) -> list[FloatArray]:
    """Per face (L, 2) of the model's own scheme, computed once."""
    path = given.cache / f"instant-{name}-{given.limit}-{predictor.model_id}.npz"
    if path.exists():
        return list(np.load(path)["points"])
    found: list[FloatArray] = []
    for face in faces:
        found.append(predictor.predict_faces([(read_image(face.image), face.square)])[0].points)
    np.savez(path, points=np.stack(found))
    return found


def load(given: argparse.Namespace, predictor: Predictor, name: str, source: Scheme) -> Set:
    data = data_folder(given)
    scheme = load_scheme(resource_folder() / "schemes" / "scut-86.json") if name == "scut86" else source
    if name == "scut86":
        faces = scut_faces(data / name, scheme)
    else:
        faces = labelled_faces(data / ("300w/" + name if name in ("dev", "pool") else name), scheme)
    chosen = np.random.default_rng(0).permutation(len(faces))[: given.limit]
    faces = with_detector_boxes([faces[place] for place in chosen], given.cache)
    points = np.stack(predictions(given, predictor, name, faces))
    truth = np.stack([face.points for face in faces])
    if name != "scut86":
        return Set(scheme, points, truth)
    known = np.isfinite(truth).all(axis=2)
    sizes = np.array([face.square.side for face in faces])
    first, rest = slice(0, given.bridge), slice(given.bridge, None)
    bridge = fit_bridge(points[first], truth[first], known[first], sizes[first], source.flip, scheme.flip)
    return Set(scheme, np.einsum("kl,flc->fkc", bridge.weights, points[rest]), truth[rest])


def annotate(faces: Set, order: Sequence[int], frugal: bool, learn: bool, seconds: list[float]) -> FloatArray:
    """(faces, 3): landmarks that needed a drag at 3 %, at 5 %, and the NME in %, of each face in turn."""
    pairs: list[Pair] = []
    corrector: Corrector | None = None
    found = []
    for place in order:
        raw, truth = faces.predicted[place], faces.truth[place]
        shown = raw if corrector is None else corrected_points(raw, corrector)
        off = needs_drag(shown, truth, faces.scheme)
        found.append((off.sum(), needs_drag(shown, truth, faces.scheme, 5.0).sum(), nme(shown, truth, faces.scheme)))
        placed = off if frugal else np.ones(len(raw), bool)
        pairs.append(Pair(raw, np.where(placed[:, None], truth, shown), placed))
        if learn:
            began = time.perf_counter()
            corrector = fit(pairs, faces.scheme, "model")
            seconds.append(time.perf_counter() - began)
    return np.array(found, float)


def timed(work: Callable[[], object], rounds: int = 20) -> float:
    """Median milliseconds."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        took.append(1000 * (time.perf_counter() - began))
    return float(np.median(took))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_argument(parser)
    parser.add_argument("--model", type=Path, help="another 68-point model than the shipped starter")
    parser.add_argument("--sets", nargs="+", default=["ytf68", "scut86", "dev", "pool"])
    parser.add_argument("--limit", type=int, default=150, help="faces of each set to draw from")
    parser.add_argument("--bridge", type=int, default=5, help="labels that lead the starter to another scheme")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    import torch

    torch.set_num_threads(given.threads)
    given.cache.mkdir(parents=True, exist_ok=True)
    source = scheme_68()
    predictor = Predictor(given_model(given.model, source), choose_device("cpu"), source)
    print(f"Model {predictor.model_id}; {given.seeds} orders of 50 faces; drags per face (3 %), with 5 % in brackets")
    print("\n| faces | annotator | learning at once | 1-10 | 11-20 | 21-50 | all 50 | NME % |\n" + "|---" * 8 + "|")
    last: Set | None = None
    for name in given.sets:
        last = load(given, predictor, name, source)
        orders = [np.random.default_rng(100 + s).permutation(len(last.truth))[:50] for s in range(given.seeds)]
        for frugal, learn in ((False, False), (False, True), (True, True)):
            runs = np.stack([annotate(last, order, frugal, learn, []) for order in orders])
            parts = [runs[:, first:end].mean(axis=(0, 1)) for first, end in (*PARTS, (0, 50))]
            who = "any" if not learn else "frugal" if frugal else "careful"
            columns = [f"{three:.1f} ({five:.1f})" for three, five, _ in parts]
            print(
                f"| {name} | {who} | {'on' if learn else 'off'} | {' | '.join(columns)} | {parts[-1][2]:.2f} |",
                flush=True,
            )
    assert last is not None
    crop = np.zeros((1, predictor.crop_size, predictor.crop_size, 3), np.uint8)
    print(
        f"\nFit, {last.scheme.num_landmarks} landmarks ({machine(given.threads)}), beside a forward of the network:\n"
    )
    print("| labelled faces | fit ms | correcting one face ms | forward ms | fit / forward |\n" + "|---" * 5 + "|")
    for count in (2, 10, 30, 60):
        faces = range(min(count, len(last.truth)))
        pairs = [Pair(last.predicted[i], last.truth[i], np.arange(len(last.truth[i])) % 2 == 0) for i in faces]
        scheme, points, corrector = last.scheme, last.predicted[0], fit(pairs, last.scheme, "model")
        fitting = timed(lambda pairs=pairs, scheme=scheme: fit(pairs, scheme, "model"))  # type: ignore[misc]
        forward = timed(lambda: predictor.predict(crop))
        one = timed(lambda c=corrector, p=points: c and corrected_points(p, c))  # type: ignore[misc]
        print(f"| {len(pairs)} | {fitting:.1f} | {one:.2f} | {forward:.1f} | {fitting / forward:.2f} |")


if __name__ == "__main__":
    main()
