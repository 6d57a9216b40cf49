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


def glance(
    folder: Path, image: str, on_read: Callable[[], object] = lambda: None
) -> tuple[ByteArray, tuple[int, int]] | None:
    """A large image of a project at a fraction of its size, see :func:`scaf_gui.io.images.glance`; on any thread."""
    from scaf_gui.io.images import glance

    return glance(folder / image, on_read)


def hash_images(
    folder: Path, images: Sequence[str], stamps: Mapping[str, tuple[str, int, float]]
) -> Generator[HashesFound | ImagesMoved, None, int]:
    """Look for images that are gone, then hash those without a stamp, in the given order.

    :param stamps: (content hash, size, time of change) of the images hashed before
    :returns: how many were hashed; images that cannot be read are left out
    """
    from scaf_gui.io.folder import scan_images
    from scaf_gui.io.images import content_hash
    from scaf_gui.io.moved import find_moved

    if not folder.is_dir():
        return 0
    gone = [image for image in images if not (folder / image).exists()]
    if gone:
        try:
            there = scan_images(folder)
        except FolderError:
            there = ()
        moved = find_moved(gone, stamps, folder, set(there) - set(images))
        yield ImagesMoved(moved, tuple(image for image in gone if image not in moved))
    lost = set(gone)
    unknown = [image for image in images if image not in stamps and image not in lost]
    found: dict[str, tuple[str, int, float]] = {}
    count, started = 0, monotonic()
    for place, image in enumerate(unknown):
        try:
            status = (folder / image).stat()
            found[image] = (content_hash(folder / image), status.st_size, status.st_mtime)
        except (OSError, ImageError):
            continue
        if monotonic() - started > BATCH_SECONDS:
            count += len(found)
            yield HashesFound(found, len(unknown) - place - 1)
            found, started = {}, monotonic()
    if found:
        count += len(found)
        yield HashesFound(found, 0)
    return count


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
