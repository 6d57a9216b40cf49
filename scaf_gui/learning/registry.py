"""Which models there are: those shipped, and those trained in a project's folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scaf_gui.core.scheme import Scheme, parse_scheme
from scaf_gui.errors import CheckpointError
from scaf_gui.learning.bases import SUFFIX, autoencoder_files
from scaf_gui.learning.checkpoint import reaches, read_meta
from scaf_gui.learning.presets import Preset
from scaf_gui.learning.pretrained import read_autoencoder_meta
from scaf_gui.paths import model_folder


@dataclass(frozen=True)
class ModelFile:
    """A checkpoint on disk, by its metadata alone. ``labels``: how many faces it learnt from (0: not said)."""

    path: Path
    id: str
    scheme: Scheme
    preset: str
    created: str
    parent: str
    labels: int


def describe(path: Path) -> ModelFile:
    """Metadata of a checkpoint file; raises :class:`CheckpointError` where it is not one."""
    meta = read_meta(path)
    return ModelFile(
        path=Path(path),
        id=str(meta["id"]),
        scheme=parse_scheme(meta["scheme"]),
        preset=str(meta.get("preset", "")),
        created=str(meta.get("created", "")),
        parent=str(meta.get("parent", "")),
        labels=int(meta.get("recipe", {}).get("labels", 0)),
    )


def list_models(folder: Path) -> list[ModelFile]:
    """Checkpoints of a folder, oldest first; a missing folder has none.

    Files that are none are passed over, auto-encoders too: see :func:`autoencoder_for`.
    """
    found = []
    for path in sorted(Path(folder).glob(f"*{SUFFIX}")):
        try:
            found.append(describe(path))
        except CheckpointError:
            continue
    return sorted(found, key=lambda model: (model.created, model.path.name))


def newest(folder: Path, scheme: Scheme) -> Path | None:
    """The newest checkpoint of a folder that leads to a scheme."""
    fitting = [model for model in list_models(folder) if reaches(model.scheme, scheme)]
    return fitting[-1].path if fitting else None


def starter_for(scheme: Scheme, folder: Path | None = None) -> Path | None:
    """The shipped model to begin with: of this very scheme, else of one that leads to it, else ``None``.

    :param folder: where to look instead of the shipped models
    """
    models = list_models(model_folder() if folder is None else folder)
    fitting = [model for model in models if reaches(model.scheme, scheme)]
    fitting.sort(key=lambda model: model.scheme.id != scheme.id)
    return fitting[0].path if fitting else None


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
