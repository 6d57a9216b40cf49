"""A plan says what an import will do; carrying it out does just that, and one undo takes it back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scaf_gui.core.edits import change_face, flag_landmark
from scaf_gui.core.face import Flag, Prediction, State
from scaf_gui.errors import BrokenLabelsError, LabelFileError, UsageError
from scaf_gui.io.formats import LabelledFace, formats
from scaf_gui.session.exchange import export_labels, import_labels
from scaf_gui.session.importing import Kind, carry_out, image_names, plan_import, read_labels
from scaf_gui.session.steps import result_of


def planned(session, format_id: str, source: Path):
    return plan_import(session, result_of(read_labels(format_id, source, session.scheme, image_names(session))))


def change_coco(path: Path, change) -> None:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def test_a_plan_tells_new_changed_same_and_conflicts_apart(make_session, label, tmp_path):
    session = make_session()
    ids = label(session, 5)
    export_labels(session, "coco", tmp_path / "out")
    unlabelled = session.document.face(ids[4])
    session.edit(change_face("x", unlabelled, replace(unlabelled, label=None, state=State.UNLABELLED)))

    def change(data):
        images = {image["id"]: image["file_name"] for image in data["images"]}
        by_image = {images[a["image_id"]]: a for a in data["annotations"]}
        by_image[session.document.face(ids[0]).image]["keypoints"][0] += 9
        by_image[session.document.face(ids[1]).image]["attributes"]["pose"] = 1
        by_image[session.document.face(ids[2]).image]["keypoints"][2] = 1
        data["images"].append({"id": 99, "file_name": "nowhere.jpg"})
        data["annotations"].append(dict(data["annotations"][0], id=99, image_id=99))

    change_coco(tmp_path / "out" / "labels.json", change)
    before = list(session.document)
    plan = planned(session, "coco", tmp_path / "out")
    kinds = {row.image: row.kind for row in plan.rows}
    wanted = (Kind.CONFLICT, Kind.CHANGED, Kind.CONFLICT, Kind.SAME, Kind.NEW)
    assert [kinds[session.document.face(i).image] for i in ids] == list(wanted)
    assert kinds[""] is Kind.LEFT_OUT
    notes = {row.image: row.note for row in plan.rows}
    assert notes[session.document.face(ids[0]).image] == "1 landmark elsewhere, by up to 9.0 px"
    assert "occluded" in notes[session.document.face(ids[2]).image]
    assert list(session.document) == before, "planning changes nothing"
    summary = carry_out(session, plan, "keep")
    assert (summary.imported, summary.changed, summary.unchanged, summary.replaced) == (2, 1, 1, 0)
    assert session.document.face(ids[0]) == before[ids[0] - 1]
    assert session.document.face(ids[1]).attributes[0]
    assert session.document.face(ids[1]).label == before[ids[1] - 1].label, "who placed the landmarks stays known"
    session.undo()
    assert list(session.document) == before


def test_a_dry_run_changes_nothing(make_session, truth):
    session = make_session()
    before = list(session.document)
    assert import_labels(session, "300w", truth, dry_run=True).imported == 14
    assert list(session.document) == before and session.document.history.to_undo is None
    with pytest.raises(UsageError, match="keep, replace"):
        import_labels(session, "300w", truth, on_conflict="merge")


def test_two_files_that_claim_one_face(make_session, truth, tmp_path):
    session = make_session()
    text = (truth / "face_3.pts").read_text()
    (truth / "more").mkdir()
    (truth / "more" / "face_3.pts").write_text(text)
    plan = planned(session, "300w", truth)
    rows = [row for row in plan.rows if row.kind is Kind.LEFT_OUT]
    assert len(rows) == 1 and "same label stands in" in rows[0].note and len(plan.additions) == 14
    first = text.split("\n")[3]
    (truth / "more" / "face_3.pts").write_text(text.replace(first, "1.5 1.5"))
    plan = planned(session, "300w", truth)
    rows = [row for row in plan.rows if row.kind is Kind.LEFT_OUT]
    assert {row.where for row in rows} == {"face_3.pts", "more/face_3.pts"}
    assert all("claims the same face" in row.note for row in rows) and len(plan.additions) == 13


@pytest.mark.parametrize("format_id", [f for f in formats() if f != "wflw"])
def test_two_images_that_only_share_their_name(make_session, label, tmp_path, format_id):
    """Labels of train/face_3.jpg and test/face_3.jpg, which the project knows as face_3.jpg only: of which of them?"""
    session = make_session()
    label(session, 14)
    of = {face.image: face.label for face in session.document}
    places = {"train/face_3.jpg": 200, "test/face_3.jpg": 0, "train/face_5.jpg": 0}
    made = [
        LabelledFace(
            name, of[name.split("/")[1]].points + np.array([x, 0]), np.zeros(68, np.uint8), image_size=(128, 128)
        )
        for name, x in places.items()
    ]
    formats()[format_id].write(tmp_path / "out", made, session.scheme)
    plan = planned(session, format_id, tmp_path / "out")
    left = [row for row in plan.rows if row.kind is Kind.LEFT_OUT]
    assert {row.image for row in left} == {"face_3.jpg"} and len(left) == 2 and not plan.changes("replace")
    assert all("by its name, other labels of this image are of" in row.note for row in left)
    assert plan.count(Kind.SAME) == 1, "face_5 is of one name only"


@pytest.mark.parametrize("format_id", [f for f in formats() if f != "wflw"])
def test_predictions_never_come_back_as_labels(make_session, label, tmp_path, format_id):
    session = make_session()
    label(session, 2)
    waiting = session.agenda.waiting()
    points = np.full((68, 2), 7.0) + np.arange(68)[:, None]
    session.document.set_predictions({i: Prediction(points, np.ones(68), "m") for i in waiting[:3]})
    summary = export_labels(session, format_id, tmp_path / "out", include="all")
    assert (summary.labelled, summary.predicted) == (2, 3)
    fresh = make_session("fresh")
    done = import_labels(fresh, format_id, tmp_path / "out")
    assert done.imported == 2 and len(done.unmatched) == 3
    assert all("prediction" in reason for _, reason in done.unmatched)
    assert import_labels(session, format_id, tmp_path / "out").unchanged == 2


def test_flags_stay_where_the_file_cannot_speak_of_them(make_session, label, tmp_path):
    session = make_session()
    (face_id,) = label(session, 1)
    session.edit(flag_landmark(session.document.face(face_id), None, 5, Flag.OCCLUDED, "ann"))
    export_labels(session, "300w", tmp_path / "out")
    assert import_labels(session, "300w", tmp_path / "out").unchanged == 1
    path = next((tmp_path / "out").glob("*.pts"))
    lines = path.read_text().split("\n")
    lines[3] = "1.000000 1.000000"
    path.write_text("\n".join(lines))
    assert import_labels(session, "300w", tmp_path / "out", on_conflict="replace").replaced == 1
    label_now = session.document.face(face_id).label
    assert label_now.flags[5] == Flag.OCCLUDED and label_now.points[0].tolist() == [0, 0]


def test_one_broken_line_imports_nothing(make_session, label, tmp_path):
    session = make_session()
    label(session, 4)
    export_labels(session, "csv", tmp_path / "out")
    path = tmp_path / "out" / "labels.csv"
    rows = path.read_text().splitlines()
    rows[-1] = rows[-1].rsplit(",", 3)[0] + ",nan,1,visible"
    path.write_text("\n".join(rows))
    fresh = make_session("fresh")
    with pytest.raises(LabelFileError, match=r"labels\.csv, line 5: 'nan, 1' are no pixel coordinates"):
        import_labels(fresh, "csv", tmp_path / "out")
    assert not fresh.document.with_state(State.LABELLED)
    summary = import_labels(fresh, "csv", tmp_path / "out", skip_broken=True)
    assert (summary.imported, summary.num_broken) == (3, 1)
    assert summary.broken == (("labels.csv, line 5", "'nan, 1' are no pixel coordinates of inner_lip_07"),)
    fresh.undo()
    assert not fresh.document.with_state(State.LABELLED)


def test_all_that_is_broken_is_told_at_once(make_session, truth, tmp_path):
    session = make_session()
    for name in ("face_3", "face_5"):
        (truth / f"{name}.pts").write_text("nothing")
    with pytest.raises(
        BrokenLabelsError, match="2 faces, lines or files cannot be read; nothing was imported"
    ) as caught:
        import_labels(session, "300w", truth)
    assert [where for where, _ in caught.value.listed] == ["face_3.pts, line 1", "face_5.pts, line 1"]
    assert not session.document.with_state(State.LABELLED) and session.document.history.to_undo is None
    for skip in (False, True):  # a file that is nothing else is what it was: one error
        with pytest.raises(LabelFileError, match=r"face_3\.pts, line 1: is not a \.pts file"):
            import_labels(session, "300w", truth / "face_3.pts", skip_broken=skip)


def test_labels_of_other_landmarks_are_one_error(make_session, truth):
    session = make_session("five", scheme_id="five-5")
    count = len(list(truth.glob("*.pts")))
    assert count > 10
    reason = rf"face_1\.pts: holds 68 landmarks, the project's scheme has 5; none of {count} entries can be read"
    with pytest.raises(LabelFileError, match=reason):
        import_labels(session, "300w", truth)


def test_a_broken_label_replaces_no_persons_label(make_session, truth):
    """Left out, it neither conflicts nor overwrites."""
    session = make_session()
    import_labels(session, "300w", truth)
    before = list(session.document)
    (truth / "face_3.pts").write_text("nothing")
    text = (truth / "face_5.pts").read_text().split("\n")
    (truth / "face_5.pts").write_text("\n".join([*text[:3], "1.5 1.5", *text[4:]]))
    summary = import_labels(session, "300w", truth, on_conflict="replace", skip_broken=True)
    assert (summary.replaced, summary.num_broken, summary.unchanged) == (1, 1, 12)
    changed = [face.image for face, old in zip(session.document, before, strict=True) if face != old]
    assert changed == ["face_5.jpg"]
    session.undo()
    assert list(session.document) == before
