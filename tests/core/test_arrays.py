"""Frozen arrays cannot be written to, whoever holds another reference."""

from __future__ import annotations

import numpy as np
import pytest

from scaf_gui.core.arrays import frozen


def test_the_copy_cannot_be_written_to() -> None:
    array = frozen([[1, 2], [3, 4]])
    assert array.dtype == np.float64
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 5


def test_the_callers_array_stays_writeable_and_apart() -> None:
    mine = np.zeros((3, 2))
    array = frozen(mine)
    mine[0, 0] = 7
    assert array[0, 0] == 0


def test_a_read_only_view_of_a_writeable_array_is_copied() -> None:
    mine = np.zeros((3, 2))
    view = mine[:]
    view.setflags(write=False)
    array = frozen(view)
    mine[0, 0] = 7
    assert array[0, 0] == 0


def test_what_is_frozen_already_is_not_copied_again() -> None:
    once = frozen([1.0, 2.0])
    assert frozen(once) is once


def test_another_type_or_layout_is_converted() -> None:
    assert frozen([0, 2], np.uint8).dtype == np.uint8
    assert frozen(np.asfortranarray(np.arange(6.0).reshape(2, 3))).flags.c_contiguous
