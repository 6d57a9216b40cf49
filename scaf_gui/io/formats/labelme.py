"""LabelMe: one JSON file per image; canvas coordinates, which count from the corner of a pixel. See docs/formats.md."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from scaf_gui.core.face import ATTRIBUTES, Box, BoxSource, Flag, as_attributes
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats import files
from scaf_gui.io.formats.base import FaceFormat, FaceState, Holds, LabelledFace, Unmatched, register
from scaf_gui.io.formats.folder import ExportFolder
from scaf_gui.io.formats.marks import landmark_numbers
from scaf_gui.io.formats.problems import STRICT, Problems, each_file

#: what the corner of the top-left pixel is away from its centre
_CORNER = 0.5
_LARGEST = 256_000_000  # bytes; the image may be inside
FACE = "face"


@register
class LabelmeFormat(FaceFormat):
    """A point per landmark, and a rectangle per face that holds its attributes; what else is in a file stays there."""

    id = "labelme"
    title = "LabelMe JSON"
    holds = Holds(
        "one JSON file per image",
        "from the pixel's corner (+0.5), six decimals",
        box="yes",
        occluded=True,
        missing=True,
        attributes=True,
        state=True,
    )
    image_folder = ""
    needs_size = True
    patterns = ("*.json",)

    def save(
        self, folder: ExportFolder, faces: Iterable[LabelledFace], scheme: Scheme, split: str = "", variant: str = ""
    ) -> Iterator[None]:
        """``STEM.json`` beside ``STEM.jpg``; shapes and keys of others in a file that is written over are kept."""
        folder.keeps_earlier = True
        for image, group in files.by_image(faces):
            shapes: list[dict[str, Any]] = []
            for face in group:
                if folder.leaves_out(face, self.why_not(face, scheme)):
                    continue
                shapes += _shapes(face, scheme)
                folder.count(face, self.holds.state)
                yield
            if not shapes:
                continue
            stem = f"{split}/{group[0].stem}" if split else group[0].stem
            if stem.casefold() in folder.taken:
                stem += "_" + image.rpartition(".")[2]
            folder.taken.add(stem.casefold())
            name = f"{stem}.json"
            if split or stem != group[0].stem or not image.isprintable():
                folder.mapped[name] = image
            shown = f"{stem.rpartition('/')[2]}.{image.rpartition('.')[2]}"
            content = _merged(folder.earlier(name), shapes, scheme)
            width, height = group[0].image_size or (None, None)
            content |= {"imagePath": shown, "imageData": None, "imageHeight": height, "imageWidth": width}
            folder.write(name, json.dumps(content, indent=2).encode("ascii"))
            folder.image(image, f"{stem}.{image.rpartition('.')[2]}")

    def scan(
        self, source: Path, scheme: Scheme, images: Sequence[str], problems: Problems = STRICT
    ) -> Iterator[LabelledFace | Unmatched]:
        finder = files.ImageFinder(images)
        folder = source if source.is_dir() else source.parent
        names = files.read_names(folder)

        def of_file(path: Path) -> Iterator[LabelledFace | Unmatched]:
            name = path.relative_to(folder).as_posix()
            content = _content(path)
            named = _named(name, content, path, names)
            image, reason = finder.by_path(named)
            if image is None:
                yield Unmatched(name, reason)
                return
            for face in _faces(content, path, name, image, scheme, problems):
                yield replace(face, named=named) if isinstance(face, LabelledFace) else face

        yield from each_file(files.label_files(source, ".json", "JSON file of LabelMe"), of_file, problems)


def _shapes(face: LabelledFace, scheme: Scheme) -> list[dict[str, Any]]:
    x, y, width, height = face.box_or_tight()
    flags = dict(zip(ATTRIBUTES, face.attributes, strict=True)) if face.attributes is not None else {}
    if face.state is not FaceState.REVIEWED:
        flags[str(face.state)] = True
    shapes = [_shape(FACE, [[x, y], [x + width, y + height]], face.face_index, "rectangle", flags)]
    gone = set(face.missing)
    for place, point in enumerate(face.points.tolist()):
        if place not in gone:
            occluded = {"occluded": bool(face.flags[place] == Flag.OCCLUDED)}
            shapes.append(_shape(scheme.names[place], [point], face.face_index, "point", occluded))
    return shapes


def _shape(label: str, points: list[list[float]], group: int, kind: str, flags: dict[str, bool]) -> dict[str, Any]:
    placed = [[round(x + _CORNER, 6), round(y + _CORNER, 6)] for x, y in points]
    return {"label": label, "points": placed, "group_id": group, "shape_type": kind, "flags": flags}


def _merged(earlier: Path | None, shapes: list[dict[str, Any]], scheme: Scheme) -> dict[str, Any]:
    """The new shapes in what an earlier file holds: its other shapes, and keys that are not ours, are kept."""
    if earlier is None:
        return {"version": "5.5.0", "flags": {}, "shapes": shapes}
    content = _content(earlier)
    old = {(shape.get("label"), shape.get("group_id")): shape for shape in content["shapes"]}
    others = [s for s in content["shapes"] if s.get("label") not in scheme.names and s.get("label") != FACE]
    joined = []
    for shape in shapes:
        before = old.get((shape["label"], shape["group_id"]), {})
        flags = before.get("flags") if isinstance(before.get("flags"), dict) else {}
        joined.append(before | shape | {"flags": {**(flags or {}), **shape["flags"]}})
    return content | {"shapes": joined + others}


def _content(path: Path) -> dict[str, Any]:
    content = files.parse_json(files.read_text(path, _LARGEST), path)
    if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
        raise LabelFileError("is no JSON of LabelMe: it has no list of shapes", path)
    if not all(isinstance(shape, dict) for shape in content["shapes"]):
        raise LabelFileError("is no JSON of LabelMe: a shape has no label and points", path)
    return content


def _named(name: str, content: dict[str, Any], path: Path, names: dict[str, str]) -> str:
    """The image that a file means: by the mapping file, or its name in the folder of the file itself."""
    if name in names:
        return names[name]
    wanted = content.get("imagePath")
    if not isinstance(wanted, str):
        raise files.refusal("is no text", path, "imagePath")
    # LabelMe writes "../images/a.jpg" where labels lie in a folder of their own: the last part is looked for
    last = wanted.replace("\\", "/").rpartition("/")[2]
    if files.escape_reason(last) is not None:
        raise files.refusal(f"the image's name {wanted[:80]!r} is no file name", path, "imagePath")
    folder = name.rpartition("/")[0]
    return f"{folder}/{last}" if folder else last


def _faces(
    content: dict[str, Any], path: Path, name: str, image: str, scheme: Scheme, problems: Problems
) -> Iterator[LabelledFace | Unmatched]:
    """A face per group; points that have no group are one face."""
    shapes = [
        (place, shape)
        for place, shape in enumerate(content["shapes"])
        if shape.get("shape_type") in ("point", "rectangle")
    ]
    labels = {str(shape.get("label")) for _, shape in shapes if shape["shape_type"] == "point"}
    numbers = landmark_numbers(labels, scheme)
    groups: dict[object, list[tuple[int, dict[str, Any]]]] = {}
    for place, shape in shapes:
        if not isinstance(shape.get("group_id"), int | str | None):
            raise files.refusal("is no number", path, f"shapes[{place}].group_id")
        groups.setdefault(shape.get("group_id"), []).append((place, shape))
    count = 0
    for members in groups.values():
        if any(shape["shape_type"] == "point" and str(shape.get("label")) in numbers for _, shape in members):
            count += 1
            with problems:
                yield _face(members, numbers, path, name, image, count, scheme)
    if not count:
        yield Unmatched(name, f"no shape is a point of {scheme.id}")


def _face(
    members: list[tuple[int, dict[str, Any]]],
    numbers: dict[str, int],
    path: Path,
    name: str,
    image: str,
    count: int,
    scheme: Scheme,
) -> LabelledFace:
    points = np.full((scheme.num_landmarks, 2), np.nan)
    flags = np.full(scheme.num_landmarks, Flag.MISSING, np.uint8)
    box, attributes, state, index = None, None, FaceState.REVIEWED, count
    for place, shape in members:
        label, held = str(shape.get("label")), shape.get("flags")
        told = held if isinstance(held, dict) else {}
        if shape["shape_type"] == "rectangle":
            if label == FACE:
                (x0, y0), (x1, y1) = sorted(_points(shape, 2, path, place))
                y0, y1 = min(y0, y1), max(y0, y1)
                box = Box(x0, y0, x1 - x0, y1 - y0, BoxSource.FILE) if x1 > x0 and y1 > y0 else None
                if set(ATTRIBUTES) <= set(told):
                    attributes = as_attributes([bool(told[key]) for key in ATTRIBUTES])
                state = next((s for s in FaceState if told.get(str(s))), FaceState.REVIEWED)
            continue
        if label not in numbers:
            continue
        landmark = numbers[label]
        if np.isfinite(points[landmark, 0]):
            raise files.refusal(f"a second point '{label[:40]}' in one face", path, f"shapes[{place}]")
        points[landmark] = _points(shape, 1, path, place)[0]
        flags[landmark] = Flag.OCCLUDED if told.get("occluded") else Flag.VISIBLE
        group = shape.get("group_id")
        index = group if isinstance(group, int) and 0 < group < 10_000 else count
    return LabelledFace(image, points, flags, box, attributes, index, state, where=name)


def _points(shape: dict[str, Any], count: int, path: Path, place: int) -> list[tuple[float, float]]:
    values = shape.get("points")
    where = f"shapes[{place}].points"
    if not isinstance(values, list) or len(values) != count:
        raise files.refusal(f"{count} point{'s' * (count > 1)} wanted", path, where)
    points = []
    for pair in values:
        x, y = (
            (files.coordinate(value) for value in pair) if isinstance(pair, list) and len(pair) == 2 else (None, None)
        )
        if x is None or y is None:
            raise files.refusal(f"{str(pair)[:60]} are no pixel coordinates", path, where)
        points.append((x - _CORNER, y - _CORNER))
    return points
