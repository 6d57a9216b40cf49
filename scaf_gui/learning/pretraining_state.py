"""The state of a pre-training run beside its auto-encoder: weights, discriminators, optimisers, averages, position.

Views, dropout and noise are functions of seed and step, so no random state needs to be kept.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scaf_gui.errors import CheckpointError
from scaf_gui.learning.presets import Augmentation
from scaf_gui.learning.pretraining_recipes import Recipe
from scaf_gui.learning.pretraining_step import Stepper
from scaf_gui.learning.tensorfile import in_short, read_header, read_tensors, write_tensors

FORMAT = 1
KIND = "pretraining-state"


@dataclass(frozen=True)
class Kept:
    """Where a run was: steps done, seconds taken, the auto-encoder it started from, steps of blending in.

    ``faces``: how many it had, 0 where the state does not say; ``precision``: "float32", "bfloat16", or "" likewise.
    """

    step: int
    seconds: float
    parent: str
    grow: int
    recipe: Recipe
    faces: int = 0
    precision: str = ""


def state_path(out: Path) -> Path:
    """The state's file beside an auto-encoder's."""
    return out.with_suffix(".state")


def write_state(out: Path, stepper: Stepper, kept: Kept) -> None:
    """:raises CheckpointError: where it cannot be written; the state before stays"""
    about = {
        "format": FORMAT, "kind": KIND, "recipe": recipe_json(kept.recipe), "step": kept.step,
        "seconds": kept.seconds, "parent": kept.parent, "grow": kept.grow, "faces": kept.faces,
        "precision": kept.precision,
    }  # fmt: skip
    write_tensors(state_path(out), stepper.state(), about)


def read_kept(out: Path) -> Kept:
    """What a state says about its run, without its tensors.

    :raises CheckpointError: it is missing, damaged or of a newer version
    """
    path = state_path(out)
    if not path.exists():
        raise CheckpointError("there is no such run to resume; leave --resume out", path)
    about = read_header(path)
    try:
        if about["kind"] != KIND:
            raise ValueError("another kind of file")
        if int(about["format"]) > FORMAT:
            raise CheckpointError("was written by a newer version of this program; update to use it", path)
        return Kept(
            int(about["step"]), float(about["seconds"]), str(about["parent"]), int(about["grow"]),
            _recipe_of(about["recipe"]), int(about.get("faces", 0)), str(about.get("precision", "")),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"has damaged metadata ({in_short(error)})", path) from error


def read_state(out: Path, stepper: Stepper, faces: int) -> Kept:
    """Put a run's state into its networks and optimisers.

    :raises CheckpointError: it is missing, damaged, of a network of another size, or of other than so many faces
    """
    kept = read_kept(out)
    if kept.faces not in (0, faces):
        raise CheckpointError(
            f"is of a run on {kept.faces} faces, and these are {faces}; name the same ones, or go on with --start",
            state_path(out),
        )
    try:
        stepper.restore(read_tensors(state_path(out)))
    except (RuntimeError, KeyError, ValueError) as error:
        raise CheckpointError(f"does not fit this run ({in_short(error)})", state_path(out)) from error
    return kept


def recipe_json(recipe: Recipe) -> dict[str, Any]:
    return asdict(recipe)


def _recipe_of(values: dict[str, Any]) -> Recipe:
    views = dict(values["views"])
    low, high = views["scale"]
    return Recipe(**{**values, "views": Augmentation(**{**views, "scale": (float(low), float(high))})})
