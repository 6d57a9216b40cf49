"""A new order of the queue by any acquisition function, from what is known of the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scaf_gui.core.queue import Ranking, rank
from scaf_gui.errors import UsageError
from scaf_gui.session.prefill import box_key
from scaf_gui.session.workload import prefill_job

if TYPE_CHECKING:
    from scaf_gui.session.session import Session


def reorder(
    session: Session, acquisition: str | None = None, discard: float | None = None, seed: int | None = None
) -> None:
    """Order the waiting faces anew; what is not given stays as it is.

    Faces that the current model has not scored follow those it has, in their old order. Functions of the
    whole pool (K-center, random) set nothing aside: only where the extremes are outliers does it help.

    :raises UsageError: the function needs a model's predictions and there are none
    """
    agenda = session.agenda
    agenda.discard = agenda.discard if discard is None else discard
    if acquisition is None and agenda.ranked_by in ("", "random"):
        if seed is not None:
            agenda.shuffle(seed, keep=False)
        return
    agenda.acquisition = acquisition or agenda.ranked_by
    if agenda.acquisition == "random":
        agenda.shuffle(seed, keep=False)
    elif session.model is not None and _of_pool(agenda.acquisition):
        _by_features(session, agenda.seed if seed is None else seed)
    elif session.model is None or not agenda.reorder_by_scores(session.model.id, keep=False):
        raise UsageError(f"no waiting face is scored yet by {agenda.acquisition}: train a model, or run predict first")


def _of_pool(acquisition: str) -> bool:
    from scaf_gui.learning.acquisition import ACQUISITIONS

    return ACQUISITIONS[acquisition].of_pool is not None


def _by_features(session: Session, seed: int) -> None:
    """By the encoder's features in the cache, labelled faces first as centres."""
    from scaf_gui.learning.acquisition import ACQUISITIONS
    from scaf_gui.session.scoring import labelled_features

    model, agenda = session.model, session.agenda
    assert model is not None
    of_pool = ACQUISITIONS[agenda.acquisition].of_pool
    assert of_pool is not None
    jobs = {face_id: prefill_job(session.document.face(face_id)) for face_id in agenda.waiting()}
    with session.cache.open() as cache:
        features = cache.features(model.id, {face_id: box_key(job) for face_id, job in jobs.items() if job is not None})
    if not features:
        raise UsageError(f"no waiting face has features yet for {agenda.acquisition}: run predict first")
    faces = sorted(features)
    pool = np.stack([features[face_id] for face_id in faces]).astype(np.float64)
    predictor = session.predictors.get(model, "auto", session.scheme)
    scores = of_pool(pool, labelled_features(session.snapshot(), predictor, pool.shape[1]), seed)
    by_face = dict(zip(faces, scores.tolist(), strict=True))
    agenda.reorder(Ranking(rank(by_face, 0.0).order), by_face, agenda.acquisition, keep=False)
