"""HDF5: everything as arrays, one row per face. See docs/formats.md."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scaf_gui.core.face import Box, BoxSource, Flag, as_attributes
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats import files
from scaf_gui.io.formats.base import FaceFormat, FaceState, Holds, LabelledFace, Unmatched, register
from scaf_gui.io.formats.folder import ExportFolder, SafeNames
from scaf_gui.io.formats.problems import STRICT, Problems, each_file
from scaf_gui.io.steady_file import new_hdf5

if TYPE_CHECKING:
    import h5py

#: faces that are written or read at a time
_BLOCK = 1024
_STATES = tuple(FaceState)
#: what "attributes" holds where a file does not speak of them
_UNKNOWN = 255


@register
class Hdf5Format(FaceFormat):
    """Landmarks (N, L, 2) float64, boxes (N, 4), flags (N, L), and so on; see docs/formats.md."""

    id = "hdf5"
    title = "HDF5"
    holds = Holds(
        "one HDF5 file",
        "0-based, double precision",
        box="yes",
        occluded=True,
        missing=True,
        attributes=True,
        state=True,
    )
    patterns = ("*.h5", "*.hdf5")

    def save(
        self, folder: ExportFolder, faces: Iterable[LabelledFace], scheme: Scheme, split: str = "", variant: str = ""
    ) -> Iterator[None]:
        """``labels.h5``."""
        import h5py

        names = SafeNames(folder, (face.image for face in faces))
        with new_hdf5(folder.path_for(f"labels{'_' * bool(split)}{split}.h5")) as (file, beneath):
            file.attrs.update(
                {
                    "format": 1,
                    "scheme": scheme.id,
                    "landmark_names": json.dumps(scheme.names),
                    "coordinates": "pixels (x, y) of the upright image, 0-based, pixel centres at whole numbers",
                    "states": json.dumps([str(state) for state in _STATES]),
                }
            )
            columns = _make(file, scheme.num_landmarks, h5py.string_dtype())
            block: list[tuple[LabelledFace, str]] = []
            for face in faces:
                if folder.leaves_out(face, self.why_not(face, scheme)):
                    continue
                name = names.safe(face.image)
                block.append((face, name))
                folder.image(face.image, f"{self.image_folder}/{name}")
                folder.count(face, self.holds.state)
                yield
                if len(block) == _BLOCK:
                    _append(columns, block)
                    block = []
                    if beneath.error is not None:  # a full disk: no use in going on
                        raise beneath.error
            _append(columns, block)

    def scan(
        self, source: Path, scheme: Scheme, images: Sequence[str], problems: Problems = STRICT
    ) -> Iterator[LabelledFace | Unmatched]:
        finder = files.ImageFinder(images)

        def of_file(path: Path) -> Iterator[LabelledFace | Unmatched]:
            names = files.read_names(path.parent)
            with _told(path):
                yield from _scan(path, scheme, finder, names, problems)

        yield from each_file(_sources(source), of_file, problems)


@contextmanager
def _told(path: Path, rows: str = "") -> Iterator[None]:
    """What h5py raises, by what is broken, as an error of the file."""
    try:
        yield
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        reason = str(error).split("\n")[0][:120]
        raise LabelFileError(f"{rows}cannot be read as HDF5, or is damaged ({reason})", path) from error


def _make(file: h5py.File, landmarks: int, text: Any) -> dict[str, h5py.Dataset]:
    shapes: dict[str, tuple[tuple[int, ...], Any]] = {
        "landmarks": ((landmarks, 2), np.float64),
        "flags": ((landmarks,), np.uint8),
        "boxes": ((4,), np.float64),
        "attributes": ((6,), np.uint8),
        "state": ((), np.uint8),
        "face": ((), np.int32),
        "image": ((), text),
    }
    return {
        name: file.create_dataset(name, (0, *shape), kind, maxshape=(None, *shape), chunks=(min(_BLOCK, 128), *shape))
        for name, (shape, kind) in shapes.items()
    }


def _append(columns: dict[str, h5py.Dataset], block: list[tuple[LabelledFace, str]]) -> None:
    if not block:
        return
    faces = [face for face, _ in block]
    points = np.array([face.points for face in faces])
    flags = np.array([face.flags for face in faces])
    flags[~np.isfinite(points).all(axis=2)] = Flag.MISSING
    points[flags == Flag.MISSING] = np.nan
    rows: dict[str, Any] = {
        "landmarks": points,
        "flags": flags,
        "boxes": [face.box_or_tight() if face.plain_box else (np.nan,) * 4 for face in faces],
        "attributes": [(_UNKNOWN,) * 6 if face.attributes is None else face.attributes for face in faces],
        "state": [_STATES.index(face.state) for face in faces],
        "face": [face.face_index for face in faces],
        "image": [name for _, name in block],
    }
    for name, values in rows.items():
        data = columns[name]
        start = len(data)
        data.resize(start + len(block), axis=0)
        data[start:] = values


def _sources(source: Path) -> Iterator[Path | Unmatched]:
    if source.is_dir() and not any(path.suffix.lower() == ".h5" for path in source.rglob("*")):
        yield from files.label_files(source, ".hdf5", "HDF5 file (.h5, .hdf5)")
    else:
        yield from files.label_files(source, ".h5", "HDF5 file (.h5, .hdf5)")


def _scan(
    path: Path, scheme: Scheme, finder: files.ImageFinder, names: dict[str, str], problems: Problems
) -> Iterator[LabelledFace | Unmatched]:
    import h5py

    with h5py.File(path, "r") as file:
        landmarks = _dataset(file, "landmarks", path)
        image = _dataset(file, "image", path)
        if landmarks is None or image is None:
            raise LabelFileError("holds no datasets 'landmarks' and 'image'", path)
        if landmarks.ndim != 3 or landmarks.shape[1:] != (scheme.num_landmarks, 2) or landmarks.dtype.kind != "f":
            raise LabelFileError(
                f"landmarks are {landmarks.dtype} {landmarks.shape}, floats (N, {scheme.num_landmarks}, 2) are wanted "
                f"for {scheme.id}",
                path,
            )
        count = len(landmarks)
        optional = {
            name: _column(file, name, shape, path, count)
            for name, shape in (
                ("flags", (scheme.num_landmarks,)),
                ("boxes", (4,)),
                ("attributes", (6,)),
                ("state", ()),
                ("face", ()),
            )
        }
        if image.shape != (count,):
            raise LabelFileError(f"'image' has the shape {image.shape} for {count} faces", path)
        texts = image.asstr("utf-8", "strict") if h5py.check_string_dtype(image.dtype) else None
        if texts is None:
            raise LabelFileError("'image' is no text", path)
        used = Counter[str]()
        for start in range(0, count, _BLOCK):
            stop = min(start + _BLOCK, count)
            with problems:
                with _told(path, f"rows {start} to {stop - 1}: "):
                    block = {name: None if data is None else data[start:stop] for name, data in optional.items()}
                    points, labels = landmarks[start:stop].astype(np.float64), texts[start:stop]
                for k in range(stop - start):
                    row = {name: None if data is None else data[k] for name, data in block.items()}
                    with problems:
                        yield _face(path, start + k, points[k], str(labels[k]), row, finder, names, used)


def _dataset(file: h5py.File, name: str, path: Path) -> h5py.Dataset | None:
    """A dataset that lies in this very file: no link, and no storage elsewhere, is followed."""
    import h5py

    link = file.get(name, getlink=True)
    if link is None:
        return None
    if not isinstance(link, h5py.HardLink):
        raise LabelFileError(f"'{name}' is a link, which is not followed", path)
    data = file[name]
    if not isinstance(data, h5py.Dataset):
        raise LabelFileError(f"'{name}' is no dataset", path)
    if data.external or data.is_virtual:
        raise LabelFileError(f"'{name}' is stored in other files, which are not read", path)
    return data


def _column(file: h5py.File, name: str, shape: tuple[int, ...], path: Path, count: int) -> h5py.Dataset | None:
    data = _dataset(file, name, path)
    if data is not None and (data.shape != (count, *shape) or data.dtype.kind not in "fiub"):
        raise LabelFileError(f"'{name}' is {data.dtype} {data.shape}, numbers {(count, *shape)} are wanted", path)
    return data


def _face(
    path: Path,
    row: int,
    points: Any,
    label: str,
    held: dict[str, Any],
    finder: files.ImageFinder,
    names: dict[str, str],
    used: Counter[str],
) -> LabelledFace | Unmatched:
    where = f"row {row}"
    name = files.checked_name(label, path, where)
    image, reason = finder.by_path(names.get(name, name))
    flags = np.zeros(len(points), np.uint8) if held["flags"] is None else np.asarray(held["flags"])
    if held["flags"] is None:
        flags[np.isnan(points).any(axis=1)] = Flag.MISSING
    if not np.isin(flags, list(Flag)).all():
        raise files.refusal("a flag is none of 0, 1, 2", path, where)
    points[flags == Flag.MISSING] = np.nan
    known = points[flags != Flag.MISSING]
    if not (np.abs(known) <= files.FARTHEST).all():
        raise files.refusal("a landmark that is not missing has no pixel coordinates", path, where)
    if image is None:
        return Unmatched(files.place(path.name, where), f"{name}: {reason}")
    used[image] += 1
    box, attributes, state = None, None, FaceState.REVIEWED
    if held["boxes"] is not None and not np.isnan(held["boxes"]).all():
        x, y, width, height = (float(value) for value in held["boxes"])
        if not (np.abs(held["boxes"]) <= files.FARTHEST).all() or width <= 0 or height <= 0:
            raise files.refusal("a box needs x, y and a positive width and height", path, where)
        box = Box(x, y, width, height, BoxSource.FILE)
    if held["attributes"] is not None and np.isin(held["attributes"], (0, 1)).all():
        attributes = as_attributes([bool(value) for value in held["attributes"]])
    if held["state"] is not None:
        if not 0 <= held["state"] < len(_STATES):
            raise files.refusal(f"the state {held['state']} is none of 0, 1, 2", path, where)
        state = _STATES[int(held["state"])]
    index = used[image] if held["face"] is None or not 0 < held["face"] < 10_000 else int(held["face"])
    place = files.place(path.name, where)
    kept, named = flags.astype(np.uint8), names.get(name, name)
    return LabelledFace(image, points, kept, box, attributes, index, state, where=place, named=named)
