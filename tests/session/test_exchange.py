from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scaf_gui.core.edits import Change, Edit, flag_landmark, set_label
from scaf_gui.core.face import Author, Box, BoxSource, Face, Flag, Label, Prediction, State
from scaf_gui.errors import ImageError, LabelFileError, UsageError
from scaf_gui.samples.render import render_face
from scaf_gui.session.exchange import export_labels, import_labels


def points_of(path: Path) -> np.ndarray:
    rows = path.read_text(encoding="ascii").split("{")[1].split("}")[0].split()
    return np.array(rows, float).reshape(-1, 2) - 1


def test_import_is_one_edit_that_can_be_undone(make_session, truth):
    session = make_session()
    before = list(session.document)
    summary = import_labels(session, "300w", truth)
    assert (summary.imported, summary.unchanged, summary.conflicts) == (14, 0, ())
    for face in session.document:
        assert face.state is State.LABELLED and face.label.placed.all()
        expected = points_of(truth / face.image.replace(".jpg", ".pts"))
        np.testing.assert_allclose(face.label.points, expected, atol=1e-6)
    assert import_labels(session, "300w", truth).unchanged == 14
    session.undo()
    assert list(session.document) == before
    assert session.undo() is None


def test_a_persons_label_is_kept_unless_told_otherwise(make_session, truth):
    session = make_session()
    face = session.document.face(1)
    mine = Label.from_points(np.full((68, 2), 9.0), Author.now("ann"))
    session.edit(set_label(face, mine, "Place", "ann"))
    kept = session.document.face(1)
    summary = import_labels(session, "300w", truth)
    assert summary.conflicts == (kept.image,) and (summary.imported, summary.replaced) == (13, 0)
    assert session.document.face(1) == kept
    summary = import_labels(session, "300w", truth, on_conflict="replace")
    assert (summary.imported, summary.replaced, summary.unchanged) == (1, 1, 13)
    assert session.document.face(1).label != kept.label
    session.undo()
    assert session.document.face(1) == kept


def test_labels_of_another_number_of_points_change_nothing(make_session, truth):
    session = make_session()
    five = "version: 1\nn_points:  5\n{\n" + "1 2\n" * 5 + "}"
    (truth / "face_7.pts").write_text(five)
    with pytest.raises(LabelFileError, match=r"face_7\.pts.*5 landmarks.*68"):
        import_labels(session, "300w", truth)
    assert not session.document.with_state(State.LABELLED)


def test_several_faces_of_an_image_are_told_apart_by_where_they_are(make_session, truth, tmp_path):
    session = make_session()
    face = session.document.face(1)
    stem = face.image.removesuffix(".jpg")
    points = points_of(truth / f"{stem}.pts")
    labels = tmp_path / "labels"
    labels.mkdir()
    away = (points + [300, 0] + 1).tolist()
    shutil.copy(truth / f"{stem}.pts", labels / f"{stem}_2.pts")
    text = "version: 1\nn_points:  68\n{\n" + "\n".join(f"{x} {y}" for x, y in away) + "\n}"
    (labels / f"{stem}_1.pts").write_text(text)
    summary = import_labels(session, "300w", labels)
    assert (summary.imported, summary.added_faces) == (2, 1)
    np.testing.assert_allclose(session.document.face(1).label.points, points, atol=1e-6)
    new = session.document.face(15)
    assert new.image == face.image and new.label.points[0, 0] > 200 and new.box is not None
    session.undo()
    assert 15 not in session.document


def test_a_detectors_box_that_misses_the_face_is_replaced_a_drawn_one_is_not(make_session, truth):
    session = make_session()
    far = Box(400, 400, 50, 50, BoxSource.DETECTOR)
    from scaf_gui.core.edits import set_box

    session.edit(set_box(session.document.face(1), far))
    session.edit(set_box(session.document.face(2), replace(far, source=BoxSource.DRAWN)))
    import_labels(session, "300w", truth)
    assert session.document.face(1).box.source is BoxSource.LANDMARKS
    assert session.document.face(2).box == replace(far, source=BoxSource.DRAWN)


def test_export_and_import_are_a_round_trip(make_session, truth, tmp_path):
    session = make_session()
    import_labels(session, "300w", truth)
    summary = export_labels(session, "300w", tmp_path / "out")
    assert (summary.report.written, summary.labelled, summary.predicted) == (14, 14, 0)
    for path in truth.iterdir():
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()


def test_only_finished_labels_are_exported_unless_all_is_asked_for(make_session, label, tmp_path):
    session = make_session()
    done = label(session, 3)
    waiting = session.agenda.waiting()
    points = np.full((68, 2), 7.0)
    session.edit(set_label(session.document.face(waiting[0]), Label.from_points(points, Author.now("a")), "Place", "a"))
    prediction = Prediction(points + 1, np.ones(68), "m", {})
    session.document.set_predictions({waiting[1]: prediction, done[0]: prediction})
    assert export_labels(session, "300w", tmp_path / "labelled").report.written == 3
    summary = export_labels(session, "300w", tmp_path / "all", include="all")
    assert (summary.report.written, summary.labelled, summary.predicted) == (5, 4, 1)
    name = session.document.face(waiting[1]).image.replace(".jpg", ".pts")
    np.testing.assert_allclose(points_of(tmp_path / "all" / name), points + 1)


def test_a_face_with_a_missing_landmark_is_left_out_and_named(make_session, label, tmp_path):
    session = make_session()
    face_id = label(session, 2)[0]
    face = session.document.face(face_id)
    session.edit(flag_landmark(face, None, 3, Flag.MISSING, "ann"))
    report = export_labels(session, "300w", tmp_path / "out").report
    assert report.written == 1 and report.left_out[0][0] == face.image


def test_98_points_export_as_wflw_and_as_the_68_of_300w(make_session, tmp_path):
    session = make_session(scheme_id="wflw-98")
    face = session.document.face(1)
    number = int(face.image.removesuffix(".jpg").split("_")[1])
    rendered = render_face(700 + number, 128)
    label = Label.from_points(rendered.landmarks_98, Author.now("ann"))
    session.edit(set_label(replace(face), label, "Place", "ann"))
    session.edit(replace_state(session.document.face(1)))
    assert export_labels(session, "wflw", tmp_path / "wflw").scheme == "wflw-98"
    fields = next(p for p in (tmp_path / "wflw").rglob("*.txt")).read_text().splitlines()[0].split(" ")
    assert len(fields) == 207
    summary = export_labels(session, "300w", tmp_path / "pts")
    assert summary.scheme == "300w-68"
    np.testing.assert_allclose(points_of(summary.report.files[0]), rendered.landmarks_68, atol=1e-5)
    summary = export_labels(session, "300w", tmp_path / "own", scheme_id="wflw-98")
    assert points_of(summary.report.files[0]).shape == (98, 2)
    again = make_session("again", scheme_id="wflw-98")
    assert import_labels(again, "wflw", tmp_path / "wflw").imported == 1


def replace_state(face):
    from scaf_gui.core.edits import change_face

    return change_face("Accept", face, replace(face, state=State.LABELLED))


def test_what_cannot_be_exported(make_session, label, tmp_path):
    session = make_session()
    label(session, 2)
    with pytest.raises(UsageError, match="wflw-98"):
        export_labels(session, "wflw", tmp_path / "out")
    with pytest.raises(UsageError, match="no label format 'xml'"):
        export_labels(session, "xml", tmp_path / "out")
    with pytest.raises(UsageError, match="no landmark scheme"):
        export_labels(session, "300w", tmp_path / "out", scheme_id="nine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(LabelFileError, match="full"):
        export_labels(session, "300w", tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]
    export_labels(session, "300w", tmp_path / "full", overwrite=True)
    assert (tmp_path / "full" / "mine.txt").read_text() == "mine"


def test_reviewed_labelled_and_all(make_session, label, tmp_path):
    session = make_session()
    label(session, 3)
    started = session.document.face(session.agenda.waiting()[0])
    points = np.full((68, 2), 7.0) + np.arange(68)[:, None]
    session.edit(set_label(started, Label.from_points(points, Author.now("a")), "Place", "a"))
    counts = {
        what: export_labels(session, "csv", tmp_path / what, include=what).report.written
        for what in ("reviewed", "labelled", "all")
    }
    assert counts == {"reviewed": 3, "labelled": 4, "all": 4}
    rows = (tmp_path / "labelled" / "labels.csv").read_text().splitlines()
    assert sum(",started," in row for row in rows) == 1
    note = (tmp_path / "labelled" / "README.md").read_text(encoding="utf-8")
    for told in ("300w-68", "68", "0-based", "SCAF GUI", "4 faces written", "1 started", "3 reviewed"):
        assert told in note


def test_crops_hold_the_very_pixels_and_landmarks_move_with_them(make_session, label, images, tmp_path):
    import csv

    import cv2

    session = make_session()
    label(session, 3)
    summary = export_labels(session, "300w", tmp_path / "out", images="crop")
    assert summary.report.images == 3
    with (tmp_path / "out" / "crops.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3
    for row in rows:
        x, y, side = int(row["x"]), int(row["y"]), int(row["side"])
        crop = cv2.imread(str(tmp_path / "out" / row["crop"]))
        whole = cv2.imread(str(images / row["image"]))
        assert crop.shape == (side, side, 3)
        top, left = max(y, 0), max(x, 0)
        inside = whole[top : y + side, left : x + side]
        there = crop[top - y : top - y + inside.shape[0], left - x : left - x + inside.shape[1]]
        assert np.array_equal(there, inside)
        face = next(face for face in session.document if face.image == row["image"])
        moved = points_of(tmp_path / "out" / row["crop"].replace(".png", ".pts"))
        np.testing.assert_allclose(moved + np.array([x, y]), face.label.points, atol=1e-6)
    assert import_labels(session, "300w", tmp_path / "out").imported == 0, "crops are no images of the project"


def test_images_go_along_copied_or_linked_and_in_sets(make_session, label, images, tmp_path):
    session = make_session()
    label(session, 10)
    summary = export_labels(session, "coco", tmp_path / "copy", images="copy", split="80/20", seed=2)
    assert summary.splits == {"train": 8, "test": 2} and summary.report.images == 10
    for path in (tmp_path / "copy" / "images").iterdir():
        assert path.read_bytes() == (images / path.name).read_bytes() and not path.is_symlink()
    names = [
        {image["file_name"] for image in json.loads((tmp_path / "copy" / f"labels_{split}.json").read_text())["images"]}
        for split in ("train", "test")
    ]
    assert [len(there) for there in names] == [8, 2] and not names[0] & names[1]
    export_labels(session, "hrnet", tmp_path / "link", images="link")
    links = list((tmp_path / "link" / "images").iterdir())
    assert len(links) == 10 and all(link.is_symlink() and link.resolve().parent == images.resolve() for link in links)


def test_an_image_that_is_gone_leaves_no_half_export(make_session, label, images, tmp_path):
    session = make_session()
    ids = label(session, 4)
    (images / session.document.face(ids[2]).image).unlink()
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(ImageError):
        export_labels(session, "300w", tmp_path / "out", images="copy")
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert export_labels(session, "labelme", tmp_path / "out").report.written == 4, "labels go out without their images"


def test_the_folders_of_300w(make_session, label, tmp_path):
    session = make_session()
    label(session, 5)
    export_labels(session, "300w", tmp_path / "out", variant="official", split="60/40", images="copy")
    folders = {path.parent.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.pts")}
    assert folders == {"faces/trainset", "faces/testset"}
    assert all(path.with_suffix(".jpg").is_file() for path in (tmp_path / "out").rglob("*.pts"))
    assert import_labels(session, "300w", tmp_path / "out").unchanged == 5


def test_labelme_keeps_what_others_wrote(make_session, label, tmp_path):
    session = make_session()
    label(session, 1)
    export_labels(session, "labelme", tmp_path / "out")
    (path,) = (tmp_path / "out").glob("*.json")
    content = json.loads(path.read_text())
    content["mine"] = {"a": 1}
    content["shapes"].append({"label": "hat", "points": [[1, 2]], "group_id": None, "shape_type": "point", "flags": {}})
    content["shapes"][1]["description"] = "by hand"
    path.write_text(json.dumps(content))
    export_labels(session, "labelme", tmp_path / "out", overwrite=True)
    again = json.loads(path.read_text())
    assert again["mine"] == {"a": 1} and again["shapes"][-1]["label"] == "hat"
    assert again["shapes"][1]["description"] == "by hand" and len(again["shapes"]) == 70


@pytest.mark.parametrize("how", ["link", "copy", "crop"])
@pytest.mark.parametrize("format_id", ["300w", "labelme", "coco"])
def test_no_export_replaces_a_photo_of_the_project(make_session, label, tmp_path, how, format_id):
    """Into the folder of the photos themselves: a link there would have taken the photo's place."""
    if how == "link" and os.name == "nt":
        pytest.skip("Windows lets only administrators make links")
    session = make_session()
    faces = label(session, 2)
    if how == "crop":  # a photo that has the name of a crop
        image = session.document.face(faces[0]).image.replace(".jpg", "_face1.png")
        shutil.copy(session.folder / session.document.face(faces[1]).image, session.folder / image)
        session.document.take_in(Edit("Add", (Change(None, Face(session.document.next_id(), image)),)))
    before = {path.name: path.read_bytes() for path in session.folder.iterdir()}
    if format_id == "coco":  # its images go into a folder of their own
        export_labels(session, format_id, session.folder, images=how, overwrite=True)
    else:
        with pytest.raises(LabelFileError, match="is a photo of the project; export into another folder"):
            export_labels(session, format_id, session.folder, images=how, overwrite=True)
    after = {path.name: path.read_bytes() for path in session.folder.iterdir() if path.is_file()}
    assert {name: after[name] for name in before} == before
    assert not any(path.is_symlink() for path in session.folder.iterdir())
    again = session.folder / "sub" / "export"
    for _ in range(2):  # an earlier export may be written over, within the folder of the photos too
        export_labels(session, format_id, again, images=how, overwrite=True)
    export_labels(session, "300w", session.folder, overwrite=True)
    assert {name: (session.folder / name).read_bytes() for name in before} == before


def test_label_files_that_an_export_replaces_are_kept_as_they_were_first(make_session, label, truth, tmp_path):
    session = make_session()
    label(session, 3)
    (truth / "README.md").write_text("My own notes\n")
    before = {path.name: path.read_bytes() for path in truth.iterdir()}
    kept = tmp_path / "truth replaced"
    first = export_labels(session, "300w", truth, overwrite=True).report
    changed = {name for name in before if (truth / name).read_bytes() != before[name]}
    assert "README.md" in changed and first.kept == kept
    session.edit(set_label(session.document.face(1), session.document.face(1).label.with_point(0, 1, 2), "Move", "a"))
    label(session, 2)
    for _ in range(2):
        report = export_labels(session, "300w", truth, overwrite=True).report
    assert report.kept is None, "nothing but the README, which is of the export before"
    changed |= {name for name in before if (truth / name).read_bytes() != before[name]}
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == {name: before[name] for name in changed}
    out = tmp_path / "out"
    assert export_labels(session, "300w", out).report.kept is None
    assert export_labels(session, "300w", out, overwrite=True).report.kept is None
