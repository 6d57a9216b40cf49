"""What the faces without a label can teach: self-training and consistency, on and off, at few labels.

    python tests/benchmarks/unlabelled.py --data DATA [--labels 50] [--seeds 0] [--steps 240] [--only NAME ...]

``300w/dev`` (true boxes, one look) after trainings from random weights, the ``default`` preset, on so many random faces
of ``300w/pool``; the rest of the pool is there without labels. Each line names the steps of all its trainings
together, so that it can be compared with plain training for as long.

- ``labels``: plain training; ``longer`` and ``longest``: two and three times the steps
- ``pretrained-on-guesses``: the first network's predictions of all other faces (mean of two looks) train a new network,
  which then learns from the labels alone; nothing is selected (pseudo pretraining of STLD, arXiv 2404.04556)
- ``mixed-with-guesses``: a new network learns from labels and from the surer half (NNM) of those predictions, half of
  each batch
- ``consistency``: half of each batch are views of unlabelled faces, to be found where the averaged network of a moment
  ago sees them in a calm view (a mean teacher with hard labels, as in FixMatch); the surer landmarks of each only, and
  from a third of the steps on

These lines are for choosing, so no test set is read.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from faces import read_image, scheme_68
from variants import add_arguments, begin, figures, with_steps

from scaf_gui.core.arrays import BoolArray, FloatArray
from scaf_gui.core.geometry import Square
from scaf_gui.learning.batches import Batches
from scaf_gui.learning.checkpoint import Checkpoint, make_checkpoint
from scaf_gui.learning.device import choose_device
from scaf_gui.learning.examples import Example, Surroundings
from scaf_gui.learning.predictor import FacePrediction, Predictor
from scaf_gui.learning.presets import preset
from scaf_gui.learning.settling import settle
from scaf_gui.learning.start import start_network
from scaf_gui.learning.training import train

LINES = {
    "labels": "labels alone",
    "longer": "labels alone, twice as long",
    "longest": "labels alone, three times as long",
    "pretrained-on-guesses": "first its own predictions of the rest, then labels (STLD)",
    "mixed-with-guesses": "labels and its surer predictions, half and half",
    "consistency": "consistency between views of the rest",
}
#: of the landmarks of an unlabelled face, the share that consistency is asked of
SURER = 0.5
#: steps after which the unlabelled faces are seen anew
EVERY = 20
#: unlabelled faces that consistency works with at a time
AT_HAND = 120


@dataclass(eq=False)
class Guessed:
    """As :class:`Example`, with landmarks that change while the training runs."""

    image: str
    square: Square
    points: FloatArray
    known: BoolArray


def run_training(
    examples: Sequence[Example | Guessed],
    steps: int,
    seed: int,
    start: Checkpoint | None = None,
    mind: Minder | None = None,
) -> Checkpoint:
    recipe = with_steps(preset("default"), steps)
    if start is not None:  # to learn on as from the beginning, not to be refined gently
        recipe = replace(recipe, warm_start=1.0, refine_keeps_statistics=False, refine_augmentation=None)
    run = train(list(examples), read_image, scheme_68(), recipe, start=start, device=choose_device("cpu"), seed=seed)  # type: ignore[arg-type]
    while True:
        try:
            progress = next(run)
        except StopIteration as finished:
            return finished.value.checkpoint  # type: ignore[no-any-return]
        if mind is not None and progress.snapshot is not None and progress.step % EVERY == 0:
            mind.look(progress.step, progress.snapshot)


def predictions(checkpoint: Checkpoint, faces: Sequence[Example | Guessed], second_look: bool) -> list[FacePrediction]:
    predictor = Predictor(checkpoint, choose_device("cpu"), scheme_68(), scores=("nnm",), second_look=second_look)
    found: list[FacePrediction] = []
    for at in range(0, len(faces), 16):
        found += predictor.predict_faces([(read_image(face.image), face.square) for face in faces[at : at + 16]])
    return found


class Minder:
    """Shows unlabelled faces to the averaged network every few steps, and writes down what it is sure of."""

    def __init__(self, faces: list[Guessed], since: int, seed: int) -> None:
        self._faces, self._since, self._seed = faces, since, seed

    def look(self, step: int, snapshot: Callable[[], Checkpoint]) -> None:
        if step < self._since:
            return
        recipe, scheme, device = preset("default"), scheme_68(), choose_device("cpu")
        network, _ = start_network(recipe, scheme, snapshot(), self._seed)
        faces: list[Example] = list(self._faces)  # type: ignore[arg-type]
        own = Batches(Surroundings(faces, read_image, recipe.input_size), scheme, recipe, np.random.default_rng(step))
        for _ in settle(network, own, device, recipe.batch):
            pass
        teacher = make_checkpoint(network, scheme, recipe, {}, None)
        for face, seen in zip(self._faces, predictions(teacher, faces, second_look=False), strict=True):
            face.points = seen.points
            face.known = seen.magnitude >= np.quantile(seen.magnitude, 1 - SURER)


def result(line: str, labelled: list[Example], rest: list[Example], given: argparse.Namespace, seed: int,
           first: Checkpoint | None) -> tuple[Checkpoint, int]:  # fmt: skip
    """The model of a line, and the steps of all its trainings."""
    steps = given.steps
    if line in ("labels", "longer", "longest"):
        times = {"labels": 1, "longer": 2, "longest": 3}[line]
        return run_training(labelled, times * steps, seed), times * steps
    if line == "consistency":
        # known nowhere at first: these faces do not count until they have been looked at
        faces = [Guessed(f.image, f.square, f.points * 0.0, np.zeros(len(f.points), bool)) for f in rest[:AT_HAND]]
        return run_training(evenly(labelled, faces), steps, seed, mind=Minder(faces, steps // 3, seed)), steps
    first = first or run_training(labelled, steps, seed)
    seen = predictions(first, rest, second_look=True)
    guesses = [replace(face, points=one.points) for face, one in zip(rest, seen, strict=True)]
    if line == "pretrained-on-guesses":
        return run_training(labelled, steps, seed, start=run_training(guesses, steps, seed)), 3 * steps
    by_doubt = np.argsort([one.scores["nnm"] for one in seen], kind="stable")
    surer = [guesses[place] for place in by_doubt[: len(guesses) // 2]]
    return run_training(evenly(labelled, surer), steps, seed), 2 * steps


def evenly(labelled: Sequence[Example], others: Sequence[Example | Guessed]) -> list[Example | Guessed]:
    """As many views of the labelled faces as of the others in an epoch."""
    times = max(1, round(len(others) / len(labelled)))
    return [*(list(labelled) * times), *others]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser, LINES)
    given = parser.parse_args()
    given.steps = given.steps or preset("default").full_steps
    pool, watched = begin(given)
    print("| learnt from | seed | steps in all | NME % | drags (3 %) | failures > 8 % | seconds |")
    print("|---" * 7 + "|", flush=True)
    for seed in given.seeds:
        order = np.random.default_rng(seed).permutation(len(pool))
        labelled = [pool[place] for place in order[: given.labels]]
        # the truth must not leak: it is replaced wherever these faces are learnt from
        others = [pool[place] for place in order[given.labels :]]
        rest = [replace(face, points=np.full_like(face.points, np.nan)) for face in others]
        first: Checkpoint | None = None
        for line in given.only:
            began = time.monotonic()
            model, steps = result(line, labelled, rest, given, seed, first)
            first = model if line == "labels" else first
            found = figures(model, watched)
            print(f"| {LINES[line]} | {seed} | {steps} | {found.nme:.2f} | {found.drags_3:.1f} "
                  f"| {found.failure_8:.1f} % | {time.monotonic() - began:.0f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
