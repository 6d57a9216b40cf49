"""What the main thread does with the events of the workers. A person's work is never touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from scaf_gui.core.edits import Change, Edit
from scaf_gui.core.queue import Ranking
from scaf_gui.errors import FolderError
from scaf_gui.session import boxes, models
from scaf_gui.session.events import (
    BoxBatch,
    HashesFound,
    ImagesMoved,
    PoolScored,
    PrefillBatch,
    RefreshResult,
    SimilarFound,
)
from scaf_gui.session.similar import SIMILAR

if TYPE_CHECKING:
    from scaf_gui.session.session import Session

#: new scores are merged into the order when so many have come, and at the end
MERGE_EVERY = 512
#: what is said of a labelled face whose photo is another than it was, until somebody has looked at it
CHANGED = "has changed since it was labelled"


def take(session: Session, event: object, by: object = None) -> str:
    """Take an event in; see ``Session.take``."""
    match event:
        case BoxBatch():
            return _take_boxes(session, event, by)
        case PrefillBatch():
            return _take_predictions(session, event, by)
        case PoolScored():
            return _take_scores(session, event, by)
        case RefreshResult():
            return _take_result(session, event)
        case HashesFound() | ImagesMoved() if event.folder not in (None, session.folder):
            return ""  # the images are elsewhere now: other photos may have these names there
        case HashesFound():
            session.store.set_image_hashes(dict(event.hashes))
            return ""
        case SimilarFound():
            if event.groups is not None:
                session.similar.take(event.groups)
                session.store.set(SIMILAR, {"of": event.of, "groups": event.groups})
            return ""
        case ImagesMoved():
            return take_moved(session, event, by)
    return ""


def _take_boxes(session: Session, batch: BoxBatch, by: object) -> str:
    edit, notes = boxes.place_boxes(session.document, batch)
    if edit is not None:
        session.document.take_in(edit, by)
    # an image that could not be read may be readable next time
    found_in = {found.image: bool(found.boxes or found.problem) for found in batch.found}
    session.work.searched(found_in, [found.face_id for found in batch.found])
    for found in batch.found:
        if found.problem:
            session.problems[found.face_id] = found.problem
        elif not found.boxes:
            session.problems[found.face_id] = "no face found; draw a box around it"
        else:
            session.problems.pop(found.face_id, None)
    return notes[-1] if notes else ""


def _take_predictions(session: Session, batch: PrefillBatch, by: object) -> str:
    """Show predictions of the model in use; late ones of another model are dropped."""
    session.problems.update(batch.failed)
    session.work.to_predict.remove(batch.failed)
    if session.model is None or batch.model_id != session.model.id:
        return ""
    first = session.work.predicted(batch.predictions, batch.squares, by)
    agenda = session.agenda
    if not batch.from_cache:
        agenda.unmerged += first  # a second look has the scores of the first
    ranked = agenda.ranked_by == agenda.acquisition
    if ranked and agenda.unmerged and (batch.remaining == 0 or agenda.unmerged >= MERGE_EVERY):
        agenda.reorder_by_scores(batch.model_id)
    return next(iter(batch.failed.values()), "")


def _take_scores(session: Session, scored: PoolScored, by: object) -> str:
    session.problems.update(scored.failed)
    session.work.to_predict.remove(scored.failed)
    if session.model is None or scored.model_id != session.model.id:
        return ""
    session.work.predicted(scored.predictions, scored.squares, by)
    agenda = session.agenda
    if scored.order is not None:
        waiting = set(agenda.waiting())
        kept, aside = (
            tuple(face for face in faces if face in waiting) for faces in (scored.order.order, scored.order.set_aside)
        )
        agenda.reorder(Ranking(kept, aside), {}, agenda.acquisition)
        count = len(kept) + len(aside)
    else:
        count = agenda.reorder_by_scores(scored.model_id)
    return f"Queue reordered: {count} of {scored.of} faces scored"


def _take_result(session: Session, result: RefreshResult) -> str:
    old = session.model
    if result.kept_new and result.model is not None and (old is None or old.id != result.model.id):
        models.remember(session.store, result.model)
        session.work.use_model(result.model)
        session.instant.learn()
    session.store.set("last_refresh", {**asdict(replace(result, model=None)), "model": _id(result)})
    return result.message


def _id(result: RefreshResult) -> str:
    return result.model.id if result.model is not None else ""


def relocate(session: Session, folder: Path) -> str:
    """Look for the images in another folder; see ``Session.relocate``."""
    from scaf_gui.io.folder import scan_images
    from scaf_gui.io.moved import find_moved

    there = scan_images(folder)
    known = tuple(dict.fromkeys(face.image for face in session.document))
    moved = find_moved(known, session.store.image_stamps(), folder, there)
    lost = tuple(name for name in known if name not in moved and name not in set(there))
    if len(lost) == len(known):
        raise FolderError("holds none of the project's images; choose another folder", folder)
    with session.store.moving_to(folder):
        _follow(session, moved)
    session.folder = session.store.image_folder
    session.problems.clear()
    session.notice = ""
    summary = take_moved(session, ImagesMoved({}, lost, folder=session.folder))
    session.work.refill()
    said = [f"{len(moved)} moved images found again by content"] if moved else []
    return "; ".join([*said, *([summary] if summary else [])]) or f"All {len(known)} images found in {session.folder}"


def take_moved(session: Session, event: ImagesMoved, by: object = None) -> str:
    """Let faces follow their images, and say of which photos the content is not what it was; returns a sentence."""
    others = [f for f in session.document if f.image in event.changed and f.label is not None]  # as they were called
    _follow(session, event.moved, by)
    for face in session.document:
        if face.image in event.lost:
            session.problems[face.id] = f"{face.image} is not in {session.folder} any more"
    if event.changed:
        session.store.set_image_hashes(dict(event.changed))
    for face in others:
        session.problems[face.id] = f"{face.image} {CHANGED}: check the landmarks"
    said = [f"{len(event.moved)} moved images found again by content"] if event.moved else []
    said += [f"{len(event.lost)} images are missing from {session.folder}"] if event.lost else []
    names = list(dict.fromkeys(face.image for face in others))
    if names:
        what = f"{names[0]} has" if len(names) == 1 else f"{len(names)} photos, such as {names[0]}, have"
        said += [f"{what} changed since {'it was' if len(names) == 1 else 'they were'} labelled"]
    return "; ".join(said)


def _follow(session: Session, moved: Mapping[str, str], by: object = None) -> None:
    """Rename the images of faces, all in one edit."""
    faces = [face for face in session.document if face.image in moved]
    if faces:
        changes = tuple(Change(face, replace(face, image=moved[face.image])) for face in faces)
        session.document.take_in(Edit("Find moved images", changes), by)
