from __future__ import annotations

import shutil

import cv2
import numpy as np
import pytest

from scaf_gui import paths
from scaf_gui.core.document import Document
from scaf_gui.core.edits import set_box
from scaf_gui.core.face import Author, Box, BoxSource, Face, Label, State
from scaf_gui.core.scheme import load_scheme
from scaf_gui.errors import FolderError, InputError, LabelFileError, UsageError
from scaf_gui.session.boxes import place_boxes
from scaf_gui.session.events import BoxBatch, BoxesFound
from scaf_gui.session.project import new_project
from scaf_gui.settings import Settings

SCHEME = load_scheme(paths.resource_folder() / "schemes" / "five-5.json")
LEFT, RIGHT = Box(10, 10, 50, 50, BoxSource.DETECTOR), Box(110, 10, 50, 50, BoxSource.DETECTOR)


def batch(*boxes, problem=""):
    return BoxBatch((BoxesFound(1, "a.jpg", boxes, problem),))


def document(*faces):
    return Document(SCHEME, faces)


def test_further_faces_of_a_photo_become_faces_of_their_own():
    there = document(Face(1, "a.jpg"), Face(2, "b.jpg"))
    edit, notes = place_boxes(there, batch(LEFT, RIGHT))
    there.take_in(edit)
    assert [(face.id, face.image, face.box) for face in there] == [
        (1, "a.jpg", LEFT),
        (2, "b.jpg", None),
        (3, "a.jpg", RIGHT),
    ]
    assert notes == ("1 more face in a.jpg",)


def test_a_drawn_box_stays_and_only_other_faces_are_added():
    drawn = Box(12, 8, 48, 55, BoxSource.DRAWN)
    there = document(Face(1, "a.jpg", drawn))
    edit, _ = place_boxes(there, batch(LEFT, RIGHT))
    there.take_in(edit)
    assert [face.box for face in there] == [drawn, RIGHT]


def test_a_face_labelled_meanwhile_is_not_touched():
    label = Label.from_points(np.arange(10.0).reshape(5, 2), Author.now("ann"))
    labelled = Face(1, "a.jpg", None, label, state=State.LABELLED)
    there = document(labelled)
    edit, _ = place_boxes(there, batch(LEFT))
    assert edit is None or there.take_in(edit) is None
    assert there.face(1) == labelled


def test_a_photo_without_a_face_is_told_and_can_be_drawn_on():
    there = document(Face(1, "a.jpg"))
    edit, notes = place_boxes(there, batch())
    assert edit is None and notes == ("No face found in a.jpg: draw a box around it",)


def test_whole_images_and_landmarks_as_boxes(make_session, truth):
    whole = make_session("whole")
    assert all(face.box == Box(0, 0, 128, 128, BoxSource.WHOLE) for face in whole.document)
    (truth / "face_3.pts").unlink()
    (truth / "face_4.pts").write_text("version: 1\nn_points:  68\n{\n1 2\n}")
    session = make_session("landmarks", boxes=f"landmarks:{truth}")
    by_image = {face.image: face for face in session.document}
    assert by_image["face_3.jpg"].box is None and "face_3" in session.problems[by_image["face_3.jpg"].id]
    assert by_image["face_4.jpg"].box is None and "face_4.pts" in session.problems[by_image["face_4.jpg"].id]
    assert sum(face.box is not None for face in session.document) == 12
    assert by_image["face_1.jpg"].box.source is BoxSource.LANDMARKS


def test_the_wanted_face_is_searched_first_and_closing_loses_nothing(make_session, images, tmp_path, take_all):
    session = make_session("p", boxes="whole")
    other = make_session("q", boxes="whole")
    assert len(other.work.to_search) == 0
    from scaf_gui.session.project import new_project

    fresh = new_project(tmp_path / "r.scaf", images, boxes="whole", use_starter=False)
    try:
        work = fresh.find_boxes(lambda: (9,))
        first = next(work)
        assert first.found[0].face_id == 9
        work.close()
        assert len(fresh.work.to_search) == 14  # nothing was taken in
        fresh.take(first)
        assert len(fresh.work.to_search) == 13
        assert take_all(fresh, fresh.find_boxes()) == 13
    finally:
        fresh.close()
    assert all(face.box is not None for face in session.document)


def test_the_detector_finds_faces_and_says_where_it_finds_none(tmp_path, rendered, make_session):
    folder = tmp_path / "photos"
    folder.mkdir()
    face = cv2.imread(str(rendered / "images" / "face_1.jpg"))
    other = cv2.imread(str(rendered / "images" / "face_2.jpg"))
    wide = np.full((300, 600, 3), 128, np.uint8)
    wide[60:248, 40:228] = cv2.resize(face, (188, 188))
    wide[60:248, 360:548] = cv2.resize(other, (188, 188))
    cv2.imwrite(str(folder / "two.png"), wide)
    cv2.imwrite(str(folder / "none.png"), np.full((200, 200, 3), 90, np.uint8))
    (folder / "broken.jpg").write_bytes(b"")
    session = make_session(folder=folder, boxes="detector")
    of = {name: [f for f in session.document if f.image == name] for name in ("two.png", "none.png", "broken.jpg")}
    assert len(of["two.png"]) == 2 and all(f.box.source is BoxSource.DETECTOR for f in of["two.png"])
    assert of["none.png"][0].box is None and "draw" in session.problems[of["none.png"][0].id]
    assert of["broken.jpg"][0].box is None and "broken.jpg" in session.problems[of["broken.jpg"][0].id]
    bare = of["none.png"][0]
    session.edit(set_box(bare, Box(5, 5, 60, 60)))
    assert session.document.face(bare.id).box.source is BoxSource.DRAWN
    # searched once: not again after reopening, but for the unreadable one, which may be mended
    assert len(session.work.to_search) == 0
    path = session.path
    session.close()
    from scaf_gui.session.project import open_project

    again = open_project(path)
    try:
        assert [job.image for job in again.work.to_search.pick((), 9, {})[0].values()] == ["broken.jpg"]
        assert again.work.why_no_box("none.png") == "nothing found" and not again.work.why_no_box("broken.jpg")
        assert again.document.face(bare.id).box == Box(5, 5, 60, 60, BoxSource.DRAWN)
    finally:
        again.close()


def test_a_vanished_folder_is_one_error_not_thousands(make_session, images, tmp_path):
    from scaf_gui.session.project import new_project

    session = new_project(tmp_path / "v.scaf", images, boxes="whole", use_starter=False)
    try:
        shutil.rmtree(images)
        with pytest.raises(FolderError, match="gone"):
            next(session.find_boxes())
        assert len(session.work.to_search) == 14
    finally:
        session.close()


def test_boxes_of_a_file_become_faces_and_what_is_left_out_is_told(make_session, tmp_path):
    table = tmp_path / "boxes.csv"
    rows = [f"face_{number}.jpg,10,20,{60 + number},70" for number in range(1, 13)]
    table.write_text("\n".join([*rows, "face_1.jpg,90,20,30,30", "elsewhere.jpg,1,2,3,4"]))
    session = make_session("table", boxes=f"csv:{table}")
    left_out = "boxes.csv, line 14: elsewhere.jpg: there is no image of that name"
    assert session.notice == f"1 box is left out, such as {left_out}"
    by_image = {}
    for face in session.document:
        by_image.setdefault(face.image, []).append(face.box)
    assert by_image["face_1.jpg"] == [Box(10, 20, 61, 70, BoxSource.FILE), Box(90, 20, 30, 30, BoxSource.FILE)]
    assert by_image["face_13.jpg"] == [None] and len(session.document) == 15
    assert "no box for face_14.jpg; draw its box by hand" in next(
        session.problems[face.id] for face in session.document if face.image == "face_14.jpg"
    )


@pytest.mark.parametrize(
    ("source", "error", "reason"),
    [
        ("csv:boxes.csv", LabelFileError, "boxes.csv, line 2: has 2 columns"),
        ("wflw:none.txt", LabelFileError, "none.txt: is not a file; --boxes wflw:FILE"),
        ("mat:boxes.csv", LabelFileError, "boxes.csv: is no MAT file"),
        ("yunet:boxes.csv", InputError, "boxes.csv: is no YuNet model"),
        ("csv:", UsageError, "is no source of boxes"),
        ("other:boxes.csv", UsageError, "is no source of boxes"),
    ],
)
def test_a_source_that_cannot_be_used_makes_no_project(images, tmp_path, monkeypatch, source, error, reason):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "boxes.csv").write_text("face_1.jpg,1,2,3,4\nface_2.jpg,1\n")
    with pytest.raises(error, match=reason):
        new_project(tmp_path / "p.scaf", images, boxes=source)
    assert not (tmp_path / "p.scaf").exists()


def test_yunet_finds_faces_where_settings_or_the_command_say_so(images, tmp_path, take_all):
    from tests.io.onnx_writer import yunet

    model = tmp_path / "yunet.onnx"
    model.write_bytes(yunet())
    photo = np.zeros((200, 300, 3), np.uint8)
    photo[64:96, 128:160] = 255
    shutil.rmtree(images)
    images.mkdir()
    cv2.imwrite(str(images / "a.png"), photo)
    settings = Settings()
    settings["detector"] = f"yunet:{model}"
    for name, options in (("p", {"settings": settings}), ("q", {"detector": f"yunet:{model}"})):
        session = new_project(tmp_path / f"{name}.scaf", images, **options)
        try:
            assert session.box_source == f"yunet:{model}"
            take_all(session, session.find_boxes())
            (face,) = session.document
            assert face.box is not None and face.box.source is BoxSource.POINTS
        finally:
            session.close()
    with pytest.raises(UsageError, match="'dlib' is no face detector"):
        new_project(tmp_path / "r.scaf", images, detector="dlib")
