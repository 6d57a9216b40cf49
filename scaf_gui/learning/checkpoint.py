"""Checkpoints: weights and what they mean, in one safetensors file. Nothing is ever unpickled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.scheme import Scheme, parse_scheme
from scaf_gui.errors import CheckpointError, SchemeError
from scaf_gui.learning.networks import Architecture, ScafNet, channels_last
from scaf_gui.learning.presets import Preset
from scaf_gui.learning.tensorfile import in_short, read_header, read_tensors, write_tensors
from scaf_gui.learning.weights import Weights, check_shapes

if TYPE_CHECKING:
    from scaf_gui.learning.pretrained import Autoencoder

#: of a file that holds all of its weights, and of one that leaves some to its auto-encoder
FORMAT, FORMAT_WITH_BASE = 1, 2
#: channel means of the reference's input, RGB in [0, 1]
REFERENCE_MEAN = (0.518, 0.418, 0.361)


@dataclass(frozen=True, eq=False)
class Checkpoint(Weights):
    """A trained model. ``tensors`` are float32 on the CPU, by the network's weight names.

    ``meta`` is JSON: ``format``, ``scheme`` (whole, as a scheme file holds it), ``network``,
    ``normalisation`` ({"mean": [r, g, b]}, RGB in [0, 1]), ``preset`` (name), ``decoder``, ``sigma``,
    ``nnm_window``, ``flip_average``, ``recipe``, ``parent`` (id or ""), ``created`` and ``figures``; in a
    checkpoint that leaves weights to an auto-encoder also ``base``, its id; in one that learnt to lead to another
    scheme (:mod:`scaf_gui.learning.bridge`) ``point_map`` ({"scheme": its id, "weights": (landmarks, own landmarks)}).
    """

    @property
    def scheme(self) -> Scheme:
        return parse_scheme(self.meta["scheme"])

    @property
    def architecture(self) -> Architecture:
        return Architecture(**self.meta["network"])

    def matrix_to(self, scheme: Scheme) -> FloatArray | None:
        """(scheme's landmarks, own landmarks) float64: how its landmarks make those of a scheme; ``None``: they do not.

        By the model's own point map, else as the schemes say (``Scheme.matrix_from``).
        """
        return _matrix(self.meta, scheme)

    def network(self) -> ScafNet:
        """The network with these weights, on the CPU, in evaluation mode."""
        with torch.device("meta"):  # no time for random weights that are overwritten
            network = ScafNet(self.architecture)
        network.load_state_dict({name: value.clone() for name, value in self.tensors.items()}, assign=True)
        network.P.requires_grad_(False)
        return channels_last(network).eval()


def make_checkpoint(
    network: ScafNet,
    scheme: Scheme,
    preset: Preset,
    recipe: Mapping[str, Any],
    parent: Checkpoint | Autoencoder | None,
) -> Checkpoint:
    """Freeze a network's present weights. The id is a hash of weights and recipe: the same run, the same id."""
    tensors = {name: value.detach().to("cpu", copy=True).contiguous() for name, value in network.state_dict().items()}
    meta = {
        "format": FORMAT,
        "scheme": scheme_json(scheme),
        "network": asdict(network.architecture),
        "normalisation": {"mean": list(REFERENCE_MEAN)},
        "preset": preset.name,
        "decoder": preset.decoder,
        "sigma": preset.sigma,
        "nnm_window": preset.nnm_window,
        "flip_average": preset.flip_average,
        "recipe": dict(recipe),
        "parent": parent.id if parent else "",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "figures": {},
    }
    digest = hashlib.blake2b(json.dumps([meta["network"], meta["parent"], preset.name]).encode(), digest_size=8)
    for name in sorted(tensors):
        digest.update(tensors[name].numpy().tobytes())
    return Checkpoint(digest.hexdigest(), meta, tensors)


def scheme_json(scheme: Scheme) -> dict[str, Any]:
    """A scheme as its file would say it, without aliases to others."""
    pairs = [[left, right] for left, right in enumerate(scheme.flip) if left < right]
    return {
        "id": scheme.id,
        "title": scheme.title,
        "landmarks": list(scheme.names),
        "groups": [
            {"name": group.name, "landmarks": list(group.landmarks), "closed": group.closed, "curve": group.curve}
            for group in scheme.groups
        ],
        "corners": sorted(scheme.corners),
        "edges": [list(edge) for edge in scheme.edges],
        "flip_pairs": pairs,
        "normaliser": None if scheme.normaliser is None else list(scheme.normaliser),
        "face_box": list(scheme.face_box),
    }


def save_checkpoint(checkpoint: Checkpoint, path: Path, *, half: bool = False, base: Autoencoder | None = None) -> None:
    """Write beside, then rename.

    :param half: store weight matrices as float16: half the size
    :param base: leave out the weights that are those of this auto-encoder, and name it: for shipped models, which
        lie beside it. Without it the file holds everything.
    :raises CheckpointError: where the file cannot be written
    """
    # Vectors stay float32: they are small, and BatchNorm's variances can leave float16's range.
    tensors = {name: value.half() if half and value.ndim > 1 else value for name, value in checkpoint.tensors.items()}
    header = {"id": checkpoint.id, **checkpoint.meta, "format": FORMAT}
    header.pop("base", None)
    if base is not None:
        from scaf_gui.learning.bases import difference

        own = difference(tensors, base)
        if len(own) < len(tensors):
            tensors = own
            header |= {"format": FORMAT_WITH_BASE, "base": base.id}
    write_tensors(path, tensors, header)


def read_meta(path: Path) -> dict[str, Any]:
    """``id`` and metadata of a checkpoint file, without its weights; the auto-encoder it names may be missing.

    :raises CheckpointError: where it is not one
    """
    meta = read_header(path)
    if meta.get("kind") == "autoencoder":
        raise CheckpointError("is an auto-encoder, which knows no landmarks; choose a landmark model", path)
    try:
        newer = int(meta["format"]) > FORMAT_WITH_BASE
        parse_scheme(meta["scheme"])
        Architecture(**meta["network"])
        str(meta["id"])
        if point_map := meta.get("point_map"):
            weights = np.array(point_map["weights"], np.float64)
            if weights.ndim != 2 or not np.isfinite(weights).all() or not isinstance(point_map["scheme"], str):
                raise ValueError("its point map is none")
    except (KeyError, TypeError, ValueError, AttributeError, SchemeError) as error:
        raise CheckpointError(f"has damaged metadata ({in_short(error)})", path) from error
    if newer:
        raise CheckpointError("was written by a newer version of this program; update to use it", path)
    return meta


def load_checkpoint(path: Path, scheme: Scheme | None = None) -> Checkpoint:
    """Read a checkpoint.

    :param scheme: where given, the model must be of this scheme or of one whose landmarks lead to it
    :raises CheckpointError: truncated, a pickle in disguise, not safetensors, of another scheme, with
        weights that do not fit the network it names, or without the auto-encoder that it needs: that is looked for
        in the same folder, then among the shipped models
    """
    path = Path(path)
    meta = read_meta(path)
    if scheme is not None and _matrix(meta, scheme) is None:
        other = meta["scheme"]
        raise CheckpointError(
            f"is a model of landmark scheme '{other['id']}' ({len(other['landmarks'])} landmarks), "
            f"which does not lead to '{scheme.id}' ({scheme.num_landmarks}); choose another model",
            path,
        )
    stored = read_tensors(path)
    tensors = {name: value.float() if value.is_floating_point() else value for name, value in stored.items()}
    wanted = _shapes(Architecture(**meta["network"]))
    if base := meta.get("base"):
        from scaf_gui.learning.bases import find_base

        lent = find_base(str(base), path).tensors
        tensors |= {name: lent[name] for name in wanted if name not in tensors and name in lent}
    check_shapes(tensors, wanted, path)
    if int(meta["network"]["num_landmarks"]) != len(meta["scheme"]["landmarks"]):
        raise CheckpointError("has weights for another number of landmarks than its scheme names", path)
    model_id = str(meta.pop("id"))
    return Checkpoint(model_id, meta, tensors)


def reaches(source: Scheme, target: Scheme) -> bool:
    """Whether landmarks of one scheme lead to those of another; the same id must mean the same landmarks."""
    if source.id == target.id:
        return source.num_landmarks == target.num_landmarks
    return target.matrix_from(source) is not None


def _matrix(meta: Mapping[str, Any], scheme: Scheme) -> FloatArray | None:
    source = parse_scheme(meta["scheme"])
    point_map = meta.get("point_map")
    if point_map is not None and point_map["scheme"] == scheme.id:
        weights = np.array(point_map["weights"], np.float64)
        return weights if weights.shape == (scheme.num_landmarks, source.num_landmarks) else None
    return scheme.matrix_from(source) if reaches(source, scheme) else None


def _shapes(architecture: Architecture) -> dict[str, torch.Size]:
    with torch.device("meta"):
        return {name: value.shape for name, value in ScafNet(architecture).state_dict().items()}
