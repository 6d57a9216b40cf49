"""Which landmarks are worth a look, and the walk over them."""

from __future__ import annotations

import numpy as np

from scaf_gui.core.doubt import WORTH_A_LOOK, Trail, doubt, doubtful


def test_only_what_a_model_stands_for_is_doubtful() -> None:
    errors = doubt(np.array([9.0, 4.0, 8.0, 1.0]), np.array([True, False, False, False]))
    np.testing.assert_array_equal(errors, [np.nan, 4.0, 8.0, 1.0])
    assert doubtful(errors) == (2, 1)
    assert doubtful(doubt(None, np.zeros(4, np.bool_))) == ()
    assert doubtful(np.array([WORTH_A_LOOK, WORTH_A_LOOK + 1e-9])) == (1,)


def test_equal_errors_keep_the_scheme_s_order_however_many_there_are() -> None:
    assert doubtful(np.full(500, 5.0)) == tuple(range(500))
    assert doubtful(np.array([5.0])) == (0,)


def test_forward_goes_from_the_worst_on_and_back_returns() -> None:
    trail, order = Trail(), (4, 2, 7)
    assert [trail.forward(order) for _ in range(3)] == [4, 2, 7]
    assert trail.back() == 2
    assert trail.back() == 4
    assert trail.back() is None
    assert [trail.forward(order) for _ in range(2)] == [2, 7]
    assert not trail.ended
    assert trail.forward(order) is None
    assert trail.ended


def test_what_somebody_looked_at_otherwise_is_left_out() -> None:
    trail = Trail()
    trail.look(9, (4, 2, 7))
    assert not trail.begun
    trail.look(2, (4, 2, 7))
    assert trail.begun
    assert trail.left((4, 2, 7)) == (4, 7)
    assert [trail.forward((4, 2, 7)) for _ in range(3)] == [4, 7, None]


def test_a_dragged_one_is_no_longer_in_the_order_but_back_leads_to_it() -> None:
    trail = Trail()
    assert trail.forward((4, 2, 7)) == 4
    assert trail.forward((2, 7)) == 2
    assert trail.back() == 4


def test_after_the_end_back_leads_to_the_last_and_forward_begins_anew() -> None:
    trail, order = Trail(), (4, 2)
    assert [trail.forward(order) for _ in range(3)] == [4, 2, None]
    assert trail.back() == 2
    assert trail.forward(order) is None
    assert trail.forward(order) == 4
    assert trail.left(order) == (2,)


def test_nothing_to_look_at_ends_at_once() -> None:
    trail = Trail()
    assert trail.forward(()) is None
    assert trail.ended
    assert trail.forward(()) is None
    assert trail.back() is None
