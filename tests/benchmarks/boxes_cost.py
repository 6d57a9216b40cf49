"""What each kind of face box costs, what a second look brings back, and how wide a crop serves best.

    python tests/benchmarks/boxes_cost.py --data DATA [--sets 300w/dev ...] [--model FILE] [--threads 1] [--yunet FILE]

No training. Of each set all faces that the detector finds are predicted, with the same faces for each kind of box:

- ``true``: the tight box of the true landmarks;
- ``detector``: MTCNN's box by its rule;
- ``five points``: the square that true pupils (means of the lids), nose tip and mouth corners lead to, as for a
  detector that gives those (YuNet); a real one adds its own error to that;
- ``YuNet``: with ``--yunet FILE``, what that model really finds; a face that it misses keeps its true
  box, and is counted;
- ``tight, 5 %``, ``10 %`` and ``20 %``: the true box with every edge moved by a normal deviate of that share of the
  side, as rectangles drawn by hand or read from a list of another set's landmarks;
- ``whole photo``: what a project made with boxes around whole photos has;

and then with the true box's crop made narrower and wider than the one that the model was trained with. Figures: NME
in % of the outer eye corners' distance and drags per face, from one look and from two. "over true" is the NME
over that from the true box with as many looks; the last line of each table compares detector boxes and two looks with
true boxes and one look, which is what the product aims at (within 3 %).
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from faces import (
    add_data_argument,
    best_box,
    data_folder,
    detected_boxes,
    given_model,
    labelled_faces,
    machine,
    read_image,
    scheme_68,
)

from scaf_gui.core.face import Box, BoxSource
from scaf_gui.core.geometry import CROP_MARGIN, Square, crop_square, five_point_square, tight_box, widened
from scaf_gui.core.metrics import Evaluation
from scaf_gui.io.yunet import YunetDetector
from scaf_gui.learning.device import choose_device
from scaf_gui.learning.examples import Example
from scaf_gui.learning.predictor import Predictor

#: side of the crop over the side of the face box
MARGINS = (1.15, 1.22, 1.30, 1.40, 1.50)


def five_points(points: np.ndarray) -> np.ndarray:
    """(5, 2) of 68 landmarks: pupils as means of the lids, tip of the nose, corners of the mouth."""
    return np.stack([points[36:42].mean(axis=0), points[42:48].mean(axis=0), points[30], points[48], points[54]])


def jittered(points: np.ndarray, share: float, generator: np.random.Generator) -> Square:
    """The crop of the tight box of points whose edges are moved by ``share`` of its longer side (deviation)."""
    x, y, width, height = tight_box(points)
    left, top, right, bottom = generator.normal(0.0, share * max(width, height), 4)
    x0, y0, x1, y1 = x + left, y + top, x + width + right, y + height + bottom
    return crop_square(Box(x0, y0, max(x1 - x0, 1.0), max(y1 - y0, 1.0), BoxSource.FILE))


def by_points(face: Example) -> Square:
    """The crop that true pupils, nose and mouth lead to."""
    square = five_point_square(five_points(face.points))
    return face.square if square is None else widened(square)


def by_yunet(faces: list[Example], detector: YunetDetector) -> list[Example]:
    """The crops of the boxes that overlap the true ones best."""
    made, missed = [], 0
    for face in faces:
        box = best_box([asdict(box) for box in detector.detect(read_image(face.image))], face.points)
        missed += box is None
        made.append(face if box is None else replace(face, square=crop_square(box)))
    print(f"YuNet misses {missed} of {len(faces)} faces\n")
    return made


def whole_photo(face: Example) -> Square:
    """The crop of a box around the whole photo."""
    height, width = read_image(face.image).shape[:2]
    return crop_square(Box(0, 0, width, height, BoxSource.WHOLE))


def scaled(square: Square, factor: float) -> Square:
    return Square(square.cx, square.cy, square.side * factor)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_argument(parser)
    parser.add_argument("--sets", nargs="+", default=["300w/dev"])
    parser.add_argument("--model", type=Path, help="default: the starter")
    parser.add_argument("--decoder", help="default: the model's")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--yunet", type=Path, help="a YuNet model: its boxes are measured too")
    given = parser.parse_args()

    import torch

    torch.set_num_threads(given.threads)
    scheme, device = scheme_68(), choose_device(given.device)
    checkpoint = given_model(given.model, scheme)
    looks = [
        Predictor(checkpoint, device, scheme, (), decoder=given.decoder, second_look=twice) for twice in (False, True)
    ]
    print(f"{machine(given.threads)}; {device.why}; model {checkpoint.id}, decoder {given.decoder or 'its own'}")

    def measured(faces: list[Example]) -> list[Evaluation]:
        """Figures from one look and from two."""
        figures = []
        for predictor in looks:
            pairs = []
            for start in range(0, len(faces), 16):
                part = faces[start : start + 16]
                found = predictor.predict_faces([(read_image(face.image), face.square) for face in part])
                pairs += [(one.points, face.points) for one, face in zip(found, part, strict=True)]
            figures.append(Evaluation.of(pairs, scheme))
        return figures

    for name in given.sets:
        labelled = labelled_faces(data_folder(given) / name, scheme)
        boxes = detected_boxes(labelled, given.cache)
        found = [(face, box) for face, box in zip(labelled, boxes, strict=True) if box is not None]
        true = [face for face, _ in found]
        print(f"\n{name}: {len(true)} of {len(labelled)} faces, those that the detector finds\n")

        generator = np.random.default_rng(0)
        kinds = {
            "true": true,
            "detector": [replace(face, square=crop_square(box)) for face, box in found],
            "five points": [replace(face, square=by_points(face)) for face in true],
            "tight, 5 %": [replace(face, square=jittered(face.points, 0.05, generator)) for face in true],
            "tight, 10 %": [replace(face, square=jittered(face.points, 0.10, generator)) for face in true],
            "tight, 20 %": [replace(face, square=jittered(face.points, 0.20, generator)) for face in true],
            "whole photo": [replace(face, square=whole_photo(face)) for face in true],
        }
        if given.yunet is not None:
            kinds["YuNet"] = by_yunet(true, YunetDetector(given.yunet))
        figures = {kind: measured(faces) for kind, faces in kinds.items()}
        print(
            "| boxes | NME %, one look | drags | over true | NME %, two looks | drags | over true |\n"
            "|---|---|---|---|---|---|---|"
        )
        for kind, (one, two) in figures.items():
            print(
                f"| {kind} | {one.nme:.3f} | {one.drags_3:.2f} | {one.nme / figures['true'][0].nme:.3f} "
                f"| {two.nme:.3f} | {two.drags_3:.2f} | {two.nme / figures['true'][1].nme:.3f} |",
                flush=True,
            )
        aim = figures["detector"][1].nme / figures["true"][0].nme
        print(f"detector boxes and two looks over true boxes and one look: {aim:.3f}\n")
        print("| margin of the crop | NME %, one look | drags | NME %, two looks | drags |\n|---|---|---|---|---|")
        for margin in MARGINS:
            one, two = measured([replace(face, square=scaled(face.square, margin / CROP_MARGIN)) for face in true])
            print(
                f"| {margin:.2f} | {one.nme:.3f} | {one.drags_3:.2f} | {two.nme:.3f} | {two.drags_3:.2f} |", flush=True
            )


if __name__ == "__main__":
    main()
