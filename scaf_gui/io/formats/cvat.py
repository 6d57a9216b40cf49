"""CVAT for images 1.1: skeletons in one XML file; coordinates count from the corner of a pixel. See docs/formats.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from scaf_gui.core.arrays import ByteArray, FloatArray
from scaf_gui.core.face import ATTRIBUTES, Attributes, Box, BoxSource, Flag, as_attributes
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats import files
from scaf_gui.io.formats.base import FaceFormat, FaceState, Holds, LabelledFace, Unmatched, register
from scaf_gui.io.formats.folder import ExportFolder, SafeNames
from scaf_gui.io.formats.marks import by_landmark
from scaf_gui.io.formats.problems import STRICT, Problems, each_file
from scaf_gui.io.formats.xml import Element, elements

#: what the corner of the top-left pixel is away from its centre
_CORNER = 0.5
#: who drew a shape, in CVAT's words
_SOURCES = {"manual": FaceState.REVIEWED, "semi-auto": FaceState.STARTED, "auto": FaceState.PREDICTED}
FACE, BOX = "face", "face_box"


@register
class CvatFormat(FaceFormat):
    """A skeleton per face and, in the same group, its box; a missing landmark is "outside"."""

    id = "cvat"
    title = "CVAT for images 1.1"
    holds = Holds(
        "one XML file",
        "from the pixel's corner (+0.5), six decimals",
        box="yes",
        occluded=True,
        missing=True,
        attributes=True,
        state=True,
    )
    needs_size = True
    patterns = ("*.xml",)

    def save(
        self, folder: ExportFolder, faces: Iterable[LabelledFace], scheme: Scheme, split: str = "", variant: str = ""
    ) -> Iterator[None]:
        """``annotations.xml``."""
        names = SafeNames(folder, (face.image for face in faces))
        with folder.open(f"annotations{'_' * bool(split)}{split}.xml") as file:
            file.write(b'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n')
            file.write(_labels(scheme).encode("utf-8"))
            count = 0
            for image, group in files.by_image(faces):
                shapes = []
                for face in group:
                    if folder.leaves_out(face, self.why_not(face, scheme)):
                        continue
                    shapes.append(_shapes(face, scheme))
                    folder.count(face, self.holds.state)
                    yield
                if shapes:
                    name = names.safe(image)
                    folder.image(image, f"{self.image_folder}/{name}")
                    width, height = group[0].image_size or (0, 0)
                    head = f'  <image id="{count}" name={quoteattr(name)} width="{width}" height="{height}">'
                    file.write("\n".join([head, *shapes, "  </image>", ""]).encode("utf-8"))
                    count += 1
            file.write(b"</annotations>\n")

    def scan(
        self, source: Path, scheme: Scheme, images: Sequence[str], problems: Problems = STRICT
    ) -> Iterator[LabelledFace | Unmatched]:
        finder = files.ImageFinder(images)

        def of_image(path: Path, names: dict[str, str], element: Element) -> Iterator[LabelledFace | Unmatched]:
            name = files.checked_name(element.attributes.get("name"), path, element.line)
            named = names.get(name, name)
            image, reason = finder.by_path(named)
            where = files.place(path.name, element.line)
            if image is None:
                yield Unmatched(where, f"{name}: {reason}")
                return
            boxes = {child.attributes["group_id"]: child for child in element.children if _is_of_group(child)}
            skeletons = [child for child in element.children if child.tag == "skeleton"]
            for number, skeleton in enumerate(skeletons, 1):
                with problems:
                    face = _face(path, image, number, skeleton, boxes, scheme)
                    yield replace(face, named=named) if isinstance(face, LabelledFace) else face
            if not skeletons:
                yield Unmatched(where, f"{name}: no skeleton is drawn in it")

        def of_file(path: Path) -> Iterator[LabelledFace | Unmatched]:
            names = files.read_names(path.parent)
            for element in elements(path, "annotations", "image"):
                with problems:
                    yield from of_image(path, names, element)

        yield from each_file(files.label_files(source, ".xml", "XML file of CVAT"), of_file, problems)


def _labels(scheme: Scheme) -> str:
    """The labels that a task needs which is to take the file in."""
    points = "".join(
        f"<label><name>{escape(name)}</name><type>points</type><parent>{FACE}</parent></label>" for name in scheme.names
    )
    attributes = "".join(
        f"<attribute><name>{name}</name><mutable>False</mutable><input_type>checkbox</input_type>"
        "<default_value>false</default_value><values>false</values></attribute>"
        for name in ATTRIBUTES
    )
    return (
        f"  <meta><task><name>{escape(scheme.title)}</name><labels><label><name>{FACE}</name><type>skeleton</type>"
        f"<attributes>{attributes}</attributes></label>{points}<label><name>{BOX}</name><type>rectangle</type>"
        "</label></labels></task></meta>\n"
    )


def _shapes(face: LabelledFace, scheme: Scheme) -> str:
    source = next(source for source, state in _SOURCES.items() if state is face.state)
    group = f'group_id="{face.face_index}"'
    lines = [f'    <skeleton label="{FACE}" source="{source}" z_order="0" {group}>']
    gone = set(face.missing)
    for place, (x, y) in enumerate(face.points.tolist()):
        occluded, outside = int(face.flags[place] == Flag.OCCLUDED), int(place in gone)
        at = "0.00,0.00" if outside else f"{x + _CORNER:.6f},{y + _CORNER:.6f}"
        lines.append(
            f'      <points label={quoteattr(scheme.names[place])} source="{source}" outside="{outside}" '
            f'occluded="{occluded}" points="{at}"></points>'
        )
    for name, value in zip(ATTRIBUTES, face.attributes or (), strict=False):
        lines.append(f'      <attribute name="{name}">{str(value).lower()}</attribute>')
    lines.append("    </skeleton>")
    if face.plain_box is not None:
        x, y, width, height = face.box_or_tight()
        corners = zip(("xtl", "ytl", "xbr", "ybr"), (x, y, x + width, y + height), strict=True)
        placed = " ".join(f'{key}="{value + _CORNER:.6f}"' for key, value in corners)
        lines.append(f'    <box label="{BOX}" source="{source}" occluded="0" {placed} z_order="0" {group}></box>')
    return "\n".join(lines)


def _is_of_group(shape: Element) -> bool:
    """Whether it is the box of a face, whose skeleton is in the same group."""
    return shape.tag == "box" and bool(shape.attributes.get("group_id"))


def _box(path: Path, shape: Element | None) -> Box | None:
    if shape is None:
        return None
    values = [files.number(shape.attributes.get(key, "")) for key in ("xtl", "ytl", "xbr", "ybr")]
    if None in values:
        raise LabelFileError("has a box without its four corners", path, shape.line)
    x0, y0, x1, y1 = (value or 0.0 for value in values)
    if x1 <= x0 or y1 <= y0:
        return None
    return Box(x0 - _CORNER, y0 - _CORNER, x1 - x0, y1 - y0, BoxSource.FILE)


def _face(
    path: Path, image: str, number: int, skeleton: Element, boxes: dict[str, Element], scheme: Scheme
) -> LabelledFace | Unmatched:
    where = files.place(path.name, skeleton.line)
    marks = by_landmark([child for child in skeleton.children if child.tag == "points"], "label", scheme, path)
    if not marks:
        return Unmatched(where, "the skeleton has no points")
    points = np.full((scheme.num_landmarks, 2), np.nan)
    flags = np.full(scheme.num_landmarks, Flag.MISSING, np.uint8)
    for landmark, mark in marks.items():
        if mark.attributes.get("outside") != "1":
            _put(points, flags, landmark, mark, path)
    group = skeleton.attributes.get("group_id", "")
    index = int(group) if group.isascii() and group.isdigit() and 0 < len(group) < 5 and int(group) else number
    state = _SOURCES.get(skeleton.attributes.get("source", ""), FaceState.REVIEWED)
    box = _box(path, boxes.get(group))
    return LabelledFace(image, points, flags, box, _attributes(skeleton), index, state, where=where)


def _put(points: FloatArray, flags: ByteArray, landmark: int, mark: Element, path: Path) -> None:
    values = [files.number(value) for value in mark.attributes.get("points", "").split(",")]
    if len(values) != 2 or None in values:
        text = mark.attributes.get("points", "")[:40]
        raise LabelFileError(f"'{text}' are no pixel coordinates", path, mark.line)
    points[landmark] = np.array(values, np.float64) - _CORNER
    flags[landmark] = Flag.OCCLUDED if mark.attributes.get("occluded") == "1" else Flag.VISIBLE


def _attributes(skeleton: Element) -> Attributes | None:
    told = {
        child.attributes.get("name"): child.text.strip().lower() == "true"
        for child in skeleton.children
        if child.tag == "attribute"
    }
    return as_attributes([told[name] for name in ATTRIBUTES]) if set(ATTRIBUTES) <= set(told) else None
