from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from itertools import count
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import DeviceError, ImageError, TooFewLabelsError, TrainingError
from scaf_gui.learning import training as training_module
from scaf_gui.learning import validation as validation_module
from scaf_gui.learning.checkpoint import Checkpoint
from scaf_gui.learning.device import Device
from scaf_gui.learning.predictor import Predictor
from scaf_gui.learning.presets import Augmentation, Preset, preset
from scaf_gui.learning.training import Progress, TrainResult, train, validation_error
from tests import jobs

pytestmark = pytest.mark.usefixtures("slim")

#: so small that a step takes a fraction of a second on one core
TINY = replace(preset("default"), batch=2, full_steps=3, full_epochs=0, quick_steps=2)


def finish(run: Generator[Progress, None, TrainResult]) -> tuple[list[Progress], TrainResult]:
    result, steps = jobs.finish(run)
    return steps, result


def same(a: Checkpoint, b: Checkpoint) -> bool:
    return all(torch.equal(a.tensors[name], b.tensors[name]) for name in a.tensors)


def test_learning_lowers_the_error(faces: Any, scheme: Scheme, cpu: Device) -> None:
    still = Augmentation(flip=0.0, degrees=5.0, shift=0.02, scale=(0.98, 1.02), shear=0.0)
    recipe = replace(TINY, batch=4, full_steps=24, augmentation=still, ema=0.8, warm_up=0.2)
    examples = faces.examples[:2]
    before = finish(train(examples, faces.read, scheme, replace(recipe, full_steps=1), device=cpu, validation=examples))
    steps, result = finish(train(examples, faces.read, scheme, recipe, device=cpu, validation=examples))
    assert len(result.curve) == 24 == sum(progress.stage == "training" for progress in steps)
    assert steps[-1].stage == "settling"
    assert np.mean(result.curve[-4:]) < 0.6 * np.mean(result.curve[:4])
    assert result.validation_nme is not None and before[1].validation_nme is not None
    assert result.validation_nme < 0.5 * before[1].validation_nme
    assert result.checkpoint.meta["figures"]["validation_faces"] == 2


def test_the_same_seed_gives_the_same_model(faces: Any, scheme: Scheme, cpu: Device) -> None:
    runs = [finish(train(faces.examples, faces.read, scheme, TINY, device=cpu, seed=s))[1] for s in (4, 4, 5)]
    assert runs[0].curve == runs[1].curve != runs[2].curve
    assert same(runs[0].checkpoint, runs[1].checkpoint) and runs[0].checkpoint.id == runs[1].checkpoint.id
    assert not same(runs[0].checkpoint, runs[2].checkpoint)


def test_a_run_that_starts_from_a_model_learns_by_adamw_alone(
    faces: Any, scheme: Scheme, cpu: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    used, real = list[float](), training_module._optimisers

    def spy(network: Any, recipe: Preset, device: Device) -> Any:
        used.append(recipe.muon)
        return real(network, recipe, device)

    monkeypatch.setattr(training_module, "_optimisers", spy)
    _, first = finish(train(faces.examples, faces.read, scheme, TINY, device=cpu))
    finish(train(faces.examples, faces.read, scheme, TINY, device=cpu, start=first.checkpoint, mode="quick"))
    assert used == [TINY.muon, 0.0] and TINY.muon > 0.0


def test_the_generator_stays_frozen_and_a_quick_run_starts_from_its_parent(
    faces: Any, scheme: Scheme, cpu: Device
) -> None:
    _, first = finish(train(faces.examples, faces.read, scheme, TINY, device=cpu))
    steps, second = finish(
        train(faces.examples, faces.read, scheme, TINY, device=cpu, start=first.checkpoint, mode="quick")
    )
    assert steps[0].stage == "refining" and second.checkpoint.meta["parent"] == first.checkpoint.id
    assert len(steps) == TINY.steps("quick", 6, True)
    for name, value in first.checkpoint.tensors.items():
        if name.startswith("P.") and name.endswith("weight"):
            assert torch.equal(value, second.checkpoint.tensors[name])
    assert not same(first.checkpoint, second.checkpoint)
    for name, value in first.checkpoint.tensors.items():
        if "running" in name:
            assert torch.equal(value, second.checkpoint.tensors[name]), "a few labels do not move the statistics"
    assert second.checkpoint.meta["recipe"]["labels"] == 6


def test_closing_cancels(faces: Any, scheme: Scheme, cpu: Device) -> None:
    run = train(faces.examples, faces.read, scheme, replace(TINY, full_steps=1000), device=cpu)
    assert next(run).step == 1
    run.close()
    with pytest.raises(StopIteration):
        next(run)


def test_max_seconds_ends_the_run_and_its_schedule(
    faces: Any, scheme: Scheme, cpu: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates: list[float] = []
    real = training_module._Stepper._set_rates

    def spy(self: Any, done: float) -> None:
        real(self, done)
        rates.append(self._optimisers[0].param_groups[0]["lr"])

    monkeypatch.setattr(training_module._Stepper, "_set_rates", spy)
    # A clock of its own: half a second between any two looks at it.
    clock = SimpleNamespace(monotonic=count(0.0, 0.5).__next__)
    monkeypatch.setattr(training_module, "time", clock)
    steps, result = finish(
        train(faces.examples, faces.read, scheme, replace(TINY, full_steps=10_000), device=cpu, max_seconds=6.0)
    )
    assert 8 <= len(result.curve) <= 12, "0.95 of 6 seconds at half a second a step"
    assert steps[0].seconds_left > 4.0 and steps[0].steps < 20 and steps[-1].seconds_left < 1.0
    assert rates[-1] < 0.1 * max(rates), "the learning rate has come down by the end"


def test_snapshots_hold_the_averaged_weights(faces: Any, scheme: Scheme, cpu: Device) -> None:
    run = train(faces.examples, faces.read, scheme, TINY, device=cpu)
    taken = [progress.snapshot() for progress in run if progress.snapshot is not None]
    assert len(taken) == TINY.full_steps and not same(taken[0], taken[2])
    assert taken[0].meta["recipe"]["steps"] == 1


def test_too_few_labels(faces: Any, scheme: Scheme, cpu: Device) -> None:
    with pytest.raises(TooFewLabelsError, match="at least 2 labelled faces, not 1"):
        next(train(faces.examples[:1], faces.read, scheme, TINY, device=cpu))


def test_two_labels_are_enough(faces: Any, scheme: Scheme, cpu: Device) -> None:
    _, result = finish(train(faces.examples[:2], faces.read, scheme, replace(TINY, batch=4), device=cpu))
    assert all(np.isfinite(result.curve))


def test_an_image_that_vanished_is_left_out(faces: Any, scheme: Scheme, cpu: Device) -> None:
    def read(name: str) -> np.ndarray:
        if name == "2.png":
            raise ImageError("cannot be read", name)
        return faces.read(name)

    steps, result = finish(train(faces.examples, read, scheme, replace(TINY, full_steps=5), device=cpu))
    assert "2.png" in result.note and result.note.count("left out") == 1
    assert "2.png" in " ".join(progress.note for progress in steps)
    with pytest.raises(TooFewLabelsError, match="too few labelled faces have a readable image"):
        finish(train(faces.examples[1:3], read, scheme, replace(TINY, full_steps=5), device=cpu))


def test_a_loss_that_is_no_number_stops(
    faces: Any, scheme: Scheme, cpu: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = training_module.heatmap_loss
    calls: list[int] = []

    def astray(*given: Any) -> torch.Tensor:
        calls.append(1)
        return real(*given) * (float("nan") if len(calls) == 2 else 1.0)

    monkeypatch.setattr(training_module, "heatmap_loss", astray)
    run = train(faces.examples, faces.read, scheme, TINY, device=cpu)
    next(run)
    with pytest.raises(TrainingError, match=r"step 2.*nan.*model before stays"):
        next(run)


def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation_module, "_LEAST_STEPS", 1)
    monkeypatch.setattr(validation_module, "_SHARE_OF_TIME", 1e9)


def test_a_loss_that_is_no_number_goes_back_to_the_last_good_weights(
    faces: Any, scheme: Scheme, cpu: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = training_module.heatmap_loss
    calls: list[int] = []

    def astray(*given: Any) -> torch.Tensor:
        calls.append(1)
        return real(*given) * (float("inf") if len(calls) == 3 else 1.0)

    every_step(monkeypatch)
    monkeypatch.setattr(training_module, "heatmap_loss", astray)
    recipe = replace(TINY, train_batch_norm=False, full_steps=9)
    run = train(faces.examples, faces.read, scheme, recipe, device=cpu, validation=faces.examples[:1])
    shots = []
    result = None
    while result is None:
        try:
            shots.append(next(run).snapshot())  # type: ignore[misc]
        except StopIteration as end:
            result = end.value
    assert len(result.curve) == 2 and result.stopped == "astray"
    assert "step 3" in result.note and "back to step 2" in result.note and "choose another preset" in result.note
    assert same(result.checkpoint, shots[1]) and result.note in result.checkpoint.meta["recipe"]["notes"]


def test_early_stopping_gives_the_best_weights_back_and_a_model_between_start_and_end(
    faces: Any, scheme: Scheme, cpu: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps that are far too large: every look is worse than the first, and the same seed does the same."""
    _, first = finish(train(faces.examples, faces.read, scheme, TINY, device=cpu))
    every_step(monkeypatch)
    wild = replace(TINY, quick_steps=12, lr_head=0.05, lr_encoder=0.05, warm_up=0.0, ema=0.0)
    validation = (*faces.examples, *faces.examples)[:8]

    def refined() -> tuple[list[Progress], TrainResult]:
        start = first.checkpoint
        return finish(
            train(
                faces.examples, faces.read, scheme, wild, start=start, device=cpu, mode="quick", validation=validation
            )
        )

    steps, result = refined()
    errors = [progress.validation_nme for progress in steps]
    best = int(np.argmin(errors))  # type: ignore[arg-type]
    assert result.stopped == "early" and len(steps) == best + 1 + 5 < 12
    assert result.validation_nme == errors[best] == result.checkpoint.meta["figures"]["validation_nme"]
    curve = result.checkpoint.meta["figures"]["curve"]
    assert curve["steps"] == list(range(1, len(steps) + 1)) and len(curve["validation"]) == len(steps)
    assert result.between is not None
    start, end = first.checkpoint, result.checkpoint.tensors
    mixed = result.between(0.25)
    assert same(result.between(0.0), start)
    assert all(torch.allclose(mixed.tensors[n], start.tensors[n].lerp(v, 0.25)) for n, v in end.items() if v.ndim)
    again = refined()[1]
    assert same(again.checkpoint, result.checkpoint) and again.checkpoint.id == result.checkpoint.id
    assert again.between is not None and again.between(0.25).id == mixed.id != result.checkpoint.id


class Memory:
    """A forward pass that has room for so many faces and no more."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.real = training_module.ScafNet.forward

    def forward(self, network: Any, image: torch.Tensor) -> torch.Tensor:
        if len(image) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return self.real(network, image)


def test_out_of_memory_halves_the_batch_and_says_so(
    faces: Any, scheme: Scheme, cpu: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = Memory(2)
    monkeypatch.setattr(training_module.ScafNet, "forward", lambda self, image: memory.forward(self, image))
    steps, result = finish(train(faces.examples, faces.read, scheme, replace(TINY, batch=8), device=cpu))
    assert "batch halved to 4" in steps[0].note and "batch halved to 2" in steps[0].note and not steps[1].note
    assert result.checkpoint.meta["recipe"]["batch"] == 2 and len(result.curve) == 3


def test_out_of_memory_for_two_faces_on_the_cpu_is_an_error(
    faces: Any, scheme: Scheme, cpu: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = Memory(0)
    monkeypatch.setattr(training_module.ScafNet, "forward", lambda self, image: memory.forward(self, image))
    with pytest.raises(DeviceError, match="not enough memory"):
        finish(train(faces.examples, faces.read, scheme, TINY, device=cpu))


def test_out_of_memory_on_a_gpu_falls_back_to_the_cpu() -> None:
    notes: list[str] = []
    gpu = Device("cuda", torch.bfloat16, "a GPU")
    batch, device = training_module._less(4, gpu, notes, RuntimeError("out of memory"))
    assert (batch, device.kind) == (2, "cuda")
    batch, device = training_module._less(2, gpu, notes, RuntimeError("out of memory"))
    assert (batch, device.kind) == (2, "cpu") and "out of memory" in device.why
    assert notes == ["out of memory on cuda: batch halved to 2", "out of memory on cuda: continuing on the CPU"]


def test_a_gpu_without_room_for_the_network_falls_back_to_the_cpu(
    faces: Any, scheme: Scheme, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = training_module.ScafNet.to

    def full(self: Any, *args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], torch.device) and args[0].type == "cuda":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(training_module.ScafNet, "to", full)
    gpu = Device("cuda", torch.bfloat16, "a GPU")
    steps, result = finish(train(faces.examples, faces.read, scheme, TINY, device=gpu))
    assert "continuing on the CPU" in steps[0].note
    assert "out of memory" in result.checkpoint.meta["recipe"]["device"]


def test_other_errors_are_not_mistaken_for_memory(
    faces: Any, scheme: Scheme, cpu: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Any, image: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(training_module.ScafNet, "forward", broken)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        next(train(faces.examples, faces.read, scheme, TINY, device=cpu))


@pytest.mark.parametrize("name", ["published", "3fabrec"])
def test_published_presets_train(faces: Any, scheme: Scheme, cpu: Device, name: str) -> None:
    recipe: Preset = replace(preset(name), batch=2, full_steps=2, full_epochs=0)
    before = finish(train(faces.examples, faces.read, scheme, replace(recipe, full_steps=1), device=cpu))[1].checkpoint
    steps, result = finish(train(faces.examples, faces.read, scheme, recipe, device=cpu))
    after = result.checkpoint
    moved = {n for n in before.tensors if not torch.equal(before.tensors[n], after.tensors[n])}
    assert "LMH.t4.weight" in moved and "LMH.lin.weight" in moved
    assert not any("running" in n for n in moved if n.startswith(("Q.", "P."))), "BatchNorm of the auto-encoder rests"
    assert after.architecture.skips == (name == "published")
    assert Predictor(after, cpu, scheme).crop_size == 256
    assert steps[-1].step == 2 and steps[-1].stage == "training", "nothing to settle where BatchNorm rests"


def test_itls_first_leaves_the_encoder_alone_in_its_first_part(faces: Any, scheme: Scheme, cpu: Device) -> None:
    recipe = replace(TINY, itls_first=0.5, full_steps=4, ema=0.0)
    shots = [p.snapshot() for p in train(faces.examples, faces.read, scheme, recipe, device=cpu) if p.snapshot]
    weights = [shot.tensors["Q.layer1.0.conv1.weight"] for shot in shots]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[1], weights[3])


def test_validation_error_is_the_mean_nme_of_known_landmarks(faces: Any, scheme: Scheme, cpu: Device) -> None:
    _, result = finish(train(faces.examples, faces.read, scheme, replace(TINY, full_steps=1), device=cpu))
    predictor = Predictor(result.checkpoint, cpu, scheme)
    example = faces.examples[0]
    found = predictor.predict_faces([(faces.read(example.image), example.square)])[0].points
    known = np.arange(68) % 2 == 0
    distance = np.linalg.norm(found - example.points, axis=1)[known].mean()
    eyes = np.linalg.norm(example.points[36] - example.points[45])
    known[[36, 45]] = True
    distance = np.linalg.norm(found - example.points, axis=1)[known].mean()
    error = validation_error(result.checkpoint, scheme, cpu, [replace(example, known=known)], faces.read)
    assert np.isclose(error, 100 * distance / eyes, rtol=1e-6)
