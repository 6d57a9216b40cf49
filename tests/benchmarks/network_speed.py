"""What the network costs: prediction and training against the bare network, and memory.

    python tests/benchmarks/network_speed.py [--preset default] [--threads 2] [--rounds 15]

Random weights (the arithmetic is the same), no data needed. Within a table all steps take turns, so that a busy
machine hits them alike; medians over the rounds. *Bare forward*: the network as it is trained, one call on a
prepared tensor. *Ready forward*: the same with BatchNorm folded and weights packed. *predict*: crops in, landmarks,
magnitudes and scores out. *predict_faces*: from images in memory, crops cut. Training against one bare forward and
backward of the same batch. Peak memory is that of a child process of its own for each.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from faces import machine, scheme_68
from memory import peak_mib

from scaf_gui.core.geometry import Square
from scaf_gui.learning.checkpoint import Checkpoint, make_checkpoint
from scaf_gui.learning.device import Device, choose_device
from scaf_gui.learning.examples import Example
from scaf_gui.learning.inference import ready
from scaf_gui.learning.networks import ScafNet, channels_last, normalise
from scaf_gui.learning.predictor import Predictor
from scaf_gui.learning.presets import Preset, preset
from scaf_gui.learning.start import start_network
from scaf_gui.learning.targets import heatmap_loss
from scaf_gui.learning.training import train

BATCHES = (1, 16, 64)
SQUARE = Square(240.0, 240.0, 300.0)


def in_turn(steps: dict[str, Callable[[], object]], rounds: int, device: Device) -> dict[str, float]:
    """Median milliseconds by name."""
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds + 1):
        for name, step in steps.items():
            began = time.perf_counter()
            step()
            if device.kind == "cuda":
                torch.cuda.synchronize()
            if number:
                taken[name].append(1000 * (time.perf_counter() - began))
    return {name: float(np.median(values)) for name, values in taken.items()}


def table(title: str, faces: int, medians: dict[str, float]) -> None:
    bare = next(iter(medians.values()))
    for name, value in medians.items():
        print(f"| {title} | {name} | {1000 * faces / value:.1f} | {value / bare:.2f} |", flush=True)


def prediction(checkpoint: Checkpoint, device: Device, rounds: int) -> None:
    scheme = scheme_68()
    predictor = Predictor(checkpoint, device, scheme)
    bare = checkpoint.network().to(device.torch)
    fast = ready(checkpoint.network(), device.torch, device.dtype)
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (480, 480, 3), dtype=np.uint8)
    mean = torch.tensor(checkpoint.meta["normalisation"]["mean"])
    for batch in BATCHES:
        crops = rng.integers(0, 256, (batch, predictor.crop_size, predictor.crop_size, 3), dtype=np.uint8)
        images = normalise(torch.from_numpy(crops), mean).to(device.torch)

        def forward(network: ScafNet, images: torch.Tensor = images) -> torch.Tensor:
            with torch.inference_mode(), device.autocast():
                return network(images)

        steps = {
            "bare forward": lambda forward=forward: forward(bare),
            "ready forward": lambda forward=forward: forward(fast),
            "predict": lambda crops=crops: predictor.predict(crops),
            "predict_faces": lambda batch=batch: predictor.predict_faces([(image, SQUARE)] * batch),
        }
        table(f"prediction, batch {batch}", batch, in_turn(steps, max(3, rounds // (1 + batch // 16)), device))


def training(recipe: Preset, device: Device, rounds: int) -> None:
    scheme, rng = scheme_68(), np.random.default_rng(0)
    image = rng.integers(0, 256, (480, 480, 3), dtype=np.uint8)
    points = rng.uniform(120, 360, (scheme.num_landmarks, 2))
    examples = [Example("x", SQUARE, points, np.ones(len(points), bool))] * 4
    network = channels_last(start_network(recipe, scheme, None, 0)[0]).to(device.torch).train()
    side = recipe.input_size
    crops = rng.integers(0, 256, (recipe.batch, side, side, 3), dtype=np.uint8)
    images = normalise(torch.from_numpy(crops), torch.full((3,), 0.5)).to(device.torch)
    targets = torch.from_numpy(rng.uniform(20, side - 20, (recipe.batch, len(points), 2))).float().to(device.torch)
    known = torch.ones(targets.shape[:2], dtype=torch.bool, device=device.torch)

    def bare() -> None:
        network.zero_grad()
        with device.autocast():
            heatmaps = network(images)
        torch.autograd.backward(heatmap_loss(heatmaps, targets, known, recipe))

    run = train(examples, lambda _: image, scheme, recipe, device=device)
    try:
        medians = in_turn({"bare forward and backward": bare, "training step": lambda: next(run)}, rounds, device)
    finally:
        run.close()
    table(f"training, batch {recipe.batch}", recipe.batch, medians)


def memory(part: str, given: argparse.Namespace) -> None:
    """Peak memory of a child that does one thing; the parent's own is not in it."""
    words = [sys.executable, __file__, "--preset", given.preset, "--threads", str(given.threads), "--rounds", "2"]
    done = subprocess.run(
        [*words, "--device", given.device, "--child", part], capture_output=True, text=True, check=True
    )
    print(f"| {part} | {done.stdout.split()[-1]} |", flush=True)


def child(part: str, checkpoint: Callable[[], Checkpoint], recipe: Preset, device: Device) -> None:
    if part == "training":
        training(recipe, device, 2)
    elif part != "torch loaded":
        crops = np.zeros((int(part.split()[-1]), recipe.input_size, recipe.input_size, 3), np.uint8)
        predictor = Predictor(checkpoint(), device, scheme_68())
        for _ in range(2):
            predictor.predict(crops)
    print(round(peak_mib()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="default")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    recipe, device = preset(given.preset), choose_device(given.device)

    def checkpoint() -> Checkpoint:
        network = start_network(recipe, scheme_68(), None, 0)[0].eval()
        return make_checkpoint(network, scheme_68(), recipe, {}, None)

    if given.child:
        child(given.child, checkpoint, recipe, device)
        return
    print(f"{machine(given.threads)}; {device.why}; preset {recipe.name}")
    print("| what | step | faces a second | times the bare one |\n|---|---|---|---|")
    prediction(checkpoint(), device, given.rounds)
    training(recipe, device, max(3, given.rounds // 3))
    print("\n| process | peak memory, MiB |\n|---|---|")
    for part in ("torch loaded", *(f"prediction, batch {batch}" for batch in BATCHES), "training"):
        memory(part, given)


if __name__ == "__main__":
    main()
