"""How a detector's box leads to the canonical face box: fit shift and scale, and say what is left.

    python tests/benchmarks/box_rules.py --data DATA [--faces 300]

Fits on a slice of ``300w/pool`` (every other face) and reports on the rest: the distance between the centres of
crop by detector and crop by true landmarks, in % of the true crop's side, and the ratio of their sides.
"""

from __future__ import annotations

import argparse

import numpy as np
from faces import add_data_argument, data_folder, detected_boxes, labelled_faces, scheme_68

from scaf_gui.core.face import Box, BoxSource
from scaf_gui.core.geometry import BOX_RULES, BoxRule, face_square, landmark_box
from scaf_gui.learning.examples import Example


def fit(pairs: list[tuple[Box, Example]], face_box: tuple[float, float, float]) -> BoxRule:
    """Medians of shift and scale, in sides of the detector's box (the square root of its area)."""
    rows = []
    for box, face in pairs:
        side = np.sqrt(box.width * box.height)
        target = face_square(landmark_box(face.points, face_box))
        rows.append([(target.cx - box.centre[0]) / side, (target.cy - box.centre[1]) / side, target.side / side])
    dx, dy, scale = np.median(rows, axis=0)
    return BoxRule(float(dx), float(dy), float(scale))


def report(title: str, rule: BoxRule, pairs: list[tuple[Box, Example]], face_box: tuple[float, float, float]) -> None:
    offsets, ratios = [], []
    for box, face in pairs:
        side = np.sqrt(box.width * box.height)
        cx, cy = box.centre[0] + rule.dx * side, box.centre[1] + rule.dy * side
        target = face_square(landmark_box(face.points, face_box))
        offsets.append(100 * np.hypot(cx - target.cx, cy - target.cy) / target.side)
        ratios.append(rule.scale * side / target.side)
    deviation = 100 * np.abs(np.log(ratios))
    print(
        f"{title}: BoxRule({rule.dx:.3f}, {rule.dy:.3f}, {rule.scale:.3f}) on {len(pairs)} faces: centre off by "
        f"{np.median(offsets):.1f} % (90 %: {np.percentile(offsets, 90):.1f} %) of the face box's side; side ratio "
        f"{np.median(ratios):.3f}, off by {np.median(deviation):.1f} % (90 %: {np.percentile(deviation, 90):.1f} %)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_argument(parser)
    parser.add_argument("--faces", type=int, default=300)
    given = parser.parse_args()
    scheme = scheme_68()
    faces = labelled_faces(data_folder(given) / "300w" / "pool", scheme)
    chosen = [faces[i] for i in np.random.default_rng(0).permutation(len(faces))[: given.faces]]
    boxes = detected_boxes(chosen, given.cache)
    pairs = [(box, face) for box, face in zip(boxes, chosen, strict=True) if box is not None]
    print(f"found {len(pairs)} of {len(chosen)} faces")
    report("present rule, other half", BOX_RULES[BoxSource.DETECTOR], pairs[1::2], scheme.face_box)
    report("fitted rule, other half", fit(pairs[::2], scheme.face_box), pairs[1::2], scheme.face_box)


if __name__ == "__main__":
    main()
