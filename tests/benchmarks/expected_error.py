"""Expected error, measured: how well a prediction's heatmaps tell how far off it is.

    python tests/benchmarks/expected_error.py --data DATA [--model FILE] [--calibration-faces 5 10 20] [--draws 20]
    python tests/benchmarks/expected_error.py --data DATA --fit resources/calibration.json

Without ``--model`` the shipped starter is measured; for the product's promise give a model trained on 50 labels
that NNM chose. The calibration starts from the shipped one and is moved by faces drawn at random from ``300w/dev``
(``--from FOLDER``: another folder that the model has not seen), annotated by a simulated person who drags what
needs it at 3 % and takes over the rest. Each figure is the mean over so many draws:

- Spearman's rank correlation of expected and true error: all landmarks, per landmark across faces (mean), per face;
- expected over true mean error in each fifth of the faces, by expected error (1 is right; the aim is 0.85 to 1.15);
- share of faces within 3 %, told and true, and how often the 90 % range that is told holds the true one;
- landmarks ringed (expected to be off by more than 3 % across their curve): how many a face, how many need a drag.

Sets: ``300w/test`` ("HELEN test, 165 faces"), ``300w/test-hard`` ("AFW hold-out, 85 faces") and, where the model's
scheme leads to it, the 200 last faces of ``scut86`` by name; there the calibration faces come from the others.
``--fit`` writes the calibration that is shipped: the starter on all of ``300w/dev``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from faces import add_data_argument, data_folder, example, labelled_faces, machine, read_image, scheme_68, starter_for

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.calibration import (
    ACROSS,
    TOLERANCE,
    Calibration,
    Evidence,
    Signal,
    calibrate,
    inside_curves,
    perfect_magnitude,
)
from scaf_gui.core.finish import wilson
from scaf_gui.core.metrics import landmark_errors, needs_drag
from scaf_gui.core.scheme import Scheme, load_scheme
from scaf_gui.errors import CheckpointError
from scaf_gui.learning.checkpoint import load_checkpoint
from scaf_gui.learning.device import choose_device
from scaf_gui.learning.examples import Example
from scaf_gui.learning.predictor import Predictor
from scaf_gui.paths import resource_folder
from scaf_gui.session.expected import LEAST_FACES, WORTH, shipped

#: where a fit of the shipped calibration starts: mild slopes, no landmark apart
NEUTRAL = (1.3, -1.5, -1.0, -3.0)
COLUMNS = (
    "faces",
    "calibration faces",
    "rank, all landmarks",
    "rank, per landmark",
    "rank, per face",
    "expected / true by fifths",
    "worst fifth",
    "within 3 %: told / true",
    "range holds it",
    "ringed, of them need a drag (need a drag in all)",
)


def predicted(predictor: Predictor, perfect: float, faces: list[Example], scheme: Scheme, limit: int) -> Measured:
    if limit:
        faces = [faces[i] for i in sorted(np.random.default_rng(0).permutation(len(faces))[:limit])]
    signals, errors, drags = [], [], []
    for at in range(0, len(faces), 16):
        part = faces[at : at + 16]
        found = predictor.predict_faces([(read_image(face.image), face.square) for face in part])
        for face, one in zip(part, found, strict=True):
            signals.append(Signal(one.magnitude / perfect, -one.scores["peak"]))
            errors.append(landmark_errors(one.points, face.points, scheme))
            drags.append(needs_drag(one.points, face.points, scheme))
    return Measured(signals, np.stack(errors), np.stack(drags), scheme)


class Measured:
    """Faces of one set: signals, (N, L) true errors in %, (N, L) whether a landmark needs a drag."""

    def __init__(self, signals: list[Signal], errors: FloatArray, drags: FloatArray, scheme: Scheme):
        self.signals, self.errors, self.drags, self.inner = signals, errors, drags, inside_curves(scheme)

    def __len__(self) -> int:
        return len(self.signals)

    def evidence(self, faces: FloatArray) -> list[Evidence]:
        """As a person leaves them who drags what needs it and takes over the rest as it is."""
        seen = np.where(self.drags, self.errors, 0.0)
        return [Evidence(self.signals[i], seen[i], self.drags[i], self.inner) for i in faces.tolist()]


def spearman(a: FloatArray, b: FloatArray) -> float:
    ranks = [np.argsort(np.argsort(values)) for values in (a, b)]
    return float(np.corrcoef(*ranks)[0, 1])


def figures(calibration: Calibration, on: Measured) -> dict[str, FloatArray]:
    expected = np.stack([calibration.landmarks(signal) for signal in on.signals])
    by_face, true = expected.mean(axis=1), on.errors.mean(axis=1)
    fifths = [by_face[part].mean() / true[part].mean() for part in np.array_split(np.argsort(by_face), 5)]
    share, found = float(calibration.within(by_face).mean()), float((true <= 3.0).mean())
    low, high = wilson(share, WORTH * max(calibration.faces, 1e-9))
    ringed = np.where(on.inner, ACROSS * expected, expected) > TOLERANCE
    per_landmark = [spearman(expected[:, i], on.errors[:, i]) for i in range(expected.shape[1])]
    values = {
        "all landmarks": spearman(expected.ravel(), on.errors.ravel()),
        "per landmark": float(np.mean(per_landmark)),
        "per face": spearman(by_face, true),
        "fifths": fifths,
        "share told": share,
        "share true": found,
        "range holds it": float(low <= found <= high) if calibration.faces >= LEAST_FACES else np.nan,
        "ringed": ringed.sum(axis=1).mean(),
        "of them need a drag": on.drags[ringed].mean() if ringed.any() else np.nan,
        "need a drag": on.drags.sum(axis=1).mean(),
    }
    return {name: np.asarray(value, dtype=np.float64) for name, value in values.items()}


def row(name: str, count: int, found: list[dict[str, FloatArray]]) -> str:
    mean = {key: np.mean([one[key] for one in found], axis=0) for key in found[0]}
    worst = np.mean([np.abs(one["fifths"] - 1).max() for one in found])
    fifths = " ".join(f"{value:.2f}" for value in mean["fifths"])
    told = f"{100 * mean['share told']:.0f} % / {100 * mean['share true']:.0f} %"
    holds = "" if np.isnan(mean["range holds it"]) else f"{100 * mean['range holds it']:.0f} %"
    rings = f"{mean['ringed']:.1f}, {100 * mean['of them need a drag']:.0f} % ({mean['need a drag']:.1f})"
    return (
        f"| {name} | {count} | {mean['all landmarks']:.2f} | {mean['per landmark']:.2f} | {mean['per face']:.2f} | "
        f"{fifths} | {100 * worst:.0f} % | {told} | {holds} | {rings} |"
    )


def report(name: str, on: Measured, drawn_from: Measured, prior: Calibration, given: argparse.Namespace) -> None:
    title = f"{name}, NME {on.errors.mean():.2f} %"
    print(row(title, 0, [figures(prior, on)]), flush=True)
    for count in given.calibration_faces:
        if count > len(drawn_from):
            continue
        found = []
        for draw in range(given.draws):
            chosen = np.random.default_rng([draw, count]).permutation(len(drawn_from))[:count]
            found.append(figures(calibrate(drawn_from.evidence(chosen), prior), on))
        print(row(title, count, found), flush=True)


def scut(data: Path) -> tuple[list[Example], list[Example], Scheme] | None:
    """The faces but the last 200 by name, those 200, and the scheme; ``None`` where any of it is missing."""
    table, schemes = data / "scut86" / "landmarks.csv", sorted((resource_folder() / "schemes").glob("*86*.json"))
    if not table.exists() or not schemes:
        return None
    scheme = load_scheme(schemes[0])
    images = {path.name: path for path in (data / "scut86" / "images").iterdir()}
    faces = []
    for line in sorted(table.read_text().splitlines()):
        name, *values = line.split(",")
        if len(values) == 2 * scheme.num_landmarks and name in images:
            points = np.array(values, dtype=np.float64).reshape(-1, 2)
            faces.append(example(str(images[name]), points, scheme))
    return (faces[:-200], faces[-200:], scheme) if len(faces) > 200 else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_argument(parser)
    parser.add_argument("--model", type=Path, help="default: the shipped starter")
    parser.add_argument("--from", dest="drawn_from", type=Path, help="folder of calibration faces; default: 300w/dev")
    parser.add_argument("--sets", nargs="+", default=["test", "test-hard"], help="folders of 300w")
    parser.add_argument("--calibration-faces", type=int, nargs="+", default=[5, 10, 20])
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--limit", type=int, default=0, help="at most so many faces of each folder")
    parser.add_argument("--fit", type=Path, help="write the shipped calibration to this file instead")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    import torch

    torch.set_num_threads(given.threads)
    data, path = data_folder(given), given.model or starter_for(scheme_68())
    checkpoint = load_checkpoint(path, None)
    device, source = choose_device(given.device), checkpoint.scheme
    perfect = perfect_magnitude(float(checkpoint.meta["sigma"]), int(checkpoint.meta["nnm_window"]))
    print(f"{path.name} {checkpoint.id}; {machine(given.threads)}; {device.why}\n", flush=True)

    def measured(faces: list[Example], scheme: Scheme) -> Measured:
        return predicted(Predictor(checkpoint, device, scheme), perfect, faces, scheme, given.limit)

    scheme = scheme_68()
    drawn_from = measured(labelled_faces(given.drawn_from or data / "300w" / "dev", scheme), scheme) \
        if scheme.matrix_from(source) is not None else None  # fmt: skip
    if given.fit is not None:
        if drawn_from is None:
            raise SystemExit(f"{path}: does not lead to {scheme.id}")
        start = Calibration(np.array(NEUTRAL), np.zeros(scheme.num_landmarks), 0.3)
        by_hand = np.ones(scheme.num_landmarks, bool)
        known = zip(drawn_from.signals, drawn_from.errors, strict=True)
        evidence = [Evidence(signal, errors, by_hand, drawn_from.inner) for signal, errors in known]
        given.fit.write_text(json.dumps({scheme.id: calibrate(evidence, start).to_json()}, indent=1) + "\n")
        print(f"{given.fit}: {len(drawn_from)} faces, NME {drawn_from.errors.mean():.2f} %")
        return
    print(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|", flush=True)
    if drawn_from is not None:
        for name in given.sets:
            on = measured(labelled_faces(data / "300w" / name, scheme), scheme)
            report(f"300w/{name}", on, drawn_from, shipped(scheme.id, scheme.num_landmarks), given)
    else:
        print(f"300w skipped: {source.id} does not lead to {scheme.id}")
    other = scut(data)
    if other is None:
        print("scut86 skipped: no data, or no scheme of 86 points")
        return
    rest, held, scheme = other
    try:
        Predictor(checkpoint, device, scheme)
    except CheckpointError as error:
        print(f"scut86 skipped: {error}; give a model of {scheme.id} with --model")
        return
    if not given.limit:
        rest = [rest[i] for i in sorted(np.random.default_rng(0).permutation(len(rest))[:200])]
    report("scut86, 200 held out", measured(held, scheme), measured(rest, scheme),
           shipped(scheme.id, scheme.num_landmarks), given)  # fmt: skip


if __name__ == "__main__":
    main()
