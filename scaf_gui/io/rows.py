"""Faces to and from rows of the project file."""

from __future__ import annotations

import sqlite3
from typing import Any

import numpy as np

from scaf_gui.core.face import ATTRIBUTES, Author, Box, BoxSource, Face, Label, State, as_attributes

COLUMNS = (
    "id, image, box_x, box_y, box_width, box_height, box_source, box_confidence, "
    "points, flags, placed, author, written, based_on, attributes, state"
)
SELECT = f"SELECT {COLUMNS} FROM face ORDER BY id"
_MARKS = ", ".join("?" * len(COLUMNS.split(",")))
INSERT = f"INSERT INTO face ({COLUMNS}) VALUES ({_MARKS})"
REPLACE = f"INSERT OR REPLACE INTO face ({COLUMNS}) VALUES ({_MARKS})"

Row = tuple[Any, ...]


def text_in(text: str) -> str | bytes:
    """Text for SQLite, which holds UTF-8 only: file names that are none become bytes."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def text_out(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "surrogatepass")


def to_row(face: Face) -> Row:
    """The values of a face in the order of :data:`COLUMNS`."""
    box, label = face.box, face.label
    box_values: Row = (None,) * 6
    label_values: Row = (None,) * 6
    if box is not None:
        box_values = (*map(float, (box.x, box.y, box.width, box.height)), str(box.source), float(box.confidence))
    if label is not None:
        label_values = (
            label.points.astype("<f8").tobytes(),
            label.flags.tobytes(),
            label.placed.tobytes(),
            text_in(label.author.who),
            text_in(label.author.when),
            text_in(label.based_on),
        )
    bits = sum(1 << place for place, value in enumerate(face.attributes) if value)
    return (int(face.id), text_in(face.image), *box_values, *label_values, bits, str(face.state))


def from_row(row: Row | sqlite3.Row) -> Face:
    """A face from the values of :data:`COLUMNS`; raises ``ValueError`` or ``EditError`` for broken ones."""
    face_id, image, x, y, width, height, source, confidence, points, flags, placed, who, when, model, bits, state = row
    box = None if source is None else Box(x, y, width, height, BoxSource(source), confidence)
    label = None
    if points is not None:
        label = Label(
            np.frombuffer(points, "<f8").reshape(-1, 2),
            np.frombuffer(flags, np.uint8),
            np.frombuffer(placed, np.uint8).astype(np.bool_),
            Author(text_out(who), text_out(when)),
            text_out(model),
        )
    attributes = as_attributes(bool(bits >> place & 1) for place in range(len(ATTRIBUTES)))
    return Face(face_id, text_out(image), box, label, attributes, State(state))
