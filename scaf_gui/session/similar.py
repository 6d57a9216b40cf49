"""Near-identical photos: found in the background, remembered in the project, skipped together."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from scaf_gui.core.document import Document
from scaf_gui.core.edits import Edit, skip_all
from scaf_gui.core.face import Face, State
from scaf_gui.errors import ImageError
from scaf_gui.session.events import SimilarFound

if TYPE_CHECKING:
    from scaf_gui.session.prefill import CacheDoor

#: the key under which the project remembers them
SIMILAR = "similar"
#: how often progress is told, seconds
TELL_SECONDS = 0.5
#: fingerprints are written to the cache so many at a time
WRITE_EVERY = 256


class Similar:
    """Which photos look alike. Main thread only; ``on_change`` is called when they have been found anew.

    :param known: what the project remembers of the last time; what has changed since is found in the background
    """

    def __init__(self, document: Document, known: Mapping[str, Any] | None = None):
        self._document = document
        self._group_of: dict[str, tuple[str, ...]] = {}
        self.on_change: Callable[[], None] | None = None
        self.take(_groups(known))

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Groups of at least two images."""
        return tuple(dict.fromkeys(self._group_of.values()))

    def others(self, image: str) -> tuple[str, ...]:
        """The photos that are near-identical to one, without itself."""
        return tuple(name for name in self._group_of.get(image, ()) if name != image)

    def take(self, groups: Iterable[tuple[str, ...]]) -> None:
        self._group_of = {image: group for group in groups for image in group}
        if self.on_change is not None:
            self.on_change()

    def skip_others(self, image: str) -> Edit | None:
        """The edit that skips the photos near-identical to one; of their faces only those that nobody has begun.

        ``None``: there are none.
        """
        return _skip(face for name in self.others(image) for face in self._document.beside(name))

    def skip_all(self, order: Sequence[int] = ()) -> Edit | None:
        """The edit that leaves one photo of each group: one that a person has worked on, else the first to come.

        :param order: face ids as they wait in the queue
        """
        rank = {face_id: place for place, face_id in enumerate(order)}
        faces: list[Face] = []
        for group in self.groups:
            kept = min(group, key=lambda image: self._claim(image, rank))
            faces += [face for image in group if image != kept for face in self._document.beside(image)]
        return _skip(faces)

    def _claim(self, image: str, rank: Mapping[int, int]) -> tuple[bool, int, str]:
        faces = self._document.beside(image)
        begun = any(face.label is not None or face.state in (State.STARTED, State.LABELLED) for face in faces)
        return not begun, min((rank.get(face.id, len(rank)) for face in faces), default=len(rank)), image


def _skip(faces: Iterable[Face]) -> Edit | None:
    waiting = [face for face in faces if face.state is State.UNLABELLED and face.label is None]
    count = len({face.image for face in waiting})
    return skip_all(waiting, f"Skip {count} near-identical photo{'' if count == 1 else 's'}")


def find_similar(
    folder: Path, images: Mapping[str, int], cache: CacheDoor, before: Mapping[str, Any] | None = None
) -> Generator[SimilarFound, None, tuple[tuple[str, ...], ...]]:
    """Fingerprint the images that the cache does not know, then compare all; returns the groups.

    Images that cannot be read are left out: others say so. Yields progress (``groups`` is ``None``), then the groups.

    :param images: every image of the project and the id of one of its faces
    :param before: what the project remembers of the last time; it holds where no image is another
    """
    from scaf_gui.io.similar import WORDS, file_fingerprint, group_alike

    if not folder.is_dir():
        return ()
    keys: dict[int, str] = {}
    names: dict[int, str] = {}
    for image, face_id in images.items():
        try:
            status = (folder / image).stat()
        except OSError:
            continue
        keys[face_id], names[face_id] = f"{image}:{status.st_size}:{status.st_mtime_ns}", image
    with cache.open() as file:
        known = file.fingerprints(keys)
    unknown = [face_id for face_id in names if face_id not in known]
    fresh: dict[int, np.ndarray[tuple[int], np.dtype[np.uint64]]] = {}
    told = monotonic()
    for place, face_id in enumerate(unknown, start=1):
        try:
            fresh[face_id] = file_fingerprint(folder / names[face_id])
        except (ImageError, OSError):
            continue
        if len(fresh) >= WRITE_EVERY:
            known |= _keep(cache, fresh, keys)
            fresh = {}
        if monotonic() - told > TELL_SECONDS:
            yield SimilarFound(None, len(unknown) - place)
            told = monotonic()
    known |= _keep(cache, fresh, keys)
    ids = [face_id for face_id in names if face_id in known]
    table = np.array([known[face_id] for face_id in ids], np.uint64).reshape(-1, WORDS)
    of = _digest([keys[face_id] for face_id in ids], table)
    if before is not None and before.get("of") == of:
        groups = _groups(before)
        yield SimilarFound(groups, 0, of)
        return groups
    compared = group_alike(table)
    while True:
        try:
            next(compared)
        except StopIteration as end:
            places: tuple[tuple[int, ...], ...] = end.value
            break
        if monotonic() - told > TELL_SECONDS:
            yield SimilarFound(None, 0)
            told = monotonic()
    groups = tuple(tuple(names[ids[place]] for place in group) for group in places)
    yield SimilarFound(groups, 0, of)
    return groups


def _groups(known: Mapping[str, Any] | None) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(group) for group in known["groups"]) if known is not None else ()


def _digest(keys: Sequence[str], table: np.ndarray[tuple[int, int], np.dtype[np.uint64]]) -> str:
    """Of names, sizes, times and fingerprints of the images compared."""
    state = blake2b(table.tobytes(), digest_size=16)
    for key in keys:
        state.update(key.encode("utf-8", "surrogatepass") + b"\n")
    return state.hexdigest()


def _keep(
    cache: CacheDoor, fresh: dict[int, np.ndarray[tuple[int], np.dtype[np.uint64]]], keys: Mapping[int, str]
) -> dict[int, np.ndarray[tuple[int], np.dtype[np.uint64]]]:
    with cache.open() as file:
        file.put_fingerprints(fresh, keys)
    return fresh
