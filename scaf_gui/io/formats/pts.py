"""300-W ``.pts``: one text file per face, 1-based coordinates. See docs/formats.md."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import Flag
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats import files
from scaf_gui.io.formats.base import FaceFormat, FaceState, Holds, LabelledFace, Unmatched, register, stem_of
from scaf_gui.io.formats.folder import ExportFolder
from scaf_gui.io.formats.problems import STRICT, Problems, each_file

_LARGEST = 4_000_000  # bytes; 68 landmarks take 1,600
_COMMENT = re.compile(r"\s*(//|#|%).*")
#: folders of the data sets that make up 300-W; loaders look for images and labels there
_OFFICIAL = re.compile(r"(?:.*/)?((?:afw|ibug|(?:helen|lfpw)/(?:trainset|testset))/[^/]+)", re.DOTALL)
_OFFICIAL_SPLITS = {"": "trainset", "train": "trainset", "val": "valset", "test": "testset"}


@register
class PtsFormat(FaceFormat):
    """300-W's format; it holds any number of landmarks, but no flags, boxes or attributes."""

    id = "300w"
    title = "300-W .pts"
    holds = Holds("one file per face", "1-based, six decimals")
    variants: ClassVar[Mapping[str, str]] = {
        "plain": "Folders as they are",
        "official": "Folders of 300-W (helen/trainset ...)",
        "merl-rav": "Occluded landmarks negative (MERL-RAV)",
    }
    image_folder = ""
    patterns = ("*.pts",)

    def save(
        self, folder: ExportFolder, faces: Iterable[LabelledFace], scheme: Scheme, split: str = "", variant: str = ""
    ) -> Iterator[None]:
        """``STEM.pts``, or ``STEM_1.pts``, ``STEM_2.pts`` where an image has several faces.

        Images that go with them are repeated per face, as in 300-W: ``STEM_1.jpg``, ``STEM_2.jpg``.
        """
        folder.keeps_earlier = True
        per_image = Counter(face.image for face in faces)
        finder = files.ImageFinder(list(per_image))
        for face in faces:
            reason = self.why_not(face, scheme)
            if variant == "merl-rav" and not reason and (face.points[face.flags == Flag.OCCLUDED] <= -1).any():
                reason = "an occluded landmark lies left of or above the image, where a sign says nothing"
            if folder.leaves_out(face, reason):
                continue
            single = per_image[face.image] == 1 and face.face_index == 1
            stem = _placed(face.stem, split, variant)
            wanted = stem + ("" if single else f"_{face.face_index}")
            name = _free_name(wanted, face, folder.taken)
            folder.taken.add(name.casefold())
            if name != wanted:
                folder.renamed[name + ".pts"] = face.image
            # "a_1.pts" may be of the first face of "a.jpg" or of "a_1.jpg": the mapping says which
            if not single or stem != face.stem or _image_of(name + ".pts", {}, finder)[0] != face.image:
                folder.mapped[name + ".pts"] = face.image
            points = face.points
            if variant == "merl-rav":
                points = np.where((face.flags == Flag.OCCLUDED)[:, None], -2.0 - points, points)
            folder.write(name + ".pts", pts_text(points).encode("ascii"))
            folder.image(face.image, name + "." + face.image.rpartition(".")[2])
            folder.count(face, self.holds.state)
            yield

    def scan(
        self, source: Path, scheme: Scheme, images: Sequence[str], problems: Problems = STRICT
    ) -> Iterator[LabelledFace | Unmatched]:
        """A ``.pts`` file, or all in a folder and below; the image is found by the file's name."""
        finder = files.ImageFinder(images)
        folder = source if source.is_dir() else source.parent
        names, states = files.read_names(folder), files.read_states(folder)
        used = Counter[str]()

        def of_file(path: Path) -> Iterator[LabelledFace | Unmatched]:
            name = path.relative_to(folder).as_posix()
            image, index, reason = _image_of(name, names, finder)
            if image is not None:
                used[image] += 1  # a face that cannot be read is one all the same
            points = read_pts(path, scheme.num_landmarks)
            if image is None:
                yield Unmatched(name, reason)
                return
            index = index or used[image]
            flags = np.zeros(len(points), np.uint8)
            face = LabelledFace(image, points, flags, face_index=index, where=name, named=_named(name, names, image))
            state = states.get((image, index), FaceState.REVIEWED)
            yield face if state is FaceState.REVIEWED else replace(face, state=state)

        yield from each_file(files.label_files(source, ".pts", ".pts file"), of_file, problems)


def _placed(stem: str, split: str, variant: str) -> str:
    """Where a face's file goes: by the name of its image, or in the folders that loaders of 300-W look into."""
    if variant != "official":
        return f"{split}/{stem}" if split else stem
    official = _OFFICIAL.fullmatch(stem)
    if official is not None:
        return official[1]
    return f"faces/{_OFFICIAL_SPLITS.get(split, split)}/{stem.replace('/', '_')}"


def pts_text(points: FloatArray) -> str:
    """The file of landmarks (num_landmarks, 2), image pixels, 0-based.

    LF, six decimals, 1-based, exactly ``num_landmarks + 4`` lines, nothing behind the closing brace:
    what the strictest readers want.
    """
    rows = [f"{x + 1:.6f} {y + 1:.6f}" for x, y in points.tolist()]
    return "\n".join(["version: 1", f"n_points:  {len(rows)}", "{", *rows, "}"])


def read_pts(path: Path, num_landmarks: int | None = None) -> FloatArray:
    """Landmarks (num_landmarks, 2) float64 of a ``.pts`` file, image pixels, 0-based.

    Lenient: comments, blank lines, CRLF, tabs, any number of decimals, no version line.

    :param num_landmarks: what the scheme has; ``None`` takes any number
    :raises LabelFileError: names the file and the line
    """
    lines = _meaningful(files.read_text(path, _LARGEST))
    announced: int | None = None
    for line, text in lines:
        key, _, value = text.partition(":")
        if text == "{":
            break
        if key.strip().lower() == "n_points":
            if not re.fullmatch(r"[0-9]{1,6}", value.strip()):
                raise LabelFileError("n_points needs a whole number", path, line)
            announced = int(value)
        elif key.strip().lower() != "version":
            raise LabelFileError("is not a .pts file: 'version:', 'n_points:' or '{' is wanted here", path, line)
    else:
        raise LabelFileError("is not a .pts file: it has no '{'", path)
    points = list(_rows(path, lines))
    for line, _ in lines:
        raise LabelFileError("has text behind the closing brace", path, line)
    if announced is not None and announced != len(points):
        raise LabelFileError(f"announces {announced} landmarks, but holds {len(points)}", path)
    if num_landmarks is not None and num_landmarks != len(points):
        raise LabelFileError(f"holds {len(points)} landmarks, the project's scheme has {num_landmarks}", path)
    return np.array(points, np.float64).reshape(-1, 2) - 1.0


def _rows(path: Path, lines: Iterator[tuple[int, str]]) -> Iterator[tuple[float, float]]:
    """The 1-based coordinates up to the closing brace."""
    line = 0
    for line, text in lines:
        if text == "}":
            return
        values = [files.number(field) for field in text.split()]
        if len(values) != 2:
            raise LabelFileError(f"has {len(values)} values where x and y are wanted", path, line)
        x, y = values
        if x is None or y is None:
            raise LabelFileError(f"'{text[:40]}' are no pixel coordinates", path, line)
        yield x, y
    raise LabelFileError("is truncated: the closing brace is missing", path, line or None)


def _meaningful(text: str) -> Iterator[tuple[int, str]]:
    """(1-based number, text) of the lines that are neither blank nor comments."""
    for line, raw in enumerate(text.split("\n"), 1):
        stripped = _COMMENT.sub("", raw).strip()
        if stripped:
            yield line, stripped


def _image_of(name: str, names: dict[str, str], finder: files.ImageFinder) -> tuple[str | None, int | None, str]:
    """(image, face index or None, reason): by the mapping file, the whole stem, the stem without ``_2``."""
    stem = name[: -len(".pts")]
    if name in names:
        image, reason = finder.by_path(names[name])
        own = re.escape(stem_of(names[name]).rpartition("/")[2])
        numbered = re.fullmatch(f"(?:.*[/_])?{own}_([1-9][0-9]{{0,3}})", stem, re.DOTALL)
        return image, int(numbered[1]) if numbered else None, reason
    image, reason = finder.by_stem(stem)
    if image is not None:
        return image, 1, ""
    several = re.fullmatch(r"(.+)_([1-9][0-9]{0,3})", stem, re.DOTALL)
    if several is not None:
        whole, _ = finder.by_stem(several[1])
        if whole is not None:
            return whole, int(several[2]), ""
    return None, None, reason


def _named(name: str, names: dict[str, str], image: str) -> str:
    """The image's own name where the file's agrees with it but for folders above the image's, and a number behind."""
    if name in names:
        return names[name]
    folder, _, _ = name.rpartition("/")
    last = image.rpartition("/")[2]
    return f"{folder}/{last}" if folder else last


def _free_name(wanted: str, face: LabelledFace, taken: set[str]) -> str:
    """The name itself, else with the image's suffix ("a_png"), else numbered; case does not tell names apart."""
    if wanted.casefold() not in taken:
        return wanted
    suffix = face.image.rpartition(".")[2]
    candidate, number = f"{wanted}_{suffix}", 1
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{wanted}_{suffix}-{number}"
    return candidate
