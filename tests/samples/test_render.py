"""The rendered faces: reproducible, well formed, and with landmarks where the picture shows them."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from scaf_gui.samples import render as render_module
from scaf_gui.samples.camera import camera_of
from scaf_gui.samples.curves import face_features
from scaf_gui.samples.identity import FaceSpec, draw_face_spec
from scaf_gui.samples.relief import face_relief
from scaf_gui.samples.render import RenderedFace, render_face

SEEDS = tuple(range(1000, 1011))


@lru_cache
def face_at(seed: int, size: int = 320) -> RenderedFace:
    return render_face(seed, size)


def spec_of(seed: int) -> FaceSpec:
    return draw_face_spec(np.random.default_rng(seed))


def patch_mean(image: NDArray[np.floating], point: NDArray[np.floating], radius: int = 1) -> NDArray[np.float64]:
    """Mean of a small square around a landmark, per channel."""
    x, y = (round(float(v)) for v in point)
    return np.asarray(image[y - radius : y + radius + 1, x - radius : x + radius + 1].mean(axis=(0, 1)), np.float64)


def test_same_seed_gives_the_same_face() -> None:
    again = render_face(SEEDS[0])
    first = face_at(SEEDS[0])
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.landmarks_98, again.landmarks_98)


def test_seeds_give_different_faces() -> None:
    first, second = face_at(SEEDS[0]), face_at(SEEDS[1])
    assert np.abs(first.image.astype(int) - second.image).mean() > 10
    assert np.abs(first.landmarks_98 - second.landmarks_98).max() > 3


def test_shapes_and_types() -> None:
    face = face_at(SEEDS[0], 200)
    assert face.image.shape == (200, 200, 3) and face.image.dtype == np.uint8
    assert face.landmarks_98.shape == (98, 2) and face.landmarks_98.dtype == np.float64
    assert face.landmarks_68.shape == (68, 2) and face.landmarks_68.dtype == np.float64


def test_98_to_68_is_the_documented_map() -> None:
    # Written out from the published correspondence, apart from the code under test.
    indices = [*range(0, 33, 2), 33, 34, 35, 36, 37, 42, 43, 44, 45, 46, *range(51, 60)]
    indices += [60, 61, 63, 64, 65, 67, 68, 69, 71, 72, 73, 75, *range(76, 96)]
    assert len(indices) == 68
    for seed in SEEDS:
        face = face_at(seed)
        assert np.array_equal(face.landmarks_68, face.landmarks_98[indices])


@pytest.mark.parametrize("seed", range(1000, 1040))
def test_geometry_is_a_face(seed: int) -> None:
    size = 320
    points = landmarks_of(seed, size)
    assert np.isfinite(points).all()
    assert points.min() >= 0 and points.max() <= size - 1
    left_eye, right_eye = points[60:68].mean(axis=0), points[68:76].mean(axis=0)
    across = right_eye - left_eye
    assert across[0] > 0.12 * size
    across /= np.linalg.norm(across)
    down = np.array([-across[1], across[0]])
    x, y = (points - left_eye) @ across, (points - left_eye) @ down

    assert np.all(np.diff(x[[33, 34, 35, 36, 37, 42, 43, 44, 45, 46]]) > 0), "brows run left to right"
    assert np.all(y[[34, 35, 36]] < y[[41, 40, 39]]), "the brow's upper edge is above its lower edge"
    assert np.all(y[[43, 44, 45]] < y[[49, 48, 47]])
    assert np.all(np.diff(y[51:55]) > 0), "the bridge runs from root to tip"
    assert np.all(np.diff(x[55:60]) > 0), "the nostrils run left to right"
    for first in (60, 68):
        assert x[first] < x[first + 2] < x[first + 4], "eyes start at the image's left corner"
        assert np.all(y[first + 1 : first + 4] <= y[[first + 7, first + 6, first + 5]] + 1e-6)
    assert np.all(np.diff(x[76:83]) > 0) and np.all(np.diff(x[[76, 87, 86, 85, 84, 83, 82]]) > 0)
    assert np.all(y[[78, 79, 80]] < y[[89, 90, 91]]), "outer upper lip above inner upper lip"
    assert np.all(y[[89, 90, 91]] <= y[[95, 94, 93]]) and np.all(y[[95, 94, 93]] < y[[86, 85, 84]])
    assert y[54] < y[57] < y[79] < y[85] < y[16], "tip, base of the nose, lips, chin"
    assert x[0] < x[60] and x[72] < x[32]
    steps = np.linalg.norm(np.diff(points[:33], axis=0), axis=1)
    for half in (steps[:16], steps[16:]):
        assert half.max() < 1.05 * half.min(), "contour points are evenly spread"


def landmarks_of(seed: int, size: int) -> NDArray[np.float64]:
    """The 98 landmarks of a seed without drawing the picture."""
    rng = np.random.default_rng(seed)
    spec = draw_face_spec(rng)
    features = face_features(spec)
    relief = face_relief(spec, features, rng)
    return render_module.project_landmarks(features, relief, camera_of(spec.pose), size)


def test_landmarks_without_drawing_are_the_rendered_ones() -> None:
    assert np.array_equal(landmarks_of(SEEDS[0], 320), face_at(SEEDS[0]).landmarks_98)


@pytest.mark.parametrize("seed", SEEDS[:3])
def test_sizes_agree_to_the_half_pixel(seed: int) -> None:
    small, large = face_at(seed, 160), face_at(seed, 320)
    assert np.allclose((small.landmarks_98 + 0.5) * 2 - 0.5, large.landmarks_98, atol=1e-9)
    # The pictures line up the same way: the large one averaged in 2x2 blocks is the small one,
    # better than shifted by a pixel of the large one.
    full = large.image.astype(np.float32)
    target = small.image.astype(np.float32)

    def difference(shift: int) -> float:
        moved = np.roll(full, (shift, shift), (0, 1))
        halved = cv2.resize(moved, (160, 160), interpolation=cv2.INTER_AREA)
        return float(np.abs(halved - target)[4:-4, 4:-4].mean())

    assert difference(0) < 3.0
    assert difference(0) < 0.8 * min(difference(-1), difference(1))


def test_pupils_lie_on_the_dark_of_the_eye() -> None:
    checked = 0
    for seed in SEEDS:
        if spec_of(seed).expression.eye_closure > 0.2:
            continue
        face = face_at(seed)
        gray = cv2.GaussianBlur(cv2.cvtColor(face.image, cv2.COLOR_RGB2GRAY), (0, 0), 1.0).astype(float)
        for pupil, first in ((96, 60), (97, 68)):
            eye = face.landmarks_98[first : first + 8]
            at = face.landmarks_98[pupil]
            width = float(np.linalg.norm(eye[4] - eye[0]))
            mask = np.zeros(gray.shape, np.uint8)
            cv2.fillPoly(mask, [np.round(eye).astype(np.int32)], 1)
            inside = np.argwhere(mask > 0)[:, ::-1]
            values = gray[inside[:, 1], inside[:, 0]]
            near = np.linalg.norm(inside - at, axis=1) < 0.2 * width
            assert values[near].mean() < values[~near].mean()
            checked += 1
    assert checked >= 16


def test_lip_landmarks_lie_on_the_edge_of_the_red() -> None:
    gains = []
    for seed in SEEDS:
        face = face_at(seed)
        image = cv2.GaussianBlur(face.image, (0, 0), 0.8).astype(np.float64)
        points = face.landmarks_98
        for outer, inner in ((78, 89), (80, 91), (86, 95), (84, 93)):
            inwards = points[inner] - points[outer]
            inwards /= np.linalg.norm(inwards)
            red = [
                (mean[0] - mean[1]) / mean.sum()
                for mean in (patch_mean(image, points[outer] + step * inwards, 1) for step in (-3.0, 3.0))
            ]
            gains.append(red[1] - red[0])
    gains_array = np.array(gains)
    assert (gains_array > 0).mean() > 0.9
    assert np.median(gains_array) > 0.03


@pytest.mark.parametrize("seed", [1000, 1003, 1004, 1005, 1007, 1008])
def test_contour_is_the_visible_edge_of_the_face(seed: int) -> None:
    size = 512
    rng = np.random.default_rng(seed)
    spec = draw_face_spec(rng)
    features = face_features(spec)
    relief = face_relief(spec, features, rng)
    camera = camera_of(spec.pose)
    mesh, front = render_module._head_mesh(features, relief)
    contour = render_module.project_landmarks(features, relief, camera, size)[:33]
    low = (front > 0) & (mesh.vertices[:, 1] > 1.0)
    pixels = camera.project(camera.pose_head(mesh.vertices[low]), size)
    top = np.array([contour[32] - (0, 300), contour[0] - (0, 300)])
    polygon = np.concatenate([contour, top]).astype(np.float32)
    outside = [-cv2.pointPolygonTest(polygon, (float(x), float(y)), True) for x, y in pixels]
    assert max(outside) < 2.5, "no point of the face lies beyond its contour"
    reached = np.linalg.norm(contour[2:31, None] - pixels[None], axis=2).min(axis=1)
    assert reached.max() < 6.0, "and the contour lies on the face"


def test_all_skin_tones_and_expressions_occur() -> None:
    specs = [spec_of(seed) for seed in range(1000, 1200)]
    lightness = np.array([np.mean(spec.style.skin) for spec in specs])
    assert lightness.min() < 0.35 and lightness.max() > 0.78
    assert 0.1 < np.mean([spec.expression.mouth_open > 0.3 for spec in specs]) < 0.7
    assert 0.01 < np.mean([spec.expression.eye_closure > 0.5 for spec in specs]) < 0.2
    yaw = np.degrees([spec.pose.yaw for spec in specs])
    assert yaw.min() < -20 and yaw.max() > 20 and np.abs(yaw).max() <= 30
