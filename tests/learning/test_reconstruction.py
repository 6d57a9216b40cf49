"""Pixel and structural losses, against slow restatements."""

from __future__ import annotations

import torch

from scaf_gui.learning.reconstruction import Structure, blended, pixel_loss


def blurred(image: torch.Tensor) -> torch.Tensor:
    offsets = torch.arange(31.0) - 15
    line = torch.exp(-(offsets**2) / (2 * 1.5**2))
    window = line[:, None] * line[None]
    window = (window / window.sum()).expand(3, 1, 31, 31)
    return torch.nn.functional.conv2d(image, window, groups=3)


def test_structure_is_the_second_factor_of_ssim() -> None:
    torch.manual_seed(0)
    a, b = torch.rand(2, 2, 3, 48, 48) * 255
    b = 0.5 * a + 0.5 * b
    mean_a, mean_b = blurred(a), blurred(b)
    spread_a, spread_b = blurred((a - 0) ** 2) - mean_a**2, blurred(b**2) - mean_b**2
    shared = blurred(a * b) - mean_a * mean_b
    c2 = (0.03 * 255) ** 2
    wanted = ((2 * shared + c2) / (spread_a + spread_b + c2)).mean()
    structure = Structure(48)
    assert torch.allclose(structure(a, b), wanted, atol=1e-4)
    assert abs(float(structure(a, a)) - 1.0) < 1e-5
    # brightness is not its business
    assert float(structure(a, a + 20.0)) > 0.999
    assert float(structure(a, a.mean().expand_as(a))) < 0.05


def test_nothing_is_asked_where_no_image_was() -> None:
    torch.manual_seed(0)
    target, painted = torch.rand(2, 1, 3, 48, 48) * 255
    real = torch.zeros(1, 1, 48, 48)
    real[..., :24] = 1
    painted.requires_grad_()
    loss = pixel_loss(painted, target, real) + 60 * (1 - Structure(48)(blended(painted, target, real), target))
    loss.backward()
    assert painted.grad is not None
    assert (painted.grad[..., 24:] == 0).all() and (painted.grad[..., :24] != 0).any()
    assert float(pixel_loss(target, target, real)) == 0.0
    assert torch.isclose(pixel_loss(target + 4.0, target, real), torch.tensor(2.0), atol=1e-4)
