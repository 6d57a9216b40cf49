"""The network that a training run begins with: random, or as much of another model as fits."""

from __future__ import annotations

import torch
from torch import Tensor

from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import CheckpointError
from scaf_gui.learning.checkpoint import REFERENCE_MEAN, Checkpoint
from scaf_gui.learning.networks import ScafNet, channels_last
from scaf_gui.learning.presets import Preset
from scaf_gui.learning.pretrained import Autoencoder

#: what a run may begin with
Start = Checkpoint | Autoencoder

_HEATMAP_LAYER = "LMH.lin.weight"


def start_network(preset: Preset, scheme: Scheme, start: Start | None, seed: int) -> tuple[ScafNet, bool]:
    """The network, and whether it already knows the scheme's landmarks (a run then only refines it).

    Weights are taken over by name wherever their shape fits. The heatmap layer of another scheme is mixed
    by :meth:`Checkpoint.matrix_to`, filter by filter, where that scheme leads to this one; else it is new.
    Of an auto-encoder these are encoder and generator; one of another input size fits but for the layers that
    only the larger size has.

    :raises CheckpointError: ``start`` was made for images with other channel means than training uses
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = ScafNet(preset.architecture(scheme.num_landmarks))
    refines = False
    if start is not None:
        _check_mean(start)
        own = network.state_dict()
        taken = {name: value for name, value in start.tensors.items() if name in own and own[name].shape == value.shape}
        head = _mixed_head(start, scheme) if isinstance(start, Checkpoint) else None
        if head is None:
            taken.pop(_HEATMAP_LAYER, None)
        else:
            taken[_HEATMAP_LAYER] = head
        network.load_state_dict(taken, strict=False)
        # Heatmaps mixed by a learnt map are blurred: they are a beginning, not something to refine.
        refines = len(taken) == len(own) and "point_map" not in start.meta
    return channels_last(network), refines


def _check_mean(start: Start) -> None:
    mean = start.meta.get("normalisation", {}).get("mean", REFERENCE_MEAN)
    if max(abs(a - b) for a, b in zip(mean, REFERENCE_MEAN, strict=True)) > 1e-6:
        said, used = (", ".join(f"{value:g}" for value in values) for values in (mean, REFERENCE_MEAN))
        raise CheckpointError(f"the model {start.id} takes images minus ({said}); training needs one for ({used})")


def _mixed_head(start: Checkpoint, scheme: Scheme) -> Tensor | None:
    weight = start.tensors[_HEATMAP_LAYER]
    matrix = start.matrix_to(scheme)
    if matrix is None or start.scheme.id == scheme.id:
        return None if matrix is None else weight
    return torch.einsum("kl,clyx->ckyx", torch.from_numpy(matrix).to(weight.dtype), weight)
