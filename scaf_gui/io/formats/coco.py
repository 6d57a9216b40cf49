"""COCO keypoints, with what MMPose's face data sets want besides. See docs/formats.md."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from scaf_gui.core.arrays import ByteArray, FloatArray
from scaf_gui.core.face import ATTRIBUTES, Attributes, Box, BoxSource, Flag, as_attributes
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats import files
from scaf_gui.io.formats.base import FaceFormat, FaceState, Holds, LabelledFace, Unmatched, register
from scaf_gui.io.formats.folder import ExportFolder, SafeNames
from scaf_gui.io.formats.problems import STRICT, Problems, each_file

#: COCO's visibility by flag: 2 visible, 1 labelled but occluded, 0 not labelled
_VISIBILITY = {Flag.VISIBLE: 2, Flag.OCCLUDED: 1, Flag.MISSING: 0}
_FLAGS = {value: flag for flag, value in _VISIBILITY.items()}
#: MMPose's face data sets multiply ``scale`` by this
_PIXELS = 200.0
_CHUNK = 1 << 14
#: brackets open at the end of a chunk (those in names count too)
_DEEPEST = 4096


@register
class CocoFormat(FaceFormat):
    """One JSON file with images, annotations and the landmark scheme as its category."""

    id = "coco"
    title = "COCO keypoints (MMPose)"
    holds = Holds(
        "one JSON file",
        "0-based, six decimals",
        box="yes",
        occluded=True,
        missing=True,
        attributes=True,
        state=True,
    )
    needs_size = True
    patterns = ("*.json",)

    def save(
        self, folder: ExportFolder, faces: Iterable[LabelledFace], scheme: Scheme, split: str = "", variant: str = ""
    ) -> Iterator[None]:
        """``labels.json``: annotations go to a file of their own first, as images have to stand before them."""
        names = SafeNames(folder, (face.image for face in faces))
        ids: dict[str, int] = {}
        with (
            folder.open(f"labels{'_' * bool(split)}{split}.json") as file,
            tempfile.TemporaryFile() as later,
        ):
            file.write(b'{"info": {"description": "Facial landmarks"}, "licenses": [],\n')
            file.write(b'"categories": [' + json.dumps(_category(scheme)).encode("ascii") + b'],\n"images": [')
            count = 0
            for face in faces:
                if folder.leaves_out(face, self.why_not(face, scheme)):
                    continue
                if face.image not in ids:
                    name = names.safe(face.image)
                    size = dict(zip(("width", "height"), face.image_size, strict=True)) if face.image_size else {}
                    entry = {"id": len(ids) + 1, "file_name": name} | size
                    file.write((",\n" if ids else "\n").encode("ascii") + json.dumps(entry).encode("ascii"))
                    ids[face.image] = len(ids) + 1
                    folder.image(face.image, f"{self.image_folder}/{name}")
                count += 1
                annotation = json.dumps(_annotation(face, count, ids[face.image]))
                later.write((",\n" if count > 1 else "\n").encode("ascii") + annotation.encode("ascii"))
                folder.count(face, self.holds.state)
                yield
            file.write(b'\n],\n"annotations": [')
            later.seek(0)
            shutil.copyfileobj(later, file)
            file.write(b"\n]}\n")

    def scan(
        self, source: Path, scheme: Scheme, images: Sequence[str], problems: Problems = STRICT
    ) -> Iterator[LabelledFace | Unmatched]:
        finder = files.ImageFinder(images)
        yield from each_file(
            files.label_files(source, ".json", "JSON file of COCO"),
            lambda path: _scan(path, scheme, finder, problems),
            problems,
        )


#: of an image of the file: its name in the project or None, why that is so, the name by which the file means it
_Image = tuple[str | None, str, str]


def _scan(
    path: Path, scheme: Scheme, finder: files.ImageFinder, problems: Problems
) -> Iterator[LabelledFace | Unmatched]:
    names = files.read_names(path.parent)
    order = _order(path, scheme)
    found: dict[int | str, _Image] = {}
    images = -1
    try:
        for images, entry in enumerate(_items(path, "images")):
            with problems:
                _add_image(found, entry, path, f"images[{images}]", names, finder)
    except _CutShortError:
        pass  # annotations may stand before that place; behind them it is found again
    used = Counter[str]()
    place = -1
    for place, entry in enumerate(_items(path, "annotations")):
        with problems:
            yield _face(entry, path, f"annotations[{place}]", found, used, scheme, order)
    if place < 0 and images < 0:
        raise LabelFileError("is no JSON of COCO: it holds neither images nor annotations", path)


def _add_image(
    found: dict[int | str, _Image], entry: Any, path: Path, where: str, names: dict[str, str], finder: files.ImageFinder
) -> None:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), int | str):
        raise files.refusal("an image needs an id", path, where)
    known = entry["id"] in found
    # faces of an image that cannot be told, or is one of two, are left out with it
    found[entry["id"]] = None, f"its image, {where}, cannot be read", ""
    name = files.checked_name(entry.get("file_name"), path, f"{where}.file_name")
    if known:
        raise files.refusal(f"two images have the id {entry['id']!r}", path, where)
    image, reason = finder.by_path(names.get(name, name))
    found[entry["id"]] = image, f"{name}: {reason}" if image is None else "", names.get(name, name)


def _face(
    entry: Any,
    path: Path,
    where: str,
    found: dict[int | str, _Image],
    used: Counter[str],
    scheme: Scheme,
    order: list[int] | None,
) -> LabelledFace | Unmatched:
    """The face of an annotation; ``used`` counts those of each image."""
    if not isinstance(entry, dict) or not isinstance(entry.get("image_id"), int | str):
        raise files.refusal("an annotation needs an image_id", path, where)
    at = files.place(path.name, where)
    if not entry.get("keypoints"):
        return Unmatched(at, "the annotation has no keypoints")
    points, flags = _keypoints(entry["keypoints"], path, where, scheme, order)
    if entry["image_id"] not in found:
        raise files.refusal(f"there is no image with the id {entry['image_id']!r}", path, f"{where}.image_id")
    image, reason, named = found[entry["image_id"]]
    if image is None:
        return Unmatched(at, reason)
    box, attributes, state = _extras(entry, path, where)
    used[image] += 1
    return LabelledFace(image, points, flags, box, attributes, used[image], state, where=at, named=named)


def _category(scheme: Scheme) -> dict[str, Any]:
    skeleton = [[a + 1, b + 1] for a, b in scheme.edges]
    return {"id": 1, "name": "face", "supercategory": "person", "keypoints": scheme.names, "skeleton": skeleton}


def _annotation(face: LabelledFace, number: int, image_id: int) -> dict[str, Any]:
    gone = set(face.missing)
    keypoints: list[float] = []
    for place, ((x, y), flag) in enumerate(zip(face.points.tolist(), face.flags.tolist(), strict=True)):
        keypoints += (0, 0, 0) if place in gone else (round(x, 6), round(y, 6), _VISIBILITY[Flag(flag)])
    x, y, width, height = face.box_or_tight()
    extras: dict[str, Any] = {}
    if face.attributes is not None:
        extras["attributes"] = dict(zip(ATTRIBUTES, map(int, face.attributes), strict=True))
    if face.state is not FaceState.REVIEWED:
        extras["state"] = str(face.state)
    return {
        "id": number,
        "image_id": image_id,
        "category_id": 1,
        "iscrowd": 0,
        "keypoints": keypoints,
        "num_keypoints": len(face.points) - len(gone),
        "bbox": [round(value, 6) for value in (x, y, width, height)],
        "area": round(width * height, 6),
        "center": [round(x + width / 2, 6), round(y + height / 2, 6)],
        "scale": round(max(width, height) / _PIXELS, 9),
    } | extras


def _items(path: Path, key: str) -> Iterator[Any]:
    """The entries of a top-level array, one at a time.

    :raises LabelFileError: the file cannot be read, or is not JSON (names the last entry that was)
    """
    import ijson

    place = -1
    try:
        with path.open("rb") as file:
            if file.read(3) != b"\xef\xbb\xbf":
                file.seek(0)
            for entry in ijson.items(_Guarded(file), f"{key}.item", use_float=True, buf_size=_CHUNK):
                place += 1
                yield entry
    except OSError as error:
        raise LabelFileError(f"cannot be read ({error.strerror})", path) from error
    except (ijson.JSONError, ValueError, OverflowError) as error:
        where = f"behind {key}[{place}]" if place >= 0 else f"before {key}[0]"
        reason = str(error).split("\n")[0].strip()[:80]
        raise _CutShortError(
            f"{where}: is not JSON, or is cut short ({reason}); nothing behind it is read", path
        ) from error


class _CutShortError(LabelFileError):
    """The JSON ends too early, or is none from some place on."""


class _Guarded:
    """A file that is refused once it nests absurdly deep: the parser's time grows with the square of the depth."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self._depth = 0

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        self._depth += chunk.count(b"[") + chunk.count(b"{") - chunk.count(b"]") - chunk.count(b"}")
        if self._depth > _DEEPEST:
            raise ValueError("it is nested too deeply")
        return chunk


def _order(path: Path, scheme: Scheme) -> list[int] | None:
    """The landmark of each keypoint by the names of the first category; ``None``: in the order of the scheme."""
    for category in _items(path, "categories"):
        names = category.get("keypoints") if isinstance(category, dict) else None
        if names and all(isinstance(name, str) for name in names) and sorted(names) == sorted(scheme.names):
            places = {name: place for place, name in enumerate(scheme.names)}
            order = [places[name] for name in names]
            return None if order == sorted(order) else order
        break
    return None


def _keypoints(
    values: Any, path: Path, where: str, scheme: Scheme, order: list[int] | None
) -> tuple[FloatArray, ByteArray]:
    where += ".keypoints"
    if not isinstance(values, list) or len(values) != 3 * scheme.num_landmarks:
        held = len(values) / 3 if isinstance(values, list) else 0
        raise files.refusal(f"holds {held:g} landmarks, the project's scheme has {scheme.num_landmarks}", path, where)
    points = np.full((scheme.num_landmarks, 2), np.nan)
    flags = np.full(scheme.num_landmarks, Flag.MISSING, np.uint8)
    for place in range(scheme.num_landmarks):
        x, y = (files.coordinate(value) for value in values[3 * place : 3 * place + 2])
        seen = values[3 * place + 2]
        if x is None or y is None:
            raise files.refusal(
                f"{str(values[3 * place : 3 * place + 2])[:60]} are no pixel coordinates", path, f"{where}[{3 * place}]"
            )
        if seen not in _FLAGS or isinstance(seen, bool):
            raise files.refusal(
                f"a visibility is {str(seen)[:20]} where 0, 1 or 2 is wanted", path, f"{where}[{3 * place + 2}]"
            )
        if seen:
            landmark = place if order is None else order[place]
            points[landmark], flags[landmark] = (x, y), _FLAGS[seen]
    return points, flags


def _extras(entry: dict[str, Any], path: Path, where: str) -> tuple[Box | None, Attributes | None, FaceState]:
    box = None
    if entry.get("bbox"):
        sides = [files.coordinate(value) for value in entry["bbox"]] if isinstance(entry["bbox"], list) else []
        if len(sides) != 4 or None in sides:
            raise files.refusal("a box is four numbers: x, y, width, height", path, f"{where}.bbox")
        x, y, width, height = (side or 0.0 for side in sides)
        if width < 0 or height < 0:
            raise files.refusal("a box has a negative width or height", path, f"{where}.bbox")
        box = Box(x, y, width, height, BoxSource.FILE) if width > 0 and height > 0 else None
    held = entry.get("attributes")
    attributes = None
    if isinstance(held, dict) and set(ATTRIBUTES) <= set(held):
        attributes = as_attributes([bool(held[name]) for name in ATTRIBUTES])
    state = entry.get("state")
    return box, attributes, FaceState(state) if state in set(FaceState) else FaceState.REVIEWED
