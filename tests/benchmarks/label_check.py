"""How often the label check is wrong: share of true labels flagged by each rule, share of slips found.

    python tests/benchmarks/label_check.py --data DATA [--faces 1028]
    python tests/benchmarks/label_check.py --data DATA --predictions [--folder pool] [--faces 600]

True labels: 300-W's training faces (DATA/300w/pool), the statistics made of the same faces, each judged by the others.
Slips, one to a face: the two eyes exchanged; two neighbours of a curve exchanged; one landmark moved by 10 % of the
longer side of the landmarks' tight box, in a random direction.

``--predictions``: the rule that works from the first face, alone: landmarks placed far from where the shipped starter
is sure of them (``surprising``). Faces are in three states: all landmarks placed (as imported); what needs a drag
dragged to its true place, and accepted; that work in progress, looked at after each of 1, 2, 3, 5, 8, 12 and 20
drags, worst first. Slips: ten landmarks of each face, one at a time, put 10, 20 and 30 % of the inter-ocular distance
from their true place in a random direction, in the first two states, and as the first and only drag of a face. The
starter has seen ``300w/pool``; ``--folder dev``, ``test``, ``test-hard``: faces that it has not learnt from.
"""

from __future__ import annotations

import argparse
from collections import Counter
from itertools import product
from time import perf_counter

import numpy as np
from faces import add_data_argument, data_folder, given_model, labelled_faces, read_image, scheme_68

from scaf_gui.core.calibration import Signal, perfect_magnitude
from scaf_gui.core.check import RULES, Subject, check
from scaf_gui.core.foreseen import Foreseen
from scaf_gui.core.metrics import needs_drag, normaliser
from scaf_gui.core.scheme import Scheme
from scaf_gui.core.shape import shape_model
from scaf_gui.core.typical import reference_of, typical_of
from scaf_gui.io.formats.pts import read_pts
from scaf_gui.io.headers import read_header
from scaf_gui.learning.device import choose_device
from scaf_gui.learning.predictor import Predictor
from scaf_gui.session.expected import shipped
from scaf_gui.session.shape import shipped as shipped_shapes


def eyes_exchanged(points: np.ndarray, scheme: Scheme, rng: np.random.Generator) -> tuple[np.ndarray, set[int]]:
    eye = [i for group in scheme.groups if group.name == "left_eye" for i in group.landmarks]
    both = eye + [scheme.flip[i] for i in eye]
    broken = points.copy()
    broken[both] = points[[scheme.flip[i] for i in both]]
    return broken, set(both)


def neighbours_exchanged(points: np.ndarray, scheme: Scheme, rng: np.random.Generator) -> tuple[np.ndarray, set[int]]:
    pieces = [piece for group in scheme.groups for piece in group.segments()]
    one, other = pieces[rng.integers(len(pieces))]
    broken = points.copy()
    broken[[one, other]] = points[[other, one]]
    return broken, {one, other}


def landmark_moved(points: np.ndarray, scheme: Scheme, rng: np.random.Generator) -> tuple[np.ndarray, set[int]]:
    landmark, angle = int(rng.integers(len(points))), rng.uniform(0, 2 * np.pi)
    broken = points.copy()
    broken[landmark] += 0.1 * np.ptp(points, axis=0).max() * np.array([np.cos(angle), np.sin(angle)])
    return broken, {landmark}


SLIPS = {
    "eyes exchanged": eyes_exchanged,
    "neighbours exchanged": neighbours_exchanged,
    "moved by 10 %": landmark_moved,
}


def against_predictions(given: argparse.Namespace) -> None:
    """Prints what the rule against predictions says of true labels and of slips."""
    import torch

    torch.set_num_threads(1)
    scheme, rng = scheme_68(), np.random.default_rng(0)
    faces = labelled_faces(data_folder(given) / "300w" / given.folder, scheme)
    if given.faces:
        faces = [faces[i] for i in sorted(rng.permutation(len(faces))[: given.faces])]
    checkpoint = given_model(None, scheme)
    predictor = Predictor(checkpoint, choose_device("cpu"), scheme)
    perfect = perfect_magnitude(float(checkpoint.meta["sigma"]), int(checkpoint.meta["nnm_window"]))
    known = shipped_shapes(scheme)
    assert known is not None
    shape = shape_model(known[0], scheme.flip, known[1])
    calibration = shipped(scheme.id, scheme.num_landmarks)
    counts: Counter[str] = Counter()
    looks, spent, slips = 0, 0.0, 0

    def flagged(found: Foreseen, points: np.ndarray, placed: np.ndarray, accepted: bool) -> set[int]:
        nonlocal looks, spent
        flags = np.zeros(scheme.num_landmarks, np.uint8)
        subject = Subject(scheme, points, flags, placed=placed, accepted=accepted, foreseen=found)
        began = perf_counter()
        named = {landmark for finding in RULES["surprising"].find(subject) for landmark in finding.landmarks}
        looks, spent = looks + 1, spent + perf_counter() - began
        return named

    everything = np.ones(scheme.num_landmarks, bool)
    for at in range(0, len(faces), 16):
        part = faces[at : at + 16]
        predictions = predictor.predict_faces([(read_image(face.image), face.square) for face in part])
        for face, one in zip(part, predictions, strict=True):
            signal = Signal(one.magnitude / perfect, -one.scores["peak"])
            found, truth = Foreseen(one.points, signal, calibration, shape), face.points
            drag = needs_drag(one.points, truth, scheme)
            corrected = np.where(drag[:, None], truth, one.points)
            counts["all placed"] += bool(flagged(found, truth, everything, True))
            counts["corrected"] += bool(flagged(found, corrected, drag, True))
            order = np.argsort(-np.linalg.norm(corrected - one.points, axis=1))[: int(drag.sum())]
            begun = False
            for count in (count for count in (1, 2, 3, 5, 8, 12, 20) if count <= len(order)):
                so_far = np.isin(np.arange(len(truth)), order[:count])
                begun |= bool(flagged(found, np.where(so_far[:, None], truth, one.points), so_far, False))
            counts["in progress"] += begun
            some = rng.permutation(len(truth))[:10].tolist()
            slips += len(some)
            for landmark, percent in product(some, (10, 20, 30)):
                angle = rng.uniform(0, 2 * np.pi)
                by = percent / 100 * normaliser(truth, scheme) * np.array([np.cos(angle), np.sin(angle)])
                alone = np.arange(len(truth)) == landmark
                for state, points, placed in (
                    ("all placed", truth, everything),
                    ("corrected", corrected, drag | alone),
                    ("first drag", one.points, alone),
                ):
                    broken = points.copy()
                    broken[landmark] = truth[landmark] + by
                    counts[f"{state} {percent}"] += landmark in flagged(found, broken, placed, state != "first drag")
    print(f"300w/{given.folder}, {len(faces)} faces, {1000 * spent / looks:.2f} ms a look")
    print("true labels flagged:")
    for state in ("all placed", "corrected", "in progress"):
        print(f"  {state:12} {counts[state]:5} {100 * counts[state] / len(faces):6.2f} %")
    print("slips found, moved by 10, 20, 30 % of the inter-ocular distance (the landmark is named):")
    for state in ("all placed", "corrected", "first drag"):
        print(f"  {state:12}" + "".join(f" {100 * counts[f'{state} {by}'] / slips:6.1f} %" for by in (10, 20, 30)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_argument(parser)
    parser.add_argument("--faces", type=int, default=0, help="only so many labelled faces, drawn at random")
    parser.add_argument("--without-statistics", action="store_true", help="as with fewer than 20 labelled faces")
    parser.add_argument("--predictions", action="store_true", help="the rule against the starter's predictions")
    parser.add_argument("--folder", default="pool", help="with --predictions: a folder of 300w")
    given = parser.parse_args()
    if given.predictions:
        against_predictions(given)
        return
    scheme, rng = scheme_68(), np.random.default_rng(0)
    files = sorted((data_folder(given) / "300w" / "pool").glob("*.pts"))
    if given.faces:
        files = [files[i] for i in sorted(rng.permutation(len(files))[: given.faces])]
    faces = [read_pts(file, scheme.num_landmarks) for file in files]
    sizes = []
    for file in files:
        image = next(p for p in (file.with_suffix(s) for s in (".jpg", ".png")) if p.exists())
        with image.open("rb") as opened:
            sizes.append(read_header(opened).size)
    began = perf_counter()
    typical = None if given.without_statistics else typical_of(faces, scheme)
    print(f"{len(faces)} faces, statistics in {perf_counter() - began:.2f} s")
    reference = reference_of(faces[:10], scheme)
    flags = np.zeros(scheme.num_landmarks, np.uint8)

    def findings(points: np.ndarray, number: int) -> list[tuple[str, set[int]]]:
        subject = Subject(scheme, points, flags, sizes[number], typical, number, reference=reference)
        return [(finding.rule, set(finding.landmarks)) for finding in check(subject)]

    by_rule: Counter[str] = Counter()
    began = perf_counter()
    for number, points in enumerate(faces):
        rules = {rule for rule, _ in findings(points, number)}
        by_rule.update(rules)
        by_rule["any"] += bool(rules)
        by_rule["any but outside"] += bool(rules - {"outside"})
    print(f"{1000 * (perf_counter() - began) / len(faces):.2f} ms a face")
    print("true labels flagged:")
    for rule in (*RULES, "any", "any but outside"):
        print(f"  {rule:16} {by_rule[rule]:5} {100 * by_rule[rule] / len(faces):6.2f} %")
    print("slips found (one of the landmarks concerned is named):")
    for title, slip in SLIPS.items():
        hits, how = 0, Counter()
        for number, points in enumerate(faces):
            broken, concerned = slip(points, scheme, rng)
            found = [rule for rule, landmarks in findings(broken, number) if landmarks & concerned]
            hits += bool(found)
            how.update(found[:1])
        print(f"  {title:22} {100 * hits / len(faces):6.2f} %   {dict(how)}")


if __name__ == "__main__":
    main()
