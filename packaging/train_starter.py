"""Train the starter: the 68-point model that pre-fills the first faces.

It learns from random weights on labelled 300-W faces and on rendered ones::

    python packaging/train_starter.py --data DATA --out models/starter-68.safetensors --minutes 25

DATA holds ``300w/pool`` (images with ``.pts``; learnt from) and ``300w/dev`` (watched, never learnt from);
``300w/test`` and ``300w/test-hard`` are read by tests/benchmarks/active_loop.py only. The weights are saved
every few minutes; ``--start FILE`` goes on from such a file.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scaf_gui.core.geometry import crop_square, landmark_box
from scaf_gui.core.scheme import Scheme, load_scheme
from scaf_gui.io import images
from scaf_gui.io.formats.pts import read_pts
from scaf_gui.learning.checkpoint import load_checkpoint, save_checkpoint
from scaf_gui.learning.device import choose_device
from scaf_gui.learning.examples import Example
from scaf_gui.learning.presets import preset
from scaf_gui.learning.training import train
from scaf_gui.paths import resource_folder
from scaf_gui.samples.render import render_face

#: renders of the sample and of the tests have smaller seeds
FIRST_RENDER_SEED = 100_000


def read_image(name: str) -> np.ndarray:
    """(H, W, 3) uint8 RGB, upright, by the name that an example gives."""
    return images.read_image(Path(name))


def example(image: str, points: np.ndarray, scheme: Scheme) -> Example:
    square = crop_square(landmark_box(points, scheme.face_box))
    return Example(image, square, points, np.ones(len(points), bool))


def labelled_faces(folder: Path, scheme: Scheme) -> list[Example]:
    """Every face of a folder of 300-W labels."""
    found = []
    for label in sorted(folder.glob("*.pts")):
        image = next(p for p in (label.with_suffix(s) for s in (".jpg", ".png")) if p.exists())
        found.append(example(str(image), read_pts(label, scheme.num_landmarks), scheme))
    if not found:
        raise SystemExit(f"{folder}: no .pts files")
    return found


def rendered_faces(count: int, size: int, folder: Path, scheme: Scheme) -> list[Example]:
    """Renders, kept in ``folder`` so that the next run need not paint them again."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for seed in range(FIRST_RENDER_SEED, FIRST_RENDER_SEED + count):
        image, label = folder / f"{seed}_{size}.png", folder / f"{seed}_{size}.npy"
        if not label.exists():
            face = render_face(seed, size)
            cv2.imwrite(str(image), face.image[..., ::-1])
            np.save(label, face.landmarks_68)
        found.append(example(str(image), np.load(label), scheme))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("SCAF_DATA"), help="folder of the data sets")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=25.0)
    parser.add_argument("--max-steps", type=int, default=100_000)
    parser.add_argument("--renders", type=int, default=240)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "scaf-starter-renders")
    parser.add_argument("--start", type=Path, help="go on from this checkpoint")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save-every", type=float, default=240.0, help="seconds")
    given = parser.parse_args()
    if given.data is None:
        parser.error("--data or the environment variable SCAF_DATA is needed")
    import torch

    torch.set_num_threads(given.threads)
    cv2.setNumThreads(1)
    scheme = load_scheme(resource_folder() / "schemes" / "300w-68.json")
    faces = labelled_faces(Path(given.data) / "300w" / "pool", scheme)
    renders = rendered_faces(given.renders, 320, given.cache, scheme)
    watched = labelled_faces(Path(given.data) / "300w" / "dev", scheme)
    recipe = replace(preset(given.preset), full_steps=given.max_steps, full_epochs=0, ema=0.998)
    start = load_checkpoint(given.start, scheme) if given.start else None
    device = choose_device(given.device)
    print(f"{len(faces)} labelled faces, {len(renders)} renders; {device.why}", flush=True)
    run = train(
        [*faces, *renders], read_image, scheme, recipe,
        start=start, device=device, seed=given.seed, max_seconds=given.minutes * 60, validation=watched,
    )  # fmt: skip
    saved = said = time.monotonic()
    while True:
        try:
            progress = next(run)
        except StopIteration as finished:
            result = finished.value
            break
        now = time.monotonic()
        if now - said > 20:
            said = now
            print(f"step {progress.step}/{progress.steps} loss {progress.loss:.5f} {progress.note}", flush=True)
        if now - saved > given.save_every and progress.snapshot is not None:
            saved = now
            save_checkpoint(progress.snapshot(), given.out, half=True)
            print(f"saved {given.out}", flush=True)
    save_checkpoint(result.checkpoint, given.out, half=True)
    print(f"{result.checkpoint.id}: dev NME {result.validation_nme:.2f} %, {result.seconds:.0f} s, saved {given.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
