"""Published 3FabRec weights: a pickled ``saae.mdl``, read without running anything that is in it.

The file holds ``{"arch", "z_dim", "input_size", "state_dict"}``. Encoder ``Q.*`` and generator ``P.*`` have the names
and shapes of :mod:`scaf_gui.learning.autoencoder`; a network that was fine-tuned on landmarks has its transfer layers
and heatmap layer under ``LMH.*``. Discriminators and layers that the published network never uses are left out.
Input: RGB in [0, 1] minus :data:`~scaf_gui.learning.checkpoint.REFERENCE_MEAN`, as here.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import CheckpointError
from scaf_gui.learning.autoencoder import LATENT, Encoder, Generator
from scaf_gui.learning.checkpoint import Checkpoint, make_checkpoint
from scaf_gui.learning.networks import Architecture, ScafNet
from scaf_gui.learning.presets import preset
from scaf_gui.learning.pretrained import DEPTHS, Autoencoder, make_autoencoder
from scaf_gui.learning.tensorfile import in_short

#: preset whose network and decoding are the reference's
PRESET = "3fabrec"
_HEAD = "LMH.lin.weight"
_COUNTER = "num_batches_tracked"


@dataclass(frozen=True, eq=False)
class ReferenceWeights:
    """``tensors`` float32 by reference name, without wrappers' prefixes; ``landmarks``: 0 without a head."""

    path: Path
    input_size: int
    landmarks: int
    tensors: Mapping[str, Tensor]


def read_reference(path: Path) -> ReferenceWeights:
    """Read a file of published weights.

    :raises CheckpointError: unreadable, holding anything but tensors and plain values, without weights under the
        reference's names, or for an input or latent of another size
    """
    path = Path(path)
    content = _unpickled(path)
    state = content.get("state_dict", content)
    if not isinstance(state, Mapping):
        raise CheckpointError("holds no weights: its 'state_dict' is no dictionary", path)
    tensors = {_plain(str(name)): value for name, value in state.items() if isinstance(value, Tensor)}
    if not any(name.startswith("Q.") for name in tensors) or not any(name.startswith("P.") for name in tensors):
        found = ", ".join(sorted({name.partition(".")[0] for name in tensors})[:6]) or "nothing"
        raise CheckpointError(f"holds no auto-encoder: weights 'Q.*' and 'P.*' are needed, it has {found}", path)
    size = content.get("input_size", 256 if "Q.layer0.0.conv1.weight" in tensors else 128)
    if size not in DEPTHS:
        raise CheckpointError(f"is for images of {size} pixels; only 128 and 256 can be used", path)
    if content.get("z_dim", LATENT) != LATENT:
        raise CheckpointError(f"has a latent of {content['z_dim']} numbers; only {LATENT} can be used", path)
    head = tensors.get(_HEAD)
    tensors = {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}
    return ReferenceWeights(path, int(size), 0 if head is None or head.ndim != 4 else int(head.shape[1]), tensors)


def _unpickled(path: Path) -> dict[str, Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickle protocols: what cannot be read is refused below
            content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CheckpointError(f"cannot be read ({error.strerror or error})", path) from error
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"was refused: it is damaged, or holds more than weights, which could run code ({_refused(error)})", path
        ) from error
    except Exception as error:  # a damaged pickle can raise anything
        raise CheckpointError(f"is truncated or no file of PyTorch weights ({in_short(error)})", path) from error
    if not isinstance(content, dict):
        raise CheckpointError("holds no dictionary of weights", path)
    return content


def _refused(error: BaseException) -> str:
    """The line of torch's long message that names what was refused."""
    lines = [line.strip() for line in str(error).splitlines() if "Unsupported" in line or "global" in line.lower()]
    return lines[0][:160] if lines else in_short(error)


def _plain(name: str) -> str:
    """Without the ``module.`` that DataParallel puts before the names of the whole or of a part."""
    return ".".join(part for part in name.split(".") if part != "module")


def reference_autoencoder(weights: ReferenceWeights) -> Autoencoder:
    """Encoder and generator as our auto-encoder.

    :raises CheckpointError: naming the weights that are missing or of another shape
    """
    encoder, generator = Encoder(weights.input_size), Generator(DEPTHS[weights.input_size])
    _fill(encoder, "Q.", weights)
    _fill(generator, "P.", weights)
    recipe = {"imported": weights.path.name, "source": "3FabRec reference weights"}
    return make_autoencoder(encoder, generator, recipe, None)


def reference_landmarks(weights: ReferenceWeights, scheme: Scheme, parent: Autoencoder) -> Checkpoint:
    """The landmark network of a file that has a head: four transfer layers, no skips.

    :raises CheckpointError: without a head, of another number of landmarks than the scheme, or as above
    """
    if not weights.landmarks:
        raise CheckpointError("has no landmark head (LMH.*): only its auto-encoder can be imported", weights.path)
    if weights.landmarks != scheme.num_landmarks:
        raise CheckpointError(
            f"predicts {weights.landmarks} landmarks, but the scheme '{scheme.id}' has {scheme.num_landmarks}; "
            "name the scheme that it was trained for",
            weights.path,
        )
    network = ScafNet(Architecture(weights.landmarks, weights.input_size, itls=4, skips=False))
    _fill(network, "", weights)
    recipe = {"imported": weights.path.name, "source": "3FabRec reference weights"}
    return make_checkpoint(network, scheme, preset(PRESET), recipe, parent)


def _fill(module: nn.Module, prefix: str, weights: ReferenceWeights) -> None:
    wanted = module.state_dict()
    found: dict[str, Tensor] = {}
    for name, value in wanted.items():
        given = weights.tensors.get(prefix + name)
        if given is None and name.endswith(_COUNTER):
            given = value  # weights from before torch 0.4.1 do not count
        if given is not None:
            found[name] = given
    missing = [prefix + name for name in wanted if name not in found]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise CheckpointError(f"lacks the weights {', '.join(missing[:3])}{more}", weights.path)
    for name, value in found.items():
        if value.shape != wanted[name].shape:
            raise CheckpointError(
                f"does not fit: {prefix}{name} has shape {tuple(value.shape)}, not {tuple(wanted[name].shape)}",
                weights.path,
            )
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise CheckpointError(f"is damaged: {prefix}{name} holds values that are no numbers", weights.path)
    module.load_state_dict(found)
