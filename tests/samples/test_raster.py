"""The rasteriser: coverage, depth order, culling, barycentric weights."""

from __future__ import annotations

import numpy as np

from scaf_gui.samples.raster import rasterise


def test_square_of_two_triangles_covers_each_pixel_once() -> None:
    points = np.array([(0.5, 0.5), (4.5, 0.5), (0.5, 4.5), (4.5, 4.5)])
    hits = rasterise(points, np.zeros(4), np.array([(0, 1, 2), (1, 3, 2)], np.int32), 6)
    covered = np.zeros(36, int)
    np.add.at(covered, hits.pixel, 1)
    expected = np.zeros((6, 6), int)
    expected[1:5, 1:5] = 1
    assert np.array_equal(covered.reshape(6, 6), expected)
    assert np.allclose(hits.weights.sum(axis=1), 1, atol=1e-6)


def test_weights_give_back_the_pixel() -> None:
    points = np.array([(1.2, 0.7), (17.3, 3.1), (6.4, 15.8)])
    hits = rasterise(points, np.zeros(3), np.array([(0, 1, 2)], np.int32), 20)
    assert len(hits.pixel) > 80
    place = np.stack([hits.pixel % 20, hits.pixel // 20], axis=1)
    assert np.allclose(hits.weights @ points, place, atol=1e-4)


def test_nearer_triangle_wins_whatever_the_order() -> None:
    points = np.array([(0.0, 0.0), (9.0, 0.0), (0.0, 9.0)] * 2)
    depth = np.array([5.0] * 3 + [2.0] * 3)
    triangles = np.array([(0, 1, 2), (3, 4, 5)], np.int32)
    for order in (triangles, triangles[::-1]):
        hits = rasterise(points, depth, order, 10)
        assert np.all(order[hits.triangle, 0] == 3)


def test_backs_and_strays_are_left_out() -> None:
    points = np.array([(0.0, 0.0), (9.0, 0.0), (0.0, 9.0), (30.0, 30.0), (40.0, 30.0), (30.0, 40.0)])
    hits = rasterise(points, np.zeros(6), np.array([(0, 2, 1), (3, 4, 5)], np.int32), 10)
    assert len(hits.pixel) == 0
