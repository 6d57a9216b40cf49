"""What a few-label training should begin with: parts of an auto-encoder, or random weights.

    python tests/benchmarks/beginnings.py --data DATA [--base models/faces-128.safetensors] [--seeds 0] [--labels 50]

``300w/dev`` (true boxes, one look) after a training of the ``default`` preset on so many random faces of ``300w/pool``:
encoder and generator each from the auto-encoder or from random weights, with other learning rates for the
encoder. ``--only NAME`` runs some of the lines; ``--steps`` shortens or lengthens the training. These lines are for
choosing, so no test set is read.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from faces import ROOT, add_data_argument, data_folder, labelled_faces, machine, read_image, scheme_68

from scaf_gui.core.metrics import Evaluation
from scaf_gui.learning.checkpoint import Checkpoint
from scaf_gui.learning.device import choose_device
from scaf_gui.learning.examples import Example
from scaf_gui.learning.predictor import Predictor
from scaf_gui.learning.presets import preset
from scaf_gui.learning.pretrained import Autoencoder, load_autoencoder
from scaf_gui.learning.training import train


@dataclass(frozen=True)
class Line:
    """``parts``: what is taken from the auto-encoder, ``Q`` the encoder, ``P`` the generator."""

    title: str
    parts: str = ""
    encoder_rate: float | None = None


LINES = {
    "random": Line("random weights"),
    "generator": Line("its generator, random encoder", "P"),
    "encoder": Line("its encoder at 4e-4, random generator", "Q", 4e-4),
    "both": Line("both", "QP"),
    "both-slow": Line("both, encoder at 2e-4", "QP", 2e-4),
}


def beginning(base: Autoencoder, line: Line) -> Autoencoder | None:
    """The auto-encoder without the parts that are to be random."""
    taken = {name: value for name, value in base.tensors.items() if name[0] in line.parts}
    return replace(base, tensors=taken) if taken else None


def trained(examples: list[Example], line: Line, given: argparse.Namespace, base: Autoencoder, seed: int) -> Checkpoint:
    recipe = preset("default")
    if line.encoder_rate is not None:
        recipe = replace(recipe, lr_encoder=line.encoder_rate)
    if given.steps:
        recipe = replace(recipe, full_steps=given.steps, full_epochs=0)
    run = train(examples, read_image, scheme_68(), recipe, start=beginning(base, line), device=choose_device("cpu"),
                seed=seed)  # fmt: skip
    while True:
        try:
            next(run)
        except StopIteration as finished:
            return finished.value.checkpoint  # type: ignore[no-any-return]


def figures(checkpoint: Checkpoint, faces: list[Example]) -> Evaluation:
    predictor, pairs = Predictor(checkpoint, choose_device("cpu"), scheme_68(), scores=()), []
    for at in range(0, len(faces), 16):
        part = faces[at : at + 16]
        found = predictor.predict_faces([(read_image(face.image), face.square) for face in part])
        pairs += [(one.points, face.points) for one, face in zip(found, part, strict=True)]
    return Evaluation.of(pairs, scheme_68())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_argument(parser)
    parser.add_argument("--base", type=Path, default=ROOT / "models" / "faces-128.safetensors")
    parser.add_argument("--only", nargs="+", choices=tuple(LINES), default=list(LINES))
    parser.add_argument("--labels", type=int, default=50)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--steps", type=int, help="default: the preset's")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    import cv2
    import torch

    torch.set_num_threads(given.threads)
    cv2.setNumThreads(1)
    folder, scheme = data_folder(given) / "300w", scheme_68()
    pool, watched = labelled_faces(folder / "pool", scheme), labelled_faces(folder / "dev", scheme)
    base = load_autoencoder(given.base)
    print(f"{machine(given.threads)}\n")
    print("| from the auto-encoder | seed | NME % | drags (3 %) | failures > 8 % | training s |")
    print("|---" * 6 + "|", flush=True)
    for seed in given.seeds:
        chosen = [pool[place] for place in np.random.default_rng(seed).permutation(len(pool))[: given.labels]]
        for name in given.only:
            began = time.monotonic()
            found = figures(trained(chosen, LINES[name], given, base, seed), watched)
            print(f"| {LINES[name].title} | {seed} | {found.nme:.2f} | {found.drags_3:.1f} | {found.failure_8:.1f} % "
                  f"| {time.monotonic() - began:.0f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
