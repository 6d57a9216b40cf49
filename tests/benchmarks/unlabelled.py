"""What the faces without a label can teach: self-training and consistency, on and off, at few labels.

    python tests/benchmarks/unlabelled.py --data DATA [--set 300w] [--labels 50] [--seeds 0] [--steps 240] [--only ...]

``300w``: ``300w/dev`` (true boxes, one look) after trainings from random weights, the ``adamw`` preset, on so many
random faces of ``300w/pool``; the rest of the pool is there without labels. ``scut86``: a user's folder of 300 faces of
86 landmarks; all trainings begin with the starter, led to that scheme by the labels; 60 of the last 200 faces are
looked at. Each line names the steps of all its trainings together, so that it can be compared with plain training for
as long.

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
from faces import data_folder, given_model, read_image, scheme_68
from instant import scut_faces
from variants import add_arguments, begin, faces_300w, figures, with_steps

from scaf_gui.core.arrays import BoolArray, FloatArray
from scaf_gui.core.geometry import Square
from scaf_gui.core.scheme import Scheme, load_scheme
from scaf_gui.learning.batches import Batches
from scaf_gui.learning.bridge import bridged, fit_bridge
from scaf_gui.learning.checkpoint import Checkpoint, make_checkpoint
from scaf_gui.learning.device import choose_device
from scaf_gui.learning.examples import Example, Surroundings
from scaf_gui.learning.predictor import FacePrediction, Predictor
from scaf_gui.learning.presets import preset
from scaf_gui.learning.settling import settle
from scaf_gui.learning.start import start_network
from scaf_gui.learning.training import train
from scaf_gui.paths import resource_folder

LINES = {
    "labels": "labels alone",
    "longer": "labels alone, twice as long",
    "longest": "labels alone, three times as long",
    "pretrained-on-guesses": "first its own predictions of the rest, then labels (STLD)",
    "mixed-with-guesses": "labels and its surer predictions, half and half",
    "consistency": "consistency between views of the rest",
}
#: plain training, how many times as long
TIMES = {"labels": 1, "longer": 2, "longest": 3}
#: of the landmarks of an unlabelled face, the share that consistency is asked of
SURER = 0.5
#: steps after which the unlabelled faces are seen anew
EVERY = 20
#: unlabelled faces that consistency works with at a time
AT_HAND = 120


@dataclass(frozen=True, eq=False)
class Setting:
    """``labelled`` and ``rest`` to learn from, the latter without landmarks; ``watched`` to look at."""

    scheme: Scheme
    labelled: list[Example]
    rest: list[Example]
    watched: list[Example]
    start: Checkpoint | None = None


@dataclass(eq=False)
class Guessed:
    """As :class:`Example`, with landmarks that change while the training runs."""

    image: str
    square: Square
    points: FloatArray
    known: BoolArray


def run_training(
    setting: Setting,
    examples: Sequence[Example | Guessed],
    steps: int,
    seed: int,
    start: Checkpoint | None = None,
    mind: Minder | None = None,
) -> Checkpoint:
    """From ``start``, or as the setting says."""
    recipe, scheme = with_steps(preset("adamw"), steps), setting.scheme
    if start is not None:  # to learn on as from the beginning, not to be refined gently
        recipe = replace(recipe, warm_start=1.0, refine_keeps_statistics=False, refine_augmentation=None)
    faces: list[Example] = list(examples)  # type: ignore[arg-type]
    device = choose_device("cpu")
    run = train(faces, read_image, scheme, recipe, start=start or setting.start, device=device, seed=seed)
    while True:
        try:
            progress = next(run)
        except StopIteration as finished:
            return finished.value.checkpoint  # type: ignore[no-any-return]
        if mind is not None and progress.snapshot is not None and progress.step % EVERY == 0:
            mind.look(progress.step, progress.snapshot)


def predictions(
    checkpoint: Checkpoint, scheme: Scheme, faces: Sequence[Example | Guessed], second_look: bool
) -> list[FacePrediction]:
    predictor = Predictor(checkpoint, choose_device("cpu"), scheme, scores=("nnm",), second_look=second_look)
    found: list[FacePrediction] = []
    for at in range(0, len(faces), 16):
        found += predictor.predict_faces([(read_image(face.image), face.square) for face in faces[at : at + 16]])
    return found


class Minder:
    """Shows unlabelled faces to the averaged network every few steps, and writes down what it is sure of."""

    def __init__(self, scheme: Scheme, faces: list[Guessed], since: int, seed: int) -> None:
        self._scheme, self._faces, self._since, self._seed = scheme, faces, since, seed

    def look(self, step: int, snapshot: Callable[[], Checkpoint]) -> None:
        if step < self._since:
            return
        recipe, scheme, device = preset("adamw"), self._scheme, choose_device("cpu")
        network, _ = start_network(recipe, scheme, snapshot(), self._seed)
        faces: list[Example] = list(self._faces)  # type: ignore[arg-type]
        own = Batches(Surroundings(faces, read_image, recipe.input_size), scheme, recipe, np.random.default_rng(step))
        for _ in settle(network, own, device, recipe.batch):
            pass
        teacher = make_checkpoint(network, scheme, recipe, {}, None)
        for face, seen in zip(self._faces, predictions(teacher, scheme, faces, second_look=False), strict=True):
            face.points = seen.points
            face.known = seen.magnitude >= np.quantile(seen.magnitude, 1 - SURER)


def result(line: str, setting: Setting, steps: int, seed: int, first: Checkpoint | None) -> tuple[Checkpoint, int]:
    """The model of a line, and the steps of all its trainings."""
    labelled, rest = setting.labelled, setting.rest
    if line in TIMES:
        return run_training(setting, labelled, TIMES[line] * steps, seed), TIMES[line] * steps
    if line == "consistency":
        # known nowhere at first: these faces do not count until they have been looked at
        faces = [Guessed(f.image, f.square, f.points * 0.0, np.zeros(len(f.points), bool)) for f in rest[:AT_HAND]]
        mind = Minder(setting.scheme, faces, steps // 3, seed)
        return run_training(setting, evenly(labelled, faces), steps, seed, mind=mind), steps
    first = first or run_training(setting, labelled, steps, seed)
    seen = predictions(first, setting.scheme, rest, second_look=True)
    guesses = [replace(face, points=one.points) for face, one in zip(rest, seen, strict=True)]
    if line == "pretrained-on-guesses":
        student = run_training(setting, guesses, steps, seed)
        return run_training(setting, labelled, steps, seed, start=student), 3 * steps
    by_doubt = np.argsort([one.scores["nnm"] for one in seen], kind="stable")
    surer = [guesses[place] for place in by_doubt[: len(guesses) // 2]]
    return run_training(setting, evenly(labelled, surer), steps, seed), 2 * steps


def evenly(labelled: Sequence[Example], others: Sequence[Example | Guessed]) -> list[Example | Guessed]:
    """As many views of the labelled faces as of the others in an epoch."""
    times = max(1, round(len(others) / len(labelled)))
    return [*(list(labelled) * times), *others]


def blank(faces: Sequence[Example]) -> list[Example]:
    """Without their landmarks: the truth must not leak."""
    return [replace(face, points=np.full_like(face.points, np.nan)) for face in faces]


def on_300w(given: argparse.Namespace, seed: int) -> Setting:
    pool, watched = faces_300w(given)
    mixed = [pool[place] for place in np.random.default_rng(seed).permutation(len(pool))]
    return Setting(scheme_68(), mixed[: given.labels], blank(mixed[given.labels :]), watched)


def on_scut86(given: argparse.Namespace, seed: int) -> Setting:
    source, scheme = scheme_68(), load_scheme(resource_folder() / "schemes" / "scut-86.json")
    faces, starter = scut_faces(data_folder(given) / "scut86", scheme), given_model(None, source)
    mixed = [faces[place] for place in np.random.default_rng(seed).permutation(len(faces) - 200)[:300]]
    labelled = mixed[: given.labels]
    said = predictions(starter, source, labelled, second_look=False)
    bridge = fit_bridge(
        np.stack([one.points for one in said]),
        np.stack([face.points for face in labelled]),
        np.stack([face.known for face in labelled]),
        np.array([face.square.side for face in labelled]),
        source.flip,
        scheme.flip,
    )
    return Setting(
        scheme, labelled, blank(mixed[given.labels :]), faces[-200:][:60], bridged(starter, bridge, scheme, {})
    )


SETTINGS = {"300w": on_300w, "scut86": on_scut86}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser, LINES)
    parser.add_argument("--set", choices=tuple(SETTINGS), default="300w")
    given = parser.parse_args()
    given.steps = given.steps or preset("adamw").full_steps
    begin(given)
    print("| learnt from | seed | steps in all | NME % | drags (3 %) | failures > 8 % | seconds |")
    print("|---" * 7 + "|", flush=True)
    for seed in given.seeds:
        setting, first = SETTINGS[given.set](given, seed), None
        for line in given.only:
            began = time.monotonic()
            model, steps = result(line, setting, given.steps, seed, first)
            first = model if line == "labels" else first
            found = figures(model, setting.watched, setting.scheme)
            print(f"| {LINES[line]} | {seed} | {steps} | {found.nme:.2f} | {found.drags_3:.1f} "
                  f"| {found.failure_8:.1f} % | {time.monotonic() - began:.0f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
