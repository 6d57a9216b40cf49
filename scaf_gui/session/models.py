"""Which model a project uses, and where its own models lie. Nothing here loads torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from scaf_gui.core.scheme import Scheme
from scaf_gui.session.events import ModelInfo

if TYPE_CHECKING:
    from scaf_gui.io.store import ProjectStore

SUFFIX = ".safetensors"
#: models of its own that a project keeps; older ones are deleted
KEPT = 5


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
    """The shipped model for a scheme, ``None`` if there is none."""
    from scaf_gui.learning.registry import starter_for

    path = starter_for(scheme)
    if path is None:
        return None
    return ModelInfo(id=f"starter:{path.stem}", path=str(path), own=False, title=f"Starter ({path.stem})")


def prune(companions: Path, keep: str) -> None:
    """Delete the oldest models beyond :data:`KEPT`, never the one named."""
    files = sorted(models_folder(companions).glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[KEPT:]:
        if path.stem != keep:
            path.unlink(missing_ok=True)
