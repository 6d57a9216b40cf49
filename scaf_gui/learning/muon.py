"""Muon: gradient descent whose step along each weight matrix is made orthogonal.

Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024
(https://kellerjordan.github.io/posts/muon/); steps as large as Adam's by Liu et al., "Muon is scalable for LLM
training", 2025, arXiv 2502.16982. All directions of a matrix learn at the same pace, where Adam follows the few that
dominate its gradient: here a training needs less than half of the steps (docs/decisions.md, "Muon").

``torch.optim.Muon`` takes 2-D parameters alone and computes in bfloat16, which CPUs without an instruction for it
do slowly; this one takes convolutions, and iterates on the small Gram matrix in float32.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

#: the smaller side of a matrix that is made orthogonal. The encoder's last block has 512, costs most of the time (it
#: goes with the cube) and gains nothing that shows
LARGEST = 256
#: of the quintic a x + b x^3 + c x^5, which drives singular values from anywhere in (0, 1] to between 0.7 and 1.2
_COEFFICIENTS = 3.4445, -4.7750, 2.0315
_ITERATIONS = 5
#: root mean square of an Adam step over its learning rate (Liu et al.)
_ADAM = 0.2


def takes(parameter: nn.Parameter) -> bool:
    """Whether a parameter is a matrix, or a convolution, as one of (outputs, inputs x kernel); none too large."""
    return parameter.ndim >= 2 and min(len(parameter), parameter.numel() // len(parameter)) <= LARGEST


def orthogonal(matrix: Tensor) -> Tensor:
    """Nearly the orthogonal factor of a matrix's polar decomposition: U V^T of its U S V^T, by Newton-Schulz.

    :param matrix: (m, n) float32, of any rank
    :returns: (m, n), singular values about 1 (0.6 to 1.2), but for those that are next to nothing
    """
    if matrix.shape[0] > matrix.shape[1]:
        return orthogonal(matrix.T).T
    matrix = matrix / matrix.norm().clamp(min=1e-7)
    a, b, c = _COEFFICIENTS
    gram = matrix @ matrix.T
    unit = torch.eye(len(gram), device=gram.device, dtype=gram.dtype)
    whole = unit
    # p(X X^T) X for a polynomial p: all iterations in (m, m), where X itself is touched once.
    for _ in range(_ITERATIONS):
        factor = torch.addmm(b * gram, gram, gram, alpha=c).add_(unit, alpha=a)
        whole = factor @ whole
        gram = factor @ gram @ factor
        gram = 0.5 * (gram + gram.T)
    return whole @ matrix


class Muon(torch.optim.Optimizer):
    """For matrices and convolutions; what is left, vectors, is for another optimiser (see :func:`takes`).

    A step goes by ``lr * scale`` times what Adam's would at most be. Decoupled weight decay as in AdamW.

    :param momentum: of the gradient, with Nesterov's look ahead
    """

    def __init__(
        self, groups: Iterable[dict[str, Any]], lr: float, scale: float, weight_decay: float, momentum: float = 0.95
    ) -> None:
        super().__init__(groups, {"lr": lr, "scale": scale, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            momentum, lr = group["momentum"], group["lr"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                slots = self.state[weight]
                if not slots:
                    slots["momentum"] = torch.zeros_like(weight)
                slots["momentum"].lerp_(weight.grad, 1.0 - momentum)
                ahead = weight.grad.lerp(slots["momentum"], momentum)
                step = orthogonal(ahead.float().flatten(1))
                size = _ADAM * group["scale"] * max(step.shape) ** 0.5
                weight.mul_(1.0 - lr * group["weight_decay"]).add_(step.reshape(weight.shape), alpha=-lr * size)
