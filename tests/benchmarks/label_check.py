"""How often the label check is wrong: share of true labels flagged by each rule, share of slips found.

    python tests/benchmarks/label_check.py --data DATA [--faces 1028]

True labels: 300-W's training faces (DATA/300w/pool), the statistics made of the same faces, each judged by the others.
Slips, one to a face: the two eyes exchanged; two neighbours of a curve exchanged; one landmark moved by 10 % of the
longer side of the landmarks' tight box, in a random direction.
"""

from __future__ import annotations

import argparse
from collections import Counter
from time import perf_counter

import numpy as np
from faces import add_data_argument, data_folder, scheme_68

from scaf_gui.core.check import RULES, Subject, check
from scaf_gui.core.scheme import Scheme
from scaf_gui.core.typical import reference_of, typical_of
from scaf_gui.io.formats.pts import read_pts
from scaf_gui.io.headers import read_header


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_argument(parser)
    parser.add_argument("--faces", type=int, default=0, help="only so many labelled faces, drawn at random")
    parser.add_argument("--without-statistics", action="store_true", help="as with fewer than 20 labelled faces")
    given = parser.parse_args()
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
