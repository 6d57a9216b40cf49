"""Faces per second of pre-training against the bare forward and backward pass, and its memory.

    python tests/benchmarks/pretrain_speed.py [--size 128] [--batch 48] [--device auto] [--gan]

Bare: encoder and generator forward, mean absolute difference, backward; the input is on the device. A step: random
views of packed faces (rendered here), losses, discriminators, Adam, averaging. Both are measured in turn, so that
what else the machine does falls on both; the figure is the ratio of their medians.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import scaf_gui.learning  # noqa: F401 - before torch

# isort: split
import cv2
import torch
from memory import peak_mib

from scaf_gui.io.facepack import FacePack, PackWriter
from scaf_gui.learning.crops import cut_crop
from scaf_gui.learning.device import choose_device
from scaf_gui.learning.growth import AutoencoderNet
from scaf_gui.learning.pretraining_recipes import RECIPES
from scaf_gui.learning.pretraining_step import Stepper
from scaf_gui.learning.unlabelled import ROOM, Views


def pack(folder: Path, size: int) -> FacePack:
    """Sixteen rendered faces, as a run would keep them."""
    from scaf_gui.core.geometry import Square
    from scaf_gui.samples.render import render_face

    side = round(size * ROOM * 1.25)
    writer = PackWriter(folder, {"side": side})
    for seed in range(16):
        image = render_face(seed, 200).image
        writer.add(cut_crop(image, Square(99.5, 99.5, 180 * ROOM), side), (24, 24, side - 24, side - 24))
    writer.save(finished=True)
    writer.close()
    return FacePack(folder)


def peak_memory(kind: str) -> float:
    """MiB: of the GPU's allocator, or of the whole process."""
    if kind == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    return peak_mib()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=128, choices=(128, 256))
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--gan", action="store_true", help="with the image discriminator, in every second step")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    device = choose_device(args.device)
    recipe = replace(
        RECIPES["short"], size=args.size, batch=args.batch, gan=args.gan, gan_from=0.0, guided=0.0, small=0.0
    )
    with tempfile.TemporaryDirectory() as name:
        faces = pack(Path(name), args.size)
        workers = args.workers if args.workers is not None else (0 if device.kind == "cpu" else 8)
        views = Views(faces, args.size, args.batch, recipe.views, 0, workers=workers)
        stepper = Stepper(AutoencoderNet(args.size), recipe, device)
        image = torch.rand(args.batch, 3, args.size, args.size, device=device.torch) - 0.4
        image = image.contiguous(memory_format=torch.channels_last)
        repeats = 1 if device.kind == "cpu" else 20

        def bare() -> None:
            stepper.net.train().zero_grad()
            with device.autocast():
                painted = stepper.net(image)[1]
            (painted.float() - image).abs().mean().backward()

        made = iter(range(1 << 30))

        def step() -> None:
            number = next(made)
            float(stepper.step(views.batch(number), number, 0.5)["total"])

        def cut() -> None:
            Views(faces, args.size, args.batch, recipe.views, 0).batch(next(made))

        times: dict[str, list[float]] = {"bare": [], "step": [], "views": []}
        memory = {}
        for round_ in range(args.rounds + 1):
            for label, work in (("bare", bare), ("step", step), ("views", cut)):
                if device.kind == "cuda":
                    torch.cuda.reset_peak_memory_stats()
                    torch.cuda.synchronize()
                began = time.perf_counter()
                for _ in range(repeats if label != "views" else 1):
                    work()
                if device.kind == "cuda":
                    torch.cuda.synchronize()
                if round_:  # the first one warms up
                    times[label].append((time.perf_counter() - began) / (repeats if label != "views" else 1))
                memory[label] = peak_memory(device.kind)
        views.close()
    print(
        f"{device.why}; torch {torch.__version__}, {torch.get_num_threads()} threads, "
        f"{args.size} px, batch of {args.batch}"
    )
    for label, found in times.items():
        middle = statistics.median(found)
        print(f"{label:6} {args.batch / middle:9.1f} faces/s   {1e3 * middle / args.batch:8.2f} ms a face")
    ratio = statistics.median(times["bare"]) / statistics.median(times["step"])
    views_share = statistics.median(times["views"]) / statistics.median(times["step"])
    print(f"a step has {ratio:.0%} of the speed of the bare pass; views on one thread take {views_share:.1%} of it")
    print(f"peak memory: bare {memory['bare'] if device.kind == 'cuda' else float('nan'):.0f} MiB, "
          f"step {memory['step']:.0f} MiB ({'GPU' if device.kind == 'cuda' else 'whole process'})")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
