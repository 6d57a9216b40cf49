"""The file of a pre-trained auto-encoder: encoder ``Q.*`` and whole generator ``P.*``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from scaf_gui.errors import CheckpointError
from scaf_gui.learning.autoencoder import Encoder, Generator
from scaf_gui.learning.checkpoint import REFERENCE_MEAN
from scaf_gui.learning.tensorfile import in_short, read_header, read_tensors, write_tensors
from scaf_gui.learning.weights import Weights, check_shapes

FORMAT = 1
KIND = "autoencoder"
#: layers of the generator by input size
DEPTHS = {128: 4, 256: 5}


@dataclass(frozen=True, eq=False)
class Autoencoder(Weights):
    """Pre-trained weights. ``tensors`` are float32 on the CPU under ``Q.*`` and ``P.*``, with the values as stored.

    ``meta`` is JSON: ``format``, ``kind`` ("autoencoder"), ``network`` ({"input_size": 128 or 256}),
    ``normalisation`` ({"mean": [r, g, b]}, RGB in [0, 1]), ``recipe``, ``parent`` (id or ""), ``created``, ``figures``.
    """

    @property
    def input_size(self) -> int:
        return int(self.meta["network"]["input_size"])

    def networks(self) -> tuple[Encoder, Generator]:
        """Encoder and generator with these weights, on the CPU, in evaluation mode."""
        encoder, generator = Encoder(self.input_size), Generator(DEPTHS[self.input_size])
        encoder.load_state_dict(self.part("Q"))
        generator.load_state_dict(self.part("P"))
        return encoder.eval(), generator.eval()

    def part(self, letter: str) -> dict[str, Tensor]:
        """The weights of ``Q`` or ``P`` by their names inside it."""
        start = f"{letter}."
        return {name.removeprefix(start): value for name, value in self.tensors.items() if name.startswith(start)}


def make_autoencoder(
    encoder: Encoder, generator: Generator, recipe: Mapping[str, Any], parent: str | Autoencoder | None
) -> Autoencoder:
    """Freeze the present weights, rounded to what a file holds.

    :param parent: the auto-encoder, or its id, that the training started from
    """
    tensors = {}
    for letter, part in (("Q", encoder), ("P", generator)):
        for name, value in part.state_dict().items():
            tensors[f"{letter}.{name}"] = _as_stored(value.detach().cpu()).to(_memory_type(value)).contiguous().clone()
    size = 256 if encoder.layer0 is not None else 128
    meta = {
        "format": FORMAT,
        "kind": KIND,
        "network": {"input_size": size},
        "normalisation": {"mean": list(REFERENCE_MEAN)},
        "recipe": dict(recipe),
        "parent": parent.id if isinstance(parent, Autoencoder) else parent or "",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "figures": {},
    }
    return Autoencoder(identify(size, tensors), meta, tensors)


def identify(input_size: int, tensors: Mapping[str, Tensor]) -> str:
    """BLAKE2b of the values as stored, 16 hex digits: the same weights have the same id, whatever the recipe says."""
    digest = hashlib.blake2b(json.dumps([KIND, input_size]).encode(), digest_size=8)
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(_as_stored(tensors[name]).contiguous().numpy().tobytes())
    return digest.hexdigest()


def save_autoencoder(autoencoder: Autoencoder, path: Path) -> None:
    """Write beside, then rename: matrices as float16, vectors as float32.

    :raises CheckpointError: where the file cannot be written
    """
    stored = {name: _as_stored(value) for name, value in autoencoder.tensors.items()}
    write_tensors(path, stored, {"id": autoencoder.id, **autoencoder.meta})


def read_autoencoder_meta(path: Path) -> dict[str, Any]:
    """``id`` and metadata of an auto-encoder's file, without its weights.

    :raises CheckpointError: where it is not one
    """
    meta = read_header(path)
    if meta.get("kind") != KIND:
        raise CheckpointError("is a landmark model, not an auto-encoder; name a file that 'pretrain' has written", path)
    try:
        newer = int(meta["format"]) > FORMAT
        known = meta["network"]["input_size"] in DEPTHS
        mean = [float(value) for value in meta["normalisation"]["mean"]]
        whole = isinstance(meta["id"], str) and len(mean) == 3
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"has damaged metadata ({in_short(error)})", path) from error
    if newer:
        raise CheckpointError("was written by a newer version of this program; update to use it", path)
    if not (known and whole):
        raise CheckpointError("has damaged metadata (network or normalisation)", path)
    return meta


def load_autoencoder(path: Path) -> Autoencoder:
    """Read an auto-encoder.

    :raises CheckpointError: truncated, a pickle in disguise, another kind of model, or weights that do not fit
    """
    path = Path(path)
    meta = read_autoencoder_meta(path)
    tensors = {name: value.to(_memory_type(value)) for name, value in read_tensors(path).items()}
    size = int(meta["network"]["input_size"])
    with torch.device("meta"):
        parts = (("Q", Encoder(size)), ("P", Generator(DEPTHS[size])))
        wanted = {
            f"{letter}.{name}": value.shape for letter, part in parts for name, value in part.state_dict().items()
        }
    check_shapes(tensors, wanted, path)
    return Autoencoder(str(meta.pop("id")), meta, tensors)


def _as_stored(value: Tensor) -> Tensor:
    """Matrices as float16; vectors stay float32, as BatchNorm's variances can leave float16's range."""
    return value.half() if value.ndim > 1 and value.is_floating_point() else value


def _memory_type(value: Tensor) -> torch.dtype:
    return torch.float32 if value.is_floating_point() else value.dtype
