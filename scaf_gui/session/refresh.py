"""Refresh the model: train on a frozen snapshot, judge old against new, score a sample of the pool.

How the snapshot is taken is told by :mod:`scaf_gui.session.snapshot`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

from scaf_gui.core.arrays import ByteArray
from scaf_gui.errors import CheckpointError, FolderError, TooFewLabelsError, TrainingError
from scaf_gui.session import bridging, contest, crossfit, judge, models
from scaf_gui.session.events import ModelInfo, RefreshResult, RefreshStarted, TrainingSnapshot
from scaf_gui.session.prefill import CacheDoor, PredictorDoor
from scaf_gui.session.scoring import say_labelled, score_sample

if TYPE_CHECKING:
    from scaf_gui.learning.checkpoint import Checkpoint
    from scaf_gui.learning.device import Device
    from scaf_gui.learning.start import Start
    from scaf_gui.learning.training import TrainResult

LEAST_LABELS = 2


@dataclass(frozen=True)
class Plan:
    """How to refresh; see ``Session.refresh``. ``score_seconds``: time for the sample of the pool."""

    mode: str = "quick"
    preset: str = "default"
    seed: int = 0
    device: str = "auto"
    max_seconds: float | None = None
    judge: bool = True
    score_seconds: float = 10.0


def refresh(
    snapshot: TrainingSnapshot,
    plan: Plan,
    wanted: Callable[[], Sequence[int]],
    cache: CacheDoor,
    predictors: PredictorDoor,
) -> Generator[Any, None, RefreshResult]:
    """See ``Session.refresh``."""
    from scaf_gui.learning.device import choose_device

    began = monotonic()

    def ended(result: RefreshResult) -> Generator[Any, None, RefreshResult]:
        """The verdict; then what a new model's correction is learnt from, and the sample of the pool."""
        yield result
        yield from say_labelled(snapshot, result.model, plan, cache, predictors)
        yield from score_sample(snapshot, result.model, plan, wanted, cache, predictors)
        return result

    old = snapshot.model
    may_bridge = (
        old is None
        and plan.mode == "quick"
        and bridging.suffices(snapshot.scheme, snapshot.use_starter, len(snapshot.faces))
    )
    _check(snapshot, 1 if may_bridge else LEAST_LABELS)
    device = choose_device(plan.device)
    if may_bridge and (bridge := bridging.bridged_model(snapshot, device)) is not None:
        yield RefreshStarted(len(snapshot.faces), 0, device.why, "the starter")
        result = _bridged(snapshot, plan, bridge, device, predictors)
        return (yield from ended(replace(result, seconds=monotonic() - began)))
    snapshot, lost = _usable(snapshot, plan, predictors)
    old, held = snapshot.model, tuple[int, ...]()
    if plan.judge:
        held = judge.held_out(snapshot.faces, old.trained_on if old is not None else None, snapshot.seed)
        if old is not None and not held:
            return (yield from ended(_nothing_to_judge_by(snapshot, device)))
    base, base_title = _base(snapshot, plan, held, device)
    yield RefreshStarted(len(snapshot.faces), len(held), device.why, base_title)
    trained = yield from _train(snapshot, plan, held, base, device)
    result, checkpoint = _judged(snapshot, plan, held, trained, device, predictors)
    if result.kept_new and result.model is not None:
        result = _save(snapshot, result, checkpoint)
    return (yield from ended(replace(result, message=result.message + lost, seconds=monotonic() - began)))


def alone(run: Generator[Any, None, RefreshResult], lock: Lock) -> Generator[Any, None, RefreshResult]:
    """A refresh that starts only where no other one runs; two would judge against the same old model.

    Other processes cannot get at the project at all: its file is locked while it is open.

    :raises TrainingError: another one runs; it is not disturbed
    """
    if not lock.acquire(blocking=False):
        raise TrainingError("this project's model is being refreshed already; wait for that to end, or cancel it")
    try:
        return (yield from run)
    finally:
        run.close()
        lock.release()


def _bridged(
    snapshot: TrainingSnapshot, plan: Plan, bridge: Checkpoint, device: Device, predictors: PredictorDoor
) -> RefreshResult:
    """The first model of a scheme that the starter does not know: nothing is trained, so there is nothing to judge."""
    faces = tuple(face.face_id for face in snapshot.faces)
    many = f"{len(faces)} label{'' if len(faces) == 1 else 's'}"
    model = _info(snapshot, replace(plan, mode="bridge"), bridge, faces)
    predictors.put(bridge, plan.device, snapshot.scheme)
    message = f"The starter now predicts these landmarks, led there by {many}; refresh again after a few more"
    return _save(snapshot, RefreshResult(True, model, message, labels=len(faces), device=device.why), bridge)


def _usable(snapshot: TrainingSnapshot, plan: Plan, predictors: PredictorDoor) -> tuple[TrainingSnapshot, str]:
    """The snapshot without a model whose file is damaged or gone: such a rival must not stop all refreshes to come."""
    if snapshot.model is None:
        return snapshot, ""
    try:
        predictors.get(snapshot.model, plan.device, snapshot.scheme)
    except CheckpointError as error:
        use_starter = snapshot.use_starter and snapshot.model.own
        return replace(snapshot, model=None, use_starter=use_starter), f". The model before cannot be used: {error}"
    return snapshot, ""


def _check(snapshot: TrainingSnapshot, least: int) -> None:
    count = len(snapshot.faces)
    if count < least:
        there = "there is none" if count == 0 else "there is only one"
        raise TooFewLabelsError(f"training needs at least {LEAST_LABELS} labelled faces and {there}; label more first")
    if not snapshot.folder.is_dir():
        raise FolderError("the image folder is gone; say where it is now", snapshot.folder)


def _reader(folder: Path) -> Callable[[str], ByteArray]:
    from scaf_gui.io.images import read_image

    return lambda image: read_image(folder / image)


def _base(snapshot: TrainingSnapshot, plan: Plan, held: tuple[int, ...], device: Device) -> tuple[Start | None, str]:
    """What training starts from: quick, the model in use; full, the best there is for the scheme."""
    from scaf_gui.learning.checkpoint import load_checkpoint

    if plan.mode == "quick" and snapshot.model is not None:
        return load_checkpoint(Path(snapshot.model.path), None), snapshot.model.title
    return bridging.base_for(snapshot, plan.preset, device, held)


def _train(
    snapshot: TrainingSnapshot, plan: Plan, held: tuple[int, ...], base: Start | None, device: Device
) -> Generator[Any, None, TrainResult]:
    """Learn from the faces that are not held out; those tell when to stop."""
    from scaf_gui.learning.examples import Example
    from scaf_gui.learning.presets import preset
    from scaf_gui.learning.training import train

    examples = [
        Example(face.image, face.square, face.points, face.known) for face in snapshot.faces if face.face_id not in held
    ]
    # A landmark that was taken over from the old model would only say how alike the new one is.
    validation = [
        Example(face.image, face.square, face.points, face.known & face.placed)
        for face in snapshot.faces
        if face.face_id in held and (face.known & face.placed).any()
    ]
    return (
        yield from train(
            examples,
            _reader(snapshot.folder),
            snapshot.scheme,
            preset(plan.preset),
            start=base,
            device=device,
            seed=plan.seed,
            mode=plan.mode,
            max_seconds=plan.max_seconds,
            validation=validation,
        )
    )


def _judged(
    snapshot: TrainingSnapshot,
    plan: Plan,
    held: tuple[int, ...],
    trained: TrainResult,
    device: Device,
    predictors: PredictorDoor,
) -> tuple[RefreshResult, Checkpoint]:
    """Compare old and new on the held-out faces; without any, or without an old one, the new model takes over."""
    old = snapshot.model
    seen = tuple(face.face_id for face in snapshot.faces if face.face_id not in held)
    if plan.mode == "quick" and old is not None:
        seen = tuple(sorted({*seen, *old.trained_on}))
    shared: dict[str, Any] = {"labels": len(snapshot.faces), "device": device.why}
    if old is None or not held:
        checkpoint, error = trained.checkpoint, trained.validation_nme
        message = f"The new model takes over: trained on {len(seen)} labels"
        if error is not None:
            message += f", {error:.1f} % off on {len(held)} held-out face{'' if len(held) == 1 else 's'}"
        model = _info(snapshot, plan, checkpoint, seen)
        predictors.put(checkpoint, plan.device, snapshot.scheme)
        if error is not None:
            model = replace(model, error=error, judged_on=len(held))
        return RefreshResult(True, model, _with_note(message, trained), **shared), checkpoint
    faces = [face for face in snapshot.faces if face.face_id in held]
    rival = predictors.get(old, plan.device, snapshot.scheme)
    teachers = crossfit.teachers(snapshot.faces) if snapshot.instant else None
    mode, read = plan.mode, _reader(snapshot.folder)
    outcome = contest.hold(faces, read, rival, trained, device, snapshot.scheme, teachers)
    if outcome.found is not None and outcome.found.proven <= 0:
        anew = bridging.refitted(snapshot, device, held, trained)
        if anew is not None:
            second = contest.hold(faces, read, rival, anew, device, snapshot.scheme, teachers)
            if second.found is not None and second.found.proven > 0:
                outcome, mode = second, "bridge"
    found, checkpoint = outcome.found, outcome.checkpoint
    if found is None or not found.faces:
        message = "Kept the old model: none of the images to compare with could be read"
        return RefreshResult(False, old, message, **shared), checkpoint
    takes_over, message = judge.verdict(found)
    model = old
    if takes_over:
        model = _info(snapshot, replace(plan, mode=mode), checkpoint, seen)
        model = replace(model, error=found.new, judged_on=found.faces)
        predictors.put(checkpoint, plan.device, snapshot.scheme)
    message = _with_note(message, trained)
    return RefreshResult(takes_over, model, message, found.old, found.new, found.faces, **shared), checkpoint


def _with_note(message: str, trained: TrainResult) -> str:
    """What went otherwise than planned belongs into the sentence that stays on the screen."""
    return f"{message} ({trained.note})" if trained.stopped == "astray" else message


def _info(snapshot: TrainingSnapshot, plan: Plan, checkpoint: Checkpoint, seen: tuple[int, ...]) -> ModelInfo:
    return ModelInfo(
        id=checkpoint.id,
        path=str(models.model_path(snapshot.companions, checkpoint.id)),
        own=True,
        title=bridging.title(len(seen)) if plan.mode == "bridge" else f"{len(seen)} labels, {_manner(plan)}",
        created=str(checkpoint.meta.get("created", "")),
        preset=plan.preset,
        mode=plan.mode,
        trained_on=seen,
    )


def _manner(plan: Plan) -> str:
    """What people call a way of training: by its preset where that says more than the mode."""
    return plan.preset if plan.mode == "full" and plan.preset != "default" else plan.mode


def _save(snapshot: TrainingSnapshot, result: RefreshResult, checkpoint: Checkpoint) -> RefreshResult:
    from scaf_gui.learning.checkpoint import save_checkpoint

    assert result.model is not None
    path = models.model_path(snapshot.companions, checkpoint.id)
    figures = {"judged_on": result.judged_on, "new_error": result.new_error, "old_error": result.old_error}
    save_checkpoint(checkpoint.with_figures(figures), path)
    models.prune(snapshot.companions, keep=checkpoint.id)
    return result


def _nothing_to_judge_by(snapshot: TrainingSnapshot, device: Device) -> RefreshResult:
    """No label is new to the old model, or there are too few: nothing is trained."""
    old = snapshot.model
    assert old is not None
    new_to_it = sum(face.face_id not in old.trained_on for face in snapshot.faces)
    if new_to_it:
        message = (
            f"Kept the current model: {len(snapshot.faces)} labelled faces are too few to tell whether "
            "a new one is better; label one more"
        )
    else:
        message = "Kept the current model: it has learnt from every label there is; label more faces"
    return RefreshResult(False, old, message, labels=len(snapshot.faces), device=device.why)
