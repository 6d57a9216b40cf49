"""Refresh the model: train on a frozen snapshot, judge old against new, score a sample of the pool."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from scaf_gui.core.arrays import ByteArray, FloatArray
from scaf_gui.core.face import Face, Flag, State
from scaf_gui.core.geometry import Square, crop_square, landmark_box
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import FolderError, ImageError, TooFewLabelsError
from scaf_gui.session import judge, models
from scaf_gui.session.boxes import overlap
from scaf_gui.session.events import (
    ModelInfo,
    RefreshResult,
    RefreshStarted,
    SnapshotFace,
    TrainingSnapshot,
)
from scaf_gui.session.prefill import CacheDoor, PredictorDoor
from scaf_gui.session.scoring import score_sample
from scaf_gui.session.truth import as_box

if TYPE_CHECKING:
    from scaf_gui.learning.checkpoint import Checkpoint
    from scaf_gui.learning.device import Device
    from scaf_gui.session.session import Session

MODES = ("quick", "full")
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


def snapshot(session: Session) -> TrainingSnapshot:
    """Freeze the labelled faces and the waiting ones of a session; main thread."""
    from scaf_gui.session.workload import prefill_job

    labelled = (labelled_face(face, session.scheme) for face in session.document.with_state(State.LABELLED))
    waiting = (prefill_job(session.document.face(face_id)) for face_id in session.agenda.waiting())
    return TrainingSnapshot(
        scheme=session.scheme,
        folder=session.folder,
        companions=session.companions,
        faces=tuple(face for face in labelled if face is not None),
        pool=tuple(job for job in waiting if job is not None),
        model=session.model,
        seed=session.agenda.seed,
        acquisition=session.agenda.acquisition,
        use_starter=bool(session.store.get("use_starter", True)),
    )


def labelled_face(face: Face, scheme: Scheme) -> SnapshotFace | None:
    """A labelled face as training sees it, ``None`` without any known landmark."""
    label = face.label
    if label is None:
        return None
    known = label.flags != Flag.MISSING
    if not known.any():
        return None
    return SnapshotFace(
        face.id, face.image, _square(face, label.points, scheme), label.points, known, label.placed, label.author.when
    )


def _square(face: Face, points: FloatArray, scheme: Scheme) -> Square:
    """The face's own crop, as in use; that of its landmarks where the box turns out to miss the face."""
    by_label = crop_square(landmark_box(points, scheme.face_box))
    if face.box is None:
        return by_label
    by_box = crop_square(face.box)
    return by_box if overlap(as_box(by_box), as_box(by_label)) > 0.5 else by_label


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
    _check(snapshot)
    device = choose_device(plan.device)
    old = snapshot.model
    held: tuple[int, ...] = ()
    if old is not None and plan.judge:
        held = judge.held_out(snapshot.faces, old.trained_on, snapshot.seed)
        if not held:
            result = _nothing_to_judge_by(snapshot, device)
            yield result
            yield from score_sample(snapshot, result.model, plan, wanted, cache, predictors)
            return result
    base, base_title = _base(snapshot, plan)
    yield RefreshStarted(len(snapshot.faces), len(held), device.why, base_title)
    checkpoint = yield from _train(snapshot, plan, held, base, device)
    result = _judged(snapshot, plan, held, checkpoint, device, predictors)
    if result.kept_new and result.model is not None:
        result = _save(snapshot, result, checkpoint)
    result = replace(result, seconds=monotonic() - began)
    yield result
    yield from score_sample(snapshot, result.model, plan, wanted, cache, predictors)
    return result


def _check(snapshot: TrainingSnapshot) -> None:
    count = len(snapshot.faces)
    if count < LEAST_LABELS:
        there = "there is none" if count == 0 else "there is only one"
        raise TooFewLabelsError(f"training needs at least {LEAST_LABELS} labelled faces and {there}; label more first")
    if not snapshot.folder.is_dir():
        raise FolderError("the image folder is gone; say where it is now", snapshot.folder)


def _reader(folder: Path) -> Callable[[str], ByteArray]:
    from scaf_gui.io.images import read_image

    return lambda image: read_image(folder / image)


def _base(snapshot: TrainingSnapshot, plan: Plan) -> tuple[Checkpoint | None, str]:
    """What training starts from: quick, the model in use; full, the starter or random weights."""
    from scaf_gui.learning.checkpoint import load_checkpoint

    starter = models.starter(snapshot.scheme) if snapshot.use_starter else None
    base = snapshot.model if plan.mode == "quick" and snapshot.model is not None else starter
    if base is None:
        return None, "random weights"
    return load_checkpoint(Path(base.path), None), base.title


def _train(
    snapshot: TrainingSnapshot, plan: Plan, held: tuple[int, ...], base: Checkpoint | None, device: Device
) -> Generator[Any, None, Checkpoint]:
    from scaf_gui.learning.examples import Example
    from scaf_gui.learning.presets import preset
    from scaf_gui.learning.training import train

    examples = [
        Example(face.image, face.square, face.points, face.known) for face in snapshot.faces if face.face_id not in held
    ]
    result = yield from train(
        examples,
        _reader(snapshot.folder),
        snapshot.scheme,
        preset(plan.preset),
        start=base,
        device=device,
        seed=plan.seed,
        mode=plan.mode,
        max_seconds=plan.max_seconds,
    )
    return result.checkpoint


def _judged(
    snapshot: TrainingSnapshot,
    plan: Plan,
    held: tuple[int, ...],
    checkpoint: Checkpoint,
    device: Device,
    predictors: PredictorDoor,
) -> RefreshResult:
    """Compare old and new on the held-out faces; without any the new model takes over."""
    old = snapshot.model
    trained = tuple(face.face_id for face in snapshot.faces if face.face_id not in held)
    if plan.mode == "quick" and old is not None:
        trained = tuple(sorted({*trained, *old.trained_on}))
    new = ModelInfo(
        id=checkpoint.id,
        path=str(models.model_path(snapshot.companions, checkpoint.id)),
        own=True,
        title=f"{len(trained)} labels, {plan.mode}",
        created=str(checkpoint.meta.get("created", "")),
        preset=plan.preset,
        mode=plan.mode,
        trained_on=trained,
    )
    predictors.put(checkpoint, plan.device, snapshot.scheme)
    shared: dict[str, Any] = {"labels": len(snapshot.faces), "device": device.why}
    if old is None or not held:
        message = f"The new model takes over: trained on {len(trained)} labels"
        return RefreshResult(True, new, message, **shared)
    faces = _readable([face for face in snapshot.faces if face.face_id in held], snapshot.folder)
    if not faces:
        message = "Kept the old model: none of the images to compare with could be read"
        return RefreshResult(False, old, message, **shared)
    errors = {}
    for model in (old, new):
        predictor = predictors.get(model, plan.device, snapshot.scheme)
        read = _reader(snapshot.folder)
        points = [predictor.predict_faces([(read(face.image), face.square)])[0].points for face in faces]
        errors[model.id] = judge.mean_error(points, faces, snapshot.scheme)
    old_error, new_error = errors[old.id], errors[new.id]
    takes_over, message = judge.verdict(old_error, new_error, len(faces))
    model = replace(new, error=new_error, judged_on=len(faces)) if takes_over else old
    return RefreshResult(takes_over, model, message, old_error, new_error, len(faces), **shared)


def _readable(faces: list[SnapshotFace], folder: Path) -> list[SnapshotFace]:
    """Faces whose image can be read: both models are judged on the same ones."""
    read, good = _reader(folder), []
    for face in faces:
        try:
            read(face.image)
            good.append(face)
        except ImageError:
            continue
    return good


def _save(snapshot: TrainingSnapshot, result: RefreshResult, checkpoint: Checkpoint) -> RefreshResult:
    from scaf_gui.learning.checkpoint import save_checkpoint

    assert result.model is not None
    path = models.model_path(snapshot.companions, checkpoint.id)
    path.parent.mkdir(parents=True, exist_ok=True)
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
