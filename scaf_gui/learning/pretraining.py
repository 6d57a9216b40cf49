"""Unsupervised training of the auto-encoder as a plain generator.

It yields a :class:`Progress` per step and returns a :class:`Result`. At every checkpoint it writes the
auto-encoder (averaged weights), the state from which the run resumes exactly, and a picture of reconstructions.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch

from scaf_gui.core.arrays import ByteArray
from scaf_gui.errors import CheckpointError, TrainingError
from scaf_gui.learning.components import FACES as COMPONENT_FACES
from scaf_gui.learning.components import Components, components, shrunk
from scaf_gui.learning.device import Device
from scaf_gui.learning.distributed import ALONE, Group
from scaf_gui.learning.growth import AutoencoderNet
from scaf_gui.learning.pretrained import Autoencoder, make_autoencoder, save_autoencoder
from scaf_gui.learning.pretraining_recipes import Recipe
from scaf_gui.learning.pretraining_state import Kept, read_state, recipe_json, state_path, write_state
from scaf_gui.learning.pretraining_step import Stepper
from scaf_gui.learning.tensorfile import clear_unfinished, replace_file
from scaf_gui.learning.unlabelled import Batch, Faces, Views

#: faces that are held out: all are measured, the first ones painted
HELD_OUT, _PICTURED = 64, 16
MIN_FACES = 8
#: batches that a checkpoint's BatchNorm statistics are measured on
_SETTLE_BATCHES = 8


@dataclass(frozen=True)
class Progress:
    """Where a run is. ``step`` counts from the very beginning, also in a run that was resumed.

    ``losses`` are this step's; ``saved`` names the file where a checkpoint was written after it, ``note`` says why one
    could not be. ``save`` writes one now; it holds only until the generator goes on.
    """

    step: int
    steps: int
    epoch: float
    stage: str
    losses: dict[str, float]
    faces_per_second: float
    seconds_left: float
    save: Callable[[], Autoencoder]
    saved: Path | None = None
    note: str = ""


@dataclass(frozen=True, eq=False)
class Result:
    """``seconds`` count all parts of a run that was resumed."""

    autoencoder: Autoencoder
    steps: int
    seconds: float
    losses: dict[str, float]


def pretrain(
    faces: Faces,
    recipe: Recipe,
    out: Path,
    *,
    start: Autoencoder | None = None,
    resume: bool = False,
    device: Device,
    group: Group = ALONE,
    workers: int = 0,
    sources: tuple[str, ...] = (),
) -> Generator[Progress, None, Result]:
    """Train encoder and generator on unlabelled faces.

    :param out: the auto-encoder's file; the state and the picture are written beside it
    :param start: weights to begin with, under a fresh optimiser
    :param resume: go on from the state beside ``out``
    :param workers: threads that prepare batches ahead
    :param sources: names of the data, for the recipe that the file remembers
    :raises TrainingError: too few faces, or a loss that is no number; the last checkpoint stays
    :raises CheckpointError: the state is damaged; or the final files cannot be written (the last good ones stay, and a
        checkpoint that fails before the end is only noted: there may be room again at the next one)
    """
    if len(faces) < MIN_FACES:
        raise TrainingError(f"pre-training needs at least {MIN_FACES} faces, not {len(faces)}")
    torch.manual_seed(recipe.seed)
    if start is not None:
        recipe = replace(recipe, guided=0.0, small=0.0)
    net = AutoencoderNet(recipe.size)
    fresh = net.take_over(start) if start is not None else []
    # Only layers that a smaller network lacks are blended in.
    grow = recipe.grow if start is not None and recipe.size > start.input_size and fresh else 0
    stepper = Stepper(net, recipe, device, group)
    step, before, parent = 0, 0.0, start.id if start is not None else ""
    if resume:
        kept = read_state(out, stepper, len(faces))
        step, before, parent, grow = kept.step, kept.seconds, kept.parent, kept.grow
    held_out = min(HELD_OUT, len(faces) // 10)
    # What all processes must do alike, they do with whole batches.
    whole = Views(faces, recipe.size, recipe.batch, recipe.views, recipe.seed, held_out=held_out)
    if recipe.guided and not resume:
        stepper.begin_with(_first_codes(whole, len(faces)))
    views = Views(
        faces, recipe.size, recipe.batch, recipe.views, recipe.seed,
        held_out=held_out, share=(group.rank, group.processes), workers=workers,
    )  # fmt: skip
    clock = _Clock(recipe, views.learnt_from, before, step, group, device)
    watched = views.held_out(held_out) if held_out else views.batch(0)
    losses: dict[str, float] = {}

    def save() -> Autoencoder:
        about = {
            **recipe_json(recipe), "steps": step, "faces": len(faces), "faces_seen": step * recipe.batch,
            "seconds": round(clock.elapsed, 1), "device": device.why, "processes": group.processes,
            "sources": list(sources),
        }  # fmt: skip
        shown = torch.from_numpy(watched.clean)
        network = stepper.settled(whole.batch(step + ahead).clean for ahead in range(_SETTLE_BATCHES))
        painted = torch.cat([stepper.paint(network, shown[at : at + 16]) for at in range(0, len(shown), 16)])
        made = make_autoencoder(network.Q, network.P, about, parent)
        if not all(bool(value.isfinite().all()) for value in made.tensors.values()):
            raise TrainingError(_astray(step, math.nan, out))
        made = made.with_figures(_figures(stepper, watched, painted, losses))
        if group.first:
            save_autoencoder(made, out)
            write_state(out, stepper, Kept(step, clock.elapsed, parent, grow, recipe, len(faces), device.precision))
            replace_file(picture_path(out), _picture(watched.clean[:_PICTURED], painted.numpy()[:_PICTURED]))
        return made

    if group.first:
        for path in (out, state_path(out), picture_path(out)):
            clear_unfinished(path)
    made: Autoencoder | None = None
    try:
        while (done := clock.done(step)) < 1.0:
            made, note = None, ""
            grown = min(1.0, step / grow) if grow else 1.0
            found = stepper.step(views.batch(step), step, done, grown)
            losses = {name: float(value) for name, value in found.items()}
            if not all(map(math.isfinite, losses.values())):
                raise TrainingError(_astray(step, losses["total"], out))
            step += 1
            if clock.due(step):
                try:
                    made = save()
                except CheckpointError as error:
                    note = f"no checkpoint: {error}"
                clock.saved()
            yield Progress(
                step, clock.planned(step), step * recipe.batch / views.learnt_from, _stage(recipe, done),
                losses, clock.speed(step), clock.left(step), save, None if made is None else out, note,
            )  # fmt: skip
        result = made if made is not None else save()
    finally:
        views.close()
    return Result(result, step, clock.elapsed, losses)


def picture_path(out: Path) -> Path:
    """Pairs of face and reconstruction."""
    return out.with_suffix(".png")


def _first_codes(views: Views, faces: int) -> Components:
    """Principal components of views like those that are learnt from."""
    parts = -(-min(COMPONENT_FACES, 4 * faces) // views.batch_size)
    return components(np.concatenate([shrunk(views.batch(part).clean) for part in range(parts)]))


class _Clock:
    """How far the run is, by steps and by time; all processes agree."""

    def __init__(self, recipe: Recipe, faces: int, before: float, step: int, group: Group, device: Device) -> None:
        self._recipe, self._before, self._group, self._device = recipe, before, group, device
        self._began, self._first = time.monotonic(), step
        self._steps = recipe.max_steps
        if self._steps is None and recipe.max_minutes is None:
            self._steps = math.ceil(recipe.epochs * faces / recipe.batch)
        self._last_saved = self._began

    @property
    def elapsed(self) -> float:
        return self._before + time.monotonic() - self._began

    def done(self, step: int) -> float:
        by_steps = step / self._steps if self._steps is not None else 0.0
        if self._recipe.max_minutes is None:
            return by_steps
        return max(by_steps, self._agreed(self.elapsed / (60.0 * self._recipe.max_minutes)))

    def due(self, step: int) -> bool:
        if self._recipe.save_steps is not None:
            return step % self._recipe.save_steps == 0
        return self._agreed(time.monotonic() - self._last_saved) > 60.0 * self._recipe.save_minutes

    def saved(self) -> None:
        self._last_saved = time.monotonic()

    def _agreed(self, value: float) -> float:
        return self._group.agreed(value, self._device)

    def speed(self, step: int) -> float:
        """Faces per second of this part of the run."""
        return (step - self._first) * self._recipe.batch / max(time.monotonic() - self._began, 1e-6)

    def left(self, step: int) -> float:
        """Seconds left, an estimate."""
        limits = []
        if self._steps is not None:
            limits.append((self._steps - step) * self._recipe.batch / max(self.speed(step), 1e-6))
        if self._recipe.max_minutes is not None:
            limits.append(60.0 * self._recipe.max_minutes - self.elapsed)
        return max(0.0, min(limits))

    def planned(self, step: int) -> int:
        return step + round(self.left(step) * self.speed(step) / self._recipe.batch)


def _stage(recipe: Recipe, done: float) -> str:
    gan, structure = recipe.stage(done)
    guided = recipe.trust(done) is not None
    parts = {
        "guided by components": guided, "half size": recipe.detail(done) <= 0.0, "pixels": recipe.pixels,
        "structure": structure, "GAN": gan, "prior": recipe.prior and not guided,
    }  # fmt: skip
    return " + ".join(name for name, on in parts.items() if on)


def _figures(
    stepper: Stepper, watched: Batch, painted: torch.Tensor, losses: dict[str, float]
) -> dict[str, float | int]:
    """Of held-out faces: mean absolute difference (0 to 255) where they are real, and structural likeness."""
    real = watched.real[..., None] > 0
    clean = watched.clean
    apart = np.abs(painted.numpy().astype(np.int16) - clean) * real
    filled = torch.from_numpy(np.where(real, painted.numpy(), clean))
    return {
        "held_out_faces": len(clean),
        "held_out_l1": round(float(apart.sum() / (3 * real.sum())), 3),
        "held_out_structure": round(stepper.likeness(filled, torch.from_numpy(clean)), 4),
        **{f"loss_{name}": round(value, 4) for name, value in losses.items()},
    }


def _picture(faces: ByteArray, painted: ByteArray) -> bytes:
    """PNG: columns of four pairs (face, reconstruction)."""
    pairs = [np.hstack(pair) for pair in zip(faces, painted, strict=True)]
    while len(pairs) % 4:
        pairs.append(np.zeros_like(pairs[0]))
    grid = np.vstack([np.hstack(pairs[at : at + 4]) for at in range(0, len(pairs), 4)])
    return cv2.imencode(".png", grid[..., ::-1])[1].tobytes()


def _astray(step: int, loss: float, out: Path) -> str:
    there = out.exists()
    kept = f"the last good weights are in {out}; go on from them with --start and" if there else "begin again with"
    return (
        f"training went astray at step {step + 1} (the loss is {loss}); {kept} "
        "a lower --lr, a longer --warm-up or --precision float32"
    )
