"""Recipes of the auto-encoder's pre-training. One frozen row each."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from scaf_gui.errors import UsageError
from scaf_gui.learning.presets import Augmentation
from scaf_gui.learning.unlabelled import PUBLISHED_VIEWS


@dataclass(frozen=True)
class Recipe:
    """What a run does. ``gan_from`` and ``structure_from`` are shares of the run at which these losses begin.

    The run ends after ``max_steps`` or ``max_minutes``, whichever is given and comes first, else after ``epochs``.
    ``lr_discriminator`` is the image discriminator's rate over ``lr``. ``warm_up`` is in steps; ``grow`` is the
    number of steps over which the layers that only 256-px networks have are blended in.
    """

    name: str = "published"
    size: int = 256
    batch: int = 50
    pixels: bool = True
    structure: bool = True
    gan: bool = True
    prior: bool = True
    gan_from: float = 1 / 3
    structure_from: float = 2 / 3
    gan_weight: float = 1.0
    prior_weight: float = 1.0
    lr: float = 2e-5
    lr_discriminator: float = 0.5
    beta1: float = 0.0
    beta2: float = 0.999
    weight_decay: float = 0.0
    warm_up: int = 0
    cosine: bool = False
    ema: float = 0.0
    grow: int = 1000
    epochs: float = 50.0
    max_steps: int | None = None
    max_minutes: float | None = None
    save_minutes: float = 10.0
    save_steps: int | None = None
    seed: int = 0
    views: Augmentation = field(default=PUBLISHED_VIEWS)

    def __post_init__(self) -> None:
        if not (self.pixels or self.structure):
            raise UsageError("with --no-pixels and --no-structure there is nothing to learn; leave one of them on")
        if self.size not in (128, 256):
            raise UsageError(f"the auto-encoder is for 128 or 256 pixels, not {self.size}")
        if self.batch < 2:
            raise UsageError("BatchNorm needs a batch of 2 faces at least")

    def rate(self, step: int, done: float) -> float:
        """Factor of the learning rates.

        :param step: steps since the warm-up began
        :param done: share of the run that lies behind
        """
        factor = min(1.0, (step + 1) / self.warm_up) if self.warm_up else 1.0
        return factor * 0.5 * (1.0 + math.cos(math.pi * min(done, 1.0))) if self.cosine else factor

    def stage(self, done: float) -> tuple[bool, bool]:
        """Whether the GAN, and whether the structural loss, takes part."""
        structure = self.structure and (done >= self.structure_from or not self.pixels)
        return self.gan and done >= self.gan_from, structure


#: "short" is for ten thousands of faces and minutes to hours instead of millions and days
RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(),
        Recipe(
            name="short", size=128, batch=48, gan=False, structure_from=0.0, lr=1e-3, beta1=0.9, warm_up=200,
            cosine=True, ema=0.998,
            views=Augmentation(shift=0.06, scale=(0.85, 1.15), light=0.25, gray=0.1, erasing=0.5),
        ),
    )
}  # fmt: skip


def recipe_named(name: str) -> Recipe:
    """The recipe of that name; raises :class:`UsageError` listing the names there are."""
    try:
        return RECIPES[name]
    except KeyError:
        raise UsageError(f"there is no recipe '{name}'; choose one of {', '.join(RECIPES)}") from None
