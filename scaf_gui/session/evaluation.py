"""How good predictions (or labels) are against true landmarks: NME, failure rate, AUC, drags per face."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import Box, BoxSource, Face, State
from scaf_gui.core.geometry import crop_square
from scaf_gui.core.metrics import Evaluation
from scaf_gui.errors import ImageError, ScafError, UsageError
from scaf_gui.session.events import ModelInfo, PrefillJob
from scaf_gui.session.prefill import BATCH, PredictorDoor, predict_jobs
from scaf_gui.session.truth import SAME_FACE, agreement, known_points, label_box, match, read_truth

if TYPE_CHECKING:
    from scaf_gui.io.formats import LabelledFace
    from scaf_gui.learning.predictor import Predictor
    from scaf_gui.session.session import Session

#: where the boxes of another folder's images come from; "landmarks" is an oracle: the true box
BOXES = ("detector", "whole", "landmarks")


@dataclass(frozen=True)
class Report:
    """Figures, and what they are of. ``without``: faces with true landmarks that could not be compared
    (no label, no box, unreadable image); ``trained_on``: faces left out because the model knows them."""

    figures: Evaluation
    what: str
    model: str
    without: tuple[str, ...] = ()
    trained_on: int = 0


def evaluate_labels(session: Session, truth: Path) -> Report:
    """The project's own labels against true ones."""
    pairs, without = [], []
    for label, face in _matched(session, truth):
        if face is None or face.label is None or face.state is not State.LABELLED:
            without.append(label.image)
        else:
            pairs.append((face.label.points, known_points(label)))
    return Report(Evaluation.of(pairs, session.scheme), "labels", "", tuple(without))


def evaluate_predictions(
    session: Session, truth: Path, *, device: str = "auto", include_trained: bool = False
) -> Generator[tuple[int, int], None, Report]:
    """The current model's predictions for the project's faces, those it was trained on left out.

    Yields (faces done, faces in all).
    """
    model = _model(session)
    seen: frozenset[int] = frozenset() if include_trained else frozenset(model.trained_on)
    jobs: list[tuple[PrefillJob, LabelledFace]] = []
    looks = _looks(session)
    without: list[str] = []
    trained = 0
    for label, face in _matched(session, truth):
        if face is None or face.box is None:
            without.append(label.image)
        elif face.id in seen:
            trained += 1
        else:
            jobs.append((PrefillJob(face.id, face.image, crop_square(face.box), looks), label))
    predictor = PredictorDoor().get(model, device, session.scheme)
    pairs, unread = yield from _predicted(predictor, model.id, jobs, session.folder)
    return Report(Evaluation.of(pairs, session.scheme), "predictions", model.id, (*without, *unread), trained)


def evaluate_folder(
    session: Session, truth: Path, images: Path, *, boxes: str = "detector", device: str = "auto"
) -> Generator[tuple[int, int], None, Report]:
    """The current model's predictions for the images of another folder. Yields (done, in all)."""
    from scaf_gui.io.folder import scan_images

    model = _model(session)
    by_image = read_truth(truth, session.scheme, scan_images(images))
    find = _box_finder(boxes, images, session)
    jobs: list[tuple[PrefillJob, LabelledFace]] = []
    looks = _looks(session)
    without: list[str] = []
    labels = [label for there in by_image.values() for label in there]
    for number, label in enumerate(labels):
        try:
            box = find(label)
        except ImageError:
            box = None
        if box is None:
            without.append(label.image)
        else:
            jobs.append((PrefillJob(number, label.image, crop_square(box), looks), label))
        if boxes == "detector":
            yield 0, len(labels)
    predictor = PredictorDoor().get(model, device, session.scheme)
    pairs, unread = yield from _predicted(predictor, model.id, jobs, images)
    return Report(Evaluation.of(pairs, session.scheme), "predictions", model.id, (*without, *unread))


def _matched(session: Session, truth: Path) -> list[tuple[LabelledFace, Face | None]]:
    images = tuple(dict.fromkeys(face.image for face in session.document))
    by_image = read_truth(truth, session.scheme, images)
    if not by_image:
        raise ScafError(f"{truth}: no .pts file here belongs to an image of the project")
    return match((label for there in by_image.values() for label in there), session.document, session.scheme)


def _model(session: Session) -> ModelInfo:
    if session.model is None:
        raise UsageError("the project has no model yet: train one first, or evaluate its labels (--what labels)")
    return session.model


def _looks(session: Session) -> int:
    """As a person would see the predictions."""
    return 2 if session.work.look_twice else 1


def _predicted(
    predictor: Predictor, model_id: str, jobs: Sequence[tuple[PrefillJob, LabelledFace]], folder: Path
) -> Generator[tuple[int, int], None, tuple[list[tuple[FloatArray, FloatArray]], tuple[str, ...]]]:
    from scaf_gui.io.images import read_image

    pairs: list[tuple[FloatArray, FloatArray]] = []
    unread: list[str] = []
    for start in range(0, len(jobs), BATCH):
        batch = jobs[start : start + BATCH]
        found = predict_jobs(predictor, model_id, [job for job, _ in batch], lambda image: read_image(folder / image))
        for job, label in batch:
            if job.face_id in found.predictions:
                pairs.append((found.predictions[job.face_id].points, known_points(label)))
            else:
                unread.append(job.image)
        yield start + len(batch), len(jobs)
    return pairs, tuple(unread)


def _box_finder(boxes: str, folder: Path, session: Session) -> Callable[[LabelledFace], Box | None]:
    """How to get the box of a face whose true landmarks are known."""
    from scaf_gui.io.images import image_size, read_image

    scheme = session.scheme
    if boxes == "landmarks":
        return lambda label: label_box(label, scheme)
    if boxes == "whole":
        return lambda label: Box(0, 0, *image_size(folder / label.image), BoxSource.WHOLE)
    if boxes != "detector":
        raise UsageError(f"'{boxes}' is no source of boxes here; use {', '.join(BOXES)}")
    from scaf_gui.io.detector import open_detector

    detector = open_detector(session.box_source)

    def detected(label: LabelledFace) -> Box | None:
        found = detector.detect(read_image(folder / label.image))
        best = max(found, key=lambda box: agreement(box, label, scheme), default=None)
        return best if best is not None and agreement(best, label, scheme) >= SAME_FACE else None

    return detected
