"""The shipped schemes are right, and a scheme of a user's own is checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaf_gui import paths
from scaf_gui.core.scheme import Group, Scheme, load_scheme, parse_scheme
from scaf_gui.errors import SchemeError

FOLDER = paths.resource_folder() / "schemes"
SHIPPED = {path.stem: load_scheme(path) for path in sorted(FOLDER.glob("*.json"))}
ALL = pytest.mark.parametrize("scheme", SHIPPED.values(), ids=SHIPPED.keys())
ALIASES = [(scheme, SHIPPED[other]) for scheme in SHIPPED.values() for other in scheme.aliases]

#: 98 to 68 points as published: contour, brows, nose, left eye, right eye, mouth
WFLW_TO_300W = [
    *range(0, 33, 2),
    *range(33, 38),
    *range(42, 47),
    *range(51, 60),
    *(60, 61, 63, 64, 65, 67),
    *(68, 69, 71, 72, 73, 75),
    *range(76, 96),
]


def test_these_are_shipped() -> None:
    counts = {name: scheme.num_landmarks for name, scheme in SHIPPED.items()}
    assert counts == {"300w-68": 68, "five-5": 5, "scut-86": 86, "wflw-98": 98}


@ALL
def test_a_file_is_named_as_its_scheme(scheme: Scheme) -> None:
    assert scheme.id in SHIPPED and scheme.title


@ALL
def test_every_landmark_is_in_exactly_one_group(scheme: Scheme) -> None:
    members = [landmark for group in scheme.groups for landmark in group.landmarks]
    assert sorted(members) == list(range(scheme.num_landmarks))


@ALL
def test_names_tell_the_group_and_the_place_in_it(scheme: Scheme) -> None:
    for group in scheme.groups:
        for place, landmark in enumerate(group.landmarks):
            assert scheme.names[landmark] in (group.name, f"{group.name}_{place:02d}")


@ALL
def test_mirroring_twice_changes_nothing(scheme: Scheme) -> None:
    assert sorted(scheme.flip) == list(range(scheme.num_landmarks))
    assert [scheme.flip[i] for i in scheme.flip] == list(range(scheme.num_landmarks))


@ALL
def test_mirroring_swaps_left_and_right_names(scheme: Scheme) -> None:
    swap = {"left": "right", "right": "left"}
    for landmark, mirrored in enumerate(scheme.flip):
        side = scheme.names[landmark].split("_")[0]
        assert scheme.names[mirrored].split("_")[0] == swap.get(side, side)


@ALL
def test_mirroring_keeps_curves_and_corners(scheme: Scheme) -> None:
    assert {scheme.flip[i] for i in scheme.corners} == scheme.corners
    edges = {frozenset(edge) for edge in scheme.edges}
    assert {frozenset(scheme.flip[i] for i in edge) for edge in edges} == edges


@ALL
def test_neighbours_of_a_mirrored_landmark_are_mirrored(scheme: Scheme) -> None:
    for landmark in range(scheme.num_landmarks):
        here = {i if i is None else scheme.flip[i] for i in scheme.neighbours(landmark)}
        assert here == set(scheme.neighbours(scheme.flip[landmark]))


@ALL
def test_the_normaliser_is_a_mirrored_pair(scheme: Scheme) -> None:
    assert scheme.normaliser is not None
    assert scheme.flip[scheme.normaliser[0]] == scheme.normaliser[1]


def test_outer_eye_corners_normalise() -> None:
    assert SHIPPED["300w-68"].normaliser == (36, 45)
    assert SHIPPED["wflw-98"].normaliser == (60, 72)


@ALL
def test_edges_join_neighbours_on_curves(scheme: Scheme) -> None:
    segments = {frozenset(segment) for group in scheme.groups for segment in group.segments()}
    edges = {frozenset(edge) for edge in scheme.edges}
    assert edges == segments if segments else edges
    assert all(len(edge) == 2 for edge in edges)


@pytest.mark.parametrize(("target", "source"), ALIASES, ids=lambda scheme: scheme.id)
def test_aliases_are_weighted_means(target: Scheme, source: Scheme) -> None:
    matrix = target.matrix_from(source)
    assert matrix is not None and matrix.shape == (target.num_landmarks, source.num_landmarks)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, rtol=0, atol=1e-12)
    assert (matrix >= 0).all()


@pytest.mark.parametrize(("target", "source"), ALIASES, ids=lambda scheme: scheme.id)
def test_aliases_commute_with_mirroring(target: Scheme, source: Scheme) -> None:
    matrix = target.matrix_from(source)
    assert matrix is not None
    mirrored = matrix[np.ix_(target.flip, source.flip)]
    differs = np.abs(mirrored - matrix).sum(axis=1) > 1e-9
    assert not differs.any(), [target.names[i] for i in np.flatnonzero(differs)]


def test_98_to_68_points_as_published() -> None:
    matrix = SHIPPED["300w-68"].matrix_from(SHIPPED["wflw-98"])
    assert matrix is not None
    assert matrix.argmax(axis=1).tolist() == WFLW_TO_300W
    assert ((matrix == 0) | (matrix == 1)).all()


def test_68_to_98_and_back_gives_the_68_again() -> None:
    there = SHIPPED["wflw-98"].matrix_from(SHIPPED["300w-68"])
    back = SHIPPED["300w-68"].matrix_from(SHIPPED["wflw-98"])
    assert there is not None and back is not None
    np.testing.assert_allclose(back @ there, np.eye(68), atol=1e-12)


def test_a_scheme_is_its_own_alias_and_reaches_no_stranger() -> None:
    for scheme in SHIPPED.values():
        own = scheme.matrix_from(scheme)
        assert own is not None and np.array_equal(own, np.eye(scheme.num_landmarks))
    assert SHIPPED["scut-86"].matrix_from(SHIPPED["300w-68"]) is None


@pytest.mark.parametrize(
    ("landmark", "slides"),
    [(8, (7, 9)), (0, None), (16, None), (19, (18, 20)), (37, (36, 38)), (41, (40, 36)), (36, None), (33, None)],
)
def test_which_landmarks_of_300w_are_right_anywhere_along_their_curve(
    landmark: int, slides: tuple[int, int] | None
) -> None:
    assert SHIPPED["300w-68"].slides(landmark) == slides


def test_pupils_have_no_neighbours() -> None:
    assert SHIPPED["wflw-98"].neighbours(96) == (None, None)
    assert SHIPPED["wflw-98"].slides(97) is None


# --- a scheme of one's own -------------------------------------------------------------------------


def own(**changes: Any) -> dict[str, Any]:
    """The example of docs/schemes.md, changed; ``None`` takes a key away."""
    text = (paths.resource_folder().parent / "docs" / "schemes.md").read_text(encoding="utf-8")
    data = json.loads(text.split("```json\n")[1].split("```")[0]) | changes
    return {key: value for key, value in data.items() if value is not None}


def test_the_documented_example_works() -> None:
    scheme = parse_scheme(own())
    assert scheme.num_landmarks == 7
    assert scheme.groups[2] == Group("mouth", (4, 5, 6), closed=True)
    assert scheme.edges == ((0, 1), (2, 3), (4, 5), (5, 6), (6, 4))
    assert scheme.flip == (3, 2, 1, 0, 6, 5, 4)
    matrix = scheme.matrix_from(SHIPPED["300w-68"])
    assert matrix is not None and matrix.argmax(axis=1).tolist() == [36, 39, 42, 45, 48, 51, 54]


def test_only_id_and_landmarks_are_needed() -> None:
    scheme = parse_scheme({"id": "one", "landmarks": ["tip"]})
    assert (scheme.title, scheme.groups, scheme.edges, scheme.flip) == ("one", (), (), (0,))
    assert scheme.normaliser is None and scheme.face_box == (0, 0, 1)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"id": None}, "needs 'id'"),
        ({"landmarks": None}, "needs 'landmarks'"),
        ({"landmarks": []}, "at least one"),
        ({"landmarks": ["a", "b", "a"]}, "same name"),
        ({"format": 2}, "newer version"),
        ({"groups": [{"name": "mouth", "landmarks": [4, 7]}]}, "group 'mouth' names landmark 7, but there are only 7"),
        ({"groups": [{"name": "mouth", "landmarks": [-1]}]}, "landmark -1"),
        ({"groups": [{"name": "mouth", "landmarks": [1.5]}]}, "not a whole number"),
        ({"groups": [{"landmarks": [1]}]}, "name"),
        ({"corners": [99]}, "a corner names landmark 99"),
        ({"edges": [[0, 9]]}, "an edge names landmark 9"),
        ({"edges": [[0, 1, 2]]}, "not a landmark scheme"),
        ({"flip_pairs": [[0, 3], [3, 1]]}, "two flip pairs"),
        ({"flip_pairs": [[0, 50]]}, "a flip pair names landmark 50"),
        ({"normaliser": [0, 0]}, "two different"),
        ({"normaliser": [0, 7]}, "the normaliser names landmark 7"),
        ({"normaliser": [0]}, "not a landmark scheme"),
        ({"face_box": [0, 1]}, "not a landmark scheme"),
        ({"aliases": {"x": [1, 2]}}, "2 entries for 7 landmarks"),
        ({"aliases": {"x": [0, 1, 2, 3, 4, 5, -6]}}, "entry 6 of the alias to x names landmark -6"),
        ({"aliases": {"x": [0, 1, 2, 3, 4, 5, [[6, 0.5], [7, 0.4]]]}}, "add up to 0.9, not 1"),
        ({"aliases": {"x": [0, 1, 2, 3, 4, 5, [[6, float("nan")]]]}}, "add up to nan, not 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_said_with_the_name_of_the_file(changes: dict[str, Any], says: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(own(**changes)), encoding="utf-8")
    with pytest.raises(SchemeError) as caught:
        load_scheme(path)
    message = str(caught.value)
    assert message.startswith(str(path)) and says in message and "\n" not in message
    assert message.count(str(path)) == 1 and caught.value.path == path


@pytest.mark.parametrize("content", ["[1, 2]", "3", '"text"', "null", "[]"])
def test_json_that_is_no_scheme(content: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SchemeError, match="scheme"):
        load_scheme(path)


def test_a_file_that_is_not_json_is_named_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text('{\n  "id": "x",\n  oops\n}', encoding="utf-8")
    with pytest.raises(SchemeError, match=r"mine\.json, line 3: is not JSON") as caught:
        load_scheme(path)
    assert caught.value.line == 3


def test_a_file_that_is_not_text_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SchemeError, match="not UTF-8"):
        load_scheme(path)
    with pytest.raises(SchemeError, match="cannot be read"):
        load_scheme(tmp_path / "gone.json")


def test_an_alias_past_the_end_of_the_other_scheme() -> None:
    scheme = parse_scheme(own(aliases={"five-5": [0, 1, 2, 3, 4, 4, 5]}))
    with pytest.raises(SchemeError, match="landmark 6 of eyes-and-mouth names landmark 5 of five-5"):
        scheme.matrix_from(SHIPPED["five-5"])


def test_weights_are_made_to_add_up_exactly() -> None:
    scheme = parse_scheme({"id": "x", "landmarks": ["a"], "aliases": {"300w-68": [[[36, 0.33333], [39, 0.66667]]]}})
    matrix = scheme.matrix_from(SHIPPED["300w-68"])
    assert matrix is not None and matrix.sum() == pytest.approx(1.0, abs=1e-15)


# --- curves of the same names ----------------------------------------------------------------------


def curve(scheme_id: str, count: int, *, closed: bool, lone: bool = False) -> Scheme:
    group = {"name": "line", "landmarks": list(range(count)), "closed": closed, "curve": not lone}
    return parse_scheme({"id": scheme_id, "landmarks": [f"p{i}" for i in range(count)], "groups": [group]})


@given(st.integers(1, 30), st.integers(2, 30))
def test_open_curves_are_interpolated_evenly(have: int, count: int) -> None:
    matrix = curve("a", count, closed=False).matrix_from(curve("b", have + 1, closed=False))
    assert matrix is not None
    places = matrix @ np.arange(have + 1.0)
    np.testing.assert_allclose(places, np.linspace(0, have, count), atol=1e-9)
    np.testing.assert_allclose(matrix.sum(axis=1), 1)


@given(st.integers(3, 30), st.integers(1, 30))
def test_closed_curves_are_interpolated_all_round(have: int, count: int) -> None:
    matrix = curve("a", count, closed=True).matrix_from(curve("b", have, closed=True))
    assert matrix is not None
    angles = 2 * np.pi * np.arange(have) / have
    ring = matrix @ np.stack([np.cos(angles), np.sin(angles)], axis=1)
    turned = np.arctan2(ring[:, 1], ring[:, 0]) - 2 * np.pi * np.arange(count) / count
    off = (turned + np.pi) % (2 * np.pi) - np.pi
    np.testing.assert_allclose(off, 0, atol=2 * np.pi / have / 8)
    np.testing.assert_allclose(matrix.sum(axis=1), 1)


def test_what_curves_do_not_reach() -> None:
    five = curve("a", 5, closed=False)
    assert five.matrix_from(curve("b", 7, closed=True)) is None
    assert five.matrix_from(curve("b", 1, closed=False)) is None
    assert five.matrix_from(curve("b", 5, closed=False, lone=True)) is None
    assert curve("a", 5, closed=False, lone=True).matrix_from(curve("b", 6, closed=False, lone=True)) is None
    bare = parse_scheme({"id": "bare", "landmarks": ["x"]})
    assert bare.matrix_from(five) is None


def test_points_alone_are_copied() -> None:
    lone = curve("a", 3, closed=False, lone=True).matrix_from(curve("b", 3, closed=False, lone=True))
    assert lone is not None and np.array_equal(lone, np.eye(3))


def test_one_landmark_stands_at_the_start_of_the_curve() -> None:
    matrix = curve("a", 1, closed=False).matrix_from(curve("b", 5, closed=False))
    assert matrix is not None and matrix.tolist() == [[1, 0, 0, 0, 0]]
