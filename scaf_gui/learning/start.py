"""The network that a training run begins with: random, or as much of another model as fits."""

from __future__ import annotations

import torch
from torch import Tensor

from scaf_gui.core.scheme import Scheme
from scaf_gui.learning.checkpoint import Checkpoint, reaches
from scaf_gui.learning.networks import ScafNet, channels_last
from scaf_gui.learning.presets import Preset

_HEATMAP_LAYER = "LMH.lin.weight"


def start_network(preset: Preset, scheme: Scheme, start: Checkpoint | None, seed: int) -> tuple[ScafNet, bool]:
    """The network, and whether it already knows the scheme's landmarks (a run then only refines it).

    Weights are taken over by name wherever their shape fits. The heatmap layer of another scheme is mixed
    by :meth:`Scheme.matrix_from`, filter by filter, where that scheme leads to this one; else it is new.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = ScafNet(preset.architecture(scheme.num_landmarks))
    refines = False
    if start is not None:
        own = network.state_dict()
        taken = {name: value for name, value in start.tensors.items() if name in own and own[name].shape == value.shape}
        head = _mixed_head(start, scheme)
        if head is None:
            taken.pop(_HEATMAP_LAYER, None)
        else:
            taken[_HEATMAP_LAYER] = head
        network.load_state_dict(taken, strict=False)
        refines = len(taken) == len(own)
    return channels_last(network), refines


def _mixed_head(start: Checkpoint, scheme: Scheme) -> Tensor | None:
    source = start.scheme
    if not reaches(source, scheme):
        return None
    weight = start.tensors[_HEATMAP_LAYER]
    if source.id == scheme.id:
        return weight
    matrix = scheme.matrix_from(source)
    if matrix is None:
        return None
    return torch.einsum("kl,clyx->ckyx", torch.from_numpy(matrix).to(weight.dtype), weight)
