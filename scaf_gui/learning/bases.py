"""Auto-encoder files: which there are, and what a shipped checkpoint leaves to the one that it was trained from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from scaf_gui.errors import CheckpointError
from scaf_gui.learning.presets import Preset
from scaf_gui.learning.pretrained import KIND, Autoencoder, identify, load_autoencoder, read_autoencoder_meta
from scaf_gui.learning.tensorfile import read_header
from scaf_gui.paths import model_folder

SUFFIX = ".safetensors"


def difference(stored: Mapping[str, Tensor], base: Autoencoder) -> dict[str, Tensor]:
    """The weights, as they are to be stored, whose values are not exactly those of an auto-encoder."""
    return {name: value for name, value in stored.items() if not _same(value, base.tensors.get(name))}


def _same(value: Tensor, other: Tensor | None) -> bool:
    return other is not None and value.shape == other.shape and torch.equal(value.to(other.dtype), other)


def find_base(base: str, path: Path) -> Autoencoder:
    """The auto-encoder that a checkpoint file names: in its own folder, else among the shipped models.

    :param base: its id
    :raises CheckpointError: naming the checkpoint, where there is none or its weights are not those of the id
    """
    folders = list(dict.fromkeys((Path(path).parent.resolve(), model_folder().resolve())))
    changed = None
    for folder in folders:
        for candidate in autoencoder_files(folder, base):
            found = load_autoencoder(candidate)
            if identify(found.input_size, found.tensors) == base:
                return found
            changed = candidate
    if changed is not None:
        raise CheckpointError(
            f"needs the auto-encoder {base}, but {changed} holds other weights than that id stands for; "
            "put the original file there",
            path,
        )
    where = " or ".join(map(str, folders))
    raise CheckpointError(f"needs the auto-encoder {base}, which is not in {where}; put its file beside", path)


def autoencoder_files(folder: Path, base: str | None = None) -> list[Path]:
    """Auto-encoder files of a folder, by their headers alone; ``base``: only those that say they are this one."""
    found = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            header = read_header(path)
        except CheckpointError:
            continue
        if header.get("kind") == KIND and base in (None, header.get("id")):
            found.append(path)
    return found


def autoencoder_for(preset: Preset, folder: Path | None = None) -> Path | None:
    """The shipped auto-encoder of a preset's input size, the newest where there are several, else ``None``.

    :param folder: where to look instead of the shipped models
    """
    fitting = []
    for path in autoencoder_files(model_folder() if folder is None else Path(folder)):
        try:
            meta = read_autoencoder_meta(path)
        except CheckpointError:
            continue
        if meta["network"]["input_size"] == preset.input_size:
            fitting.append((str(meta.get("created", "")), path))
    return max(fitting)[1] if fitting else None
