"""Undo in a project that was closed: what hangs on a face follows, and what came in between stays."""

from __future__ import annotations

from dataclasses import replace

from scaf_gui.core.edits import change_face, move_landmark, skip
from scaf_gui.core.face import State
from scaf_gui.session.exchange import import_labels
from scaf_gui.session.project import open_project


def opened(session, **changed):
    """The same project, closed and opened again."""
    session.close()
    return open_project(session.path, **changed)


def test_an_accepted_face_waits_again(make_session, label):
    session = make_session()
    ids = label(session, 2)
    waiting = session.agenda.waiting()
    session.edit(skip(session.document.face(waiting[0])))
    again = opened(session)
    try:
        assert again.undo().title.startswith("Skip") and again.document.face(waiting[0]).state is State.UNLABELLED
        again.undo()
        face = again.document.face(ids[1])
        assert face.state is not State.LABELLED and ids[1] in again.queue.order
        assert again.document.face(ids[0]).state is State.LABELLED
        assert again.redo() is not None and again.document.face(ids[1]).state is State.LABELLED
    finally:
        again.close()


def test_an_import_is_taken_back(make_session, truth):
    session = make_session()
    before = list(session.document)
    import_labels(session, "300w", truth)
    again = opened(session)
    try:
        assert again.document.history.to_undo.title == "Import 14 labels"
        again.undo()
        assert list(again.document) == before
    finally:
        again.close()


def test_what_a_machine_found_meanwhile_stays(make_session, label, images):
    """An image was renamed after the drag, and found again in the next session: undo leaves its new name."""
    session = make_session()
    (face_id,) = label(session, 1)
    for _ in session.hash_images():
        session.take(_)
    face = session.document.face(face_id)
    session.edit(move_landmark(face, None, 3, 20.0, 30.0, session.user))
    session.close()
    (images / face.image).rename(images / "other name.jpg")
    again = open_project(session.path)
    for event in again.hash_images():
        again.take(event)
    assert again.document.face(face_id).image == "other name.jpg"
    again = opened(again)
    try:
        again.undo()
        now = again.document.face(face_id)
        assert now.image == "other name.jpg" and now == replace(face, image="other name.jpg")
    finally:
        again.close()


def test_another_user_cannot_undo_it(make_session, label):
    session = make_session()
    (face_id,) = label(session, 1)
    again = opened(session)
    again.user = "ben"
    face = again.document.face(face_id)
    again.edit(change_face("Look", face, replace(face, attributes=(True,) * 6)))
    again = opened(again)
    try:
        assert again.document.history.to_undo is None, "the last edit is Ben's"
    finally:
        again.close()
