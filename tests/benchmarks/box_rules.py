"""How a detector's box leads to the canonical face box: fit shift and scale, and say what is left.

    python tests/benchmarks/box_rules.py --data DATA [--faces 300]

Fits on a slice of ``300w/pool`` (every other face) and reports on the rest: the distance between the centres of
crop by detector and crop by true landmarks, in % of the true crop's side, and the ratio of their sides. Also for the
square that true pupils (means of the lids), nose tip and mouth corners lead to (``five_point_square``): fitted on every
other face of the pool, reported on the rest.
"""

from __future__ import annotations

import argparse

import numpy as np
from faces import add_data_argument, data_folder, detected_boxes, labelled_faces, scheme_68

from scaf_gui.core.face import Box, BoxSource
from scaf_gui.core.geometry import BOX_RULES, BoxRule, face_square, five_point_square, landmark_box
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


def five_points(points: np.ndarray) -> np.ndarray:
    """(5, 2) of 68 landmarks: pupils as means of the lids, tip of the nose, corners of the mouth."""
    return np.stack([points[36:42].mean(axis=0), points[42:48].mean(axis=0), points[30], points[48], points[54]])


def fit_five_points(faces: list[Example], face_box: tuple[float, float, float]) -> str:
    """The constants of ``five_point_square`` by least squares, in sides of the face box."""
    rows = []
    for face in faces:
        target, points = face_square(landmark_box(face.points, face_box)), five_points(face.points)
        pupils, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
        middle, length = (pupils + mouth) / 2, np.linalg.norm(mouth - pupils)
        down = (mouth - pupils) / length
        across = np.array([down[1], -down[0]])
        nose, centre = points[2] - middle, np.array([target.cx, target.cy]) - middle
        spread = np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean())
        rows.append(
            np.array([nose @ across, centre @ across, length, nose @ down, centre @ down, spread]) / target.side
        )
    nose_x, cx, length, nose_y, cy, spread = np.array(rows).T
    turn = (nose_x * cx).sum() / (nose_x**2).sum()
    drop = np.linalg.lstsq(np.stack([length, nose_y], axis=1), cy, rcond=None)[0]
    side = np.linalg.lstsq(np.stack([spread, np.abs(nose_x)], axis=1), np.ones(len(rows)), rcond=None)[0]
    return f"turn {turn:.2f}, drop {drop[0]:.3f} and {drop[1]:.3f}, side {side[0]:.2f} and {side[1]:.3f}"


def report_five_points(faces: list[Example], face_box: tuple[float, float, float]) -> None:
    offsets, ratios = [], []
    for face in faces:
        target, square = face_square(landmark_box(face.points, face_box)), five_point_square(five_points(face.points))
        if square is not None:
            offsets.append(100 * np.hypot(square.cx - target.cx, square.cy - target.cy) / target.side)
            ratios.append(square.side / target.side)
    deviation = 100 * np.abs(np.log(ratios))
    print(
        f"five points on {len(ratios)} of {len(faces)} faces: centre off by {np.median(offsets):.1f} % (90 %: "
        f"{np.percentile(offsets, 90):.1f} %) of the face box's side; side ratio {np.median(ratios):.3f}, off by "
        f"{np.median(deviation):.1f} % (90 %: {np.percentile(deviation, 90):.1f} %)"
    )


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
    print(f"five points, fitted on every other face: {fit_five_points(faces[::2], scheme.face_box)}")
    report_five_points(faces[1::2], scheme.face_box)
    chosen = [faces[i] for i in np.random.default_rng(0).permutation(len(faces))[: given.faces]]
    boxes = detected_boxes(chosen, given.cache)
    pairs = [(box, face) for box, face in zip(boxes, chosen, strict=True) if box is not None]
    print(f"found {len(pairs)} of {len(chosen)} faces")
    report("present rule, other half", BOX_RULES[BoxSource.DETECTOR], pairs[1::2], scheme.face_box)
    report("fitted rule, other half", fit(pairs[::2], scheme.face_box), pairs[1::2], scheme.face_box)


if __name__ == "__main__":
    main()
