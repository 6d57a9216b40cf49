"""Background work on image files: content hashes and thumbnails. Both end when nothing is left."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from time import monotonic

from scaf_gui.core.arrays import ByteArray
from scaf_gui.errors import FolderError, ImageError
from scaf_gui.session.events import HashesFound, ImagesMoved, Thumbnail

#: hashes are handed over after so many seconds, each time as one transaction
BATCH_SECONDS = 1.0
#: times of change that differ by less are the same; frames of a film may be written within milliseconds
CLOCK_SECONDS = 1e-4

#: content hash, size, time of change
Stamp = tuple[str, int, float]


def glance(
    folder: Path, image: str, on_read: Callable[[], object] = lambda: None
) -> tuple[ByteArray, tuple[int, int]] | None:
    """A large image of a project at a fraction of its size, see :func:`scaf_gui.io.images.glance`; on any thread."""
    from scaf_gui.io.images import glance

    return glance(folder / image, on_read)


def hash_images(
    folder: Path, images: Sequence[str], stamps: Mapping[str, Stamp]
) -> Generator[HashesFound | ImagesMoved, None, int]:
    """Look for images that are gone or have another content, then hash those without a stamp, in the given order.

    An image whose file has another size or time is read: where its content is another, the photo that was there may lie
    under another name now.

    :param stamps: (content hash, size, time of change) of the images hashed before
    :returns: how many were hashed; images that cannot be read are left out
    """
    from scaf_gui.io.folder import scan_images
    from scaf_gui.io.images import content_hash
    from scaf_gui.io.moved import find_moved

    if not folder.is_dir():
        return 0
    gone: list[str] = []
    changed: dict[str, Stamp] = {}
    same: dict[str, Stamp] = {}
    started = monotonic()
    for place, image in enumerate(images):
        now = _stamp(folder / image, stamps.get(image))
        if now is None:
            gone.append(image)
        elif image in stamps and now != stamps[image]:
            (same if now[0] == stamps[image][0] else changed)[image] = now
        if same and monotonic() - started > BATCH_SECONDS:
            yield HashesFound(same, len(images) - place - 1, folder)
            same, started = {}, monotonic()
    if same:
        yield HashesFound(same, 0, folder)
    if gone or changed:
        try:
            there = set(scan_images(folder))
        except FolderError:
            there = set()
        free = (there - set(images)) | set(changed)
        moved = find_moved([*gone, *changed], stamps, folder, free, changed)
        lost = tuple(image for image in gone if image not in moved)
        left = {image: stamp for image, stamp in changed.items() if image not in moved}
        yield ImagesMoved(moved, lost, left, folder)
    nowhere = set(gone)
    unknown = [image for image in images if image not in stamps and image not in nowhere]
    found: dict[str, Stamp] = {}
    count, started = 0, monotonic()
    for place, image in enumerate(unknown):
        try:
            status = (folder / image).stat()
            found[image] = (content_hash(folder / image), status.st_size, status.st_mtime)
        except (OSError, ImageError):
            continue
        if monotonic() - started > BATCH_SECONDS:
            count += len(found)
            yield HashesFound(found, len(unknown) - place - 1, folder)
            found, started = {}, monotonic()
    if found:
        count += len(found)
        yield HashesFound(found, 0, folder)
    return count


def _stamp(path: Path, known: Stamp | None) -> Stamp | None:
    """What a file is recognised by; its content is read only where size or time are not as known. ``None``: gone."""
    from scaf_gui.io.images import content_hash

    try:
        status = path.stat()
    except OSError:
        return None
    if known is None or (known[1] == status.st_size and abs(known[2] - status.st_mtime) < CLOCK_SECONDS):
        return known or ("", status.st_size, status.st_mtime)
    try:
        return content_hash(path), status.st_size, status.st_mtime
    except ImageError:
        return known  # it cannot be read just now


def thumbnails(folder: Path, wanted: Callable[[], Sequence[str]], side: int = 64) -> Generator[Thumbnail, None, int]:
    """Thumbnails of the images that ``wanted()`` names, first ones first; polled after each.

    Ends when all that is wanted has been yielded: ask for the visible rows, not for the folder, and memory
    stays small whatever the folder's size.

    :param wanted: relative paths; called on the worker's thread
    """
    from scaf_gui.io.images import thumbnail

    done: set[str] = set()
    while True:
        image = next((name for name in wanted() if name not in done), None)
        if image is None:
            return len(done)
        done.add(image)
        try:
            yield Thumbnail(image, thumbnail(folder / image, side))
        except ImageError as error:
            yield Thumbnail(image, None, str(error))
