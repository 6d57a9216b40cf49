"""Whatever happens to the queue, no face gets lost, and those set aside come last."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaf_gui.core.queue import ONE_IN, Queue, Ranking, draw, rank, shuffled

ids = st.integers(1, 60)
score = st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0, math.inf, -math.inf])
scores = st.dictionaries(ids, score, max_size=40)
shares = st.floats(0, 0.99)


@st.composite
def queues(draw: st.DrawFn) -> Queue:
    order = draw(st.lists(ids, unique=True, max_size=30))
    return Queue(tuple(order)).reordered(rank(draw(scores), draw(shares)), {})


def ends_with_those_set_aside(queue: Queue) -> bool:
    kept = len(queue.order) - len(queue.set_aside)
    return set(queue.order[kept:]) == queue.set_aside


def test_least_certain_first_and_the_top_share_set_aside() -> None:
    ranking = rank({1: 0.5, 2: 3.0, 3: -1.0, 4: 2.0, 5: 9.0}, discard=0.2)
    assert ranking == Ranking(order=(2, 4, 1, 3), set_aside=(5,))


def test_equal_scores_go_by_id_and_no_number_comes_first() -> None:
    assert rank({9: 1.0, 2: 1.0, 5: 1.0}, 0).order == (2, 5, 9)
    assert rank({1: 5.0, 2: math.nan, 3: 7.0, 4: math.nan}, 0).order == (2, 4, 3, 1)


@pytest.mark.parametrize(("count", "share", "aside"), [(9, 0.1, 0), (10, 0.1, 1), (19, 0.1, 1), (100, 0.29, 29)])
def test_the_share_is_rounded_down(count: int, share: float, aside: int) -> None:
    assert len(rank({i: float(i) for i in range(count)}, share).set_aside) == aside


@pytest.mark.parametrize("share", [-0.1, 1.0, 2.0, math.nan])
def test_a_share_that_makes_no_sense(share: float) -> None:
    with pytest.raises(ValueError, match="discard"):
        rank({1: 1.0}, share)


@given(scores, shares, st.randoms(use_true_random=False))
def test_a_ranking_holds_every_face_once_by_falling_score(
    given_scores: dict[int, float], share: float, rng: random.Random
) -> None:
    ranking = rank(given_scores, share)
    whole = ranking.set_aside + ranking.order
    assert sorted(whole) == sorted(given_scores)
    assert all(given_scores[a] >= given_scores[b] for a, b in pairwise(whole))
    mixed = list(given_scores.items())
    rng.shuffle(mixed)
    assert rank(dict(mixed), share) == ranking


def test_the_first_queue_is_random_but_the_same_for_a_seed() -> None:
    first = shuffled(range(200), seed=3)
    assert first == shuffled(reversed(range(200)), seed=3)
    assert first != shuffled(range(200), seed=4)
    assert sorted(first.order) == list(range(200)) and first.set_aside == ()
    assert first.order != tuple(range(200))


@given(queues(), scores, shares, st.lists(ids, max_size=4))
def test_reordering_loses_no_face_and_keeps_the_current_in_place(
    queue: Queue, new: dict[int, float], share: float, keep: list[int]
) -> None:
    ranking = rank(new, share)
    after = queue.reordered(ranking, new, keep)
    assert len(set(after.order)) == len(after.order)
    assert set(after.order) == set(queue.order) | set(new)
    first = [face for face in dict.fromkeys(keep) if face in queue.order]
    assert list(after.order[: len(first)]) == first
    assert not after.set_aside & set(first)
    assert after.set_aside == set(ranking.set_aside) - set(first)
    assert ends_with_those_set_aside(after)
    assert after.scores == new

    # Ranked faces keep the ranking's order; those not ranked follow in their old order.
    ranked = [face for face in after.order if face in ranking.order and face not in first]
    assert ranked == [face for face in ranking.order if face not in first]
    rest = [face for face in after.order if face not in new and face not in first]
    assert rest == [face for face in queue.order if face not in new and face not in first]
    places = {face: place for place, face in enumerate(after.order)}
    assert all(places[a] < places[b] for a in ranked for b in rest)


@given(queues(), scores)
def test_the_same_ranking_twice_changes_nothing(queue: Queue, new: dict[int, float]) -> None:
    once = queue.reordered(rank(new), new)
    assert once.reordered(rank(new), new) == once


@given(queues(), st.lists(ids, max_size=10))
def test_adding_and_removing(queue: Queue, faces: list[int]) -> None:
    more = queue.with_added(faces)
    assert set(more.order) == set(queue.order) | set(faces) and len(more) == len(set(more.order))
    assert more.set_aside == queue.set_aside and ends_with_those_set_aside(more)
    fewer = more.without(faces)
    assert set(fewer.order) == set(queue.order) - set(faces)
    assert fewer.set_aside <= queue.set_aside and ends_with_those_set_aside(fewer)
    known = set(queue.order)
    assert [face for face in more.order if face in known] == list(queue.order)


@given(queues(), st.lists(ids, unique=True))
def test_faces_that_left_come_back_to_their_places(queue: Queue, faces: list[int]) -> None:
    places = queue.places(faces)
    assert list(places) == [face for face in queue.order if face in faces]
    back = queue.without(faces)
    for face, place in places.items():
        back = back.put_back(face, place)
    lost = [face for face, place in places.items() if place.before is None]
    assert set(lost) == set(queue.order) - set(back.order), "only those at the very end"
    assert back.order == tuple(face for face in queue.order if face not in lost)
    assert back.set_aside == queue.set_aside - set(lost) and ends_with_those_set_aside(back)


def test_a_place_after_the_queue_was_ranked_anew() -> None:
    queue = Queue((1, 2, 3, 4, 5), frozenset({4, 5}))
    places = queue.places([2, 4])
    left = queue.without([2, 4])
    now_aside = Queue(left.order, frozenset({3, 5})).put_back(2, places[2])
    assert now_aside.order == (1, 2, 3, 5) and now_aside.set_aside == {3, 5}, "3 is set aside now, 2 never was"
    not_aside = Queue((5, 1, 3), frozenset({3}))
    assert not_aside.put_back(4, places[4]) is not_aside and not_aside.put_back(5, places[4]) is not_aside


@given(queues(), st.sets(ids), st.none() | ids)
def test_next_is_the_first_that_waits_behind_the_current(queue: Queue, waiting: set[int], current: int | None) -> None:
    found = queue.after(current, waiting)
    candidates = [face for face in queue.order if face in waiting and face != current]
    if not candidates:
        assert found is None
        return
    behind = queue.order[queue.order.index(current) + 1 :] if current in queue.order else queue.order
    assert found == next((face for face in behind if face in candidates), candidates[0])


@given(queues(), st.sets(ids))
def test_walking_by_next_meets_every_waiting_face_once(queue: Queue, waiting: set[int]) -> None:
    met: list[int] = []
    left = set(waiting)
    current: int | None = None
    while (current := queue.after(current, left)) is not None:
        met.append(current)
        left.discard(current)
    assert met == [face for face in queue.order if face in waiting]


def test_next_is_never_the_current_face_itself() -> None:
    queue = Queue((1, 2, 3))
    assert queue.after(2, {2}) is None
    assert queue.after(3, {1, 3}) == 1
    assert queue.after(None, {2, 3}) == 2 and queue.after(9, {3}) == 3


@given(queues(), scores, st.lists(ids, unique=True, max_size=8), st.integers(0, 10), st.lists(ids, max_size=2))
def test_drawn_faces_take_every_tenth_place_and_are_never_set_aside(
    queue: Queue, new: dict[int, float], lots: list[int], since: int, keep: list[int]
) -> None:
    after = queue.reordered(rank(new, 0.3), new, keep, lots, since)
    assert sorted(after.order) == sorted(set(queue.order) | set(new))
    assert not after.set_aside & set(lots) and after.drawn == set(lots)
    assert ends_with_those_set_aside(after)
    first = [face for face in dict.fromkeys(keep) if face in queue.order]
    there = [face for face in lots if face in after.order and face not in first]
    places = [after.order.index(face) for face in there]
    usual = len(after.order) - len(after.set_aside) - len(there)
    start = max(len(first), ONE_IN - 1 - since)
    for number, place in enumerate(places):
        # every tenth place, as long as there are other faces to stand between
        assert place == min(start + number * ONE_IN, usual + number)


def test_one_waiting_face_in_ten_is_drawn_the_same_ones_for_good() -> None:
    first = draw(range(1, 101), (), seed=0)
    assert len(first) == 10 and draw(reversed(range(1, 101)), (), seed=0) == first
    assert first != draw(range(1, 101), (), seed=1) and first != tuple(sorted(first))
    others = [face for face in range(1, 101) if face not in first]
    left = [*first[4:], *others[30:]]
    assert draw(left, first, seed=0) == first[4:]  # enough of them still wait
    grown = draw(range(1, 301), first, seed=0)
    assert len(grown) == 30 and set(first) < set(grown)
    assert len(draw([5, 6], (), 0)) == 1 and draw([], (), 0) == ()


def test_drawing_favours_no_face() -> None:
    hits = [0] * 51
    for seed in range(400):
        for face in draw(range(1, 51), (), seed):
            hits[face] += 1
    assert sum(hits) == 2000 and all(16 <= count <= 70 for count in hits[1:])  # 40 each, give or take 5 deviations
