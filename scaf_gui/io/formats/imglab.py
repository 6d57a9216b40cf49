"""dlib's imglab XML: whole-pixel boxes and parts, 0-based. See docs/formats.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from scaf_gui.core.face import Box, BoxSource, Flag
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats import files
from scaf_gui.io.formats.base import FaceFormat, FaceState, Holds, LabelledFace, Unmatched, register
from scaf_gui.io.formats.folder import ExportFolder, SafeNames
from scaf_gui.io.formats.marks import by_landmark
from scaf_gui.io.formats.problems import STRICT, Problems, each_file
from scaf_gui.io.formats.xml import Element, elements

_HEAD = "<?xml version='1.0' encoding='UTF-8'?>\n<dataset>\n<name>{}</name>\n<images>\n"
_TAIL = "</images>\n</dataset>\n"


@register
class ImglabFormat(FaceFormat):
    """dlib's data sets for ``train_shape_predictor``; a missing landmark is left out."""

    id = "dlib"
    title = "dlib imglab XML"
    holds = Holds("one XML file", "0-based, whole pixels", box="whole pixels", exact=False, missing=True, state=True)
    patterns = ("*.xml",)

    def save(
        self, folder: ExportFolder, faces: Iterable[LabelledFace], scheme: Scheme, split: str = "", variant: str = ""
    ) -> Iterator[None]:
        """``labels.xml``; part names are numbers padded with zeros, as dlib sorts them as text."""
        digits = len(str(scheme.num_landmarks - 1))
        names = SafeNames(folder, (face.image for face in faces))
        prefix = f"{self.image_folder}/" if folder.with_images else ""
        with folder.open(f"labels{'_' * bool(split)}{split}.xml") as file:
            file.write(_HEAD.format(escape(scheme.title)).encode("utf-8"))
            for image, group in files.by_image(faces):
                boxes = []
                for face in group:
                    if folder.leaves_out(face, self.why_not(face, scheme)):
                        continue
                    boxes.append(_box(face, digits))
                    folder.count(face, self.holds.state)
                    yield
                if boxes:
                    name = names.safe(image)
                    folder.image(image, f"{self.image_folder}/{name}")
                    lines = [f"  <image file={quoteattr(prefix + name)}>", *boxes, "  </image>", ""]
                    file.write("\n".join(lines).encode("utf-8"))
            file.write(_TAIL.encode("ascii"))

    def scan(
        self, source: Path, scheme: Scheme, images: Sequence[str], problems: Problems = STRICT
    ) -> Iterator[LabelledFace | Unmatched]:
        finder = files.ImageFinder(images)

        def of_image(path: Path, names: dict[str, str], element: Element) -> Iterator[LabelledFace | Unmatched]:
            file = files.checked_name(element.attributes.get("file"), path, element.line)
            known = names.get(file) or names.get(file.removeprefix(f"{self.image_folder}/"))
            image, reason = finder.by_path(known or file)
            if image is None:
                yield Unmatched(files.place(path.name, element.line), f"{file}: {reason}")
                return
            boxes = [child for child in element.children if child.tag == "box"]
            for number, box in enumerate(boxes, 1):
                with problems:
                    face = _face(path, image, number, box, scheme)
                    yield replace(face, named=known or file) if isinstance(face, LabelledFace) else face

        def of_file(path: Path) -> Iterator[LabelledFace | Unmatched]:
            names = files.read_names(path.parent)
            for element in elements(path, "dataset", "image"):
                with problems:
                    yield from of_image(path, names, element)

        yield from each_file(files.label_files(source, ".xml", "XML file of imglab"), of_file, problems)


def _box(face: LabelledFace, digits: int) -> str:
    x, y, width, height = face.box_or_tight()
    lines = [
        f"    <box top='{round(y)}' left='{round(x)}' width='{max(round(width), 1)}' height='{max(round(height), 1)}'>"
    ]
    if face.state is not FaceState.REVIEWED:
        lines.append(f"      <label>{face.state}</label>")
    gone = set(face.missing)
    lines += [
        f"      <part name='{place:0{digits}}' x='{round(x)}' y='{round(y)}'/>"
        for place, (x, y) in enumerate(face.points.tolist())
        if place not in gone
    ]
    return "\n".join([*lines, "    </box>"])


def _face(path: Path, image: str, number: int, box: Element, scheme: Scheme) -> LabelledFace | Unmatched:
    where = files.place(path.name, box.line)
    parts = by_landmark([part for part in box.children if part.tag == "part"], "name", scheme, path)
    if not parts:
        return Unmatched(where, "the box has no landmarks")
    points = np.full((scheme.num_landmarks, 2), np.nan)
    for landmark, part in parts.items():
        values = [files.number(part.attributes.get(axis, "")) for axis in ("x", "y")]
        if None in values:
            raise LabelFileError(f"the part '{part.attributes['name'][:40]}' has no pixel coordinates", path, part.line)
        points[landmark] = values
    sides = [files.number(box.attributes.get(key, "")) for key in ("left", "top", "width", "height")]
    x, y, width, height = (np.nan if side is None else side for side in sides)
    if not (width > 0 and height > 0 and np.isfinite(x + y)):
        raise LabelFileError("has a box without left, top, and a positive width and height", path, box.line)
    flags = np.where(np.isnan(points[:, 0]), Flag.MISSING, Flag.VISIBLE).astype(np.uint8)
    label = next((child.text.strip() for child in box.children if child.tag == "label"), "")
    state = FaceState(label) if label in set(FaceState) else FaceState.REVIEWED
    return LabelledFace(
        image, points, flags, Box(x, y, width, height, BoxSource.FILE), None, number, state, where=where
    )
