from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from scaf_gui.core.geometry import Square, crop_transform, transform
from scaf_gui.core.scheme import Scheme
from scaf_gui.learning import examples as examples_module
from scaf_gui.learning.augmentation import change_light, erase, random_affine
from scaf_gui.learning.crops import cut_crop
from scaf_gui.learning.examples import Example, Shuffler, Surroundings, random_views
from scaf_gui.learning.presets import Augmentation

STILL = Augmentation(flip=0.0, degrees=0.0, shift=0.0, scale=(1.0, 1.0), shear=0.0)
MIRROR = replace(STILL, flip=1.0)


def test_without_augmentation_a_view_is_the_crop(faces: Any, scheme: Scheme) -> None:
    surroundings = Surroundings(faces.examples, faces.read, 128)
    views = random_views(surroundings, [0, 3], scheme.flip, STILL, np.random.default_rng(0))
    assert views.crops.shape == (2, 128, 128, 3) and views.crops.dtype == np.uint8
    for place, index in enumerate((0, 3)):
        example = faces.examples[index]
        expected = transform(crop_transform(example.square, 128), example.points)
        assert np.abs(views.points_crop[place] - expected).max() < 1e-3
        crop = cut_crop(faces.read(example.image), example.square, 128)
        assert np.abs(views.crops[place].astype(int) - crop).mean() < 4


def test_a_mirrored_view_swaps_left_and_right_landmarks(faces: Any, scheme: Scheme) -> None:
    surroundings = Surroundings(faces.examples, faces.read, 128)
    plain = random_views(surroundings, [1], scheme.flip, STILL, np.random.default_rng(0))
    mirrored = random_views(surroundings, [1], scheme.flip, MIRROR, np.random.default_rng(0))
    back = mirrored.points_crop[0][list(scheme.flip)]
    assert np.abs(np.stack([127 - back[:, 0], back[:, 1]], 1) - plain.points_crop[0]).max() < 1e-3
    assert np.abs(mirrored.crops[0][:, ::-1].astype(int) - plain.crops[0]).mean() < 1
    assert mirrored.points_crop[0, 36, 0] < mirrored.points_crop[0, 45, 0], "the left eye is still on the left"


def test_the_flip_permutation_carries_what_is_known(scheme: Scheme, faces: Any) -> None:
    known = np.ones(68, bool)
    known[36] = False
    points = faces.examples[0].points.copy()
    points[36] = np.nan
    example = replace(faces.examples[0], known=known, points=points)
    surroundings = Surroundings([example], faces.read, 128)
    views = random_views(surroundings, [0], scheme.flip, MIRROR, np.random.default_rng(0))
    assert np.flatnonzero(~views.known[0]).tolist() == [scheme.flip[36]] == [45]
    assert np.isfinite(views.points_crop).all()


def test_random_views_follow_the_picture() -> None:
    """A bright spot stays under its landmark through turn, shift, scale, shear and flip."""
    image = np.zeros((200, 200, 3), np.uint8)
    spots = np.array([[80.0, 90.0], [120.0, 95.0], [100.0, 130.0]])
    rows, columns = np.indices((200, 200))
    values = sum(np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8) for x, y in spots)
    image[:] = (values * 255).clip(0, 255).astype(np.uint8)[..., None]
    example = Example("spots", Square(100.0, 100.0, 100.0), spots, np.ones(3, bool))
    augmentation = Augmentation()
    surroundings = Surroundings([example], lambda _: image, 128)
    rng = np.random.default_rng(2)
    for _ in range(20):
        views = random_views(surroundings, [0], (0, 1, 2), augmentation, rng)
        for x, y in views.points_crop[0]:
            column, row = round(float(x)), round(float(y))
            around = views.crops[0, row - 1 : row + 2, column - 1 : column + 2]
            assert around.max() > 150


def test_each_image_is_read_once(faces: Any, scheme: Scheme) -> None:
    reads: list[str] = []

    def read(name: str) -> np.ndarray:
        reads.append(name)
        return faces.read(name)

    surroundings = Surroundings(faces.examples, read, 128)
    for _ in range(3):
        random_views(surroundings, range(6), scheme.flip, STILL, np.random.default_rng(0))
    assert sorted(reads) == sorted(faces.images)


def test_beyond_the_memory_budget_surroundings_are_packed(monkeypatch: pytest.MonkeyPatch, faces: Any) -> None:
    raw = Surroundings(faces.examples, faces.read, 128)
    monkeypatch.setattr(examples_module, "_RAW_BUDGET", 0)
    packed = Surroundings(faces.examples, faces.read, 128)
    packed.surrounding(0)
    kept = packed._kept[0]
    assert isinstance(kept, bytes) and len(kept) < raw.surrounding(0).nbytes / 4
    assert np.abs(packed.surrounding(0).astype(int) - raw.surrounding(0)).mean() < 3


def test_shuffler_shows_every_face_once_per_epoch() -> None:
    shuffler = Shuffler(5, np.random.default_rng(0))
    taken = shuffler.take(7) + shuffler.take(8)
    assert [sorted(taken[at : at + 5]) for at in (0, 5, 10)] == [[0, 1, 2, 3, 4]] * 3


def test_affine_stays_within_its_ranges() -> None:
    rng = np.random.default_rng(0)
    augmentation = Augmentation(shear=0.0)
    for _ in range(200):
        matrix, mirrored = random_affine(256, 128, 160.0, augmentation, rng)
        scale = np.sqrt(abs(np.linalg.det(matrix[:, :2]))) / (128 / 160)
        assert 0.85 <= scale <= 1.15
        assert (np.linalg.det(matrix[:, :2]) < 0) == mirrored
        centre = matrix[:, :2] @ np.full(2, 127.5) + matrix[:, 2]
        assert np.abs(centre - 63.5).max() <= 0.06 * 128 + 1e-9


def test_light_and_erasing_leave_their_argument_alone() -> None:
    crop = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    before = crop.copy()
    crop.setflags(write=False)
    strong = Augmentation(light=0.5, gray=1.0, blur=1.0, erasing=1.0)
    rng = np.random.default_rng(1)
    changed = erase(change_light(crop, strong, rng), strong, rng)
    assert np.array_equal(crop, before) and changed.shape == crop.shape and not np.array_equal(changed, before)
