"""Pre-fill of one face, image file to landmarks, beside the bare network forward in the same run.

    python tests/benchmarks/prefill.py --data DATA [--threads 2] [--rounds 60]

Both are timed in turn, face by face, at batch 1 on the CPU, so that a noisy machine hits both alike. The ratio
of the medians is the figure. The bare forward runs on a prepared tensor; pre-fill reads and decodes the image
file, cuts the crop, runs the network, finds the landmarks and their NNM windows, and maps them to the image. With
two looks, as for the face that is shown first and those that come next, a second crop and forward come to that.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from faces import add_data_argument, data_folder, labelled_faces, machine, scheme_68, starter_for

from scaf_gui.io.images import read_image
from scaf_gui.learning.checkpoint import load_checkpoint
from scaf_gui.learning.crops import cut_crop
from scaf_gui.learning.device import choose_device
from scaf_gui.learning.predictor import Predictor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_argument(parser)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()

    import torch

    torch.set_num_threads(given.threads)
    scheme = scheme_68()
    device = choose_device(given.device)
    predictor = Predictor(load_checkpoint(starter_for(scheme), scheme), device, scheme)
    faces = labelled_faces(data_folder(given) / "300w" / "dev", scheme)[: given.rounds]
    images = [read_image(Path(face.image)) for face in faces]
    crops = [cut_crop(i, f.square, predictor.crop_size) for i, f in zip(images, faces, strict=True)]

    def synchronise() -> None:
        if device.kind == "cuda":
            torch.cuda.synchronize()

    def timed(work) -> float:  # type: ignore[no-untyped-def]
        began = time.perf_counter()
        work()
        synchronise()
        return 1000 * (time.perf_counter() - began)

    for crop in crops[:5]:
        predictor.heatmaps([crop])
    predictor.predict_faces([(images[0], faces[0].square)], second_look=True)
    bare, whole, twice, read = [], [], [], []
    for face, crop in zip(faces, crops, strict=True):
        bare.append(timed(lambda crop=crop: predictor.heatmaps([crop])))
        whole.append(timed(lambda face=face: predictor.predict_faces([(read_image(Path(face.image)), face.square)])))
        twice.append(
            timed(lambda face=face: predictor.predict_faces([(read_image(Path(face.image)), face.square)], True))
        )
        read.append(timed(lambda face=face: read_image(Path(face.image))))
    size = np.median([image.shape[:2] for image in images], axis=0).astype(int)
    print(f"{machine(given.threads)}; {device.why}; {len(faces)} faces, median image {size[1]} x {size[0]}")
    print("| step | median ms | 90th percentile ms |\n| --- | --- | --- |")
    named = (("pre-fill, one look", whole), ("pre-fill, two looks", twice))
    for name, values in (("network forward alone", bare), ("reading the image file", read), *named):
        print(f"| {name} | {np.median(values):.1f} | {np.percentile(values, 90):.1f} |")
    for name, values in named:
        print(
            f"{name} over bare forward: {np.median(values) / np.median(bare):.2f} (median of pairs "
            f"{np.median(np.array(values) / np.array(bare)):.2f})"
        )


if __name__ == "__main__":
    main()
