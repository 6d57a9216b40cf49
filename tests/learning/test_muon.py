"""Steps that are orthogonal matrices, and which weights take them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from scaf_gui.learning.muon import LARGEST, Muon, orthogonal, takes
from scaf_gui.learning.networks import ScafNet
from scaf_gui.learning.presets import preset
from scaf_gui.learning.training import _optimisers
from tests.learning.conftest import CPU


def matrix(rows: int, columns: int, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """A matrix of given singular values, and its singular vectors as (rows, k) and (columns, k)."""
    made = torch.Generator().manual_seed(3)
    left = torch.linalg.qr(torch.randn(rows, len(values), generator=made))[0]
    right = torch.linalg.qr(torch.randn(columns, len(values), generator=made))[0]
    return (left * values) @ right.T, left, right


@pytest.mark.parametrize("shape", [(12, 40), (40, 12), (20, 20)])
def test_what_is_made_orthogonal_keeps_its_singular_vectors(shape: tuple[int, int]) -> None:
    given, left, right = matrix(*shape, torch.logspace(-1.5, 1, min(shape)))
    turned = left.T @ orthogonal(given) @ right
    assert turned.diagonal().min() > 0.6 and turned.diagonal().max() < 1.25
    assert (turned - turned.diagonal().diag()).abs().max() < 1e-3
    torch.testing.assert_close(orthogonal(100.0 * given), orthogonal(given), atol=1e-3, rtol=0)


def test_directions_that_are_not_there_stay_out() -> None:
    given, left, right = matrix(16, 30, torch.tensor([3.0, 2.0, 1.0]))
    made = orthogonal(given)
    torch.testing.assert_close(left @ (left.T @ made @ right) @ right.T, made, atol=1e-3, rtol=0)
    assert torch.equal(orthogonal(torch.zeros(4, 6)), torch.zeros(4, 6))


@pytest.mark.parametrize("form", [(8, 24), (8, 4, 3, 3)])
def test_a_step_is_as_large_as_adams(form: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    weight = nn.Parameter(torch.randn(form))
    still = nn.Parameter(torch.randn(form))
    before, rest = weight.detach().clone(), still.detach().clone()
    optimiser = Muon([{"params": [weight, still]}], lr=0.01, scale=0.5, weight_decay=0.0)
    weight.grad = 1000.0 * torch.randn(form)
    optimiser.step()
    moved = (weight.detach() - before).pow(2).mean().sqrt()
    assert moved == pytest.approx(0.2 * 0.5 * 0.01, rel=0.25)
    assert torch.equal(still, rest), "what has no gradient does not move"
    weight.grad = torch.zeros(form)
    optimiser.state.clear()
    optimiser.param_groups[0]["weight_decay"] = 0.1
    before = weight.detach().clone()
    optimiser.step()
    torch.testing.assert_close(weight.detach(), before * (1 - 0.01 * 0.1))


def test_directions_with_small_gradients_are_learnt_too() -> None:
    """Least squares whose inputs differ a hundredfold in size: 60 steps of each optimiser."""
    made = torch.Generator().manual_seed(1)
    inputs = torch.randn(200, 12, generator=made) @ torch.linalg.qr(torch.randn(12, 12, generator=made))[0]
    inputs = inputs @ torch.diag(torch.logspace(0, -2, 12)) @ torch.linalg.qr(torch.randn(12, 12, generator=made))[0]
    truth = torch.randn(12, 12, generator=made)
    off = {}
    for name in ("muon", "adam"):
        weight = nn.Parameter(torch.zeros(12, 12))
        groups = [{"params": [weight]}]
        muon = Muon(groups, lr=0.4, scale=1.0, weight_decay=0.0)
        optimiser = muon if name == "muon" else torch.optim.AdamW(groups, lr=0.08, weight_decay=0.0)
        for step in range(60):
            optimiser.param_groups[0]["lr"] *= 0.0 if step == 59 else 1.0
            optimiser.zero_grad()
            ((inputs @ (weight - truth)) ** 2).mean().backward()
            optimiser.step()
        off[name] = float((weight.detach() - truth).norm() / truth.norm())
    assert off["muon"] < 0.7 * off["adam"]


def test_every_weight_learns_by_one_optimiser() -> None:
    recipe = replace(preset("default"), muon=0.8)
    network = ScafNet(recipe.architecture(68))
    adam, muon = _optimisers(network, recipe, CPU)
    parts = [[set(map(id, group["params"])) for group in one.param_groups] for one in (adam, muon)]
    head, encoder = set(map(id, network.head_parameters())), set(map(id, network.Q.parameters()))
    for part, number in ((head, 0), (encoder, 1)):
        assert parts[0][number] | parts[1][number] == part and not parts[0][number] & parts[1][number]
    named = {name: one for name, one in network.named_parameters() if one.requires_grad}
    by_muon = {name for name, one in named.items() if id(one) in parts[1][0] | parts[1][1]}
    assert by_muon == {name for name, one in named.items() if takes(one)}
    assert "Q.layer3.1.conv2.weight" in by_muon and not any(name.startswith("Q.layer4.0.conv") for name in by_muon)
    assert all(named[name].ndim >= 2 and min(named[name].flatten(1).shape) <= LARGEST for name in by_muon)
    published = preset("published")
    assert published.muon == 0.0 and len(_optimisers(ScafNet(published.architecture(68)), published, CPU)) == 1
