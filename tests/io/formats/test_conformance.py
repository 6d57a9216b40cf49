"""Our exports in the hands of others: their own readers where they are installed, else what those do, restated."""

from __future__ import annotations

import csv
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from scaf_gui.core.face import Box, BoxSource, Flag
from scaf_gui.core.scheme import Scheme
from scaf_gui.io.formats import LabelledFace, formats
from scaf_gui.io.formats.folder import ExportFolder


def some_faces(scheme: Scheme, count: int = 6, flagged: bool = False) -> list[LabelledFace]:
    rng = np.random.default_rng(4)
    faces = []
    for k in range(count):
        points = rng.uniform(10, 110, (scheme.num_landmarks, 2))
        flags = np.zeros(scheme.num_landmarks, np.uint8)
        if flagged:
            flags[5], flags[7] = Flag.OCCLUDED, Flag.MISSING
            points[7] = np.nan
        box = Box(8.0, 9.0, 104.0, 103.0, BoxSource.FILE)
        attributes = (k % 2 == 0, False, False, True, False, False)
        image = f"set/face_{k // 2}.png"
        faces.append(LabelledFace(image, points, flags, box, attributes, k % 2 + 1, image_size=(128, 120)))
    return faces


def export(out: Path, format_id: str, faces: list[LabelledFace], scheme: Scheme, variant: str = "") -> Path:
    """With images, as a person would hand them on."""

    def place(image: str, path: Path) -> None:
        cv2.imwrite(str(path), np.full((120, 128, 3), 90, np.uint8))

    with ExportFolder(out, place=place) as folder:
        for _ in formats()[format_id].save(folder, faces, scheme, "", variant):
            pass
    return out


def test_pycocotools(tmp_path: Path, scheme_68: Scheme) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    faces = some_faces(scheme_68, flagged=True)
    out = export(tmp_path / "out", "coco", faces, scheme_68)
    data = coco.COCO(str(out / "labels.json"))
    (category,) = data.loadCats(data.getCatIds())
    assert category["keypoints"] == list(scheme_68.names)
    annotations = data.loadAnns(data.getAnnIds())
    assert len(annotations) == len(faces) and len(data.getImgIds()) == 3
    for annotation, face in zip(annotations, faces, strict=True):
        (image,) = data.loadImgs(annotation["image_id"])
        assert (image["file_name"], image["width"], image["height"]) == (face.image, 128, 120)
        assert (out / "images" / image["file_name"]).is_file()
        keypoints = np.array(annotation["keypoints"]).reshape(-1, 3)
        assert keypoints[7].tolist() == [0, 0, 0] and keypoints[5, 2] == 1 and keypoints[4, 2] == 2
        np.testing.assert_allclose(np.delete(keypoints[:, :2], 7, 0), np.delete(face.points, 7, 0), atol=1e-6)
        assert annotation["num_keypoints"] == 67 and annotation["area"] == pytest.approx(104 * 103)


def test_mmpose_face_data_sets(tmp_path: Path, scheme_68: Scheme) -> None:
    """What its 300-W data set does with an annotation: boxes come from centre and scale."""
    face = some_faces(scheme_68, 1)[0]
    out = export(tmp_path / "out", "coco", [face], scheme_68)
    annotation = json.loads((out / "labels.json").read_text())["annotations"][0]
    centre = np.array([annotation["center"]], np.float32)
    scale = np.array([[annotation["scale"], annotation["scale"]]], np.float32) * 200.0
    box = np.hstack([centre - scale * 0.5, centre + scale * 0.5])
    np.testing.assert_allclose(box, [[8, 8.5, 112, 112.5]], atol=1e-4)
    keypoints = np.array(annotation["keypoints"], np.float32).reshape(1, -1, 3)
    assert np.minimum(1, keypoints[..., 2]).all() and annotation["iscrowd"] == 0


def test_dlib_trains_on_it(tmp_path: Path, scheme_68: Scheme) -> None:
    dlib = pytest.importorskip("dlib")
    faces = some_faces(scheme_68)
    out = export(tmp_path / "out", "dlib", faces, scheme_68)
    options = dlib.shape_predictor_training_options()
    options.tree_depth, options.cascade_depth, options.num_trees_per_cascade_level = 2, 2, 5
    options.oversampling_amount, options.num_threads, options.feature_pool_size = 1, 1, 20
    dlib.train_shape_predictor(str(out / "labels.xml"), str(tmp_path / "model.dat"), options)
    error = dlib.test_shape_predictor(str(out / "labels.xml"), str(tmp_path / "model.dat"))
    assert 0 <= error < 100
    shape = dlib.shape_predictor(str(tmp_path / "model.dat"))(
        np.zeros((120, 128, 3), np.uint8), dlib.rectangle(8, 9, 111, 111)
    )
    assert shape.num_parts == 68


def test_pandas_as_hrnet_reads(tmp_path: Path, scheme_68: Scheme) -> None:
    pandas = pytest.importorskip("pandas")
    faces = some_faces(scheme_68)
    out = export(tmp_path / "out", "hrnet", faces, scheme_68)
    frame = pandas.read_csv(next(out.glob("*.csv")))
    for row, face in enumerate(faces):
        assert (out / "images" / frame.iloc[row, 0]).is_file()
        points = frame.iloc[row, 4:].values.astype("float").reshape(-1, 2)
        np.testing.assert_allclose(points - 1, face.points, atol=1e-6)
        assert frame.iloc[row, 1] == pytest.approx(104 / 200)
    table = pandas.read_csv(export(tmp_path / "csv", "csv", faces, scheme_68) / "labels.csv")
    assert table["contour_03_x"].tolist() == [face.points[3, 0] for face in faces]


def test_h5py(tmp_path: Path, scheme_68: Scheme) -> None:
    import h5py

    faces = some_faces(scheme_68, flagged=True)
    with h5py.File(export(tmp_path / "out", "hdf5", faces, scheme_68) / "labels.h5") as file:
        assert file["landmarks"].shape == (6, 68, 2) and file["landmarks"].dtype == np.float64
        assert file["flags"].dtype == np.uint8 and file["boxes"].shape == (6, 4)
        assert file["image"].asstr()[:].tolist() == [face.image for face in faces]
        assert json.loads(file.attrs["landmark_names"]) == list(scheme_68.names)


def test_300w_as_menpo_reads(tmp_path: Path, scheme_68: Scheme) -> None:
    """menpo: the count is the second word of the second line, points from the fourth on, x and y less one."""
    faces = some_faces(scheme_68)
    out = export(tmp_path / "out", "300w", faces, scheme_68)
    paths = sorted(out.rglob("*.pts"))
    assert len(paths) == len(faces)
    for path, face in zip(paths, faces, strict=True):
        assert path.with_suffix(".png").is_file(), "images and landmarks go together by their stem"
        lines = path.read_text("ascii").split("\n")
        assert len(lines) == 68 + 4 and lines[0] == "version: 1" and int(lines[1].split()[1]) == 68
        points = np.array([[float(value) for value in line.split(" ")] for line in lines[3:-1]]) - 1
        np.testing.assert_allclose(points, face.points, atol=1e-6)


def test_menpo(tmp_path: Path, scheme_68: Scheme) -> None:
    """Its own importers, in a process of their own: it warns while it is loaded. Landmarks are (y, x) there."""
    if importlib.util.find_spec("menpo") is None:
        pytest.skip("menpo is not installed: it is built from source")
    faces = some_faces(scheme_68)
    out = export(tmp_path / "out", "300w", faces, scheme_68)
    script = (
        "import json, pathlib, sys, menpo.io as io\n"
        "read = lambda path: io.import_landmark_file(path)\n"
        "points = lambda found: (found['PTS'] if hasattr(found, 'keys') else found).points.tolist()\n"
        "paths = sorted(pathlib.Path(sys.argv[1]).rglob('*.pts'))\n"
        "alone = [points(read(path)) for path in paths]\n"
        "images = [io.import_image(path.with_suffix('.png')) for path in paths]\n"
        "beside = [image.landmarks['PTS'].points.tolist() for image in images]\n"
        "print(json.dumps([alone, beside, [image.shape for image in images]]))"
    )
    done = subprocess.run([sys.executable, "-c", script, str(out)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    alone, beside, shapes = json.loads(done.stdout)
    assert shapes == [[120, 128]] * len(faces)
    for found in (alone, beside):
        np.testing.assert_allclose(np.array(found)[:, :, ::-1], [face.points for face in faces], atol=1e-6)


def test_boxes_that_scipy_writes(tmp_path: Path) -> None:
    """As 300-W's own files: a cell of structs, with text and rows of doubles; compressed and not."""
    matlab = pytest.importorskip("scipy.io")
    from scaf_gui.io.box_files import read_boxes

    kinds = [("imgName", object), ("bb_detector", object), ("bb_ground_truth", object)]
    rows = np.empty((1, 3), object)
    corners = np.array([[10.5, 20.25, 110.0, 140.75], [1, 1, 2, 3], [300.125, 5, 420, 160]])
    for place in range(3):
        entry = np.zeros((1, 1), kinds)
        entry[0, 0] = f"image_{place}.jpg", np.zeros((1, 4)), corners[place : place + 1]
        rows[0, place] = entry
    for compressed in (False, True):
        matlab.savemat(tmp_path / "boxes.mat", {"bounding_boxes": rows}, do_compression=compressed)
        found = read_boxes("mat", tmp_path / "boxes.mat", [f"image_{place}.jpg" for place in range(3)]).boxes
        for place, (x0, y0, x1, y1) in enumerate(corners):
            (box,) = found[f"image_{place}.jpg"]
            assert (box.x, box.y, box.width, box.height) == (x0 - 1, y0 - 1, x1 - x0, y1 - y0)


def test_wflw_as_loaders_read(tmp_path: Path, scheme_98: Scheme) -> None:
    """int() on the rectangle and the attributes, a single space between fields, the image in WFLW_images."""
    faces = some_faces(scheme_98)
    out = export(tmp_path / "out", "wflw", faces, scheme_98, "official")
    lists = out / "WFLW_annotations" / "list_98pt_rect_attr_train_test" / "list_98pt_rect_attr_train.txt"
    rows = [line.split(" ") for line in lists.read_text().splitlines()]
    assert [len(row) for row in rows] == [207] * len(faces)
    for row, face in zip(rows, faces, strict=True):
        assert [int(value) for value in row[196:200]] == [8, 9, 112, 112]
        assert tuple(bool(int(value)) for value in row[200:206]) == face.attributes
        assert (out / "WFLW_images" / row[206]).is_file()
        np.testing.assert_allclose(np.array(row[:196], float).reshape(-1, 2), face.points, atol=1e-6)
    subsets = {
        path.stem.rpartition("_")[2]: path for path in (out / "WFLW_annotations" / "list_98pt_test").glob("*.txt")
    }
    sizes = {name: len(path.read_text().splitlines()) for name, path in subsets.items()}
    assert sizes == {
        "train": 6,
        "largepose": 3,
        "expression": 0,
        "illumination": 0,
        "makeup": 6,
        "occlusion": 0,
        "blur": 0,
    }
    assert all(len(line.split(" ")) == 197 for line in subsets["makeup"].read_text().splitlines())


def test_labelme_as_labelme_reads(tmp_path: Path, scheme_68: Scheme) -> None:
    """The keys it insists on; the image lies beside, by the name in imagePath; points count from the corner."""
    faces = some_faces(scheme_68, flagged=True)
    out = export(tmp_path / "out", "labelme", faces, scheme_68)
    for path in out.rglob("*.json"):
        data = json.loads(path.read_text())
        assert {"version", "imageData", "imagePath", "shapes", "flags", "imageHeight", "imageWidth"} <= set(data)
        assert data["imageData"] is None and (path.parent / data["imagePath"]).is_file()
        assert (data["imageWidth"], data["imageHeight"]) == (128, 120)
        for shape in data["shapes"]:
            assert {"label", "points", "group_id", "shape_type", "flags"} <= set(shape)
            assert all(isinstance(value, bool) for value in shape["flags"].values())
        first = next(shape for shape in data["shapes"] if shape["label"] == scheme_68.names[0])
        wanted = next(face for face in faces if face.stem.endswith(path.stem))
        np.testing.assert_allclose(first["points"][0], wanted.points[0] + 0.5, atol=1e-6)


def test_cvat_as_cvat_reads(tmp_path: Path, scheme_68: Scheme) -> None:
    from xml.etree import ElementTree

    faces = some_faces(scheme_68, flagged=True)
    root = ElementTree.parse(export(tmp_path / "out", "cvat", faces, scheme_68) / "annotations.xml").getroot()
    assert root.tag == "annotations" and root.findtext("version") == "1.1"
    skeletons = [s for image in root.findall("image") for s in image.findall("skeleton")]
    assert len(skeletons) == 6 and [image.get("width") for image in root.findall("image")] == ["128"] * 3
    for skeleton, face in zip(skeletons, faces, strict=True):
        points = skeleton.findall("points")
        assert [point.get("label") for point in points] == list(scheme_68.names)
        assert points[7].get("outside") == "1" and points[5].get("occluded") == "1"
        x, y = map(float, (points[0].get("points") or "").split(","))
        np.testing.assert_allclose([x, y], face.points[0] + 0.5, atol=1e-6)


def test_files_that_those_programs_write(tmp_path: Path, scheme_68: Scheme) -> None:
    """LabelMe's labels as numbers from 1 and a path that leads up; CVAT's own rounding; imglab's style sheet."""
    shapes = [
        {"label": str(k + 1), "points": [[k + 0.5, 2 * k + 0.5]], "group_id": None, "shape_type": "point", "flags": {}}
        for k in range(68)
    ]
    content = {"version": "5.4.1", "flags": {}, "shapes": shapes, "imagePath": "..\\images\\a.jpg", "imageData": "AAAA"}
    (tmp_path / "a.json").write_text(json.dumps(content))
    (face,) = formats()["labelme"].read(tmp_path / "a.json", scheme_68, ["images/a.jpg"]).faces
    assert face.points[3].tolist() == [3, 6]
    parts = "".join(f"<part name='{k}' x='{k}' y='{k}'/>" for k in range(68))
    (tmp_path / "l.xml").write_text(
        "<?xml version='1.0' encoding='ISO-8859-1'?>\n<?xml-stylesheet type='text/xsl' href='s.xsl'?>\n"
        "<dataset><images>"
        f"<image file='images/a.jpg'><box top='1' left='2' width='9' height='9' ignore='0'>{parts}</box></image>"
        "</images></dataset>"
    )
    (face,) = formats()["dlib"].read(tmp_path / "l.xml", scheme_68, ["images/a.jpg"]).faces
    assert face.points[67].tolist() == [67, 67]
    with (tmp_path / "h.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["image_name", "scale", "center_w", "center_h"] + [f"original_{k}_{a}" for k in range(68) for a in "xy"]
        )
        writer.writerow(["a.jpg", 1.5, 10.0, 12.0, *range(136)])
    (face,) = formats()["hrnet"].read(tmp_path / "h.csv", scheme_68, ["images/a.jpg"]).faces
    assert face.points[0].tolist() == [-1, 0] and face.box is not None and face.box.width == 300


def test_an_xml_bomb_is_refused_at_its_first_line(tmp_path: Path, scheme_68: Scheme) -> None:
    from scaf_gui.errors import LabelFileError

    entities = '<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    bomb = f'<?xml version="1.0"?>\n<!DOCTYPE lolz [\n{entities}]>\n<dataset>&b;</dataset>'
    fetch = '<?xml version="1.0"?>\n<!DOCTYPE d SYSTEM "file:///etc/passwd">\n<annotations/>'
    for format_id, text in (("dlib", bomb), ("cvat", fetch), ("cvat", bomb), ("dlib", fetch)):
        (tmp_path / "x.xml").write_text(text)
        with pytest.raises(LabelFileError, match=r"x\.xml, line 2: declares a document type"):
            formats()[format_id].read(tmp_path / "x.xml", scheme_68, [])


def test_hdf5_that_points_elsewhere_is_refused(tmp_path: Path, five: Scheme) -> None:
    import h5py

    from scaf_gui.errors import LabelFileError

    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["landmarks"] = np.zeros((1, 5, 2))
    with h5py.File(tmp_path / "links.h5", "w") as file:
        file["landmarks"] = h5py.ExternalLink("other.h5", "landmarks")
        file["image"] = ["a.jpg"]
    (tmp_path / "raw").write_bytes(bytes(80))
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        file.create_dataset("landmarks", (1, 5, 2), np.float64, external=[(str(tmp_path / "raw"), 0, 80)])
        file["image"] = ["a.jpg"]
    for name, reason in (("links.h5", "is a link"), ("raw.h5", "stored in other files")):
        with pytest.raises(LabelFileError, match=rf"{name}: 'landmarks' {reason}|{reason}"):
            formats()["hdf5"].read(tmp_path / name, five, ["a.jpg"])
