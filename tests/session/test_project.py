from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from scaf_gui.core.edits import accept, set_label
from scaf_gui.core.face import Author, Label, State
from scaf_gui.errors import (
    EditError,
    FolderError,
    NewerProjectError,
    NotAProjectError,
    ProjectError,
    ProjectLockedError,
    SchemeError,
    UsageError,
)
from scaf_gui.session.events import ImagesMoved
from scaf_gui.session.project import default_project_path, new_project, open_project
from scaf_gui.settings import Settings


def some_label(session, face_id):
    points = session.document.face(face_id).box
    return Label.from_points([[points.x + i, points.y + 2 * i] for i in range(68)], Author.now("ann"))


def listing(folder: Path) -> set[tuple[str, int]]:
    return {(path.name, path.stat().st_mtime_ns) for path in folder.rglob("*")}


def test_default_path_is_in_the_documents_folder_or_where_the_setting_says(scaf_home, tmp_path):
    settings = Settings()
    assert default_project_path(tmp_path / "my faces", settings) == scaf_home / "documents" / "my faces.scaf"
    settings["project_folder"] = str(tmp_path / "here")
    assert default_project_path(tmp_path / "my faces", settings) == tmp_path / "here" / "my faces.scaf"


def test_the_image_folder_is_never_written_to(make_session, images, take_all):
    before = listing(images)
    for path in images.iterdir():
        path.chmod(0o444)
    images.chmod(0o555)
    try:
        session = make_session()
        take_all(session, session.hash_images())
        session.close()
    finally:
        images.chmod(0o755)
    assert listing(images) == before


def test_the_first_queue_is_seeded_random(make_session):
    first, again, other = make_session("a"), make_session("b"), make_session("c", seed=1)
    assert sorted(first.queue.order) == list(range(1, 15)) != list(first.queue.order)
    assert first.queue.order == again.queue.order != other.queue.order
    assert first.current == first.queue.order[0]


def test_opening_needs_no_torch_and_no_qt(images, tmp_path):
    code = (
        "import sys; from pathlib import Path; from scaf_gui.session.project import new_project, open_project\n"
        "s = new_project(Path(sys.argv[1]), Path(sys.argv[2])); s.read(s.document.face(s.current).image); s.close()\n"
        "open_project(Path(sys.argv[1])).close()\n"
        "sys.exit(','.join(m for m in ('torch', 'PySide6', 'h5py') if m in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "p.scaf"), str(images)], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_labels_queue_and_current_face_come_back(make_session, tmp_path):
    session = make_session()
    face_id = session.queue.order[4]
    session.edit(set_label(session.document.face(face_id), some_label(session, face_id), "Place", "ann"))
    session.current = face_id
    order, face = session.queue.order, session.document.face(face_id)
    session.close()
    assert not list(tmp_path.glob("p.scaf-wal"))
    again = open_project(tmp_path / "p.scaf")
    try:
        assert (again.queue.order, again.current, again.document.face(face_id)) == (order, face_id, face)
        assert again.document.face(face_id).state is State.STARTED
    finally:
        again.close()


def test_an_existing_file_is_not_overwritten(images, tmp_path):
    (tmp_path / "p.scaf").write_bytes(b"mine")
    with pytest.raises(ProjectError, match="exists already"):
        new_project(tmp_path / "p.scaf", images)
    assert (tmp_path / "p.scaf").read_bytes() == b"mine"


@pytest.mark.parametrize(
    "options, error",
    [
        ({"scheme_id": "no-such"}, SchemeError),
        ({"boxes": "magic"}, UsageError),
        ({"boxes": "landmarks:/no/such/folder"}, FolderError),
    ],
)
def test_what_cannot_be_made_leaves_no_file(images, tmp_path, options, error):
    with pytest.raises(error):
        new_project(tmp_path / "p.scaf", images, **options)
    assert not (tmp_path / "p.scaf").exists()


def test_folders_without_images_and_missing_ones_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("empty", "missing"):
        with pytest.raises(FolderError, match=name):
            new_project(tmp_path / "p.scaf", tmp_path / name)
    assert not (tmp_path / "p.scaf").exists()


def test_files_that_are_no_project(tmp_path):
    (tmp_path / "text.scaf").write_text("hello, this is no database at all, only text")
    with pytest.raises(NotAProjectError, match=r"text\.scaf"):
        open_project(tmp_path / "text.scaf")
    other = sqlite3.connect(tmp_path / "other.scaf")
    other.execute("CREATE TABLE t (x)")
    other.close()
    with pytest.raises(NotAProjectError):
        open_project(tmp_path / "other.scaf")


def test_a_project_of_a_newer_version_is_left_alone(make_session, tmp_path):
    make_session().close()
    connection = sqlite3.connect(tmp_path / "p.scaf")
    connection.execute("PRAGMA user_version = 999")
    connection.commit()
    connection.close()
    before = (tmp_path / "p.scaf").read_bytes()
    with pytest.raises(NewerProjectError):
        open_project(tmp_path / "p.scaf")
    assert (tmp_path / "p.scaf").read_bytes() == before


def test_a_project_that_is_open_elsewhere_is_refused(make_session, tmp_path):
    make_session()
    with pytest.raises(ProjectLockedError, match=r"p\.scaf"):
        open_project(tmp_path / "p.scaf")


def test_a_vanished_folder_leaves_the_labels_and_is_named(make_session, images, tmp_path, take_all):
    session = make_session()
    face = session.document.face(1)
    session.edit(set_label(face, some_label(session, 1), "Place", "ann"))
    session.close()
    shutil.rmtree(images)
    again = open_project(tmp_path / "p.scaf")
    try:
        assert str(images) in again.notice
        assert again.document.face(1).label is not None
        with pytest.raises(FolderError, match="gone"):
            again.read("face_1.jpg")
        assert take_all(again, again.hash_images()) == 0
    finally:
        again.close()


def test_a_moved_folder_is_found_by_path_then_by_content(make_session, images, tmp_path, take_all):
    session = make_session()
    take_all(session, session.hash_images())
    session.edit(set_label(session.document.face(2), some_label(session, 2), "Place", "ann"))
    label, image = session.document.face(2).label, session.document.face(2).image
    new = tmp_path / "elsewhere"
    shutil.move(images, new)
    (new / "sorted").mkdir()
    (new / image).rename(new / "sorted" / "renamed.jpg")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FolderError):
        session.relocate(tmp_path / "empty")
    assert session.folder == images
    assert "1 moved" in session.relocate(new)
    assert session.document.face(2).image == "sorted/renamed.jpg" and session.document.face(2).label == label
    assert session.read("sorted/renamed.jpg").shape == (128, 128, 3)
    session.undo()
    assert session.document.face(2).image == "sorted/renamed.jpg" and session.document.face(2).label is None
    session.close()
    again = open_project(tmp_path / "p.scaf")
    try:
        assert again.folder == new and again.document.face(2).image == "sorted/renamed.jpg"
    finally:
        again.close()


def test_labels_follow_photos_that_were_renumbered(make_session, images, tmp_path, take_all):
    """Each photo has the name of the one before it, as when one is put in front of a series."""
    session = make_session()
    take_all(session, session.hash_images())
    content = {face.id: (images / face.image).read_bytes() for face in session.document}
    new = tmp_path / "renumbered"
    new.mkdir()
    for image in images.iterdir():
        (new / f"face_{int(image.stem.removeprefix('face_')) + 1}.jpg").write_bytes(image.read_bytes())
    assert "14 moved" in session.relocate(new)
    for _ in range(2):
        assert {face.id: (new / face.image).read_bytes() for face in session.document} == content
        session.close()
        session = open_project(tmp_path / "p.scaf")
    assert set(session.store.image_stamps()) == {face.image for face in session.document}
    session.close()


def test_an_image_renamed_in_its_folder_is_found_in_the_background(make_session, images, take_all):
    session = make_session()
    take_all(session, session.hash_images())
    image = session.document.face(3).image
    (images / image).rename(images / "other name.jpg")
    (images / session.document.face(4).image).unlink()
    take_all(session, session.hash_images())
    assert session.document.face(3).image == "other name.jpg"
    assert session.document.face(4).image in session.problems[4]


def test_photos_that_took_each_others_names_while_closed_are_noticed(make_session, images, tmp_path, take_all):
    """Renumbered in their own folder: every name is still there, and every photo is another."""
    session = make_session()
    take_all(session, session.hash_images())
    content = {face.id: (images / face.image).read_bytes() for face in session.document}
    numbers = {path: int(path.stem.removeprefix("face_")) for path in images.iterdir()}
    session.close()
    for path in sorted(numbers, key=numbers.__getitem__, reverse=True):
        path.rename(images / f"face_{numbers[path] + 1}.jpg")
    shutil.copy(images / "face_9.jpg", images / "face_1.jpg")
    session = open_project(tmp_path / "p.scaf")
    take_all(session, session.hash_images())
    assert {face.id: (images / face.image).read_bytes() for face in session.document} == content
    assert not session.problems
    session.close()


def test_a_photo_that_changed_in_its_place_is_told_of_once(make_session, images, tmp_path, take_all):
    session = make_session()
    take_all(session, session.hash_images())
    session.edit(set_label(session.document.face(2), some_label(session, 2), "Place", "ann"))
    before, label = session.document.face(2), session.document.face(2).label
    for face_id in (2, 3):  # the third has no label that could be wrong
        path = images / session.document.face(face_id).image
        path.write_bytes(path.read_bytes()[:-2] + b"xy")  # of the same size
        os.utime(path, (1e9, 1e9))
    touched = images / session.document.face(4).image
    os.utime(touched, (1e9, 1e9))
    lines = [session.take(event) for event in session.hash_images()]
    assert [line for line in lines if line] == [f"{before.image} has changed since it was labelled"]
    assert list(session.problems) == [2] and "check the landmarks" in session.problems[2]
    assert session.document.face(2) == before and before.label == label
    assert session.store.image_stamps()[touched.name][2] == 1e9
    session.edit(accept(before, None, "ann"))
    assert not session.problems, "somebody has looked at it"
    assert take_all(session, session.hash_images()) == 0 and not session.problems
    session.close()


def test_a_photo_that_was_replaced_by_another_of_the_project_is_told_of(make_session, images, take_all):
    session = make_session()
    take_all(session, session.hash_images())
    faces = [session.document.face(i) for i in (2, 3)]
    for face in faces:
        session.edit(set_label(face, some_label(session, face.id), "Place", "ann"))
    (images / faces[0].image).replace(images / faces[1].image)
    take_all(session, session.hash_images())
    assert session.document.face(2).image == faces[1].image, "its photo, under its new name"
    assert session.document.face(3).image == faces[1].image and list(session.problems) == [3]


def test_what_is_found_in_a_folder_that_was_left_meanwhile_is_dropped(make_session, images, tmp_path, take_all):
    session = make_session()
    events = list(session.hash_images())
    new = Path(shutil.copytree(images, tmp_path / "new"))
    session.relocate(new)
    for event in events:
        session.take(event)
    session.take(ImagesMoved({"face_1.jpg": "other.jpg"}, folder=images))
    assert session.store.image_stamps() == {} and session.document.face(1).image == "face_1.jpg"


def test_a_new_folder_and_the_names_in_it_are_written_as_one(make_session, images, tmp_path, take_all, monkeypatch):
    """A program that is killed between the two would have left each label at another photo."""
    session = make_session()
    take_all(session, session.hash_images())
    before = list(session.document)
    new = tmp_path / "new"
    new.mkdir()
    for image in images.iterdir():
        (new / f"{image.stem}x.jpg").write_bytes(image.read_bytes())
    connection = session.store._open_connection
    connection.execute(
        "CREATE TEMP TRIGGER full BEFORE INSERT ON edit_log BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
    )
    with pytest.raises((ProjectError, EditError, sqlite3.Error)):
        session.relocate(new)
    assert session.folder == images == session.store.image_folder and list(session.document) == before
    connection.execute("DROP TRIGGER full")
    session.relocate(new)
    after = list(session.document)
    session.close()
    again = open_project(tmp_path / "p.scaf")
    assert again.folder == new and list(again.document) == after != before
    again.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows lets nobody delete an open file")
def test_a_project_whose_file_is_deleted_is_written_anew_when_it_is_closed(make_session, tmp_path):
    session = make_session()
    session.edit(set_label(session.document.face(2), some_label(session, 2), "Place", "ann"))
    faces = list(session.document)
    (tmp_path / "p.scaf").unlink()
    with pytest.raises(ProjectError, match="all labels up to now were written anew"):
        session.close()
    again = open_project(tmp_path / "p.scaf")
    assert list(again.document) == faces and again.notice == ""
    again.close()


def test_a_session_with_edits_leaves_a_copy(make_session, tmp_path):
    session = make_session()
    session.edit(set_label(session.document.face(2), some_label(session, 2), "Place", "ann"))
    faces = list(session.document)
    session.close()
    (copy,) = (tmp_path / "p.scaf-data" / "copies").iterdir()
    open_project(tmp_path / "p.scaf").close()
    assert list(copy.parent.iterdir()) == [copy], "nothing was edited"
    (tmp_path / "p.scaf").write_bytes(b"overwritten by mistake")
    copy.replace(tmp_path / "p.scaf")
    again = open_project(tmp_path / "p.scaf")
    assert list(again.document) == faces
    again.close()
