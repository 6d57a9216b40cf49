"""The project's cache, an HDF5 file beside it: predictions, features and fingerprints. All of it can be made again.

For worker threads: HDF5 works behind one lock, so the window never waits for it. No method raises for
a damaged, foreign or unwritable file: what cannot be read is set aside and built anew, what cannot be
written is not cached.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import h5py
import numpy as np
import numpy.typing as npt

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import Prediction
from scaf_gui.io.steady_file import SteadyFile

_FORMAT = 1
#: predictions of the newest models are kept, older ones make room
KEEP_MODELS = 3
#: how fingerprints of images are made; another way gets another name
_FINGERPRINT = "dhash-16x16"
#: rows written anew for the same faces pile up; beyond this many stale ones the table is rewritten
_STALE_ROWS = 4096
_FAILURES = (OSError, RuntimeError, KeyError, ValueError, TypeError, IndexError)
_Result = TypeVar("_Result")


class ProjectCache:
    """An open cache file; a context manager. ``problem`` is "" or why the cache is of no use just now."""

    def __init__(self, path: Path):
        self.path = path
        self.problem = ""
        self._file: Any = None
        self._beneath: SteadyFile | None = None
        self._open()

    def close(self) -> None:
        """Closing twice does nothing."""
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except _FAILURES as error:
                self._set_aside(error)
        self._let_go()

    def __enter__(self) -> ProjectCache:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def put_predictions(
        self, model_id: str, predictions: Mapping[int, Prediction], box_keys: Mapping[int, str]
    ) -> None:
        """Remember what a model says of faces.

        :param box_keys: by face id, whatever else the prediction depends on (the box); compared when read
        """
        if not predictions:
            return
        faces = list(predictions)
        given = [predictions[face] for face in faces]
        names = sorted(set[str]().union(*(p.scores for p in given)))
        columns = {
            "points": np.stack([p.points for p in given]),
            "magnitude": np.stack([p.magnitude for p in given]),
        }
        if names:  # HDF5 has no chunks without columns
            columns["scores"] = np.array([[p.scores.get(name, np.nan) for name in names] for p in given])
        self._put("predictions", model_id, faces, box_keys, columns, "\n".join(names))

    def predictions(self, model_id: str, box_keys: Mapping[int, str] | None = None) -> dict[int, Prediction]:
        """What is known of a model's predictions, by face id.

        :param box_keys: only faces in here are given, and only where the key is the one it was put with;
            ``None`` gives all
        """

        def made(faces: list[int], columns: dict[str, Any], names: str) -> dict[int, Prediction]:
            keys = names.split("\n") if names else []
            scored = columns.get("scores", np.empty((len(faces), 0)))
            rows = zip(faces, columns["points"], columns["magnitude"], scored, strict=True)
            return {
                face: Prediction(
                    points,
                    magnitude,
                    model_id,
                    {key: float(value) for key, value in zip(keys, scores, strict=True) if not np.isnan(value)},
                )
                for face, points, magnitude, scores in rows
            }

        return self._get("predictions", model_id, box_keys, made)

    def put_features(self, model_id: str, features: Mapping[int, npt.ArrayLike], box_keys: Mapping[int, str]) -> None:
        """Remember the encoder's feature vector (num_features,) of faces."""
        if features:
            columns = {"features": np.stack([np.asarray(vector, np.float64) for vector in features.values()])}
            self._put("features", model_id, list(features), box_keys, columns, "")

    def features(self, model_id: str, box_keys: Mapping[int, str] | None = None) -> dict[int, FloatArray]:
        """Feature vectors by face id; as :meth:`predictions`."""
        return self._get(
            "features", model_id, box_keys, lambda faces, columns, _: dict(zip(faces, columns["features"], strict=True))
        )

    def put_fingerprints(
        self, fingerprints: Mapping[int, npt.NDArray[np.uint64]], image_keys: Mapping[int, str]
    ) -> None:
        """Remember what images look like (:mod:`scaf_gui.io.similar`), each by the id of one of its faces."""
        if fingerprints:
            columns: dict[str, npt.NDArray[Any]] = {"bits": np.stack(list(fingerprints.values()))}
            self._put("fingerprints", _FINGERPRINT, list(fingerprints), image_keys, columns, "")

    def fingerprints(self, image_keys: Mapping[int, str]) -> dict[int, npt.NDArray[np.uint64]]:
        """Fingerprints by face id; as :meth:`predictions`."""
        return self._get(
            "fingerprints",
            _FINGERPRINT,
            image_keys,
            lambda faces, columns, _: dict(zip(faces, columns["bits"], strict=True)),
        )

    def _put(
        self,
        kind: str,
        model_id: str,
        faces: Sequence[int],
        box_keys: Mapping[int, str],
        columns: dict[str, npt.NDArray[Any]],
        names: str,
    ) -> None:
        keys = np.stack([_digest(box_keys[face]) for face in faces])
        rows: dict[str, npt.NDArray[Any]] = {"face": np.array(faces, np.int64), "key": keys, **columns}

        def put(file: Any) -> None:
            parent = file.require_group(kind)
            _append(parent, model_id, rows, names)
            _forget_old(parent)

        self._try(put, None)

    def _get(
        self,
        kind: str,
        model_id: str,
        box_keys: Mapping[int, str] | None,
        made: Callable[[list[int], dict[str, Any], str], dict[int, _Result]],
    ) -> dict[int, _Result]:
        def get(file: Any) -> dict[int, _Result]:
            group = file.get(f"{kind}/{_name(model_id)}")
            if group is None:
                return {}
            last = _last_rows(group)
            keys = group["key"][()]
            if box_keys is not None:
                asked = {face: _digest(key).tobytes() for face, key in box_keys.items() if face in last}
                last = {face: last[face] for face, key in asked.items() if keys[last[face]].tobytes() == key}
            places = list(last.values())
            columns = {name: group[name][()][places] for name in group if name not in ("face", "key")}
            return made(list(last), columns, str(group.attrs["names"]))

        return self._try(get, {})

    def _try(self, action: Callable[[Any], _Result], otherwise: _Result) -> _Result:
        """Do something with the file; where that fails, the file is set aside and a new one begun."""
        if self._file is None:
            return otherwise
        try:
            result = action(self._file)
        except _FAILURES as error:
            if self._beneath is None or self._beneath.error is None:
                self._set_aside(error)
                self._open()
                return otherwise
            result = otherwise
        if self._beneath is not None and self._beneath.error is not None:
            self.close()
        return result

    def _open(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.exists():
                try:
                    self._beneath = SteadyFile(self.path, "r+b")
                    self._file = _opened(self._beneath)
                    return
                except PermissionError:
                    raise
                except _FAILURES as error:
                    self._set_aside(error)
            # "latest" marks a file whose writer was killed; "fsm" uses the space of what is forgotten
            # again. No lock: the project file's keeps other processes out, and some network drives have none.
            self._beneath = SteadyFile(self.path, "w+b")
            self._file = h5py.File(
                self._beneath, "w", driver="fileobj", libver="latest", fs_strategy="fsm", fs_persist=True
            )
            self._file.attrs["format"] = _FORMAT
        except OSError as error:
            self._file = None
            self._let_go()
            self.problem = f"nothing is cached: {error}"

    def _let_go(self) -> None:
        """Close the file beneath; where the disk was full, it is of no use any more and makes room."""
        beneath, self._beneath = self._beneath, None
        if beneath is None:
            return
        beneath.close()
        if beneath.error is not None:
            self.problem = f"nothing is cached: {beneath.error.strerror or beneath.error}"
            with suppress(OSError):
                self.path.unlink(missing_ok=True)

    def _set_aside(self, error: Exception) -> None:
        """Move a file that cannot be used out of the way; the newest such file is kept for a look."""
        file, self._file = self._file, None
        self.problem = f"the cache was damaged and is built anew: {error}"
        if file is not None:
            with suppress(*_FAILURES):
                file.close()
        self._let_go()
        with suppress(OSError):
            self.path.replace(self.path.with_name(self.path.name + ".damaged"))


def _opened(beneath: SteadyFile) -> Any:
    file = h5py.File(beneath, "r+", driver="fileobj", libver="latest")
    if file.attrs.get("format") != _FORMAT:
        file.close()
        raise ValueError("not a cache of this version")
    return file


def _append(parent: Any, model_id: str, rows: dict[str, npt.NDArray[Any]], names: str) -> None:
    """Add rows to a model's table; it starts anew where the columns are others than before."""
    name = _name(model_id)
    group = parent.get(name)
    if group is not None and (
        set(group) != set(rows)
        or group.attrs["names"] != names
        or any(group[column].shape[1:] != values.shape[1:] for column, values in rows.items())
    ):
        del parent[name]
        group = None
    if group is None:
        group = parent.create_group(name)
        group.attrs["names"] = names
        for column, values in rows.items():
            shape = values.shape[1:]
            group.create_dataset(
                column, (0, *shape), values.dtype, maxshape=(None, *shape), chunks=(256, *shape), fletcher32=True
            )
    have = min(group[column].shape[0] for column in rows)  # a kill may have come between two columns
    for column, values in rows.items():
        group[column].resize(have + len(values), axis=0)
        group[column][have:] = values
    parent.attrs["writes"] = writes = int(parent.attrs.get("writes", 0)) + 1
    group.attrs["written"] = writes
    last = _last_rows(group)
    if have + len(rows["face"]) - len(last) > _STALE_ROWS:
        _compact(group, sorted(last.values()))


def _compact(group: Any, places: list[int]) -> None:
    for column in group:
        kept = group[column][()][places]
        group[column].resize(len(places), axis=0)
        group[column][()] = kept


def _last_rows(group: Any) -> dict[int, int]:
    """The newest row of each face."""
    return {int(face): place for place, face in enumerate(group["face"][()])}


def _forget_old(parent: Any) -> None:
    newest = sorted(parent, key=lambda name: -int(parent[name].attrs["written"]))
    for name in newest[KEEP_MODELS:]:
        del parent[name]


def _name(model_id: str) -> str:
    """A model's group: its id may hold a slash."""
    return _digest(model_id).tobytes().hex()


def _digest(text: str) -> npt.NDArray[np.uint8]:
    return np.frombuffer(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest(), np.uint8)
