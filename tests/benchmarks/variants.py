"""What a few-label training is made of: beginning, loss, resolution, schedule, views; one thing changed at a time.

    python tests/benchmarks/variants.py --data DATA [--labels 50] [--seeds 0] [--steps 240] [--only NAME ...]
    python tests/benchmarks/variants.py --list

``300w/dev`` (true boxes, one look) after a training of a preset (``default``), changed in one way, on so many random
faces of ``300w/pool``. Seconds say where a change makes a step slower or faster. These lines are for choosing, so no
test set is read.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from faces import ROOT, add_data_argument, data_folder, labelled_faces, machine, read_image, scheme_68

from scaf_gui.core.metrics import Evaluation
from scaf_gui.core.scheme import Scheme
from scaf_gui.learning.checkpoint import Checkpoint
from scaf_gui.learning.device import choose_device
from scaf_gui.learning.examples import Example
from scaf_gui.learning.predictor import Predictor
from scaf_gui.learning.presets import Augmentation, Preset, preset
from scaf_gui.learning.pretrained import Autoencoder, load_autoencoder
from scaf_gui.learning.training import train

CALM = Augmentation()


@dataclass(frozen=True)
class Line:
    """``parts``: what is taken from the auto-encoder, ``Q`` the encoder, ``P`` the generator."""

    title: str
    changes: dict[str, Any] = field(default_factory=dict)
    parts: str = ""


LINES = {
    "default": Line("nothing: the preset as it is, random weights"),
    "generator": Line("the auto-encoder's generator, random encoder", parts="P"),
    "encoder": Line("its encoder at 4e-4, random generator", {"lr_encoder": 4e-4}, "Q"),
    "both": Line("both", parts="QP"),
    "both-slow": Line("both, encoder at 2e-4", {"lr_encoder": 2e-4}, "QP"),
    "adamw": Line("AdamW for all weights", {"muon": 0.0}),
    "rates-triple": Line("the same at three times the rates", {"muon": 0.0, "lr_head": 6e-3, "lr_encoder": 2.1e-3}),
    "muon-0.8": Line("Muon's steps a quarter as large", {"muon": 0.8}),
    "muon-1.6": Line("Muon's steps half as large", {"muon": 1.6}),
    "muon-6.4": Line("Muon's steps twice as large", {"muon": 6.4}),
    "plain-loss": Line("squared error without weight on the foreground", {"foreground": 0.0}),
    "half-weight": Line("foreground weighted 10 instead of 20", {"foreground": 10.0}),
    "sigma-1.5": Line("sigma 1.5 heatmap pixels instead of 2", {"sigma": 1.5}),
    "sigma-3": Line("sigma 3", {"sigma": 3.0}),
    "head-128": Line("heatmaps of 128 pixels, sigma 4", {"itls": 4, "sigma": 4.0}),
    "itls-first": Line("the encoder rests for half of the steps (ITLs first)", {"itls_first": 0.5}),
    "constant-rate": Line("constant learning rates", {"cosine": False, "warm_up": 0.0}),
    "no-warm-up": Line("no warm-up", {"warm_up": 0.0}),
    "rates-half": Line("half the learning rates", {"lr_head": 1e-3, "lr_encoder": 3.5e-4}),
    "no-average": Line("no average of weights", {"ema": 0.0}),
    "fixed-norms": Line("BatchNorm of the auto-encoder's layers fixed", {"train_batch_norm": False}),
    "no-erasing": Line("no random erasing", {"augmentation": replace(preset("default").augmentation, erasing=0.0)}),
    "calm-views": Line("views as published: turned, shifted, mirrored alone", {"augmentation": CALM}),
    "skips-off": Line("without skips (3FabRec)", {"skips": False}),
}


def learn(
    examples: Sequence[Example], recipe: Preset, seed: int, start: Checkpoint | Autoencoder | None = None
) -> Checkpoint:
    """The model of a whole run on the CPU."""
    run = train(examples, read_image, scheme_68(), recipe, start=start, device=choose_device("cpu"), seed=seed)
    while True:
        try:
            next(run)
        except StopIteration as finished:
            return finished.value.checkpoint  # type: ignore[no-any-return]


def figures(checkpoint: Checkpoint, faces: list[Example], scheme: Scheme | None = None) -> Evaluation:
    """One look at each face. ``scheme``: without it 300-W's."""
    scheme = scheme or scheme_68()
    predictor, pairs = Predictor(checkpoint, choose_device("cpu"), scheme, scores=()), []
    for at in range(0, len(faces), 16):
        part = faces[at : at + 16]
        found = predictor.predict_faces([(read_image(face.image), face.square) for face in part])
        pairs += [(one.points, face.points) for one, face in zip(found, part, strict=True)]
    return Evaluation.of(pairs, scheme)


def with_steps(recipe: Preset, steps: int | None) -> Preset:
    return replace(recipe, full_steps=steps, full_epochs=0) if steps else recipe


def add_arguments(parser: argparse.ArgumentParser, lines: dict[str, Any]) -> None:
    add_data_argument(parser)
    parser.add_argument("--only", nargs="+", choices=tuple(lines), default=list(lines), metavar="NAME")
    parser.add_argument("--labels", type=int, default=50)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--steps", type=int, help="of each training (default: the preset's)")
    parser.add_argument("--threads", type=int, default=1)


def begin(given: argparse.Namespace) -> None:
    """Threads as wished; says on which machine."""
    import cv2
    import torch

    torch.set_num_threads(given.threads)
    cv2.setNumThreads(1)
    print(f"{machine(given.threads)}\n")


def faces_300w(given: argparse.Namespace) -> tuple[list[Example], list[Example]]:
    """The faces to learn from and those to look at."""
    folder, scheme = data_folder(given) / "300w", scheme_68()
    return labelled_faces(folder / "pool", scheme), labelled_faces(folder / "dev", scheme)


def started(base: Path, line: Line) -> Autoencoder | None:
    """The auto-encoder without the parts that are to be random."""
    if not line.parts:
        return None
    whole = load_autoencoder(base)
    return replace(whole, tensors={name: value for name, value in whole.tensors.items() if name[0] in line.parts})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser, LINES)
    parser.add_argument("--preset", default="default", help="what is changed in one way")
    parser.add_argument("--base", type=Path, default=ROOT / "models" / "faces-128.safetensors")
    parser.add_argument("--list", action="store_true", help="print the names of the lines")
    given = parser.parse_args()
    if given.list:
        for name, line in LINES.items():
            print(f"{name:14s} {line.title}")
        return
    begin(given)
    pool, watched = faces_300w(given)
    print("| changed | seed | NME % | drags (3 %) | failures > 8 % | seconds |")
    print("|---" * 6 + "|", flush=True)
    for seed in given.seeds:
        chosen = [pool[place] for place in np.random.default_rng(seed).permutation(len(pool))[: given.labels]]
        for name in given.only:
            line, began = LINES[name], time.monotonic()
            recipe = with_steps(replace(preset(given.preset), **line.changes), given.steps)
            model = learn(chosen, recipe, seed, started(given.base, line))
            lasted, found = time.monotonic() - began, figures(model, watched)
            print(f"| {line.title} | {seed} | {found.nme:.2f} | {found.drags_3:.1f} | {found.failure_8:.1f} % "
                  f"| {lasted:.0f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
