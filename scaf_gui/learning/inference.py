"""A network made ready for prediction only: the same numbers, to rounding, sooner.

BatchNorm behind a convolution is folded into its weights. On the CPU the weights are also laid out once as
oneDNN reads them, which it otherwise does anew in every forward pass: at batch 1 that costs more than some layers.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from scaf_gui.learning.blocks import Bottleneck
from scaf_gui.learning.networks import ScafNet, channels_last

Conv = nn.Conv2d | nn.ConvTranspose2d


def folded(network: ScafNet) -> ScafNet:
    """Fold each BatchNorm that follows a convolution into it, in place. For networks in evaluation mode."""
    for module in list(network.modules()):
        if isinstance(module, Bottleneck):
            continue  # its BatchNorms come before the convolutions, with a ReLU in between
        for conv, norm in (("conv1", "bn1"), ("conv2", "bn2")):
            if isinstance(getattr(module, norm, None), nn.BatchNorm2d):
                setattr(module, conv, _folded(getattr(module, conv), getattr(module, norm)))
                setattr(module, norm, nn.Identity())
        for name in ("downsample", "upsample"):
            pair = getattr(module, name, None)
            if isinstance(pair, nn.Sequential):
                setattr(module, name, _folded(pair[0], pair[1]))
    return channels_last(network).eval()


def _folded(conv: Any, norm: Any) -> nn.Module:
    found: nn.Module = fuse_conv_bn_eval(conv, norm, transpose=isinstance(conv, nn.ConvTranspose2d))
    return found.requires_grad_(False)


def packed(network: ScafNet) -> ScafNet:
    """Lay all convolutions' weights out for oneDNN, in place; without oneDNN nothing happens.

    The network then runs in float32 on the CPU only. The operators are those that torch's own compiler uses. They
    are not part of torch's promises, so the outcome is compared once, and a torch that no longer has them, or
    that gives other numbers, leaves the network as it is.
    """
    if not getattr(torch.backends.mkldnn, "is_available", bool)():
        return network
    found = [(name, part) for name, part in network.named_modules() if isinstance(part, Conv)]
    sizes: dict[str, list[int]] = {}
    hooks = [
        part.register_forward_pre_hook(lambda _, given, name=name: sizes.update({name: list(given[0].shape)}))
        for name, part in found
    ]
    side = network.architecture.input_size
    probe = torch.linspace(-0.5, 0.5, 3 * side * side).view(1, 3, side, side)
    probe = probe.contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        wanted = network(probe)
        for hook in hooks:
            hook.remove()
        try:
            for name, part in found:
                _put(network, name, PackedConvolution(part, sizes[name]))
            same = torch.allclose(network(probe), wanted, rtol=1e-3, atol=1e-4 * float(wanted.abs().max()))
        except (AttributeError, RuntimeError, TypeError):
            same = False
    if not same:
        for name, part in found:
            _put(network, name, part)
    return network


def _put(network: ScafNet, name: str, part: nn.Module) -> None:
    parent, _, leaf = name.rpartition(".")
    setattr(network.get_submodule(parent), leaf, part)


class PackedConvolution(nn.Module):
    """A convolution, or a transposed one, whose weights lie as oneDNN wants them.

    :param size: of an input (batch, channels, height, width); other sizes are right too, only not as fast
    """

    def __init__(self, conv: Conv, size: list[int]) -> None:
        super().__init__()
        self._transposed = isinstance(conv, nn.ConvTranspose2d)
        self._bias = None if conv.bias is None else conv.bias.detach()
        self._shape = [conv.padding, conv.stride, conv.dilation, conv.groups]
        operators: Any = torch.ops.mkldnn
        weight = conv.weight.detach()
        if self._transposed:
            padding, *others = self._shape
            self._shape = [padding, conv.output_padding, *others]
            self._weight = operators._reorder_convolution_transpose_weight(weight, *self._shape, size)
            self._run = operators._convolution_transpose_pointwise
        else:
            self._weight = operators._reorder_convolution_weight(weight, *self._shape, size)
            self._run = operators._convolution_pointwise

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self._run(x, self._weight, self._bias, *self._shape, "none", [], "")
        return found


def ready(network: ScafNet, device: torch.device, dtype: torch.dtype | None) -> ScafNet:
    """The network on its device, as fast as it goes there.

    :param dtype: what autocast computes in; packed weights know float32 only
    """
    network = folded(network).to(device)
    return packed(network) if device.type == "cpu" and dtype is None else network
