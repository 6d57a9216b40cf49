"""Conversion between schemes, and the registry."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pytest

from scaf_gui.core.face import Flag
from scaf_gui.core.scheme import Scheme, parse_scheme
from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats import LabelledFace, convert_faces, formats, register
from scaf_gui.io.formats.pts import PtsFormat


def test_formats_are_registered_once() -> None:
    known = formats()
    assert set(known) >= {"300w", "wflw"}
    assert all(key == format_.id and format_.title for key, format_ in known.items())
    with pytest.raises(ValueError, match="two label formats"):
        register(PtsFormat)


def test_98_landmarks_as_68(scheme_98: Scheme, scheme_68: Scheme) -> None:
    """The table of docs/formats.md."""
    points = np.arange(196.0).reshape(98, 2)
    (face,) = convert_faces([LabelledFace("a.jpg", points, np.zeros(98, np.uint8))], scheme_98, scheme_68)
    wanted = [*range(0, 33, 2), *range(33, 38), *range(42, 47), *range(51, 60)]
    wanted += [60, 61, 63, 64, 65, 67, 68, 69, 71, 72, 73, 75, *range(76, 96)]
    assert (face.points == points[wanted]).all()
    assert (face.flags == Flag.VISIBLE).all()


def test_flags_follow_the_landmarks_they_belong_to(scheme_98: Scheme, scheme_68: Scheme, five: Scheme) -> None:
    points, flags = np.ones((98, 2)), np.zeros(98, np.uint8)
    points[4], flags[4] = np.nan, Flag.MISSING
    flags[6] = Flag.OCCLUDED
    points[5] = np.nan
    (face,) = convert_faces([LabelledFace("a.jpg", points, flags)], scheme_98, scheme_68)
    assert face.missing == (2,), "landmark 5 has no part in it"
    assert face.flags[:5].tolist() == [0, 0, Flag.MISSING, Flag.OCCLUDED, 0]
    assert np.isfinite(np.delete(face.points, 2, axis=0)).all()
    points, flags = np.ones((68, 2)), np.zeros(68, np.uint8)
    flags[37], points[40] = Flag.OCCLUDED, np.nan
    (mixed,) = convert_faces([LabelledFace("a.jpg", points, flags)], scheme_68, five)
    assert mixed.missing == (0,), "an eye's centre needs all of its landmarks"
    assert mixed.flags.tolist() == [Flag.MISSING, 0, 0, 0, 0]


def test_schemes_that_do_not_lead_to_each_other(scheme_68: Scheme) -> None:
    four: Mapping[str, object] = json.loads('{"id": "four", "landmarks": ["a", "b", "c", "d"]}')
    with pytest.raises(LabelFileError, match="four cannot be converted to 300w-68"):
        convert_faces([], parse_scheme(four), scheme_68)


def test_a_face_keeps_its_own_arrays() -> None:
    points = np.zeros((2, 2))
    face = LabelledFace("d/a.b.jpg", points, np.array([0, 2], np.uint8))
    points[0] = 7
    assert face.points[0].tolist() == [0, 0]
    assert face.stem == "d/a.b"
    assert face.missing == (1,)
    with pytest.raises(ValueError, match="read-only"):
        face.points[0] = 1
