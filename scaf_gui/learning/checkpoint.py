"""Checkpoints: weights and what they mean, in one safetensors file. Nothing is ever unpickled."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor

from scaf_gui.core.scheme import Scheme, parse_scheme
from scaf_gui.errors import CheckpointError, SchemeError
from scaf_gui.learning.networks import Architecture, ScafNet, channels_last
from scaf_gui.learning.presets import Preset

FORMAT = 1
#: channel means of the reference's input, RGB in [0, 1]
REFERENCE_MEAN = (0.518, 0.418, 0.361)
_KEY = "scaf_gui"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A trained model. ``tensors`` are float32 on the CPU, by the network's weight names.

    ``meta`` is JSON: ``format``, ``scheme`` (whole, as a scheme file holds it), ``network``,
    ``normalisation`` ({"mean": [r, g, b]}, RGB in [0, 1]), ``preset`` (name), ``decoder``, ``sigma``,
    ``nnm_window``, ``flip_average``, ``recipe``, ``parent`` (id or ""), ``created`` and ``figures``.
    """

    id: str
    meta: Mapping[str, Any]
    tensors: Mapping[str, Tensor]

    def __post_init__(self) -> None:
        object.__setattr__(self, "meta", MappingProxyType(dict(self.meta)))
        object.__setattr__(self, "tensors", MappingProxyType(dict(self.tensors)))

    @property
    def scheme(self) -> Scheme:
        return parse_scheme(self.meta["scheme"])

    @property
    def architecture(self) -> Architecture:
        return Architecture(**self.meta["network"])

    def network(self) -> ScafNet:
        """The network with these weights, on the CPU, in evaluation mode."""
        with torch.device("meta"):  # no time for random weights that are overwritten
            network = ScafNet(self.architecture)
        network.load_state_dict({name: value.clone() for name, value in self.tensors.items()}, assign=True)
        network.P.requires_grad_(False)
        return channels_last(network).eval()

    def with_figures(self, figures: Mapping[str, Any]) -> Checkpoint:
        """The same weights with more figures noted."""
        return replace(self, meta={**self.meta, "figures": {**self.meta.get("figures", {}), **figures}})


def make_checkpoint(
    network: ScafNet, scheme: Scheme, preset: Preset, recipe: Mapping[str, Any], parent: Checkpoint | None
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


def save_checkpoint(checkpoint: Checkpoint, path: Path, *, half: bool = False) -> None:
    """Write beside, then rename.

    :param half: store weight matrices as float16: half the size
    :raises CheckpointError: where the file cannot be written
    """
    path = Path(path)
    # Vectors stay float32: they are small, and BatchNorm's variances can leave float16's range.
    tensors = {
        name: (value.half() if half and value.ndim > 1 else value).contiguous()
        for name, value in checkpoint.tensors.items()
    }
    header = {_KEY: json.dumps({"id": checkpoint.id, **checkpoint.meta}, ensure_ascii=False, sort_keys=True)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with beside.open("wb") as stream:
                stream.write(save(tensors, metadata=header))
                stream.flush()
                os.fsync(stream.fileno())
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CheckpointError(f"the model cannot be saved ({error.strerror or error})", path) from error


def read_meta(path: Path) -> dict[str, Any]:
    """``id`` and metadata of a checkpoint file, without its weights.

    :raises CheckpointError: where it is not one
    """
    path = Path(path)
    try:
        # Looked at first: safetensors' own messages speak of headers, and a pickle deserves plain words.
        with path.open("rb") as stream:
            start = stream.read(9)
    except OSError as error:
        raise CheckpointError(f"the model file cannot be read ({error.strerror or error})", path) from error
    # A safetensors file begins with the length of its header, whose low byte may be anything, then "{".
    if start[8:9] != b"{" and (start[:1] == b"\x80" or start[:4] == b"PK\x03\x04"):
        raise CheckpointError("is a pickled PyTorch file, which could run any code; only safetensors are loaded", path)
    try:
        with safe_open(path, framework="pt") as opened:
            header = opened.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"is truncated or not a safetensors file ({_short(error)})", path) from error
    if _KEY not in header:
        raise CheckpointError("is a safetensors file, but not a model of this program", path)
    try:
        meta = dict(json.loads(header[_KEY]))
        newer = int(meta["format"]) > FORMAT
        parse_scheme(meta["scheme"])
        Architecture(**meta["network"])
        str(meta["id"])
    except (KeyError, TypeError, ValueError, AttributeError, SchemeError) as error:
        raise CheckpointError(f"has damaged metadata ({_short(error)})", path) from error
    if newer:
        raise CheckpointError("was written by a newer version of this program; update to use it", path)
    return meta


def load_checkpoint(path: Path, scheme: Scheme | None = None) -> Checkpoint:
    """Read a checkpoint.

    :param scheme: where given, the model must be of this scheme or of one whose landmarks lead to it
    :raises CheckpointError: truncated, a pickle in disguise, not safetensors, of another scheme, or
        weights that do not fit the network it names
    """
    path = Path(path)
    meta = read_meta(path)
    if scheme is not None and not reaches(parse_scheme(meta["scheme"]), scheme):
        other = meta["scheme"]
        raise CheckpointError(
            f"is a model of landmark scheme '{other['id']}' ({len(other['landmarks'])} landmarks), "
            f"which does not lead to '{scheme.id}' ({scheme.num_landmarks}); choose another model",
            path,
        )
    try:
        tensors = load(path.read_bytes())
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"is truncated or not a safetensors file ({_short(error)})", path) from error
    tensors = {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}
    _check_shapes(tensors, Architecture(**meta["network"]), path)
    if int(meta["network"]["num_landmarks"]) != len(meta["scheme"]["landmarks"]):
        raise CheckpointError("has weights for another number of landmarks than its scheme names", path)
    model_id = str(meta.pop("id"))
    return Checkpoint(model_id, meta, tensors)


def reaches(source: Scheme, target: Scheme) -> bool:
    """Whether landmarks of one scheme lead to those of another; the same id must mean the same landmarks."""
    if source.id == target.id:
        return source.num_landmarks == target.num_landmarks
    return target.matrix_from(source) is not None


def _check_shapes(tensors: Mapping[str, Tensor], architecture: Architecture, path: Path) -> None:
    with torch.device("meta"):
        wanted = {name: value.shape for name, value in ScafNet(architecture).state_dict().items()}
    found = {name: value.shape for name, value in tensors.items()}
    if wanted == found:
        return
    for name in sorted(set(wanted) | set(found)):
        if wanted.get(name) != found.get(name):
            has = tuple(found[name]) if name in found else "no such weights"
            raise CheckpointError(f"does not fit its network: {name} has {has}", path)


def _short(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:120]
