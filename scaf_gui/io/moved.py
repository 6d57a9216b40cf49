"""Finding images again whose folder was moved, renamed or sorted anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from scaf_gui.errors import ImageError
from scaf_gui.io.images import content_hash

#: of an image file: content hash, size in bytes, time of change
Stamp = tuple[str, int, float]


def find_moved(
    known: Iterable[str],
    stamps: Mapping[str, Stamp],
    folder: Path,
    images: Iterable[str],
    changed: Collection[str] = (),
) -> dict[str, str]:
    """Where the project's images are now.

    An image that is still at its relative path stays, unless the file there has another size than
    the one that was labelled; the others are looked for by content: files of equal size are hashed.

    :param known: relative paths in the project
    :param stamps: what is known of their content; images without a stamp are found by path only
    :param images: relative paths there are in ``folder`` now
    :param changed: of the known ones, those whose file is known to have another content now
    :returns: old path to new path, of those that moved
    """
    sizes = {name: _size(folder / name) for name in sorted(images)}
    known = list(known)
    stays = {
        name
        for name in known
        if name in sizes and name not in changed and (name not in stamps or sizes[name] == stamps[name][1])
    }
    lost = [name for name in known if name not in stays and name in stamps]
    wanted = {stamps[name][1] for name in lost}
    by_hash: dict[str, list[str]] = defaultdict(list)
    for name, size in sizes.items():
        if size in wanted and name not in stays:
            try:
                by_hash[content_hash(folder / name)].append(name)
            except ImageError:
                continue
    moved = {}
    for name in lost:
        if found := by_hash[stamps[name][0]]:
            moved[name] = found.pop(0)
    return {old: new for old, new in moved.items() if old != new}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
