"""What decoding, averaging, a second look and the side of the NNM window are worth, on labelled faces.

    python tests/benchmarks/decoding.py --data DATA [--folder 300w/dev] [--model FILE] [--threads 1]

No training. NME in % of the outer eye corners' distance, drags per face, and the cost of each variant in forward
passes. The rank correlation is that of the NNM score with the face's true NME, and of a landmark's window with its
true error: what the side of the window is chosen by.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from faces import (
    add_data_argument,
    data_folder,
    given_model,
    labelled_faces,
    machine,
    read_image,
    scheme_68,
    with_detector_boxes,
)

from scaf_gui.core.metrics import Evaluation, landmark_errors
from scaf_gui.learning.crops import cut_crop
from scaf_gui.learning.decoding import DECODERS
from scaf_gui.learning.device import choose_device
from scaf_gui.learning.predictor import FacePrediction, Predictor

WINDOWS = (1, 3, 5, 7, 9, 11, 15, 21)


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's, of values without ties to speak of."""
    ranks = [np.argsort(np.argsort(values)) for values in (first, second)]
    return float(np.corrcoef(*ranks)[0, 1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_argument(parser)
    parser.add_argument("--folder", default="300w/dev")
    parser.add_argument("--model", type=Path, help="default: the starter")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="auto")
    given = parser.parse_args()

    import torch

    torch.set_num_threads(given.threads)
    scheme, device = scheme_68(), choose_device(given.device)
    checkpoint = given_model(given.model, scheme)
    true = labelled_faces(data_folder(given) / given.folder, scheme)
    kinds = {"true": true, "detector": with_detector_boxes(true, given.cache)}
    print(f"{machine(given.threads)}; {device.why}; model {checkpoint.id}; {given.folder}, {len(true)} faces")

    def predicted(faces, **options) -> list[FacePrediction]:  # type: ignore[no-untyped-def]
        predictor = Predictor(checkpoint, device, scheme, ("nnm",), **options)
        found: list[FacePrediction] = []
        for start in range(0, len(faces), 16):
            part = [(read_image(face.image), face.square) for face in faces[start : start + 16]]
            found += predictor.predict_faces(part)
        return found

    variants: list[tuple[str, int, dict[str, object]]] = [
        (f"decoder {name}", 1, {"decoder": name}) for name in DECODERS
    ]
    for name in ("centroid", "taylor"):
        variants.append((f"{name}, flip averaging", 2, {"decoder": name, "flip_average": True}))
        variants.append((f"{name}, second look", 2, {"decoder": name, "second_look": True}))
    variants.append(("taylor, both", 4, {"decoder": "taylor", "flip_average": True, "second_look": True}))
    print(
        "| boxes | variant | forwards | NME % | drags (3 %) | drags (5 %) | failures > 8 % |\n"
        "|---|---|---|---|---|---|---|"
    )
    for kind, faces in kinds.items():
        for title, forwards, options in variants:
            found = predicted(faces, **options)
            e = Evaluation.of([(one.points, face.points) for one, face in zip(found, faces, strict=True)], scheme)
            print(
                f"| {kind} | {title} | {forwards} | {e.nme:.3f} | {e.drags_3:.2f} | {e.drags_5:.2f} "
                f"| {e.failure_8:.1f} |",
                flush=True,
            )

    crops = [cut_crop(read_image(face.image), face.square, checkpoint.architecture.input_size) for face in true]
    found = predicted(true)
    errors = np.array([landmark_errors(one.points, face.points, scheme) for one, face in zip(found, true, strict=True)])
    print("| NNM window, pixels | with the face's NME | with the landmark's error |\n|---|---|---|")
    for side in WINDOWS:
        wide = Predictor(checkpoint, device, scheme, ("nnm",), window=side)
        batches = [wide.predict(crops[start : start + 16]) for start in range(0, len(crops), 16)]
        magnitude = np.concatenate([batch.magnitude for batch in batches])
        faces_too = rank_correlation(-magnitude.sum(axis=1), errors.mean(axis=1))
        print(f"| {side} | {faces_too:.3f} | {rank_correlation(-magnitude.ravel(), errors.ravel()):.3f} |", flush=True)


if __name__ == "__main__":
    main()
