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
from torch import Tensor

from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import DeviceError, TooFewLabelsError, TrainingError
from scaf_gui.learning import muon
from scaf_gui.learning.averaging import Average, mix
from scaf_gui.learning.batches import MIN_LABELS, Batches
from scaf_gui.learning.checkpoint import REFERENCE_MEAN, Checkpoint, make_checkpoint
from scaf_gui.learning.curves import Curve
from scaf_gui.learning.device import Device, cpu_device, out_of_memory
from scaf_gui.learning.examples import Example, Read, Surroundings, Views
from scaf_gui.learning.networks import ScafNet, normalise
from scaf_gui.learning.presets import Preset
from scaf_gui.learning.settling import SETTLE_BATCHES, settle
from scaf_gui.learning.start import Start, start_network
from scaf_gui.learning.targets import heatmap_loss
from scaf_gui.learning.validation import Validator, validation_error
from scaf_gui.learning.watch import Watch

__all__ = ["MIN_LABELS", "Progress", "TrainResult", "train", "validation_error"]

#: BatchNorm needs more than one face
_MIN_BATCH = 2
#: what to do about a loss that is no number
_CURE = "choose another preset (lower learning rates), or train on the CPU (full precision)"


@dataclass(frozen=True)
class Progress:
    """Where a run is. ``steps`` and ``seconds_left`` are estimates; ``note`` is for people, mostly empty.

    ``validation_nme`` (%) is there at the steps where it was measured; ``rate`` is the head's learning rate.
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
    rate: float = 0.0
    snapshot: Callable[[], Checkpoint] | None = None


@dataclass(frozen=True, eq=False)
class TrainResult:
    """``curve`` holds the loss of every step; ``validation_nme`` is in %, of the checkpoint as returned.

    ``stopped``: "" at the planned end, "early" where the validation error had stalled, "astray" where the loss was
    no longer a number and earlier weights were taken. ``between``, where a model was refined: the checkpoint that
    lies a share (0 to 1) of the way from the weights at the start to those of ``checkpoint``, BatchNorm's
    statistics too (weight-space ensembling, Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022).
    """

    checkpoint: Checkpoint
    curve: tuple[float, ...]
    seconds: float
    validation_nme: float | None
    note: str = ""
    stopped: str = ""
    between: Callable[[float], Checkpoint] | None = None


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
    :param validation: faces to measure the error on, not learnt from; with 8 or more the weights of the lowest
        error are returned, and the run stops where it has not come down for long
    :raises TooFewLabelsError: with fewer than 2 labelled faces
    :raises TrainingError: where the loss is no longer a number before there are weights to go back to; the caller
        still has its old model
    :raises DeviceError: without memory for even the smallest batch, on the CPU too
    """
    if len(examples) < MIN_LABELS:
        raise TooFewLabelsError(f"training needs at least {MIN_LABELS} labelled faces, not {len(examples)}; label more")
    began = time.monotonic()
    network, refines = start_network(preset, scheme, start, seed)
    batch, curve, notes = preset.batch, Curve(), list[str]()
    device = _placed(network, device, notes)
    rng = np.random.default_rng(seed)
    rates = (preset.lr_head, preset.lr_encoder)
    if isinstance(start, Checkpoint):
        preset = replace(preset, muon=0.0)  # it gains nothing where landmarks are known (docs/decisions.md)
    if refines:
        rates = (rates[0] * preset.warm_start, rates[1] * preset.warm_start)
        preset = replace(preset, augmentation=preset.refine_augmentation or preset.augmentation)
    if refines and preset.refine_keeps_statistics:
        preset = replace(preset, train_batch_norm=False)
    faces = Batches(Surroundings(examples, read, preset.input_size), scheme, preset, rng)
    stepper = _Stepper(network, preset, rates, device)
    average = Average(network, preset.ema)
    steps = preset.steps(mode, len(examples), refines)
    settles = preset.train_batch_norm
    watch = Watch(Validator(validation or (), read, scheme, preset), batch, SETTLE_BATCHES * batch * settles)

    def checkpoint(network: ScafNet, share: float = 1.0) -> Checkpoint:
        recipe = {
            "mode": mode, "seed": seed, "labels": len(examples), "steps": len(curve), "batch": batch,
            "seconds": round(time.monotonic() - began, 1), "device": device.why, "notes": notes,
        }  # fmt: skip
        if share != 1.0:
            recipe["share"] = share
        return make_checkpoint(network, scheme, preset, recipe, start).with_figures({"curve": curve.to_json()})

    def between(share: float) -> Checkpoint:
        mixed, _ = start_network(preset, scheme, start, seed)
        mix(mixed, average.network, share)
        return checkpoint(mixed, share)

    # The last part of the time is for BatchNorm's statistics.
    seconds = math.inf if max_seconds is None else max_seconds * (0.95 if settles else 1.0)
    done, step, said, stopped = 0.0, 0, 0, ""
    while done < 1.0 and not stopped:
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
            notes.append(_astray(step + 1, loss, watch.go_back(average.network)))
            stopped = "astray"
            break
        average.update(network, step)
        curve.losses.append(loss)
        curve.rates.append(stepper.rate)
        step += 1
        found = None
        if watch.due(step) and step < steps:
            if settles and watch.validates:
                for _ in settle(average.network, faces, device, batch):
                    pass
            found = watch.look(average.network, device, step)
            if found is not None:
                curve.validation.append((step, found))
            stopped = "early" if watch.stalls(step, steps) else ""
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
            validation_nme=found,
            note="; ".join(notes[said:]),
            rate=stepper.rate,
            snapshot=lambda: checkpoint(average.network),
        )
        said = len(notes)
    if settles and not stopped:
        for part in settle(average.network, faces, device, batch):
            yield Progress("settling", 1 + step * batch // len(examples), 1 + step * batch // len(examples), step, step,
                           curve.losses[-1], (1.0 - part) * 0.05 * (time.monotonic() - began))  # fmt: skip
    error_now = None
    if not stopped and watch.validates:
        error_now = watch.look(average.network, device, step)
        if error_now is not None:
            curve.validation.append((step, error_now))
    if stopped == "early" or watch.decides:
        watch.go_back(average.network)
    if watch.decides or stopped:
        error_now = watch.kept_error
    result = checkpoint(average.network)
    if error_now is not None:
        result = result.with_figures({"validation_nme": error_now, "validation_faces": watch.faces})
    return TrainResult(
        result,
        tuple(curve.losses),
        time.monotonic() - began,
        error_now,
        "; ".join(notes),
        stopped,
        between if refines else None,
    )


class _Stepper:
    """One optimiser step at a time; the learning rate follows the share of the run that is done."""

    def __init__(self, network: ScafNet, preset: Preset, rates: tuple[float, float], device: Device) -> None:
        self._network, self._preset, self._device = network, preset, device
        self._rates = rates
        self._optimisers = _optimisers(network, preset, device)
        self._scaler = torch.amp.GradScaler("cuda" if device.kind == "cuda" else "cpu", enabled=device.scales_loss)
        self._mean = torch.tensor(REFERENCE_MEAN, device=device.torch)

    def step(self, views: Views, done: float) -> float:
        """:param done: share of the run that lies behind, 0 to 1"""
        self._set_rates(done)
        crops, points, known = (self._tensor(a) for a in (views.crops, views.points_crop, views.known))
        with self._device.autocast():
            heatmaps = self._network(normalise(crops, self._mean))
        loss = heatmap_loss(heatmaps, points, known, self._preset)
        for optimiser in self._optimisers:
            optimiser.zero_grad()
        torch.autograd.backward(self._scaler.scale(loss))
        for optimiser in self._optimisers:
            self._scaler.step(optimiser)
        self._scaler.update()
        return float(loss.detach())

    @property
    def rate(self) -> float:
        """Learning rate of the head at the last step."""
        return float(self._optimisers[0].param_groups[0]["lr"])

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
        for optimiser in self._optimisers:
            head, encoder = optimiser.param_groups
            head["lr"], encoder["lr"] = self._rates[0] * factor, self._rates[1] * factor
        self._network.Q.requires_grad_(done >= preset.itls_first)

    def _tensor(self, array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Tensor:
        return torch.from_numpy(array).to(self._device.torch, non_blocking=True)


def _optimisers(network: ScafNet, preset: Preset, device: Device) -> list[torch.optim.Optimizer]:
    """AdamW, and Muon for the matrices where the preset has it; the first group of each is the head."""
    parts = list(network.head_parameters()), list(network.Q.parameters())
    vectors = [[one for one in part if not preset.muon or not muon.takes(one)] for part in parts]
    matrices = [[one for one in part if preset.muon and muon.takes(one)] for part in parts]
    # Weight decay 0 makes this Adam.
    made: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(
            [{"params": part} for part in vectors],
            lr=preset.lr_head,
            weight_decay=preset.weight_decay,
            fused=device.kind != "mps",
        )
    ]
    if preset.muon:
        groups = [{"params": part} for part in matrices]
        made.append(muon.Muon(groups, preset.lr_head, preset.muon, preset.weight_decay))
    return made


def _astray(step: int, loss: float, back: int) -> str:
    """What is said of a loss that is no number; raises where there are no weights to go back to."""
    if not back:
        raise TrainingError(
            f"training went astray at step {step} (the loss is {loss}); the model before stays: {_CURE}"
        )
    return f"training went astray at step {step} (the loss is {loss}) and went back to step {back}: {_CURE}"


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
