"""Score a seeded sample of the pool as soon as a model is chosen: reordering never waits for all of it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import Prediction
from scaf_gui.core.queue import Ranking
from scaf_gui.errors import InputError
from scaf_gui.session import crossfit
from scaf_gui.session.events import ModelInfo, PoolScored, PrefillBatch, PrefillJob, TrainingSnapshot
from scaf_gui.session.prefill import CacheDoor, PredictorDoor, box_key, predict_jobs, save_predictions

if TYPE_CHECKING:
    from scaf_gui.learning.predictor import Predictor
    from scaf_gui.session.refresh import Plan

BATCH = 16


def score_sample(
    snapshot: TrainingSnapshot,
    model: ModelInfo | None,
    plan: Plan,
    wanted: Callable[[], Sequence[int]],
    cache: CacheDoor,
    predictors: PredictorDoor,
) -> Generator[PrefillBatch | PoolScored, None, None]:
    """Predict the wanted faces at once, then a seeded random sample for ``plan.score_seconds``.

    Yields a :class:`PrefillBatch` of the wanted faces, and one :class:`PoolScored` at the end. All of it goes
    into the cache, so that pre-fill goes on with the rest.
    """
    from scaf_gui.io.images import read_image

    if model is None or not snapshot.pool:
        return
    predictor = predictors.get(model, plan.device, snapshot.scheme)
    jobs = {job.face_id: job for job in snapshot.pool}
    first = [jobs[face] for face in wanted() if face in jobs]
    nearest = {job.face_id for job in first}
    shuffled = np.random.default_rng(plan.seed).permutation(len(snapshot.pool))
    sample = [snapshot.pool[place] for place in shuffled if snapshot.pool[place].face_id not in nearest]
    if snapshot.look_twice:
        first = [replace(job, looks=2) for job in first]

    predictions: dict[int, Prediction] = {}
    features: dict[int, FloatArray] = {}
    failed: dict[int, str] = {}

    def do(chosen: Sequence[PrefillJob]) -> PrefillBatch:
        found = predict_jobs(predictor, model.id, chosen, lambda image: read_image(snapshot.folder / image))
        predictions.update(found.predictions)
        features.update(found.features)
        failed.update(found.failed)
        squares = {job.face_id: job.square for job in chosen}
        return PrefillBatch(found.predictions, squares, found.failed, len(jobs) - len(predictions), model.id)

    ends = monotonic() + plan.score_seconds
    try:
        if first:
            yield do(first)
        for start in range(0, len(sample), BATCH):
            if monotonic() > ends:
                break
            do(sample[start : start + BATCH])
        order = pool_order(snapshot, plan, predictor, features, predictions)
    finally:
        keys = {face: box_key(jobs[face]) for face in predictions}
        if predictions:
            save_predictions(cache, model.id, predictions, features, keys)
    squares = {face: jobs[face].square for face in predictions}
    yield PoolScored(predictions, squares, model.id, len(jobs), failed, order)


def say_labelled(
    snapshot: TrainingSnapshot, model: ModelInfo | None, plan: Plan, cache: CacheDoor, predictors: PredictorDoor
) -> Generator[PrefillBatch, None, None]:
    """Let a model that has just taken over predict the labelled faces that its correction is learnt from.

    Before all others, those labelled last first, for ``plan.score_seconds``: what it was judged with is what is to be
    shown of the next face. The rest comes with pre-fill.
    """
    from scaf_gui.io.images import read_image

    old = snapshot.model
    if model is None or not snapshot.instant or (old is not None and old.id == model.id):
        return
    predictor = predictors.get(model, plan.device, snapshot.scheme)
    by_face = {job.face_id: job for job in snapshot.labelled}
    last = [face.face_id for face in reversed(crossfit.teachers(snapshot.faces))]
    jobs = [by_face[face_id] for face_id in last if face_id in by_face]
    ends = monotonic() + plan.score_seconds
    for start in range(0, len(jobs), BATCH):
        if start and monotonic() > ends:
            return
        part = {job.face_id: job for job in jobs[start : start + BATCH]}
        found = predict_jobs(
            predictor, model.id, list(part.values()), lambda image: read_image(snapshot.folder / image)
        )
        keys = {face: box_key(part[face]) for face in found.predictions}
        if keys:
            save_predictions(cache, model.id, found.predictions, found.features, keys)
        squares = {face: job.square for face, job in part.items()}
        left = len(snapshot.pool) + len(jobs) - start - len(part)
        yield PrefillBatch(found.predictions, squares, found.failed, left, model.id)


def pool_order(
    snapshot: TrainingSnapshot,
    plan: Plan,
    predictor: Predictor,
    features: Mapping[int, FloatArray],
    predictions: Mapping[int, Prediction],
) -> Ranking | None:
    """The ranking by an acquisition function that looks at the pool as a whole; ``None`` for the others."""
    from scaf_gui.learning.acquisition import ACQUISITIONS, pool_ranking

    row = ACQUISITIONS[snapshot.acquisition]
    if row.of_heatmaps is not None or not features:
        return None
    labelled = labelled_features(snapshot, predictor, len(next(iter(features.values()))))
    scores = scores_of(predictions, row.score)
    return pool_ranking(row.id, scores, features, labelled, plan.seed, snapshot.discard)


def scores_of(predictions: Mapping[int, Prediction], name: str) -> dict[int, float]:
    """One acquisition function's scores by face, of the predictions that have them."""
    return {face: one.scores[name] for face, one in predictions.items() if name in one.scores}


def labelled_features(snapshot: TrainingSnapshot, predictor: Predictor, width: int) -> FloatArray:
    """(number of readable labelled faces, width) float64: the centres that K-center starts from."""
    from scaf_gui.io.images import read_image

    rows = []
    for face in snapshot.faces:
        try:
            image = read_image(snapshot.folder / face.image)
        except InputError:
            continue
        rows.append(predictor.predict_faces([(image, face.square)])[0].features)
    return np.stack(rows).astype(np.float64) if rows else np.zeros((0, width))
