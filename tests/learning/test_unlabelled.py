"""Order and views of unlabelled faces."""

from __future__ import annotations

import numpy as np
import pytest

from scaf_gui.core.arrays import ByteArray
from scaf_gui.learning.presets import Augmentation
from scaf_gui.learning.unlabelled import PUBLISHED_VIEWS, Batch, Order, Views


class Numbered:
    """Faces that are one colour each, so that a view tells which one it is of."""

    side = 102

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def face(self, number: int) -> tuple[ByteArray, tuple[int, int, int, int]]:
        image = np.zeros((102, 102, 3), np.uint8)
        image[10:90, 20:80] = (number, 100, 200)
        return image, (20, 10, 80, 90)


def numbers(batch: Batch) -> list[int]:
    return batch.clean[:, 32, 32, 0].tolist()


def same(a: Batch, b: Batch) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("clean", "shown", "real"))


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64, 1000])
def test_every_epoch_has_everything_once(count: int) -> None:
    order = Order(count, 3)
    epochs = [[order.at(epoch * count + place) for place in range(count)] for epoch in range(2)]
    assert all(sorted(epoch) == list(range(count)) for epoch in epochs)
    if count >= 64:
        assert epochs[0] != epochs[1] != sorted(epochs[1])
        assert [Order(count, 4).at(place) for place in range(count)] != epochs[0]
        # no neighbour stays beside its neighbour more than by chance
        assert sum(abs(a - b) == 1 for a, b in zip(epochs[0], epochs[0][1:], strict=False)) < 0.2 * count


def test_billions_of_faces_need_no_memory() -> None:
    order = Order(3_000_000_000, 0)
    assert len({order.at(place) for place in range(200)}) == 200


def test_views_are_a_function_of_the_step() -> None:
    faces = Numbered(40)
    views = Views(faces, 64, 6, Augmentation(light=0.2, erasing=1.0), 5, held_out=8)
    third = [views.batch(step) for step in range(3)][2]
    threaded = Views(faces, 64, 6, Augmentation(light=0.2, erasing=1.0), 5, held_out=8, workers=2)
    assert same(Views(faces, 64, 6, Augmentation(light=0.2, erasing=1.0), 5, held_out=8).batch(2), third)
    assert [same(threaded.batch(step), views.batch(step)) for step in range(3)] == [True] * 3
    threaded.close()
    assert not same(views.batch(3), third)


def test_processes_share_one_batch() -> None:
    faces = Numbered(40)
    whole = Views(faces, 64, 6, PUBLISHED_VIEWS, 5).batch(4)
    parts = [Views(faces, 64, 6, PUBLISHED_VIEWS, 5, share=(rank, 2)).batch(4) for rank in (0, 1)]
    assert np.array_equal(np.concatenate([part.shown for part in parts]), whole.shown)


def test_held_out_faces_are_never_learnt_from() -> None:
    views = Views(Numbered(40), 64, 8, PUBLISHED_VIEWS, 5, held_out=8)
    watched = set(numbers(views.held_out(8)))
    learnt = [number for step in range(8) for number in numbers(views.batch(step))]
    assert len(watched) == 8 and views.learnt_from == 32
    assert set(learnt[:32]) == set(range(40)) - watched and sorted(learnt[:32]) == sorted(learnt[32:])


def test_the_image_is_mirrored_where_it_ends_and_only_the_input_is_erased() -> None:
    views = Views(Numbered(40), 64, 8, Augmentation(erasing=1.0), 5)
    batch = views.batch(0)
    assert (batch.clean[..., 1] == 100).mean() > 0.99, "no black frame"
    assert 0.3 < (batch.real > 0).mean() < 0.99 and set(np.unique(batch.real)) == {0, 255}
    changed = (batch.shown != batch.clean).any(axis=3).mean(axis=(1, 2))
    assert (changed > 0).all() and (changed < 0.3).all()
    still = Views(Numbered(40), 64, 8, PUBLISHED_VIEWS, 5, held_out=4).held_out(4)
    assert np.array_equal(still.clean, still.shown)
    # 64 pixels show the middle 102 / 1.6 of the surroundings, so the 60 columns of the image take 60.2
    assert (still.real[0, 32] > 0).sum() == 60
