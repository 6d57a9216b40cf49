"""The label check: each rule finds its slip, names it, and is silent on rendered faces as they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scaf_gui.core.calibration import Calibration, Signal
from scaf_gui.core.check import RULES, Subject, check, subject_of, version
from scaf_gui.core.face import Author, Flag, Label
from scaf_gui.core.foreseen import Foreseen
from scaf_gui.core.scheme import Scheme, load_scheme, parse_scheme
from scaf_gui.core.shape import shape_model
from scaf_gui.core.typical import Typical, reference_of, typical_of
from scaf_gui.paths import resource_folder
from scaf_gui.samples.render import render_face

FACES = 40


@pytest.fixture(scope="module")
def scheme() -> Scheme:
    return load_scheme(resource_folder() / "schemes" / "300w-68.json")


@pytest.fixture(scope="module")
def faces() -> list[np.ndarray]:
    """Mixtures of a few rendered faces, squeezed, and placed by a careful hand."""
    rng = np.random.default_rng(1)
    base = np.array([render_face(300 + number, 64).landmarks_68 for number in range(5)], dtype=np.float64)
    mixed = np.einsum("fb,blc->flc", rng.dirichlet(np.ones(5), FACES), base)
    squeezed = mixed * rng.uniform(0.85, 1.0, (FACES, 1, 2))
    return list(squeezed + rng.normal(0, 0.15, squeezed.shape))


@pytest.fixture(scope="module")
def typical(faces: list[np.ndarray], scheme: Scheme) -> Typical:
    made = typical_of(faces, scheme)
    assert made is not None
    return made


@pytest.fixture
def subject(faces: list[np.ndarray], scheme: Scheme, typical: Typical) -> Subject:
    return Subject(scheme, faces[0], np.zeros(68, np.uint8), (64, 64), typical, 0)


def rules(subject: Subject) -> set[str]:
    return {finding.rule for finding in check(subject)}


def moved(subject: Subject, landmark: int, dx: float, dy: float) -> Subject:
    points = subject.points.copy()
    points[landmark] += (dx, dy)
    return replace(subject, points=points)


def test_true_labels_are_left_alone(subject: Subject, faces: list[np.ndarray]) -> None:
    flagged = [n for n, points in enumerate(faces) if rules(replace(subject, points=points, member=n)) - {"outside"}]
    assert len(flagged) <= 1


def eyes_exchanged(points: np.ndarray, scheme: Scheme) -> np.ndarray:
    broken = points.copy()
    both = list(range(36, 48))
    broken[both] = points[[scheme.flip[i] for i in both]]
    return broken


@pytest.mark.parametrize("known", ["typical", "reference"])
def test_exchanged_eyes_are_named(subject: Subject, faces: list[np.ndarray], known: str) -> None:
    if known == "reference":
        subject = replace(subject, typical=None, reference=reference_of(faces[1:4], subject.scheme))
    broken = replace(subject, points=eyes_exchanged(subject.points, subject.scheme))
    found = check(broken)
    assert [(f.rule, set(f.landmarks)) for f in found] == [("swapped", set(range(36, 48)))]
    assert found[0].reason.startswith("Left eye and right eye")
    assert "%" in found[0].reason


def test_a_mirrored_label_is_swapped_as_a_whole(subject: Subject) -> None:
    broken = replace(subject, points=subject.points[list(subject.scheme.flip)])
    found = check(broken)
    assert found[0].rule == "swapped"
    assert found[0].reason.startswith("All left landmarks")


def test_a_turned_face_is_no_slip(subject: Subject) -> None:
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    assert rules(replace(subject, points=3 * subject.points @ turn.T + 500, size=None)) == set()


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("one", "other"), [(4, 5), (36, 37), (18, 19), (41, 36), (0, 1), (51, 52)])
def test_exchanged_neighbours(subject: Subject, one: int, other: int, known: bool) -> None:
    points = subject.points.copy()
    points[[one, other]] = points[[other, one]]
    found = check(replace(subject, points=points, typical=subject.typical if known else None))
    if 36 in (one, other) and not known:
        return  # an eye of a few pixels: only the usual shape tells
    assert found and {one, other} & {landmark for finding in found for landmark in finding.landmarks}


def test_landmarks_on_one_place(subject: Subject) -> None:
    points = subject.points.copy()
    points[20] = points[19]
    found = [finding for finding in check(replace(subject, points=points)) if finding.rule == "coincident"]
    assert found[0].landmarks == (19, 20)
    assert "0.0 % apart" in found[0].reason


def test_lips_may_touch(subject: Subject, typical: Typical) -> None:
    points = subject.points.copy()
    points[[61, 62, 63]] = points[[67, 66, 65]]
    assert "coincident" not in rules(replace(subject, points=points))


def test_a_curve_that_crosses_itself() -> None:
    names = [f"rim_{number}" for number in range(8)]
    rim = {"name": "rim", "landmarks": list(range(8)), "closed": True}
    scheme = parse_scheme({"id": "rim", "landmarks": names, "groups": [rim]})
    angles = np.arange(8) * np.pi / 4
    points = 100 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    flags = np.zeros(8, np.uint8)
    assert check(Subject(scheme, points, flags)) == ()
    points[[0, 1, 2]] *= -0.6  # folded through the other side
    found = check(Subject(scheme, points, flags))
    assert [finding.rule for finding in found] == ["crossing"]
    assert "crosses rim" in found[0].reason


def test_a_landmark_far_off_is_named_with_its_distance(subject: Subject) -> None:
    unit = float(np.linalg.norm(subject.points[36] - subject.points[45]))
    (finding,) = check(moved(subject, 30, 0.3 * unit, 0))
    assert (finding.rule, finding.landmarks) == ("unusual", (30,))
    shown = int(finding.reason.split("lies ")[1].split(" %")[0])
    assert 20 <= shown <= 40


def sure_of(subject: Subject) -> Subject:
    """All placed by hand, where a prediction that is sure has them."""
    middle = subject.points - subject.points.mean(axis=0)
    shape = shape_model(middle / np.sqrt((middle**2).sum(axis=1).mean()), subject.scheme.flip)
    calibration = Calibration(np.array([np.log(3.0), 0.0, 0.0, 0.0]), np.zeros(68), 0.3)
    foreseen = Foreseen(subject.points, Signal(np.ones(68), 1.0), calibration, shape)
    return replace(subject, typical=None, size=None, placed=np.ones(68, bool), foreseen=foreseen)


def test_from_the_first_face_on_a_landmark_far_from_a_sure_prediction_is_named(subject: Subject) -> None:
    sure = sure_of(subject)
    unit = float(np.linalg.norm(subject.points[36] - subject.points[45]))
    assert rules(sure) == set()
    (finding,) = check(moved(sure, 30, 0.25 * unit, 0))
    assert (finding.rule, finding.landmarks) == ("surprising", (30,))
    assert " is 2" in finding.reason
    assert finding.reason.endswith(" %)")
    assert rules(moved(replace(sure, foreseen=None), 30, 0.25 * unit, 0)) == set()
    assert rules(moved(replace(sure, placed=None), 30, 0.25 * unit, 0)) == set()
    flags = sure.flags.copy()
    flags[30] = Flag.MISSING
    assert rules(moved(replace(sure, flags=flags), 30, 0.25 * unit, 0)) == set()


def test_a_slip_is_told_once(subject: Subject) -> None:
    sure = replace(sure_of(subject), typical=subject.typical)
    unit = float(np.linalg.norm(subject.points[36] - subject.points[45]))
    assert [finding.rule for finding in check(moved(sure, 30, 0.3 * unit, 0))] == ["unusual"]


def test_a_prediction_that_is_far_off_itself_is_not_held_against_anybody(subject: Subject) -> None:
    sure = sure_of(subject)
    assert sure.foreseen is not None
    rng = np.random.default_rng(3)
    elsewhere = sure.foreseen.points + rng.normal(0, 12, (68, 2))
    wrong = replace(sure, foreseen=replace(sure.foreseen, points=elsewhere))
    assert "surprising" not in rules(wrong)


def test_outside_counts_only_while_it_is_not_flagged(subject: Subject) -> None:
    far = moved(replace(subject, typical=None), 8, 0, 200)
    assert "outside" in rules(far)
    flags = far.flags.copy()
    flags[8] = Flag.OCCLUDED
    assert "outside" not in rules(replace(far, flags=flags))
    assert "outside" not in rules(replace(far, size=None))


@pytest.mark.parametrize(("seconds", "hasty"), [(0.4, True), (1.0, False), (None, False)])
def test_haste(subject: Subject, seconds: float | None, hasty: bool) -> None:
    assert ("hasty" in rules(replace(subject, seconds=seconds))) == hasty


def test_missing_landmarks_are_neither_judged_nor_in_the_way(subject: Subject) -> None:
    points = subject.points.copy()
    points[60:68] = np.nan
    assert rules(replace(subject, points=points)) == set()
    assert check(replace(subject, points=np.full((68, 2), np.nan))) == ()


def test_broken_labels_do_not_hide_each_other(faces: list[np.ndarray], scheme: Scheme, subject: Subject) -> None:
    broken = [points.copy() for points in faces]
    for points in broken[:3]:
        points[30] += (0.4 * np.linalg.norm(points[36] - points[45]), 0)
    typical = typical_of(broken, scheme)
    for number in range(3):
        found = check(replace(subject, points=broken[number], typical=typical, member=number))
        assert any(30 in finding.landmarks for finding in found)


def test_few_faces_and_tiny_schemes_say_nothing(faces: list[np.ndarray], scheme: Scheme) -> None:
    assert typical_of(faces[:19], scheme) is None
    one = parse_scheme({"id": "one", "landmarks": ["tip"]})
    assert typical_of([np.zeros((1, 2))] * 50, one) is None
    assert check(Subject(one, np.zeros((1, 2)), np.zeros(1, np.uint8), (10, 10))) == ()


def test_every_shipped_scheme_can_be_checked() -> None:
    rng = np.random.default_rng(0)
    for path in sorted((resource_folder() / "schemes").glob("*.json")):
        scheme = load_scheme(path)
        shape = rng.normal(0, 50, (scheme.num_landmarks, 2))
        shapes = [shape + rng.normal(0, 0.5, shape.shape) for _ in range(30)]
        flags = np.zeros(len(shape), np.uint8)
        for finding in check(Subject(scheme, shapes[0], flags, (100, 100), typical_of(shapes, scheme), 0)):
            assert finding.rule in RULES
            assert finding.reason[0].isupper() or finding.reason[0].isdigit()


def test_the_version_follows_points_and_flags(subject: Subject) -> None:
    first = version(subject.points, subject.flags)
    assert version(subject.points.copy(), subject.flags.copy()) == first
    assert version(moved(subject, 3, 0.01, 0).points, subject.flags) != first
    flags = subject.flags.copy()
    flags[3] = Flag.OCCLUDED
    assert version(subject.points, flags) != first


def test_a_label_is_checked_without_its_missing_landmarks(scheme: Scheme, faces: list[np.ndarray]) -> None:
    label = Label.from_points(faces[0], Author.now("me")).with_flag(5, Flag.MISSING)
    assert np.isnan(subject_of(label, scheme).points[5]).all()
