from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from scaf_gui.learning.presets import PRESETS
from scaf_gui.learning.targets import gaussian_targets, heatmap_loss, to_heatmap

DEFAULT, PUBLISHED = PRESETS["default"], PRESETS["published"]


def test_targets_by_the_formula() -> None:
    points = torch.tensor([[[20.3, 11.8], [-1.0, 30.0]]])
    found = gaussian_targets(points, 32, 2.0, None, False)[0].numpy()
    columns, rows = np.meshgrid(np.arange(32), np.arange(32))
    for (x, y), target in zip(points[0].tolist(), found, strict=True):
        assert np.allclose(target, np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8), atol=1e-6)


def test_published_targets_are_centred_on_whole_pixels_and_cut_to_35_pixels() -> None:
    points = torch.tensor([[[63.6, 40.2]]])
    target = gaussian_targets(points, 128, PUBLISHED.sigma, PUBLISHED.window, PUBLISHED.whole_pixels)[0, 0]
    rows, columns = torch.nonzero(target, as_tuple=True)
    assert (int(columns.min()), int(columns.max())) == (64 - 17, 64 + 17)
    assert (int(rows.min()), int(rows.max())) == (40 - 17, 40 + 17)
    assert float(target[40, 64]) == 1.0
    assert np.isclose(float(target[40, 71]), np.exp(-0.5))


def test_published_loss_is_300_times_the_mean_squared_error() -> None:
    torch.manual_seed(0)
    heatmaps, points = torch.rand(2, 3, 128, 128), torch.rand(2, 3, 2) * 255
    target = gaussian_targets(to_heatmap(points, 256, 128), 128, 7.0, 35, True)
    loss = heatmap_loss(heatmaps, points, torch.ones(2, 3, dtype=torch.bool), PUBLISHED)
    assert torch.isclose(loss, 300 * torch.nn.functional.mse_loss(heatmaps, target))


def test_default_loss_weighs_the_foreground() -> None:
    heatmaps, points = torch.zeros(1, 1, 64, 64), torch.tensor([[[63.5, 63.5]]])
    target = gaussian_targets(to_heatmap(points, 128, 64), 64, 2.0, None, False)
    loss = heatmap_loss(heatmaps, points, torch.ones(1, 1, dtype=torch.bool), DEFAULT)
    assert torch.isclose(loss, (target**2 * (1 + 20 * target)).mean())


def test_missing_landmarks_get_no_gradient_whatever_their_coordinates() -> None:
    heatmaps = torch.rand(2, 4, 64, 64, requires_grad=True)
    points = torch.rand(2, 4, 2) * 127
    known = torch.tensor([[True, False, True, True], [False, False, False, False]])
    heatmap_loss(heatmaps, points, known, DEFAULT).backward()
    assert heatmaps.grad is not None
    moved = heatmaps.grad.abs().sum(dim=(2, 3)) > 0
    assert torch.equal(moved, known)


def test_a_batch_without_any_known_landmark_has_loss_zero() -> None:
    loss = heatmap_loss(torch.rand(1, 2, 64, 64), torch.zeros(1, 2, 2), torch.zeros(1, 2, dtype=torch.bool), DEFAULT)
    assert float(loss) == 0.0


def test_unknown_landmarks_do_not_thin_out_the_others() -> None:
    heatmaps, points = torch.rand(1, 2, 64, 64), torch.rand(1, 2, 2) * 127
    both = heatmap_loss(heatmaps, points, torch.tensor([[True, False]]), replace(DEFAULT, foreground=0.0))
    alone = heatmap_loss(heatmaps[:, :1], points[:, :1], torch.tensor([[True]]), replace(DEFAULT, foreground=0.0))
    assert torch.isclose(both, alone)
