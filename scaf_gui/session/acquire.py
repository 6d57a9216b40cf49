"""A new order of the queue by any acquisition function, from what is known of the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaf_gui.errors import UsageError
from scaf_gui.session.prefill import box_key
from scaf_gui.session.workload import prefill_job

if TYPE_CHECKING:
    from scaf_gui.session.session import Session


def reorder(
    session: Session, acquisition: str | None = None, discard: float | None = None, seed: int | None = None
) -> None:
    """Order the waiting faces anew; what is not given stays as it is.

    Faces that the current model has not scored follow those it has, in their old order. K-center and random
    set nothing aside: only where the extremes are outliers does it help.

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
    elif session.model is not None and looks_at_pool(agenda.acquisition):
        _by_features(session, agenda.seed if seed is None else seed)
    elif session.model is None or not agenda.reorder_by_scores(session.model.id, keep=False):
        raise UsageError(f"no waiting face is scored yet by {agenda.acquisition}: train a model, or run predict first")


def looks_at_pool(acquisition: str) -> bool:
    """Whether an acquisition function needs the features of the pool, not only each face's own score."""
    from scaf_gui.learning.acquisition import ACQUISITIONS

    return ACQUISITIONS[acquisition].of_heatmaps is None


def _by_features(session: Session, seed: int) -> None:
    """By the encoder's features in the cache, labelled faces first as centres."""
    from scaf_gui.learning.acquisition import ACQUISITIONS, pool_ranking
    from scaf_gui.session.scoring import labelled_features, scores_of

    model, agenda = session.model, session.agenda
    assert model is not None
    jobs = {face_id: prefill_job(session.document.face(face_id)) for face_id in agenda.waiting()}
    with session.cache.open() as cache:
        features = cache.features(model.id, {face_id: box_key(job) for face_id, job in jobs.items() if job is not None})
    said = {face_id: session.document.prediction(face_id) for face_id in features}
    scores = scores_of(
        {face_id: one for face_id, one in said.items() if one is not None and one.model_id == model.id},
        ACQUISITIONS[agenda.acquisition].score,
    )
    if not features or (ACQUISITIONS[agenda.acquisition].score and not scores):
        raise UsageError(f"no waiting face has features yet for {agenda.acquisition}: run predict first")
    predictor = session.predictors.get(model, "auto", session.scheme)
    width = len(next(iter(features.values())))
    labelled = labelled_features(session.snapshot(), predictor, width)
    ranking = pool_ranking(agenda.acquisition, scores, features, labelled, seed, agenda.discard)
    agenda.reorder(ranking, scores, agenda.acquisition, keep=False)
