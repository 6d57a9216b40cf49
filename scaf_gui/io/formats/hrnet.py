"""HRNet's csv: one line per face with scale, centre and landmarks. See docs/formats.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path

import numpy as np

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import Box, BoxSource
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats import files
from scaf_gui.io.formats.base import FaceFormat, Holds, LabelledFace, Unmatched, register
from scaf_gui.io.formats.folder import ExportFolder, SafeNames
from scaf_gui.io.formats.problems import STRICT, Problems, each_file
from scaf_gui.io.formats.rows import csv_rows, csv_writer

#: a box of this many pixels has scale 1
_PIXELS = 200.0


@register
class HrnetFormat(FaceFormat):
    """HRNet's format; coordinates count as in the source set: from 0 in WFLW's 98 landmarks, else from 1."""

    id = "hrnet"
    title = "HRNet csv"
    holds = Holds("one line per face", "1-based (98 landmarks: 0-based), six decimals", box="squared")
    patterns = ("*.csv",)

    def save(
        self, folder: ExportFolder, faces: Iterable[LabelledFace], scheme: Scheme, split: str = "", variant: str = ""
    ) -> Iterator[None]:
        """``face_landmarks_SCHEME_SPLIT.csv``."""
        base = _base(scheme)
        used = Counter[str]()
        names = SafeNames(folder, (face.image for face in faces))
        name = f"face_landmarks_{scheme.id.split('-')[0]}_{split or 'train'}.csv"
        with TextIOWrapper(folder.open(name), "utf-8", newline="") as file:
            writer = csv_writer(file)
            writer.writerow(_header(scheme))
            for face in faces:
                if folder.leaves_out(face, self.why_not(face, scheme)):
                    continue
                x, y, width, height = face.box_or_tight()
                side, centre = max(width, height), (x + width / 2 + base, y + height / 2 + base)
                values = (face.points + base).ravel().tolist()
                safe = names.safe(face.image)
                writer.writerow([safe, f"{side / _PIXELS:.9f}", *(f"{value:.6f}" for value in (*centre, *values))])
                folder.image(face.image, f"{self.image_folder}/{safe}")
                used[face.image] += 1
                folder.count(face, self.holds.state, used[face.image])
                yield

    def scan(
        self, source: Path, scheme: Scheme, images: Sequence[str], problems: Problems = STRICT
    ) -> Iterator[LabelledFace | Unmatched]:
        finder = files.ImageFinder(images)
        base, wanted = _base(scheme), _header(scheme)
        used, start = Counter[str](), problems.count
        told = f"are wanted for {scheme.id}: name, scale, centre, {scheme.num_landmarks} landmarks"

        def of_file(path: Path) -> Iterator[LabelledFace | Unmatched]:
            names, states = files.read_names(path.parent), files.ListedStates(path, problems, start)
            rows = csv_rows(path, problems, len(wanted), told)
            line, header = next(rows, (1, []))
            if len(header) < 4 or header[:4] != wanted[:4]:
                raise LabelFileError(
                    f"is no csv of HRNet: its header has to begin with {','.join(wanted[:4])}", path, line
                )
            for line, row in rows:
                with problems:
                    points, box = _values(row, base, path, line)
                    name = files.checked_name(row[0], path, line)
                    named, where = names.get(name, name), files.place(path.name, line)
                    image, reason = finder.by_path(named)
                    if image is None:
                        yield Unmatched(where, f"{name}: {reason}")
                        continue
                    used[image] += 1
                    number, flags = used[image], np.zeros(len(points), np.uint8)
                    state = states.of(image, number, line)
                    yield LabelledFace(image, points, flags, box, None, number, state, where=where, named=named)

        yield from each_file(files.label_files(source, ".csv", "csv file"), of_file, problems)


def _values(row: list[str], base: float, path: Path, line: int) -> tuple[FloatArray, Box | None]:
    """Landmarks and box of a row, 0-based."""
    values = [files.number(field.strip()) for field in row[1:]]
    for field, value in enumerate(values, 2):
        if value is None:
            raise LabelFileError(f"field {field}, '{row[field - 1][:40]}', is no pixel coordinate", path, line)
    scale, *numbers = np.array(values, np.float64)
    points = np.array(numbers).reshape(-1, 2) - base
    side = scale * _PIXELS
    x, y = (points[0] - side / 2).tolist()
    return points[1:], Box(x, y, side, side, BoxSource.FILE) if side > 0 else None


def _base(scheme: Scheme) -> float:
    """What is added to the program's coordinates."""
    return 0.0 if scheme.num_landmarks == 98 else 1.0


def _header(scheme: Scheme) -> list[str]:
    places = [f"original_{place}_{axis}" for place in range(scheme.num_landmarks) for axis in "xy"]
    return ["image_name", "scale", "center_w", "center_h", *places]
