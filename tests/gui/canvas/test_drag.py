"""A drag without a screen."""

from __future__ import annotations

from scaf_gui.gui.canvas.drag import Drag


def test_a_press_alone_moves_nothing() -> None:
    drag = Drag(3, (10.0, 20.0), (10.5, 20.5), (100, 100))
    assert not drag.follow((10.6, 20.5), (101, 100))  # a trembling hand
    assert drag.result is None


def test_the_landmark_keeps_its_distance_from_the_cursor() -> None:
    drag = Drag(3, (10.0, 20.0), (10.5, 20.5), (100, 100))
    assert drag.follow((15.5, 18.5), (150, 80))
    assert drag.at == (15.0, 18.0)
    assert drag.follow((10.75, 20.5), (102, 100))  # once it moves, small steps count
    assert drag.result == (10.25, 20.0)


def test_back_where_it_was_is_no_move() -> None:
    drag = Drag(3, (10.0, 20.0), (10.5, 20.5), (100, 100))
    drag.follow((15.5, 18.5), (150, 80))
    drag.follow((10.5, 20.5), (100, 100))
    assert drag.moved and drag.result is None


def test_a_landmark_without_a_place_is_put_under_the_cursor() -> None:
    drag = Drag(3, None, (10.5, 20.5), (100, 100))
    assert drag.result == (10.5, 20.5)
    drag.follow((11.5, 20.5), (101, 100))
    assert drag.result == (11.5, 20.5)
