"""Pre-fill: predictions of the current model for every face, cached, wanted faces first."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from scaf_gui.core.arrays import ByteArray, FloatArray
from scaf_gui.core.face import Prediction
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import FolderError, InputError
from scaf_gui.session.events import ModelInfo, PrefillBatch, PrefillJob
from scaf_gui.session.worklist import Worklist

if TYPE_CHECKING:
    from scaf_gui.io.cache import ProjectCache
    from scaf_gui.learning.checkpoint import Checkpoint
    from scaf_gui.learning.predictor import Predictor

#: faces per batch: small, so that the wanted ones are asked for again soon
BATCH = 8
#: cached predictions come in larger ones
CACHED_BATCH = 512
#: predictions are written to the cache so many at a time
WRITE_EVERY = 32


@dataclass
class CacheDoor:
    """The way to the cache file for all workers of a session: one at a time, open only meanwhile."""

    path: Path
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def open(self) -> Iterator[ProjectCache]:
        from scaf_gui.io.cache import ProjectCache

        with self._lock:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with ProjectCache(self.path) as cache:
                yield cache


@dataclass
class PredictorDoor:
    """The predictors last used, kept so that pre-fill starts again without loading the model anew."""

    _lock: Lock = field(default_factory=Lock)
    _held: dict[tuple[str, str], Predictor] = field(default_factory=dict)

    def get(self, model: ModelInfo, device: str, scheme: Scheme) -> Predictor:
        from scaf_gui.learning.loading import load_libraries

        load_libraries()  # the window goes on meanwhile
        from scaf_gui.learning.checkpoint import load_checkpoint
        from scaf_gui.learning.device import choose_device
        from scaf_gui.learning.predictor import Predictor

        with self._lock:
            key = (model.id, device)
            if key not in self._held:
                checkpoint = load_checkpoint(Path(model.path), scheme)
                self._hold(key, Predictor(checkpoint, choose_device(device), scheme))
            return self._held[key]

    def put(self, checkpoint: Checkpoint, device: str, scheme: Scheme) -> None:
        """Hold the predictor of a model that is not in a file yet."""
        from scaf_gui.learning.device import choose_device
        from scaf_gui.learning.predictor import Predictor

        predictor = Predictor(checkpoint, choose_device(device), scheme)
        with self._lock:
            self._hold((checkpoint.id, device), predictor)

    def _hold(self, key: tuple[str, str], predictor: Predictor) -> None:
        """Keep two: the model in use and the one it is judged against."""
        self._held.pop(key, None)
        self._held[key] = predictor
        while len(self._held) > 2:
            del self._held[next(iter(self._held))]


@dataclass(frozen=True)
class Predicted:
    """Predictions and encoder features by face, and what could not be read."""

    predictions: dict[int, Prediction]
    features: dict[int, FloatArray]
    failed: dict[int, str]


def box_key(job: PrefillJob) -> str:
    """What cached features and a cached prediction from one look depend on besides the model: the square."""
    square = job.square
    return f"{job.image}:{square.cx:.2f},{square.cy:.2f},{square.side:.2f}"


def _look_key(key: str, looks: int) -> str:
    """The key of a prediction: one from two looks is another."""
    return key if looks == 1 else f"{key}:{looks}"


def predict_jobs(
    predictor: Predictor, model_id: str, jobs: Sequence[PrefillJob], read: Callable[[str], ByteArray]
) -> Predicted:
    """Predict faces, each with as many looks as its job says; each image is read once.

    One look that leads far away from the box is followed by two from there: what a box says that misses the face is
    worth nothing, for the ranking neither. Images that cannot be read are named in ``failed``.
    """
    from scaf_gui.learning.crops import FAR_ASTRAY, elsewhere

    images: dict[str, ByteArray] = {}
    failed: dict[int, str] = {}
    ready: list[PrefillJob] = []
    for job in jobs:
        try:
            if job.image not in images:
                images[job.image] = read(job.image)
            ready.append(job)
        except InputError as error:
            failed[job.face_id] = str(error)
    predictions: dict[int, Prediction] = {}
    features: dict[int, FloatArray] = {}

    def look(which: Sequence[PrefillJob], looks: int) -> list[FloatArray]:
        found = predictor.predict_faces([(images[job.image], job.square) for job in which], looks == 2)
        for job, face in zip(which, found, strict=True):
            predictions[job.face_id] = Prediction(face.points, face.magnitude, model_id, dict(face.scores), looks)
            features[job.face_id] = face.features
        return [face.points for face in found]

    look([job for job in ready if job.looks == 2], 2)
    once = [job for job in ready if job.looks == 1]
    seen = zip(once, look(once, 1), strict=True)
    look([job for job, points in seen if elsewhere(points, predictor.scheme, job.square, FAR_ASTRAY)], 2)
    in_order = {job.face_id: predictions[job.face_id] for job in ready}
    return Predicted(in_order, features, failed)


def prefill(
    jobs: Worklist[PrefillJob],
    wanted: Callable[[], Sequence[int]],
    model: ModelInfo | None,
    scheme: Scheme,
    folder: Path,
    cache: CacheDoor,
    predictors: PredictorDoor,
    device: str = "auto",
) -> Generator[PrefillBatch, None, int]:
    """Work through the list; see ``Session.prefill``."""
    from scaf_gui.io.images import read_image

    if model is None or not len(jobs):
        return 0
    done: dict[int, PrefillJob] = {}
    yield from cached(jobs, wanted, model, cache, done)
    if jobs.pick((), 1, done)[0] and not folder.is_dir():
        raise FolderError("the image folder is gone; say where it is now", folder)
    count, size = 0, 1  # the first face alone: it is the one being looked at
    unsaved: dict[int, tuple[PrefillJob, Prediction, FloatArray]] = {}
    try:
        while True:
            chosen, left = jobs.pick(wanted(), size, done)
            if not chosen:
                return count
            predictor = predictors.get(model, device, scheme)
            found = predict_jobs(predictor, model.id, list(chosen.values()), lambda image: read_image(folder / image))
            done.update(chosen)
            for face_id, prediction in found.predictions.items():
                unsaved[face_id] = chosen[face_id], prediction, found.features[face_id]
            if len(unsaved) >= WRITE_EVERY:
                _save(cache, model.id, unsaved)
            count, size = count + len(chosen), BATCH
            squares = {face_id: job.square for face_id, job in chosen.items()}
            yield PrefillBatch(found.predictions, squares, found.failed, left, model.id, note=predictor.note)
    finally:
        _save(cache, model.id, unsaved)


def cached(
    jobs: Worklist[PrefillJob],
    wanted: Callable[[], Sequence[int]],
    model: ModelInfo,
    cache: CacheDoor,
    done: dict[int, PrefillJob],
) -> Generator[PrefillBatch, None, None]:
    """Hand over what an earlier run has written, as far as the boxes are still the same. Needs no torch.

    From two looks, where there is such a prediction, else from one.
    """
    if not cache.path.exists():
        return
    due, _ = jobs.pick((), len(jobs), done)
    with cache.open() as opened:
        twice = opened.predictions(model.id, {face: _look_key(box_key(job), 2) for face, job in due.items()})
        once = {face: box_key(job) for face, job in due.items() if face not in twice and not job.again}
        stored = opened.predictions(model.id, once) if once else {}
    stored |= {face: replace(prediction, looks=2) for face, prediction in twice.items()}
    first = [face for face in wanted() if face in stored]
    order = list(dict.fromkeys([*first, *stored]))
    for start in range(0, len(order), CACHED_BATCH):
        faces = order[start : start + CACHED_BATCH]
        done.update({face: due[face] for face in faces})
        batch = {face: stored[face] for face in faces}
        squares = {face: due[face].square for face in faces}
        yield PrefillBatch(batch, squares, {}, len(due) - start - len(faces), model.id, from_cache=True)


def _save(cache: CacheDoor, model_id: str, unsaved: dict[int, tuple[PrefillJob, Prediction, Any]]) -> None:
    if unsaved:
        save_predictions(
            cache,
            model_id,
            {face: prediction for face, (_, prediction, _) in unsaved.items()},
            {face: vector for face, (_, _, vector) in unsaved.items()},
            {face: box_key(job) for face, (job, _, _) in unsaved.items()},
        )
        unsaved.clear()


def save_predictions(
    cache: CacheDoor,
    model_id: str,
    predictions: Mapping[int, Prediction],
    features: Mapping[int, FloatArray],
    keys: Mapping[int, str],
) -> None:
    """Write predictions and features of one model to the cache.

    :param keys: of :func:`box_key`, by face
    """
    with cache.open() as opened:
        opened.put_predictions(
            model_id, predictions, {face: _look_key(keys[face], one.looks) for face, one in predictions.items()}
        )
        opened.put_features(model_id, features, keys)
