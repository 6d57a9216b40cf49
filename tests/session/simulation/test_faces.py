import json

import cv2
import numpy as np
import pytest

from scaf_gui.core.geometry import crop_square, landmark_box
from scaf_gui.errors import FolderError, LabelFileError, UsageError
from scaf_gui.io.formats.pts import read_pts
from scaf_gui.samples.render import render_face
from scaf_gui.session.simulation.faces import check_apart, hold_out, named_folder, read_faces
from scaf_gui.session.steps import result_of


@pytest.fixture
def pool(labelled, scheme, tmp_path):
    return result_of(read_faces("pool", labelled[0], scheme, "true", tmp_path / "work"))


def test_faces_of_pts_files_with_their_true_boxes(pool, labelled, scheme):
    assert [face.image.name for face in pool.faces] == [f"face_{n}.jpg" for n in range(1, 12)]
    points = read_pts(labelled[0] / "face_1.pts")
    np.testing.assert_array_equal(pool.faces[0].points, points)
    assert pool.faces[0].square == crop_square(landmark_box(points, scheme.face_box))
    assert pool.found == 1.0 and pool.faces[0].known.all()


def test_a_face_is_the_same_in_another_folder_but_not_with_another_label(pool, labelled, scheme, tmp_path):
    moved = labelled[0].rename(tmp_path / "moved")
    again = result_of(read_faces("x", moved, scheme, "true", tmp_path))
    assert [face.id for face in again.faces] == [face.id for face in pool.faces]
    path = moved / "face_1.pts"
    path.write_text(path.read_text().replace("version: 1", "version: 1", 1).replace("{\n", "{\n9 9\n", 1))
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:4], *lines[5:]]))
    changed = result_of(read_faces("x", moved, scheme, "true", tmp_path))
    assert changed.faces[0].id != again.faces[0].id and changed.faces[1].id == again.faces[1].id


def test_a_table_of_numbered_landmarks(labelled, scheme, tmp_path, pool):
    folder, _ = labelled
    rows = ["image," + ",".join(f"x{n},y{n}" for n in range(68))]
    for face in pool.faces[:2]:
        rows.append(",".join([face.image.name, *(f"{v:.6f}" for v in face.points.ravel())]))
    for path in folder.glob("*.pts"):
        path.unlink()
    table = folder / "landmarks.csv"
    table.write_text("\n".join(rows))
    found = result_of(read_faces("pool", folder, scheme, "true", tmp_path))
    assert [face.image.name for face in found.faces] == ["face_1.jpg", "face_2.jpg"]
    np.testing.assert_allclose(found.faces[1].points, pool.faces[1].points, atol=1e-6)
    table.write_text("\n".join([*rows[:2], rows[2].rpartition(",")[0]]))
    with pytest.raises(LabelFileError, match=r"landmarks.csv, line 3: .*136 coordinates"):
        result_of(read_faces("pool", folder, scheme, "true", tmp_path))


def test_detected_boxes_are_kept_and_give_the_same_crops_again(scheme, tmp_path):
    folder = tmp_path / "one"
    folder.mkdir()
    face = render_face(1003, 256)
    cv2.imwrite(str(folder / "a.png"), cv2.cvtColor(face.image, cv2.COLOR_RGB2BGR))
    rows = [f"{x + 1:.6f} {y + 1:.6f}" for x, y in face.landmarks_68]
    (folder / "a.pts").write_text("\n".join(["version: 1", "n_points: 68", "{", *rows, "}"]))
    first = result_of(read_faces("one", folder, scheme, "detector", tmp_path / "work"))
    (kept,) = (tmp_path / "work" / "boxes").glob("*.json")
    assert json.loads(kept.read_text())[0]["source"] == "detector"
    again = result_of(read_faces("one", folder, scheme, "detector", tmp_path / "work"))
    assert again.faces[0].square == first.faces[0].square
    true = crop_square(landmark_box(face.landmarks_68, scheme.face_box))
    assert first.faces[0].square != true and abs(first.faces[0].square.cx - true.cx) < 0.2 * true.side
    kept.write_text("[]")
    with pytest.raises(FolderError, match="no labelled face that has a box"):
        result_of(read_faces("one", folder, scheme, "detector", tmp_path / "work"))


def test_faces_are_held_out_evenly(pool):
    rest, held = hold_out(pool, 3)
    assert [face.image.name for face in held.faces] == ["face_2.jpg", "face_6.jpg", "face_10.jpg"]
    assert len(rest.faces) == 8 and not {f.id for f in rest.faces} & {f.id for f in held.faces}
    for count in (0, 11):
        with pytest.raises(UsageError, match="held out"):
            hold_out(pool, count)


def test_test_faces_in_the_pool_are_refused(pool):
    rest, held = hold_out(pool, 3)
    check_apart(rest, [held])
    with pytest.raises(UsageError, match=r"face_2\.jpg of 'held-out' is in the pool"):
        check_apart(pool, [held])
    with pytest.raises(UsageError, match="called 'held-out'"):
        check_apart(rest, [held, held])


def test_folders_are_named(tmp_path):
    assert named_folder(f"HELEN={tmp_path}") == ("HELEN", tmp_path)
    assert named_folder(str(tmp_path)) == (tmp_path.name, tmp_path)


def test_folders_without_labels_are_refused(tmp_path, labelled, scheme):
    for path in labelled[1].glob("*.pts"):
        path.unlink()
    with pytest.raises((FolderError, LabelFileError), match="test"):
        result_of(read_faces("test", labelled[1], scheme, "true", tmp_path))
