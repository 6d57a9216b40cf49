"""What the network costs: forward pass, prediction, acquisition functions, a training step, and sizes.

    python tests/benchmarks/network_speed.py [--preset default] [--threads 2]

Medians over repeats, random weights (the arithmetic is the same). No data needed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from faces import machine, scheme_68

from scaf_gui.core.geometry import Square
from scaf_gui.learning.acquisition import entropy, nnm
from scaf_gui.learning.checkpoint import make_checkpoint
from scaf_gui.learning.decoding import peaks
from scaf_gui.learning.device import choose_device
from scaf_gui.learning.examples import Example
from scaf_gui.learning.predictor import Predictor
from scaf_gui.learning.presets import preset
from scaf_gui.learning.start import start_network
from scaf_gui.learning.training import train


def median(work: Callable[[], object], repeats: int) -> float:
    """Milliseconds."""
    work()
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return 1000 * float(np.median(taken))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="default")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--repeats", type=int, default=15)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    scheme, recipe, device = scheme_68(), preset(given.preset), choose_device(given.device)
    print(f"{machine(given.threads)}; {device.why}; preset {recipe.name}")
    network = start_network(recipe, scheme, None, 0)[0].eval()
    checkpoint = make_checkpoint(network, scheme, recipe, {}, None)
    predictor = Predictor(checkpoint, device, scheme)
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (480, 480, 3), dtype=np.uint8)
    square = Square(240.0, 240.0, 300.0)
    for batch in (1, 16):
        crops = rng.integers(0, 256, (batch, predictor.crop_size, predictor.crop_size, 3), dtype=np.uint8)
        bare = median(lambda crops=crops: predictor.heatmaps(crops), given.repeats)
        whole = median(lambda crops=crops: predictor.predict(crops), given.repeats)
        print(f"batch {batch}: forward {bare / batch:.1f} ms a face, with decoding and scores {whole / batch:.1f} ms")
    face = median(lambda: predictor.predict_faces([(image, square)]), given.repeats)
    print(f"one face from an image in memory: {face:.1f} ms")
    maps = predictor.heatmaps(crops)[0]
    peak = peaks(maps)
    print(f"NNM {median(lambda: nnm(maps, peak, recipe.nnm_window), 15) / 16:.2f} ms a face where peaks are known, "
          f"entropy {median(lambda: entropy(maps, peak, 5), 15) / 16:.2f} ms ({tuple(maps.shape[1:])})")  # fmt: skip
    examples = [Example("x", square, rng.uniform(120, 360, (68, 2)), np.ones(68, bool))] * 4
    run = train(examples, lambda _: image, scheme, recipe, device=device)
    step = median(lambda: next(run), 6)
    run.close()
    print(f"a training step of {recipe.batch} faces: {step:.0f} ms, {step / recipe.batch:.1f} ms a face")
    weights = sum(value.numel() for value in checkpoint.tensors.values())
    learnt = sum(p.numel() for p in network.parameters() if p.requires_grad)
    print(
        f"{weights / 1e6:.1f} M weights, {learnt / 1e6:.1f} M of them learn; file {weights * 2 / 1e6:.0f} MB (float16)"
    )


if __name__ == "__main__":
    main()
