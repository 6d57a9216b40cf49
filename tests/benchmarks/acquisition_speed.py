"""NNM against spatial entropy on the same heatmaps, in one run.

    python tests/benchmarks/acquisition_speed.py [--threads 1] [--device cpu] [--rounds 200]

Per round every function runs once, in turn, so that a busy machine hits all alike; medians, and the ratios of the
medians to entropy's. Heatmaps are Gaussians of the training target's sigma at random places of a face (none nearer
to the border than a tenth of the side) with noise, of both signs. Entropy works through blocks that stay in the
processor's cache; ``entropy, plainly`` is the formula over whole maps. ``reading once`` sums all heatmaps, which
bounds whatever has to look at every pixel. On a GPU a batch of 64 faces is scored, or its time would be that of
starting kernels. ``--processor-time`` counts the processor's time instead of the clock's, for a busy machine.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from faces import machine
from torch import Tensor

from scaf_gui.learning.acquisition import entropy, nnm
from scaf_gui.learning.decoding import peaks
from scaf_gui.learning.device import choose_device
from scaf_gui.learning.targets import gaussian_targets

#: landmarks, side of the heatmap, sigma
SIZES = ((98, 128, 7.0), (68, 64, 2.0))


def plain_entropy(maps: Tensor) -> Tensor:
    """The formula in five tensor operations, without a thought for caches and vector instructions."""
    values = maps.clamp(min=0).flatten(2)
    total = values.sum(dim=2)
    inner = torch.special.xlogy(values, values).sum(dim=2)
    return (total.log() - inner / total).mean(dim=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--batch", type=int, help="faces at a time (default: 1 on the CPU, 64 on a GPU)")
    parser.add_argument("--processor-time", action="store_true")
    given = parser.parse_args()
    clock = time.process_time if given.processor_time else time.perf_counter

    torch.set_num_threads(given.threads)
    device = choose_device(given.device)
    batch = given.batch or (1 if device.kind == "cpu" else 64)
    print(f"{machine(given.threads)}; {device.why}; {batch} faces at a time, {given.rounds} rounds")
    print("| heatmaps | step | median ms a face | entropy takes so many times as long |\n|---|---|---|---|")
    for landmarks, size, sigma in SIZES:
        generator = torch.Generator().manual_seed(0)
        points = size * (0.1 + 0.8 * torch.rand(batch, landmarks, 2, generator=generator))
        maps = gaussian_targets(points, size, sigma, None, False)
        maps = (maps + 0.01 * torch.randn(maps.shape, generator=generator)).to(device.torch)
        peak, window = peaks(maps), 2 * round(sigma) + 1
        steps: dict[str, Callable[[], object]] = {
            "entropy": lambda maps=maps, peak=peak, window=window: entropy(maps, peak, window),
            "entropy, plainly": lambda maps=maps: plain_entropy(maps),
            "NNM, finding the peaks": lambda maps=maps, window=window: nnm(maps, None, window),
            "NNM, peaks known": lambda maps=maps, peak=peak, window=window: nnm(maps, peak, window),
            "reading once": lambda maps=maps: maps.sum(),
        }
        taken: dict[str, list[float]] = {name: [] for name in steps}
        with torch.inference_mode():
            for number in range(given.rounds + 3):
                for name, step in steps.items():
                    began = clock()
                    step()
                    if device.kind == "cuda":
                        torch.cuda.synchronize()
                    if number >= 3:
                        taken[name].append(1000 * (clock() - began) / batch)
        medians = {name: float(np.median(values)) for name, values in taken.items()}
        for name, value in medians.items():
            print(f"| {landmarks} x {size} x {size} | {name} | {value:.4f} | {medians['entropy'] / value:.1f} |")


if __name__ == "__main__":
    main()
