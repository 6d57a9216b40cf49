"""Supervised training as a plain generator: read it top to bottom.

It yields a :class:`Progress` per optimiser step and returns a :class:`TrainResult`; closing the generator
cancels and leaves nothing behind.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from scaf_gui.core.geometry import crop_transform, inverse, transform
from scaf_gui.core.metrics import nme
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import DeviceError, InputError, TooFewLabelsError, TrainingError
from scaf_gui.learning.averaging import Average
from scaf_gui.learning.checkpoint import REFERENCE_MEAN, Checkpoint, make_checkpoint
from scaf_gui.learning.crops import cut_crop
from scaf_gui.learning.device import Device, cpu_device, out_of_memory
from scaf_gui.learning.examples import Example, Read, Shuffler, Surroundings, Views, random_views
from scaf_gui.learning.networks import ScafNet, normalise
from scaf_gui.learning.predictor import Predictor
from scaf_gui.learning.presets import Preset
from scaf_gui.learning.start import Start, start_network
from scaf_gui.learning.targets import heatmap_loss

MIN_LABELS = 2
#: BatchNorm needs more than one face
_MIN_BATCH = 2
#: batches that BatchNorm's statistics are measured on at the end
_SETTLE_BATCHES = 6


@dataclass(frozen=True)
class Progress:
    """Where a run is. ``steps`` and ``seconds_left`` are estimates; ``note`` is for people, mostly empty.

    ``snapshot`` makes a checkpoint of the present (averaged) weights; it holds only until the generator goes on.
    """

    stage: str
    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    seconds_left: float
    validation_nme: float | None = None
    note: str = ""
    snapshot: Callable[[], Checkpoint] | None = None


@dataclass(frozen=True, eq=False)
class TrainResult:
    """``curve`` holds the loss of every step; ``validation_nme`` is in %, of the checkpoint as returned."""

    checkpoint: Checkpoint
    curve: tuple[float, ...]
    seconds: float
    validation_nme: float | None
    note: str = ""


def train(
    examples: Sequence[Example],
    read: Read,
    scheme: Scheme,
    preset: Preset,
    *,
    start: Start | None = None,
    device: Device,
    seed: int = 0,
    mode: str = "full",
    max_seconds: float | None = None,
    validation: Sequence[Example] | None = None,
) -> Generator[Progress, None, TrainResult]:
    """Learn a scheme's landmarks from labelled faces.

    :param start: weights to begin with; without it they are random (by ``seed``)
    :param mode: "quick" refines ``start`` for a short while; "full" takes the preset's time
    :param max_seconds: the run ends by then; the schedule is shortened so that it ends as it should
    :param validation: faces to report the error on, not learnt from
    :raises TooFewLabelsError: with fewer than 2 labelled faces
    :raises TrainingError: where the loss is no longer a number; the caller still has its old model
    :raises DeviceError: without memory for even the smallest batch, on the CPU too
    """
    if len(examples) < MIN_LABELS:
        raise TooFewLabelsError(f"training needs at least {MIN_LABELS} labelled faces, not {len(examples)}; label more")
    began = time.monotonic()
    network, refines = start_network(preset, scheme, start, seed)
    batch, curve, notes = preset.batch, list[float](), list[str]()
    device = _placed(network, device, notes)
    rng = np.random.default_rng(seed)
    faces = _Faces(Surroundings(examples, read, preset.input_size), scheme, preset, rng)
    rates = (preset.lr_head, preset.lr_encoder)
    if refines:
        rates = (rates[0] * preset.warm_start, rates[1] * preset.warm_start)
    if refines and preset.refine_keeps_statistics:
        preset = replace(preset, train_batch_norm=False)
    stepper = _Stepper(network, preset, rates, device)
    average = Average(network, preset.ema)
    steps = preset.steps(mode, len(examples), refines)

    def checkpoint() -> Checkpoint:
        recipe = {
            "mode": mode, "seed": seed, "labels": len(examples), "steps": len(curve), "batch": batch,
            "seconds": round(time.monotonic() - began, 1), "device": device.why, "notes": notes,
        }  # fmt: skip
        return make_checkpoint(average.network, scheme, preset, recipe, start)

    # The last part of the time is for BatchNorm's statistics.
    settles = preset.train_batch_norm
    seconds = math.inf if max_seconds is None else max_seconds * (0.95 if settles else 1.0)
    done, step, said = 0.0, 0, 0
    while done < 1.0:
        views = faces.views(batch, notes)
        try:
            loss = stepper.step(views, done)
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            batch, device = _less(batch, device, notes, error)
            stepper = _Stepper(network.to(device.torch), preset, rates, device)
            average.to(device.torch)
            continue
        if not math.isfinite(loss):
            raise TrainingError(f"training went astray at step {step + 1} (the loss is {loss}); the model before stays")
        average.update(network, step)
        curve.append(loss)
        step += 1
        elapsed = time.monotonic() - began
        done = max(step / steps, elapsed / seconds)
        left = max(min(elapsed / step * (steps - step), seconds - elapsed), 0.0)
        planned = step + round(left / (elapsed / step))
        yield Progress(
            stage="refining" if refines else "training",
            epoch=1 + step * batch // len(examples),
            epochs=1 + planned * batch // len(examples),
            step=step,
            steps=planned,
            loss=loss,
            seconds_left=left,
            note="; ".join(notes[said:]),
            snapshot=checkpoint,
        )
        said = len(notes)
    if settles:
        for part in settle(average.network, faces, device, batch):
            yield Progress("settling", 1 + step * batch // len(examples), 1 + step * batch // len(examples), step, step,
                           curve[-1], (1.0 - part) * 0.05 * (time.monotonic() - began))  # fmt: skip
    result = checkpoint()
    error_now = None
    if validation:
        error_now = validation_error(result, scheme, device, validation, read)
        result = result.with_figures({"validation_nme": error_now, "validation_faces": len(validation)})
    return TrainResult(result, tuple(curve), time.monotonic() - began, error_now, "; ".join(notes))


def validation_error(
    checkpoint: Checkpoint, scheme: Scheme, device: Device, validation: Sequence[Example], read: Read
) -> float:
    """Mean NME (%) of a checkpoint over faces whose landmarks are known; unreadable images do not count."""
    predictor = Predictor(checkpoint, device, scheme, scores=())
    errors = []
    for at in range(0, len(validation), 16):
        faces = []
        for example in validation[at : at + 16]:
            try:
                faces.append((example, cut_crop(read(example.image), example.square, predictor.crop_size)))
            except InputError:
                continue
        if not faces:
            continue
        batch = predictor.predict([crop for _, crop in faces])
        for (example, _), points_crop in zip(faces, batch.points_crop, strict=True):
            points = transform(inverse(crop_transform(example.square, predictor.crop_size)), points_crop)
            errors.append(nme(points, np.where(example.known[:, None], example.points, np.nan), scheme))
    return float(np.mean(errors)) if errors else float("nan")


def settle(network: ScafNet, faces: _Faces, device: Device, batch: int) -> Generator[float, None, None]:
    """Measure BatchNorm's statistics afresh for weights that no longer change; yields the share done.

    Running statistics lag behind the weights: after a few dozen steps, by so much that landmarks are lost
    (Izmailov et al., UAI 2018, do the same for averaged weights).
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [module.momentum for module in norms]
    mean = torch.tensor(REFERENCE_MEAN, device=device.torch)
    for module in norms:
        module.reset_running_stats()
        module.momentum = None  # a plain mean over batches
    for number in range(_SETTLE_BATCHES):
        views = faces.views(batch, [], calm=True)
        network.eval()
        for module in norms:
            module.train()
        with torch.no_grad(), device.autocast():
            network(normalise(torch.from_numpy(views.crops).to(device.torch), mean))
        yield (number + 1) / _SETTLE_BATCHES
    for module, momentum in zip(norms, momenta, strict=True):
        module.momentum = momentum
    network.eval()


class _Faces:
    """Batches of random views; faces whose image cannot be read drop out."""

    def __init__(self, surroundings: Surroundings, scheme: Scheme, preset: Preset, rng: np.random.Generator) -> None:
        self._surroundings, self._flip, self._preset, self._rng = surroundings, scheme.flip, preset, rng
        self._shuffler = Shuffler(len(surroundings), rng)
        self._broken: set[int] = set()

    def views(self, batch: int, notes: list[str], *, calm: bool = False) -> Views:
        """:param calm: as in use: nothing erased, blurred or without colour"""
        indices: list[int] = []
        while len(indices) < batch:
            for index in self._shuffler.take(batch - len(indices)):
                if self._readable(index, notes):
                    indices.append(index)
        augmentation = self._preset.augmentation
        if calm:
            augmentation = replace(augmentation, erasing=0.0, blur=0.0, gray=0.0)
        return random_views(self._surroundings, indices, self._flip, augmentation, self._rng)

    def _readable(self, index: int, notes: list[str]) -> bool:
        if index in self._broken:
            return False
        try:
            self._surroundings.surrounding(index)
        except InputError as error:
            self._broken.add(index)
            notes.append(f"left out: {error}")
            if len(self._surroundings) - len(self._broken) < MIN_LABELS:
                raise TooFewLabelsError(f"too few labelled faces have a readable image: {error}") from error
            return False
        return True


class _Stepper:
    """One optimiser step at a time; the learning rate follows the share of the run that is done."""

    def __init__(self, network: ScafNet, preset: Preset, rates: tuple[float, float], device: Device) -> None:
        self._network, self._preset, self._device = network, preset, device
        self._rates = rates
        groups = [{"params": list(network.head_parameters())}, {"params": list(network.Q.parameters())}]
        # Weight decay 0 makes this Adam.
        self._optimiser = torch.optim.AdamW(
            groups, lr=rates[0], weight_decay=preset.weight_decay, fused=device.kind != "mps"
        )
        self._scaler = torch.amp.GradScaler("cuda" if device.kind == "cuda" else "cpu", enabled=device.scales_loss)
        self._mean = torch.tensor(REFERENCE_MEAN, device=device.torch)

    def step(self, views: Views, done: float) -> float:
        """:param done: share of the run that lies behind, 0 to 1"""
        self._set_rates(done)
        crops, points, known = (self._tensor(a) for a in (views.crops, views.points_crop, views.known))
        with self._device.autocast():
            heatmaps = self._network(normalise(crops, self._mean))
        loss = heatmap_loss(heatmaps, points, known, self._preset)
        self._optimiser.zero_grad()
        torch.autograd.backward(self._scaler.scale(loss))
        self._scaler.step(self._optimiser)
        self._scaler.update()
        return float(loss.detach())

    def _set_rates(self, done: float) -> None:
        preset = self._preset
        self._network.train()
        if not preset.train_batch_norm:
            self._network.freeze_batch_norm(autoencoder_only=not self._preset.refine_keeps_statistics)
        factor = 1.0
        if preset.warm_up and done < preset.warm_up:
            factor = max(done / preset.warm_up, 0.05)
        elif preset.cosine:
            factor = 0.5 * (1 + math.cos(math.pi * (done - preset.warm_up) / (1 - preset.warm_up)))
        head, encoder = self._optimiser.param_groups
        head["lr"], encoder["lr"] = self._rates[0] * factor, self._rates[1] * factor
        self._network.Q.requires_grad_(done >= preset.itls_first)

    def _tensor(self, array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Tensor:
        return torch.from_numpy(array).to(self._device.torch, non_blocking=True)


def _placed(network: ScafNet, device: Device, notes: list[str]) -> Device:
    """Move the network; returns where it went: the CPU where the GPU has no room for it."""
    try:
        network.to(device.torch)
    except RuntimeError as error:
        if device.kind == "cpu" or not out_of_memory(error):
            raise
        _, device = _less(_MIN_BATCH, device, notes, error)
        network.to(device.torch)
    return device


def _less(batch: int, device: Device, notes: list[str], error: RuntimeError) -> tuple[int, Device]:
    """Half the batch; when that is as small as it gets, the CPU."""
    if device.kind == "cuda":
        torch.cuda.empty_cache()
    if batch // 2 >= _MIN_BATCH:
        notes.append(f"out of memory on {device.kind}: batch halved to {batch // 2}")
        return batch // 2, device
    if device.kind != "cpu":
        notes.append(f"out of memory on {device.kind}: continuing on the CPU")
        return batch, cpu_device(f"{device.kind} is out of memory")
    raise DeviceError("not enough memory to train even two faces at a time; close other programs") from error
