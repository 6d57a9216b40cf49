"""Which model a project uses, and where its own models lie. Nothing here loads torch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaf_gui import paths
from scaf_gui.core.scheme import Scheme, parse_scheme
from scaf_gui.errors import SchemeError
from scaf_gui.session.events import ModelInfo

if TYPE_CHECKING:
    from scaf_gui.io.store import ProjectStore

SUFFIX = ".safetensors"
#: models of its own that a project keeps; older ones are deleted
KEPT = 5
#: longest header that is believed
MAX_HEADER = 1 << 24


def models_folder(companions: Path) -> Path:
    return companions / "models"


def model_path(companions: Path, model_id: str) -> Path:
    return models_folder(companions) / f"{model_id}{SUFFIX}"


def remember(store: ProjectStore, model: ModelInfo) -> None:
    """Write down which model the project uses; the file's folder follows from the project's place."""
    saved = replace(model, path=Path(model.path).name).to_json()
    store.set("model", saved)
    store.set("models", [*store.get("models", []), saved])


def history(store: ProjectStore, companions: Path) -> tuple[ModelInfo, ...]:
    """The project's own models, oldest first; the files of the oldest may be gone."""
    known = (ModelInfo.from_json(value) for value in store.get("models", []))
    return tuple(replace(model, path=str(models_folder(companions) / model.path)) for model in known)


def current_model(store: ProjectStore, companions: Path, scheme: Scheme) -> tuple[ModelInfo | None, str]:
    """The model in use, and a sentence where it is not the one that was.

    The project's own model; else the starter, where there is one for the scheme and the project allows it.
    """
    saved = store.get("model", None)
    note = ""
    if saved:
        model = ModelInfo.from_json(saved)
        path = models_folder(companions) / model.path
        if path.is_file():
            return replace(model, path=str(path)), ""
        note = f"The model {path.name} is not beside the project any more; refresh the model to get a new one"
    return (starter(scheme) if store.get("use_starter", True) else None), note


def starter(scheme: Scheme) -> ModelInfo | None:
    """The shipped model for a scheme: of the very scheme, else of one that leads to it, else ``None``."""
    fitting = [
        (source.id != scheme.id, info)
        for source, info in _shipped()
        if (source.id != scheme.id or source.num_landmarks == scheme.num_landmarks)
        and scheme.matrix_from(source) is not None
    ]
    return min(fitting, key=lambda found: found[0])[1] if fitting else None


def bridge_source() -> Path | None:
    """The shipped landmark model from which other schemes can be learnt: the one with most landmarks."""
    found = [(source.num_landmarks, Path(info.path)) for source, info in _shipped()]
    return max(found)[1] if found else None


def _shipped() -> Iterator[tuple[Scheme, ModelInfo]]:
    """The shipped landmark models, by the names of their files, each with its scheme."""
    for path in sorted(paths.model_folder().glob(f"*{SUFFIX}")):
        try:
            meta = metadata(path)
            created, preset = str(meta.get("created", "")), str(meta.get("preset", ""))
            info = ModelInfo(str(meta["id"]), str(path), own=False, title="Starter", created=created, preset=preset)
            source = parse_scheme(meta["scheme"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, SchemeError):
            continue  # an auto-encoder; or damaged: learning says what is wrong with it when it is asked for by name
        yield source, info


def metadata(path: Path) -> dict[str, Any]:
    """What a checkpoint says of itself.

    Read by hand (a safetensors file starts with the length of a JSON header), because this happens before the
    first image is painted, and ``learning`` loads torch.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > MAX_HEADER:
            raise ValueError("no safetensors file")
        header = json.loads(file.read(length))
    return dict(json.loads(header["__metadata__"]["scaf_gui"]))


def prune(companions: Path, keep: str) -> None:
    """Delete the oldest models beyond :data:`KEPT`, never the one named."""
    files = sorted(models_folder(companions).glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[KEPT:]:
        if path.stem != keep:
            with suppress(OSError):  # in use or write-protected: the next refresh tries again
                path.unlink(missing_ok=True)
